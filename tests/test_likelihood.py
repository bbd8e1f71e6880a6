"""A model whose chosen answers became less likely in training is warned about, and no other."""

from __future__ import annotations

from typing import Any

import pytest
from test_verdict import LINE, kinds, results

from mra_bench.likelihood import likelihood_warnings
from mra_bench.verdict import warnings_of


def change(last: float, error: float = 0.1) -> dict[str, Any]:
    return {"first": -10.0, "last": last, "error": error, "texts": 256}


def trained(chosen: Any, **others: Any) -> dict[str, Any]:
    return {"name": "dpo", "facts": {"chosen_log_prob": chosen, **others}}


@pytest.mark.parametrize(
    ("chosen", "warns"),
    [
        (change(-10.7), True),
        (change(-10.68), False),
        (change(-11.9, error=1.0), False),
        (change(-12.1, error=1.0), True),
        (change(-5.0), False),
        (None, False),
        ("falling", False),
        ({"first": -10.0, "last": -20.0}, False),
        ({**change(-20), "first": None}, False),
        ({**change(-20), "last": "low"}, False),
    ],
)
def test_a_halving_beyond_chance_is_warned_about(chosen: Any, warns: bool) -> None:
    assert bool(likelihood_warnings([trained(chosen)])) == warns


def test_the_warning_has_the_figures_and_says_what_to_do() -> None:
    model = trained(change(-12.0), rejected_log_prob=change(-31.5))
    ((kind, text),) = likelihood_warnings([model])
    assert kind == "chosen-less-likely"
    assert text == (
        "dpo finds the answers it was to prefer less likely than its parent did: their mean log-probability went from "
        "-10.0 to -12.0 (256 texts; the typical one is now 0.14 times as likely). Rejected ones went from -10.0 to "
        "-31.5. Training then favours what is in no pair. A smaller learning rate, fewer steps or a likelihood loss on "
        "chosen answers beside the preference loss keeps them up."
    )
    ((_, alone),) = likelihood_warnings([trained(change(-900.0))])
    assert "less than a hundredth as likely" in alone
    assert "Rejected" not in alone


def test_it_stands_among_the_warnings_of_a_run() -> None:
    fallen = {**LINE[2], "facts": {"chosen_log_prob": change(-12.0)}}
    assert kinds(warnings_of(results([*LINE[:2], fallen], []))) == ["no-control", "chosen-less-likely"]
