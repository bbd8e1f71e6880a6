"""Bounds of what is generated together, from memory and the size of the model."""

from __future__ import annotations

import pytest
from mra_transformers.budget import LEAST, MOST, UNKNOWN, cache_bytes, token_budget

SMALL = {
    "num_hidden_layers": 24, "hidden_size": 896, "num_attention_heads": 14, "num_key_value_heads": 2,
    "vocab_size": 151_936,
}  # fmt: skip
GPT2 = {"n_layer": 12, "n_embd": 768, "n_head": 12, "vocab_size": 50_257}
GIB = 1 << 30


def test_bytes_of_a_token() -> None:
    assert cache_bytes(SMALL, "bf16") == 2 * 24 * 2 * 64 * 2
    assert cache_bytes(GPT2, "fp32") == 2 * 12 * 768 * 4
    assert cache_bytes({"text_config": SMALL, "hidden_size": 1}, "fp32") == 2 * cache_bytes(SMALL, "bf16")
    assert cache_bytes({**SMALL, "head_dim": 128}, "bf16") == 2 * cache_bytes(SMALL, "bf16")
    assert cache_bytes({"hidden_size": 64}, "fp32") == 0


@pytest.mark.parametrize("kind", ["cpu", "gpu"])
def test_the_budget_grows_with_memory_in_powers_of_two_and_has_bounds(kind: str) -> None:
    budgets = [token_budget(SMALL, 494_000_000, "bf16", kind, size * GIB) for size in (1, 4, 8, 16, 24, 80, 1000)]
    assert budgets == sorted(budgets)
    assert all(budget.bit_count() == 1 for budget in budgets)
    assert (budgets[0], budgets[-1]) == (LEAST, MOST[kind])
    for budget, size in zip(budgets, (1, 4, 8, 16, 24, 80, 1000), strict=True):
        assert budget == LEAST or budget * cache_bytes(SMALL, "bf16") < size * GIB
    assert token_budget(SMALL, 494_000_000, "fp32", kind, 16 * GIB) <= token_budget(
        SMALL, 494_000_000, "bf16", kind, 16 * GIB
    )


def test_a_model_of_unknown_size_gets_a_fixed_budget() -> None:
    assert token_budget({}, 10, "fp32", "cpu", 64 * GIB) == UNKNOWN
    assert token_budget(SMALL, None, "fp32", "cpu", 64 * GIB) == UNKNOWN
