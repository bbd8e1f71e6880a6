"""``mra-bench datasets`` and its commands, on small files and a hub of this machine."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hub_server import Repository, hub
from runs import here

from mra_bench.dataset_proposal import propose
from mra_bench.datasets import DatasetUse, load_problems
from mra_bench.errors import UsageError
from mra_bench.plugins import PluginSettings, load_plugins

ROWS = [{"question": f"What is {n} + {n}?", "answer": f"{n} + {n} = {2 * n}\n#### {2 * n}"} for n in range(1, 6)]


def written(path: Path, *rows: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def data(*arguments: Any, code: int = 0, cwd: Path | None = None) -> Any:
    """What ``mra-bench datasets ARGUMENTS --json`` prints."""
    done = here("datasets", *arguments, "--json", cwd=cwd)
    assert done.returncode == code, done.stdout + done.stderr
    return json.loads(done.stdout)


def text(*arguments: Any, code: int = 0, cwd: Path | None = None) -> str:
    done = here("datasets", *arguments, cwd=cwd)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


# list, show


def test_the_list_says_what_answers_are() -> None:
    rows = {row["dataset"]: row for row in data()}
    assert rows["mmlu-stem"]["answer_type"] == "choice"
    assert rows["cmath"]["language"] == "zh"
    assert rows["math"]["splits"] == ["train", "test"]


def test_show_has_spec_counts_and_the_first_problem_of_a_file(tmp_path: Path) -> None:
    file = written(tmp_path / "rows.jsonl", *ROWS)
    told = text("show", "gsm8k", "--data", f"gsm8k={file}")
    assert "licence: MIT" in told
    assert "split test (at the source): 1,319 rows, checksum 1eb74d94d195" in told
    assert "  Question: What is 1 + 1?\n  Answer:" in told
    assert "  [user]\n  What is 1 + 1?\n  Reason step by step" in told
    assert "gold answer: 2" in told
    shown = data("show", "gsm8k", "--data", f"gsm8k={file}", "--style", "hash")
    assert shown["first"]["style"]["answer_format"] == "hash"
    assert shown["spec"]["gold"] == {"after": "####"}


def test_show_without_rows_says_how_to_get_them() -> None:
    assert "not at hand: mra-bench datasets fetch aime25, or --data aime25=FILE" in text("show", "aime25")
    assert data("show", "aime25")["first"] is None
    assert data("show", "arith")["first"]["plain"].startswith("Question: ")  # its rows are made here
    assert "Did you mean 'aime25'" in text("show", "aime2", code=2)


# check


def test_check_has_a_line_for_each_and_fails_with_the_rows(tmp_path: Path) -> None:
    file = written(tmp_path / "rows.jsonl", *ROWS, {"question": "What is 1 + 1 ?", "answer": "#### [1, 2"})
    told = text("check", "--data", f"gsm8k={file}", code=1)
    assert "failed  gsm8k test: rows: 6, not 1,319" in told
    assert (
        "failed  gsm8k test: golds: 5 of 6 can be read by the grader sympy. Not known to the spec: test-00005" in told
    )
    assert "noted   gsm8k test: duplicates: 1 problems ask what an earlier one asks" in told
    (row,) = data("check", "--data", f"gsm8k={file}", code=1)
    assert [check["state"] for check in row["checks"]] == ["failed", "failed", "failed", "noted"]
    assert list(row["unreadable"]) == ["test-00005"]


def test_check_goes_on_behind_rows_that_cannot_be_read(tmp_path: Path) -> None:
    file = written(tmp_path / "rows.jsonl", {"question": "1 + 1?", "answer": "2"})
    rows = data("check", "--data", f"gsm8k={file}", "--data", f"mine={file}", code=1)
    assert [(row["dataset"], row["failed"]) for row in rows] == [("gsm8k", True), ("mine", False)]
    assert "no '####' in the answer column" in rows[0]["checks"][0]["said"]
    assert "Name a dataset, or a file" in text("check", code=2)


def test_check_names_the_split_that_a_file_holds(tmp_path: Path) -> None:
    registry = load_plugins(PluginSettings())
    hard = load_problems(DatasetUse("arith", "hard"), registry)
    file = written(tmp_path / "hard.jsonl", *(vars(problem) for problem in hard))
    assert f"split: {file} holds the split 'hard' of 'arith'" in text("check", "--data", f"arith:test={file}", code=1)


# fetch


def test_fetch_prints_the_commit_and_leaves_the_rows_at_hand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [{"id": 1, "problem": "1 + 1?", "answer": "2", "solution": "It is 2."}]
    with hub() as served:
        repository = Repository({"train.jsonl": "".join(json.dumps(row) + "\n" for row in rows).encode()})
        served.repositories["datasets", "HuggingFaceH4/aime_2024"] = repository
        served.use_here(monkeypatch, tmp_path)
        (fetched,) = data("fetch", "aime24")
        assert (fetched["rows"], fetched["commit"]) == (1, repository.commit)
        asked = len(served.requests)
        assert data("show", "aime24")["first"]["problem"]["question"] == "1 + 1?"
    assert asked
    assert "There is nothing to fetch" in text("fetch", "arith", code=2)


# new


def test_new_proposes_a_spec_that_a_run_can_be_asked_for(tmp_path: Path) -> None:
    folder = tmp_path / "rows"
    folder.mkdir()
    written(folder / "sums.jsonl", *ROWS)
    told = text("new", "rows/sums.jsonl", "--out", "sums.yaml", cwd=tmp_path)
    assert "# the answer stands behind '####' in 'answer'" in told
    assert told.count("as plain text") == 3
    assert "5 rows. Of the first 5 golds the grader can read 5." in told
    spec = yaml.safe_load((tmp_path / "sums.yaml").read_text())
    assert spec["source"] == {"file": "rows"}
    assert spec["gold"] == {"after": "####"}
    (row,) = data("check", "sums.yaml", cwd=tmp_path)
    assert (row["rows"], row["unreadable"]) == (5, {})
    plan = here("run", "--model", "base=tiny-qwen2", "--data", "sums.yaml", "--dry-run", cwd=tmp_path)
    assert "problems sums" in plan.stdout
    assert "that file exists" in text("new", "rows/sums.jsonl", "--out", "sums.yaml", code=2, cwd=tmp_path)
    told = data("new", "rows/sums.jsonl", cwd=tmp_path)
    assert told["shown"][0]["chat"][0]["content"].startswith("What is 1 + 1?\nReason step by step")


def test_new_shows_what_it_proposes_even_where_a_row_is_broken(tmp_path: Path) -> None:
    """One row in a hundred lacks its answer's marker: the spec stands, and the row is named."""
    rows = [{"question": f"What is {n} + 1?", "answer": f"#### {n + 1}", "choices": "none"} for n in range(100)]
    file = written(tmp_path / "rows.jsonl", *rows[:99], {**rows[99], "answer": "100"})
    told = text("new", file, code=1)
    assert "after: '####'" in told
    assert "choices: null" in told
    assert "# not sure: 1 of 100 rows have no '####' in 'answer': an error" in told
    assert f"cannot read the file: {file}, line 100: no '####'" in told
    assert told.count("as plain text") == 3


