"""Cores, threads and the environment they are written to."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from mra_bench import runtime

NAMES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", *runtime.FIXED)


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """No setting by the user, eight cores, no control groups."""
    for name in NAMES:
        monkeypatch.setenv(name, "to be removed")
        monkeypatch.delenv(name)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(8)), raising=False)
    monkeypatch.setattr(runtime, "OWN_CGROUP", tmp_path / "cgroup")
    monkeypatch.setattr(runtime, "CGROUPS", tmp_path / "groups")
    return monkeypatch


def group(tmp_path: Path, line: str, **files: str) -> None:
    (tmp_path / "cgroup").write_text(line + "\n")
    for name, content in files.items():
        path = tmp_path / "groups" / name.replace("__", "/").replace("_max", ".max").replace("cpu_cfs", "cpu.cfs")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content + "\n")


def test_cores_are_those_of_the_affinity_mask(bare: pytest.MonkeyPatch) -> None:
    assert runtime.usable_cores() == 8
    bare.setattr(os, "sched_getaffinity", lambda pid: {3})
    assert runtime.usable_cores() == 1
    bare.delattr(os, "sched_getaffinity")
    bare.setattr(os, "cpu_count", lambda: 5)
    assert runtime.usable_cores() == 5
    bare.setattr(os, "cpu_count", lambda: None)
    assert runtime.usable_cores() == 1


@pytest.mark.parametrize(
    ("line", "files", "cores"),
    [
        ("0::/", {"cpu_max": "max 100000"}, 8),
        ("0::/", {"cpu_max": "200000 100000"}, 2),
        ("0::/", {"cpu_max": "50000 100000"}, 1),
        ("0::/", {"cpu_max": "350000 100000"}, 3),
        ("0::/", {"cpu_max": "1600000 100000"}, 8),
        ("0::/a/b", {"a__cpu_max": "400000 100000", "a__b__cpu_max": "max 100000"}, 4),
        ("0::/a/b", {"a__cpu_max": "400000 100000", "a__b__cpu_max": "200000 100000"}, 2),
        ("0::/../outside", {"cpu_max": "broken"}, 8),
        ("3:cpu,cpuacct:/j", {"cpu__j__cpu_cfs_quota_us": "300000", "cpu__j__cpu_cfs_period_us": "100000"}, 3),
        ("3:cpu,cpuacct:/", {"cpu__cpu_cfs_quota_us": "-1", "cpu__cpu_cfs_period_us": "100000"}, 8),
        ("5:memory:/", {"cpu_max": "100000 100000"}, 8),
    ],
)
def test_a_quota_of_the_control_group_cuts_the_cores(
    bare: pytest.MonkeyPatch, tmp_path: Path, line: str, files: dict[str, str], cores: int
) -> None:
    group(tmp_path, line, **files)
    assert runtime.usable_cores() == cores


def test_settings_are_made_and_returned_and_made_once(bare: pytest.MonkeyPatch) -> None:
    settings = runtime.prepare_threads()
    assert settings["threads"] == 8
    assert {name: os.environ[name] for name in NAMES} == {name: settings[name] for name in NAMES}
    assert settings["OMP_NUM_THREADS"] == settings["MKL_NUM_THREADS"] == "8"
    assert settings["OMP_WAIT_POLICY"] == "PASSIVE"
    assert json.loads(json.dumps(settings)) == settings
    assert runtime.prepare_threads() == settings


def test_strict_is_one_thread_unless_the_user_asks_for_more(bare: pytest.MonkeyPatch) -> None:
    assert runtime.prepare_threads(strict=True)["threads"] == 1
    assert os.environ["OMP_NUM_THREADS"] == os.environ["MKL_NUM_THREADS"] == "1"
    assert runtime.prepare_threads()["threads"] == 1  # whoever asks later
    bare.setenv("OMP_NUM_THREADS", "3")
    assert runtime.prepare_threads(strict=True)["threads"] == 3
    bare.setenv("OMP_NUM_THREADS", "many")
    assert runtime.prepare_threads(strict=True)["OMP_NUM_THREADS"] == "1"


def test_what_the_user_set_stays(bare: pytest.MonkeyPatch) -> None:
    bare.setenv("OMP_NUM_THREADS", "3")
    bare.setenv("MKL_NUM_THREADS", "2")
    bare.setenv("OMP_WAIT_POLICY", "ACTIVE")
    settings = runtime.prepare_threads()
    assert (settings["threads"], settings["OMP_NUM_THREADS"], settings["MKL_NUM_THREADS"]) == (3, "3", "2")
    assert os.environ["OMP_WAIT_POLICY"] == "ACTIVE"


@pytest.mark.parametrize(("value", "threads"), [("5", 5), ("4,2", 4), ("", 8), ("0", 8), ("-1", 8), ("many", 8)])
def test_a_setting_that_is_no_number_of_threads_is_replaced(bare: pytest.MonkeyPatch, value: str, threads: int) -> None:
    bare.setenv("OMP_NUM_THREADS", value)
    assert runtime.threads() == threads
    assert runtime.prepare_threads()["OMP_NUM_THREADS"] == str(threads)


def test_torch_takes_the_threads_prepared_before_its_import() -> None:
    code = (
        "import os, sys; os.environ.pop('OMP_NUM_THREADS', None); os.environ.pop('MKL_NUM_THREADS', None)\n"
        "from mra_bench.runtime import prepare_threads, usable_cores\n"
        "assert 'torch' not in sys.modules\n"
        "settings = prepare_threads(); import torch\n"
        "assert torch.get_num_threads() == settings['threads'] == usable_cores(), torch.get_num_threads()"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


@pytest.mark.parametrize(
    ("line", "files", "limit"),
    [
        ("0::/", {"memory_max": "max"}, 1 << 34),
        ("0::/", {"memory_max": "1073741824"}, 1 << 30),
        ("0::/a/b", {"a__memory_max": "1073741824", "a__b__memory_max": "4294967296"}, 1 << 30),
        ("9:memory:/j", {"memory__j__memory.limit_in_bytes": "536870912"}, 1 << 29),
        ("9:memory:/j", {"memory__j__memory.limit_in_bytes": "9223372036854771712"}, 1 << 34),
        ("0::/", {"memory_max": "broken"}, 1 << 34),
    ],
)
def test_memory_is_the_machines_cut_by_its_control_groups(
    bare: pytest.MonkeyPatch, tmp_path: Path, line: str, files: dict[str, str], limit: int
) -> None:
    import psutil

    bare.setattr(psutil, "virtual_memory", lambda: type("Memory", (), {"total": 1 << 34}))
    assert runtime.usable_memory() == 1 << 34
    group(tmp_path, line, **files)
    assert runtime.usable_memory() == limit


HELD = """
import numpy, psutil
from mra_bench import runtime

def resident():
    return psutil.Process().memory_info().rss >> 20

def held():
    before = resident()
    block = numpy.ones(2**25)  # 256 MiB, each page of it written
    del block
    return resident() - before
"""
glibc = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc can be told")


@glibc
def test_freed_memory_is_kept_for_the_next_tensor_until_it_is_given_back() -> None:
    plain, kept, given = _numbers(
        "print(held()); runtime.keep_freed_memory(); print(held())\n"
        "before = resident(); runtime.give_freed_memory_back(); print(before - resident())"
    )
    assert plain < 50
    assert kept > 200
    assert given > 200


@glibc
def test_how_the_user_keeps_memory_stays() -> None:
    assert _numbers("runtime.keep_freed_memory(); print(held())", MALLOC_MMAP_THRESHOLD_="131072")[0] < 50


def _numbers(code: str, **environment: str) -> list[int]:
    """What the code prints, where nothing but `environment` says how memory is kept."""
    bare = {name: value for name, value in os.environ.items() if not name.startswith(("MALLOC_", "GLIBC_"))}
    done = subprocess.run(
        [sys.executable, "-c", HELD + code], env={**bare, **environment}, capture_output=True, text=True, check=True
    )
    return [int(number) for number in done.stdout.split()]
