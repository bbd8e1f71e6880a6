"""The executor ``ray``: the connection with a cluster, and stages as blocks for its actors."""

from __future__ import annotations

import dataclasses
import logging
import os
import socket
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import ray

from mra_bench.conditions import made_with
from mra_bench.context import Context, planned_ref
from mra_bench.errors import UsageError
from mra_bench.executors import Local, Part, judging_of
from mra_bench.judging import Item, Said
from mra_bench.plugins import PluginSettings, Registered
from mra_bench.runtime import usable_cores
from mra_bench.store import WORK, stage_record
from mra_bench.types import Block, ModelRef
from mra_bench.work import GenerateWork, Kind, PlannedModel, Stage

from .crew import Crew, Task
from .parcels import Plugins, Trained
from .size import Size
from .worker import Expected, Setup, ToGenerate, ToJudge

AUTO = "auto"
PATIENCE = 5.0  # seconds in which a cluster's port has to answer


class RayExecutor:
    """Blocks go to actors on the nodes; files are written here. A model that is not reproducible is asked here, too."""

    elsewhere: frozenset[Kind] = frozenset(("generate", "grade", "profile"))

    def __init__(self, address: str | None, size: Size) -> None:
        connect(address)
        self.size = size
        self.here = Local()
        self.crew: Crew | None = None
        try:
            self.count = size.count(ray.nodes())
        except BaseException:
            ray.shutdown()
            raise

    def check_ready(
        self, models: Sequence[PlannedModel], judges: Sequence[Registered], plugins: PluginSettings
    ) -> None:
        """Start the actors. Each finds the same plugins and the same weights, or says so before it does anything."""
        used = [model.loader for model in models] + list(judges)
        expected = tuple(Expected(m.name, ModelRef(m.loader.full_name, m.options), m.identity) for m in models)
        versions = {thing.plugin.name: thing.plugin.version for thing in used}
        setup = Setup(str(Path.cwd()), Plugins.packed(plugins), versions, expected)
        self.crew = Crew(self.size, self.count, setup)
        self.crew.check()

    def generate(
        self, context: Context, stage: Stage, spent: Mapping[str, Any], blocks: Iterable[tuple[int, Block]]
    ) -> Generator[Part, None, None]:
        """As many blocks at once as there are actors."""
        work: GenerateWork = stage.work
        if not context.model(work.model).reproducible:  # behind an endpoint, say: its keys, costs and limits are here
            made_with(context.folder(stage) / WORK, context.conditions)
            yield from self.here.generate(context, stage, spent, blocks)
            return
        job = ToGenerate(work.model.name, planned_ref(context.root, work.model), spent, _trained(context, work.model))
        tasks = (Task(number, block) for number, block in blocks)
        for task, part in self._run(context, stage, job, "generate", tasks):
            yield Part(task.number, ended=True) if part is None else part

    def judge(
        self, context: Context, stage: Stage, blocks: Sequence[Iterable[Item]], tell: Callable[[int], None]
    ) -> Generator[tuple[int, Iterator[Said]], None, None]:
        """As many blocks at once as there are actors, each in the worker processes of its actor."""
        spec, limits = judging_of(stage.work, context.plugins)
        job = ToJudge(spec, dataclasses.replace(limits, workers=self.size.cpus), context.strict)
        tasks = (Task(number, tuple(items)) for number, items in enumerate(blocks))
        said: dict[int, list[Said]] = {}
        attempt: dict[int, int] = {}
        done = 0
        for task, judged in self._run(context, stage, job, "judge", tasks):
            if attempt.setdefault(task.number, task.lost) != task.lost:  # begun again
                attempt[task.number] = task.lost
                said[task.number] = []
            if judged is None:
                done += len(said[task.number])
                yield task.number, iter(said.pop(task.number))
            else:
                said.setdefault(task.number, []).extend(judged.said)
            tell(done + sum(map(len, said.values())))

    def release(self) -> None:
        """Free the models in memory, on all nodes."""
        if self.crew is not None:
            self.crew.release()

    def close(self) -> None:
        """End the actors and the connection; a cluster of our own ends with it."""
        if self.crew is not None:
            self.crew.close()
        ray.shutdown()

    def _run(
        self, context: Context, stage: Stage, job: ToGenerate | ToJudge, method: str, tasks: Iterable[Task]
    ) -> Iterator[tuple[Task, Any]]:
        assert self.crew is not None
        workdir = context.folder(stage) / WORK
        shipped: list[Any] = []

        def ship() -> list[Any]:
            assert isinstance(job, ToGenerate)
            assert job.trained is not None
            if not shipped:
                shipped.extend(ray.put((job.trained.folder / name).read_bytes()) for name in job.trained.files)
            return shipped

        return self.crew.run(job, method, tasks, ship, lambda found: made_with(workdir, found))


