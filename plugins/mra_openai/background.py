"""Coroutines beside a plain iterator: work goes on in a thread of its own while what has come is looked at."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

Item = TypeVar("Item")
Task = TypeVar("Task")


@dataclass(frozen=True)
class _Ended(Generic[Item]):
    """Nothing more comes; `error`: why, where it is no good reason."""

    error: BaseException | None = None


def in_background(work: Callable[[Callable[[Item], None]], Coroutine[Any, Any, None]]) -> Iterator[Item]:
    """Run ``work(put)`` in an event loop of its own and yield what it puts, as it comes. What it raises is raised here;
    it is cancelled when the iterator is closed. The thread is a daemon, so that it holds up nobody's exit."""
    come: queue.SimpleQueue[Item | _Ended[Item]] = queue.SimpleQueue()
    loop = asyncio.new_event_loop()
    task = loop.create_task(work(come.put))

    def run() -> None:
        try:
            loop.run_until_complete(task)
            come.put(_Ended())
        except BaseException as error:  # handed over, whatever it is
            come.put(_Ended(error))
        finally:
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.close()

    thread = threading.Thread(target=run, name="mra-openai", daemon=True)
    thread.start()
    try:
        while not isinstance(item := come.get(), _Ended):
            yield item
        if item.error is not None:
            raise item.error
    finally:
        if thread.is_alive():
            with contextlib.suppress(RuntimeError):  # it has just closed
                loop.call_soon_threadsafe(task.cancel)
            thread.join(timeout=5)


class Stopping(Exception):
    """The work ends early; whoever waits gives up."""


@dataclass
class Crew:
    """So many workers on one row of tasks. After the first error none takes another task; those under way may still end
    within `grace` seconds, because what they have sent is paid for."""

    workers: int
    grace: float
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    error: BaseException | None = None

    async def do(self, tasks: Iterable[Task], one: Callable[[Task], Awaitable[None]]) -> None:
        """All tasks, in order as far as workers are free. Raises the first error."""
        row = iter(tasks)
        crew = [asyncio.create_task(self._work(row, one)) for _ in range(self.workers)]
        all_of_them = asyncio.create_task(asyncio.wait(crew))
        told = asyncio.create_task(self.stopping.wait())
        try:
            await asyncio.wait([all_of_them, told], return_when=asyncio.FIRST_COMPLETED)
            await asyncio.wait([all_of_them], timeout=self.grace)
        finally:
            for one_task in (all_of_them, told, *crew):
                one_task.cancel()
            await asyncio.gather(all_of_them, told, *crew, return_exceptions=True)
        if self.error is not None:
            raise self.error

    async def _work(self, row: Iterator[Task], one: Callable[[Task], Awaitable[None]]) -> None:
        for task in row:
            try:
                await one(task)
            except Stopping:
                return
            except Exception as error:
                self.error = self.error or error
                self.stopping.set()
            if self.stopping.is_set():
                return

    async def sleep(self, seconds: float) -> None:
        """Wait, but raise Stopping at once where the work ends."""
        if self.stopping.is_set():
            raise Stopping
        if seconds <= 0:
            return
        try:
            await asyncio.wait_for(self.stopping.wait(), seconds)
        except TimeoutError:
            return
        raise Stopping
