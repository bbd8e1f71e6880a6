"""The verdict as the top of the report shows it: every sentence where they are few, else what they come to first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mra_bench.report.formatting import verdict_parts
from mra_bench.verdict import ALPHA, conclusion, oriented, p_text, points

FEW = 4  # sentences that stand at the top as they are
LINES = 6  # that stand at the top where sentences are put together
NAMED = 12  # models that such a line names


@dataclass(frozen=True)
class Spoken:
    """A sentence of the verdict about two models, its place among the sentences, and the comparison as it reads it."""

    place: int
    sentence: str
    row: Mapping[str, Any]

    @property
    def sides(self) -> tuple[tuple[str, str], tuple[str, str]]:
        """What it has in common with other sentences: (outcome, model) of either model."""
        if self.row["p_holm"] >= ALPHA:
            return ("level", self.row["a"]), ("level", self.row["b"])
        better, worse = (self.row[name] for name in ("ba" if self.row["difference"] > 0 else "ab"))
        return ("beats", better), ("beaten", worse)


def verdict_view(results: Mapping[str, Any]) -> dict[str, Any]:
    """ "lines": what stands at the top, each as words and figures; "all": every sentence of the verdict, to be opened,
    empty where the lines are those sentences themselves.

    Of more than a few sentences, those about comparisons of one model with one outcome become one line; lines that show
    a difference come first. A sentence about anything else stays as it is, before them or behind them.
    """
    verdict: Sequence[str] = results.get("verdict") or []
    every = [verdict_parts(sentence) for sentence in verdict]
    spoken = list(_spoken(verdict, results)) if len(verdict) > FEW else []
    if not spoken:
        return {"lines": every, "all": []}
    groups = sorted(_groups(spoken), key=lambda group: (group[0][0] == "level", group[1][0].place))
    short = [_line(*group) for group in groups][:LINES]
    others = sorted(set(range(len(verdict))) - {one.place for one in spoken})
    before = [every[place] for place in others if place < spoken[0].place]
    behind = [every[place] for place in others if place > spoken[0].place]
    return {"lines": [*before, *short, *behind], "all": every}


def _spoken(verdict: Sequence[str], results: Mapping[str, Any]) -> Iterator[Spoken]:
    """The sentences that are about a comparison; what one says of compute may follow behind it."""
    known: dict[str, list[tuple[str, Mapping[str, Any]]]] = {}  # by their words, without the figures
    for said, row in _conclusions(results):
        known.setdefault(verdict_parts(said)[0], []).append((said, row))
    for place, sentence in enumerate(verdict):
        for said, row in known.get(verdict_parts(sentence)[0], ()):
            if sentence == said or sentence.startswith(f"{said} "):
                yield Spoken(place, sentence, row)
                break


def _conclusions(results: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """What each comparison of the headline dataset says, read from either side, with the comparison so read."""
    for dataset in results.get("datasets") or ():
        for pair in dataset.get("pairs") or () if dataset.get("headline") else ():
            for names in ((pair["a"], pair["b"]), (pair["b"], pair["a"])) if pair["p_holm"] is not None else ():
                row = oriented(pair, names)
                yield conclusion(row), row


def _groups(spoken: Sequence[Spoken]) -> Iterator[tuple[tuple[str, str], list[Spoken]]]:
    """Each sentence in one group of those with a side in common: always the largest group of what is left."""
    left = list(spoken)
    while left:
        groups: dict[tuple[str, str], list[Spoken]] = {}
        for one in left:
            for side in one.sides:
                groups.setdefault(side, []).append(one)
        side, taken = max(groups.items(), key=lambda group: len(group[1]))  # of equal ones the first
        yield side, taken
        left = [one for one in left if one not in taken]


def _line(side: tuple[str, str], group: Sequence[Spoken]) -> tuple[str, str]:
    """One or several comparisons with the model of `side` that came out alike, as words and figures."""
    if len(group) == 1:
        return verdict_parts(group[0].sentence)
    outcome, model = side
    rows = [one.row if one.row["a"] == model else oriented(one.row, (one.row["b"], one.row["a"])) for one in group]
    others, n = [row["b"] for row in rows], f"n = {rows[0]['n']}"
    names = ", ".join(others[:NAMED]) + (f" and {len(others) - NAMED} more" if len(others) > NAMED else "")
    who, compute = f"{len(group)} models", _compute([one.sentence for one in group])
    if outcome == "level":
        span = _span([row["difference"] for row in rows], sign=True)
        gaps = [row["detectable"] for row in rows if row["detectable"] is not None]
        missed = f"; a gap under about {_span(gaps)} points would often be missed here" if gaps else ""
        return f"{who} against {model}: no difference detected", f"({names}; {span} points, {n}){missed}.{compute}"
    span = _span([abs(row["difference"]) for row in rows])
    each = f"each {p_text(max(row['p_holm'] for row in rows))}".replace("=", "\u2264")
    lead = f"{model} beats {who}" if outcome == "beats" else f"{who} beat {model}"
    return f"{lead} by {span} points", f"({names}; {each}, {n}).{compute}"


def _span(values: Sequence[float], *, sign: bool = False) -> str:
    return " to ".join(dict.fromkeys(points(end, sign=sign) for end in (min(values), max(values))))


def _compute(sentences: Sequence[str]) -> str:
    """What the sentences say of compute, in few words; they themselves give the figures."""
    unequal, equal = (sum(f"{words} compute" in s for s in sentences) for words in ("Not at equal", "At equal"))
    if equal == len(sentences):
        return " All at equal compute."
    return f" {unequal} of these {'is' if unequal == 1 else 'are'} not at equal compute." if unequal else ""
