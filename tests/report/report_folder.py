"""Builds a run folder as the pipeline publishes it, from `arith` problems and texts made by a seeded generator.

Every figure in results.json is computed here from the grades written beside it, with closed formulas, so that tests can
hold the report against the texts.
"""

from __future__ import annotations

import json
import math
import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mra_arith.generator import problems

from mra_bench.types import Problem

Z = 1.959963984540054
HOSTILE = {
    0: "<script>window.pwned = 1</script></script><img src=x onerror='window.pwned = 2'> \\boxed{1}",
    1: "left \u202eright to left\u202c and \u2066isolated\u2069, NUL \u0000, bell \u0007, lone \ud800 and \udfff end",
    2: "<!-- <script> " + "a" * 1_000_000 + " \\boxed{7}",
    3: "\U0001d7d9\U0001f600 emoji first, so the answer is \\boxed{3} here",
}


@dataclass(frozen=True)
class Skill:
    """How a simulated model behaves: shares of right answers, of the asked format, of texts cut, and of no answer."""

    right: float
    in_format: float
    cut: float = 0.02
    silent: float = 0.02


MODELS: dict[str, tuple[str | None, str, Skill]] = {
    "base": (None, "base", Skill(0.22, 0.05, cut=0.2, silent=0.12)),
    "sft": ("base", "sft", Skill(0.66, 0.97)),
    "sft-more": ("sft", "sft", Skill(0.72, 0.98)),
    "dpo": ("sft", "dpo", Skill(0.73, 0.98)),
}


@dataclass(frozen=True)
class Shape:
    """Size of a folder: problems of "test" and of "hard", samples for each, and whether hostile texts are in."""

    test: int = 90
    hard: int = 30
    samples: int = 1
    hostile: bool = True
    models: tuple[str, ...] = tuple(MODELS)


def build(folder: Path, shape: Shape | None = None, **changes: Any) -> Path:
    """Write a run folder of `shape` and return it; `changes` replace keys of results.json."""
    shape = shape or Shape()
    folder.mkdir(parents=True, exist_ok=True)
    stages, datasets = [], []
    for name, size in (("test", shape.test), ("hard", shape.hard)):
        if size:
            rows = problems(name)[:size]
            graded = {model: _write_model(folder, name, model, rows, shape) for model in shape.models}
            _lines(folder / f"problems/{name}-00000001/problems.jsonl", map(vars, rows))
            datasets.append(_dataset(name, rows, graded, shape.samples))
            stages += [_stage(name, model) for model in shape.models]
    results = {**_results(shape, datasets, stages), **changes}
    _json(folder / "results.json", results)
    _json(folder / "run.json", _provenance(shape, [d["name"] for d in datasets]))
    _lines(folder / "timings.jsonl", _timings(datasets))
    (folder / "recipe.yaml").write_text("name: example\nseed: 7\nmodels:\n  base: {loader: tiny}\n", "utf-8")
    return folder


def add_grader(folder: Path, name: str = "strict") -> dict[str, dict[str, int]]:
    """Let a second grader, which takes boxed answers only and judges no text that ran on, judge a built folder's texts.

    Returns for each model of "test" how its verdicts agree with the first grader's."""
    results = read(folder)
    agreements: dict[str, dict[str, int]] = {}
    for stage in results["stages"]:
        rows = [json.loads(line) for line in (folder / stage["grades"] / "block-00000.jsonl").read_text().splitlines()]
        others = [_strict(row) for row in rows]
        stage["other_grades"] = [stage["grades"].replace("sympy", name)]
        _lines(folder / stage["other_grades"][0] / "block-00000.jsonl", others)
        pairs = [(row["correct"], other["correct"]) for row, other in zip(rows, others, strict=True)]
        agreement = {
            "both": pairs.count((True, True)),
            "headline_only": pairs.count((True, False)),
            "other_only": pairs.count((False, True)),
            "neither": pairs.count((False, False)),
            "not_judged": sum(None in pair for pair in pairs),
        }
        dataset = next(d for d in results["datasets"] if d["name"] == stage["dataset"])
        right = sum(other["correct"] is True for other in others)
        low, high = wilson(right, len(others))
        score = {"model": stage["model"], "correct": right, "accuracy": right / len(others), "low": low, "high": high}
        found = dataset.setdefault("other_graders", [{"name": name, "version": "1", "options": {}, "scores": []}])
        found[0]["scores"].append({**score, "agreement": agreement})
        if stage["dataset"] == "test":
            agreements[stage["model"]] = agreement
    _json(folder / "results.json", results)
    return agreements


