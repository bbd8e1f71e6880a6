"""Reading run folders, packing samples, formatting figures and the geometry of charts."""

from __future__ import annotations

import base64
import gzip
import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from report_folder import HOSTILE, Shape, add_grader, build, read

from mra_bench.errors import BenchError, UsageError
from mra_bench.report import charts, formatting
from mra_bench.report.choice import choose, find_flips, right_share
from mra_bench.report.data import read_run
from mra_bench.report.history import timings_view, training_view
from mra_bench.report.samples import PACKED, PLAIN, Block, Limits, blocks, grader_labels, label
from mra_bench.same_conditions import checks


def unpacked(block: Block) -> dict[str, Any]:
    """A block as the page's script reads it: the index, and under "parts" its parts."""

    def read(text: str) -> Any:
        return json.loads(gzip.decompress(base64.b64decode(text)) if block.encoding == PACKED else text)

    return {**read(block.index), "parts": [read(part) for part in block.parts]}


def cells(block: Block) -> list[Any]:
    """[problem][model][sample] of a block, each sample a dictionary."""
    data = unpacked(block)
    return [
        [[dict(zip(data["fields"], values, strict=True)) for values in samples or ()] for samples in row]
        for part in data["parts"]
        for row in part["answers"]
    ]


def test_texts_survive_exactly(run_folder: Path) -> None:
    block = blocks(read_run(run_folder))[0]
    base = [model["name"] for model in unpacked(block)["models"]].index("base")
    assert [cells(block)[place][base][0]["text"] for place in HOSTILE] == list(HOSTILE.values())


def test_blocks_are_ascii_and_hold_no_markup(run_folder: Path) -> None:
    for limits in (Limits(plain=10**9), Limits(plain=0)):
        for block in blocks(read_run(run_folder), limits):
            for text in (block.index, *block.parts):
                assert text.isascii()
                assert not set("<>&") & set(text)


def test_small_data_stay_plain_and_large_are_packed(run_folder: Path) -> None:
    run = read_run(run_folder)
    plain, packed = blocks(run, Limits(plain=10**9)), blocks(run, Limits(plain=1000))
    assert {block.encoding for block in plain} == {PLAIN}
    assert {block.encoding for block in packed} == {PACKED}
    assert [unpacked(block) for block in plain] == [unpacked(block) for block in packed]
    assert not any(block.note for block in packed)


def test_texts_stand_in_parts_and_the_index_knows_where_each_begins(run_folder: Path) -> None:
    run = read_run(run_folder)
    whole, cut = blocks(run, Limits(part=10**9))[0], blocks(run, Limits(part=3_000))[0]
    data = unpacked(cut)
    assert len(whole.parts) == 1 < len(cut.parts)
    starts = [sum(len(part["problems"]) for part in data["parts"][:place]) for place in range(len(cut.parts) + 1)]
    assert data["starts"] == starts
    assert cells(cut) == cells(whole)


def test_the_index_has_the_state_of_every_sample(run_folder: Path) -> None:
    run = read_run(run_folder)
    data = unpacked(blocks(run)[0])
    assert data["ids"] == [problem["id"] for problem in run.samples["test"].problems]
    for model, column in zip(data["models"], data["cells"], strict=True):
        samples = [of[0] for of in run.samples["test"].answers[model["name"]].values()]
        assert [data["states"][state] for state in column] == [[s.correct, s.kind, s.finish, []] for s in samples]
    assert len(data["states"]) < 10


def test_spans_count_utf16_units(run_folder: Path) -> None:
    cell = cells(blocks(read_run(run_folder))[0])[3][0][0]
    start, end = cell["span"]
    assert cell["text"].encode("utf-16-le")[2 * start : 2 * end].decode("utf-16-le") == "3"