def _trained(context: Context, model: PlannedModel) -> Trained | None:
    if model.stage is None:
        return None
    folder = context.folder(model.stage)
    record = stage_record(folder)
    assert record is not None
    return Trained(folder.resolve(), record)


def connect(address: str | None) -> None:
    """Join the cluster at `address`, or start one on this machine. Raises UsageError where that is not possible."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    logging.getLogger("ray").setLevel(logging.ERROR)
    quiet = {"log_to_driver": False, "logging_level": logging.ERROR, "configure_logging": False}
    address = address or os.environ.get("RAY_ADDRESS") or None
    if address is None:
        ray.init(address="local", num_cpus=usable_cores(), include_dashboard=False, **quiet)
        return
    if address.startswith("ray://"):
        raise UsageError(
            f"--ray-address {address} is an address of Ray Client, through which no texts can be streamed. Run the "
            "command on a node of the cluster (`ray job submit` does) with --ray-address auto"
        )
    if (found := _known_here() if address == AUTO else address) is not None:
        _check_answers(found)
    try:
        ray.init(address=address, **quiet)
    except (ConnectionError, RuntimeError, ValueError, OSError) as error:
        raise UsageError(
            f"No Ray cluster can be joined at {address}: {' '.join(str(error).split())[:400]}. {HOW}"
        ) from None


PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes((0, 0, 0, 4, 0, 0, 0, 0, 0))
"""How HTTP/2, which a cluster's port speaks, is begun: the preface and an empty SETTINGS frame. Who speaks it answers
with SETTINGS of its own; ray.init asks anybody else again and again, for minutes."""
FRAME, SETTINGS = 9, b"\x04"  # bytes of a frame's head, and its type, which is the fourth of them
HOW = "Start one with `ray start --head`, and on each further node `ray start --address HOST:6379`"


def _known_here() -> str | None:
    """The address that "auto" stands for, None where ray.init has to find out: that of a head that has died is kept."""
    try:
        from ray._private.services import canonicalize_bootstrap_address  # no part of what Ray promises

        found: str | None = canonicalize_bootstrap_address(AUTO)
    except (ImportError, ConnectionError):
        return None
    return found


def _check_answers(address: str) -> None:
    host, colon, port = address.rpartition(":")
    if not colon or not port.isdecimal():
        raise UsageError(
            f"--ray-address {address} is no address: give HOST:PORT, or auto for the cluster of this machine"
        )
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=PATIENCE) as line:
            line.sendall(PREFACE)
            answer = line.recv(FRAME, socket.MSG_WAITALL)
    except (OSError, OverflowError) as error:  # OverflowError: of a port above 65535
        why = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"No Ray cluster answers at {address} ({why}). {HOW}") from None
    if answer[3:4] != SETTINGS:
        raise UsageError(
            f"What answers at {address} is no Ray cluster. Its port is the one that `ray start --head` says, 6379 "
            f"unless another is asked for. {HOW}"
        )
