"""The actors of a run and which block each works on: who is lost is replaced, and its block is done again.

Ray's own retries are off: they would repeat a block without the halvings that its first attempt has told of.
"""

from __future__ import annotations

import dataclasses
import itertools
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import ray
from ray.exceptions import RayError, RayTaskError

from mra_bench.errors import BenchError

from .parcels import Shipped
from .size import Size
from .worker import Setup, ToGenerate, ToJudge, Worker

LOSSES = 5
"""So often in a row one block, or a new actor before it is ready, may be lost."""
WAIT = 600.0
"""Seconds without any actor that is ready, after which a run gives up: nodes may be on their way."""
GRACE = 60.0  # seconds that actors have to begin before a run starts without those that find no room
LOOK = 1.0


@dataclass(frozen=True)
class Task:
    """A block: what the actor's method is called with. lost: how often it was."""

    number: int
    argument: Any
    lost: int = 0


@dataclass
class Member:
    """An actor. conditions: under which it works, once it has begun."""

    actor: Any
    begun: Any
    conditions: Mapping[str, Any] | None = None


class Crew:
    """So many actors of one size, made when there is something to do."""

    def __init__(self, size: Size, count: int, setup: Setup) -> None:
        self.size, self.setup = size, setup
        self.failed = 0  # actors in a row that were lost before they could do anything
        self.started = self.last_ready = time.monotonic()
        self.members = [self._hired() for _ in range(count)]

    def check(self) -> None:
        """Wait until the actors have begun, or one has and the others find no room. Raises UsageError that names the
        node on which one would not do what it should."""
        begun = {member.begun: member for member in self.members}
        while begun:
            for ref in ray.wait(list(begun), timeout=LOOK)[0]:
                member = begun.pop(ref)
                if not self.has_begun(member):
                    fresh = self.replaced(member)
                    begun[fresh.begun] = fresh
            if self.ready() and time.monotonic() - self.started > GRACE:
                return
            self.give_up_in_time()

    def run(
        self,
        job: ToGenerate | ToJudge,
        method: str,
        tasks: Iterable[Task],
        ship: Callable[[], Shipped],
        begins: Callable[[Mapping[str, Any]], object],
    ) -> Iterator[tuple[Task, Any]]:
        """What the actors' `method` yields for each task, and None behind the last of it. A task whose actor is lost
        is given to another, from its start. `ship`: files that an actor may lack; `begins`: told under which conditions
        an actor works that is given a task."""
        return _Round(self, job, method, tasks, ship, begins).results()

    def release(self) -> None:
        """Free the models in memory."""
        for member in self.members:
            member.actor.release.remote()

    def close(self) -> None:
        """End all actors."""
        for member in self.members:
            ray.kill(member.actor)
        self.members = []

    def ready(self) -> bool:
        """Whether there is an actor that has begun."""
        return any(member.conditions is not None for member in self.members)

    def replaced(self, member: Member) -> Member:
        """Another actor for one that was lost."""
        fresh = self._hired()
        self.members[self.members.index(member)] = fresh
        return fresh

    def _hired(self) -> Member:
        threads = str(self.size.cpus)
        actor = (
            ray.remote(Worker)
            .options(
                num_cpus=self.size.cpus,
                num_gpus=self.size.gpus,
                max_restarts=0,
                max_task_retries=0,
                scheduling_strategy="SPREAD",
                runtime_env={"env_vars": {"OMP_NUM_THREADS": threads, "MKL_NUM_THREADS": threads}},
            )
            .remote(self.setup)
        )
        return Member(actor, actor.begin.remote())

    def has_begun(self, member: Member) -> bool:
        """Whether a member whose `begun` is there can work. False when it was lost."""
        try:
            member.conditions = ray.get(member.begun)
        except RayError as error:
            raise_own(error)
            self.failed += 1
            if self.failed >= LOSSES:
                raise BenchError(
                    f"{self.failed} actors in a row were lost before they could begin: {_said(error)}"
                ) from None
            return False
        self.failed = 0
        return True

    def give_up_in_time(self) -> None:
        if self.ready():
            self.last_ready = time.monotonic()
        elif time.monotonic() - self.last_ready > WAIT:
            raise BenchError(
                f"For {WAIT / 60:g} minutes no node of the Ray cluster has had room for an actor ({self.size}). "
                "Finished work is kept; the same command goes on from here."
            )


