"""mra-bench grade"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mra_bench.cli.options import Integer, Number, json_option, plugin_options, settings_of

if TYPE_CHECKING:
    from mra_bench.grading import ChosenGrader, Summary
    from mra_bench.plugins import PluginSettings, Registry
    from mra_bench.progress import PlainReporter
    from mra_bench.samples import Columns, Source

EPILOG = """
\b
Examples:
  mra-bench grade samples.jsonl                                      columns by well-known names
  mra-bench grade samples.csv --text output --gold target --out verdicts.jsonl
  cat samples.jsonl | mra-bench grade - --json
  mra-bench grade samples.jsonl --grader sympy --grader math-verify
  mra-bench grade samples.jsonl --grader sympy --grader '{name: sympy, options: {percent_as_number: false}}'
  mra-bench grade pairs.jsonl --answers --text prediction --label expected
  mra-bench grade reports/quickstart --plugin ./mine.py --grader mine
\b
Exit codes: 0 done, also where graders disagree with each other or with labels; 1 failed, or one of the graders could
not judge a single text; 2 bad usage or a broken file, found before any work; 130 interrupted.
"""
DEFAULT = "sympy"
OF_FILES = ("text", "gold", "id", "question", "label", "choices")


@click.command(epilog=EPILOG)
@click.argument("what", metavar="FILE|RUN|-")
@click.option(
    "--grader",
    "graders",
    multiple=True,
    metavar="NAME",
    help="Grade with this: a name, or as in a recipe {name: NAME, options: {KEY: VALUE}}. Several are compared. "
    "[default: sympy]",
)
@click.option("--text", metavar="COLUMN", help="Column of the texts.  [default: text, completion, response, ...]")
@click.option("--gold", metavar="COLUMN", help="Column of the gold answers.  [default: gold, ..., answer]")
@click.option("--id", metavar="COLUMN", help="Column of the problems' ids.  [default: id, ..., or the row's number]")
@click.option("--question", metavar="COLUMN", help="Column of the questions, for graders that read them.")
@click.option("--label", metavar="COLUMN", help="Column that says whether a text is right: count where graders differ.")
@click.option("--choices", metavar="COLUMN", help="Column with the list that the letters A, B, ... stand for.")
@click.option("--answers", is_flag=True, help="The texts are bare answers: graders see each in a \\boxed{...}.")
@click.option(
    "--out",
    metavar="FILE",
    help="Write one JSON line for each text and grader to this file (- for standard output).",
)
@click.option("--show", type=Integer(0), default=10, show_default=True, help="List so many disagreements.")
@click.option("--workers", type=Integer(1), metavar="N", help="Processes.  [default: all usable cores]")
@click.option(
    "--seconds",
    type=Number(min=0, min_open=True),
    help="A text that takes a grader longer is timed out.  [default: 10, or the run's]",
)
@click.option("--strict", is_flag=True, help="Stop when a grader raises, instead of recording it.")
@click.option("--quiet", is_flag=True, help="No progress on standard error.")
@json_option
@plugin_options
def command(**given: Any) -> None:
    """Grade the texts of FILE (JSONL, CSV or Parquet; - for JSONL on standard input), or those stored in a run folder.

    Each row of FILE has a gold answer and a text. On a RUN each grader's verdicts on all its texts are added beside
    the ones that are there, in grades/; its results and report stay as they are, nothing is generated.
    """
    if Path(given["what"]).is_dir():
        _carry_out(given)
        return
    try:
        _carry_out(given)
    except KeyboardInterrupt:
        from mra_bench.errors import Interrupted

        raise Interrupted("Interrupted before any text was graded; nothing was written.") from None


def _carry_out(given: dict[str, Any]) -> None:
    from mra_bench.plugins import load_plugins
    from mra_bench.progress import make_reporter

    settings = settings_of(given["plugin_files"], given["blocked"])
    registry = load_plugins(settings)
    graders = _graders(given, registry)
    reporter = make_reporter(quiet=given["quiet"], as_json=False)
    try:
        if Path(given["what"]).is_dir():
            _grade_run(given, graders, registry, settings, reporter)
        else:
            _grade_file(given, graders, settings, reporter)
    finally:
        getattr(reporter, "close", lambda: None)()


def _graders(given: dict[str, Any], registry: Registry) -> list[ChosenGrader]:
    from mra_bench.errors import UsageError
    from mra_bench.grading import choose_graders

    if given["graders"]:
        return choose_graders(given["graders"], registry)
    if given["blocked"] and DEFAULT not in registry.names("graders"):
        gone = " ".join(f"--no-plugin {name}" for name in given["blocked"])
        raise UsageError(f"{gone} removed the default grader '{DEFAULT}'; name another one with --grader NAME")
    return choose_graders((DEFAULT,), registry)


def _grade_run(
    given: dict[str, Any],
    graders: list[ChosenGrader],
    registry: Registry,
    settings: PluginSettings,
    reporter: PlainReporter,
) -> None:
    from mra_bench.errors import UsageError
    from mra_bench.folder import manifest_of
    from mra_bench.grade_tables import run_text
    from mra_bench.regrade import add_graders, check_graders, compare, limits_of, nothing_judged

    run = Path(given["what"])
    manifest = manifest_of(run)
    for name in (*OF_FILES, "answers", "out", "workers"):
        if given[name]:
            raise UsageError(f"--{name} is for a file of samples, but {run} is a folder")
    limits = limits_of(manifest, given["seconds"])
    check_graders(run, graders, limits)
    regraded = add_graders(run, graders, limits, registry, settings, reporter, strict=given["strict"])
    _finish(given, compare(regraded, given["show"]), run_text, nothing_judged(regraded))


def _grade_file(
    given: dict[str, Any], graders: list[ChosenGrader], settings: PluginSettings, reporter: PlainReporter
) -> None:
    import dataclasses

    from mra_bench.cli.rows_out import check_out
    from mra_bench.grade_tables import samples_text
    from mra_bench.samples import choose_columns, opened, read_samples

    check_out(given["what"], given["out"], as_json=given["as_json"])
    with opened(given["what"]) as source:
        columns = choose_columns(source, {name: given[name] for name in OF_FILES})
        total = sum(1 for _ in read_samples(source, columns))  # the whole file is read before any work starts
        summary = _graded(given, source, columns, graders, settings, reporter, total)
        data = {"file": source.name, "columns": dataclasses.asdict(columns), "out": given["out"], **summary.data()}
    _finish(given, data, samples_text, summary.nothing_judged())


def _graded(
    given: dict[str, Any],
    source: Source,
    columns: Columns,
    graders: list[ChosenGrader],
    settings: PluginSettings,
    reporter: PlainReporter,
    total: int,
) -> Summary:
    """Grade, write and count sample by sample."""
    from mra_bench.cli.rows_out import left_of, rows_out
    from mra_bench.errors import Interrupted
    from mra_bench.grading import Summary, grade_rows, grade_samples
    from mra_bench.samples import read_samples

    summary = Summary(graders, given["show"])
    samples = read_samples(source, columns)
    how = {"answers": given["answers"], "strict": given["strict"]}
    try:
        reporter.begin(f"grade {source.name}", total, "texts")
        with (
            rows_out(given["out"]) as write,
            contextlib.closing(grade_samples(samples, graders, settings, limits=_limits(given), **how)) as graded,
        ):
            for one in graded:
                summary.add(*one)
                for row in grade_rows(one, graders, columns.label is not None):
                    write(row)
                reporter.update(summary.n)
    except KeyboardInterrupt:
        raise Interrupted(f"Interrupted after {summary.n:,} of {total:,} texts.{left_of(given['out'])}") from None
    reporter.end(f"{summary.n:,} texts")
    return summary


def _limits(given: dict[str, Any]) -> Any:
    from mra_bench.workers import Limits

    return Limits(**{key: given[key] for key in ("seconds", "workers") if given[key] is not None})


def _finish(given: dict[str, Any], data: dict[str, Any], text: Any, silent: bool) -> None:
    from mra_bench.cli.listing import show_json
    from mra_bench.cli.rows_out import to_stdout

    if given["as_json"]:
        show_json({**data, "nothing_judged": silent})
    else:
        click.echo(text(data), err=to_stdout(given["out"]))
        if silent:
            click.echo("A grader could not judge a single text.", err=True)
    if silent:
        click.get_current_context().exit(1)
