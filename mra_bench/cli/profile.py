"""mra-bench profile"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mra_bench.cli.options import Integer, Number, json_option, plugin_options, settings_of
from mra_bench.cli.sample_files import Task, before_any, column_options, judge_file, limits_given, reporting

if TYPE_CHECKING:
    from mra_bench.progress import PlainReporter

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


@click.command(epilog=EPILOG)
@click.argument("what", metavar="FILE|-")
@click.option(
    "--profiler",
    default=DEFAULT,
    show_default=True,
    metavar="NAME",
    help="A profiler, or as in a recipe {name: NAME, options: {KEY: VALUE}}.",
)
@column_options(question=".", label=": show the wrong ones apart.")
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
    with before_any("profiled"), reporting(given) as reporter:
        _profile_file(given, reporter)


def _profile_file(given: dict[str, Any], reporter: PlainReporter) -> None:
    from mra_bench.errors import UsageError
    from mra_bench.grading import named_of
    from mra_bench.plugins import load_plugins
    from mra_bench.profiling import Summary, profile_row, profile_samples

    settings = settings_of(given["plugin_files"], given["blocked"])
    named = named_of(given["profiler"], "--profiler")
    profiler = load_plugins(settings).resolve("profilers", named.name)
    profiler.parse_options(named.options)
    if Path(given["what"]).is_dir():
        how = f"mra-bench run ... --out {given['what']} --set 'profilers=[{named.name}]'"
        raise UsageError(f"{given['what']} is a folder. A run's texts are profiled by the run itself: {how}")
    summary = Summary()
    task = Task(
        "profile",
        judge=lambda samples: profile_samples(samples, profiler, named, settings, limits_given(given)),
        count=summary.add,
        rows=lambda one, labelled: [profile_row(one[0], one[1], labelled)],
    )
    data = judge_file(given, task, reporter)
    _finish(given, {"profiler": profiler.full_name, "version": profiler.plugin.version, **data, **summary.data()})


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