def _strict(row: Mapping[str, Any]) -> dict[str, Any]:
    boxed = row["rule"] == "boxed"
    correct = None if row["kind"] == "ran-on" else bool(row["correct"]) and boxed
    reason = "Only a boxed answer counts <b>here</b>."
    answer = row["answer"] if boxed else ""
    return {**row, "correct": correct, "answer": answer, "reason": reason, "kind": "strict", "span": None}


def read(folder: Path, name: str = "results.json") -> dict[str, Any]:
    """results.json of a folder, or another of its files."""
    loaded: dict[str, Any] = json.loads((folder / name).read_text("utf-8"))
    return loaded


def _stage(dataset: str, model: str) -> dict[str, str]:
    return {
        "dataset": dataset,
        "model": model,
        "problems": f"problems/{dataset}-00000001",
        "completions": f"completions/{model}-{dataset}-00000001",
        "grades": f"grades/sympy-{model}-{dataset}-00000001",
    }


def _write_model(folder: Path, dataset: str, model: str, rows: Sequence[Problem], shape: Shape) -> list[dict[str, Any]]:
    stage = _stage(dataset, model)
    graded = []
    for place, problem in enumerate(rows):
        for sample in range(shape.samples):
            row = _answer(model, problem, sample, dataset)
            if shape.hostile and dataset == "test" and model == shape.models[0] and place in HOSTILE and not sample:
                row = _hostile(problem, HOSTILE[place])
            graded.append({"problem": problem.id, "sample": sample, **row})
    completion = ("problem", "sample", "text", "prompt_tokens", "tokens", "finish")
    grade = ("problem", "sample", "correct", "answer", "reason", "kind", "span", "rule")
    for block, start in enumerate(range(0, len(graded), 256)):
        part = graded[start : start + 256]
        path = folder / stage["completions"] / f"block-{block:05d}.jsonl"
        _lines(path, ({key: row[key] for key in completion} for row in part))
    _lines(folder / stage["grades"] / "block-00000.jsonl", ({key: row[key] for key in grade} for row in graded))
    return graded


def _answer(model: str, problem: Problem, sample: int, dataset: str) -> dict[str, Any]:
    skill = MODELS[model][2]
    if dataset == "hard":
        skill = replace(skill, right=skill.right * 0.25, cut=skill.cut * 3)
    rng = random.Random(f"{model}/{problem.id}/{sample}")
    shared = random.Random(f"{problem.id}/{sample}")  # models find the same problems hard
    luck = 0.7 * shared.random() + 0.3 * rng.random()
    right = luck < skill.right
    working = (problem.solution or "").split(" The answer")[0]
    value = problem.answer if right else str(int(problem.answer) + rng.choice([-10, -2, -1, 1, 2, 7, 10]))
    if rng.random() < skill.silent:
        text = f"{working.split('.')[0]}. Then we go on counting and"
        return _row(text, "", None, "no-answer", "No answer was found in the text.", "length", rng)
    if rng.random() < skill.in_format:
        text, rule = f"{working} The answer is \\boxed{{{value}}}.", "boxed"
    else:
        text, rule = f"{working} So it is {value}", "last-number"
    start = text.rindex(value)
    if rng.random() < skill.cut and not right:
        text += "\nQuestion: A shop has 12 boxes with"
        return _row(
            text,
            value,
            (start, start + len(value)),
            "ran-on",
            "The text runs on into another question.",
            "length",
            rng,
            rule,
        )
    kind = "correct" if right else "wrong"
    reason = (
        f"{value} equals the reference {problem.answer}."
        if right
        else f"{value} differs from the reference {problem.answer}."
    )
    return _row(text, value, (start, start + len(value)), kind, reason, "stop", rng, rule)


