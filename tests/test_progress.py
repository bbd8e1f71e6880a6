"""Progress: plain lines off a terminal, JSON lines for programs, nothing but the result when quiet."""

from __future__ import annotations

import io
import json

import pytest

from mra_bench.progress import Clock, JsonReporter, PlainReporter, QuietReporter, RichReporter, minutes


@pytest.mark.parametrize(("seconds", "text"), [(0.4, "0:00"), (75, "1:15"), (3600, "1:00:00"), (7384, "2:03:04")])
def test_minutes(seconds: float, text: str) -> None:
    assert minutes(seconds) == text


def test_a_line_says_done_total_rate_and_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("mra_bench.progress.time.monotonic", lambda: now[0])
    clock = Clock("generate sft-test", 1000, "texts")
    assert clock.line() == "generate sft-test  0/1,000 texts"
    now[0] += 600  # loading the model
    clock.update(50, None, 1000, "")
    assert clock.line() == "generate sft-test  50/1,000 texts"
    now[0] += 10
    clock.update(250, None, 6000, "")
    assert clock.line() == "generate sft-test  250/1,000 texts  500 tokens/s  ETA 0:38"
    clock.update(1000, None, 25000, "")
    assert clock.line() == "generate sft-test  1,000/1,000 texts  2,400 tokens/s"


def test_time_left_counts_only_what_this_process_did(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("mra_bench.progress.time.monotonic", lambda: now[0])
    clock = Clock("train", 100, "steps")
    clock.update(80, None, 0, "")  # resumed at 80
    now[0] += 10
    clock.update(90, None, 0, "")
    assert "ETA 0:10" in clock.line()


def test_plain_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first line with a rate comes early, the next ones every ten seconds."""
    now = [100.0]
    monkeypatch.setattr("mra_bench.progress.time.monotonic", lambda: now[0])
    stream = io.StringIO()
    reporter = PlainReporter(stream)
    reporter.begin("grade", 90, "texts")
    for done in range(1, 18):
        reporter.update(done, tokens=10 * done)
        now[0] += 1
    reporter.end("90 texts")
    assert stream.getvalue().splitlines() == [
        "grade: 90 texts",
        "  grade  3/90 texts  10 tokens/s  ETA 1:27",
        "  grade  13/90 texts  10 tokens/s  ETA 1:17",
        "  90 texts in 0:17",
    ]


def test_a_stage_whose_length_shows_later_says_so_at_once() -> None:
    stream = io.StringIO()
    reporter = PlainReporter(stream)
    reporter.begin("train sft", 0, "steps", "about 640 examples")
    reporter.update(0, total=20)
    reporter.update(1, total=20)
    assert stream.getvalue().splitlines() == ["train sft: about 640 examples", "  train sft: 20 steps"]


def test_the_live_display_says_how_much_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    reporter = RichReporter()
    reporter.begin("train sft", 0, "steps", "about 640 examples")
    try:
        assert reporter.bar.tasks[0].description == "train sft: about 640 examples"
        reporter.update(3, total=20)
        assert reporter.bar.tasks[0].description == "train sft  3/20 steps"
        assert (reporter.bar.tasks[0].completed, reporter.bar.tasks[0].total) == (3, 20)
    finally:
        reporter.end("20 steps")
    assert "✓ train sft: 20 steps in 0:0" in capsys.readouterr().err


def test_quiet_prints_the_result_only(capsys: pytest.CaptureFixture[str]) -> None:
    reporter = QuietReporter()
    reporter.begin("grade", 3, "texts")
    reporter.update(3)
    reporter.end("done")
    reporter.message("hello")
    reporter.result({}, "the result")
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("the result\n", "")


def test_json_lines(capsys: pytest.CaptureFixture[str]) -> None:
    reporter = JsonReporter(every=0.0)
    reporter.begin("grade", 3, "texts")
    reporter.update(1, tokens=7)
    reporter.end("done")
    reporter.result({"report": "x"}, "unused")
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [e["event"] for e in events] == ["begin", "progress", "end", "result"]
    assert events[1]["done"] == 1
    assert events[1]["tokens"] == 7
    assert events[1]["seconds_left"] is None
    assert events[3]["report"] == "x"
