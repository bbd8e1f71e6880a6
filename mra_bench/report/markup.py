"""The report's templates: their environment, and what fills them. Whatever is filled in is escaped."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mra_bench.report import formatting

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

    from mra_bench.report.data import RunData

FILTERS = (
    "percent",
    "share",
    "bare",
    "points",
    "size",
    "p_value",
    "count",
    "significant",
    "duration",
    "scalar",
    "unbroken",
    "bytes_used",
)


@functools.cache
def environment() -> Environment:
    """The Jinja2 environment of the report: autoescape on, undefined names are errors."""
    import jinja2

    made = jinja2.Environment(
        loader=jinja2.PackageLoader("mra_bench.report", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update({name: getattr(formatting, name) for name in FILTERS})
    return made


def filled(template: str, **values: Any) -> Markup:
    """The template file of that name, filled."""
    from markupsafe import Markup

    return Markup(environment().get_template(template).render(**values))


def from_template(name: str, context: Callable[[RunData], Mapping[str, Any] | None]) -> Callable[[RunData], str]:
    """A section's render function that fills the template `name`; it gives "" where `context` gives None."""

    def render(run: RunData) -> str:
        values = context(run)
        return "" if values is None else filled(name, **values)

    return render


def html(source: str, **values: Any) -> Markup:
    """`source`, a Jinja2 template, filled with `values`, which are escaped: for sections with markup of their own.

    Raises jinja2.TemplateError for a template that is none, and for a value that is missing.
    """
    from markupsafe import Markup

    return Markup(environment().from_string(source).render(**values))


def table(caption: str, head: Sequence[str], rows: Sequence[Sequence[object]]) -> Markup:
    """A table as the report's own look. `rows`: cells in the order of `head`, the first of each row naming it; numbers
    stand right, everything is escaped."""
    wrong = next((row for row in rows if len(row) != len(head)), None)
    if wrong is not None:
        raise ValueError(f"a row has {len(wrong)} cells where the head has {len(head)}: {wrong!r:.80}")
    numeric = [bool(rows) and all(isinstance(row[place], int | float) for row in rows) for place in range(len(head))]
    return filled("table.html", caption=caption, head=head, rows=rows, numeric=numeric)
