"""The wheel as a user gets it: installed with the constraints into an empty environment, run in an empty folder."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Installed:
    """A fresh environment with our wheel and all it needs, and the variables for what runs in it."""

    binaries: Path
    env: Mapping[str, str]

    def run(self, name: str, *arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
        """A program of the environment to its end, in a folder that is not the repository."""
        command = [str(self.binaries / name), *map(str, arguments)]
        return subprocess.run(command, cwd=cwd, env=self.env, capture_output=True, text=True, check=False)

    def install(self, *arguments: object, cwd: Path) -> None:
        constraints = ROOT / "constraints.txt"
        done = self.run("python", "-m", "pip", "install", "--quiet", "-c", constraints, *arguments, cwd=cwd)
        assert done.returncode == 0, done.stderr


def build_wheel(source: Path, out: Path) -> Path:
    command = [sys.executable, "-m", "build", "--wheel", "--outdir", out, source]
    subprocess.run(command, check=True, capture_output=True)
    return next(out.glob("*.whl"))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(ROOT, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """One for all tests of this module. What the wheel needs, and nothing else, is linked from where it is installed
    for these tests: to unpack it all once more would take longer than the tests."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder / "env", with_pip=True)
    packages = Path(sysconfig.get_path("purelib", vars={"base": str(folder / "env")}))
    for name in needed("mra-bench") - {"mra-bench"}:
        link(metadata.distribution(name), packages)
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "MRA_"))}
    environment = Installed(folder / "env" / ("Scripts" if os.name == "nt" else "bin"), clean)
    environment.install(wheel, cwd=folder)  # would fetch what has not been linked
    return environment


def needed(name: str) -> set[str]:
    """Distributions that one needs, those that they need, and so on, and the one itself."""
    seen, waiting = set(), [(name, "")]
    while waiting:
        asked = waiting.pop()
        if asked in seen:
            continue
        seen.add(asked)
        for text in metadata.requires(asked[0]) or ():
            requirement = Requirement(text)
            if requirement.marker is None or requirement.marker.evaluate({"extra": asked[1]}):
                waiting += [(requirement.name, extra) for extra in ("", *requirement.extras)]
    return {distribution for distribution, _ in seen}


def link(distribution: metadata.Distribution, packages: Path) -> None:
    """Make what stands at the top of a distribution part of another environment."""
    for top in {file.parts[0] for file in distribution.files or ()} - {"..", "__pycache__"}:
        if not (packages / top).exists():
            (packages / top).symlink_to(distribution.locate_file(top))


def test_everything_travels_in_the_wheel_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    for wanted in (
        "mra_bench/recipes/smoke.yaml",
        "mra_bench/recipes/quickstart.yaml",
        "mra_bench/schemas/results.schema.json",
        "mra_bench/py.typed",
        "mra_bench/testing/__init__.py",
        "mra_bench/scaffold/grader/pyproject.txt",
        "datasets_spec/arith.yaml",
        "mra_tiny/weights/qwen2/model.safetensors",
        "mra_tiny/weights/gpt2/model.safetensors",
    ):
        assert wanted in names
    assert any(name.startswith("mra_bench/report/templates/") for name in names)
    tops = {name.split("/")[0] for name in names}
    assert not tops & {"plugins", "reports", "tests", "docs", "benchmarks", "build"}
    assert {t for t in tops if not t.endswith(".dist-info")} == {
        "mra_bench", "datasets_spec", *(p.name for p in (ROOT / "plugins").iterdir() if (p / "__init__.py").exists()),
    }  # fmt: skip


def test_the_main_job_from_the_wheel_in_an_empty_folder(installed: Installed, tmp_path: Path) -> None:
    little = ("sft.options.max_steps=3", "dpo.options.max_steps=2", "dpo.pairs.problems=8")
    less = [word for setting in little for word in ("--set", f"models.{setting}")]
    asked = ("run", "--models", "base,sft,dpo", "--recipe", "smoke", "--limit", 8, *less)
    done = installed.run("mra-bench", *asked, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Verdict:" in done.stdout
    report = tmp_path / "reports" / "smoke" / "report.html"
    assert report.stat().st_size > 10_000
    results = json.loads((report.parent / "results.json").read_text())
    assert [m["name"] for m in results["models"]] == ["base", "sft", "dpo"]
    module = installed.run("python", "-m", "mra_bench", "--version", cwd=tmp_path)
    assert module.stdout.startswith("mra-bench, version")


def test_a_new_plugin_is_written_from_the_wheel(installed: Installed, tmp_path: Path) -> None:
    done = installed.run("mra-bench", "plugins", "new", "grader", "mine", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    checked = installed.run(
        "mra-bench", "plugins", "check", "--plugin", "mra-bench-mine/mra_bench_mine.py", cwd=tmp_path
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.long
def test_a_strangers_wheel_is_installed_checked_and_used_by_a_run(installed: Installed, tmp_path: Path) -> None:
    source = tmp_path / "source"
    shutil.copytree(
        ROOT / "tests" / "plugin_package", source, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info")
    )
    installed.install(build_wheel(source, tmp_path / "dist"), "pytest", cwd=tmp_path)
    empty = tmp_path / "empty"
    empty.mkdir()
    listed = json.loads(installed.run("mra-bench", "plugins", "--json", cwd=empty).stdout)
    (plugin,) = [row for row in listed if row["name"] == "last-word"]
    assert (plugin["origin"], plugin["version"].partition("+")[0], plugin["error"]) == ("installed", "1.2.3", "")
    checked = installed.run("mra-bench", "plugins", "check", "last-word", cwd=empty)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "passed  grader last-word: every text gets a Grade" in checked.stdout

    shutil.copy(source / "test_mra_bench_last_word.py", empty)
    own = installed.run("python", "-m", "pytest", "-q", "test_mra_bench_last_word.py", cwd=empty)
    assert own.returncode == 0, own.stdout
    assert "2 passed" in own.stdout

    arguments = ("--recipe", "smoke", "--models", "base", "--grader", "last-word", "--grader", "sympy", "--out", "out")
    done = installed.run("mra-bench", "run", *arguments, cwd=empty)
    assert done.returncode == 0, done.stderr
    (first,) = (empty / "out" / "grades").glob("last-word-base-*")
    rows = [json.loads(line) for file in first.glob("*.jsonl") for line in file.read_text().splitlines()]
    assert len(rows) == 64
    assert {row["reason"] for row in rows} == {"the last word"}
