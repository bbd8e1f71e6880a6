"""Several processes that work on one run, started by torchrun or `accelerate launch`.

The first of them leads: it makes the run folder, grades, writes and reports. The others do what it tells them, their
share of the blocks of a generation or of a training, and write nothing else.
"""

from __future__ import annotations

import datetime
import os
from dataclasses import dataclass
from typing import Any

from mra_bench.runtime import prepare_threads

WAIT = datetime.timedelta(days=30)
"""How long one process waits for another: grading is the leader's alone, and may take long."""


@dataclass(frozen=True)
class Ranks:
    """This process among `count`; `rank` 0 leads. The default is a process of its own."""

    rank: int = 0
    count: int = 1
    group: Any = None

    @property
    def leads(self) -> bool:
        """Is this the process that writes?"""
        return self.rank == 0

    def tell(self, value: Any = None) -> Any:
        """The leader's `value`, in every process. All call it together."""
        if self.count > 1:
            import torch.distributed

            box = [value]
            torch.distributed.broadcast_object_list(box, src=0, group=self.group)
            return box[0]
        return value

    def wait(self) -> None:
        """Wait until all processes are here."""
        if self.count > 1:
            import torch.distributed

            torch.distributed.barrier(group=self.group)

    def leave(self) -> None:
        """End the connection, once there is nothing more to say: a process that ends with it open may be aborted."""
        if self.count > 1:
            import torch.distributed

            torch.distributed.destroy_process_group()


def launched() -> int:
    """How many processes a launcher has started, as it tells each of them; 1 without one."""
    told = [os.environ.get(name, "") for name in ("WORLD_SIZE", "RANK", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT")]
    return int(told[0]) if all(told) and told[0].isdecimal() else 1


def is_follower() -> bool:
    """Is this a process that follows another's lead?"""
    return launched() > 1 and os.environ["RANK"] != "0"


def join() -> Ranks:
    """Meet the other processes that the launcher has started, if there are any."""
    if launched() < 2:
        return Ranks()
    prepare_threads()  # before torch is first imported
    import torch
    from accelerate import PartialState

    state = PartialState(cpu=not torch.cuda.is_available())
    group = torch.distributed.new_group(backend="gloo", timeout=WAIT)
    return Ranks(state.process_index, state.num_processes, group)
