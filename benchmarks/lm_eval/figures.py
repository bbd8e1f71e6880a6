"""From outcomes to figures, and tables of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import median

from jobs import Outcome, System

Table = list[list[str]]
Runs = Mapping[System, Sequence[Outcome]]  # one outcome for each repetition; a failure ends the list
Counter = Callable[[Sequence[str]], int]  # tokens of texts

SHOWN = 40


@dataclass(frozen=True)
class Figure:
    """One system. seconds: of each repetition. tokens: of the texts as stored, median of the repetitions. peak: bytes,
    the most of any repetition. error: "" or why there are no figures."""

    name: str
    seconds: tuple[float, ...]
    texts: int
    tokens: float
    peak: int
    error: str = ""

    @property
    def texts_per_second(self) -> float:
        """Texts / median seconds."""
        return self.texts / median(self.seconds)

    @property
    def tokens_per_second(self) -> float:
        """Tokens of the stored texts / median seconds."""
        return self.tokens / median(self.seconds)


def figures(runs: Runs, count: Counter) -> list[Figure]:
    """A figure for each system."""
    found = []
    for system, outcomes in runs.items():
        if error := next((outcome.error for outcome in outcomes if outcome.error), ""):
            found.append(Figure(system.name, (), 0, 0, 0, error))
            continue
        tokens = median(count(outcome.texts) for outcome in outcomes)
        seconds = tuple(outcome.seconds for outcome in outcomes)
        peak = max(outcome.peak for outcome in outcomes)
        found.append(Figure(system.name, seconds, len(outcomes[0].texts), tokens, peak))
    return found


def speeds(found: Sequence[Figure]) -> Table:
    """A row for each system that has figures."""
    rows = [["system", "seconds", "fastest", "slowest", "texts/s", "tokens/s", "tokens/text", "peak GiB"]]
    for f in found:
        if not f.error:
            times = (median(f.seconds), min(f.seconds), max(f.seconds))
            rates = (f.texts_per_second, f.tokens_per_second)
            cells = [f"{value:.4g}" for value in (*times, *rates, f.tokens / f.texts, f.peak / 2**30)]
            rows.append([f.name, *cells])
    return rows


def failures(found: Sequence[Figure]) -> Table:
    """Why a system has no figures."""
    return [["system", "no result because"], *([f.name, f.error] for f in found if f.error)]


def ratios(found: Sequence[Figure]) -> Table:
    """Ours against each peer, then against lm-eval's best batch size. The range is that of the single repetitions."""
    rows = [["ours / peer", "texts/s", "lowest", "highest", "tokens/s"]]
    good = {f.name: f for f in found if not f.error}
    ours = good.pop("ours", None)
    if ours is None:
        return rows
    labelled = list(good.items())
    lm_eval = [f for f in good.values() if f.name.startswith("lm-eval")]
    if len(lm_eval) > 1:
        best = max(lm_eval, key=lambda f: f.texts_per_second)
        labelled.append((f"best of lm-eval ({best.name})", best))
    for label, peer in labelled:
        each = [b / a for a, b in zip(ours.seconds, peer.seconds, strict=True)]
        quotients = (ours.texts_per_second / peer.texts_per_second, min(each), max(each))
        cells = [*quotients, ours.tokens_per_second / peer.tokens_per_second]
        rows.append([label, *(f"{value:.2f}" for value in cells)])
    return rows


def agreement(runs: Runs) -> Table:
    """For each two systems, the share of texts that are exactly the same; and of one with itself in another
    repetition."""
    texts = {system.name: outcomes[0].texts for system, outcomes in runs.items() if not outcomes[0].error}
    rows = [["systems", "same texts", "of", "share"]]
    pairs = [(f"{a} = {b}", texts[a], texts[b]) for a, b in combinations(texts, 2)]
    for system, outcomes in runs.items():
        good = [outcome.texts for outcome in outcomes if not outcome.error]
        pairs += [(f"{system.name} = itself, repetition {k}", good[0], other) for k, other in enumerate(good[1:], 2)]
    for label, left, right in pairs:
        same = sum(a == b for a, b in zip(left, right, strict=True))
        rows.append([label, str(same), str(len(left)), f"{100 * same / len(left):.1f} %"])
    return rows


def differences(runs: Runs, most: int) -> Table:
    """Where texts of a peer leave ours: for each peer the first `most` questions with a difference, the character at
    which it begins, and what stands there."""
    rows = [["peer", "text", "differs at", "of characters", "ours goes on", "the peer goes on"]]
    texts = {system.name: outcomes[0].texts for system, outcomes in runs.items() if not outcomes[0].error}
    for peer in texts:
        if "ours" not in texts or peer == "ours":
            continue
        for number, a, b in list(_unequal(texts["ours"], texts[peer]))[:most]:
            at = parting(a, b)
            ends = [repr(text[at : at + SHOWN]) for text in (a, b)]
            rows.append([peer, str(number), str(at), str(len(a)), *ends])
    return rows


def parting(left: str, right: str) -> int:
    """Characters that two texts have in common at their beginnings."""
    shorter = min(len(left), len(right))
    return next((place for place in range(shorter) if left[place] != right[place]), shorter)


def _unequal(left: Sequence[str], right: Sequence[str]) -> Iterator[tuple[int, str, str]]:
    for number, (a, b) in enumerate(zip(left, right, strict=True)):
        if a != b:
            yield number, a, b


def tables(runs: Runs, found: Sequence[Figure], greedy: bool, most: int) -> dict[str, Table]:
    """Title -> table; those that have no row are left out."""
    result = {"Speed": speeds(found), "Without result": failures(found), "Ratios": ratios(found)}
    if greedy:
        result.update({"Same texts": agreement(runs), "First differences": differences(runs, most)})
    return {title: table for title, table in result.items() if len(table) > 1}
