"""The wheel as a user gets it: installed with the constraints into an empty environment, run in an empty folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    subprocess.run([sys.executable, "-m", "build", "--wheel", "--outdir", out, ROOT], check=True, capture_output=True)
    return next(out.glob("*.whl"))


def test_everything_travels_in_the_wheel_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    for wanted in (
        "mra_bench/recipes/smoke.yaml",
        "mra_bench/recipes/quickstart.yaml",
        "mra_bench/schemas/results.schema.json",
        "mra_bench/py.typed",
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


def test_the_main_job_from_the_wheel_in_an_empty_folder(wheel: Path, tmp_path: Path) -> None:
    environment = tmp_path / "env"
    venv.create(environment, with_pip=True)
    binaries = environment / ("Scripts" if os.name == "nt" else "bin")
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "MRA_"))}
    install = [binaries / "python", "-m", "pip", "install", "--quiet", "-c", ROOT / "constraints.txt", wheel]
    subprocess.run(install, check=True, env=clean)
    empty = tmp_path / "empty"
    empty.mkdir()
    command = [binaries / "mra-bench", "run", "--models", "base,sft,dpo", "--recipe", "smoke"]
    done = subprocess.run(command, cwd=empty, env=clean, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "Verdict:" in done.stdout
    report = empty / "reports" / "smoke" / "report.html"
    assert report.stat().st_size > 10_000
    results = json.loads((report.parent / "results.json").read_text())
    assert [m["name"] for m in results["models"]] == ["base", "sft", "dpo"]
    module = subprocess.run(
        [binaries / "python", "-m", "mra_bench", "--version"], cwd=empty, env=clean, capture_output=True
    )
    assert module.stdout.startswith(b"mra-bench, version")
