"""What runs on a node: an actor that holds one model and the worker processes of one grader. Imports no ray."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mra_bench.conditions import conditions
from mra_bench.context import open_ref
from mra_bench.contracts import CheckedModel
from mra_bench.errors import BenchError, UsageError
from mra_bench.executors import Part, complete
from mra_bench.judging import GraderSpec, Item, Said
from mra_bench.option_values import option_names
from mra_bench.plugins import Registry, load_plugins
from mra_bench.runtime import prepare_threads
from mra_bench.types import Block, Completion, ModelRef
from mra_bench.workers import Limits, WorkerPool

from .parcels import Plugins, Trained, unpacked

EVERY = 0.5
"""Seconds between two reports of an actor while it works on a block."""
SEVERAL = 64  # texts, or what is said of them, in one report at most


@dataclass(frozen=True)
class Expected:
    """A model as the run was planned with it: what a node must find under the same name and options."""

    name: str
    ref: ModelRef
    identity: Mapping[str, Any]


@dataclass(frozen=True)
class Setup:
    """What every actor is made with. versions: of the plugins, by name; `folder`: the one the run was started in."""

    folder: str
    plugins: Plugins
    versions: Mapping[str, str]
    models: tuple[Expected, ...] = ()


@dataclass(frozen=True)
class ToGenerate:
    """A stage of texts: whose. trained: the stage that made the model's weights, where the run did."""

    name: str
    ref: ModelRef
    spent: Mapping[str, Any] = field(default_factory=dict)
    trained: Trained | None = None


@dataclass(frozen=True)
class ToJudge:
    """A stage of grades or profiles. The workers of `limits` are those of one actor."""

    spec: GraderSpec
    limits: Limits
    strict: bool


@dataclass(frozen=True)
class Judged:
    """What is said of further items of a block."""

    said: tuple[Said, ...]


class Worker:
    """The actor. `begin` once, then for each stage `prepare`, then its blocks, one at a time."""

    def __init__(self, setup: Setup) -> None:
        self.setup, self.node = setup, socket.gethostname()
        self.registry: Registry | None = None
        self.model: CheckedModel | None = None
        self.of: ModelRef | None = None
        self.copy: Path | None = None
        self.pool: WorkerPool[Any] | None = None
        self.job: ToGenerate | ToJudge | None = None

    def begin(self) -> dict[str, Any]:
        """Under which conditions this actor works. Raises UsageError that names the node where it would not do the
        same as the process that planned the run."""
        with contextlib.suppress(OSError):
            os.chdir(self.setup.folder)
        threads = int(prepare_threads()["threads"])
        self.settings = self.setup.plugins.unpacked()
        try:
            self.registry = load_plugins(self.settings)
            self._check_versions()
            for expected in self.setup.models:
                self._check_model(expected)
        except BenchError as error:
            raise UsageError(f"Node {self.node}: {error}") from None
        return conditions(threads)

    def prepare(self, job: ToGenerate | ToJudge, *content: bytes) -> bool:
        """Get ready for the blocks of a stage; False where weights have to be sent along first, as the `content` of
        the trained files in their order."""
        if isinstance(job, ToJudge):
            if job != self.job:
                self._end_pool()
                self.pool = WorkerPool[Any](
                    GraderSpec(job.spec.name, job.spec.options, self.settings, job.spec.kind),
                    limits=job.limits,
                    strict=job.strict,
                )
        elif self.model is None or self.of != job.ref:
            ref, trained = job.ref, job.trained
            copy = None
            if trained is not None and not trained.is_here():
                if not content:
                    return False
                ref, copy = unpacked(trained, ref, dict(zip(trained.files, content, strict=True)))
            self.release()
            assert self.registry is not None
            self.model, self.of, self.copy = open_ref(ref, self.registry), job.ref, copy
        if isinstance(job, ToGenerate):
            self._end_pool()
            assert self.model is not None
            self.model.begin(job.spent)
        self.job = job
        return True

    def generate(self, number: int, block: Block) -> Iterator[Part]:
        """The texts of a block, a few at a time."""
        assert self.model is not None
        assert isinstance(self.job, ToGenerate)
        ready: list[Completion] = []
        told = time.monotonic()
        for completion in complete(self.model, block, self.job.name):
            ready.append(completion)
            if len(ready) >= SEVERAL or time.monotonic() - told >= EVERY:
                yield Part(number, tuple(ready), self.model.halvings, self.model.note)
                ready, told = [], time.monotonic()
        yield Part(number, tuple(ready), self.model.halvings, self.model.note)

    def judge(self, number: int, items: Sequence[Item]) -> Iterator[Judged]:
        """What is said of a block's items, in their order, a few at a time."""
        assert self.pool is not None
        ready: list[Said] = []
        told = time.monotonic()
        for said in self.pool.run(items):
            ready.append(said)
            if len(ready) >= SEVERAL or time.monotonic() - told >= EVERY:
                yield Judged(tuple(ready))
                ready, told = [], time.monotonic()
        yield Judged(tuple(ready))

    def release(self) -> None:
        """Free the model in memory."""
        if self.model is not None:
            self.model.release()
            self.model = self.of = None
        if self.copy is not None:
            shutil.rmtree(self.copy, ignore_errors=True)
            self.copy = None

    def _end_pool(self) -> None:
        if self.pool is not None:
            self.pool.__exit__()
            self.pool = None

    def _check_versions(self) -> None:
        assert self.registry is not None
        here = {plugin.name: plugin.version for plugin in self.registry.plugins}
        for name, version in self.setup.versions.items():
            if here.get(name) != version:
                found = f"is {here[name]}" if here.get(name) else "is not there or is broken"
                raise UsageError(
                    f"the plugin {name} {found}; the run is planned with {version}. Install the same versions of "
                    "mra-bench and its plugins on every node"
                )

    def _check_model(self, expected: Expected) -> None:
        """A path that is not there is the model's own error; here it is said what that has to do with nodes."""
        assert self.registry is not None
        try:
            found = open_ref(expected.ref, self.registry).identity()
        except BenchError as error:
            raise UsageError(
                f"the model '{expected.name}' cannot be loaded there. {str(error).rstrip('.')}. Weights given by "
                "a path must be at that path on every node"
            ) from None
        for key in sorted(found.keys() - {"environment"}, key=lambda key: (key != "weights", key)):
            if found[key] != expected.identity.get(key):
                loader = self.registry.resolve("models", expected.ref.loader)
                is_option = loader.options is not None and key in option_names(loader.options)
                raise UsageError(_other(expected, key, found[key], is_option))


def _other(expected: Expected, key: str, found: Any, is_option: bool) -> str:
    name = expected.name
    if key == "weights":
        return f"the model '{name}' has other weights there than where the run is planned"
    setting = f", or set it: --set models.{name}.options.{key}=VALUE" if is_option else ""
    return (
        f"the model '{name}' would make texts with {key} {found} there; the run is planned with "
        f"{expected.identity.get(key)}. Start the run on a machine like the nodes, with the same versions{setting}"
    )
