"""Sections of lengths, votes, flips and splits, and the verdict's short lines: figures, geometry, markup."""

from __future__ import annotations

import html.parser
import itertools
import json
import re
import shutil
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_folder import Shape, build, read
from runs import here
from sampled_run import write_lines

from mra_bench.report import write_report
from mra_bench.report.data import read_run
from mra_bench.report.figures import dataset_view
from mra_bench.report.flips import SIDE, flips_view
from mra_bench.report.headline import FEW, LINES, verdict_view
from mra_bench.report.history import timings_view
from mra_bench.report.plots import Point, Series, even_axis, histogram, plot, share_axis, spread
from mra_bench.report.splits import change, splits_view
from mra_bench.verdict import adjusted, sentences

SCHEMA = Path(__file__).parents[2] / "mra_bench" / "schemas" / "results.schema.json"
NEW = ("efficiency", "agreement", "by_answer_type", "by_steps")


def _section(page: str, name: str) -> str:
    found = re.search(rf'<section id="{name}".*?</section>', page, re.DOTALL)
    return found[0] if found else ""


def test_a_run_of_several_samples_has_every_figure(sampled: Path) -> None:
    results = read(sampled)
    jsonschema.validate(results, json.loads(SCHEMA.read_text("utf-8")))
    (dataset,) = results["datasets"]
    assert [row["value"] for row in dataset["by_answer_type"]] == ["fraction", "integer"]
    assert [row["value"] for row in dataset["by_steps"]] == ["1", "2"]
    assert sum(row["n"] for row in dataset["by_steps"]) == 30
    assert len(dataset["efficiency"]["models"]) == len(dataset["agreement"]) == 3


def test_the_audit_makes_every_figure_again_and_names_the_changed_ones(sampled: Path, tmp_path: Path) -> None:
    run = Path(shutil.copytree(sampled, tmp_path / "run"))
    results = read(run)
    results["datasets"][0]["efficiency"]["models"][0]["at_budget"][2]["accuracy"] += 0.01
    results["datasets"][0]["agreement"][1]["bins"][0]["correct"] += 1
    (run / "results.json").write_text(json.dumps(results), "utf-8")
    done = here("audit", run)
    assert done.returncode != 0
    named = [line.split(": ")[1] for line in done.stdout.splitlines() if line.startswith("results.json: ")]
    assert named == [
        "datasets.mine.agreement.middle.bins.0.correct",
        "datasets.mine.efficiency.models.low.at_budget.2.accuracy",
    ]


def test_charts_are_drawings_with_words_and_a_table(sampled: Path) -> None:
    page = (sampled / "report.html").read_text("utf-8")
    scoreboard, lengths, votes = (_section(page, name) for name in ("scoreboard", "efficiency", "agreement"))
    assert scoreboard.count('class="lines"') == 2
    assert lengths.count('class="lines"') == 2 + 3
    assert votes.count('class="lines"') == 3
    for part in (lengths, votes):
        assert part.count('<svg class="lines" role="img"') == part.count("<desc>") == part.count('class="lines"')
        assert "<table" in part
    for name in ("low", "middle", "high"):
        assert len(re.findall(rf'<text class="label"[^>]*>{name}</text>', lengths)) == 2  # at the curve, at the dot
    assert "style=" not in page


def test_the_same_run_gives_the_same_bytes(sampled: Path, tmp_path: Path) -> None:
    run = Path(shutil.copytree(sampled, tmp_path / "run"))
    before = (run / "report.html").read_bytes()
    assert write_report(run).read_bytes() == before


def test_an_older_run_has_no_such_sections(sampled: Path, tmp_path: Path) -> None:
    run = Path(shutil.copytree(sampled, tmp_path / "run"))
    results = read(run)
    for name in NEW:
        del results["datasets"][0][name]
    (run / "results.json").write_text(json.dumps(results), "utf-8")
    page = write_report(run).read_text("utf-8")
    assert _section(page, "efficiency") == _section(page, "agreement") == _section(page, "groups") == ""
    assert _section(page, "two-by-two")


def test_a_models_name_is_text_everywhere(sampled: Path, tmp_path: Path) -> None:
    run = Path(shutil.copytree(sampled, tmp_path / "run"))
    name = "<img src=x onerror=alert(1)>" + "long" * 20
    text = (run / "results.json").read_text("utf-8").replace('"middle"', json.dumps(name))
    (run / "results.json").write_text(text, "utf-8")
    page = write_report(run).read_text("utf-8")
    assert "<img" not in page
    tags: set[str] = set()
    parser = html.parser.HTMLParser()
    parser.handle_starttag = lambda tag, attributes: tags.add(tag)  # type: ignore[method-assign]
    parser.feed(page)
    assert "img" not in tags


