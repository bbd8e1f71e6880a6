"""What is changed, one thing at a time, and a model that is run with it."""

from __future__ import annotations

import contextlib
import dataclasses
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from unittest import mock

from mra_transformers.batching import ALONE, Limits
from mra_transformers.generate import Engine
from mra_transformers.loading import load_causal_lm, load_tokenizer
from mra_transformers.model import TransformersModel, end_ids
from mra_transformers.network import Network
from mra_transformers.options import Options
from mra_transformers.packed import pack

from mra_bench.types import Block, Completion, Decoding, Problem, PromptStyle, Request

TOKENS = 1 << 20  # more than any pool here needs, so that its rows alone bound it


@dataclass(frozen=True)
class Setting:
    """How texts are generated. `against`: the setting whose texts these are held against. `rows`: at most so many
    texts at once. `apart`: prompts are read one by one. `prefix`: what all prompts begin with is read once. `shuffled`:
    the problems are put into blocks in another order."""

    name: str
    against: str = "alone"
    rows: int = 1
    dtype: str = "fp32"
    threads: int = 1
    packed: bool = True
    apart: bool = False
    prefix: bool = True
    shuffled: bool = False

    @property
    def limits(self) -> Limits:
        """Bounds of what the engine computes together."""
        return ALONE if self.rows == 1 else Limits(TOKENS, self.rows, 1 if self.apart else 2_048)


def settings(block: int) -> list[Setting]:
    """The settings for blocks of so many texts, those that others are held against first."""
    found = [
        Setting("alone", packed=False),
        Setting("alone, 2 threads", threads=2, packed=False),
        Setting("alone, weights packed"),
        Setting("alone, bf16", dtype="bf16", packed=False),
    ]
    for rows in sorted({min(rows, block) for rows in (8, 64, 256)}):
        name = f"{rows} together"
        found += [Setting(name, rows=rows), Setting(f"{name}, other order", name, rows, shuffled=True)]
    name = f"{rows} together"
    half = f"{name}, bf16"
    return [
        *found,
        Setting(f"{name}, prompts read one by one", name, rows, apart=True),
        Setting(f"{name}, no prefix shared", name, rows, prefix=False),
        Setting(f"{name}, 2 threads", name, rows, threads=2),
        Setting(half, "alone, bf16", rows, dtype="bf16"),
        Setting(f"{half}, other order", half, rows, dtype="bf16", shuffled=True),
    ]


class Varied(TransformersModel):
    """A model whose engine does what a setting says."""

    def __init__(self, options: Options, packed: bool) -> None:
        super().__init__(dataclasses.replace(options))
        self.packed = packed

    def _loaded(self) -> Engine:
        if self._engine is None:
            tokenizer = load_tokenizer(self.options.path)
            model = load_causal_lm(self.options.path, dtype=self.options.dtype, device="cpu", tokenizer=tokenizer)
            if self.packed and not pack(model):
                raise SystemExit("This torch has no kernels for packed weights")
            ends = end_ids((model.generation_config, model.config), tokenizer, self.format.family)
            self._engine = Engine(Network(model, tokenizer, ends), ALONE)
        return self._engine


@dataclass(frozen=True)
class Task:
    """What is asked: problems in blocks of so many, and how long a text may be."""

    problems: tuple[Problem, ...]
    style: PromptStyle
    decoding: Decoding
    block: int


def generate(model: Varied, setting: Setting, task: Task) -> dict[str, Completion]:
    """The texts of all problems, by id."""
    import torch

    torch.set_num_threads(setting.threads)
    model._loaded().limits = setting.limits
    asked = list(task.problems)
    if setting.shuffled:
        random.Random("determinism").shuffle(asked)
    with _prefix(setting.prefix):
        return {c.problem_id: c for part in _parts(asked, task.block) for c in model.generate(_block(task, part))}


def _block(task: Task, problems: Sequence[Problem]) -> Block:
    return Block(tuple(Request(problem) for problem in problems), task.style, task.decoding, 0)


def _parts(problems: Sequence[Problem], size: int) -> Iterator[Sequence[Problem]]:
    for start in range(0, len(problems), size):
        yield problems[start : start + size]


def _prefix(shared: bool) -> contextlib.AbstractContextManager[object]:
    if shared:
        return contextlib.nullcontext()
    return mock.patch("mra_transformers.pool.shared_prefix", return_value=())