def test_beyond_the_limit_flips_stay_and_the_note_says_it(tmp_path: Path) -> None:
    run = read_run(build(tmp_path / "run", Shape(test=300, hard=0, hostile=False, models=("sft", "dpo"))))
    flips = run.samples["test"].flips
    (whole,) = blocks(run, Limits(plain=0))
    limits = Limits(plain=0, embedded=whole.size * 2 // 3)
    (block,) = blocks(run, limits)
    kept = set(unpacked(block)["ids"])
    assert block.size <= limits.embedded
    assert 0 < len(flips) < block.embedded < block.problems == 300
    assert flips <= kept
    assert f"all {len(flips)} on which models differ" in block.note
    assert blocks(run, limits) == [block]


def test_when_not_even_the_flips_fit_the_note_says_so(tmp_path: Path) -> None:
    run = read_run(build(tmp_path / "run", Shape(test=300, hard=0, hostile=False, models=("sft", "dpo"))))
    (block,) = blocks(run, Limits(plain=0, embedded=1500))
    assert block.size <= 1500
    assert " of the " in block.note


def test_right_share_leaves_out_what_was_not_judged() -> None:
    assert right_share([None]) is None
    assert right_share([None, True, False]) == 0.5


def test_models_differ_where_their_shares_of_right_answers_do() -> None:
    a = {"same": [True, False], "more": [True, True], "unjudged": [True], "no text": [True]}
    b = {"same": [False, True, None], "more": [True, False], "unjudged": [None]}
    assert find_flips(a, [a, b]) == {"more"}


def test_flips_are_chosen_first_and_the_rest_by_the_seed() -> None:
    ids, flips = [f"q{i}" for i in range(100)], {"q3", "q50", "q99"}
    kept = choose(ids, flips, 0.1, "0/test")
    assert len(kept) == 10
    assert flips < kept
    assert kept == choose(ids, flips, 0.1, "0/test") != choose(ids, flips, 0.1, "1/test")
    assert choose(ids, flips, 0.02, "0/test") < flips
    assert choose(ids, flips, 1.0, "0/test") == set(ids)


def test_of_more_texts_than_memory_should_hold_a_choice_is_read(tmp_path: Path) -> None:
    folder = build(tmp_path / "run", Shape(test=300, hard=20, models=("sft", "dpo")))
    whole = read_run(folder)
    files = [file for stage in ("problems", "completions", "grades") for file in (folder / stage).rglob("*.jsonl")]
    part = read_run(folder, held=1 + sum(file.stat().st_size for file in files) // 2)
    for name, samples in part.samples.items():
        everything = whole.samples[name]
        kept = [problem["id"] for problem in samples.problems]
        assert len(kept) == samples.total // 2 == len(everything.problems) // 2
        assert samples.flips == everything.flips
        assert samples.flips <= set(kept) or set(kept) <= samples.flips
        assert [problem for problem in everything.problems if problem["id"] in kept] == samples.problems
        for model, answers in samples.answers.items():
            assert answers == {name: everything.answers[model][name] for name in kept}
    assert "it holds 150 of 300 problems of test: all " in blocks(part)[0].note


def test_a_model_without_texts_yet_is_shown_empty(tmp_path: Path) -> None:
    folder = build(tmp_path / "run", Shape(test=4, hard=0, models=("base", "sft")))
    for path in (folder / "completions/sft-test-00000001").iterdir():
        path.unlink()
    (block,) = blocks(read_run(folder))
    assert unpacked(block)["cells"][1] == [None] * 4
    assert all(row[0] and not row[1] for row in cells(block))


def test_completions_without_grades_are_not_graded(tmp_path: Path) -> None:
    folder = build(tmp_path / "run", Shape(test=4, hard=0, models=("base", "sft")))
    (folder / "grades/sympy-sft-test-00000001/block-00000.jsonl").unlink()
    sample = read_run(folder).samples["test"].answers["sft"]["test-00001"][0]
    assert (sample.correct, sample.kind) == (None, "not graded")


def test_no_run_folder(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no results\.json"):
        read_run(tmp_path)


@pytest.mark.parametrize("version", [None, 0, 2, "1"])
def test_another_version_is_refused(tmp_path: Path, version: object) -> None:
    (tmp_path / "results.json").write_text(json.dumps({"version": version}))
    with pytest.raises(UsageError, match="reads version 1"):
        read_run(tmp_path)


@pytest.mark.parametrize("text", ["{", "[]"])
def test_broken_results_are_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "results.json").write_text(text)
    with pytest.raises(BenchError, match=r"results\.json"):
        read_run(tmp_path)


def test_a_broken_line_is_named_with_its_number(tmp_path: Path) -> None:
    folder = build(tmp_path / "run", Shape(test=4, hard=0, models=("base", "sft")))
    path = folder / "grades/sympy-sft-test-00000001/block-00000.jsonl"
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0], "{oops", *lines[2:]]))
    with pytest.raises(BenchError, match=r"block-00000\.jsonl', line 2,"):
        read_run(folder)