def test_pass_at_k_and_maj_at_k_are_drawn_where_the_table_has_them(sampled: Path) -> None:
    view = dataset_view(read_run(sampled), read(sampled)["datasets"][0])["scoreboard"]
    for chart, field in zip(view["curves"], ("pass_at_k", "maj_at_k"), strict=True):
        assert [text for _, text in chart.x_ticks][::-1] == ["1", "2", "4"]
        for mark, row in zip(chart.marks, view["rows"], strict=True):
            heights = [dot.y for dot in mark.dots]
            shares = [row[field][k] for k in ("1", "2", "4")]
            assert len(heights) == 3
            assert sorted(range(3), key=lambda i: -heights[i]) == sorted(range(3), key=lambda i: shares[i])


@pytest.mark.parametrize("samples", [1, 3])
def test_a_two_by_two_holds_every_problem_and_opens_what_it_counts(tmp_path: Path, samples: int) -> None:
    run = build(tmp_path / "run", Shape(test=40, hard=0, samples=samples, hostile=False))
    view = flips_view(read_run(run))
    assert view is not None
    pairs = {(p["a"], p["b"]): p for p in read(run)["datasets"][0]["pairs"]}
    for table in view["tables"]:
        cells = [cell for line in table["cells"] for cell in line]
        assert sum(cell["value"] for cell in cells) + table["ties"] == table["n"] == 40
        assert table["ties"] == 0 or samples > 1
        assert sum(cell["side"] ** 2 for cell in cells) <= SIDE**2 * 1.02
        pair = pairs[table["a"], table["b"]]
        assert [cell["value"] for cell in cells] == [
            pair[name] for name in ("both_right", "losses", "wins", "both_wrong")
        ]
        assert all(cell["filter"]["data"] == "test" for cell in cells)
    page = write_report(run).read_text("utf-8")
    assert _section(page, "two-by-two").count("data-filter") == sum(
        cell["value"] > 0 for table in view["tables"] for line in table["cells"] for cell in line
    )


def test_the_harder_split_is_held_against_the_headline(tmp_path: Path) -> None:
    run = build(tmp_path / "run", Shape(test=40, hard=20, hostile=False))
    view = splits_view(read_run(run))
    assert view is not None
    (table,) = view["tables"]
    headline, other = read(run)["datasets"]
    for row, before, after in zip(table["rows"], headline["scores"], other["scores"], strict=True):
        assert row["difference"] == after["accuracy"] - before["accuracy"]
        assert row["low"] < row["difference"] < row["high"]
    results = read(run)
    results["datasets"][1]["data"] = "another"
    (run / "results.json").write_text(json.dumps(results), "utf-8")
    assert splits_view(read_run(run)) is None


def test_the_interval_of_a_change_is_newcombes() -> None:
    """The example of method 10 in Newcombe (1998), table II, case (a): 56/70 against 48/80."""
    before = {"accuracy": 48 / 80, "low": 0.4904, "high": 0.7004}
    after = {"accuracy": 56 / 70, "low": 0.6918, "high": 0.8769}
    found = change(before, after)
    assert (round(found["low"], 3), round(found["high"], 3)) == (0.052, 0.334)


# The verdict's lines


def _compared(models: list[tuple[str, str | None]], differences: dict[tuple[str, str], float]) -> dict[str, Any]:
    rows = [
        {
            "a": a, "b": b, "n": 100, "difference": d, "low": d - 0.1, "high": d + 0.1, "wins": 0, "losses": 0,
            "p": 1e-9 if abs(d) > 0.1 else 0.9, "detectable": 0.04, "test": "exact McNemar",
        }
        for (a, b), d in differences.items()
    ]  # fmt: skip
    scores = [{"model": name, "worst": 0.5, "best": 0.5, "n": 100} for name, _ in models]
    results: dict[str, Any] = {
        "models": [{"name": name, "from": parent, "control_for": []} for name, parent in models],
        "datasets": [{"name": "test", "headline": True, "scores": scores, "pairs": adjusted(rows)}],
        "contamination": {"stamped": []},
    }
    return {**results, "verdict": sentences(results)}


def test_few_sentences_stand_as_they_are() -> None:
    results = _compared([("base", None), ("sft", "base")], {("base", "sft"): 0.2})
    view = verdict_view(results)
    assert view["all"] == []
    assert [" ".join(line) for line in view["lines"]] == results["verdict"]


def test_many_sentences_become_a_line_for_each_model_and_outcome() -> None:
    children = [f"child{i}" for i in range(6)]
    models = [("base", None), *((name, "base") for name in children)]
    gains = {("base", name): 0.2 + i / 100 if i < 4 else 0.01 for i, name in enumerate(children)}
    results = _compared(models, gains)
    view = verdict_view(results)
    assert [lead for lead, _ in view["lines"]] == [
        "4 models beat base by 20.0 to 23.0 points",
        "2 models against base: no difference detected",
    ]
    assert view["lines"][0][1].startswith("(child0, child1, child2, child3; each p < 0.001, n = 100).")
    assert "+1.0 points" in view["lines"][1][1]
    assert [" ".join(line) for line in view["all"]] == results["verdict"]


