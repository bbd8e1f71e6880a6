"""What README and docs show: the plugin, the recipes and the rows do what is said of them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from mra_bench.cli.grade import command
from mra_bench.datasets import DatasetUse, load_problems
from mra_bench.plugins import PluginSettings, load_plugins
from mra_bench.recipe import validate_recipe
from mra_bench.recipe_schema import DatasetEntry
from mra_bench.samples import WELL_KNOWN
from mra_bench.types import Problem

ROOT = Path(__file__).parents[1]


def block(file: str, language: str) -> str:
    """The first block of code in `language` of a page."""
    return blocks(file, language)[0]


def blocks(file: str, language: str) -> list[str]:
    """All blocks of code in `language` of a page, in order; "" for blocks without one."""
    found = re.findall(rf"^```{language}\n(.*?)^```$", (ROOT / file).read_text("utf-8"), re.DOTALL | re.MULTILINE)
    assert found, f"{file} has no block of {language}"
    return found


def test_the_checker_of_the_readme_says_what_is_written_beside_it() -> None:
    code = next(code for code in blocks("README.md", "python") if "equivalent(" in code)
    names: dict[str, Any] = {}
    lines = [line for line in code.splitlines() if line.strip()]
    exec(lines[0], names)
    assert eval(lines[1].split("  #")[0], names) is True
    assert "members" in eval(lines[2].split("  #")[0], names) or "equals" in eval(lines[2].split("  #")[0], names)
    assert repr(eval(lines[3].split("  #")[0], names)) == lines[3].split("# ")[1]


def test_the_plugin_of_the_readme_grades(tmp_path: Path) -> None:
    (tmp_path / "last_number.py").write_text(next(code for code in blocks("README.md", "python") if "hookimpl" in code))
    registry = load_plugins(PluginSettings(named=(str(tmp_path / "last_number.py"),)))
    grade = registry.resolve("graders", "last-number").build({})
    problem = Problem("test-00000", "What is 14 + 23?", "37")
    assert grade(problem, "14 + 23 = 37. The answer is \\boxed{37} apples.").correct is True
    assert grade(problem, "14 + 23 = 36.").correct is False
    assert grade(problem, "").correct is False


def test_the_recipe_of_the_readme_is_one() -> None:
    recipe = validate_recipe(yaml.safe_load(block("README.md", "yaml")), "README.md")
    assert list(recipe.models) == ["base", "sft", "sft-more", "dpo"]


def test_the_rows_of_the_docs_are_problems(tmp_path: Path) -> None:
    lines = [line for line in (ROOT / "docs" / "problems.md").read_text("utf-8").splitlines() if line.startswith("{")]
    (tmp_path / "mine.jsonl").write_text("\n".join(lines))
    (problem,) = load_problems(DatasetUse(str(tmp_path / "mine.jsonl"), "test"), load_plugins(PluginSettings()))
    assert (problem.id, problem.answer, problem.subject) == ("test-00000", "42", "mul")
    asked = yaml.safe_load(block("docs/problems.md", "yaml"))["datasets"]["test"]
    assert DatasetEntry.model_validate(asked).prompt is not None


def test_the_columns_and_options_of_grade_are_documented() -> None:
    page = (ROOT / "docs" / "grade.md").read_text("utf-8")
    for part, known in WELL_KNOWN.items():
        row = next(line for line in page.splitlines() if line.startswith(f"| `--{part}` |"))
        assert ", ".join(f"`{column}`" for column in known) in row
    shared = {"--json", "--plugin", "--no-plugin", "--strict", "--quiet", "--show"}
    for option in (opt for param in command.params for opt in param.opts if opt.startswith("--")):
        assert option in shared or f"`{option}" in page, option