def test_a_spec_of_ones_own_is_refused_as_ours_are(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("name: yours\nsource: {file: .}\nsplits: {test: {source: rows.jsonl}}\n")
    assert "calls itself 'yours'" in text("show", "mine.yaml", code=2, cwd=tmp_path)
    assert "Cannot read the dataset spec 'none.yaml'" in text("show", "none.yaml", code=2, cwd=tmp_path)
    (tmp_path / "mine.yaml").write_text("name: mine\nsource: {file: .}\nsplits: {test: {source: rows.jsonl}}\n")
    assert "No such file" in text("check", "mine.yaml", code=1, cwd=tmp_path)


PROPOSED: list[tuple[dict[str, Any], dict[str, Any], dict[str, Any], str]] = [
    ({"problem": "1 + 1?", "solution": "So it is $\\boxed{2}$, as we see."}, {"answer": "solution"},
     {"boxed": True}, "number"),
    ({"Body": "Ann has 2.", "Question": "How many?", "Answer": 2.0}, {"question": ["Body", "Question"]}, {}, "number"),
    ({"question": "Which?", "choices": ["2", "3"], "answer": 0}, {"show_choices": "({letter}) {text}"},
     {"index": True, "expects": "choice"}, "choice"),
    ({"question": "Which? (A) 2 (B) 3", "options": {"A": "2", "B": "3"}, "label": "B"}, {"answer": "label"},
     {"expects": "choice"}, "choice"),
    ({"query": "1 + 1?", "answer": "2 (apples)"}, {"question": "query"}, {"before": " ("}, "number"),
    ({"question": "Roots?", "final_answer": ["1", "-1"]}, {"answer": "final_answer"}, {"several": True}, "mixed"),
    ({"what": "How many is 1 + 1?", "gold": "2"}, {"question": "what"}, {}, "number"),
]  # fmt: skip


@pytest.mark.parametrize(("row", "fields", "gold", "answers"), PROPOSED)
def test_what_is_proposed(
    tmp_path: Path, row: dict[str, Any], fields: dict[str, Any], gold: dict[str, Any], answers: str
) -> None:
    proposal = propose(written(tmp_path / "rows.jsonl", row, row), "rows")
    assert {key: proposal.data["fields"].get(key) for key in fields} == fields
    assert proposal.data.get("gold", {}) == gold
    assert proposal.data["answer_type"] == answers
    assert proposal.spec.layouts[0].gold.model_dump(exclude_defaults=True) == gold


def test_what_is_unsure_is_said(tmp_path: Path) -> None:
    rows = [{"id": 1, "question": "1 + 1?", "prompt": "Solve: 1 + 1", "answer": "2", "target": "2.0", "image": "a.png"}]
    unsure = " ".join(propose(written(tmp_path / "rows.jsonl", *rows, *rows, {**rows[0], "answer": ""}), "rows").unsure)
    for said in (
        "'question' or 'prompt' could be the question", "'answer' or 'target' could be the gold answer",
        "1 of 3 rows have no gold answer", "'id' is called as ids are, but not unique", "Rows with a picture (image)",
    ):  # fmt: skip
        assert said in unsure
    with (tmp_path / "rows.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["question", "answer"], ["Which? A or B", "B"]])
    assert "there are no choices" in " ".join(propose(tmp_path / "rows.csv", "rows").unsure)


def test_choices_may_have_columns_of_their_own(tmp_path: Path) -> None:
    with (tmp_path / "rows.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["question", "A", "B", "C", "answer"], ["Which?", "2", "3", "", "B"]])
    told = data("new", "rows.csv", cwd=tmp_path)
    assert told["spec"]["fields"]["choices"] == ["A", "B", "C"]
    assert told["shown"][0]["problem"]["question"] == "Which?\n(A) 2\n(B) 3"
    assert told["shown"][0]["problem"]["choices"] == ["2", "3"]


@pytest.mark.parametrize(
    ("row", "message"),
    [({"x": 1, "answer": "2"}, "no column looks like a question"), ({"question": "1?"}, "no column looks like a gold")],
)
def test_a_file_that_is_no_dataset_is_refused(tmp_path: Path, row: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        propose(written(tmp_path / "rows.jsonl", row), "rows")
    with pytest.raises(UsageError, match="has no rows"):
        propose(written(tmp_path / "none.jsonl"), "none")


def test_a_chinese_file_is_asked_in_chinese(tmp_path: Path) -> None:
    rows = written(tmp_path / "rows.jsonl", {"question": "一加一等于几？", "answer": "2", "grade": 1})
    assert propose(rows, "rows").data["prompt"] == {"style": "chinese"}


# What goes wrong with a file and a spec of one's own

LESSON = ["nr,frage,lsg,thema", *(f"{n},Was ist {n} mal 3?,{3 * n},{'a' if n % 2 else 'b'}" for n in range(1, 9))]
OF_LESSON = "name: h\nsource: {file: .}\nsplits: {test: {source: p.csv}}\n"


@pytest.fixture
def lesson(tmp_path: Path) -> Path:
    (tmp_path / "p.csv").write_text("\n".join(LESSON) + "\n")
    return tmp_path


@pytest.mark.parametrize(
    ("field", "column", "code", "hint"),
    [
        ("subject", "tehma", 1, " Did you mean 'thema'?"),
        ("choices", "[frage, zz]", 1, ""),
        ("id", "nrr", 1, " Did you mean 'nr'?"),
        ("subject", "thema", 0, ""),
        ("level", "null", 0, ""),
    ],
)
def test_a_column_that_a_spec_names_must_be_there(lesson: Path, field: str, column: str, code: int, hint: str) -> None:
    """What it does not name, such as a level, may be missing."""
    fields = f"fields: {{question: frage, answer: lsg, {field}: {column}}}"
    (lesson / "h.yaml").write_text(OF_LESSON + fields + "\n")
    told = text("check", "h.yaml", code=code, cwd=lesson)
    missing = column.strip("[]").rpartition(" ")[2]
    said = (
        f"p.csv: the spec has '{field}: {missing}', but no row has the column '{missing}'.{hint} The columns there are:"
    )
    assert (f"{said} nr, frage, lsg, thema." in told) == bool(code)
    done = here("run", "--model", "base=tiny-qwen2", "--data", "h.yaml", "--dry-run", cwd=lesson)
    assert (done.returncode, said in done.stderr) == (2 if code else 0, bool(code))


def test_a_key_that_a_spec_does_not_know_is_said_in_plain_words(lesson: Path) -> None:
    for wrong, said in (
        ("fields: {anwser: lsg}", "has an unknown key 'fields.anwser'; did you mean 'answer'?"),
        ("gold: {zzz: 1}", "has an unknown key 'gold.zzz'; known there: after, boxed,"),
        ("files: [{splits: {test: {row: 1}}}]", "has an unknown key 'files.0.splits.test.row'; did you mean 'rows'?"),
        ("titel: x", "has an unknown key 'titel'; did you mean 'title'?"),
        ("prompt: {examples: {split: train}}", "lacks the key 'prompt.examples.ids'"),
    ):
        (lesson / "h.yaml").write_text(OF_LESSON + wrong + "\n")
        assert f"The dataset spec h.yaml {said}" in text("show", "h.yaml", code=2, cwd=lesson)


def test_a_file_of_rows_is_pointed_to_its_spec(lesson: Path) -> None:
    told = text("show", "p.csv", code=2, cwd=lesson)
    assert "p.csv is a file of rows, not a spec." in told
    assert "mra-bench datasets new p.csv" in told
    assert "No such file" in text("show", "q.csv", code=2, cwd=lesson)
    told = text("check", "p.csv", code=1, cwd=lesson)
    assert "p.csv, line 1: no column 'question' and no column 'answer'. Its columns: nr, frage, lsg, thema." in told
    assert "mra-bench datasets new p.csv" in told
    (lesson / "q.csv").write_text("nr,question,anwser\n1,1 + 1?,2\n")
    assert "no column 'answer'. Is 'anwser' meant for 'answer'?" in text("check", "q.csv", code=1, cwd=lesson)


def test_an_id_that_comes_twice_is_found_in_the_file(lesson: Path) -> None:
    (lesson / "p.csv").write_text("\n".join([*LESSON, "3,Was ist 5?,5,a"]) + "\n")
    (lesson / "h.yaml").write_text(OF_LESSON + "fields: {id: nr, question: frage, answer: lsg}\n")
    told = text("check", "h.yaml", code=1, cwd=lesson)
    assert "p.csv, line 10: the id '3' is there twice; p.csv, line 4 has it too." in told


def test_short_values_make_a_gold_answer_whatever_its_name(lesson: Path) -> None:
    proposal = propose(lesson / "p.csv", "p")
    assert (proposal.data["fields"]["question"], proposal.data["fields"]["answer"]) == ("frage", "lsg")
    assert any("'lsg' holds short values" in one for one in proposal.unsure)
    (lesson / "g.csv").write_text("frage,lsg\n" + "".join(f"Was ist {n} mal 3?,{3 * n}\n" for n in range(8)))
    told = text("new", "g.csv", "--out", "g.yaml", cwd=lesson)
    assert "Of the first 8 golds the grader can read 8." in told
    text("check", "g.yaml", cwd=lesson)


def test_columns_may_be_named(lesson: Path) -> None:
    (lesson / "q.csv").write_text("a,b,answer,c\n" + "".join(f"{n} + 1,x,{n},{n + 1}\n" for n in range(8)))
    assert "Name it with --question COLUMN" in text("new", "q.csv", code=2, cwd=lesson)
    spec = data("new", "q.csv", "--question", "a", "--answer", "c", cwd=lesson)["spec"]
    assert (spec["fields"]["question"], spec["fields"]["answer"]) == ("a", "c")
    told = text("new", "q.csv", "--question", "a", "--answer", "d", code=2, cwd=lesson)
    assert "Unknown column 'd' in q.csv. Known: a, answer, b, c." in told
    assert "name two" in text("new", "q.csv", "--question", "a", "--answer", "a", code=2, cwd=lesson)
    (lesson / "n.csv").write_text("nr,frage\n1,Was ist das?\n2,Was ist dies?\n")
    assert "Name it with --answer COLUMN" in text("new", "n.csv", code=2, cwd=lesson)
