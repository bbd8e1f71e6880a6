"""What the section on published figures shows: a row for what is the same figure, each kind in a column of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mra_bench.claim_schema import KINDS
from mra_bench.claims import comparable
from mra_bench.report.data import RunData

ABOUT = ("system", "model", "named", "data", "split")


def claims_view(run: RunData) -> Mapping[str, Any] | None:
    """The claims of the run's recipe beside what was measured, or None where it has none."""
    groups: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    for row in run.results.get("claims") or ():
        groups.setdefault(_about(row), []).append(row)
    return {"kinds": KINDS, "rows": [_row(run, rows) for rows in groups.values()]} if groups else None


def _about(row: Mapping[str, Any]) -> tuple[Any, ...]:
    """What the figures of one row of the table share."""
    return (*(row["claim"].get(key) for key in ABOUT), (row["measured"] or {}).get("dataset"))


def _row(run: RunData, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    first = rows[0]["claim"]
    by_kind = {row["claim"]["kind"]: row["claim"] for row in rows}
    return {
        **{key: first.get(key) for key in ABOUT},
        "index": run.model_order.get(first.get("model"), 0),
        "measured": rows[0]["measured"],
        "tokens": any(row["claim"].get("tokens") for row in rows),
        "figures": [_figure(kind, by_kind.get(kind)) for kind in KINDS],
        "differences": [row["difference"] for row in rows if row["difference"] is not None],
        "said": _said(rows),
    }


def _figure(kind: str, claim: Mapping[str, Any] | None) -> dict[str, Any]:
    return {
        "kind": kind,
        "there": claim is not None,
        **{key: (claim or {}).get(key) for key in ("value", "n", "tokens")},
    }


def _said(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """What there is to say of the figures of a row; what is the same for several kinds stands once."""
    kinds: dict[tuple[str, str, str], list[str]] = {}
    for row in rows:
        claim = row["claim"]
        kinds.setdefault((comparable(row), claim["note"], claim["source"]), []).append(claim["kind"])
    return [
        {"kinds": ", ".join(names), "comparable": sentence, "note": note, "source": source}
        for (sentence, note, source), names in kinds.items()
    ]
