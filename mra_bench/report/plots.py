"""Geometry of the report's larger charts: curves and dots of models with direct labels, and histograms.

Like that of charts.py it is rounded here and knows no markup; `templates/plots.html` draws it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from mra_bench.report.charts import Scale, scale
from mra_bench.report.formatting import NARROW, shortened, significant

WIDTH = 340  # of a drawing, in CSS pixels
LEFT, RIGHT, TOP = 40, 232, 14  # the plot within it; labels of models stand right of it
LEAST_HEIGHT = 130  # of the plot
LABEL_GAP = 13
LABEL_LETTERS = 15  # that fit right of the plot
HISTOGRAM = (34, 330, 62)  # left and right end, and height of each of its two sides


@dataclass(frozen=True)
class Point:
    """A figure, in data units, with its interval where it has one; `note` stands beside its dot."""

    x: float
    y: float
    low: float | None = None
    high: float | None = None
    note: str = ""


@dataclass(frozen=True)
class Series:
    """The points of one model; `index` picks its colour and marker, `name` labels it where it ends, if not empty."""

    name: str
    index: int
    points: Sequence[Point]


@dataclass(frozen=True)
class Axis:
    """A horizontal axis: `scale` from data to pixels, tick labels by data place, and what it counts."""

    scale: Scale
    ticks: Mapping[float, str]
    label: str


@dataclass(frozen=True)
class Dot:
    """A point in pixels; `whisker` is its interval as an SVG path, "" where there is none."""

    x: float
    y: float
    whisker: str
    note: str
    note_y: float


@dataclass(frozen=True)
class Mark:
    """A series in pixels. `line`: points of its curve, "" where its dots are not joined; `leader`: a path from its last
    dot to a label that had to move away from it."""

    index: int
    line: str
    dots: tuple[Dot, ...]
    label: str
    label_x: float
    label_y: float
    leader: str


@dataclass(frozen=True)
class Plot:
    """A chart with both axes. `diagonal`: the path where both axes are equal, "" where they are of different kinds."""

    title: str
    description: str
    height: int
    bottom: float
    x_ticks: tuple[tuple[float, str], ...]
    y_ticks: tuple[tuple[float, str], ...]
    x_label: str
    marks: tuple[Mark, ...]
    diagonal: str = ""


@dataclass(frozen=True)
class Histogram:
    """Counts above an axis and below it, as SVG paths of bars; `top` and `bottom` name the two sides in words;
    `tallest` is the count of the tallest bar, and where it ends."""

    title: str
    description: str
    above: str
    below: str
    top: str
    bottom: str
    ticks: tuple[tuple[float, str], ...]
    tallest: tuple[float, str]


def even_axis(labels: Sequence[str], label: str) -> Axis:
    """Equal steps over things in order: places 0, 1, 2, ... so many of them labelled that the labels have room."""
    stride = -(-sum(len(text) + 2 for text in labels) * 7 // (RIGHT - LEFT))
    last = max(len(labels) - 1, 1)
    shown = {float(place): labels[place] for place in range(len(labels) - 1, -1, -stride)}
    return Axis(Scale(0, last, LEFT, RIGHT, tuple(shown)), shown, label)


def value_axis(values: Iterable[float], label: str) -> Axis:
    """From 0 to a round number behind the largest of `values`."""
    found = scale([0.0, *values], LEFT, RIGHT, ticks=4)
    return Axis(found, {tick: significant(tick) for tick in found.ticks}, label)


def share_axis(label: str) -> Axis:
    """Shares from 0 to 1, in per cent."""
    ticks = {tick / 100: f"{tick}" + (f"{NARROW}%" if tick == 100 else "") for tick in (0, 20, 40, 60, 80, 100)}
    return Axis(Scale(0, 1, LEFT, RIGHT, tuple(ticks)), ticks, label)


def plot(
    title: str, description: str, axis: Axis, series: Sequence[Series], *, joined: bool = True, whole: bool = False
) -> Plot:
    """Shares of `series` upwards, in per cent, over `axis`. `whole`: from 0 to 100 %, with the diagonal."""
    shares = [end for one in series for p in one.points for end in (p.y, p.low, p.high) if end is not None]
    bottom = TOP + max(LEAST_HEIGHT, LABEL_GAP * (len(series) - 1))
    y = _share_scale((0.0, 1.0) if whole else shares, bottom)
    ends = {one.name: y.at(100 * one.points[-1].y) for one in series if one.name}
    labels = spread(ends, LABEL_GAP, TOP, bottom)
    marks = tuple(_mark(one, axis.scale, y, joined, labels.get(one.name)) for one in series)
    marks = marks if joined else tuple(_beside(mark, marks) for mark in marks)
    unit = {y.ticks[-1]: f"{NARROW}%"}
    return Plot(
        title=title,
        description=description,
        height=bottom + 36,
        bottom=bottom,
        x_ticks=tuple((axis.scale.at(place), text) for place, text in axis.ticks.items()),
        y_ticks=tuple((y.at(tick), significant(tick) + unit.get(tick, "")) for tick in y.ticks),
        x_label=axis.label,
        marks=marks,
        diagonal=f"M{LEFT} {bottom}L{RIGHT} {TOP}" if whole else "",
    )


def histogram(
    title: str, description: str, counts: tuple[Sequence[int], Sequence[int]], edges: Sequence[int]
) -> Histogram:
    """`counts` above and below an axis whose bins begin at `edges`, the end of the last bin behind them. A last bin
    that is wider than the others stands a little apart."""
    left, right, height = HISTOGRAM
    most = max(1, *counts[0], *counts[1])
    bins = len(edges) - 1
    apart = 4 if bins > 1 and edges[-1] - edges[-2] > edges[1] - edges[0] + 1 else 0
    width = (right - left - apart) / bins
    starts = [left + width * place + (apart if place == bins - 1 else 0) for place in range(bins)]

    def bars(numbers: Sequence[int], up: bool) -> str:
        return "".join(
            f"M{round(start + 0.5, 1)} {height}v{'-' if up else ''}{max(1.0, round(count / most * (height - 14), 1))}"
            f"h{round(width - 1, 1)}V{height}z"
            for start, count in zip(starts, numbers, strict=True)
            if count
        )

    stride = -(-bins // 6)
    ticks = [(round(starts[place], 1), str(edges[place])) for place in range(0, bins, stride)]
    if right - ticks[-1][0] < 30:
        ticks.pop()
    return Histogram(
        title=title,
        description=description,
        above=bars(counts[0], up=True),
        below=bars(counts[1], up=False),
        top=f"right: {sum(counts[0]):,}",
        bottom=f"not right: {sum(counts[1]):,}",
        ticks=(*ticks, (float(right), str(edges[-1]))),
        tallest=(18.0 if most in counts[0] else 2.0 * height - 10, f"{most:,}"),
    )


def spread(places: Mapping[str, float], gap: float, low: float, high: float) -> dict[str, float]:
    """Places of labels moved apart to at least `gap` pixels within [low, high], as far as they fit, in their order."""
    order = sorted(places.items(), key=lambda item: (item[1], item[0]))
    moved: list[float] = []
    for _, place in order:
        moved.append(max(place, moved[-1] + gap if moved else low))
    edge = high
    for at in range(len(moved) - 1, -1, -1):
        moved[at] = min(moved[at], edge)
        edge = moved[at] - gap
    return {name: round(place, 1) for (name, _), place in zip(order, moved, strict=True)}


def _share_scale(shares: Iterable[float], bottom: float) -> Scale:
    """An axis in per cent over shares, never beyond 0 and 100 and never narrower than 10 points."""
    values = [100 * share for share in shares]
    low, high = min(values, default=0.0), max(values, default=100.0)
    if high - low < 10:
        middle = min(max((low + high) / 2, 5.0), 95.0)
        low, high = middle - 5, middle + 5
    return scale([low, high], bottom, TOP, ticks=5)


def _mark(one: Series, x: Scale, y: Scale, joined: bool, label_y: float | None) -> Mark:
    dots = tuple(_dot(point, x, y) for point in one.points)
    last = dots[-1]
    moved = label_y is not None and (abs(label_y - last.y) > 3 or RIGHT - last.x > 3)
    return Mark(
        index=one.index,
        line=" ".join(f"{dot.x},{dot.y}" for dot in dots) if joined and len(dots) > 1 else "",
        dots=dots,
        label=shortened(one.name, LABEL_LETTERS),
        label_x=RIGHT + 14,
        label_y=label_y or 0.0,
        leader=f"M{last.x} {last.y}L{RIGHT + 10} {label_y}" if moved else "",
    )


def _beside(mark: Mark, marks: Sequence[Mark]) -> Mark:
    """A single dot with its label right beside it, where no other dot or label is in the way."""
    dot = mark.dots[-1]
    width = 7 * len(mark.label) + 12
    others = [other for other in marks if other is not mark]
    near = (abs(o.dots[-1].y - dot.y) < LABEL_GAP and -12 < o.dots[-1].x - dot.x < 2 * width for o in others)
    if dot.x + width > RIGHT or any(near):
        return mark
    return replace(mark, label_x=dot.x + 9, label_y=dot.y, leader="")


def _dot(point: Point, x: Scale, y: Scale) -> Dot:
    across, up = x.at(point.x), y.at(100 * point.y)
    whisker = ""
    top = up
    if point.low is not None and point.high is not None:
        low, top = y.at(100 * point.low), y.at(100 * point.high)
        whisker = f"M{across} {low}V{top}M{round(across - 3, 1)} {low}h6M{round(across - 3, 1)} {top}h6"
    return Dot(across, up, whisker, point.note, round(top - 4, 1))
