"""Assembles the page: sections, styles, scripts and the policy that lets nothing else run, and writes it."""

from __future__ import annotations

import base64
import functools
import hashlib
import os
import tempfile
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from mra_bench.errors import BenchError
from mra_bench.report.data import RunData, read_run
from mra_bench.report.formatting import verdict_parts, visible
from mra_bench.report.sections import SECTIONS, Section, environment

STYLES = ("base.css", "tables.css", "browser.css", "print.css")
SCRIPTS = ("dom.js", "store.js", "filters.js", "viewer.js", "main.js")


def write_report(run: Path, sections: Sequence[Section] = SECTIONS) -> Path:
    """Write `run`/report.html from the run folder's published files, in one step, and return its path.

    The same files give the same bytes. Raises UsageError when `run` is not a run folder, BenchError when a file in it
    is broken or the report cannot be written.
    """
    page = render_page(read_run(run), sections).encode("utf-8")
    target = run / "report.html"
    try:
        _replace(target, page)
    except OSError as error:
        reason = error.strerror or error
        raise BenchError(
            f"Cannot write '{target}': {reason}. Make room or permissions, then: mra-bench report {run}"
        ) from None
    return target


def render_page(run: RunData, sections: Sequence[Section] = SECTIONS) -> str:
    """The whole page as text."""
    from markupsafe import Markup

    shown = [(section, Markup(html)) for section in sections if (html := section.render(run).strip())]
    style, script = _joined(STYLES), _joined(SCRIPTS)
    page = (
        environment()
        .get_template("page.html")
        .render(
            policy=_policy(style, script),
            style=Markup(style),
            script=Markup(script),
            sections=shown,
            **_summary(run),
        )
    )
    return visible(page)


def _summary(run: RunData) -> dict[str, Any]:
    results = run.results
    return {
        "run": {"name": "", "description": "", "seed": None, "fingerprint": "", **(results.get("run") or {})},
        "grader": {"name": "", "version": "", **(results.get("grader") or {})},
        "partial": bool(results.get("partial")),
        "missing": results.get("missing") or [],
        "warnings": results.get("warnings") or [],
        "verdict": [verdict_parts(sentence) for sentence in results.get("verdict") or []],
    }


@functools.cache
def _joined(names: tuple[str, ...]) -> str:
    folder = resources.files("mra_bench.report") / "templates"
    text = "\n".join((folder / name).read_text("utf-8") for name in names)
    return f'(() => {{\n"use strict";\n{text}}})();\n' if names is SCRIPTS else text


def _policy(style: str, script: str) -> str:
    """Content-Security-Policy: nothing may load; only this style sheet and this script, known by hash, apply."""
    return (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")


def _replace(target: Path, content: bytes) -> None:
    """Write beside `target`, then rename: a reader sees the old page or the new one, never half of it."""
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=".report-", suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            os.fchmod(file.fileno(), 0o644)
        os.replace(name, target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
