"""Packs a run for others to check: its record, figures and rows as they are, its stages in one compressed file; no
weights, no checkpoints, nothing that is not part of the run."""

from __future__ import annotations

import dataclasses
import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mra_bench.errors import BenchError, UsageError
from mra_bench.folder import RECIPE, RUN, manifest_of
from mra_bench.leaderboard.files import markdown_text
from mra_bench.leaderboard.marks import VERSION, FolderMarks, Marks
from mra_bench.leaderboard.packing import pack
from mra_bench.leaderboard.reading import read_folder
from mra_bench.leaderboard.rows import ROWS, Published
from mra_bench.leaderboard.safety import ARCHIVE, README, unsafe
from mra_bench.leaderboard.verify import Tools, verify
from mra_bench.results import RESULTS
from mra_bench.store import STAGE_FILE, stage_record, write_json, write_text

REPORT = "report.html"
TIMINGS = "timings.jsonl"
READ_ME = """# {title}

A run of mra-bench, packed by `mra-bench leaderboard submit`. To check it:

```
mra-bench leaderboard verify .
```

`{archive}` holds the stages (problems, texts, grades) without weights; `tar xf {archive} && rm {archive}` makes this a
run folder that every other command takes.
"""


@dataclasses.dataclass(frozen=True)
class Packed:
    """What was packed. sizes: bytes of each file there; unpacked: those of the stages before; run: those of the whole
    run folder with its weights. marks: what a check of the packed run has found."""

    folder: Path
    sizes: Mapping[str, int]
    unpacked: int
    run: int
    marks: FolderMarks


def submit(run: Path, out: Path | None, tools: Tools, *, report: bool = True) -> Packed:
    """Pack `run` into the new folder `out`, by default ``submissions/<run>-<hash>``, and check what was packed.

    Raises UsageError for what is no finished run folder, is packed already or has no row, and where `out` is there
    already; BenchError naming the reason where the packed run is refused: then nothing is left.
    """
    if (run / RUN).is_file() and (run / ARCHIVE).exists():
        raise UsageError(f"{run} is packed already (its stages are in {ARCHIVE}); it can be handed in as it is")
    plan = manifest_of(run)
    if reason := unsafe(run):
        raise UsageError(f"{run} cannot be submitted: {reason}")
    found = read_folder(run)
    if found.published is None:
        raise UsageError(f"{run} cannot be submitted: {found.problem}")
    if not found.published.rows:
        reason = next((one.reason for one in found.published.left_out), "it has no row")
        raise UsageError(f"{run} cannot be submitted: {reason}")
    target = out or Path("submissions") / f"{run.resolve().name}-{plan['fingerprint'][:8]}"
    if target.exists():
        raise UsageError(f"{target} is there already; remove it, or give --out FOLDER")
    with tempfile.TemporaryDirectory(prefix="mra-bench-submit-") as temporary:
        packed = Path(temporary) / target.name
        packed.mkdir()
        unpacked = _fill(run, packed, found.published, report=report)
        _, (marks,) = verify([packed], Path(temporary), Marks(VERSION, {}), tools)
        reasons = [marks.refused, *(row.reason for row in marks.rows if row.mark == "refused")]
        if any(reasons):
            raise BenchError(f"{run} cannot be submitted: {next(filter(None, reasons))}")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(packed, target)
    sizes = {path.name: path.stat().st_size for path in sorted(target.iterdir())}
    whole = sum(path.stat().st_size for path in run.rglob("*") if path.is_file())
    return Packed(target, sizes, unpacked, whole, marks)


def _fill(run: Path, packed: Path, rows: Published, *, report: bool) -> int:
    """Write the files of a submission and return how many bytes its stages had."""
    for name in (RUN, RECIPE, RESULTS, TIMINGS, *([REPORT] if report else [])):
        if (run / name).is_file():
            shutil.copyfile(run / name, packed / name)
    write_json(packed / ROWS, json.loads(json.dumps(dataclasses.asdict(rows))))
    plan: dict[str, Any] = json.loads((run / RUN).read_text(encoding="utf-8"))["plan"]
    names = [name for folder in plan["folders"] for name in _files(run, folder)]
    pack(run, names, packed / ARCHIVE)
    write_text(packed / README, READ_ME.format(title=markdown_text(plan["name"]), archive=ARCHIVE))
    return sum((run / name).stat().st_size for name in names)


def _files(run: Path, folder: str) -> Iterator[str]:
    """The record of a stage, and its rows."""
    yield f"{folder}/{STAGE_FILE}"
    for name in (stage_record(run / folder) or {}).get("files", {}):
        if name.endswith(".jsonl"):
            yield f"{folder}/{name}"
