"""Which problems the sample browser shows where not all fit: those on which models differ first, then a seeded draw."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterable, Mapping, Sequence


def choose(ids: Sequence[str], flips: Collection[str], keep: float, seed: str) -> frozenset[str]:
    """The share `keep` of the problems `ids`: those of `flips` first, then a draw from the rest."""
    room = int(keep * len(ids))
    differing = [name for name in ids if name in flips]
    others = [name for name in ids if name not in flips]
    rng = random.Random(seed)
    kept = set(differing if len(differing) <= room else rng.sample(differing, room))
    kept.update(rng.sample(others, min(len(others), max(0, room - len(kept)))))
    return frozenset(kept)


def find_flips(ids: Iterable[str], verdicts: Iterable[Mapping[str, Sequence[bool | None]]]) -> frozenset[str]:
    """The problems on which two models that could be judged differ in their share of right answers. `verdicts`: of each
    model, for each problem, those on its samples."""
    models = list(verdicts)
    return frozenset(name for name in ids if len({right_share(model.get(name, ())) for model in models} - {None}) > 1)


def right_share(verdicts: Sequence[bool | None]) -> float | None:
    """Share of right answers among those judged; None when none was."""
    judged = [verdict for verdict in verdicts if verdict is not None]
    return sum(judged) / len(judged) if judged else None
