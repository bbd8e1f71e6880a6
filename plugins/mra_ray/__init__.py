"""Blocks of texts generated and judged on the nodes of a Ray cluster: the executor ``ray`` of `mra_bench.executors`.

`connected` makes it; `mra_ray.worker` is what runs on the nodes, `mra_ray.crew` gives it work and takes what comes.
"""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

from mra_bench.errors import UsageError

if TYPE_CHECKING:
    from .executor import RayExecutor

__all__ = ["connected"]


def connected(
    address: str | None = None, actors: int | None = None, cpus: int | None = None, gpus: float = 0
) -> RayExecutor:
    """The executor, connected with the cluster at `address` ("auto": that of this machine; None: one of its own, which
    ends with it). `actors`: how many at once, None for as many as the nodes have room for; `cpus` and `gpus`: what each
    of them takes of a node, None for as many CPUs as a local run has threads.

    Raises UsageError where ray is not installed, the cluster cannot be reached or no node has so much.
    """
    if importlib.util.find_spec("ray") is None:
        raise UsageError("--executor ray needs what is not installed: pip install 'mra-bench[ray]'")
    from .executor import RayExecutor
    from .size import Size

    return RayExecutor(address, Size.asked(actors, cpus, gpus))
