"""Progress: plain lines off a terminal, JSON lines for programs, nothing but the result when quiet."""

from __future__ import annotations

import io
import json

import pytest

from mra_bench.progress import Clock, JsonReporter, PlainReporter, QuietReporter, minutes


@pytest.mark.parametrize(("seconds", "text"), [(0.4, "0:00"), (75, "1:15"), (3600, "1:00:00"), (7384, "2:03:04")])
def test_minutes(seconds: float, text: str) -> None:
    assert minutes(seconds) == text


def test_a_line_says_done_total_rate_and_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("mra_bench.progress.time.monotonic", lambda: now[0])
    clock = Clock("generate sft-test", 1000, "texts")
    now[0] += 10
    clock.update(50, None, 0, "")
    clock.update(250, None, 5000, "")
    assert clock.line() == "generate sft-test  250/1,000 texts  500 tokens/s  ETA 0:30"


def test_time_left_counts_only_what_this_process_did(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("mra_bench.progress.time.monotonic", lambda: now[0])
    clock = Clock("train", 100, "steps")
    clock.update(80, None, 0, "")  # resumed at 80
    now[0] += 10
    clock.update(90, None, 0, "")
    assert "ETA 0:10" in clock.line()


def test_plain_lines() -> None:
    stream = io.StringIO()
    reporter = PlainReporter(stream, every=0.0)
    reporter.begin("grade", 3, "texts")
    reporter.update(1)
    reporter.end("3 texts")
    lines = stream.getvalue().splitlines()
    assert lines[0] == "grade: 3 texts"
    assert lines[1].startswith("  grade  1/3 texts")
    assert lines[2].startswith("  3 texts in 0:0")


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
    assert events[3]["report"] == "x"
