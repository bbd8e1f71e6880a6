"""The page around everything that mra-bench publishes as HTML: one file, with a policy that lets nothing else run."""

from __future__ import annotations

import base64
import functools
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from mra_bench.report.formatting import visible
from mra_bench.report.markup import environment
from mra_bench.store import replacing

if TYPE_CHECKING:
    from markupsafe import Markup

STYLES = ("base.css", "tables.css", "browser.css", "print.css")
SCRIPTS = (
    "dom.js",
    "store.js",
    "filters.js",
    "search.js",
    "math.js",
    "diff.js",
    "markdown.js",
    "card.js",
    "viewer.js",
    "main.js",
)


@dataclass(frozen=True)
class Part:
    """What stands under one heading of a page: anchor, heading, HTML as it is to be. `plugin`: which plugin made it,
    "name@version"; "" for mra-bench's own."""

    id: str
    title: str
    html: Markup
    plugin: str = ""


def document(
    title: str,
    masthead: Markup,
    parts: Sequence[Part],
    *,
    styles: tuple[str, ...] = STYLES,
    scripts: tuple[str, ...] = SCRIPTS,
) -> str:
    """The whole page as text. `masthead`: an element with the id "summary", which holds the page's h1. `styles` and
    `scripts`: files of the folder templates, joined in this order; nothing else applies or runs.

    The same arguments give the same text; characters that nobody can see, or that turn the reading direction, stand in
    it as their code points.
    """
    from markupsafe import Markup

    style, script = joined(styles), wrapped(scripts) if scripts else ""
    page = (
        environment()
        .get_template("page.html")
        .render(
            title=title,
            policy=_policy(style, script),
            style=Markup(style),
            script=Markup(script),
            masthead=masthead,
            parts=parts,
        )
    )
    return visible(page)


def write_page(target: Path, page: str) -> None:
    """Write beside `target`, then rename: a reader sees the old page or the new one, never half of it. Raises
    OSError."""
    with replacing(target) as file:
        file.write(page)


@functools.cache
def joined(names: tuple[str, ...]) -> str:
    """Files of the folder templates as one text."""
    folder = resources.files("mra_bench.report") / "templates"
    return "\n".join((folder / name).read_text("utf-8") for name in names)


@functools.cache
def wrapped(names: tuple[str, ...]) -> str:
    """Script files as one, with names of their own."""
    return f'(() => {{\n"use strict";\n{joined(names)}}})();\n'


def _policy(style: str, script: str) -> str:
    """Content-Security-Policy: nothing may load; only this style sheet and this script, known by hash, apply."""
    scripts = f"script-src '{_hash(script)}'" if script else "script-src 'none'"
    return (
        f"default-src 'none'; style-src '{_hash(style)}'; {scripts}; img-src data:; base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