class _Round:
    """One stage: each actor is made ready for it and then given block after block."""

    def __init__(
        self,
        crew: Crew,
        job: ToGenerate | ToJudge,
        method: str,
        tasks: Iterable[Task],
        ship: Callable[[], Shipped],
        begins: Callable[[Mapping[str, Any]], object],
    ) -> None:
        self.crew, self.job, self.method, self.ship, self.begins = crew, job, method, ship, begins
        self.tasks = iter(tasks)
        self.again: deque[Task] = deque()
        self.idle: list[Member] = []
        self.coming: dict[Any, tuple[Member, Task | None]] = {}  # what is waited for; no task while getting ready

    def results(self) -> Iterator[tuple[Task, Any]]:
        first = next(self.tasks, None)
        if first is None:
            return
        self.tasks = itertools.chain([first], self.tasks)
        for member in list(self.crew.members):
            self._prepare(member)
        while True:
            self._hand_out()
            if self.idle and not any(task for _, task in self.coming.values()):
                return
            ready, _ = ray.wait(list(self.coming), num_returns=1, timeout=LOOK)
            for one in ready:
                member, task = self.coming.pop(one)
                if task is None:
                    self._got_ready(member, one)
                else:
                    yield from self._came(member, task, one)
            self.crew.give_up_in_time()

    def _hand_out(self) -> None:
        while self.idle:
            task = self.again.popleft() if self.again else next(self.tasks, None)
            if task is None:
                return
            member = self.idle.pop()
            assert member.conditions is not None
            self.begins(member.conditions)
            method = getattr(member.actor, self.method).options(num_returns="streaming")
            self.coming[method.remote(task.number, task.argument)] = member, task

    def _prepare(self, member: Member, content: Mapping[str, Any] | None = None) -> None:
        self.coming[member.actor.prepare.remote(self.job, content)] = member, None

    def _got_ready(self, member: Member, answer: Any) -> None:
        if member.conditions is None and not self.crew.has_begun(member):
            self._prepare(self.crew.replaced(member))
            return
        try:
            if ray.get(answer):
                self.idle.append(member)
            else:
                self._prepare(member, self.ship().files)
        except RayError as error:
            raise_own(error)
            self._prepare(self.crew.replaced(member))

    def _came(self, member: Member, task: Task, stream: Any) -> Iterator[tuple[Task, Any]]:
        try:
            value = ray.get(next(stream))
        except StopIteration:
            self.idle.append(member)
            yield task, None
            return
        except RayError as error:
            raise_own(error)
            self._lost(member, task, error)
            return
        self.coming[stream] = member, self._replayed(task, value)
        yield task, value

    def _replayed(self, task: Task, value: Any) -> Task:
        """The task as it is to be done again: with the halvings told so far."""
        if halvings := getattr(value, "halvings", ()):
            return dataclasses.replace(task, argument=dataclasses.replace(task.argument, halvings=halvings))
        return task

    def _lost(self, member: Member, task: Task, error: RayError) -> None:
        task = dataclasses.replace(task, lost=task.lost + 1)
        if task.lost >= LOSSES:
            raise BenchError(
                f"Block {task.number} was lost {task.lost} times with the actor that worked on it: {_said(error)}. "
                "Finished work is kept; the same command goes on from here."
            ) from None
        self.again.append(task)
        self._prepare(self.crew.replaced(member))


def raise_own(error: RayError) -> None:
    """Raise what an actor has raised; return where the actor itself, its node or what it gave was lost."""
    if not isinstance(error, RayTaskError):
        return
    cause = error.cause
    if isinstance(cause, BenchError):
        raise cause from None
    raise BenchError(f"An actor failed: {_said(error)}") from error


def _said(error: BaseException) -> str:
    """The last line of what Ray says, which is the cause."""
    lines = [line.strip() for line in str(error).strip().splitlines() if line.strip()]
    return lines[-1][:500] if lines else type(error).__name__
