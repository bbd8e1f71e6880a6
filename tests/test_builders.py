"""Builders and profilers in a run: stages, what a faulty one is told, figures, audit."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from runs import here
from test_schemas import check
from test_schemas import rows as rows_of

from mra_bench.builders import BuildJob, PairRule, PairSet, RowRule, RowSet, Sampled
from mra_bench.contracts import PluginFault, run_builder
from mra_bench.decisions import WORDS, parts_of
from mra_bench.plugins import Plugin, Registered
from mra_bench.report.data import read_run
from mra_bench.store import read_rows
from mra_bench.testing.builder_cases import sampled_cases
from mra_bench.types import Pair, Row

PLUGIN = """
from dataclasses import dataclass
from typing import ClassVar

from mra_bench import Profile, hookimpl
from mra_bench.builders import PairSet
from mra_bench.types import Pair


def profile(problem, text):
    if "boom" in text:
        raise ValueError("no profile for this")
    number = next((word for word in text.split() if word.isdigit()), None)
    return Profile(
        {"length": min(1.0, len(text) / 200), "number": None if number is None else 0.5},
        {"length": [f"The text has {len(text)} characters."]},
        {"size": len(text)},
    )


@dataclass(frozen=True)
class Options:
    needs_profiles: ClassVar[bool] = True


def build(job):
    pairs, problems = [], 0
    for problems, one in enumerate(job.sampled, start=1):
        assert len(one.profiles) == len(one.samples)
        sizes = {profile.scores["size"] for profile in one.profiles}
        wrong = [c.text for c, grade in one.samples if grade.correct is False]
        if wrong:
            pairs.append(Pair(one.problem.id, one.prompt, one.problem.solution, wrong[0], float(len(sizes))))
    return PairSet(tuple(pairs), {"problems": problems, "problems_with_pairs": len(pairs)}, {"all right": 0})


@hookimpl
def register_profilers(register):
    register("length", profile)


@hookimpl
def register_pair_builders(register):
    register("by-size", build, options=Options, consumes="samples")
"""
RECIPE = """
name: built
datasets:
  train: {data: arith, split: train, limit: 24}
  test: {data: arith, split: test, limit: 8}
  checks: {verify: test}
models:
  base: {model: tiny-qwen2}
  rft:
    from: base
    trainer: sft
    data: train
    rows: {problems: 12, samples_per_problem: 2, reference_when_unsolved: true}
    options: {max_steps: 2, batch_size: 4, accumulation: 1, save_every: 0}
  dpo:
    from: base
    trainer: dpo
    data: train
    pairs: {builder: by-size, profiler: length, problems: 12, samples_per_problem: 2}
    options: {max_steps: 2, batch_size: 4, accumulation: 1, save_every: 0}
  verifier:
    from: base
    trainer: sft
    data: train
    rows: {builder: decisions, problems: 12, samples_per_problem: 2, reference_when_unsolved: true}
    options: {max_steps: 2, batch_size: 4, accumulation: 1, save_every: 0}