def _row(
    text: str,
    answer: str,
    span: tuple[int, int] | None,
    kind: str,
    reason: str,
    finish: str,
    rng: random.Random,
    rule: str = "",
) -> dict[str, Any]:
    return {
        "text": text,
        "prompt_tokens": 60 + rng.randrange(20),
        "tokens": 120 if finish == "length" else max(4, len(text) // 3),
        "finish": finish,
        "correct": kind == "correct",
        "answer": answer,
        "reason": reason,
        "kind": kind,
        "span": list(span) if span else None,
        "rule": rule,
    }


def _hostile(problem: Problem, text: str) -> dict[str, Any]:
    """A text that attacks the page; the one without an answer could not be judged."""
    found = text.rfind("\\boxed{")
    span = (found + 7, found + 8) if found >= 0 else None
    answer = text[span[0] : span[1]] if span else ""
    rng = random.Random(problem.id)
    kind = "crashed" if span is None else "correct" if answer == problem.answer else "wrong"
    row = _row(text, answer, span, kind, f"Compared {answer or text[:40]}.", "stop", rng, "boxed" if span else "")
    return row if span else {**row, "correct": None}


def _dataset(name: str, rows: Sequence[Problem], graded: Mapping[str, list[dict[str, Any]]], k: int) -> dict[str, Any]:
    models = list(graded)
    pairs = [_pair(a, b, graded) for place, b in enumerate(models) for a in models[:place]]
    for rank, pair in enumerate(sorted(pairs, key=lambda pair: pair["p"])):
        pair["p_holm"] = min(1.0, pair["p"] * (len(pairs) - rank))
        word = "no difference detected" if pair["p_holm"] >= 0.05 else "better" if pair["difference"] > 0 else "worse"
        pair["conclusion"] = f"{pair['b']} against {pair['a']}: {word}"
    return {
        "name": name,
        "data": "arith",
        "split": name,
        "n": len(rows),
        "headline": name == "test",
        "answer_format": "boxed",
        "unreadable": [],
        "scores": [_score(model, graded[model], k) for model in models],
        "pairs": pairs,
        "by_subject": _by(rows, graded, "subject"),
        "by_level": _by(rows, graded, "level"),
    }


def _score(model: str, rows: list[dict[str, Any]], k: int) -> dict[str, Any]:
    right, texts = sum(row["correct"] is True for row in rows), len(rows)
    low, high = wilson(right, texts)
    kinds = Counter(row["kind"] for row in rows)
    cut = Counter(row["kind"] for row in rows if row["finish"] == "length")
    boxed = [row for row in rows if row["rule"] == "boxed"]
    return {
        "model": model,
        "n": texts // k,
        "samples": k,
        "correct": right / k,
        "accuracy": right / texts,
        "low": low,
        "high": high,
        "worst": right / texts,
        "best": (right + sum(row["correct"] is None for row in rows)) / texts,
        "in_format": len(boxed),
        "right_in_format": sum(row["correct"] is True for row in boxed),
        "truncated": sum(cut.values()),
        "tokens_mean": sum(row["tokens"] for row in rows) / texts,
        "kinds": dict(sorted(kinds.items())),
        "truncated_kinds": dict(sorted(cut.items())),
        "pass_at_k": {str(j): _pass_at(rows, k, j) for j in (1, 2, 4) if j <= k} if k > 1 else {},
        "maj_at_k": {"1": right / texts} if k > 1 else {},
    }


def _pass_at(rows: list[dict[str, Any]], k: int, j: int) -> float:
    right = Counter(row["problem"] for row in rows if row["correct"])
    names = dict.fromkeys(row["problem"] for row in rows)
    return sum(1 - math.comb(k - right[name], j) / math.comb(k, j) for name in names) / len(names)


def _shares(rows: Iterable[dict[str, Any]]) -> dict[str, float]:
    judged: dict[str, list[bool]] = {}
    for row in rows:
        if row["correct"] is not None:
            judged.setdefault(row["problem"], []).append(row["correct"])
    return {name: sum(values) / len(values) for name, values in judged.items()}


def _pair(a: str, b: str, graded: Mapping[str, list[dict[str, Any]]]) -> dict[str, Any]:
    of_a, of_b = _shares(graded[a]), _shares(graded[b])
    both = [(of_a[name], of_b[name]) for name in of_a if name in of_b]
    differences = [y - x for x, y in both]
    n, mean = len(both), sum(differences) / len(both)
    error = math.sqrt(sum((d - mean) ** 2 for d in differences) / n**2)
    wins, losses = sum(d > 0 for d in differences), sum(d < 0 for d in differences)
    tail = sum(math.comb(wins + losses, i) for i in range(min(wins, losses) + 1))
    return {
        "a": a,
        "b": b,
        "n": n,
        "difference": mean,
        "low": mean - Z * error,
        "high": mean + Z * error,
        "p": min(1.0, 2 * tail / 2 ** (wins + losses)),
        "wins": wins,
        "losses": losses,
        "both_right": sum(x == y == 1 for x, y in both),
        "both_wrong": sum(x == y == 0 for x, y in both),
        "test": "exact McNemar",
        "interval": "Wald interval of paired differences",
        "detectable": 2.8 * error,
    }


def _by(rows: Sequence[Problem], graded: Mapping[str, list[dict[str, Any]]], key: str) -> list[dict[str, Any]]:
    groups: dict[str, set[str]] = {}
    for row in rows:
        groups.setdefault(getattr(row, key), set()).add(row.id)
    found = []
    for value in sorted(groups):
        scores = []
        for model, answers in graded.items():
            inside = [row for row in answers if row["problem"] in groups[value]]
            right = sum(row["correct"] is True for row in inside)
            low, high = wilson(right, len(inside))
            scores.append({"model": model, "correct": right, "accuracy": right / len(inside), "low": low, "high": high})
        found.append({"value": value, "n": len(groups[value]), "scores": scores})
    return found


def wilson(right: int, n: int) -> tuple[float, float]:
    """Wilson's score interval in closed form."""
    p, zz = right / n, Z * Z
    middle = (p + zz / (2 * n)) / (1 + zz / n)
    half = Z * math.sqrt(p * (1 - p) / n + zz / (4 * n * n)) / (1 + zz / n)
    return middle - half, middle + half


def _results(shape: Shape, datasets: list[dict[str, Any]], stages: list[dict[str, str]]) -> dict[str, Any]:
    last = next((pair for pair in datasets[0]["pairs"] if (pair["a"], pair["b"]) == ("sft", "dpo")), None)
    first = datasets[0]["pairs"][0] if datasets[0]["pairs"] else None
    return {
        "version": 1,
        "run": {
            "name": "quickstart",
            "seed": 7,
            "fingerprint": "4f0c9a12",
            "description": "A base model, SFT on worked solutions, then DPO on the SFT model's own graded answers.",
        },
        "grader": {"name": "sympy", "version": "0.1.0+src.1f2e3d4c5b6a"},
        "partial": False,
        "missing": [],
        "warnings": [
            {"kind": "truncation", "text": "base: more than 5 % of texts were cut at the length limit."},
            {"kind": "compute", "text": "dpo was trained on fewer tokens than sft-more."},
        ],
        "verdict": [_sentence(pair) for pair in (first, last) if pair],
        "models": [
            {"name": name, "from": MODELS[name][0], "how": MODELS[name][1], "parameters": 2_100_000, "facts": {}}
            for name in shape.models
        ],
        "datasets": datasets,
        "training": _training(),
        "pairs": [
            {
                "model": "dpo",
                "problems": 400,
                "samples": 3200,
                "pairs": 784,
                "from_reference": 0,
                "no_pair": {"all right": 121, "all wrong": 87},
            }
        ],
        "contamination": {"policy": "refuse", "checked": 20000, "overlaps": []},
        "stages": stages,
    }


def _sentence(pair: Mapping[str, Any]) -> str:
    verb = "no difference detected between" if pair["p_holm"] >= 0.05 else "a clear difference between"
    p_text = "< 0.001" if pair["p_holm"] < 0.001 else f"= {pair['p_holm']:.3f}"
    return (
        f"{verb.capitalize()} {pair['b']} and {pair['a']}: {100 * pair['difference']:+.1f} points "
        f"(95 % interval {100 * pair['low']:.1f} to {100 * pair['high']:.1f}, "
        f"p {p_text}, n = {pair['n']})."
    )


def _training() -> list[dict[str, Any]]:
    rng = random.Random("training")
    sft = [
        {
            "step": step,
            "loss": 2.1 * math.exp(-step / 90) + 0.35 + rng.gauss(0, 0.02),
            "mean_token_accuracy": 0.9 - 0.4 * math.exp(-step / 70),
            "learning_rate": 5e-4,
        }
        for step in range(10, 410, 10)
    ]
    dpo = [
        {
            "step": step,
            "loss": 0.693 - 0.0021 * step + rng.gauss(0, 0.01),
            "rewards/margins": 0.004 * step + rng.gauss(0, 0.01),
            "rewards/accuracies": min(1.0, 0.5 + 0.003 * step + rng.gauss(0, 0.02)),
            "logps/chosen": -12.0 - 0.01 * step,
            "logps/rejected": -13.0 - 0.05 * step,
            "learning_rate": 1e-5,
        }
        for step in range(5, 105, 5)
    ]
    facts = {"steps": 400, "tokens": 1_482_112}
    return [
        {"model": "sft", "trainer": "sft", "facts": facts, "log": sft},
        {"model": "dpo", "trainer": "dpo", "facts": {"steps": 100, "tokens": 402_133}, "log": dpo},
    ]


def _provenance(shape: Shape, datasets: list[str]) -> dict[str, Any]:
    prompt = {"hash": "9b1d2c", "text": "Question: 2 + 2?\nAnswer with \\boxed{}.\n"}
    return {
        "command": ["mra-bench", "run", "--models", ",".join(shape.models)],
        "versions": {"mra-bench": "0.1.0", "python": "3.11.2", "torch": "2.13.0", "trl": "1.16.0"},
        "device": "cpu",
        "dtype": "float32",
        "threads": 2,
        "git": {"commit": "0123456789abcdef0123456789abcdef01234567", "dirty": False},
        "models": {name: {"weights": f"sha256:{name:f<64.64}", "dtype": "float32"} for name in shape.models},
        "prompts": {name: dict.fromkeys(datasets, prompt) for name in shape.models},
        "datasets": {name: {"hash": f"sha256:{name}"} for name in datasets},
    }


def _timings(datasets: list[dict[str, Any]]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = [{"stage": "train sft", "seconds": 88.25, "tokens": 1_482_112}]
    for dataset in datasets:
        for score in dataset["scores"]:
            tokens = round(score["tokens_mean"] * score["n"] * score["samples"])
            rows.append({"stage": f"generate {score['model']} on {dataset['name']}", "seconds": 21.5, "tokens": tokens})
    return rows


def _json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=1), "utf-8")


def _lines(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
