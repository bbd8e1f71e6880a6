"""What making a model took: counted from the stages of a run, compared since the nearest common ancestor."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mra_bench.compute import amount, compute_sentence, making, operations, since_common


def made(name: str, parent: str | None, done: int | None) -> dict[str, Any]:
    return {"name": name, "from": parent, "making": {"operations": done}}


FAMILY = [
    {"name": "base", "from": None}, made("sft", "base", 1000), made("dpo", "sft", 300), made("more", "sft", 290),
    made("again", "dpo", 300), made("stranger", "sft", None),
]  # fmt: skip


def test_the_account_by_hand() -> None:
    assert operations(10, trained=7, drawn=3, reference=2) == 6 * 10 * 7 + 2 * 10 * (3 + 2)


@pytest.mark.parametrize(
    ("a", "b", "both"),
    [
        ("dpo", "more", (300, 290)), ("sft", "dpo", (0, 300)), ("again", "more", (600, 290)),
        ("base", "again", (0, 1600)), ("stranger", "dpo", (None, 300)),
    ],
)  # fmt: skip
def test_only_what_is_not_shared_is_compared(a: str, b: str, both: tuple[int | None, int | None]) -> None:
    assert since_common(FAMILY, a, b) == both
    assert since_common(FAMILY, b, a) == both[::-1]


def test_what_is_said() -> None:
    assert compute_sentence(FAMILY, "more", "dpo") == "At equal compute (300 FLOP and 290 FLOP)."
    assert compute_sentence(FAMILY, "again", "more") == "Not at equal compute: again took 2.1 times that of more."
    assert compute_sentence(FAMILY, "sft", "dpo") == ""  # one comes from the other: the control is what counts
    assert "not known" in compute_sentence(FAMILY, "stranger", "dpo")


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 FLOP"), (999, "999 FLOP"), (1000, "1 kFLOP"), (1_634_000, "1.63 MFLOP"), (999_600_000_000, "1 TFLOP")],
)
def test_amounts(count: int, text: str) -> None:
    assert amount(count) == text


def test_a_run_counts_what_was_drawn_and_read(smoke_run: Path) -> None:
    """The figures of the files themselves: texts of the block files, tokens of the log's last step."""
    results = json.loads((smoke_run / "results.json").read_text())
    by_name = {model["name"]: model for model in results["models"]}
    assert "making" not in by_name["base"]
    dpo = by_name["dpo"]["making"]
    (drawn,) = [smoke_run / stage for stage in dpo["stages"] if stage.startswith("completions/")]
    texts = [json.loads(line) for file in drawn.glob("block-*.jsonl") for line in file.read_text().splitlines()]
    assert dpo["samples"] == len(texts)
    assert dpo["generated_tokens"] == sum(text["tokens"] for text in texts)
    parameters, facts = by_name["dpo"]["parameters"], by_name["dpo"]["facts"]
    assert dpo["operations"] == 6 * parameters * facts["tokens"] + 2 * parameters * (
        dpo["generated_tokens"] + facts["reference_tokens"]
    )
    assert [stage.split("/")[0] for stage in dpo["stages"]] == ["completions", "grades", "pairs", "models"]
    assert by_name["sft"]["making"]["operations"] == 6 * parameters * by_name["sft"]["facts"]["tokens"]
    assert making(smoke_run, "models/none", 1) is None


def test_the_report_shows_it(smoke_run: Path) -> None:
    page = (smoke_run / "report.html").read_text()
    assert "What making each model took since its parent" in page
    results = json.loads((smoke_run / "results.json").read_text())
    for model in results["models"]:
        if "making" in model:
            assert amount(model["making"]["operations"]) in page
