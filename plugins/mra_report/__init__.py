"""Plugin: the sections of the report, in reading order."""

from __future__ import annotations

from mra_bench.hookspecs import RegisterSection, hookimpl

SECTIONS = "mra_bench.report.sections"


@hookimpl
def register_report_sections(register: RegisterSection) -> None:
    register("scoreboard", f"{SECTIONS}:scoreboard", title="Scoreboard")
    register("pairs", f"{SECTIONS}:pairs", title="Model against model")
    register("two-by-two", f"{SECTIONS}:flips", title="Flips")
    register("groups", f"{SECTIONS}:groups", title="By kind of problem")
    register("decisions", f"{SECTIONS}:decisions", title="Decisions")
    register("errors", f"{SECTIONS}:errors", title="Kinds of answer")
    register("profiles", f"{SECTIONS}:profiles", title="Error profiles")
    register("efficiency", f"{SECTIONS}:efficiency", title="Token efficiency")
    register("agreement", f"{SECTIONS}:agreement", title="Agreement of samples")
    register("graders", f"{SECTIONS}:graders", title="Other graders")
    register("published", f"{SECTIONS}:published", title="Published verdicts")
    register("claims", f"{SECTIONS}:claims", title="Published figures")
    register("repeated", f"{SECTIONS}:repeated", title="Repeated")
    register("splits", f"{SECTIONS}:splits", title="Across splits")
    register("further", f"{SECTIONS}:further", title="Further datasets")
    register("training", f"{SECTIONS}:training", title="Training")
    register("built-data", f"{SECTIONS}:built_data", title="Training data that was built")
    register("contamination", f"{SECTIONS}:contamination", title="Contamination")
    register("samples", f"{SECTIONS}:samples", title="Samples")
    register("cost", f"{SECTIONS}:cost", title="Cost")
    register("provenance", f"{SECTIONS}:provenance", title="Provenance")
    register("reading", f"{SECTIONS}:reading", title="How to read this")
