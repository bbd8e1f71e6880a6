"""mra-bench compare: models of several runs on the problems they share, and why runs are refused."""

from __future__ import annotations

import json
import random
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from runs import here
from test_schemas import check

from mra_bench import open_run
from mra_bench.compared_models import lineage
from mra_bench.compared_runs import ComparedRun, labels
from mra_bench.comparing import Wanted, compare_runs
from mra_bench.compute import compute_sentence, related
from mra_bench.errors import UsageError
from mra_bench.leaderboard.packing import pack
from mra_bench.leaderboard.safety import ARCHIVE
from mra_bench.report.comparison import joined_samples, render_comparison
from mra_bench.report.data import RunData, read_run
from mra_bench.report.history import making_view
from mra_bench.store import finish_stage

N = 24
HOSTILE = "<img src=x onerror=alert(1)>`|*\u202e"


def lines(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def recipe(*models: str, **changes: Any) -> dict[str, Any]:
    """A run of echo models, each answering from the file of its name."""
    made = {
        "name": "echo",
        "datasets": {"test": {"data": "test.jsonl"}},
        "models": {name: {"model": "echo", "options": {"path": f"{name}.jsonl"}} for name in models},
        "evaluate": {"datasets": ["test"]},
        "graders": ["exact"],
        "block_size": 16,
    }
    return {**made, **changes}


SAMPLED = {"datasets": ["test"], "samples": 4, "temperature": 1.0}
PLUGIN = """
from mra_bench import Grade, hookimpl

@hookimpl
def register_graders(register):
    register("exact", lambda problem, text: Grade(text == problem.answer, text, "as it stands"))
    register("first", lambda problem, text: Grade(text[:1] == problem.answer[:1], text, "by the first character"))
"""
RUNS: dict[str, dict[str, Any]] = {
    "both": recipe("a", "b"),
    "one": recipe("a"),
    "two": recipe("b"),
    "mixed": recipe("a", "c"),
    "longer": recipe(
        models={"b": {"model": "echo", "options": {"path": "c.jsonl"}}},
        evaluate={"datasets": ["test"], "max_new_tokens": 99},
    ),
    "told": recipe("b", datasets={"test": {"data": "test.jsonl", "prompt": {"instruction": "Think."}}}),
    "judged": recipe("b", graders=["first"]),
    "part": recipe("b", datasets={"mine": {"data": "test.jsonl", "limit": 18}}, evaluate={"datasets": ["mine"]}),
    "other": recipe("c", datasets={"test": {"data": "other.jsonl"}}),
    "looks": recipe("a", "b", evaluate={"datasets": ["test"], "until_decided": True}),
    "both4": recipe("a", "b", evaluate=SAMPLED),
    "one4": recipe("a", evaluate=SAMPLED),
    "two4": recipe("b", evaluate=SAMPLED),
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Makes the run of that name when it is first asked for. `a` is right in a third of its texts, `b` in two."""
    folder = tmp_path_factory.mktemp("compared")
    problems = [
        {"id": f"q{i}", "question": f"{i} + 38?", "answer": str(i + 38), "subject": f"s{i % 2}", "level": str(i % 3)}
        for i in range(N)
    ]
    (folder / "exact.py").write_text(PLUGIN)
    lines(folder / "test.jsonl", problems)
    lines(folder / "other.jsonl", [{**p, "question": f"What is {p['question']}"} for p in problems])
    rng = random.Random(0)
    for name, right in (("a", 1 / 3), ("b", 2 / 3), ("c", 1 / 2)):
        texts = [
            {"problem": p["id"], "sample": k, "text": p["answer"] if rng.random() < right else f"</script>{k}"}
            for p in problems
            for k in range(4)
        ]
        lines(folder / f"{name}.jsonl", texts)

    def make(name: str) -> Path:
        if not (folder / name).exists():
            (folder / f"{name}.yaml").write_text(yaml.safe_dump(RUNS[name]))
            done = here("run", "--recipe", f"{name}.yaml", "--out", name, "--plugin", "exact.py", "--quiet", cwd=folder)
            assert done.returncode == 0, done.stderr
        return folder / name

    return make


def compare(*arguments: Any) -> dict[str, Any]:
    done = here("compare", *arguments, "--quiet", "--json")
    assert done.returncode == 0, done.stdout
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def refused(*arguments: Any) -> str:
    done = here("compare", *arguments, "--quiet")
    assert done.returncode == 2, done.stdout + done.stderr
    assert done.stdout == ""
    return done.stderr


def figures(pair: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in pair.items() if key not in ("a", "b", "conclusion")}


@pytest.mark.parametrize("several", ["", "4"])
def test_two_runs_give_the_figures_of_one_run_with_both_models(
    made: Callable[[str], Path], several: str, tmp_path: Path
) -> None:
    of_one = json.loads((made(f"both{several}") / "results.json").read_text())["datasets"][0]
    results = compare(made(f"one{several}"), made(f"two{several}"), "--out", tmp_path / "x.html")
    assert ("pass@4" in (tmp_path / "x.html").read_text()) is bool(several)
    check("results", {key: value for key, value in results.items() if key != "written"})
    (of_two,) = results["datasets"]
    assert of_two["pairs"] == of_one["pairs"]
    assert of_two == of_one
    assert of_two["pairs"][0]["test"] == ("sign-flip" if several else "exact McNemar")
    assert 0 < of_two["pairs"][0]["wins"] < N
    said = of_two["pairs"][0]["conclusion"]
    assert results["verdict"] == [f"{said} Whether they took as much compute is not known: no weights are recorded "
                                  "that both come from."]  # fmt: skip


def test_the_order_of_the_runs_turns_the_signs(made: Callable[[str], Path]) -> None:
    (pair,) = compare(made("one"), made("two"))["datasets"][0]["pairs"]
    (turned,) = compare(made("two"), made("one"))["datasets"][0]["pairs"]
    assert (turned["a"], turned["b"]) == (pair["b"], pair["a"])
    assert turned["difference"] == -pair["difference"] < 0
    assert (turned["low"], turned["high"]) == (-pair["high"], -pair["low"])
    assert (turned["wins"], turned["losses"]) == (pair["losses"], pair["wins"])
    for same in ("p", "p_holm", "both_right", "both_wrong", "detectable", "n"):
        assert turned[same] == pair[same], same


def test_a_model_that_both_runs_hold_is_one_and_only_models_of_different_runs_are_compared(
    made: Callable[[str], Path],
) -> None:
    results = compare(made("both"), made("mixed"))
    assert [row["model"] for row in results["datasets"][0]["scores"]] == ["a", "b", "c"]
    assert [(p["a"], p["b"]) for p in results["datasets"][0]["pairs"]] == [("b", "c")]
    assert results["compared"]["same_models"] == [["both:a", "mixed:a"]]
    said = "both:a and mixed:a are the same: equal weights, equal texts and verdicts. Shown once, as a."
    assert {"kind": "same-model", "text": said} in results["warnings"]


def test_nothing_is_left_where_all_models_are_the_same(made: Callable[[str], Path], tmp_path: Path) -> None:
    shutil.copytree(made("both"), tmp_path / "again")
    said = refused(made("both"), tmp_path / "again")
    assert "Nothing is left to compare" in said
    assert "equal weights and equal texts and verdicts (a, b)" in said


def test_equal_weights_with_other_texts_are_two_models(made: Callable[[str], Path], tmp_path: Path) -> None:
    """As of one model in two number formats: shown apart, and said."""
    shutil.copytree(made("one"), tmp_path / "one")
    shutil.copytree(made("two"), tmp_path / "two")
    for name in ("one", "two"):
        record = json.loads((tmp_path / name / "run.json").read_text())
        record["models"] = {model: {"weights": {"sha256": "x"}} for model in record["models"]}
        (tmp_path / name / "run.json").write_text(json.dumps(record))
    results = compare(tmp_path / "one", tmp_path / "two")
    assert [row["model"] for row in results["datasets"][0]["scores"]] == ["a", "b"]
    kinds = {warning["kind"]: warning["text"] for warning in results["warnings"]}
    assert kinds["same-model"] == "a and b have equal weights, but not all of their texts and verdicts are equal."
    assert "compute" not in results["verdict"][0]


def test_models_of_one_name_are_told_apart_and_chosen_by_pattern(made: Callable[[str], Path]) -> None:
    runs = (made("both"), made("longer"))
    results = compare(*runs, "--anyway")
    names = ["a", "both:b", "longer:b"]
    assert [row["model"] for row in results["datasets"][0]["scores"]] == names
    assert [(p["a"], p["b"]) for p in results["datasets"][0]["pairs"]] == [("both:b", "longer:b")]
    assert results["compared"]["left_out"] == ["1 pair of models of different names (--model '*' compares every two)"]
    assert results["verdict"][0].startswith("longer:b is worse than both:b by 33.3 points (")
    every = compare(*runs, "--anyway", "--model", "*")
    assert [(p["a"], p["b"]) for p in every["datasets"][0]["pairs"]] == [("a", "longer:b"), ("both:b", "longer:b")]
    assert every["verdict"][0].startswith("longer:b is worse than both:b by 33.3 points (")
    assert len(every["verdict"]) == 1
    only = compare(*runs, "--anyway", "--model", "both:a", "--model", "longer:*")
    assert [(p["a"], p["b"]) for p in only["datasets"][0]["pairs"]] == [("a", "longer:b")]
    assert only["compared"]["left_out"] == ["model of both: b"]
    assert "Did you mean 'longer:b'?" in refused(*runs, "--model", "longr:b")
    assert "No model of longer is chosen" in refused(*runs, "--model", "a")


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ("longer", ["max_new_tokens: 512 in one, 99 in longer", "--set evaluate.max_new_tokens=VALUE"]),
        ("told", ["instruction of test: none in one, Think. in told", "--set datasets.test.prompt."]),
        ("judged", ["grader: exact:exact ", ", exact:first ", "/judged --grader exact:exact`"]),
        ("two4", ["texts for each problem: 1 in one, 4 in two4", "temperature: 0.0 in one, 1.0 in two4"]),
        ("looks", ["problems asked: all of them in one, until it is decided in looks", "without --until-decided"]),
    ],
)
def test_other_conditions_are_refused_by_name(made: Callable[[str], Path], other: str, words: list[str]) -> None:
    said = refused(made("one"), made(other), "--model", "one:a", "--model", f"{other}:b")
    for word in ["not evaluated under the same conditions", "--anyway compares them all the same", *words]:
        assert word in said, said
    done = here("compare", made("one"), made(other), "--model", "one:a", "--model", f"{other}:b", "--anyway", "--quiet")
    assert done.returncode == 0, done.stderr
    first = done.stdout.splitlines()[0]
    assert first.startswith("These runs were NOT evaluated under the same conditions")
    assert words[0] in first


def test_a_run_that_is_not_finished_is_refused(made: Callable[[str], Path], tmp_path: Path) -> None:
    shutil.copytree(made("both"), tmp_path / "both")
    next((tmp_path / "both").glob("grades/exact-b-*/stage.json")).unlink()
    said = refused(made("two"), tmp_path / "both")
    assert "run: finished in two, not finished (missing: b on test) in both. Give the command of that run again" in said
    results = compare(made("two"), tmp_path / "both", "--anyway")
    assert [row["model"] for row in results["datasets"][0]["scores"]] == ["two:b", "a"]
    for stage in (tmp_path / "both").glob("grades/*/stage.json"):
        stage.unlink()
    assert "holds no graded texts yet" in refused(made("two"), tmp_path / "both")


def test_verdicts_of_one_grader_can_be_added(made: Callable[[str], Path], tmp_path: Path) -> None:
    """The way out that the refusal names."""
    shutil.copytree(made("judged"), tmp_path / "judged")
    plugin = ("--plugin", made("one").parent / "exact.py")
    assert here("grade", tmp_path / "judged", "--grader", "exact", *plugin, "--quiet").returncode == 0
    (pair,) = compare(made("one"), tmp_path / "judged")["datasets"][0]["pairs"]
    assert pair == compare(made("one"), made("two"))["datasets"][0]["pairs"][0]


def test_further_graders_of_all_runs_are_shown(made: Callable[[str], Path], tmp_path: Path) -> None:
    for name in ("one", "two"):
        shutil.copytree(made(name), tmp_path / name)
        plugin = ("--plugin", made("one").parent / "exact.py")
        assert here("grade", tmp_path / name, "--grader", "first", *plugin, "--quiet").returncode == 0
    runs = (tmp_path / "one", tmp_path / "two")
    (dataset,) = compare(*runs, "--out", tmp_path / "x.html")["datasets"]
    (other,) = dataset["other_graders"]
    assert (other["name"], [row["model"] for row in other["scores"]]) == ("exact:first", ["a", "b"])
    for row, own in zip(other["scores"], dataset["scores"], strict=True):
        assert sum(row["agreement"].values()) == N
        assert row["correct"] >= own["correct"]
    assert '<section id="graders"' in (tmp_path / "x.html").read_text()
    assert compare(runs[0], made("two"))["datasets"][0]["other_graders"] == []
    shutil.copytree(made("two4"), tmp_path / "two4")
    assert here("grade", tmp_path / "two4", "--grader", "first", *plugin, "--quiet").returncode == 0
    uneven = compare(runs[0], tmp_path / "two4", "--anyway")["datasets"][0]
    assert (uneven["other_graders"], uneven["scores"][1]["samples"]) == ([], 1)


def test_only_shared_problems_count_whatever_their_dataset_is_called(made: Callable[[str], Path]) -> None:
    results = compare(made("one"), made("part"))
    (dataset,) = results["datasets"]
    assert (dataset["name"], dataset["n"], dataset["pairs"][0]["n"]) == ("test", 18, 18)
    said = "test: 18 problems are in all runs (24 of one, 18 of part); the others are left out"
    assert results["compared"]["left_out"] == []
    assert results["compared"]["problems"][0]["of"] == {"one": 24, "part": 18}
    assert results["warnings"][0] == {"kind": "problems-left-out", "text": f"{said}."}
    both_names = ("--dataset", "mine", "--dataset", "test")
    assert [d["name"] for d in compare(made("part"), made("one"), *both_names)["datasets"]] == ["mine"]
    assert "Did you mean 'mine'?" in refused(made("one"), made("part"), "--dataset", "mne")


def test_runs_without_a_shared_problem_are_refused_even_so(made: Callable[[str], Path]) -> None:
    said = refused(made("one"), made("other"), "--anyway")
    assert "No problem is in all runs" in said
    assert "24 have the same id, but another question or gold answer" in said


def change(run: Path, model: str, **spec: Any) -> None:
    """Another record of what shaped the texts of a model."""
    (path,) = run.glob(f"completions/{model}-*/stage.json")
    record = json.loads(path.read_text())
    record["spec"]["conditions"].update(spec)
    path.write_text(json.dumps(record))


def test_prompts_may_differ_between_lineages_but_not_within_one(made: Callable[[str], Path], tmp_path: Path) -> None:
    for name, model, kind in (("one", "a", "plain"), ("two", "b", "chat")):
        shutil.copytree(made(name), tmp_path / name)
        change(tmp_path / name, model, prompt={"kind": kind}, dtype="fp32" if kind == "plain" else "bf16")
    results = compare(tmp_path / "one", tmp_path / "two")
    said = " ".join(warning["text"] for warning in results["warnings"])
    assert re.search(r"prompts of test: plain \(\w{8}\) in one, chat \(\w{8}\) in two", said)
    assert "number format: fp32 in one, bf16 in two" in said
    for name in ("one", "two"):
        record = json.loads((tmp_path / name / "run.json").read_text())
        record["models"] = {model: {"weights": {"sha256": "x"}} for model in record["models"]}
        (tmp_path / name / "run.json").write_text(json.dumps(record))
    assert "Give models from the same weights the same option `prompt`" in refused(tmp_path / "one", tmp_path / "two")


@pytest.mark.parametrize(
    ("break_it", "words"),
    [
        (lambda record: record["plan"]["evaluations"][0].update(completions="../../x"), "names the folder '../../x'"),
        (lambda record: record["plan"]["models"][0].update({"from": "a"}), "in a circle"),
        (lambda record: record["plan"]["models"][0].update(name="<b>"), "has the name '<b>'"),
        (lambda record: record["plan"]["datasets"][0].update(name="a\nb"), "has the name 'a\\nb'"),
        (lambda record: record.update(models="x"), "does not hold what mra-bench writes"),
        (lambda record: record["plan"].update(evaluations=[{}]), "run.json is damaged"),
        (lambda record: record["plan"].update(seed="x"), "does not hold what mra-bench writes"),
    ],
)
def test_a_strangers_run_cannot_lead_anywhere(
    made: Callable[[str], Path], tmp_path: Path, break_it: Callable[[Any], Any], words: str
) -> None:
    shutil.copytree(made("one"), tmp_path / "one")
    record = json.loads((tmp_path / "one" / "run.json").read_text())
    break_it(record)
    (tmp_path / "one" / "run.json").write_text(json.dumps(record))
    assert words in refused(tmp_path / "one", made("two"))


@pytest.mark.parametrize(
    ("folder", "change"),
    [
        ("completions", {"tokens": "many"}),
        ("completions", {"problem": "none"}),
        ("grades", {"correct": "yes"}),
        ("grades", {"answer": 5}),
        ("problems", {"level": 5}),
        ("problems", {"unknown": 5}),
    ],
)
def test_rows_that_are_none_are_refused_although_the_hashes_follow(
    made: Callable[[str], Path], tmp_path: Path, folder: str, change: dict[str, Any]
) -> None:
    shutil.copytree(made("one"), tmp_path / "one")
    stage = next((tmp_path / "one" / folder).iterdir())
    path = next(stage.glob("*.jsonl"))
    first, *rest = map(json.loads, path.read_text().splitlines())
    lines(path, [{**first, **change}, *rest])
    record = json.loads((stage / "stage.json").read_text())
    finish_stage(stage, {key: value for key, value in record.items() if key not in ("files", "version")})
    assert "does not hold what mra-bench writes" in refused(tmp_path / "one", made("two"))


def test_a_packed_run_is_unpacked_for_the_time_being(made: Callable[[str], Path], tmp_path: Path) -> None:
    """As `mra-bench leaderboard submit` leaves it."""
    run, packed = made("two"), tmp_path / "two"
    packed.mkdir()
    shutil.copy(run / "run.json", packed)
    pack(run, [p.relative_to(run).as_posix() for p in run.glob("*/*/*")], packed / ARCHIVE)
    results = compare(made("one"), packed, "--out", tmp_path / "x.html")
    assert results["datasets"][0]["pairs"] == compare(made("one"), run)["datasets"][0]["pairs"]
    assert results["compared"]["runs"][1]["label"] == "two"
    assert sorted(path.name for path in packed.iterdir()) == ["run.json", ARCHIVE]
    with pytest.raises(UsageError, match="Unpack them: tar -xJf"):
        open_run(packed)


def test_changed_texts_are_refused(made: Callable[[str], Path], tmp_path: Path) -> None:
    shutil.copytree(made("one"), tmp_path / "one")
    block = next((tmp_path / "one").glob("grades/*/block-00000.jsonl"))
    block.write_text(block.read_text().replace("false", "true"))
    assert "is not as its stage left it" in refused(tmp_path / "one", made("two"))


def test_what_is_no_two_runs(made: Callable[[str], Path]) -> None:
    one = made("one")
    assert "only" in refused(one)
    assert "none was given" in refused()
    assert "is given twice" in refused(one, one)
    assert "is given twice" in refused(one, one / ".." / "one")
    assert f"Did you mean {made('two')}?" in refused(one, one.parent / "twoo")
    assert "There are run folders in it: " in refused(one, one.parent)


def test_names_are_the_shortest_ends_that_differ() -> None:
    assert labels([Path("/x/a/run"), Path("/x/b/run"), Path("/x/c")]) == ["a/run", "b/run", "x/c"]
    assert labels([Path("/x/a"), Path("/x/b")]) == ["a", "b"]


def test_everything_is_written_where_it_is_asked_for(made: Callable[[str], Path], tmp_path: Path) -> None:
    runs = (made("one"), made("two"))
    done = here("compare", *runs, "--out", tmp_path / "all")
    assert done.returncode == 0, done.stderr
    files = [f"comparison{ending}" for ending in (".html", ".json", ".md")]
    assert sorted(path.name for path in (tmp_path / "all").iterdir()) == files
    assert [line for line in done.stdout.splitlines() if line.startswith("Written: ")]
    assert "compare on test" in done.stderr
    written = json.loads((tmp_path / "all" / "comparison.json").read_text())
    assert written == {key: value for key, value in compare(*runs).items() if key != "written"}
    assert compare(*runs, "--out", tmp_path / "x.html")["written"] == [str(tmp_path / "x.html")]
    assert (tmp_path / "x.html").read_bytes() == (tmp_path / "all" / "comparison.html").read_bytes()
    printed = here("compare", *runs, "--format", "markdown", "--quiet").stdout
    assert printed.rstrip() == (tmp_path / "all" / "comparison.md").read_text().rstrip()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--out", "x.png"], "the ending says no format"),
        (["--out", "nowhere/x.html"], "there is no folder"),
        (["--format", "html"], "say where to write it with --out"),
        (["--out", "one/x.html"], "in which nothing is changed"),
    ],
)
def test_where_nothing_can_be_written(made: Callable[[str], Path], arguments: list[str], words: str) -> None:
    folder = made("two").parent
    done = here("compare", made("one").name, "two", *arguments, cwd=folder)
    assert (done.returncode, words in done.stderr) == (2, True), done.stderr


def test_names_and_texts_of_strangers_stay_text(made: Callable[[str], Path], tmp_path: Path) -> None:
    shutil.copytree(made("one"), tmp_path / HOSTILE)
    shutil.copytree(made("longer"), tmp_path / "b\n\x1b[31mred")
    runs = (tmp_path / HOSTILE, tmp_path / "b\n\x1b[31mred")
    done = here("compare", *runs, "--anyway", "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    assert not {"\x1b", "\u202e"} & set(done.stdout)
    page = (tmp_path / "out" / "comparison.html").read_text()
    assert "<img src=x" not in page
    assert "&lt;img src=x onerror=alert(1)&gt;" in page
    assert "</script>0" not in page
    assert page.count("<script") == page.count("</script>")
    assert not {"\x1b", "\u202e"} & set(page)
    text = (tmp_path / "out" / "comparison.md").read_text()
    assert "<img" not in re.sub(r"\\.", "", text)
    assert not {"\x1b", "\u202e"} & set(text)


def test_the_page_has_the_sections_of_a_report_and_the_texts_of_all_runs(
    made: Callable[[str], Path], tmp_path: Path
) -> None:
    here("compare", made("one"), made("longer"), "--anyway", "--out", tmp_path / "x.html")
    page = (tmp_path / "x.html").read_text()
    for part in ("scoreboard", "pairs", "groups", "errors", "conditions", "samples", "provenance", "reading"):
        assert f'<section id="{part}"' in page, part
    assert 'id="contamination"' not in page
    assert page.index("Not the same conditions") < page.index('class="big"')
    _, compared = compare_runs([made("one"), made("longer")], Wanted(anyway=True))
    samples = joined_samples(compared)["test"]
    assert list(samples.answers) == ["a", "b"]
    assert samples.total == len(samples.problems) == len(samples.answers["a"]) == N
    assert {sample.text for sample in samples.answers["b"]["q1"]} <= {"39", "</script>0"}
    few = joined_samples(compared, held=2000)["test"]
    assert 0 < len(few.problems) < N
    assert few.flips == samples.flips


def run_of(label: str, weights: dict[str, str], parents: dict[str, str | None]) -> ComparedRun:
    models = [{"name": name, "from": parent} for name, parent in parents.items()]
    identities = {name: {"weights": key} for name, key in weights.items()}
    return ComparedRun(label, Path(label), {"plan": {"models": models}, "models": identities}, (), ())


def test_compute_is_compared_since_the_weights_that_both_come_from() -> None:
    """Run y starts from the same base; run z from what x had trained; run w from others."""
    runs = [
        run_of("x", {"base": "B", "sft": "S"}, {"base": None, "sft": "base", "dpo": "sft"}),
        run_of("y", {"start": "B"}, {"start": None, "sft": "start"}),
        run_of("z", {"given": "S"}, {"given": None, "grpo": "given"}),
        run_of("w", {"base": "W"}, {"base": None, "sft": "base", "ppo": "base"}),
    ]
    spent = {("x", "sft"): 100, ("x", "dpo"): 40, ("y", "sft"): 105, ("z", "grpo"): 84, ("w", "sft"): 7}
    family = lineage(runs, (), {place: {"operations": count} for place, count in spent.items()})
    assert compute_sentence(family, "x:sft", "y:sft") == "At equal compute (105 FLOP and 100 FLOP)."
    assert compute_sentence(family, "x:dpo", "z:grpo") == ("Not at equal compute: z:grpo took 2.1 times that of x:dpo.")
    assert compute_sentence(family, "x:sft", "z:grpo") == ""  # the one comes from the other
    assert not related(family, "x:sft", "w:sft")
    assert related(family, "y:sft", "z:grpo")
    assert compute_sentence(family, "w:sft", "w:ppo") == "Whether they took as much compute is not known."


@pytest.mark.slow
def test_trained_models_of_two_runs_from_one_base(smoke_run: Path, tmp_path: Path) -> None:
    shorter = ("--models", "base,sft", "--set", "models.sft.options.max_steps=4", "--reuse", smoke_run)
    done = here("run", "--recipe", "smoke", *shorter, "--out", tmp_path / "short", "--quiet")
    assert done.returncode == 0, done.stderr
    results, _ = compare_runs([smoke_run, tmp_path / "short"], Wanted())
    names = [row["model"] for row in results["datasets"][0]["scores"]]
    assert names == ["base", "run:sft", "dpo", "short:sft"]
    (said,) = results["verdict"]
    assert said.startswith("short:sft ")
    assert "Not at equal compute: run:sft took 5" in said
    assert [warning["kind"] for warning in results["warnings"]][:2] == ["same-model", "unequal-compute"]
    only, compared = compare_runs([smoke_run, tmp_path / "short"], Wanted(models=("dpo", "short:sft")))
    names = ["dpo", "short:sft", "run:sft", "run:base", "short:base"]
    assert [model["name"] for model in only["models"]] == names
    assert [row["model"] for row in only["datasets"][0]["scores"]] == names[:2]
    sums = {row["model"]: (row["whole"], row["seconds"]) for row in making_view(RunData(only))}
    own = {row["model"]: row["whole"] for row in making_view(read_run(smoke_run))}
    assert sums["dpo"] == (own["dpo"], None)
    assert render_comparison(only, compared).count("<small>from <bdi>run:sft</bdi></small>") == 1
