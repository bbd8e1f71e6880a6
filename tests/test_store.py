"""The run folder: atomic writes, what makes a stage count, reuse by hash, one writer."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from mra_bench import store
from mra_bench.errors import BenchError, UsageError


def test_fingerprint_ignores_key_order_and_sees_every_value() -> None:
    assert store.fingerprint({"a": 1, "b": [1, 2]}) == store.fingerprint({"b": [1, 2], "a": 1})
    assert store.fingerprint({"a": 1}) != store.fingerprint({"a": 1.5})


def test_rows_with_any_code_point_survive(tmp_path: Path) -> None:
    rows = [{"text": "\ud800 \x00 \u202e </script> \u2028"}, {"text": "plain"}]
    store.write_rows(tmp_path / "block-00000.jsonl", rows)
    assert list(store.read_rows(tmp_path)) == rows


def test_a_last_line_cut_by_a_crash_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    store.append_row(path, {"step": 1})
    with path.open("a") as file:
        file.write('{"step": 2, "lo')
    assert list(store.read_rows(path)) == [{"step": 1}]


def test_failed_write_leaves_the_old_file_and_no_litter(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    store.write_json(path, {"x": 1})
    with pytest.raises(ValueError, match="Out of range|not JSON compliant"):
        store.write_json(path, {"x": float("nan")})
    assert json.loads(path.read_text()) == {"x": 1}
    with pytest.raises(UnicodeEncodeError):
        store.write_text(path, "\ud800")
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]


def make_stage(folder: Path) -> str:
    folder.mkdir(parents=True)
    (folder / store.WORK).mkdir()
    (folder / store.WORK / "scratch").write_text("x")
    store.write_rows(folder / "rows.jsonl", [{"a": 1}])
    store.finish_stage(folder, {"kind": "problems", "fingerprint": "f" * 64})
    return "f" * 64


def test_a_stage_counts_by_its_last_file_and_drops_its_work(tmp_path: Path) -> None:
    folder = tmp_path / "stage"
    assert store.stage_record(folder) is None
    make_stage(folder)
    record = store.stage_record(folder)
    assert record is not None
    assert list(record["files"]) == ["rows.jsonl"]
    assert not (folder / store.WORK).exists()


def test_the_work_of_a_stage_stays_until_the_stage_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed while `stage.json` is written: what a new start needs is there. Checkpoints kept outside it are hashed."""
    folder = tmp_path / "stage"
    for name in (store.WORK, "checkpoint-4/work"):
        (folder / name).mkdir(parents=True)
        (folder / name / "made_with.json").write_text("[]")

    def killed(path: Path, value: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(store, "write_json", killed)
        with pytest.raises(KeyboardInterrupt):
            store.finish_stage(folder, {})
    assert (folder / store.WORK / "made_with.json").is_file()
    store.finish_stage(folder, {})
    record = store.stage_record(folder)
    assert record is not None
    assert list(record["files"]) == ["checkpoint-4/work/made_with.json"]
    assert not (folder / store.WORK).exists()


def test_reuse_links_equal_stages_and_checks_hashes(tmp_path: Path) -> None:
    source, target = tmp_path / "one" / "s", tmp_path / "two" / "s"
    expected = make_stage(source)
    assert not store.reuse_stage(source, target, "0" * 64)
    assert store.reuse_stage(source, target, expected)
    assert (target / "rows.jsonl").stat().st_ino == (source / "rows.jsonl").stat().st_ino
    (source / "rows.jsonl").write_text("changed\n")
    with pytest.raises(BenchError, match="recorded hash"):
        store.reuse_stage(source, tmp_path / "three", expected)


def test_two_processes_on_one_folder(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib\nfrom mra_bench.store import locked\n"
        "with locked(pathlib.Path(sys.argv[1])):\n    print('held', flush=True); sys.stdin.read()"
    )
    first = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert first.stdout is not None
    assert first.stdout.readline() == "held\n"
    with pytest.raises(UsageError, match="Another run is working on"), store.locked(tmp_path):
        pass
    first.kill()
    first.communicate()
    with store.locked(tmp_path):
        pass


def test_unwritable_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(UsageError, match=r"Cannot write to the run folder .*--out"),
        store.locked(tmp_path / "file" / "x"),
    ):
        pass


def test_appending_after_a_crash_removes_the_torn_line(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    store.append_row(path, {"step": 1})
    with path.open("a") as file:
        file.write('{"step": 2, "lo')
    store.append_row(path, {"step": 3})
    assert list(store.read_rows(path)) == [{"step": 1}, {"step": 3}]
