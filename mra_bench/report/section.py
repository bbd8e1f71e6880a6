"""Sections of the report as plugins offer them: in what order they stand, and what a faulty one leaves behind."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mra_bench.errors import BenchError, nearest
from mra_bench.plugins import SECTIONS, Registered, Registry

if TYPE_CHECKING:
    from markupsafe import Markup

    from mra_bench.report.data import RunData

BEFORE = "samples"  # a section that does not say where it stands comes before this one


@dataclass(frozen=True)
class Section:
    """One part of the report under the heading `title`; `id` is its anchor. `render` gives its inner HTML as Markup,
    plain text, or "" to leave it out. `plugin`: who made it, "name@version"; "" for one of mra-bench's own."""

    id: str
    title: str
    render: Callable[[RunData], str]
    plugin: str = ""


class SectionFault(BenchError):
    """A section of a `plugin` cannot be made. Only its author can put it right."""

    def __init__(self, section: Section, said: str) -> None:
        super().__init__(f"The report section '{section.title}' of {section.plugin} failed: {said}")
        self.plugin = section.plugin


def sections_of(registry: Registry) -> tuple[Section, ...]:
    """All sections that plugins offer, in reading order: mra-bench's own as registered, each other one behind the one
    that it names, or before the samples."""
    things = registry.of(SECTIONS)
    placed = [thing for thing in things if _is_own(thing)]
    for thing in things:
        if not _is_own(thing):
            placed.insert(_place([other.name for other in placed], thing.after), thing)
    return tuple(map(section_of, placed))


def section_of(thing: Registered) -> Section:
    """The section that a plugin has registered. One of mra-bench's own has its bare name for an id."""
    if _is_own(thing):
        return Section(thing.name, thing.title, _renderer(thing))
    plugin = thing.plugin
    return Section(
        f"{plugin.package}-{thing.name}", thing.title, _renderer(thing), f"{plugin.package}@{plugin.version}"
    )


@functools.cache
def installed_sections() -> tuple[Section, ...]:
    """The sections of all installed plugins."""
    from mra_bench.plugins import load_plugins

    return sections_of(load_plugins())


def misplaced(registry: Registry) -> list[str]:
    """A sentence for each section that asks to stand behind one that is not there."""
    names = [thing.name for thing in registry.of(SECTIONS)]
    said = []
    for thing in registry.of(SECTIONS):
        if thing.after and thing.after not in names:
            close = nearest(thing.after, names)
            hint = f"; did you mean '{close}'?" if close else ""
            said.append(
                f"The report section {thing.full_name} asks to stand after '{thing.after}', which is none{hint} "
                f"It stands before the {BEFORE}."
            )
    return said


def rendered(section: Section, run: RunData) -> Markup:
    """The section's inner HTML; plain text becomes paragraphs. Raises SectionFault for one of a plugin that fails."""
    from markupsafe import Markup, escape

    try:
        given = section.render(run)
        if not isinstance(given, str):
            raise TypeError(f"it gave a {type(given).__name__}; a section is Markup or text")
    except (Exception, SystemExit) as error:
        if not section.plugin:
            raise
        said = str(error) if isinstance(error, BenchError) else f"{type(error).__name__}: {error}"
        raise SectionFault(section, said) from error
    if isinstance(given, Markup):
        return Markup(given.strip())
    return Markup("\n").join(Markup("<p>{}</p>").format(escape(part)) for part in given.split("\n\n") if part.strip())


def fault_text(fault: SectionFault) -> Markup:
    """What stands in the page in place of a section that failed."""
    from markupsafe import Markup

    return Markup('<p class="note"><span class="sign" aria-hidden="true">⚠</span> {}</p>').format(str(fault))


def _is_own(thing: Registered) -> bool:
    return thing.plugin.origin == "built-in"


def _place(names: Sequence[str], after: str) -> int:
    if after in names:
        return names.index(after) + 1
    return names.index(BEFORE) if BEFORE in names else len(names)


def _renderer(thing: Registered) -> Callable[[RunData], str]:
    def render(run: RunData) -> Any:
        if not isinstance(thing.target, str):
            return thing.target(run)
        module, _, name = thing.target.partition(":")
        return getattr(importlib.import_module(module), name)(run)

    return render
