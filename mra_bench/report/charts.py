"""Geometry of the report's small charts. Coordinates are rounded here, so that the SVG of the macros is byte-stable.

`templates/charts.html` draws what these functions return; nothing here knows markup.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from mra_bench.report.formatting import significant

WIDTH = 176  # of a dots-and-whiskers cell, in CSS pixels
EDGE = 14  # room left and right for tick labels
LANE = 13  # from one whisker to the next
REACH = 0.15  # of an axis: how far one in percent goes on to have a tick at its end
ALONE = 20  # room above a whisker that stands alone in its row
CURVE_POINTS = 160  # a curve of more points is thinned to about this many

T = TypeVar("T")


@dataclass(frozen=True)
class Scale:
    """A straight axis from data [low, high] to pixels [start, end], with round ticks."""

    low: float
    high: float
    start: float
    end: float
    ticks: tuple[float, ...]

    @property
    def width(self) -> float:
        """Width of the drawing: the axis and room for labels on both sides."""
        return self.start + self.end

    def at(self, value: float) -> float:
        """Pixel of `value`, to a tenth."""
        share = (value - self.low) / (self.high - self.low)
        return round(self.start + share * (self.end - self.start), 1)


@dataclass(frozen=True)
class Whisker:
    """An estimate with its interval, in pixels. `index` picks colour and marker; `label` says it in words."""

    x: float
    low: float
    high: float
    y: float
    index: int
    label: str


@dataclass(frozen=True)
class Curve:
    """One line of a chart: SVG points, the end where its label stands, and the figures in words."""

    name: str
    points: str
    end_x: float
    end_y: float
    label_y: float
    label: str


@dataclass(frozen=True)
class LineChart:
    """Curves over training steps, with both axes. `rows` are the drawn points, for the table behind the chart."""

    title: str
    x: Scale
    y: Scale
    curves: tuple[Curve, ...]
    description: str


def scale(values: Iterable[float], start: float, end: float, *, ticks: int = 4, least: float = 0.0) -> Scale:
    """An axis with round bounds over `values`, about `ticks` intervals, spanning at least `least` data units."""
    known = [value for value in values if math.isfinite(value)] or [0.0]
    low, high = min(known), max(known)
    if high - low < least:
        middle = (low + high) / 2
        low, high = middle - least / 2, middle + least / 2
    if high - low <= 1e-9 * max(abs(low), abs(high)):  # one value, up to rounding: room on both sides
        room = 0.1 * abs(low) or 0.5
        low, high = low - room, high + room
    step = _round_step((high - low) / ticks)
    digits = 2 - math.floor(math.log10(step))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    marks = tuple(round(index * step, digits) for index in range(first, last + 1))
    return Scale(marks[0], marks[-1], start, end, marks)


def percent_scale(shares: Iterable[float]) -> Scale:
    """An axis in percent over shares in 0..1, never beyond 0 and 100 and never narrower than 20 points."""
    values = [100 * share for share in shares]
    low, high = min(values, default=0.0), max(values, default=100.0)
    if high - low < 20:
        middle = min(max((low + high) / 2, 10.0), 90.0)
        low, high = middle - 10, middle + 10
    return _tight(0.0 if low < 0.15 * high else low, min(high, 100.0), REACH)


def difference_scale(shares: Iterable[float]) -> Scale:
    """An axis in percentage points that always holds zero, never narrower than 4 points."""
    values = [100 * share for share in shares]
    low, high = min([0.0, *values]), max([0.0, *values])
    return _tight(min(low, -2.0), max(high, 2.0)) if high - low < 4 else _tight(low, high)


def _tight(low: float, high: float, reach: float = 0.0) -> Scale:
    """An axis that ends where the data end, with the round ticks inside: short intervals keep their length. An end goes
    on to the next tick where that is no further than the share `reach` of the axis."""
    rounded = scale([low, high], EDGE, WIDTH - EDGE, ticks=5)
    room = reach * (high - low)
    low = rounded.low if low - rounded.low <= room else low
    high = rounded.high if rounded.high - high <= room else high
    inside = tuple(tick for tick in rounded.ticks if low <= tick <= high)
    return Scale(low, high, rounded.start, rounded.end, inside)


def whisker(
    axis: Scale, entry: Mapping[str, Any], value: str, index: int, label: str, *, lane: int | None = None
) -> Whisker:
    """The whisker of a results entry with `value`, "low" and "high" as shares; `lane` is its place among several."""
    return Whisker(
        x=axis.at(100 * entry[value]),
        low=axis.at(100 * entry["low"]),
        high=axis.at(100 * entry["high"]),
        y=LANE * (lane + 1) if lane is not None else ALONE,
        index=index,
        label=label,
    )


def line_chart(title: str, log: Sequence[Mapping[str, Any]], names: Mapping[str, str]) -> LineChart | None:
    """Curves of the log's fields `names` (field -> label) over "step"; None when there are not two points of any."""
    series = {name: _series(log, name) for name in names}
    series = {name: points for name, points in series.items() if len(points) > 1}
    if not series:
        return None
    x = scale([step for points in series.values() for step, _ in points], 46, 226, ticks=3)
    y = scale([value for points in series.values() for _, value in points], 140, 12, ticks=4)
    ends = _spread({name: y.at(points[-1][1]) for name, points in series.items()}, gap=13)
    curves = tuple(
        Curve(
            name=names[name],
            points=" ".join(f"{x.at(step)},{y.at(value)}" for step, value in thin(points)),
            end_x=x.at(points[-1][0]),
            end_y=y.at(points[-1][1]),
            label_y=ends[name],
            label=f"{names[name]} {significant(points[-1][1], 3)}".strip(),
        )
        for name, points in series.items()
    )
    return LineChart(title, x, y, curves, _describe(series, names))


def thin(points: Sequence[T]) -> Sequence[T]:
    """`points` themselves, or every k-th of them and the last, when there are too many to draw."""
    stride = -(-len(points) // CURVE_POINTS)
    kept = list(points[::stride]) if stride > 1 else list(points)
    if kept and kept[-1] is not points[-1]:
        kept.append(points[-1])
    return kept


def _series(log: Sequence[Mapping[str, Any]], name: str) -> list[tuple[float, float]]:
    """(step, value) of the last record of each step that has a finite `name`, in order of steps."""
    found: dict[float, float] = {}
    for row in log:
        value = row.get(name)
        if isinstance(value, int | float) and math.isfinite(value) and "step" in row:
            found[float(row["step"])] = float(value)
    return sorted(found.items())


def _describe(series: Mapping[str, list[tuple[float, float]]], names: Mapping[str, str]) -> str:
    parts = []
    for name, points in series.items():
        (first_step, first), (last_step, last) = points[0], points[-1]
        parts.append(
            f"{names[name] or 'It'} goes from {significant(first)} at step {first_step:g} "
            f"to {significant(last)} at step {last_step:g}."
        )
    return " ".join(parts)


def _spread(places: Mapping[str, float], gap: float) -> dict[str, float]:
    """Places of labels moved apart to at least `gap` pixels, keeping their order."""
    moved: dict[str, float] = {}
    last = -math.inf
    for name, place in sorted(places.items(), key=lambda item: (item[1], item[0])):
        last = round(max(place, last + gap), 1)
        moved[name] = last
    return moved


def _round_step(rough: float) -> float:
    """The smallest of 1, 2, 5 times a power of ten that is at least `rough`."""
    power: float = 10.0 ** math.floor(math.log10(rough))
    return next((factor * power for factor in (1, 2, 5) if factor * power >= rough * (1 - 1e-9)), 10 * power)
