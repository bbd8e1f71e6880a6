"""Audits a run: grades the stored texts again and holds every stored verdict, pair, count and figure against what
follows from them. Reads the run folder, writes nothing in it.

Figures are computed again by the code that made them, on a copy of the run in which the verdicts are the new ones.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from mra_bench.audit_built import check_built
from mra_bench.audit_checks import (
    REPORT,
    check_files,
    check_plan,
    check_report,
    check_results,
    check_rows,
    guarded,
)
from mra_bench.audit_chosen import check_chosen, has_choice
from mra_bench.audit_judged import Audit, JudgedAgain
from mra_bench.audit_names import check_names
from mra_bench.audit_published import check_published, said_of_published
from mra_bench.audit_record import check_recipe, check_stages, run_record_of, unrecorded_verdicts
from mra_bench.audit_repeats import check_repeats
from mra_bench.errors import UsageError
from mra_bench.folder import RECIPE, RUN, manifest_of
from mra_bench.plugins import PluginSettings, Registered, Registry
from mra_bench.progress import Reporter
from mra_bench.results import RESULTS, compute
from mra_bench.shadow import shadow_run
from mra_bench.store import stage_record
from mra_bench.stored import Judge, added_folders, stage_of


def audit(run: Path, registry: Registry, plugins: PluginSettings, reporter: Reporter, *, weights: bool = True) -> Audit:
    """Check everything in `run` that follows from its texts. `weights`: whether those of its models must be there.

    Raises UsageError for what is no run folder, for a stage of a finished run that is gone, and for a grader of its
    recipe that is not installed.
    """
    manifest = manifest_of(run)
    folders = [f for f in manifest["folders"] if stage_record(run / f) is not None]
    if not any(folder.startswith("completions/") for folder in folders):
        raise UsageError(f"{run} holds no texts, so there is nothing to audit")
    found, record = Audit(run), run_record_of(run)
    _note_unfinished(found, record, manifest["folders"], reporter)
    judged = [f for f in folders if f.startswith(("grades/", "profiles/"))]
    judges = {folder: Judge.of(stage_of(run, folder)) for folder in judged}
    installed = {judge.name: _installed(registry, judge) for judge in judges.values()}
    for folder in added_folders(run, folders):
        _take_added(found, folder, registry, judges, installed)
    _note_versions(found, judges.values(), installed, reporter)
    found.findings += check_files(run, dict.fromkeys([*folders, *judges]), found.checked, weights=weights)
    with guarded(found.findings, RUN):
        found.findings += [*check_plan(run, manifest), *check_names(run, record), *check_repeats(run, manifest)]
    with guarded(found.findings, "verdicts"):
        found.findings += check_published(run, manifest, plugins)
    with guarded(found.findings, RECIPE):
        found.findings += check_recipe(run, record)
    with tempfile.TemporaryDirectory(prefix="mra-bench-audit-") as temporary:
        shadow = shadow_run(run, Path(temporary))
        for folder in judges:
            with guarded(found.findings, folder):
                JudgedAgain(found, folder, shadow, plugins, reporter).carry_out()
        for folder in (f for f in folders if has_choice(run, f)):
            with guarded(found.findings, folder):
                found.findings += check_chosen(found, folder, registry, plugins, reporter)
        for folder in (f for f in folders if f.startswith(("pairs/", "rows/"))):
            with guarded(found.findings, folder):
                found.findings += check_built(run, shadow, folder, registry, found)
        if record.get("finished") is None and not (run / RESULTS).exists():
            found.notes.append(f"There is no {RESULTS} yet")
        else:
            with guarded(found.findings, RESULTS):
                derived = json.loads(json.dumps(compute(shadow)))
                found.findings += check_results(run, derived, found.checked)
                found.findings += check_rows(run, shadow, derived, found.notes, found.checked)
                found.published += said_of_published(run, manifest, derived, registry)
    with guarded(found.findings, REPORT):
        found.findings += check_report(run, registry, found.notes, found.checked)
    return found


def _note_unfinished(found: Audit, record: Mapping[str, Any], folders: Sequence[str], reporter: Reporter) -> None:
    """Say first that the run is not finished, then which added verdicts have no record."""
    if said_first := check_stages(found.run, record):
        found.notes.append(said_first)
        reporter.message(f"Note: {said_first}.")
    found.notes += unrecorded_verdicts(found.run, folders)


def _installed(registry: Registry, judge: Judge) -> Registered:
    """The grader or profiler as it is installed, which takes the options that it had."""
    try:
        registered = registry.resolve(judge.kind, judge.name)
        registered.parse_options(judge.options)
    except UsageError as error:
        how = "Install its plugin, or load it with --plugin FILE, to audit the run"
        did = "graded" if judge.kind == "graders" else "profiled"
        raise UsageError(f"The run was {did} by {judge.name} {judge.version}. {error}. {how}") from None
    return registered


def _take_added(
    found: Audit, folder: str, registry: Registry, judges: dict[str, Judge], installed: dict[str, Registered]
) -> None:
    """Verdicts that `grade` has added are audited where their grader is installed; no figure comes from them."""
    judge = Judge.of(stage_of(found.run, folder))
    try:
        installed[judge.name] = _installed(registry, judge)
    except UsageError:
        found.notes.append(f"{folder} is not checked: {judge.name} is not installed (--plugin FILE loads it)")
    else:
        judges[folder] = judge


def _note_versions(
    found: Audit, judges: Iterable[Judge], installed: Mapping[str, Registered], reporter: Reporter
) -> None:
    """Say first where the installed grader is not the one that made the verdicts."""
    for name, version in dict.fromkeys((judge.name, judge.version) for judge in judges):
        now = installed[name].plugin.version
        if now != version:
            found.notes.append(
                f"{name} was {version} when it graded; installed is {now}: a verdict that differs may come from that, "
                "so only what figures are computed from is compared"
            )
            reporter.message(f"Note: {found.notes[-1]}.")
            found.changed.add(f"{name}@{version}")
