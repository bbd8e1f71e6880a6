"""mra-bench import: files of other tools become run folders whose figures follow from texts; bad ones are refused."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from runs import here
from test_schemas import check, rows

from mra_bench.imports.layouts import read_texts
from mra_bench.store import write_rows

QUESTIONS = [f"Ann has {i + 3} pears and buys {i + 8} more. How many pears has Ann now?" for i in range(6)]
GOLDS = [str(2 * i + 11) for i in range(6)]
SHARED = Path(__file__).parents[2] / "shared/data/outputs/openai_gsm8k"


def lm_eval(place: int, text: str, score: float, name: str = "strict-match") -> dict[str, Any]:
    """A row as lm-eval 0.4 writes it with --log_samples."""
    return {
        "doc_id": place,
        "doc": {"question": QUESTIONS[place], "answer": f"Count them.\n#### {GOLDS[place]}"},
        "target": f"Count them.\n#### {GOLDS[place]}",
        "arguments": {"gen_args_0": {"arg_0": f"Question: {QUESTIONS[place]}\nAnswer:", "arg_1": {"until": ["\n\n"]}}},
        "resps": [[text]],
        "filtered_resps": [text.rpartition(" ")[2]],
        "filter": name,
        "metrics": ["exact_match"],
        "exact_match": score,
    }


def inspect(place: int, text: str, value: Any, epoch: int = 1) -> dict[str, Any]:
    """A sample as inspect logs it."""
    message = {"role": "assistant", "content": [{"type": "text", "text": text}]}
    return {
        "id": place + 1,
        "epoch": epoch,
        "input": [{"role": "user", "content": QUESTIONS[place]}],
        "target": [GOLDS[place]],
        "output": {"model": "m", "choices": [{"message": message, "stop_reason": "max_tokens"}]},
        "scores": {"match": {"value": value, "answer": text[-2:]}},
    }


def review(place: int, text: str, value: float) -> dict[str, Any]:
    """A row of a reviews file of evalscope."""
    score = {"value": {"acc": value}, "prediction": text, "extracted_prediction": text[-2:], "main_score_name": "acc"}
    asked = f"{QUESTIONS[place]}\nPlease put your final answer within \\boxed{{}}."
    return {"index": place, "input": asked, "target": GOLDS[place], "sample_score": {"score": score}}


def texts(wrong: Sequence[int] = (1,)) -> list[str]:
    return [f"They are {'99' if place in wrong else gold}." for place, gold in enumerate(GOLDS)]


def archive(path: Path, samples: Mapping[str, Any]) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("header.json", json.dumps({"eval": {"model": "openai/m-1"}}))
        for name, sample in samples.items():
            file.writestr(name, json.dumps(sample))


def write_files(folder: Path) -> None:
    written = texts()
    both = [
        lm_eval(p, text, float(p not in (1, 2)) if name == "strict-match" else 1.0, name)
        for name in ("strict-match", "flexible-extract")
        for p, text in enumerate(written)
    ]
    write_rows(folder / "lm-eval.jsonl", both)
    write_rows(folder / "evalscope.jsonl", [review(p, text, float(p not in (1, 2))) for p, text in enumerate(written)])
    samples = [inspect(p, text, "I" if p in (1, 2) else "C") for p, text in enumerate(written)]
    archive(folder / "inspect.eval", {f"samples/{p}_epoch_1.json": sample for p, sample in enumerate(samples)})
    (folder / "inspect.json").write_text(json.dumps({"eval": {"model": "m"}, "samples": samples}))
    cells = [{"solution": text, "is_correct": p not in (1, 2)} for p, text in enumerate(written)]
    write_rows(
        folder / "openai-gsm8k.jsonl",
        [{"question": q, "ground_truth": g, "6b": c} for q, g, c in zip(QUESTIONS, GOLDS, cells, strict=True)],
    )
    mine = [{"ask": q, "key": {"a": g}, "reply": t} for q, g, t in zip(QUESTIONS, GOLDS, written, strict=True)]
    write_rows(folder / "mine.jsonl", [{**row, "ok": p not in (1, 2)} for p, row in enumerate(mine)])
    problems = [{"id": f"q{p}", "question": q, "answer": GOLDS[p]} for p, q in enumerate(QUESTIONS)]
    write_rows(folder / "test.jsonl", problems)


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write_files(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def published(folder: str = "out") -> dict[str, Any]:
    found = json.loads(Path(folder, "results.json").read_text())["published"]
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize(
    ("layout", "file"),
    [
        ("lm-eval", "lm-eval.jsonl"),
        ("evalscope", "evalscope.jsonl"),
        ("inspect", "inspect.eval"),
        ("inspect", "inspect.json"),
        ("openai-gsm8k", "openai-gsm8k.jsonl"),
    ],
)
def test_every_layout_gives_the_same_texts_golds_and_verdicts(files: Path, layout: str, file: str) -> None:
    found = list(read_texts(files / file, layout, {}))
    assert [text.text for text in found] == texts()
    assert [text.gold for text in found] == GOLDS
    assert [text.correct for text in found] == [True, False, False, True, True, True]
    assert all(question in text.question for question, text in zip(QUESTIONS, found, strict=True))


def test_an_import_is_a_run_and_says_where_its_texts_come_from(files: Path) -> None:
    done = here("import", "a=lm-eval.jsonl", "--from", "lm-eval", "--data", "test.jsonl", "--out", "out", "--quiet")
    assert done.returncode == 0, done.stderr
    assert (
        "published (strict-match/exact_match) 4 of 6 right (66.7%), graded again 5 (83.3%), +16.67 points"
        in done.stdout
    )
    record = json.loads(Path("out/run.json").read_text())
    assert record["models"]["a"]["generated"] is False
    assert record["models"]["a"]["file"] == "lm-eval.jsonl"
    assert record["decoding"] == {}
    assert record["prompts"]["a"]["test"]["text"] == f"Question: {QUESTIONS[0]}\nAnswer:"
    only = published()["models"][0]
    assert [row["problem"] for row in only["differ"]] == ["q2"]
    assert (only["both"], only["derived_only"], only["neither"]) == (4, 1, 1)
    check("run", record)
    check("results", json.loads(Path("out/results.json").read_text()))
    check("leaderboard_rows", json.loads(Path("out/leaderboard_rows.json").read_text()))
    for row in rows(sorted(Path("out").glob("verdicts/*/*.jsonl"))):
        check("verdict", row)
    for path in sorted(Path("out").glob("*/*/stage.json")):
        check("stage", json.loads(path.read_text()))
    assert "Published verdicts" in Path("out/report.html").read_text()
    again = here("import", "a=lm-eval.jsonl", "--from", "lm-eval", "--data", "test.jsonl", "--out", "out")
    assert again.returncode == 0
    assert "grade" not in again.stderr
    assert here("clean", "out").stdout.startswith("Nothing to remove")


def test_report_compare_audit_and_leaderboard_work_on_it(files: Path) -> None:
    more = ("--data", "test.jsonl", "--quiet")
    assert here("import", "a=lm-eval.jsonl", "--from", "lm-eval", *more, "--out", "one").returncode == 0
    assert here("import", "b=inspect.eval", "--from", "inspect", *more, "--out", "two").returncode == 0
    assert here("report", "one").returncode == 0
    audited = here("audit", "one", "--quiet")
    assert audited.returncode == 0, audited.stdout
    assert "a, q2 sample 0: published wrong" in audited.stdout
    assert "of no split whose questions are known here" in audited.stdout
    compared = here("compare", "one", "two", "--out", "both")
    assert compared.returncode == 0, compared.stderr
    board = here("leaderboard", "one", "two", "--out", "boards")
    assert board.returncode == 0, board.stderr
    assert "not known, the texts were imported" in Path("boards/leaderboard.csv").read_text()
    verified = here("leaderboard", "verify", "one", "--out", "boards", "--quiet")
    assert "unverifiable" in verified.stdout, verified.stdout


def test_a_changed_verdict_of_the_tool_is_found(files: Path) -> None:
    assert here("import", "lm-eval.jsonl", "--from", "lm-eval", "--out", "out", "--quiet").returncode == 0
    path = next(Path("out").glob("verdicts/*/verdicts.jsonl"))
    path.write_text(path.read_text().replace('"correct": false', '"correct": true', 1))
    done = here("audit", "out", "--quiet")
    assert done.returncode == 1
    assert "correct: stored 4; derived 5" in done.stdout
    assert "results.json: published" in done.stdout


def test_rows_golds_and_copies_that_are_not_as_named_are_said(files: Path) -> None:
    problems = [{"id": f"q{p}", "question": q, "answer": GOLDS[p]} for p, q in enumerate(QUESTIONS)]
    problems[0]["answer"] = "1100"  # the file has 11, its start
    write_rows(files / "test.jsonl", [*problems[:5], {"id": "new", "question": "1 + 1 = ?", "answer": "2"}])
    copied = ("a=lm-eval.jsonl", "b=lm-eval.jsonl")
    done = here("import", *copied, "--from", "lm-eval", "--data", "test.jsonl", "--out", "out", "--quiet")
    assert done.returncode == 0, done.stderr
    assert "5 of 6 problems; 1 of other questions; 1 problems of the split without a text" in done.stdout
    assert "1 of 5 gold answers are not the dataset's (1 of them cut), such as q0: '11' for '1100'" in done.stdout
    assert "The texts are about 5 of the split's 6 problems" in done.stdout
    assert published()["alike"] == []  # five texts are too few to tell
    rows_there = json.loads(Path("out/leaderboard_rows.json").read_text())["rows"]
    assert rows_there[0]["part"] == "5 imported"


def test_golds_are_compared_by_what_they_say(files: Path) -> None:
    given = {"1,234": "1234", "0.5": "\\frac{1}{2}", "18": "18.5", "1": "1,250", "7": "7 pears"}
    problems = [{"id": f"q{p}", "question": QUESTIONS[p], "answer": gold} for p, gold in enumerate(given.values())]
    write_rows(files / "test.jsonl", problems)
    mine = [{"question": QUESTIONS[p], "gold": gold, "text": "It is 7."} for p, gold in enumerate(given)]
    write_rows(files / "mine.jsonl", mine)
    done = here("import", "mine.jsonl", "--from", "jsonl", "--data", "test.jsonl", "--out", "out", "--quiet")
    assert "2 of 5 gold answers are not the dataset's (2 of them cut), such as q2: '18' for '18.5'" in done.stdout
    said = here("audit", "out", "--quiet").stdout
    assert "q3: the gold answer is '1' in the file, '1,250' in the dataset, cut" in said
    path = next(Path("out").glob("verdicts/*/verdicts.jsonl"))
    path.write_text(path.read_text().replace('"same_gold": false', '"same_gold": true', 1))
    changed = here("audit", "out", "--quiet")
    assert changed.returncode == 1
    assert "q2 sample 0: stored same_gold True; derived False" in changed.stdout


def test_fields_of_any_other_file_can_be_named(files: Path) -> None:
    fields = ("question=ask", "gold=key.a", "text=reply", "verdict=ok")
    given = [word for field in fields for word in ("--field", field)]
    done = here("import", "mine.jsonl", "--from", "jsonl", *given, "--out", "out", "--quiet")
    assert done.returncode == 0, done.stderr
    assert "published 4 of 6 right" in done.stdout


def test_several_samples_of_a_problem(files: Path) -> None:
    samples = [inspect(p, t, "C", epoch) for epoch in (1, 2) for p, t in enumerate(texts([epoch]))]
    archive(files / "two.eval", {f"samples/{s['id']}_epoch_{s['epoch']}.json": s for s in samples})
    done = here("import", "two.eval", "--from", "inspect", "--out", "out", "--quiet")
    assert done.returncode == 0, done.stderr
    score = json.loads(Path("out/results.json").read_text())["datasets"][0]["scores"][0]
    assert (score["model"], score["samples"], score["correct"]) == ("openai-m-1", 2, 5.0)
    assert score["truncated"] == 12


def _huge_line(folder: Path) -> Sequence[str]:
    (folder / "bad.jsonl").write_bytes(b'{"question": "' + b"x" * (17 << 20) + b'"}\n')
    return "bad.jsonl", "--from", "jsonl"


def _bomb(folder: Path) -> Sequence[str]:
    with zipfile.ZipFile(folder / "bad.eval", "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("header.json", "{}")
        file.writestr("samples/1_epoch_1.json", b"[" + b" " * (65 << 20))
    return "bad.eval", "--from", "inspect"


def _traversal(folder: Path) -> Sequence[str]:
    archive(folder / "bad.eval", {"samples/1.json": {}, "samples/../../out.json": {}})
    return "bad.eval", "--from", "inspect"


def _no_archive(folder: Path) -> Sequence[str]:
    (folder / "bad.eval").write_bytes(b"PK\x03\x04 and no more")
    return "bad.eval", "--from", "inspect"


def _wrong_type(folder: Path) -> Sequence[str]:
    write_rows(folder / "bad.jsonl", [{"question": "1 + 1", "gold": "2", "text": {"a": 1}}])
    return "bad.jsonl", "--from", "jsonl"


def _no_verdict(folder: Path) -> Sequence[str]:
    write_rows(folder / "bad.jsonl", [{"question": "1 + 1", "gold": "2", "text": "2", "correct": "perhaps"}])
    return "bad.jsonl", "--from", "jsonl"


def _likelihoods(folder: Path) -> Sequence[str]:
    write_rows(folder / "bad.jsonl", [{**lm_eval(0, "", 1.0), "resps": [[[-1.0, False]], [[-2.0, True]]]}])
    return "bad.jsonl", "--from", "lm-eval"


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (_huge_line, "bad.jsonl, line 1 is longer than 16"),
        (_bomb, "samples/1_epoch_1.json unpacks to more than 64"),
        (_traversal, "'samples/../../out.json', a name that points out of the archive"),
        (_no_archive, "bad.eval cannot be read as an .eval archive"),
        (_wrong_type, "bad.jsonl, line 1: the text must be text, a number or chat messages, got dict {'a': 1}"),
        (_no_verdict, "the verdict must be 1 or 0, true or false, right or wrong; got str 'perhaps'"),
        (_likelihoods, "'resps' must hold generated texts; was the task one of likelihoods?"),
        (
            lambda _: ("lm-eval.jsonl", "--from", "lm-eval", "--score", "acc"),
            "There are: strict-match/exact_match, flex",
        ),
        (lambda _: ("mine.jsonl", "--from", "jsonl"), "Say where: --field text=PATH. The row has: ask, key, reply, ok"),
        (lambda _: ("mine.jsonl", "--from", "jsonl", "--field", "text=repy"), "Is it 'reply'?"),
        (lambda _: ("none.jsonl", "--from", "jsonl"), "No such file: 'none.jsonl'"),
        (lambda _: ("lm-eval.jsonl", "--from", "lm-eval", "--data", "gsm=x.jsonl"), "No such file: 'x.jsonl'"),
        (
            lambda _: ("lm-eval.jsonl", "--from", "lm-eval", "--data", "arith"),
            "Not one of the 6 texts of 'lm-eval' is about a problem of the dataset",
        ),
    ],
)
def test_bad_input_is_an_error_before_any_work(files: Path, make: Callable[[Path], Sequence[str]], said: str) -> None:
    done = here("import", *make(files), "--out", "out")
    assert done.returncode == 2, done.stderr
    assert said in done.stderr
    assert not Path("out").exists()


def test_imported_texts_cannot_be_generated_again(files: Path) -> None:
    more = ("--data", "test.jsonl", "--out", "out", "--quiet")
    assert here("import", "lm-eval.jsonl", "--from", "lm-eval", *more).returncode == 0
    done = here("run", "--recipe", "out/recipe.yaml", "--out", "again", "--quiet")
    assert done.returncode == 2
    assert "nothing can be generated. `mra-bench import` reads the file" in done.stderr


@pytest.mark.skipif(not SHARED.is_dir(), reason="other people's outputs are not beside the project")
def test_the_published_solutions_of_gsm8k(tmp_path: Path) -> None:
    lines = (SHARED / "gpt3_6b_verification.jsonl").read_text().splitlines()[:60]
    (tmp_path / "theirs.jsonl").write_text("\n".join(lines) + "\n")
    done = here("import", tmp_path / "theirs.jsonl", "--from", "openai-gsm8k", "--out", tmp_path / "out", "--quiet")
    assert done.returncode == 0, done.stderr
    assert "verdicts differ on 0 texts" in done.stdout
    said = here("audit", tmp_path / "out", "--quiet").stdout
    assert "a sample of gsm8k, test would show" in said


def test_a_file_that_lm_eval_has_written(tmp_path: Path) -> None:
    """Six documents by two filters, of the embedded base model, as lm-eval 0.4.13 logged them."""
    written = Path(__file__).with_name("lm_eval_samples.jsonl")
    for score, published in (("strict-match", 0), ("flexible-extract", 3)):
        out = tmp_path / score
        more = ("--from", "lm-eval", "--data", "arith", "--score", score, "--out", out, "--quiet")
        done = here("import", f"tiny={written}", *more)
        assert done.returncode == 0, done.stderr
        assert f"published ({score}/exact_match) {published} of 6 right" in done.stdout
        assert "graded again 3 (50.0%)" in done.stdout
    assert "a sample of arith, test would show" in here("audit", tmp_path / "strict-match", "--quiet").stdout
