"""Plugin: the embedded dataset `arith`, generated, never downloaded."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from mra_bench.hookspecs import Register, hookimpl

if TYPE_CHECKING:
    from mra_bench.types import Problem


def load(split: str, options: object) -> Iterable[Problem]:
    """Problems of `arith`: splits "train" (20,000), "test" (1,000), "hard" (500). Raises KeyError for another."""
    from .generator import problems

    return problems(split)


@hookimpl
def register_datasets(register: Register) -> None:
    register("arith", load)
