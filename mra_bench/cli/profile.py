"""mra-bench profile"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mra_bench.cli.options import Integer, Number, json_option, plugin_options, settings_of

if TYPE_CHECKING:
    from mra_bench.plugins import PluginSettings
    from mra_bench.profiling import Summary
    from mra_bench.progress import PlainReporter
    from mra_bench.samples import Columns, Source

EPILOG = """
\b
Examples:
  mra-bench profile samples.jsonl                                    columns by well-known names
  mra-bench profile samples.csv --text output --gold target --out profiles.jsonl
  mra-bench profile samples.jsonl --profiler '{name: verifier, options: {seed: 1}}' --label correct
  mra-bench run --recipe quickstart --set 'profilers=[verifier]'     in a run: adds profiles to its folder and report
\b
Exit codes: 0 done; 1 failed, or not a single text has a profile; 2 bad usage or a broken file, found before any work;
130 interrupted.
"""
DEFAULT = "verifier"
OF_FILES = ("text", "gold", "id", "question", "label", "choices")


@click.command(epilog=EPILOG)
@click.argument("what", metavar="FILE|-")
@click.option(
    "--profiler",
    default=DEFAULT,
    show_default=True,
    metavar="NAME",
    help="A profiler, or as in a recipe {name: NAME, options: {KEY: VALUE}}.",
)
@click.option("--text", metavar="COLUMN", help="Column of the texts.  [default: text, completion, response, ...]")
@click.option("--gold", metavar="COLUMN", help="Column of the gold answers.  [default: gold, ..., answer]")
@click.option("--id", metavar="COLUMN", help="Column of the problems' ids.  [default: id, ..., or the row's number]")
@click.option("--question", metavar="COLUMN", help="Column of the questions.")
@click.option("--label", metavar="COLUMN", help="Column that says whether a text is right: show the wrong ones apart.")
@click.option("--choices", metavar="COLUMN", help="Column with the list that the letters A, B, ... stand for.")
@click.option("--out", metavar="FILE", help="Write a JSON line for each text to this file (- for standard output).")
@click.option("--workers", type=Integer(1), metavar="N", help="Processes.  [default: all usable cores]")
@click.option(
    "--seconds",
    type=Number(min=0, min_open=True),
    help="A text that takes longer gets no profile.  [default: 10]",
)
@click.option("--quiet", is_flag=True, help="No progress on standard error.")
@json_option
@plugin_options
def command(**given: Any) -> None:
    """Look for errors in the texts of FILE (JSONL, CSV or Parquet; - for JSONL on standard input), dimension by
    dimension, each from 0 (none) to 1, with evidence that a person can read.

    Each row of FILE has a gold answer and a text. No model is needed.
    """
    from mra_bench.progress import make_reporter

    settings = settings_of(given["plugin_files"], given["blocked"])
    reporter = make_reporter(quiet=given["quiet"], as_json=False)
    try:
        _profile_file(given, settings, reporter)
    finally:
        getattr(reporter, "close", lambda: None)()


def _profile_file(given: dict[str, Any], settings: PluginSettings, reporter: PlainReporter) -> None:
    import dataclasses

    from mra_bench.cli.rows_out import check_out
    from mra_bench.errors import UsageError
    from mra_bench.grading import named_of
    from mra_bench.plugins import load_plugins
    from mra_bench.samples import choose_columns, opened, read_samples

    named = named_of(given["profiler"], "--profiler")
    profiler = load_plugins(settings).resolve("profilers", named.name)
    profiler.parse_options(named.options)
    if Path(given["what"]).is_dir():
        how = f"mra-bench run ... --out {given['what']} --set 'profilers=[{named.name}]'"
        raise UsageError(f"{given['what']} is a folder. A run's texts are profiled by the run itself: {how}")
    check_out(given["what"], given["out"], as_json=given["as_json"])
    with opened(given["what"]) as source:
        columns = choose_columns(source, {name: given[name] for name in OF_FILES})
        total = sum(1 for _ in read_samples(source, columns))  # the whole file is read before any work starts
        summary = _profiled(given, source, columns, (profiler, named, settings), reporter, total)
        data = {"file": source.name, "columns": dataclasses.asdict(columns), "out": given["out"], **summary.data()}
    _finish(given, {"profiler": profiler.full_name, "version": profiler.plugin.version, **data})


def _profiled(
    given: dict[str, Any],
    source: Source,
    columns: Columns,
    by_whom: tuple[Any, Any, PluginSettings],
    reporter: PlainReporter,
    total: int,
) -> Summary:
    """Profile, write and count sample by sample."""
    from mra_bench.cli.rows_out import left_of, rows_out
    from mra_bench.errors import Interrupted
    from mra_bench.profiling import Summary, profile_row, profile_samples
    from mra_bench.samples import read_samples
    from mra_bench.workers import Limits

    summary = Summary()
    limits = Limits(**{key: given[key] for key in ("seconds", "workers") if given[key] is not None})
    try:
        reporter.begin(f"profile {source.name}", total, "texts")
        samples = read_samples(source, columns)
        with (
            rows_out(given["out"]) as write,
            contextlib.closing(profile_samples(samples, *by_whom, limits)) as profiled,
        ):
            for sample, profile in profiled:
                summary.add(sample, profile)
                write(profile_row(sample, profile, columns.label is not None))
                reporter.update(summary.texts)
    except KeyboardInterrupt:
        raise Interrupted(f"Interrupted after {summary.texts:,} of {total:,} texts.{left_of(given['out'])}") from None
    reporter.end(f"{summary.texts:,} texts")
    return summary


def _finish(given: dict[str, Any], data: dict[str, Any]) -> None:
    from mra_bench.cli.listing import show_json
    from mra_bench.cli.rows_out import to_stdout
    from mra_bench.profiling import table_of
    from mra_bench.tables import align, printable

    failed = sum(data["failures"].values())
    if given["as_json"]:
        show_json(data)
    else:
        kinds = ", ".join(f"{count:,} {kind}" for kind, count in data["failures"].items())
        lines = [f"{data['texts']:,} texts profiled by {data['profiler']}" + (f"; {kinds}" if kinds else "")]
        text = printable("\n".join([*lines, align(table_of(data))]))
        click.echo(text, err=to_stdout(given["out"]))
    if failed == data["texts"]:
        click.echo("Not a single text has a profile.", err=True)
        click.get_current_context().exit(1)
