"""Files of other tools as their current versions write them: lm-eval 0.4.13, inspect 0.3.285, evalscope 1.14.1."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from runs import here
from test_import import GOLDS, QUESTIONS, lm_eval, texts

from mra_bench.imports.layouts import ImportedText, files_of, read_texts
from mra_bench.store import write_rows

if sys.version_info >= (3, 14):
    import zipfile
else:
    from backports.zstd import zipfile

EXAMPLE = "A pen costs 3 dollars. What do 5 pens cost?"


def read(path: Path, layout: str, score: str = "") -> list[ImportedText]:
    return [text for file in files_of(path, layout) for text in read_texts(file, layout, {}, score)]


def sample(place: int, text: str, scores: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """A sample as inspect logs it, but for its events: of one that failed there are no choices and no scores."""
    message = {"id": "a1", "content": text, "source": "generate", "role": "assistant", "model": "m-1"}
    failed = "error" in more
    asked = f"Solve.\n\n{QUESTIONS[place]}\n\nEnd with ANSWER: $ANSWER"
    return {
        "id": place + 1,
        "epoch": 1,
        "input": QUESTIONS[place],
        "target": GOLDS[place],
        "messages": [{"id": "u1", "content": asked, "source": "input", "role": "user"}, *([] if failed else [message])],
        "output": {
            "model": "m-1",
            "choices": [] if failed else [{"message": message, "stop_reason": "stop"}],
            "completion": "" if failed else text,
        },
        "scores": {} if failed else scores,
        "error": None,
        "limit": None,
        "attachments": {},
        **more,
    }


def log(path: Path, samples: Sequence[Mapping[str, Any]]) -> Path:
    """An .eval archive, compressed as inspect does it, with a figure that it does not have."""
    header = {"version": 2, "status": "success", "eval": {"model": "openai/m-1"}, "results": {"stderr": float("nan")}}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_ZSTANDARD) as file:
        file.writestr("_journal/start.json", "{}")
        for one in samples:
            file.writestr(f"samples/{one['id']}_epoch_{one['epoch']}.json", json.dumps(one))
        file.writestr("header.json", json.dumps(header))
    return path


def test_an_inspect_archive_with_failed_samples_and_several_scorers(tmp_path: Path) -> None:
    scores = {
        "match": {"value": "C", "answer": "1", "history": []},
        "parts": {"value": {"format": 0.0, "answer": 1.0}, "answer": None},
    }
    whole = [sample(place, text, scores) for place, text in enumerate(texts([]))]
    failed = sample(1, "", {}, epoch=2, error={"message": "the endpoint was gone", "traceback": ""})
    path = log(tmp_path / "one.eval", [*whole, *({**one, "epoch": 2} for one in whole if one["id"] != 2), failed])
    found = read(path, "inspect")
    assert [text.model for text in found] == ["openai/m-1"] * 12
    assert [text.failed for text in found if text.failed] == ["the endpoint was gone"]
    assert found[0].prompt == f"Solve.\n\n{found[0].question}\n\nEnd with ANSWER: $ANSWER"
    assert {text.correct for text in read(path, "inspect", "parts") if not text.failed} == {False}
    assert {text.correct for text in read(path, "inspect", "parts/answer") if not text.failed} == {True}
    out = tmp_path / "out"
    done = here("import", path, "--from", "inspect", "--out", out, "--quiet")
    assert done.returncode == 0, done.stderr
    assert "1 on which the tool failed, whose problems are left out" in done.stdout
    score = json.loads((out / "results.json").read_text())["datasets"][0]["scores"][0]
    assert (score["n"], score["samples"]) == (5, 2)
    assert "at temperature" not in done.stdout
    assert "max_new_tokens" not in (out / "recipe.yaml").read_text()


def test_a_log_in_which_all_failed_is_refused(tmp_path: Path) -> None:
    rows = [sample(place, "", {}, error={"message": "no such model"}) for place in range(2)]
    done = here("import", log(tmp_path / "bad.eval", rows), "--from", "inspect", "--out", tmp_path / "out")
    assert done.returncode == 2
    assert "what wrote the file failed on every problem" in done.stderr
    assert "no such model" in done.stderr


def test_an_archive_that_unpacks_to_too_much_is_refused_before_it_is_held(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "bad.eval", "w", zipfile.ZIP_ZSTANDARD) as file:
        file.writestr("header.json", "{}")
        file.writestr("samples/1_epoch_1.json", b"[" + b" " * (65 << 20))
    done = here("import", tmp_path / "bad.eval", "--from", "inspect", "--out", tmp_path / "out")
    assert done.returncode == 2
    assert "samples/1_epoch_1.json unpacks to more than 64" in done.stderr


def message(role: str, content: str) -> dict[str, Any]:
    return {"id": "1", "content": content, "source": None, "metadata": None, "role": role}


def evalscope(folder: Path, model: str, written: Sequence[str]) -> None:
    """Reviews and predictions of a model, two texts a problem, in the folders and rows of evalscope."""
    reviews, predictions = [], []
    for index, (place, text) in enumerate((place, text) for place, text in enumerate(written) for _ in range(2)):
        asked = f"{EXAMPLE}\n\nANSWER: \\boxed{{15}}\n\n{QUESTIONS[place]}\nPut your answer within \\boxed{{}}."
        messages = [message("user", asked), message("assistant", text)]
        value = {"accuracy": float(GOLDS[place] in text)}
        score = {"value": value, "extracted_prediction": text[-3:-1], "prediction": text, "main_score_name": "accuracy"}
        place_of = {"sample_id": index, "group_id": place, "generation_index": index % 2}
        reviews.append(
            {
                "index": index,
                "target": [GOLDS[place]],
                "messages": messages,
                "sample_score": {"score": score, **place_of},
            }
        )
        choice = {"message": messages[1], "stop_reason": "max_tokens" if place == 0 else "stop"}
        output = {"model": model, "choices": [choice], "error": None}
        predictions.append({"index": index, "model": model, "model_output": output, "messages": messages})
    for kind, rows in (("reviews", reviews), ("predictions", predictions)):
        (folder / kind / model).mkdir(parents=True)
        write_rows(folder / kind / model / "gsm8k_main.jsonl", rows)


def test_the_output_folder_of_evalscope(tmp_path: Path) -> None:
    evalscope(tmp_path / "outputs", "a-1", texts([]))
    evalscope(tmp_path / "outputs", "b-2", texts())
    problems = [{"id": f"q{p}", "question": q, "answer": GOLDS[p]} for p, q in enumerate(QUESTIONS)]
    write_rows(tmp_path / "test.jsonl", problems)
    out = tmp_path / "out"
    more = ("--from", "evalscope", "--data", tmp_path / "test.jsonl", "--out", out, "--quiet")
    done = here("import", tmp_path / "outputs", *more)
    assert done.returncode == 0, done.stderr
    assert "a-1: published (accuracy) 12 of 12 right (100.0%), graded again 12" in done.stdout
    assert "b-2: published (accuracy) 10 of 12 right (83.3%), graded again 10" in done.stdout
    scores = json.loads((out / "results.json").read_text())["datasets"][0]["scores"]
    assert [score["truncated"] for score in scores] == [2, 2]
    only = read(tmp_path / "outputs/predictions/a-1/gsm8k_main.jsonl", "evalscope")
    assert {(text.model, text.correct, text.gold) for text in only} == {("a-1", None, None)}


def test_what_lm_eval_names_its_folders(tmp_path: Path) -> None:
    folder = tmp_path / "results" / "Qwen__Qwen2.5-0.5B"
    folder.mkdir(parents=True)
    stamp = "2026-01-01T10-00-00.123456"
    nothing = {**lm_eval(0, "They are 11.", 0.0), "filtered_resps": ["[invalid]"]}
    write_rows(folder / f"samples_gsm8k_{stamp}.jsonl", [nothing])
    (folder / f"results_{stamp}.json").write_text("{}")
    (found,) = read(tmp_path / "results", "lm-eval")
    assert (found.model, found.answer) == ("Qwen2.5-0.5B", "")
    done = here("import", tmp_path / "results", "--from", "lm-eval", "--out", tmp_path / "out", "--quiet")
    assert "the tool found no answer where its format has one, ours found one (1)" in done.stdout
    (folder / "samples_gsm8k_2026-01-02T10-00-00.123456.jsonl").write_text("")
    done = here("import", tmp_path / "results", "--from", "lm-eval", "--out", tmp_path / "two", "--quiet")
    assert done.returncode == 2
    assert "is a folder of 2 results; name those that are meant" in done.stderr


@pytest.mark.parametrize("layout", ["lm-eval", "inspect", "evalscope", "jsonl"])
def test_a_folder_without_results_is_refused(tmp_path: Path, layout: str) -> None:
    done = here("import", tmp_path, "--from", layout, "--out", tmp_path / "out")
    assert done.returncode == 2
    assert f"is a folder in which no results of {layout} are known; name its files" in done.stderr