def test_a_torn_last_line_of_timings_is_passed_over(tmp_path: Path) -> None:
    folder = build(tmp_path / "run", Shape(test=4, hard=0, models=("base", "sft")))
    whole = read_run(folder).timings
    with (folder / "timings.jsonl").open("a") as file:
        file.write('{"stage": "gen')
    assert read_run(folder).timings == whole


@pytest.mark.parametrize("name", ["/etc", "../other", "a/../../b", "..\\b"])
def test_a_stage_outside_the_run_is_refused(tmp_path: Path, name: str) -> None:
    folder = build(tmp_path / "run", Shape(test=4, hard=0, models=("base", "sft")))
    results = read(folder)
    results["stages"][0]["completions"] = name
    (folder / "results.json").write_text(json.dumps(results))
    with pytest.raises(BenchError, match="outside the run folder"):
        read_run(folder)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.043, "+4.3"), (-0.043, "−4.3"), (0.0, "0.0"), (-0.0001, "0.0"), (None, "–")],
)
def test_points(value: float | None, text: str) -> None:
    assert formatting.points(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "<\u202f0.001"),
        (0.00042, "<\u202f0.001"),
        (0.0012, "0.001"),
        (0.0123, "0.012"),
        (0.0498, "0.0498"),
        (0.0502, "0.0502"),
        (0.37, "0.37"),
    ],
)
def test_p_values_never_round_to_zero_nor_across_the_limit(value: float, text: str) -> None:
    assert formatting.p_value(value) == text


def test_durations_counts_and_numbers() -> None:
    assert formatting.duration(0.44) == "0.4\u202fs"
    assert formatting.duration(192) == "3\u202fmin 12\u202fs"
    assert formatting.duration(7500) == "2\u202fh 05\u202fmin"
    assert formatting.count(1234) == "1,234"
    assert formatting.count(57.75) == "57.8"
    assert formatting.significant(-0.00012345) == "−0.0001234"
    assert formatting.significant(150000.0) == "150,000"


@given(st.text(st.characters(codec=None)))
def test_visible_text_can_be_written_and_loses_nothing_printable(text: str) -> None:
    shown = formatting.visible(text)
    shown.encode("utf-8")
    assert all(character in shown for character in text if character.isprintable())


finite = st.floats(-1e9, 1e9, allow_nan=False)


@given(st.lists(finite, min_size=1), st.integers(1, 8))
def test_a_scale_holds_its_data(values: list[float], ticks: int) -> None:
    axis = charts.scale(values, 10, 200, ticks=ticks)
    assert all(10 <= axis.at(value) <= 200 for value in values)
    assert 2 <= len(axis.ticks) <= 2 * ticks + 3


@given(st.lists(st.floats(0, 1), min_size=1))
def test_axes_of_shares_hold_all_intervals_within_the_drawing(values: list[float]) -> None:
    axis = charts.percent_scale(values)
    assert all(axis.start <= axis.at(100 * value) <= axis.end for value in values)
    assert axis.high <= 100
    assert axis.low >= 0
    assert len(axis.ticks) >= 2