evaluate: {datasets: [test, checks], max_new_tokens: 32}
profilers: [length]
"""


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("built")
    (folder / "sized.py").write_text(PLUGIN)
    (folder / "built.yaml").write_text(RECIPE)
    return folder


def registered(kind: str, build: Callable[[BuildJob], Any]) -> Registered:
    return Registered(kind, "mine", Plugin("mine", "mine.py", "mine", "0"), build, consumes="samples")


def job(rule: PairRule | RowRule) -> BuildJob:
    return BuildJob(sampled_cases(True), rule, None, 0)


def first(given: BuildJob) -> Sampled:
    return next(iter(given.sampled))


def pair_of(one: Sampled, **changed: Any) -> Pair:
    return Pair(**{"problem_id": one.problem.id, "prompt": one.prompt, "chosen": "4", "rejected": "5", **changed})


@pytest.mark.parametrize(
    ("gives", "said"),
    [
        (lambda one: [], "gave a list"),
        (lambda one: RowSet((), {}, {}), "it must give a PairSet"),
        (lambda one: PairSet(("x",), {}, {}), "among the Pairs or Rows"),  # type: ignore[arg-type]
        (lambda one: PairSet((pair_of(one, prompt="other"),), {}, {}), "whose prompt is not the one that it was given"),
        (lambda one: PairSet((pair_of(one, problem_id="nobody"),), {}, {}), "of problem 'nobody' whose prompt"),
        (lambda one: PairSet((pair_of(one, chosen=None),), {}, {}), "no text"),
        (lambda one: PairSet((pair_of(one, weight=-1.0),), {}, {}), "weight -1.0; it must be a finite number from 0"),
        (lambda one: PairSet((pair_of(one, weight=math.nan),), {}, {}), "weight nan"),
        (lambda one: PairSet((), {"problems": {1}}, {}), "counts must hold only what JSON can"),  # type: ignore[dict-item]
        (lambda one: 1 / 0, "raised ZeroDivisionError"),
    ],
)
def test_what_a_builder_does_wrong_is_one_sentence_with_its_name(gives: Callable[[Sampled], Any], said: str) -> None:
    with pytest.raises(PluginFault, match="The pair builder plugin mine:mine.*" + said):
        run_builder(registered("pair_builders", lambda given: gives(first(given))), job(PairRule()), PairSet)


def test_a_right_one_passes_with_weight_0_too() -> None:
    build = registered("pair_builders", lambda given: PairSet((pair_of(first(given), weight=0.0),), {}, {}))
    assert run_builder(build, job(PairRule()), PairSet).pairs[0].weight == 0
    rows = registered("row_builders", lambda given: RowSet((Row("0-False", "What is 2 + 2?", "4"),), {}, {}))
    with pytest.raises(PluginFault, match="prompt"):  # a problem that was never read from the job
        run_builder(rows, job(RowRule()), RowSet)


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("models.rft.rows.builder=own-corect", "Unknown row builder 'own-corect'. Did you mean 'own-correct'?"),
        ("models.rft.rows.options={choose: longest}", "'choose' of the row builder 'own-correct': must be 'random' or"),
        ("models.dpo.pairs.profiler=lenght", "Unknown profiler 'lenght'. Did you mean 'length'?"),
        ("models.dpo.pairs.profiler=null", "builds from profiles: say whose"),
        ("profilers=[lenght]", "Unknown profiler 'lenght'"),
        ("models.dpo.trainer=sft", "takes no 'pairs:'"),
        ("models.rft.rows.rows_per_problm=1", "did you mean 'rows_per_problem'?"),
        ("models.rft.graders=[sympy]", "learns from rows, not from graded problems: leave 'graders' out"),
    ],
)
def test_what_cannot_work_is_refused_before_any_work(workplace: Path, setting: str, said: str) -> None:
    asked = ("run", "--recipe", "built.yaml", "--plugin", "sized.py", "--out", "refused", "--set", setting)
    done = here(*asked, cwd=workplace)
    assert done.returncode == 2
    assert said in done.stderr
    assert not (workplace / "refused").exists()


@pytest.mark.slow
def test_a_run_builds_profiles_reports_and_can_be_audited(workplace: Path) -> None:
    asked = ("run", "--recipe", "built.yaml", "--plugin", "sized.py", "--out", "out", "--quiet")
    done = here(*asked, cwd=workplace)
    assert done.returncode == 0, done.stderr
    run = workplace / "out"
    results = json.loads((run / "results.json").read_text())
    (rows, asked), (pairs,) = results["rows"], results["pairs"]
    assert (rows["model"], rows["builder"], rows["problems"]) == ("rft", "own-correct", 12)
    assert rows["rows"] >= rows["problems_with_rows"] > 0
    assert (pairs["model"], pairs["builder"]) == ("dpo", "by-size")
    stored = list(read_rows(next(run.glob("pairs/*/pairs.jsonl"))))
    assert len(stored) == pairs["pairs"]
    assert {row["weight"] for row in stored} <= {1.0, 2.0}
    (table,) = results["datasets"][0]["profiles"]
    assert [model["model"] for model in table["models"]] == ["base", "rft", "dpo", "verifier"]
    found = results["datasets"][1]["decisions"]
    assert [model["model"] for model in found["models"]] == ["base", "rft", "dpo", "verifier"]
    assert all(model["accuracy"]["texts"] == sum(found["golds"].values()) == 8 for model in found["models"])
    stored = list(read_rows(next(run.glob("rows/verifier-*/rows.jsonl"))))
    assert len(stored) == asked["rows"] > 0
    assert all(parts_of(row["prompt"]) and row["completion"] in WORDS for row in stored)
    profiles = [row for row in read_rows(next(run.glob("profiles/length-base-test-*"))) if row["errors"]["length"]]
    dimension = table["models"][0]["dimensions"][0]
    assert dimension["all"]["mean"] == pytest.approx(sum(row["errors"]["length"] for row in profiles) / len(profiles))
    check("run", json.loads((run / "run.json").read_text()))
    check("results", results)
    for pattern, name in (("profiles/*/*.jsonl", "profile"), ("rows/*/*.jsonl", "row"), ("pairs/*/*.jsonl", "pair")):
        for row in rows_of(sorted(run.glob(pattern))):
            check(name, row)
    for stage in run.glob("*/*/stage.json"):
        check("stage", json.loads(stage.read_text()))
    page = (run / "report.html").read_text()
    samples = read_run(run).samples
    for row in read_rows(next(run.glob("profiles/length-base-test-*"))):
        (profiled,) = samples["test"].answers["base"][row["problem"]][row["sample"]].profiles
        assert (profiled.errors, profiled.evidence, profiled.scores) == (row["errors"], row["evidence"], row["scores"])
    assert page.count("The text has") > 8
    assert "Error profiles" in page
    assert "False positives" in page
    assert "built by by-size" in page
    audited = here("audit", "out", "--plugin", "sized.py", "--quiet", cwd=workplace)
    assert audited.returncode == 0, audited.stdout
    assert "88 verdicts, 88 profiles" in audited.stdout
    assert f"{rows['rows'] + asked['rows']} rows" in audited.stdout


@pytest.mark.slow
def test_audit_names_a_changed_profile_and_a_changed_row(workplace: Path) -> None:
    run = workplace / "out"
    changes = {
        next(run.glob("profiles/length-rft-test-*/block-*.jsonl")): ("characters", "letters"),
        next(run.glob("rows/*/rows.jsonl")): ('"completion": "', '"completion": "x'),
    }
    for path, change in changes.items():
        assert change[0] in path.read_text()
        path.write_text(path.read_text().replace(*change, 1))
    audited = here("audit", "out", "--plugin", "sized.py", "--quiet", cwd=workplace)
    assert audited.returncode == 1
    for path in changes:
        where = f"{path.relative_to(run).as_posix()}: "
        said = [line for line in audited.stdout.splitlines() if line.startswith(where)]
        assert len(said) == 2  # of the row, and of the sha256


def test_a_file_is_profiled_with_failures_counted_and_labels_apart(workplace: Path) -> None:
    texts = [("It is 4", True), ("boom", False), ("five", False)]
    lines = [json.dumps({"gold": "4", "text": text, "right": right}) for text, right in texts]
    (workplace / "texts.jsonl").write_text("\n".join(lines) + "\n")
    asked = ("profile", "texts.jsonl", "--plugin", "sized.py", "--profiler", "length", "--quiet", "--label", "right")
    done = here(*asked, "--out", "profiles.jsonl", "--json", cwd=workplace)
    assert done.returncode == 0, done.stderr
    data = json.loads(done.stdout)
    assert (data["texts"], data["labelled_wrong"], data["failures"]) == (3, 2, {"crashed": 1})
    length, number = data["dimensions"]
    assert length["all"] == {"texts": 2, "above": 2, "mean": pytest.approx((7 + 4) / 200 / 2)}
    assert length["labelled_wrong"]["texts"] == 1
    assert (number["all"]["texts"], number["labelled_wrong"]["mean"]) == (1, None)
    rows = [json.loads(line) for line in (workplace / "profiles.jsonl").read_text().splitlines()]
    assert [row["failure"].partition(":")[0] for row in rows] == ["", "crashed", ""]
    assert rows[0]["evidence"] == {"length": ["The text has 7 characters."]}
    shown = here(*asked, cwd=workplace)
    assert "3 texts profiled by sized:length; 1 crashed" in shown.stdout
    assert here("profile", "out", "--profiler", "length", "--plugin", "sized.py", cwd=workplace).returncode == 2
