"""mra-bench import"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mra_bench.cli.options import Choice, Number, json_option, plugin_options, settings_of

if TYPE_CHECKING:
    from mra_bench.run import Outcome

FORMATS = ("lm-eval", "inspect", "evalscope", "openai-gsm8k", "jsonl")
EPILOG = """
\b
Examples:
  mra-bench import samples_gsm8k_2025-01-01.jsonl --from lm-eval --data gsm8k=test.jsonl --out reports/theirs
  mra-bench import a=logs/one.eval b=logs/two.eval --from inspect --out reports/two
  mra-bench import reviews/m/gsm8k_main.jsonl --from evalscope --data gsm8k --out reports/theirs
  mra-bench import rows.jsonl --from jsonl --field text=reply --field gold=key.answer --out reports/mine
\b
Exit codes: 0 done; 1 failed, or not one text could be judged; 2 bad usage or a bad file, found before any work;
130 interrupted. The same command resumes an interrupted import.
"""


@click.command(epilog=EPILOG)
@click.argument("files", nargs=-1, required=True, metavar="[NAME=]FILE...")
@click.option("--from", "layout", type=Choice(FORMATS), required=True, help="Which tool wrote the files.")
@click.option(
    "--data",
    metavar="NAME[:SPLIT][=FILE]",
    help="The dataset that the texts are of: questions are matched with it, its golds count. [default: the problems "
    "and golds that the files hold]",
)
@click.option(
    "--field",
    "fields",
    multiple=True,
    metavar="FIELD=PATH",
    help="Where in a row something stands: question, gold, text, id, verdict, answer, prompt, model or finish, as in "
    "text=reply.0.content. Repeatable.",
)
@click.option(
    "--score",
    default="",
    metavar="NAME",
    help="Which of the tool's scores is its verdict: FILTER/METRIC of lm-eval, a scorer of inspect, a metric of "
    "evalscope. [default: the first]",
)
@click.option("--out", type=click.Path(path_type=Path), required=True, metavar="FOLDER", help="The run folder.")
@click.option("--name", metavar="NAME", help="What the run is called. [default: the folder's name]")
@click.option("--grader", "graders", multiple=True, metavar="NAME", help="Grade with this. [default: sympy]")
@click.option("--grader-seconds", type=Number(min=0, min_open=True), help="A text that takes longer is timed out.")
@click.option("--quiet", is_flag=True, help="No progress on standard error.")
@json_option
@plugin_options
def command(files: tuple[str, ...], **given: Any) -> None:
    """Make a run folder from texts that another tool has stored in FILE: problems, texts, our grades, results, report.

    Nothing is generated. The tool's own verdicts are kept beside our grades, in verdicts/; run.json says from which
    file, with which sha256, the texts come. Several files are several models of one run.
    """
    from mra_bench.cli.outcome import nothing_judged
    from mra_bench.imports.planned import Order, plan_import
    from mra_bench.plugins import load_plugins
    from mra_bench.progress import make_reporter
    from mra_bench.run import RunOptions, execute

    _check_out(given["out"])
    settings = settings_of(given["plugin_files"], given["blocked"])
    registry = load_plugins(settings)
    order = Order(
        files=files,
        layout=given["layout"],
        data=given["data"],
        fields=_fields(given["fields"]),
        score=given["score"],
        name=given["name"] or _name(given["out"]),
        graders=given["graders"] or ("sympy",),
        seconds=given["grader_seconds"],
    )
    plan = plan_import(order, registry)
    reporter = make_reporter(quiet=given["quiet"], as_json=False)
    try:
        outcome = execute(plan, registry, settings, RunOptions(given["out"]), reporter)
    finally:
        getattr(reporter, "close", lambda: None)()
    _show(outcome, as_json=given["as_json"])
    if nothing_judged(outcome.results):
        click.get_current_context().exit(1)


def _check_out(out: Path) -> None:
    from mra_bench.errors import UsageError

    if str(out) == "" or (out.exists() and not out.is_dir()):
        raise UsageError(f"--out {out} is no folder; name one, new or of an earlier import")


def _fields(given: tuple[str, ...]) -> dict[str, str]:
    from mra_bench.errors import UsageError, unknown
    from mra_bench.imports.layouts import FIELDS

    found: dict[str, str] = {}
    for one in given:
        name, equals, path = one.partition("=")
        if not equals or not path:
            raise UsageError(f"--field takes FIELD=PATH, as in --field text=reply; got {one!r}")
        if name not in FIELDS:
            raise unknown("field", name, FIELDS, where="in --field")
        if name in found:
            raise UsageError(f"--field names '{name}' twice")
        found[name] = path
    return found


def _name(out: Path) -> str:
    from mra_bench.imports.planned import as_name

    return as_name(out.resolve().name) or "imported"


def _show(outcome: Outcome, *, as_json: bool) -> None:
    from mra_bench.cli.listing import show_json
    from mra_bench.cli.outcome import outcome_data, outcome_lines
    from mra_bench.imports.words import published_sentences
    from mra_bench.tables import printable

    published = outcome.results["published"]
    if as_json:
        show_json({**outcome_data(outcome.report, outcome.results), "published": published})
        return
    lines = [printable(f"{sentence}.") for sentence in published_sentences(published)]
    click.echo("\n".join([*lines, *outcome_lines(outcome.report, outcome.results)]))
