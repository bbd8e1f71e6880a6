"""``mra-bench`` with FSDP on the CPU, over gloo. accelerate starts it on GPUs only: a process of several on the CPU is
passed off as one on a GPU, and its device stays the CPU. Everything behind that is FSDP as on a GPU.

Run by ``accelerate launch --config_file FILE --module fsdp_on_cpu ARGUMENTS``, in the folder of this file.
"""

from __future__ import annotations

import sys
from typing import Any

from accelerate import PartialState
from accelerate.utils import DistributedType

from mra_bench.cli import call

prepared = PartialState.__init__


def on_a_gpu(state: Any, *args: Any, **kwargs: Any) -> None:
    prepared(state, *args, **kwargs)
    if state.distributed_type == DistributedType.MULTI_CPU:
        state.distributed_type = DistributedType.MULTI_GPU


if __name__ == "__main__":
    PartialState.__init__ = on_a_gpu
    sys.exit(call(sys.argv[1:]))
