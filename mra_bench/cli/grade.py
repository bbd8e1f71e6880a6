"""mra-bench grade"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mra_bench.cli.options import Integer, Number, json_option, plugin_options, settings_of
from mra_bench.cli.sample_files import COLUMNS, Task, before_any, column_options, judge_file, limits_given, reporting

if TYPE_CHECKING:
    from mra_bench.grading import ChosenGrader
    from mra_bench.plugins import PluginSettings, Registry
    from mra_bench.progress import PlainReporter

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
@column_options(question=", for graders that read them.", label=": count where graders differ.")
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
    is_run = Path(given["what"]).is_dir()
    with contextlib.nullcontext() if is_run else before_any("graded"):
        from mra_bench.plugins import load_plugins

        settings = settings_of(given["plugin_files"], given["blocked"])
        registry = load_plugins(settings)
        graders = _graders(given, registry)
        with reporting(given) as reporter:
            if is_run:
                _grade_run(given, graders, registry, settings, reporter)
            else:
                _grade_file(given, graders, settings, reporter)


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
    for name in (*COLUMNS, "answers", "out", "workers"):
        if given[name]:
            raise UsageError(f"--{name} is for a file of samples, but {run} is a folder")
    limits = limits_of(manifest, given["seconds"])
    check_graders(run, graders, limits)
    regraded = add_graders(run, graders, limits, registry, settings, reporter, strict=given["strict"])
    _finish(given, compare(regraded, given["show"]), run_text, nothing_judged(regraded))


def _grade_file(
    given: dict[str, Any], graders: list[ChosenGrader], settings: PluginSettings, reporter: PlainReporter
) -> None:
    from mra_bench.grade_tables import samples_text
    from mra_bench.grading import Summary, grade_rows, grade_samples

    summary = Summary(graders, given["show"])
    how = {"answers": given["answers"], "strict": given["strict"]}
    task = Task(
        "grade",
        judge=lambda samples: grade_samples(samples, graders, settings, limits=limits_given(given), **how),
        count=summary.add,
        rows=lambda one, labelled: grade_rows(one, graders, labelled),
    )
    data = judge_file(given, task, reporter)
    _finish(given, {**data, **summary.data()}, samples_text, summary.nothing_judged())


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
