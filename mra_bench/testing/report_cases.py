"""Small runs for sections of the report to be tried on: an empty one, and one whose every text is hostile."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mra_bench.report.data import RunData

TAG = "mra-hostile"  # an element that is in no page unless text was let in as markup
HOSTILE = f"</script><{TAG} onclick=x>\u202e & \\boxed{{4}}"


def report_cases() -> Mapping[str, RunData]:
    """Runs by what they are: of a run that has nothing yet, and of two models on two problems."""
    from mra_bench.report.data import RunData

    return {"a run without figures": RunData({"version": 1}), "a small run": _small()}


def _small() -> RunData:
    from mra_bench.report.data import DatasetSamples, RunData, Sample

    samples = [
        Sample(0, HOSTILE, 7, "stop", right, HOSTILE, HOSTILE, "correct" if right else "wrong")
        for right in (True, False)
    ]
    problems = [{"id": f"{HOSTILE}{n}", "question": HOSTILE, "answer": HOSTILE, "subject": HOSTILE} for n in (0, 1)]
    answers = {
        "base": {problems[0]["id"]: [samples[1]], problems[1]["id"]: [samples[1]]},
        "sft": {problems[0]["id"]: [samples[0]], problems[1]["id"]: [samples[1]]},
    }
    flips = frozenset([problems[0]["id"]])
    results = {
        "version": 1,
        "run": {"name": HOSTILE, "description": HOSTILE, "seed": 0, "fingerprint": "0" * 64},
        "grader": {"name": HOSTILE, "version": "0"},
        "partial": False,
        "missing": [],
        "models": [_model("base", None), _model("sft", "base")],
        "datasets": [_dataset(answers, problems)],
        "training": [],
        "pairs": [],
        "warnings": [{"kind": "no-control", "text": HOSTILE}],
        "verdict": [HOSTILE],
    }
    return RunData(results, samples={"test": DatasetSamples(problems, answers, len(problems), flips)})


def _model(name: str, parent: str | None) -> dict[str, Any]:
    how = "sft" if parent else "base"
    return {"name": name, "from": parent, "how": how, "control_for": None, "parameters": 1000, "facts": {}}


def _dataset(answers: Mapping[str, Mapping[str, Any]], problems: list[dict[str, str]]) -> dict[str, Any]:
    from mra_bench.results import breakdown, paired, score
    from mra_bench.scored import Judged, Scored
    from mra_bench.types import Problem

    asked = [Problem(p["id"], p["question"], p["answer"], subject=p["subject"]) for p in problems]
    scored = [
        Scored(
            model,
            asked,
            {name: [Judged(s.correct, s.answer, s.kind, tokens=s.tokens) for s in cells] for name, cells in of.items()},
        )
        for model, of in answers.items()
    ]
    return {
        "name": "test",
        "data": HOSTILE,
        "split": HOSTILE,
        "headline": True,
        "n": len(asked),
        "answer_format": "",
        "unreadable": [],
        "duplicates": {"repeated": 0, "groups": []},
        "scores": [score(each, "") for each in scored],
        "pairs": paired(scored, 0),
        "by_subject": breakdown(scored, lambda p: p.subject),
        "by_level": [],
        "other_graders": [],
    }
