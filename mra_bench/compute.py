"""What making a model cost: tokens trained on, drawn, read by the reference, and the arithmetic that follows from them.

The arithmetic is counted as 6 P T + 2 P (G + R) floating-point operations for a model of P parameters that was trained
on T tokens, for which G tokens were drawn and R read by a reference model: a forward pass takes about 2 P for a token,
a backward pass twice as much. All P count, also where only an adapter was trained, and the tokens of prompts count
where they are trained on. What others did outside of the run (a teacher's texts, the making of given weights) is not in
it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from mra_bench.store import stage_record

EQUAL = 1.1  # two amounts of compute are called equal where one is at most so many times the other
UNEQUAL = "Not at equal compute"
_PREFIXES = ("", "k", "M", "G", "T", "P", "E", "Z", "Y")


def operations(parameters: int, trained: int, drawn: int, reference: int) -> int:
    """Floating-point operations by the account above. All numbers are counts; parameters of the model, else tokens."""
    return 6 * parameters * trained + 2 * parameters * (drawn + reference)


def making(run: Path, folder: str, parameters: int | None) -> dict[str, Any] | None:
    """What the model whose training stage is `folder` took since its parent, or None while it is not there.

    "operations" is None where the trainer did not say on how many tokens it trained, or nobody knows the parameters.
    "stages": folders of the stages that made it, for which timings.jsonl has the time.
    """
    record = stage_record(run / folder)
    if record is None:
        return None
    facts, stages = record["facts"], [*dict.fromkeys(_built_by(run, record)), folder]
    drawn = [
        done["facts"] for stage in stages if stage.startswith("completions/") and (done := stage_record(run / stage))
    ]
    trained, reference = facts.get("tokens"), facts.get("reference_tokens") or 0
    generated = sum(one["tokens"] for one in drawn) + (facts.get("generated_tokens") or 0)
    return {
        "steps": facts.get("steps"),
        "trained_tokens": trained,
        "samples": sum(one["texts"] for one in drawn) + (facts.get("samples") or 0),
        "generated_tokens": generated,
        "reference_tokens": reference,
        "operations": None
        if trained is None or parameters is None
        else operations(parameters, trained, generated, reference),
        "stages": stages,
    }


def _built_by(run: Path, record: Mapping[str, Any]) -> Iterator[str]:
    """Folders of the stages that a stage's own input was made by, without problems and other models; some repeatedly,
    as grades and profiles are both of the same completions."""
    for folder in record["inputs"]:
        if not folder.startswith(("problems/", "models/")):
            yield from _built_by(run, stage_record(run / folder) or {"inputs": ()})
            yield folder


def since_common(models: Sequence[Mapping[str, Any]], a: str, b: str) -> tuple[int | None, int | None]:
    """Operations that made each of two models of results.json since the nearest model both come from; 0 for that model
    itself. None where part of them is not known."""
    by_name = {model["name"]: model for model in models}
    lines = [list(_line(by_name, name)) for name in (a, b)]
    shared = {model["name"] for model in lines[0]} & {model["name"] for model in lines[1]}
    return (_sum(lines[0], shared), _sum(lines[1], shared))


def related(models: Sequence[Mapping[str, Any]], a: str, b: str) -> bool:
    """Whether two models of results.json come from the same one, or one of them from the other."""
    by_name = {model["name"]: model for model in models}
    of_a, of_b = ({model["name"] for model in _line(by_name, name)} for name in (a, b))
    return not of_a.isdisjoint(of_b)


def _line(by_name: Mapping[str, Mapping[str, Any]], name: str) -> Iterator[Mapping[str, Any]]:
    """A model and those it comes from, up to what the run was given."""
    model = by_name.get(name)
    while model is not None:
        yield model
        model = by_name.get(model["from"] or "")


def _sum(line: Sequence[Mapping[str, Any]], shared: set[str]) -> int | None:
    total = 0
    for model in line:
        if model["name"] not in shared and model["from"]:
            own = (model.get("making") or {}).get("operations")
            if own is None:
                return None
            total += own
    return total


def training_operations(models: Sequence[Mapping[str, Any]], name: str) -> int | None:
    """Operations of all training that the run did for a model and those it comes from; 0 for one that it was given,
    None where part of them is not known."""
    return _sum(list(_line({model["name"]: model for model in models}, name)), set())


def ratio(one: int, other: int) -> float:
    """How many times the smaller of two positive amounts the larger is."""
    return max(one, other) / min(one, other)


def compute_sentence(models: Sequence[Mapping[str, Any]], a: str, b: str) -> str:
    """Whether two models that come from the same one took as much compute; "" where one comes from the other."""
    mine, others = since_common(models, b, a)
    if mine == 0 or others == 0:
        return ""
    if mine is None or others is None:
        return "Whether they took as much compute is not known."
    if (times := ratio(mine, others)) <= EQUAL:
        return f"At equal compute ({amount(mine)} and {amount(others)})."
    more, less = (b, a) if mine > others else (a, b)
    digits = 2 if times < 1.5 else 1  # 1.1 would read as equal
    return f"{UNEQUAL}: {more} took {times:.{digits}f} times that of {less}."


def amount(operations: int) -> str:
    """Floating-point operations with a prefix, e.g. ``1.63 TFLOP``."""
    value, place = float(operations), 0
    while value >= 999.5 and place < len(_PREFIXES) - 1:
        value, place = value / 1000, place + 1
    return f"{value:.3g} {_PREFIXES[place]}FLOP"
