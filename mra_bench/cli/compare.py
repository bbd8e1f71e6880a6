"""mra-bench compare"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from mra_bench.cli.options import Choice, json_option

FORMATS = ("text", "html", "markdown", "json")
EPILOG = """
\b
Examples:
  mra-bench compare reports/seed0 reports/seed1
  mra-bench compare reports/old reports/new --model '*:dpo' --out comparison.html
  mra-bench compare reports/a reports/b reports/c --dataset hard --out comparison    three files in a folder
\b
Exit codes: 0 compared; 2 refused, with every reason, or bad usage; 130 interrupted.
"""


@click.command(epilog=EPILOG)
@click.argument("runs", nargs=-1, metavar="RUN_A RUN_B [RUN...]", type=click.Path(path_type=Path))
@click.option(
    "--dataset",
    "datasets",
    multiple=True,
    metavar="NAME",
    help="Compare on this dataset; the verdict is about the first. Repeatable.  [default: all that the runs share]",
)
@click.option(
    "--model",
    "models",
    multiple=True,
    metavar="RUN:MODEL",
    help="Compare this model with every other one that is named so; MODEL alone is that of every run, * stands for "
    "anything. Repeatable.  [default: those that the runs' verdicts speak of, each with its namesake]",
)
@click.option(
    "--anyway", is_flag=True, help="Compare runs of different conditions, too; a banner says so before any figure."
)
@click.option(
    "--out",
    metavar="PATH",
    help="Write it: to a file (.html, .md, .json, .txt), or as page, Markdown and JSON into a folder.",
)
@click.option(
    "--format",
    "form",
    type=Choice(FORMATS),
    help="What is printed, or written to the file of --out.  [default: text; by the file's ending]",
)
@click.option("--quiet", is_flag=True, help="No progress on standard error.")
@json_option
def command(runs: tuple[Path, ...], **given: Any) -> None:
    """Compare the models of several runs on the problems that all of them were asked, as a run's report compares its
    own: models of one name in different runs, or those that --model names.

    Runs must have been evaluated under the same conditions: instruction, decoding, grader and its version. Nothing in
    the run folders is changed.
    """
    from mra_bench.cli.comparison_out import target_of, write_all
    from mra_bench.cli.listing import show_json
    from mra_bench.compared_runs import with_stages
    from mra_bench.comparing import Wanted, compare_runs
    from mra_bench.comparison_text import markdown_of, text_of
    from mra_bench.progress import make_reporter

    form = given["form"]
    target = target_of(given["out"], form, runs)
    reporter = make_reporter(quiet=given["quiet"], as_json=False)
    wanted = Wanted(given["datasets"], given["models"], given["anyway"])
    try:
        with with_stages(runs) as folders:
            results, compared = compare_runs(folders, wanted, reporter)
            written = write_all(target, results, compared, reporter)
    finally:
        getattr(reporter, "close", lambda: None)()
    if given["as_json"] or (form == "json" and not written):
        show_json({**results, "written": [str(path) for path in written]})
        return
    click.echo(markdown_of(results) if form == "markdown" and not written else text_of(results))
    for path in written:
        click.echo(f"Written: {path}")
