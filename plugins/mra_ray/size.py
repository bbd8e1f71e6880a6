"""How large an actor is and how many there are, held against what the nodes of a cluster have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mra_bench import runtime
from mra_bench.errors import UsageError


@dataclass(frozen=True)
class Size:
    """cpus, gpus: what one actor takes of its node. actors: how many; 0 for as many as fit."""

    cpus: int
    gpus: float = 0
    actors: int = 0

    @classmethod
    def asked(cls, actors: int | None, cpus: int | None, gpus: float) -> Size:
        """As asked for; without `cpus`, as many as a local run has threads, so that the texts are its texts."""
        return cls(cpus or runtime.threads(), gpus, actors or 0)

    def __str__(self) -> str:
        gpus = f" and {self.gpus:g} GPU{'' if self.gpus == 1 else 's'}" if self.gpus else ""
        return f"{self.cpus} CPU{'' if self.cpus == 1 else 's'}{gpus}"

    def fits(self, resources: Mapping[str, float]) -> int:
        """How many actors a node with so much in all has room for."""
        by_cpu = int(resources.get("CPU", 0) // self.cpus)
        return min(by_cpu, int(resources.get("GPU", 0) // self.gpus)) if self.gpus else by_cpu

    def count(self, nodes: Sequence[Mapping[str, Any]]) -> int:
        """How many actors to start on the living `nodes`, as Ray lists them. Raises UsageError where none fits."""
        living = [node["Resources"] for node in nodes if node["Alive"]]
        room = sum(map(self.fits, living))
        if not room:
            most: Mapping[str, float] = max(living, key=lambda has: (has.get("GPU", 0), has.get("CPU", 0)), default={})
            largest = f"{most.get('CPU', 0):g} CPUs and {most.get('GPU', 0):g} GPUs"
            raise UsageError(
                f"No node of the Ray cluster has {self} for an actor: the largest of {len(living)} has {largest}. Give "
                "--ray-cpus and --ray-gpus that fit"
            )
        return self.actors or room
