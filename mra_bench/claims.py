"""Published figures beside those of a run. They are compared only where nothing that makes a figure is known to differ,
and nothing of it is unknown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mra_bench.prompts import chat_messages, plain_prompt
from mra_bench.store import stage_record
from mra_bench.types import Problem, PromptStyle

if TYPE_CHECKING:
    from mra_bench.claim_schema import ClaimEntry

Row = Mapping[str, Any]
NOT_PUBLISHED, UNKNOWN = "not published", "not known"
QUESTION = Problem("", "{question}", "")


def claims_data(claims: Iterable[ClaimEntry]) -> list[dict[str, Any]]:
    """The claims as plain data, as they stand in a run's recipe.yaml."""
    return [claim.model_dump(mode="json", exclude_none=True) for claim in claims]


def claim_results(run: Path, manifest: Row, datasets: Sequence[Row]) -> list[dict[str, Any]]:
    """A row for each claim, and where its split was evaluated in several ways, for each of them: the claim itself,
    what was `measured` (None where nothing was), each of the `conditions`, whether it is the `same` (None where that is
    not known), and the `difference`, measured less published, a share; None unless all conditions are the same.
    `datasets`: those of results.json."""
    return [row for claim in manifest["claims"] for row in _rows_of(run, claim, manifest, datasets)]


def _rows_of(run: Path, claim: Row, manifest: Row, datasets: Sequence[Row]) -> Iterator[dict[str, Any]]:
    found = False
    for dataset in datasets:
        score = next((s for s in dataset["scores"] if s["n"] and s["model"] == claim.get("model")), None)
        about = (dataset["data"], dataset["split"]) == (claim.get("data"), claim.get("split"))
        if about and score is not None:
            found = True
            yield _beside(claim, dataset["name"], score, list(_conditions(run, claim, manifest, dataset, score)))
    if not found:
        yield {"claim": dict(claim), "measured": None, "conditions": [], "difference": None}


def _beside(claim: Row, dataset: str, score: Row, conditions: list[dict[str, Any]]) -> dict[str, Any]:
    value = claim.get("value")
    alike = value is not None and not claim["doubt"] and all(one["same"] for one in conditions)
    return {
        "claim": dict(claim),
        "measured": {
            "dataset": dataset,
            **{key: score[key] for key in ("n", "accuracy", "low", "high", "tokens_mean")},
        },
        "conditions": conditions,
        "difference": score["accuracy"] - value / 100 if alike and value is not None else None,
    }


def _conditions(run: Path, claim: Row, manifest: Row, dataset: Row, score: Row) -> Iterator[dict[str, Any]]:
    """Whatever makes a figure, there and here."""
    evaluation = next(
        e for e in manifest["evaluations"] if (e["model"], e["dataset"]) == (score["model"], dataset["name"])
    )
    spec = (stage_record(run / evaluation["completions"]) or {})["spec"]
    yield _model(claim, next(m for m in manifest["models"] if m["name"] == score["model"]))
    yield _problems(claim, score["n"], next(d for d in manifest["datasets"] if d["name"] == dataset["name"]), manifest)
    yield from _prompt(claim.get("prompt", {}), spec)
    yield from _decoding(claim.get("decoding", {}), {"samples": spec["samples"], **spec["decoding"]})
    yield _grader(claim.get("grader"), manifest["graders"][0])


def _condition(what: str, there: Any, here: Any) -> dict[str, Any]:
    same = None if there is None or here is None else there == here
    return {"what": what, "same": same, "published": _word(there), "here": _word(here)}


def _word(value: Any) -> str:
    if value is None:
        return UNKNOWN
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, str) else f"{value:,}" if isinstance(value, int) else f"{value:g}"


def _model(claim: Row, model: Row) -> dict[str, Any]:
    """Weights that are trained here are not those that a figure was published of, however alike the training."""
    there, trained = claim.get("weights"), model["from"] is not None
    here = "trained in this run" if trained else model.get("hub") or f"{model['how']}, not named by the hub"
    same = False if trained else None if there is None or "hub" not in model else there == model["hub"]
    return {"what": "model", "same": same, "published": there or NOT_PUBLISHED, "here": here}


def _problems(claim: Row, n: int, dataset: Row, manifest: Row) -> dict[str, Any]:
    """As many problems are the same ones where both are the first of the split."""
    condition = _condition("problems", claim.get("n"), n)
    if condition["same"] and (dataset.get("drawn") or "looks" in manifest):
        condition |= {"same": None, "here": f"{condition['here']}, not the first ones"}
    return condition


def _prompt(claim: Row, spec: Row) -> Iterator[dict[str, Any]]:
    kind, style = (spec["conditions"].get("prompt") or {}).get("kind"), spec["style"]
    chat = kind == "chat" if kind in ("chat", "plain") else None
    bare = PromptStyle(style["instruction"], style["answer_format"], plain=style.get("plain", ""))
    words = chat_messages(QUESTION, bare)[-1]["content"] if chat else plain_prompt(QUESTION, bare)
    shots = _condition("worked examples", claim.get("shots"), len(style.get("examples", ())))
    if shots["same"] and claim["shots"]:
        shots |= {"same": None, "published": f"{shots['published']}, which ones is not known"}
    yield _condition("chat template", claim.get("chat"), chat)
    yield _condition("words of the prompt", claim.get("text"), None if chat is None else words)
    yield shots


def _decoding(claim: Row, here: Row) -> Iterator[dict[str, Any]]:
    greedy = here["temperature"] == 0 and claim.get("temperature", 0) == 0
    names = {"samples": "samples", "temperature": "temperature", "top_p": "top-p", "max_new_tokens": "new tokens"}
    for key, name in {**names, "stop_after_answer": "stop behind the answer"}.items():
        moot = key in ("samples", "top_p") and ("temperature" in claim or key not in claim)
        if not (greedy and moot):  # greedy texts know nothing of them
            yield _condition(name, claim.get(key), here[key])


def _grader(there: str | None, grader: Row) -> dict[str, Any]:
    names = (grader["name"], grader["name"].partition(":")[2])
    here = f"{names[1]}@{grader['version']}"
    if there in names:
        return {"what": "grader", "same": None, "published": f"{there}, its version {UNKNOWN}", "here": here}
    same = None if there is None else there in [f"{name}@{grader['version']}" for name in names]
    return {"what": "grader", "same": same, "published": there or UNKNOWN, "here": here}


def comparable(row: Row) -> str:
    """Whether the figures of a row can be compared, and what keeps them from it, in a sentence or two."""
    claim, measured = row["claim"], row["measured"]
    if claim.get("value") is None:
        return f"No figure: {claim['reason']}."
    if claim["doubt"]:
        return f"No, {claim['doubt']}."
    if measured is None:
        return "Not measured in this run."
    differing, unknown = ([_both(c) for c in row["conditions"] if c["same"] is kept] for kept in (False, None))
    if not differing and not unknown:
        return "Yes: nothing that is known to make a figure differs."
    parts = ["No."]
    if differing:
        parts.append(f"Differs: {'; '.join(differing)}.")
    if unknown:
        parts.append(f"Not known to be the same: {'; '.join(unknown)}.")
    return " ".join(parts)


def _both(condition: Row) -> str:
    """A condition with what it was there and here, where both are known."""
    there, here = condition["published"], condition["here"]
    return condition["what"] if UNKNOWN in (there, here) else f"{condition['what']} ({there}; here {here})"