def test_other_sentences_stay_at_the_top() -> None:
    models = [("base", None), *((f"child{i}", "base") for i in range(6))]
    results = _compared(models, {("base", f"child{i}"): -0.3 for i in range(6)})
    results["verdict"] = ["base was trained on 3 test questions.", *results["verdict"], "This is a sequential test."]
    lines = verdict_view(results)["lines"]
    assert [lead for lead, _ in lines] == [
        "base was trained on 3 test questions.",
        "base beats 6 models by 30.0 points",
        "This is a sequential test.",
    ]


@given(
    st.integers(2, 7).flatmap(
        lambda n: st.lists(st.floats(-0.5, 0.5), min_size=n * (n - 1) // 2, max_size=n * (n - 1) // 2).map(
            lambda values: (n, values)
        )
    )
)
def test_lines_are_few_and_all_sentences_are_there(drawn: tuple[int, list[float]]) -> None:
    n, values = drawn
    pairs = [(f"m{i}", f"m{j}") for i in range(n) for j in range(i + 1, n)]
    results = _compared([(f"m{i}", None) for i in range(n)], dict(zip(pairs, values, strict=True)))
    view = verdict_view(results)
    assert len(view["lines"]) <= max(FEW, LINES)
    assert [" ".join(line) for line in view["all"] or view["lines"]] == results["verdict"]


# Geometry


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12), st.booleans())
def test_a_plot_keeps_its_dots_and_labels_inside(shares: list[float], joined: bool) -> None:
    series = [Series(f"m{i}", i, [Point(0, y), Point(1, y, y, y)]) for i, y in enumerate(shares)]
    chart = plot("t", "d", even_axis(["1", "2"], "x"), series, joined=joined)
    for mark in chart.marks:
        assert 0 <= mark.label_y <= chart.height
        assert all(40 <= dot.x <= 232 and 0 <= dot.y <= chart.bottom + 0.1 for dot in mark.dots)
    places = sorted(mark.label_y for mark in chart.marks)
    if joined:
        assert all(b - a >= 12.9 for a, b in itertools.pairwise(places))


def test_the_diagonal_goes_from_corner_to_corner() -> None:
    chart = plot("t", "d", share_axis("share"), [Series("", 0, [Point(0, 0), Point(1, 1)])], whole=True)
    first, last = chart.marks[0].dots
    assert chart.diagonal == f"M{first.x:g} {first.y:g}L{last.x:g} {last.y:g}"


def test_bars_of_a_histogram_go_with_the_counts() -> None:
    drawn = histogram("t", "d", ([0, 4, 2], [1, 0, 0]), [0, 10, 20, 99])
    heights = [float(found) for found in re.findall(r"v-([\d.]+)", drawn.above)]
    assert heights == [48.0, 24.0]
    assert re.findall(r"v([\d.]+)", drawn.below) == ["12.0"]
    assert (drawn.top, drawn.bottom, drawn.tallest[1]) == ("right: 6", "not right: 1", "4")


@given(st.dictionaries(st.text(max_size=3), st.floats(0, 100), max_size=8))
def test_labels_keep_apart_and_in_order(places: dict[str, float]) -> None:
    moved = spread(places, 13, 0, 100)
    order = sorted(moved, key=lambda name: (places[name], name))
    assert all(moved[b] - moved[a] >= 12.9 for a, b in itertools.pairwise(order))
    assert all(place <= 100 for place in moved.values())


def test_the_largest_peak_of_memory_stands_for_a_kind_of_work(tmp_path: Path) -> None:
    run = build(tmp_path / "run", Shape(test=5, hard=0, hostile=False))
    rows = [
        {"stage": "models/a-00000001", "seconds": 1, "tokens": 1, "memory": 3 * 2**20, "accelerator_memory": None},
        {"stage": "models/a-00000001", "seconds": 1, "tokens": 1, "memory": 5 * 2**30, "accelerator_memory": None},
        {"stage": "grades/b-00000001", "seconds": 1, "tokens": None},
    ]
    write_lines(run / "timings.jsonl", rows)
    view = timings_view(read_run(run))
    assert view["memory"] == ["memory"]
    assert [kind["memory"] for kind in view["kinds"]] == [5 * 2**30, 0]
    cost = _section(write_report(run).read_text("utf-8"), "cost")
    assert "5.0\u202fGiB" in cost
    assert "Peak on accelerator" not in cost
