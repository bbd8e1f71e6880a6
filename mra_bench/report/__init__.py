"""The HTML report of a run: one file, made only from what the run folder publishes."""

from __future__ import annotations

from mra_bench.report.render import render_page, write_report
from mra_bench.report.sections import SECTIONS, Section

__all__ = ["SECTIONS", "Section", "render_page", "write_report"]
