"""Entry points of installed distributions, read without parsing a distribution's metadata once for each of them."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from importlib.metadata import Distribution, EntryPoint, entry_points


@dataclass(frozen=True)
class Installed:
    """An entry point with name and version of its distribution ("" and "0" where it has none)."""

    point: EntryPoint
    owner: str
    version: str

    @property
    def package(self) -> str:
        """The module that it names."""
        return self.point.value.partition(":")[0].strip()


def installed(group: str) -> list[Installed]:
    """The entry points of a group, by name of distribution and their own."""
    described = functools.cache(_described)
    found = [Installed(point, *described(point.dist)) for point in entry_points(group=group)]
    return sorted(found, key=lambda each: (each.owner, each.point.name))


def _described(distribution: Distribution | None) -> tuple[str, str]:
    if distribution is None:
        return "", "0"
    metadata = distribution.metadata  # parsed anew at every access
    return metadata["Name"], metadata["Version"]
