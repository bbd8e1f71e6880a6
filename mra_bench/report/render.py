"""Assembles the report of a run from its sections, and writes it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mra_bench.errors import BenchError
from mra_bench.report.data import RunData, read_run
from mra_bench.report.headline import verdict_view
from mra_bench.report.markup import filled
from mra_bench.report.page import Part, document, write_page
from mra_bench.report.section import Section, SectionFault, fault_text, installed_sections, rendered

if TYPE_CHECKING:
    from markupsafe import Markup

OnFault = Callable[[SectionFault], None]


def write_report(run: Path, sections: Sequence[Section] | None = None, on_fault: OnFault | None = None) -> Path:
    """Write `run`/report.html from the run folder's published files, in one step, and return its path. `sections`:
    those of all installed plugins where none are given; `on_fault` is told of each that failed, and without it the
    first that fails is fatal.

    The same files and sections give the same bytes. Raises UsageError when `run` is not a run folder, SectionFault as
    said, BenchError when a file in it is broken or the report cannot be written.
    """
    page = render_page(read_run(run), sections, on_fault)
    target = run / "report.html"
    try:
        write_page(target, page)
    except OSError as error:
        reason = error.strerror or error
        raise BenchError(
            f"Cannot write '{target}': {reason}. Make room or permissions, then: mra-bench report {run}"
        ) from None
    return target


def render_page(run: RunData, sections: Sequence[Section] | None = None, on_fault: OnFault | None = None) -> str:
    """The whole page as text; a section of a plugin that fails says so in its place, or raises SectionFault where there
    is no `on_fault` to be told."""
    made = (part_of(section, run, on_fault) for section in (installed_sections() if sections is None else sections))
    title = f"{(run.results.get('run') or {}).get('name') or 'Run'} – mra-bench report"
    return document(title, masthead(run), [part for part in made if part.html])


def masthead(run: RunData) -> Markup:
    """What stands first: name, verdict in words, and what to know before any figure."""
    results = run.results
    return filled(
        "summary.html",
        run={"name": "", "description": "", "seed": None, "fingerprint": "", **(results.get("run") or {})},
        grader={"name": "", "version": "", **(results.get("grader") or {})},
        partial=bool(results.get("partial")),
        missing=results.get("missing") or [],
        warnings=results.get("warnings") or [],
        verdict=verdict_view(results),
    )


def part_of(section: Section, run: RunData, on_fault: OnFault | None) -> Part:
    """A section as it stands in the page; see `render_page` for one that fails."""
    try:
        html = rendered(section, run)
    except SectionFault as fault:
        if on_fault is None:
            raise
        on_fault(fault)
        html = fault_text(fault)
    return Part(section.id, section.title, html, section.plugin)
