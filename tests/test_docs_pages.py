"""The tutorial and the pages of the hooks: every command on them runs, every hook and argument is on its page."""

from __future__ import annotations

import dataclasses
import inspect
import os
import re
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest
from pages import Command, follow, programs, steps

from mra_bench.builders import BuildJob, PairRule, PairSet, RowSet, Sampled
from mra_bench.hookspecs import Hooks, Register, RegisterSection
from mra_bench.report import DatasetSamples, RunData, Sample
from mra_bench.types import (
    Block,
    Completion,
    Decoding,
    Dev,
    Grade,
    Model,
    ModelRef,
    Pair,
    Problem,
    Profile,
    PromptStyle,
    Row,
    TrainedModel,
    TrainJob,
)

DOCS = Path(__file__).parents[1] / "docs"
HOOKS = [name for name in vars(Hooks) if name.startswith("register_")]
ON_THE_PAGE = {  # what a plugin of each hook is given or gives
    "register_graders": (Grade,),
    "register_models": (Block, Completion, Decoding, PromptStyle),
    "register_trainers": (TrainJob, TrainedModel, ModelRef, Row, Pair, Dev),
    "register_datasets": (Problem,),
    "register_profilers": (Profile,),
    "register_pair_builders": (BuildJob, Sampled, PairSet, PairRule),
    "register_row_builders": (RowSet, Row),
    "register_report_sections": (RunData, DatasetSamples, Sample),
}
pytestmark = pytest.mark.skipif(os.name == "nt", reason="the pages show commands of a POSIX shell")


def text_of(hook: str) -> str:
    return (DOCS / "hooks" / f"{hook}.md").read_text("utf-8")


def arguments_of(hook: str) -> list[str]:
    """The arguments of the callback that mean something for this hook."""
    if hook == "register_report_sections":
        return [name for name in inspect.signature(RegisterSection.__call__).parameters if name != "self"]
    names = [name for name in inspect.signature(Register.__call__).parameters if name != "self"]
    of_some = {"consumes": ("trainers", "pair_builders", "row_builders"), "together": ("trainers",)}
    of_some["chooses"] = ("trainers",)
    return [
        name for name in names if hook.removeprefix("register_") in of_some.get(name, (hook.removeprefix("register_"),))
    ]


@pytest.mark.parametrize("hook", HOOKS)
def test_every_hook_has_a_page_with_its_arguments(hook: str) -> None:
    parameters = [name for name in inspect.signature(getattr(Hooks, hook)).parameters if name != "self"]
    page = text_of(hook)
    assert page.startswith(f"# {hook}({', '.join(parameters)})\n")
    assert getattr(Hooks, hook).__doc__
    for name in arguments_of(hook):
        assert f"| `{name}` | " in page, name
    overview = (DOCS / "plugins.md").read_text("utf-8")
    assert f"[`{hook}({', '.join(parameters)})`](hooks/{hook}.md)" in overview
    for name in inspect.signature(Register.__call__).parameters:
        assert name == "self" or f"- `{name}`: " in overview


@pytest.mark.parametrize("hook", HOOKS)
def test_every_field_that_crosses_the_border_is_on_the_page(hook: str) -> None:
    page = text_of(hook)
    for kind in ON_THE_PAGE[hook]:
        for field in dataclasses.fields(kind):
            assert f"`{field.name}`" in page, f"{kind.__name__}.{field.name}"


def test_every_member_of_a_model_is_on_its_page() -> None:
    page = text_of("register_models")
    members = [name for name, value in vars(Model).items() if callable(value) and not name.startswith("_")]
    assert len(members) == 5
    for name in members:
        taken = [each for each in inspect.signature(getattr(Model, name)).parameters if each != "self"]
        assert f"`{name}({', '.join(taken)})`" in page
    for name in Model.__annotations__:
        assert f"`{name}`" in page


@pytest.mark.parametrize("hook", HOOKS)
def test_the_errors_of_a_page_are_what_the_code_says(hook: str) -> None:
    """Each quoted message stands in the source of the core, but for what is filled in or left out."""
    files = sorted((DOCS.parent / "mra_bench").rglob("*.py"))
    source = re.sub(r'"\s*\n\s*f?"', "", "".join(path.read_text("utf-8") for path in files))
    table = text_of(hook).partition("## Common errors\n")[2]
    messages = re.findall(r"^\| `([^`]+)` \| ", table, re.MULTILINE)
    assert len(messages) >= 4
    for message in messages:
        for part in message.split("..."):
            if not re.search(r"\w\(\)\. |\w+\(options\)", part):  # a name of a method is filled in
                assert part.strip() in source, message


def test_discovery_is_documented_once() -> None:
    pages = [*DOCS.rglob("*.md"), DOCS.parent / "README.md", DOCS.parent / "CONTRIBUTING.md"]
    assert [page.name for page in pages if "MRA_BENCH_PLUGINS" in page.read_text("utf-8")] == ["plugins.md"]


@pytest.mark.slow
@pytest.mark.parametrize("hook", HOOKS)
def test_the_example_of_a_hook_runs(hook: str, tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    assert follow(DOCS / "hooks" / f"{hook}.md", tmp_path / "work", programs(tmp_path / "bin")) >= 2


def test_the_tutorial_has_ten_lines_of_code() -> None:
    (first, *_) = [step for step in steps(DOCS / "tutorial_grader.md") if not isinstance(step, Command)]
    assert first[0] == "last_number.py"
    assert len([line for line in first[1].splitlines() if line.strip()]) == 8
    assert len(first[1].splitlines()) <= 12


@pytest.mark.slow
def test_the_tutorial_runs_from_start_to_end(tmp_path: Path) -> None:
    """In an environment of its own, which sees the packages of this one but is alone in what it installs."""
    venv.create(tmp_path / "env", with_pip=True)
    python = tmp_path / "env" / "bin" / "python"
    site = Path(sysconfig.get_path("purelib", "venv", {"base": str(tmp_path / "env")}))
    (site / "outer.pth").write_text(f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n")
    (tmp_path / "work").mkdir()
    page = DOCS / "tutorial_grader.md"
    assert follow(page, tmp_path / "work", programs(tmp_path / "bin", str(python))) == 10
    left = subprocess.run(
        [sys.executable, "-m", "mra_bench", "plugins"], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert "last-number" not in left.stdout


@pytest.mark.slow
@pytest.mark.parametrize(("page", "commands"), [("compare.md", 3), ("notebook.md", 2)])
def test_the_example_of_a_page_runs(page: str, commands: int, tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    assert follow(DOCS / page, tmp_path / "work", programs(tmp_path / "bin")) == commands


@pytest.mark.parametrize(
    ("page", "words"),
    [
        ("```console\n$ python -c 'print(5)'\n4\n```\n", "no line '4'"),
        ("```python a.py\n1 / 0\n```\n\n```console\n$ python a.py\n```\n", "ZeroDivisionError"),
    ],
)
def test_a_page_that_drifts_fails(tmp_path: Path, page: str, words: str) -> None:
    (tmp_path / "page.md").write_text(page)
    with pytest.raises(AssertionError, match=words):
        follow(tmp_path / "page.md", tmp_path, programs(tmp_path / "bin"))


def test_a_page_that_holds_passes(tmp_path: Path) -> None:
    page = "```python a.py\nprint('n =   3 of 4')\n```\n\n```console\n$ mkdir up\n$ cd up\n"
    page += "$ python ../a.py\nn = ... of 4\n```\n"
    (tmp_path / "page.md").write_text(page)
    assert follow(tmp_path / "page.md", tmp_path, programs(tmp_path / "bin")) == 3
