"""Predicts from a question how long a model's text will be and whether it will be right: ridge regression on words and
numbers of the question, fitted on stored texts.

What the published two-stage recipe calls a token scheduler does this with a small encoder (mean length alone); here
it is a linear model, whose error is measured by leaving questions out and is told beside that of guessing the mean.
"""

from __future__ import annotations

import json
import math
import re
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mra_bench.errors import UsageError
from mra_bench.store import read_rows
from mra_bench.stored_rows import problems_of
from mra_bench.types import Problem
from mra_bench.verifier_data import Texts

WORDS = 256  # buckets that words are hashed into
FOLDS = 5
FEWEST = 20  # problems to fit on
STRENGTHS = tuple(10.0**power for power in range(-1, 5))
VERSION = 1
BUDGET = 0.95
_WORD = re.compile(r"[^\W\d_]+")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")


@dataclass(frozen=True)
class Observed:
    """A problem, the mean number of tokens of its texts, the share of them that is right, and the tokens of each (none
    where there is one text)."""

    problem: Problem
    tokens: float
    success: float
    lengths: tuple[int, ...] = ()


@dataclass(frozen=True)
class Predictor:
    """Two linear models over `features`: of the logarithm of the tokens, and of the share of right texts. `spread`: the
    standard deviation of the logarithms of the tokens of single texts about it."""

    tokens: Sequence[float]
    success: Sequence[float]
    spread: float

    def predict(self, problem: Problem) -> tuple[float, float]:
        """Expected tokens (the median) and chance of success, within 0 and 1."""
        values = features(problem)
        log_tokens = sum(weight * value for weight, value in zip(self.tokens, values, strict=True))
        chance = sum(weight * value for weight, value in zip(self.success, values, strict=True))
        return math.exp(min(log_tokens, 20.0)), min(1.0, max(0.0, chance))

    def budget(self, problem: Problem, share: float = 0.95) -> int:
        """So many tokens that about `share` of such texts end within them, if the logarithms are normal about what is
        predicted. Never more than 10^9."""
        from statistics import NormalDist

        tokens, _ = self.predict(problem)
        return math.ceil(min(1e9, max(1.0, tokens * math.exp(NormalDist().inv_cdf(share) * self.spread))))

    def save(self, path: Path) -> None:
        """Write it as JSON."""
        path.write_text(json.dumps({"version": VERSION, **vars(self)}) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Predictor:
        """Read what `save` wrote. Raises UsageError for anything else."""
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            if data.pop("version") != VERSION or {len(data["tokens"]), len(data["success"])} != {width()}:
                raise ValueError
            return cls(**data)
        except OSError as error:
            raise UsageError(f"Cannot read the predictor {path}: {error.strerror}") from None
        except (ValueError, KeyError, TypeError):
            raise UsageError(f"{path} is no predictor that `mra-bench predict` of this version wrote") from None


def features(problem: Problem) -> list[float]:
    """A constant, sizes of the question (logarithms of its characters, words and numbers, and of its largest number)
    and the counts of its words, hashed."""
    text = problem.question
    words = [word.casefold() for word in _WORD.findall(text)]
    numbers = [number.replace(",", "") for number in _NUMBER.findall(text)]
    largest = max((len(number.partition(".")[0]) for number in numbers), default=0)
    counts = [0.0] * WORDS
    for word in words:
        counts[zlib.crc32(word.encode()) % WORDS] += 1.0
    sizes = [math.log1p(len(text)), math.log1p(len(words)), math.log1p(len(numbers)), float(largest)]
    signs = [math.log1p(sum(text.count(sign) for sign in group)) for group in ("+-*/^=", "?.!", "\\{}")]
    return [1.0, *sizes, *signs, *counts]


def width() -> int:
    """How many features there are."""
    return len(features(Problem("", "", "")))


def observe(chosen: Iterable[Texts]) -> list[Observed]:
    """What stored texts and grades say of each problem, in order; what could not be judged counts as not right."""
    tokens: dict[str, list[int]] = {}
    right: dict[str, list[bool]] = {}
    problems: dict[str, Problem] = {}
    for texts in chosen:
        problems |= {p.id: p for p in problems_of(texts.problems)}
        for text, verdict in zip(read_rows(texts.completions), read_rows(texts.grades), strict=True):
            tokens.setdefault(text["problem"], []).append(text["tokens"])
            right.setdefault(text["problem"], []).append(verdict["correct"] is True)
    return [
        Observed(problem, sum(tokens[i]) / len(tokens[i]), sum(right[i]) / len(right[i]), tuple(tokens[i]))
        for i, problem in problems.items()
        if i in tokens
    ]


def fit(observed: Sequence[Observed]) -> tuple[Predictor, dict[str, Any]]:
    """The predictor, and its errors: measured on questions left out in turn, beside those of guessing the mean.

    "within_budget" is the share of texts that end within `Predictor.budget` at `BUDGET`. Raises UsageError for fewer
    than `FEWEST` problems.
    """
    from statistics import NormalDist

    import numpy as np

    if len(observed) < FEWEST:
        raise UsageError(f"{len(observed)} problems are too few to fit a predictor on; it takes {FEWEST}")
    x = np.array([features(one.problem) for one in observed])
    log_tokens = np.log(np.array([max(1.0, one.tokens) for one in observed]))
    success = np.array([one.success for one in observed])
    guessed_tokens, guessed_success = _left_out(x, log_tokens), np.clip(_left_out(x, success), 0, 1)
    lengths = [np.log(np.array([max(1.0, length) for length in one.lengths or (one.tokens,)])) for one in observed]
    about = [length - guess for length, guess in zip(lengths, guessed_tokens, strict=True)]
    spread = float(np.sqrt(np.mean(np.concatenate(about) ** 2)))
    predictor = Predictor(_ridge(x, log_tokens).tolist(), _ridge(x, success).tolist(), spread)
    tokens = np.exp(log_tokens)
    return predictor, {
        "problems": len(observed),
        "tokens": {
            "mean": float(tokens.mean()),
            "error": float(np.abs(np.exp(guessed_tokens) - tokens).mean()),
            "error_of_median": float(np.abs(np.median(tokens) - tokens).mean()),
            "explained": _explained(log_tokens, guessed_tokens),
            "budget": BUDGET,
            "within_budget": float((np.concatenate(about) <= NormalDist().inv_cdf(BUDGET) * spread).mean()),
        },
        "success": {
            "mean": float(success.mean()),
            "error": float(((guessed_success - success) ** 2).mean()),
            "error_of_mean": float(success.var()),
            "explained": _explained(success, guessed_success),
            "auc": _auc(success > 0.5, guessed_success),
        },
    }


def _left_out(x: Any, y: Any) -> Any:
    """For each row what a model says that was fitted without its fold."""
    import numpy as np

    guessed = np.empty_like(y)
    fold = np.arange(len(y)) % FOLDS
    for number in range(FOLDS):
        inside = fold != number
        guessed[~inside] = x[~inside] @ _ridge(x[inside], y[inside])
    return guessed


def _ridge(x: Any, y: Any) -> Any:
    """Weights of a ridge regression; the constant is not shrunk, the strength is the one with the least error when each
    row is left out in turn (in closed form)."""
    import numpy as np

    mean = x.mean(axis=0)
    mean[0] = 0.0
    scale = x.std(axis=0)
    scale[scale == 0] = 1.0
    z = ((x - mean) / scale)[:, 1:]
    offset = y.mean()
    u, s, vt = np.linalg.svd(z, full_matrices=False)
    projected = u.T @ (y - offset)
    best = min(STRENGTHS, key=lambda strength: _loo_error(u, s, projected, y - offset, strength))
    weights = vt.T @ (s / (s**2 + best) * projected) / scale[1:]
    return np.concatenate([[offset - mean[1:] @ weights], weights])


def _loo_error(u: Any, s: Any, projected: Any, y: Any, strength: float) -> float:
    shrunk = s**2 / (s**2 + strength)
    hat = (u**2 * shrunk).sum(axis=1) + 1 / len(y)
    residual = (y - u @ (shrunk * projected)) / (1 - hat).clip(min=1e-6)
    return float((residual**2).mean())


def _explained(y: Any, guessed: Any) -> float | None:
    """Share of the variance that the guess explains; below 0 it is worse than the mean."""
    variance = float(y.var())
    return 1 - float(((y - guessed) ** 2).mean()) / variance if variance > 0 else None


def _auc(positive: Any, guessed: Any) -> float | None:
    """Chance that a problem solved mostly is ranked above one that is not; None where all are alike."""
    from scipy.stats import rankdata

    count = int(positive.sum())
    others = len(positive) - count
    if not count or not others:
        return None
    return float((rankdata(guessed)[positive].sum() - count * (count + 1) / 2) / (count * others))


def in_range(problems: Iterable[Problem], predictor: Predictor, low: float, high: float) -> list[Problem]:
    """The problems whose chance of success is predicted to lie within [low, high]."""
    return [problem for problem in problems if low <= predictor.predict(problem)[1] <= high]


def summary(errors: Mapping[str, Any]) -> str:
    """The errors in words."""
    tokens, success = errors["tokens"], errors["success"]
    return (
        f"{errors['problems']:,} problems. Errors on questions left out:\n"
        f"  tokens: off by {tokens['error']:.1f} on average (guessing the median: {tokens['error_of_median']:.1f}); "
        f"explains {_share(tokens['explained'])} of the variance of their logarithm\n"
        f"  budget: for {_share(tokens['budget'])} of texts to end within it; {_share(tokens['within_budget'])} do\n"
        f"  success: squared error {success['error']:.3f} (guessing the mean: {success['error_of_mean']:.3f}); "
        f"explains {_share(success['explained'])}; area under the curve "
        f"{'-' if success['auc'] is None else format(success['auc'], '.2f')}"
    )


def _share(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.0f} %"
