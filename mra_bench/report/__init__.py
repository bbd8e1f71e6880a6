"""The HTML report of a run: one file, made only from what the run folder publishes.

Its sections come from plugins (`register_report_sections`); `html` and `table` help to write one.
"""

from typing import TYPE_CHECKING

from mra_bench.lazy import names

if TYPE_CHECKING:
    from mra_bench.report.data import DatasetSamples, RunData, Sample, Verdict
    from mra_bench.report.markup import html, table
    from mra_bench.report.render import render_page, write_report
    from mra_bench.report.section import Section, sections_of

__all__ = [
    "DatasetSamples",
    "RunData",
    "Sample",
    "Section",
    "Verdict",
    "html",
    "render_page",
    "sections_of",
    "table",
    "write_report",
]

_WHERE = {
    **dict.fromkeys(("DatasetSamples", "RunData", "Sample", "Verdict"), "mra_bench.report.data"),
    **dict.fromkeys(("html", "table"), "mra_bench.report.markup"),
    **dict.fromkeys(("render_page", "write_report"), "mra_bench.report.render"),
    **dict.fromkeys(("Section", "sections_of"), "mra_bench.report.section"),
}
__getattr__ = names(__name__, _WHERE)