@given(st.lists(st.floats(-1, 1), min_size=1))
def test_the_axis_of_differences_holds_zero(values: list[float]) -> None:
    axis = charts.difference_scale(values)
    assert 0.0 in axis.ticks
    assert all(axis.start <= axis.at(100 * value) <= axis.end for value in values)


def test_curves_leave_out_what_is_no_number_and_say_it() -> None:
    log = [{"step": step, "loss": math.nan if step == 3 else 1 / step, "note": "x"} for step in range(1, 9)]
    view = training_view({"model": "m", "log": log})
    (chart,) = view["charts"]
    assert len(chart.curves[0].points.split()) == 7
    assert view["unsound"] == ["loss"]
    assert chart.description == "It goes from 1 at step 1 to 0.125 at step 8."


def test_where_chosen_and_rejected_answers_went_is_a_sentence_not_a_fact() -> None:
    change = {"first": -10.0, "last": -12.0, "error": 0.1, "texts": 1256}
    facts = {"steps": 3, "chosen_log_prob": change, "rejected_log_prob": {**change, "last": -30.0}}
    view = training_view({"model": "m", "facts": facts, "log": []})
    assert view["facts"] == {"steps": 3}
    chosen, rejected = view["likelihoods"]
    assert chosen == (
        "Mean log-probability of chosen answers (1,256 texts): -10.0 under the parent, -12.0 after training; the "
        "typical one is 0.14 times as likely."
    )
    assert rejected.endswith("-30.0 after training; the typical one is less than a hundredth as likely.")


def test_the_last_record_of_a_step_counts() -> None:
    log = [{"step": 1, "loss": 9.0}, {"step": 2, "loss": 8.0}, {"step": 1, "loss": 5.0}]
    chart = charts.line_chart("Loss", log, {"loss": ""})
    assert chart is not None
    assert chart.description == "It goes from 5 at step 1 to 8 at step 2."


def test_long_logs_are_thinned_but_keep_both_ends() -> None:
    points = [(step, step) for step in range(10_001)]
    kept = charts.thin(points)
    assert len(kept) <= charts.CURVE_POINTS + 1
    assert (kept[0], kept[-1]) == (points[0], points[-1])


def test_labels_of_close_curves_do_not_meet() -> None:
    log = [{"step": s, "logps/chosen": -5.0 - s, "logps/rejected": -5.01 - s} for s in range(1, 5)]
    chart = charts.line_chart("x", log, {"logps/chosen": "chosen", "logps/rejected": "rejected"})
    assert chart is not None
    first, second = (curve.label_y for curve in chart.curves)
    assert abs(first - second) >= 13


