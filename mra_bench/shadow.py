"""A copy of a run folder in which verdicts can be replaced, so that its figures can be computed again."""

from __future__ import annotations

import shutil
from pathlib import Path

from mra_bench.folder import RECIPE, RUN, manifest_of
from mra_bench.store import STAGE_FILE


def shadow_run(run: Path, folder: Path) -> Path:
    """What results are computed from: the plan, the recipe, and each stage's record and rows; of grades and profiles
    the record only. Weights are left out."""
    for name in (RUN, RECIPE):
        if (run / name).is_file():
            shutil.copy2(run / name, folder / name)
    for name in manifest_of(run)["folders"]:
        if (run / name).is_dir():
            (folder / name).mkdir(parents=True, exist_ok=True)
            for path in (run / name).glob("*.json*"):
                if path.name == STAGE_FILE or not name.startswith(("grades/", "profiles/")):
                    shutil.copy2(path, folder / name / path.name)
    return folder
