"""Checks the run folders that third parties hand in: their texts are graded again, and figures, hashes, names and
problems must follow. A mark says what came of it; it is no proof that a model wrote the texts."""

from __future__ import annotations

import dataclasses
import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from mra_bench import __version__
from mra_bench.audit import audit
from mra_bench.audit_checks import REPORT, Finding
from mra_bench.audit_judged import Audit
from mra_bench.errors import DISK_FULL, Interrupted, UsageError
from mra_bench.folder import RUN
from mra_bench.leaderboard.marks import Checked, FolderMarks, Marks, Verdict, content_hash, place_of
from mra_bench.leaderboard.packing import unpacked
from mra_bench.leaderboard.reading import derive, parse
from mra_bench.leaderboard.rows import ROWS, Published, Row
from mra_bench.leaderboard.safety import ARCHIVE, other_files, unsafe
from mra_bench.leaderboard.same_problems import compare_problems
from mra_bench.plugins import PluginSettings, Registry
from mra_bench.progress import Reporter
from mra_bench.results import RESULTS
from mra_bench.store import stage_record
from mra_bench.stored import Judge, stage_of
from mra_bench.verdict import counted

DERIVED = (RESULTS, ROWS, REPORT)  # what other verdicts, or another mra-bench, would make different
SECONDS, MEMORY_MB = 300, 32_768  # what a stranger's run may ask of a grader for one text
NOT_THERE = "null"  # how `audit` says that a figure is missing


@dataclasses.dataclass(frozen=True)
class Tools:
    """With what folders are checked."""

    registry: Registry
    plugins: PluginSettings
    reporter: Reporter


def verify(runs: Sequence[Path], out: Path, marks: Marks, tools: Tools) -> tuple[Marks, list[FolderMarks]]:
    """Check the folders `runs` and return all marks beside the leaderboard in `out`, old ones of other folders that are
    still there included, and those of these folders in order."""
    found = {content_hash(run): _checked(run, place_of(run, out), tools) for run in runs}
    places = {one.folder for one in found.values()}
    before = {
        sha256: one
        for sha256, one in marks.folders.items()
        if sha256 in found or (one.folder not in places and (out / one.folder).is_dir())
    }
    found = dict(_against_copies(found, before))
    return Marks(marks.version, {**before, **found}), list(found.values())


def _checked(run: Path, folder: str, tools: Tools) -> FolderMarks:
    """One folder by itself. Whatever a damaged one makes fail is a reason to refuse it."""
    tools.reporter.message(f"Checking {run}")
    try:
        if reason := unsafe(run) or other_files(run):
            return _refused(folder, reason)
        with tempfile.TemporaryDirectory(prefix="mra-bench-verify-") as temporary:
            return _graded(unpacked(run, Path(temporary)) if (run / ARCHIVE).exists() else run, folder, tools)
    except Interrupted:
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno in DISK_FULL:
            raise  # that is ours
        said = str(error) if isinstance(error, UsageError) else f"damaged ({type(error).__name__}: {error!s:.200})"
        return _refused(folder, said)


def _refused(folder: str, reason: str) -> FolderMarks:
    return FolderMarks(folder, __version__, reason, (), False, "")


def _graded(run: Path, folder: str, tools: Tools) -> FolderMarks:
    if reason := unsafe(run):  # of what was packed, too
        return _refused(folder, reason)
    record = json.loads((run / RUN).read_text(encoding="utf-8"))
    if record.get("finished") is None:
        return _refused(folder, "the run is not finished, so it has no headline and no row")
    rows = _rows(run, record)
    if not rows.rows:
        return _refused(folder, next((out.reason for out in rows.left_out), "it has no row"))
    if reason := _out_of_bounds(run, record["plan"]):
        return _refused(folder, reason)
    if reason := _not_installed(run, record["plan"], tools.registry):
        unasked = tuple(_mark(row, "unverifiable", reason) for row in rows.rows)
        return FolderMarks(folder, __version__, "", unasked, False, "")
    found = audit(run, tools.registry, tools.plugins, tools.reporter, weights=False)
    refused, unsure = _sorted(found, record)
    if refused:
        telling = next((one for one in refused if one.at), refused[0])
        more = f" (and {counted(len(refused) - 1, 'finding')} more)" if len(refused) > 1 else ""
        return _refused(folder, f"{telling}{more}")
    marks = tuple(_row_mark(run, row, record, unsure, tools.registry) for row in rows.rows)
    return FolderMarks(folder, __version__, "", marks, _same_report(found), _said(found))


def _rows(run: Path, record: dict[str, Any]) -> Published:
    stored = run / ROWS
    return parse(stored.read_bytes()) if stored.is_file() else derive(run, record)


def _judges(run: Path, plan: Mapping[str, Any]) -> Iterator[Judge]:
    folders = (f for f in plan["folders"] if f.startswith(("grades/", "profiles/")))
    return (Judge.of(stage_of(run, folder)) for folder in folders if stage_record(run / folder) is not None)