def test_timings_of_a_resumed_stage_are_added(tmp_path: Path) -> None:
    folder = build(tmp_path / "run", Shape(test=4, hard=0, models=("base", "sft")))
    rows = [{"stage": "a", "seconds": 1.5, "tokens": 10}, {"stage": "a", "seconds": 2.5}, {"stage": "b", "seconds": 4}]
    (folder / "timings.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    view = timings_view(read_run(folder))
    assert [(r["stage"], r["seconds"], r["tokens"], r["parts"], r["share"]) for r in view["rows"]] == [
        ("a", 4.0, 10, 2, 0.5),
        ("b", 4.0, 0, 1, 0.5),
    ]


def test_conditions_compare_prompts_and_number_formats() -> None:
    record = {"hash": "1", "text": "Q"}
    prompts = {"a": {"test": record}, "b": {"test": {**record, "hash": "2"}}}
    models = {"a": {"engine": {"dtype": "float32"}}, "b": {"engine": {"dtype": "float32"}}}
    first, second = checks({"prompts": prompts, "models": models})
    assert (first["what"], first["same"]) == ("prompt on test", False)
    assert (second["what"], second["same"]) == ("number format", True)
    rows = [{"model": m, "dataset": "test", "hash": "1"} for m in "ab"]
    assert checks({"prompts": rows})[0]["same"] is True
    assert checks({}) == []


def test_further_graders_go_with_each_sample(tmp_path: Path) -> None:
    folder = build(tmp_path / "run", Shape(test=8, hard=0, models=("base", "sft")))
    add_grader(folder)
    (block,) = blocks(read_run(folder))
    data, cell = unpacked(block), cells(block)[5][1][0]
    assert data["graders"] == ["strict"]
    (other,) = cell["others"]
    verdict = dict(zip(data["verdict"], other, strict=True))
    assert (verdict["kind"], verdict["reason"]) == ("strict", "Only a boxed answer counts <b>here</b>.")
    correct, _, _, others = data["states"][data["cells"][1][5]]
    assert others == [[correct and cell["rule"] == "boxed"]]


def test_a_further_graders_missing_verdicts_are_none(tmp_path: Path) -> None:
    folder = build(tmp_path / "run", Shape(test=4, hard=0, models=("base", "sft")))
    add_grader(folder)
    (folder / "grades/strict-sft-test-00000001/block-00000.jsonl").unlink()
    assert read_run(folder).samples["test"].answers["sft"]["test-00001"][0].others == (None,)


def test_one_grader_twice_is_told_apart_by_its_options() -> None:
    graders = [{"name": "a", "options": {"x": 1}}, {"name": "b"}, {"name": "a", "options": {}}]
    assert grader_labels({"other_graders": graders}) == ['a {"x": 1}', "b", "a {}"]
    assert grader_labels({}) == []


@pytest.mark.parametrize(
    ("sentence", "parts"),
    [
        ("b beats a by 2.0 points (p = 0.01, n = 9).", ("b beats a by 2.0 points", "(p = 0.01, n = 9).")),
        ("x: nothing (n = 1); a gap (small).", ("x: nothing", "(n = 1); a gap (small).")),
        ("no brackets.", ("no brackets.", "")),
    ],
)
def test_a_verdict_is_split_at_its_figures(sentence: str, parts: tuple[str, str]) -> None:
    assert formatting.verdict_parts(sentence) == parts


def test_figures_are_kept_from_breaking_a_line() -> None:
    kept = formatting.unbroken("(95 % CI 1.0 to 2.0, p < 0.001, n = 1000)")
    assert kept.replace("\u00a0", "_") == "(95_%_CI 1.0 to 2.0, p_<_0.001, n_=_1000)"


def test_a_last_point_over_fewer_steps_is_said() -> None:
    def short_end(steps: list[int]) -> object:
        return training_view({"model": "m", "log": [{"step": step, "loss": 1.0} for step in steps]})["short_end"]

    assert short_end([1, 10, 20, 22]) == (2, 10)
    assert short_end([10, 20, 30]) is None
    assert short_end([1, 2]) is None
    assert short_end(list(range(0, 5001, 10))) is None


def test_time_is_summed_by_kind_of_work(tmp_path: Path) -> None:
    folder = build(tmp_path / "run", Shape(test=4, hard=0, models=("base", "sft")))
    names = ("completions/base-test-1", "models/sft-1", "completions/sft-test-1", "grades/sympy-1", "other")
    rows = [{"stage": name, "seconds": 2, "tokens": 10} for name in names]
    (folder / "timings.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = [(kind["name"], kind["seconds"], kind["tokens"]) for kind in timings_view(read_run(folder))["kinds"]]
    assert found == [("Generating", 4, 20), ("Training", 2, 10), ("Grading", 2, 10), ("other", 2, 10)]


@pytest.mark.parametrize(
    ("entry", "text"),
    [
        ({"name": "test", "data": "test", "split": "test"}, "test"),
        ({"name": "mine", "data": "test", "split": "test"}, "mine (test)"),
        ({"name": "test", "data": "arith", "split": "test"}, "arith test"),
        ({"name": "mine", "data": "arith", "split": "hard"}, "mine (arith hard)"),
        ({}, ""),
    ],
)
def test_a_dataset_is_named_without_saying_a_word_twice(entry: dict[str, str], text: str) -> None:
    assert label(entry) == text
