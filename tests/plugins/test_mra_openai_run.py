"""Runs of `mra_openai` through the command line: killed and resumed, over budget, with a key, offline."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from endpoint_server import KEY, Asked, Says, Service, chat, endpoint
from runs import COMMAND, here
from test_schemas import schema


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def words(service: Service, out: Path, *more: str, limit: int = 12, **options: Any) -> list[str]:
    given = {"base_url": service.url, "model": "m", **options}
    settings = [f"models.api.options.{name}={value}" for name, value in given.items()]
    asked = ["run", "--model", "api=openai", "--data", "arith", "--limit", str(limit), "--out", str(out)]
    return [*asked, *(word for setting in (*settings, "block_size=8", *more) for word in ("--set", setting))]


def rows(out: Path) -> list[dict[str, Any]]:
    paths = sorted(out.glob("completions/*/block-*.jsonl"))
    return [json.loads(line) for path in paths for line in path.read_text().splitlines()]


def test_a_run_from_start_to_report(tmp_path: Path) -> None:
    out = tmp_path / "run"
    with endpoint() as service:
        done = here(*words(service, out, input_price=1, output_price=2))
    assert done.returncode == 0, done.stderr
    assert "12 texts, 60 tokens, cost 0.00024" in done.stderr
    assert len(service.questions) == len(set(service.questions)) == 12
    record = json.loads((out / "run.json").read_text())["models"]["api"]
    assert record["served"] == {"endpoint": service.url, "model": "m"}
    assert record["reproducible"] is False
    assert record["notes"] == {"cost": 0.00024, "reported_model": {"m": 12}, "system_fingerprint": {"fp_1": 12}}
    report = (out / "report.html").read_text()
    assert "api: asked again, it may write other texts" in report
    audited = here("audit", out)  # and the server is gone
    assert audited.returncode == 0, audited.stdout
    again = here(*words(service, out))
    assert again.returncode == 0, again.stderr
    planned = here(*words(service, tmp_path / "other", output_price=2), "--dry-run")
    assert planned.returncode == 0, planned.stderr
    assert "take at most about 0.01229 by the prices" in planned.stdout + planned.stderr  # 12 texts of 512 tokens
    planned = here(*words(service, out, output_price=2), "--dry-run")
    assert "by the prices" not in planned.stdout + planned.stderr
    refused = here(*words(service, tmp_path / "other"))
    assert refused.returncode == 2
    assert "Model 'api': The endpoint" in refused.stderr
    assert not (tmp_path / "other" / "run.json").exists()
    strict = here(*words(service, tmp_path / "other"), "--strict-determinism")
    assert strict.returncode == 2
    assert "does not promise strict determinism" in strict.stderr


def test_a_run_that_is_killed_asks_nothing_twice_that_was_answered(tmp_path: Path) -> None:
    """The server answers eleven of thirty, then holds the rest back; the run is killed there, and goes on."""
    stuck, go_on = threading.Event(), threading.Event()
    answered: Counter[str] = Counter()
    lock = threading.Lock()

    def answer(asked: Asked, count: int) -> Any:
        if asked.is_check:
            return chat()
        with lock:
            held = not go_on.is_set() and answered.total() >= 11
            answered[asked.question] += not held
        if held:
            stuck.set()
            return Says(stall=True)
        return chat()

    with endpoint(answer) as service:
        command = [*COMMAND, *words(service, tmp_path / "run", limit=30, max_concurrency=4)]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ})
        assert stuck.wait(60)
        kept = tmp_path / "run" / "completions"
        while sum(len(path.read_text().splitlines()) for path in kept.rglob("*.jsonl")) < 11:
            assert process.poll() is None
        process.send_signal(signal.SIGKILL)
        process.wait()
        go_on.set()
        done = here(*words(service, tmp_path / "run", limit=30))
    assert done.returncode == 0, done.stderr
    assert len(rows(tmp_path / "run")) == 30
    assert set(answered.values()) == {1}
    assert answered.total() == 30


def test_over_the_budget_a_run_stops_and_goes_on_with_a_higher_one(tmp_path: Path) -> None:
    priced = {"input_price": 1000, "output_price": 2000, "max_concurrency": 1}  # 0.02 a text
    with endpoint() as service:
        stopped = here(*words(service, tmp_path / "run", **priced, budget=0.1))
        assert stopped.returncode == 1
        assert "The budget of 0.1 for 'm' is spent" in stopped.stderr
        assert len(service.questions) == 5
        assert here(*words(service, tmp_path / "run", **priced, budget=0.1)).returncode == 1
        assert len(service.questions) == 5
        done = here(*words(service, tmp_path / "run", **priced, budget=1))
    assert done.returncode == 0, done.stderr
    assert len(service.questions) == len(set(service.questions)) == 12
    assert json.loads((tmp_path / "run" / "run.json").read_text())["models"]["api"]["notes"]["cost"] == pytest.approx(
        0.24
    )


def test_no_file_and_no_line_holds_the_key(tmp_path: Path) -> None:
    def answer(asked: Asked, count: int) -> Any:
        assert asked.headers["authorization"] == f"Bearer {KEY}"
        if count == 3:
            return Says({"error": {"message": f"slow down, {KEY}"}}, 429, {"Retry-After": "0.01"})
        return chat(f"It is 4, says {KEY}", system_fingerprint=KEY, model="m")

    with endpoint(answer) as service:
        done = here(*words(service, tmp_path / "run", key_env="MY_KEY"), MY_KEY=KEY, OPENAI_LOG="debug")
        assert done.returncode == 0, done.stderr
        service.answer = lambda asked, count: Says({"error": {"message": f"bad key {KEY}"}}, 401)
        refused = here(*words(service, tmp_path / "other", key_env="MY_KEY"), MY_KEY=KEY)
    assert refused.returncode == 2
    assert "bad key ***" in refused.stderr
    assert "The key in MY_KEY is not one that it takes" in refused.stderr
    unset = here(*words(service, tmp_path / "other", key_env="MY_KEY"))
    assert "The environment variable MY_KEY, which key_env names, is not set" in unset.stderr
    given = here(*words(service, tmp_path / "other", key_env=KEY))
    assert given.returncode == 2
    for said in (done, refused, unset, given):
        assert KEY not in said.stdout + said.stderr
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) > 8
    assert not [path for path in files if KEY.encode() in path.read_bytes()]


def test_samples_are_asked_with_a_seed_each(tmp_path: Path) -> None:
    drawn = ("evaluate.samples=3", "evaluate.temperature=0.7")
    with endpoint() as service:
        done = here(*words(service, tmp_path / "run", *drawn, limit=2))
    assert done.returncode == 0, done.stderr
    asked = [one.body for one in service.asked if not one.is_check]
    assert len({body["seed"] for body in asked}) == 6
    assert {body["temperature"] for body in asked} == {0.7}


def test_a_server_that_takes_no_notice_of_the_temperature_is_found_out(tmp_path: Path) -> None:
    drawn = ("evaluate.samples=2", "evaluate.temperature=0.7")
    with endpoint() as service:
        assert here(*words(service, tmp_path / "same", *drawn, limit=6)).returncode == 0
        service.answer = lambda asked, count: chat(f"It is {asked.body.get('seed', 0) % 7}.")
        assert here(*words(service, tmp_path / "drawn", *drawn, limit=6)).returncode == 0
    results = json.loads((tmp_path / "same" / "results.json").read_text())
    jsonschema.validate(results, schema("results"))
    said = [warning["text"] for warning in results["warnings"] if warning["kind"] == "not-drawn"]
    assert len(said) == 1
    assert said[0].startswith("api on arith: the 2 samples of each of 6 problems are the same text at temperature 0.7")
    assert "not_drawn" not in json.loads((tmp_path / "drawn" / "results.json").read_text())
    assert here("audit", tmp_path / "same").returncode == 0


def test_a_leaderboard_calls_its_row_unverifiable(tmp_path: Path) -> None:
    with endpoint() as service:
        assert here(*words(service, tmp_path / "run", limit=4)).returncode == 0
    done = here("leaderboard", "verify", tmp_path / "run", "--out", tmp_path / "board")
    assert "unverifiable" in done.stdout
    assert "nothing tells which weights wrote its texts" in done.stdout
