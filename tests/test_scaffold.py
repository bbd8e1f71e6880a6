"""mra-bench plugins new grader: a package that passes its own tests and `plugins check` as it is."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from runs import here

from mra_bench.cli import call


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_package_passes_its_own_tests_and_the_checks(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["plugins", "new", "grader", "last-digit-2"]) == 0
    shown = capsys.readouterr().out
    package = folder / "mra-bench-last-digit-2"
    module = package / "mra_bench_last_digit_2.py"
    files = {path.relative_to(package).as_posix() for path in package.rglob("*") if path.is_file()}
    test = "tests/test_mra_bench_last_digit_2.py"
    assert files == {"mra_bench_last_digit_2.py", "pyproject.toml", "README.md", test}
    assert "mra-bench plugins check --plugin mra-bench-last-digit-2/mra_bench_last_digit_2.py" in shown
    project = tomllib.loads((package / "pyproject.toml").read_text())
    assert project["project"]["name"] == "mra-bench-last-digit-2"
    assert project["project"]["entry-points"]["mra_bench"] == {"last-digit-2": "mra_bench_last_digit_2"}
    assert "{" not in (package / "README.md").read_text()

    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    tests = subprocess.run(command, cwd=package, capture_output=True, text=True, check=False)
    assert tests.returncode == 0, tests.stdout
    assert "2 passed" in tests.stdout
    checked = here("plugins", "check", "--plugin", module, "--json")
    assert checked.returncode == 0, checked.stdout
    assert {row["outcome"] for row in json.loads(checked.stdout)} == {"passed"}


def test_its_test_fails_when_its_grader_is_wrong(folder: Path) -> None:
    assert call(["plugins", "new", "grader", "mine", "--out", "here"]) == 0
    module = folder / "here" / "mra_bench_mine.py"
    module.write_text(module.read_text().replace("found[-1]", "found[0]"))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "grader"]
    tests = subprocess.run(command, cwd=folder / "here", capture_output=True, text=True, check=False)
    assert tests.returncode == 1
    assert "right texts are graded correct" in tests.stdout


def test_it_is_as_tidy_as_our_own_code(folder: Path) -> None:
    assert call(["plugins", "new", "grader", "mine"]) == 0
    root = Path(__file__).parents[1]
    for arguments in (["check"], ["format", "--check"]):
        command = [sys.executable, "-m", "ruff", *arguments, "--config", root / "pyproject.toml", "mra-bench-mine"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_nothing_is_overwritten(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    taken = folder / "mra-bench-mine"
    taken.mkdir()
    assert call(["plugins", "new", "grader", "mine", "--json"]) == 0  # an empty folder will do
    assert json.loads(capsys.readouterr().out)["folder"] == "mra-bench-mine"
    (taken / "mra_bench_mine.py").write_text("# changed\n")
    (folder / "file").write_text("")
    for arguments, name in ((["mine"], "mra-bench-mine"), (["other", "--out", "file"], "file")):
        assert call(["plugins", "new", "grader", *arguments]) == 2
        assert f"{name} exists already and is left as it is; name another folder with --out" in capsys.readouterr().err
    assert call(["plugins", "new", "grader", "other", "--out", "file/below"]) == 2
    assert "Cannot write file/below: Not a directory" in capsys.readouterr().err
    assert (taken / "mra_bench_mine.py").read_text() == "# changed\n"
    assert (folder / "file").read_text() == ""


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Last Word", "'Last Word' cannot be the name of a package: use small letters and digits, words joined by '-', "
         "first a letter. Did you mean 'last-word'?"),
        ("last_word", "Did you mean 'last-word'?"),
        ("3rd", "first a letter."),
        ("../up", "Did you mean 'up'?"),
        ("a--b", "Did you mean 'a-b'?"),
        ("", "'' cannot be the name"),
        ("mra-bench-last-word", "give the name alone: last-word"),
        ("sympy", "A grader 'sympy' is there already (mra_sympy:sympy); choose another name"),
    ],
)  # fmt: skip
def test_a_name_that_cannot_be_one(folder: Path, name: str, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["plugins", "new", "grader", name]) == 2
    assert words in capsys.readouterr().err
    assert list(folder.iterdir()) == []


def test_only_graders_can_be_begun_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["plugins", "new", "model", "mine"]) == 2
    assert "'model' is not known. It takes: grader." in capsys.readouterr().err
