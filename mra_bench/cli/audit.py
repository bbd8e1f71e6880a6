"""mra-bench audit"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mra_bench.cli.options import Integer, json_option, plugin_options, settings_of

if TYPE_CHECKING:
    from mra_bench.audit_judged import Audit

EPILOG = """
\b
Examples:
  mra-bench audit reports/quickstart
  mra-bench audit reports/quickstart --json --quiet
  mra-bench audit reports/theirs --beside reports/ours  whether both hold the same texts
  mra-bench audit reports/mine --plugin ./mine.py       a run graded by a plugin from a file
\b
Exit codes: 0 everything follows; 1 something does not, each thing named; 2 no run folder, or its grader is not
installed; 130 interrupted.
"""


@click.command(epilog=EPILOG)
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--beside",
    "others",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Say which models of this other run have the same texts under another name. Repeatable.",
)
@click.option("--show", type=Integer(0), default=50, show_default=True, help="List so many findings.")
@click.option("--quiet", is_flag=True, help="No progress on standard error.")
@json_option
@plugin_options
def command(run: Path, **given: Any) -> None:
    """Grade the texts stored in RUN again and check that every stored verdict, pair, count and figure follows from
    them, and each file is as its stage left it. Nothing is generated, nothing in RUN is changed.
    """
    from mra_bench.audit import audit
    from mra_bench.cli.listing import show_json
    from mra_bench.imports.words import alike_sentence
    from mra_bench.plugins import load_plugins
    from mra_bench.progress import make_reporter
    from mra_bench.published import alike_elsewhere

    alike = [pair for other in given["others"] for pair in alike_elsewhere(run, other)]
    settings = settings_of(given["plugin_files"], given["blocked"])
    reporter = make_reporter(quiet=given["quiet"], as_json=False)
    try:
        found = audit(run, load_plugins(settings), settings, reporter)
    finally:
        getattr(reporter, "close", lambda: None)()
    found.notes += map(alike_sentence, alike)
    if given["as_json"]:
        show_json(found.data())
    else:
        click.echo(_text(found, given["show"]))
    if found.findings:
        click.get_current_context().exit(1)


def _text(found: Audit, show: int) -> str:
    from mra_bench.tables import printable
    from mra_bench.verdict import counted

    kinds = ("verdicts", "profiles", "pairs", "rows", "figures", "files", "reports")
    names = {kind: kind.removesuffix("s") for kind in kinds}
    checked = ", ".join(counted(found.checked[key], noun) for key, noun in names.items() if found.checked[key])
    lines = [*(f"Imported: {said}." for said in found.published), *(f"Note: {note}." for note in found.notes)]
    if not found.findings:
        return printable("\n".join([*lines, f"{found.run}: everything follows from the stored texts ({checked})."]))
    lines += [str(finding) for finding in found.findings[:show]]
    if len(found.findings) > show:
        lines.append(f"... and {len(found.findings) - show:,} more (--show N, or --json for all)")
    maybe = sum(bool(finding.maybe) for finding in found.findings)
    tail = f", of which {maybe:,} may have another cause than a change" if maybe else ""
    total = counted(len(found.findings), "finding")
    return printable("\n".join([*lines, f"{found.run}: {total}{tail} (checked: {checked})."]))
