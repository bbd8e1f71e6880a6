"""Under which conditions each stage of a run was made: software versions, threads, processor. Stable facts, no clock.

They stand in every stage.json and in no fingerprint: a stage made elsewhere counts all the same, but where models were
not made under the same conditions the results say so.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mra_bench.provenance import PACKAGES, processor, versions
from mra_bench.store import write_json

MADE_WITH = "made_with.json"
NOT_RECORDED = "not recorded"


def conditions(threads: int) -> dict[str, Any]:
    """What this process makes stages with; `threads`: those of numeric work."""
    return {
        "versions": versions(PACKAGES),
        "system": f"{platform.system()} {platform.machine()}",
        "processor": processor(),
        "threads": threads,
    }


def made_with(workdir: Path, now: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """All conditions under which a stage has been worked on, `now` among them, which is noted in its work folder until
    the stage is finished."""
    made = made_so_far(workdir)
    if now not in made:
        made.append(now)
        write_json(workdir / MADE_WITH, made)
    return made


def made_so_far(workdir: Path) -> list[Mapping[str, Any]]:
    """All conditions under which a stage has been worked on, oldest first: a resumed one may have several."""
    try:
        made: list[Mapping[str, Any]] = json.loads((workdir / MADE_WITH).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    return made


def differences(stages: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[dict[str, Any]] | None:
    """What was not the same for all stages of a kind, from folder -> its `made_with`: each such fact with its values
    and the folders made under each. Stages of problems are passed over: whoever writes them, they are the same.

    None when no difference is known but no stage of some kind recorded anything, so that nobody can say they are the
    same."""
    kinds: dict[str, dict[str, Sequence[Mapping[str, Any]]]] = {}
    for folder, made in stages.items():
        kinds.setdefault(folder.partition("/")[0], {})[folder] = made
    kinds.pop("problems", None)
    found = []
    for kind, members in kinds.items():
        flat = {folder: [_flat(one) for one in made] or [{}] for folder, made in members.items()}
        for what in sorted({name for made in flat.values() for one in made for name in one}):
            values: dict[str, list[str]] = {}
            for folder, made in flat.items():
                for value in dict.fromkeys(one.get(what, NOT_RECORDED) for one in made):
                    values.setdefault(value, []).append(folder)
            if len(values) > 1:
                listed = [{"value": value, "stages": folders} for value, folders in values.items()]
                found.append({"what": what, "kind": kind, "values": listed})
    recorded = bool(kinds) and all(any(members.values()) for members in kinds.values())
    return found if found or recorded else None


def _flat(made: Mapping[str, Any]) -> dict[str, str]:
    facts = {**made, **made["versions"]}
    return {name: str(value) for name, value in facts.items() if name != "versions"}