def _out_of_bounds(run: Path, plan: Mapping[str, Any]) -> str:
    for judge in _judges(run, plan):
        if judge.limits["seconds"] > SECONDS or judge.limits["memory_mb"] > MEMORY_MB:
            asked = f"{judge.limits['seconds']:g} s and {judge.limits['memory_mb']:g} MB"
            return f"it allows {judge.name} {asked} for a text; {SECONDS} s and {MEMORY_MB} MB are the most here"
    return ""


def _not_installed(run: Path, plan: Mapping[str, Any], registry: Registry) -> str:
    for judge in _judges(run, plan):
        try:
            registry.resolve(judge.kind, judge.name).parse_options(judge.options)
        except UsageError as error:
            return f"{judge.name} {judge.version} cannot be asked again here: {error}"
    return ""


def _sorted(found: Audit, record: Mapping[str, Any]) -> tuple[list[Finding], str]:
    """Findings that refuse a run, and otherwise why it is unverifiable. Where a verdict may differ for another reason
    than a change (another version of the grader, a timeout), so may all that is computed from it. A report that
    differs refuses nothing: it is not linked."""
    findings = [one for one in found.findings if one.file != REPORT and not _added_since(one)]
    maybe = [one for one in findings if one.maybe]
    made_by = (record.get("versions") or {}).get("mra-bench")
    lenient = bool(maybe) or made_by != __version__
    hard = [one for one in findings if not one.maybe and not (lenient and one.file in DERIVED and not one.damage)]
    if hard or not findings:
        return hard, ""
    if maybe:
        return [], f"{counted(len(maybe), 'finding')} that may come from {maybe[0].maybe}, such as {maybe[0]}"
    return [], f"it was made by mra-bench {made_by}; {__version__} computes other figures, such as {findings[0]}"


def _added_since(finding: Finding) -> bool:
    """A figure that results.json does not have, as an older mra-bench did not compute it."""
    return finding.file == RESULTS and finding.stored == NOT_THERE


def _row_mark(run: Path, row: Row, record: Mapping[str, Any], unsure: str, registry: Registry) -> Checked:
    evaluation = next(
        one for one in record["plan"]["evaluations"] if (one["model"], one["dataset"]) == (row.model, row.dataset)
    )
    compared = compare_problems(run, row, evaluation["problems"], registry)
    if compared.outcome == "other":
        return _mark(row, "refused", compared.said)
    if unsure:
        return _mark(row, "unverifiable", unsure)
    if compared.outcome == "unknown":
        return _mark(row, "unverifiable", compared.said)
    if row.lineage[0].weights is None:
        return _mark(row, "unverifiable", "nothing tells which weights wrote its texts")
    texts = counted(row.problems * row.decoding.samples, "text")
    now = registry.resolve("graders", row.grader.name).plugin.version
    by = "" if now == row.grader.version else f" by {row.grader.name} {now}, with the same outcome"
    return _mark(row, "verified", f"{texts} graded again{by}, on {compared.said}")


def _mark(row: Row, mark: Verdict, reason: str) -> Checked:
    return Checked(row.model, row.dataset, mark, reason, row.sha256, row.texts)


def _same_report(found: Audit) -> bool:
    """Whether the report is the page that follows; where it was not compared nobody knows."""
    return not any(one.file == REPORT for one in found.findings) and not any(REPORT in note for note in found.notes)


def _said(found: Audit) -> str:
    checked = ", ".join(f"{count:,} {what}" for what, count in sorted(found.checked.items()))
    return "; ".join([f"checked: {checked}", *found.notes])


def _against_copies(
    found: Mapping[str, FolderMarks], before: Mapping[str, FolderMarks]
) -> Iterator[tuple[str, FolderMarks]]:
    """Refuse the same texts under two names. A row that stood before stands; where nobody can tell which was first,
    both are refused, until one of the folders is gone."""
    rivals = [row for one in (*before.values(), *found.values()) for row in one.rows]
    stood = {
        (sha256, row.model, row.dataset) for sha256, one in before.items() for row in one.rows if row.mark != "refused"
    }
    for sha256, one in found.items():
        rows = []
        for row in one.rows:
            others = _under_other_names(row, rivals)
            if others and row.mark != "refused" and (sha256, row.model, row.dataset) not in stood:
                said = f"the same texts stand under another name: {', '.join(others)}"
                row = dataclasses.replace(row, mark="refused", reason=said)
            rows.append(row)
        yield sha256, dataclasses.replace(one, rows=tuple(rows))


def _under_other_names(row: Checked, rivals: Iterable[Checked]) -> list[str]:
    same = (other for other in rivals if (other.problems, other.texts) == (row.problems, row.texts))
    return sorted({other.model for other in same if other.model != row.model})
