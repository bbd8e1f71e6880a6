"""Files of samples: which columns are read, what their values become, and what is refused with which words."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from mra_bench.errors import UsageError
from mra_bench.samples import Columns, Sample, Source, choose_columns, opened, read_samples

NOTHING: dict[str, str | None] = dict.fromkeys(("text", "gold", "id", "question", "label", "choices"))


def source(folder: Path, *rows: Any, name: str = "s.jsonl") -> Source:
    path = folder / name
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return Source(path, str(path))


def samples(at: Source, **named: str) -> list[Sample]:
    return list(read_samples(at, choose_columns(at, {**NOTHING, **named})))


@pytest.mark.parametrize(
    ("columns", "found"),
    [
        (("text", "gold"), Columns("text", "gold")),
        (("answer", "completion", "uid"), Columns("completion", "answer", "uid")),
        (("prediction", "gold", "answer", "problem", "id"), Columns("prediction", "gold", "id", "problem")),
        (("gold", "answer"), Columns("answer", "gold")),
    ],
)
def test_well_known_columns(columns: tuple[str, ...], found: Columns, tmp_path: Path) -> None:
    assert choose_columns(source(tmp_path, dict.fromkeys(columns, "1")), NOTHING) == found


def test_a_named_column_is_not_taken_for_something_else(tmp_path: Path) -> None:
    at = source(tmp_path, {"text": "1", "gold": "2", "response": "3"})
    assert choose_columns(at, {**NOTHING, "gold": "text"}) == Columns("response", "text")
    with pytest.raises(UsageError, match="both 'gold'"):
        choose_columns(at, {**NOTHING, "gold": "gold", "text": "gold"})


def test_values_are_text_exactly_as_it_stands(tmp_path: Path) -> None:
    at = source(
        tmp_path,
        {"id": 7, "gold": 42.0, "text": "  so\n42 "},
        {"id": "b", "gold": 0.5, "text": None},
        {"id": None, "gold": "", "text": 3},
    )
    first, second, third = samples(at)
    assert (first.problem.id, first.problem.answer, first.text) == ("7", "42", "  so\n42 ")
    assert (second.problem.answer, second.text) == ("0.5", "")
    assert (third.number, third.problem.id, third.problem.answer, third.text) == (3, "3", "", "3")


def test_choices_are_read_where_they_are_named(tmp_path: Path) -> None:
    at = source(tmp_path, {"gold": "B", "text": "7", "choices": ["A) 6", "B) 7"]})
    assert samples(at, choices="choices")[0].problem.choices == ("6", "7")
    assert samples(at)[0].problem.choices == ()


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_other_formats(suffix: str, tmp_path: Path) -> None:
    import pandas as pd

    path = tmp_path / f"s{suffix}"
    frame = pd.DataFrame({"gold": ["1", "2"], "text": ["a", "b"], "ok": [True, False]})
    frame.to_csv(path, index=False) if suffix == ".csv" else frame.to_parquet(path)
    found = samples(Source(path, str(path)), label="ok")
    assert [(s.problem.answer, s.text, s.label) for s in found] == [("1", "a", True), ("2", "b", False)]


@pytest.mark.parametrize(
    ("value", "label"), [(True, True), ("Wrong", False), (0, False), (1.0, True), ("", None), (None, None)]
)
def test_labels(value: Any, label: bool | None, tmp_path: Path) -> None:
    (sample,) = samples(source(tmp_path, {"gold": "1", "text": "1", "ok": value}), label="ok")
    assert sample.label is label


@pytest.mark.parametrize(
    ("rows", "named", "words"),
    [
        ([], {}, "has no rows"),
        ([{"gold": "1", "txet": "2"}], {}, "name known for the text .* Is it 'txet'. Its columns: gold, txet"),
        ([{"gold": "1", "text": "2"}], {"text": "txt"}, "--text txt: .* Is it 'text'"),
        ([{"gold": "1", "text": "2"}, {"gold": "1"}], {}, "line 2: no column 'text'"),
        ([{"gold": "1", "text": ["2"]}], {}, "line 1: the column 'text' must be text or a number, got list"),
        ([{"gold": True, "text": "2"}], {}, "'gold' must be text or a number, got bool"),
        ([{"gold": "1", "text": "2", "ok": "perhaps"}], {"label": "ok"}, "line 1: the label 'perhaps' .* is none of"),
        ([{"gold": "1", "text": "2", "c": "A"}], {"choices": "c"}, "line 1: the column 'c' must be a list"),
    ],
)
def test_what_is_refused(rows: list[Any], named: dict[str, str], words: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=words):
        samples(source(tmp_path, *rows), **named)


def test_standard_input_is_called_so(monkeypatch: pytest.MonkeyPatch) -> None:
    text = '{"gold": "1", "text": "2"}\nnot json\n'
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    with opened("-") as at:
        found = read_samples(at, choose_columns(at, NOTHING))
        assert next(found).problem.answer == "1"
        with pytest.raises(UsageError, match="standard input, line 2: not valid JSON"):
            next(found)
    assert not at.path.exists()


def test_a_column_that_another_option_took_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="'gold' is taken by --text"):
        samples(source(tmp_path, {"gold": "1", "x": "1"}), text="gold")


def test_a_csv_header_with_a_column_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "s.csv"
    path.write_text("gold,text,gold\n1,2,3\n")
    with pytest.raises(UsageError, match="line 1: the header holds the column 'gold' twice"):
        samples(Source(path, str(path)))
