"""Where blocks of texts are generated and judged: in this process, or elsewhere.

An executor is told what to do block by block and says what came of it; files are written by who asked. So a run folder
does not depend on it: each executor gives the same texts and verdicts on like hardware and threads.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any, Protocol

from mra_bench.contracts import PluginFault
from mra_bench.errors import BenchError
from mra_bench.judging import Item, Said
from mra_bench.plugins import PluginSettings, Registered
from mra_bench.types import Block, Completion, Halving, Model
from mra_bench.work import GenerateWork, GradeWork, Kind, PlannedModel, Stage
from mra_bench.workers import GraderSpec, Limits, WorkerPool

if TYPE_CHECKING:
    from mra_bench.context import Context

LOCAL = "local"
PLACES: Mapping[str, str] = {"ray": "mra_ray:connected"}
"""Executors other than the local one: a function that takes the executor's settings, as "module:function"."""


@dataclass(frozen=True)
class Part:
    """Texts of block number `number` as they come, with its halvings so far and what the model says of its progress;
    `ended`: the block has no more. A block that had to be begun again gives its texts again."""

    number: int
    completions: tuple[Completion, ...] = ()
    halvings: tuple[Halving, ...] = ()
    note: str = ""
    ended: bool = False


class Executor(Protocol):
    """Generates and judges blocks.

    elsewhere: the kinds of stages that it makes in other processes than this one; under which conditions these work
    it notes itself, by `made_with`.
    """

    elsewhere: frozenset[Kind]

    def check_ready(
        self, models: Sequence[PlannedModel], judges: Sequence[Registered], plugins: PluginSettings
    ) -> None:
        """Whether it can do what a run will ask of it: from loaded `models` and from those trained later, and by the
        graders and profilers `judges`. Called before any work. Raises UsageError."""

    def generate(
        self, context: Context, stage: Stage, spent: Mapping[str, Any], blocks: Iterable[tuple[int, Block]]
    ) -> Generator[Part, None, None]:
        """The texts of numbered blocks, in any order; blocks are taken from the iterable as they can be begun. `spent`:
        for the model's ``begin``."""

    def judge(
        self, context: Context, stage: Stage, blocks: Sequence[Iterable[Item]], tell: Callable[[int], None]
    ) -> Generator[tuple[int, Iterator[Said]], None, None]:
        """For each block, in any order, its place in `blocks` and what is said of each of its items, in their order.
        What is said has to be read as far as the block goes before the next block is asked for. `tell` takes how many
        items are done."""

    def release(self) -> None:
        """Free the models in memory."""

    def close(self) -> None:
        """End every process that it has started."""


class Local:
    """Everything in this process, and in the worker processes that graders have in any case."""

    elsewhere: frozenset[Kind] = frozenset()

    def check_ready(
        self, models: Sequence[PlannedModel], judges: Sequence[Registered], plugins: PluginSettings
    ) -> None:
        """There is nothing to check: models are asked in this process whether they are ready."""

    def generate(
        self, context: Context, stage: Stage, spent: Mapping[str, Any], blocks: Iterable[tuple[int, Block]]
    ) -> Generator[Part, None, None]:
        """One block after the other."""
        work: GenerateWork = stage.work
        model = context.model(work.model)
        model.begin(spent)
        for number, block in blocks:
            for completion in complete(model, block, work.model.name) if block.requests else ():
                yield Part(number, (completion,), model.halvings, model.note)
            yield Part(number, ended=True)

    def judge(
        self, context: Context, stage: Stage, blocks: Sequence[Iterable[Item]], tell: Callable[[int], None]
    ) -> Generator[tuple[int, Iterator[Said]], None, None]:
        """One block after the other; workers are given what follows while a block is not yet whole."""
        spec, limits = judging_of(stage.work, context.plugins)
        with WorkerPool[Any](spec, limits=limits, strict=context.strict, on_done=tell) as pool:
            said = pool.run(chain.from_iterable(blocks))
            for number in range(len(blocks)):
                yield number, said

    def release(self) -> None:
        """The context holds the model."""

    def close(self) -> None:
        """Nothing is left running."""


def make_executor(name: str, settings: Mapping[str, Any]) -> Executor:
    """The executor called `name`; `settings` are those of its kind. Raises UsageError where it cannot work."""
    if name == LOCAL:
        return Local()
    module, _, function = PLACES[name].partition(":")
    executor: Executor = getattr(importlib.import_module(module), function)(**settings)
    return executor


def judging_of(work: GradeWork, plugins: PluginSettings) -> tuple[GraderSpec, Limits]:
    """Which grader or profiler, and what a text may cost it, with as many workers as there are cores."""
    spec = GraderSpec(work.registered.full_name, work.grader.options, plugins, work.registered.kind)
    return spec, Limits(work.limits.seconds, work.limits.memory_mb)


def complete(model: Model, block: Block, name: str) -> Iterator[Completion]:
    """The block's texts. Raises BenchError that says on which block the model called `name` failed."""
    try:
        yield from model.generate(block)
    except PluginFault as error:
        first = block.requests[0].problem.id
        raise BenchError(
            f"The model '{name}' failed on the block that starts at problem {first}. {error}. "
            "Blocks finished so far are kept; the same command goes on from here."
        ) from error
