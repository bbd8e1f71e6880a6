"""Turns one row of a file or hub dataset into a Problem, as the dataset's spec says."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from mra_bench.dataset_files import READERS
from mra_bench.dataset_spec import Fields, Gold, Reading, Solution
from mra_bench.errors import UsageError, meant, nearest
from mra_bench.types import Problem

NEAR = 0.6  # how close a column must be to be taken for the one that was meant
MAY_BE_MISSING = ("id", "solution", "subject", "level", "choices", "rejected")
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def has_columns(row: Mapping[str, Any], fields: Fields) -> bool:
    """Whether the columns that a Problem cannot do without are there."""
    return not _missing(row, fields, fields.rejected not in row)


def has_picture(row: Mapping[str, Any], fields: Fields) -> bool:
    """Whether the row shows a picture, which no text stands for."""
    return any(row.get(column) is not None for column in fields.pictures)


def to_problem(
    row: Mapping[str, Any], where: str, default_id: str, reading: Reading, seen: Mapping[str, str] | None = None
) -> Problem:
    """The Problem in `row`. `default_id` is used when the row has none; `seen`: the columns of the rows before it, each
    with the place of one that has it. Raises UsageError beginning with `where` for a missing column, a value that is
    not text or a number, a blank question or gold answer."""
    fields = reading.fields
    rejected = _optional(row, fields.rejected, where)
    needs_gold = rejected is None or fields.answer in row
    _check_columns(row, where, _missing(row, fields, needs_gold), seen or {})
    choices = read_choices(row, fields.choices, where)
    gold = _gold(row, reading, where) if needs_gold else ""
    solution = _solution(row, fields.solution, where)
    return Problem(
        id=_optional(row, fields.id, where) or default_id,
        question=_with_choices(_question(row, fields.question, where), choices, fields.show_choices),
        answer=gold,
        solution=None if solution is None else write_solution(solution, gold, reading.solution),
        subject=_optional(row, fields.subject, where),
        level=_optional(row, fields.level, where),
        expects=reading.gold.expects,
        choices=choices,
        rejected="" if rejected is None else write_solution(rejected, gold, reading.solution),
    )


def _gold(row: Mapping[str, Any], reading: Reading, where: str) -> str:
    column, gold = reading.fields.answer, reading.gold
    value = row[column]
    if gold.several and isinstance(value, (list, tuple)):
        value = ", ".join(filter(None, (_text(item, column, where) for item in value)))
    text = _text(value, column, where)
    if text is None and not gold.may_be_blank:
        raise UsageError(f"{where}: the column '{column}' is blank")
    if not gold.index:
        try:
            return read_gold(text or "", gold, where)
        except UsageError:
            if gold.may_be_blank:
                return ""
            raise
    text = text or ""
    if not re.fullmatch(r"\d\d?", text) or int(text) >= len(LETTERS):
        raise UsageError(f"{where}: the column '{column}' must be the place of the right choice, from 0; got {text!r}")
    return LETTERS[int(text)]


def read_gold(text: str, gold: Gold, where: str) -> str:
    """The gold answer in the answer column's `text`. Raises UsageError when its marker or the answer is missing."""
    found: str | None = text
    if gold.after is not None:
        _, marker, found = text.rpartition(gold.after)
        if not marker:
            raise UsageError(f"{where}: no '{gold.after}' in the answer column, so no gold answer")
    elif gold.boxed:
        found = last_boxed(text)
        if found is None:
            raise UsageError(f"{where}: no closed \\boxed{{...}} in the answer column, so no gold answer")
    if found and gold.before is not None:
        found = found.partition(gold.before)[0]
    if not found or not found.strip():
        raise UsageError(f"{where}: the gold answer is blank")
    return found.strip()


def last_boxed(text: str) -> str | None:
    """What stands in the last ``\\boxed{...}`` of trusted dataset text, braces balanced, or the one sign that TeX boxes
    where there are no braces (``\\boxed 2``); None when none is closed."""
    boxes = list(re.finditer(r"\\boxed\s*(\{|\\[A-Za-z]+|[^\s\\])", text))
    if not boxes:
        return None
    opened = boxes[-1]
    if opened.group(1) != "{":
        return opened.group(1)
    depth = 1
    for mark in re.finditer(r"\\.|[{}]", text[opened.end() :], flags=re.DOTALL):
        depth += {"{": 1, "}": -1}.get(mark.group(), 0)
        if depth == 0:
            return text[opened.end() : opened.end() + mark.start()]
    return None


def write_solution(text: str, answer: str, rule: Solution) -> str:
    """The reference solution made from its column's `text` as `rule` says; see `dataset_spec.Solution`."""
    for marker in (rule.before,) if isinstance(rule.before, str) else rule.before or ():
        text = text.rpartition(marker)[0] if marker in text else text
    if rule.remove is not None:
        opening, closing = (re.escape(mark) for mark in rule.remove)
        text = re.sub(f"{opening}.*?{closing}", "", text, flags=re.DOTALL)
    parts = {"{solution}": text.strip(), "{answer}": answer}
    text = re.sub(r"\{solution\}|\{answer\}", lambda mark: parts[mark.group()], rule.template)
    return text.strip()


def check_named(columns: Iterable[str], fields: Fields, where: str) -> None:
    """Raise UsageError for a column that the spec names for a field and that is not among `columns`, those of all rows.
    A default that the spec does not write may be missing."""
    columns = list(columns)
    said = []
    for field in MAY_BE_MISSING:
        named = getattr(fields, field) if field in fields.model_fields_set else None
        for column in (named,) if isinstance(named, str) else named or ():
            if column not in columns:
                hint = meant(column, columns, NEAR)
                said.append(f"the spec has '{field}: {column}', but no row has the column '{column}'.{hint}")
    if said:
        raise UsageError(f"{where}: {' '.join(said)} The columns there are: {', '.join(columns)}.")


def check_encodable(text: str, where: str, field: str) -> None:
    """Raise UsageError for text that no file in UTF-8 can hold."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise UsageError(f"{where}: {field} holds half of a character (a lone surrogate)") from None


def _check_columns(row: Mapping[str, Any], where: str, missing: Sequence[str], seen: Mapping[str, str]) -> None:
    """All missing columns in one error: whoever has to rename two learns of both. Where rows before this one have them
    it is the row that is wrong, not what is known of the file."""
    if not missing:
        return
    columns = f"Its columns: {', '.join(row) or 'none'}."
    hints = "".join(f" {_meant(column, row)}" for column in missing if nearest(column, row, NEAR))
    lost = [f"no '{column}', which {seen[column].rpartition(', ')[2]} has" for column in missing if column in seen]
    if lost:
        raise UsageError(f"{where}: {' and '.join(lost)}.{hints} {columns}")
    wanted = " and ".join(f"no column '{column}'" for column in missing)
    file = _file_of(where)
    place = f"{file}, line 1" if file.endswith(".csv") else where  # the header names the columns
    how = f" A spec that says which is which: mra-bench datasets new {file}" if file else ""
    raise UsageError(f"{place}: {wanted}.{hints} {columns}{how}")


def _file_of(where: str) -> str:
    """The local file in a row's place; "" where the row is not from one."""
    file = where.rpartition(", ")[0]
    return file if Path(file).suffix.lower() in READERS and "://" not in file else ""


def _meant(column: str, columns: Iterable[str]) -> str:
    return f"Is '{nearest(column, columns, NEAR)}' meant for '{column}'?"


def _missing(row: Mapping[str, Any], fields: Fields, needs_gold: bool) -> list[str]:
    questions = (fields.question,) if isinstance(fields.question, str) else fields.question
    needed = (*questions, fields.answer) if needs_gold else questions
    return [column for column in needed if column not in row]


def _with_choices(question: str, choices: tuple[str, ...], shown: str) -> str:
    if not shown or not choices:
        return question
    marks = zip(LETTERS, choices, strict=False)
    lines = [shown.replace("{letter}", letter).replace("{text}", text, 1) for letter, text in marks]
    return "\n".join([question, *lines])


def _question(row: Mapping[str, Any], columns: str | tuple[str, ...], where: str) -> str:
    if isinstance(columns, str):
        return _required(row, columns, where)
    parts = [_required(row, column, where) for column in columns]
    return " ".join([*(part if part[-1] in ".!?" else f"{part}." for part in parts[:-1]), parts[-1]])


def _required(row: Mapping[str, Any], column: str, where: str) -> str:
    text = _text(row[column], column, where)
    if text is None:
        raise UsageError(f"{where}: the column '{column}' is blank")
    return text


def _optional(row: Mapping[str, Any], column: str | None, where: str) -> str | None:
    return None if column is None or column not in row else _text(row[column], column, where)


def _solution(row: Mapping[str, Any], column: str | None, where: str) -> str | None:
    value = None if column is None else row.get(column)
    if isinstance(value, (list, tuple)):
        value = value[0] if value else None
    return _text(value, str(column), where)


def read_choices(row: Mapping[str, Any], column: str | tuple[str, ...] | None, where: str) -> tuple[str, ...]:
    """The choices of a multiple-choice question, without the letters they may be labelled with ("A) 12")."""
    if isinstance(column, tuple):
        value: Any = [row[one] for one in column if row.get(one) not in (None, "")]
    else:
        value = None if column is None else row.get(column)
    if isinstance(value, Mapping) and list(value) == list(LETTERS[: len(value)]):
        value = list(value.values())
    if value is None or value == [] or (isinstance(value, float) and math.isnan(value)):
        return ()
    texts = [_text(choice, str(column), where) for choice in value] if isinstance(value, (list, tuple)) else []
    if not texts or None in texts:
        raise UsageError(f"{where}: the column '{column}' must be a list of the choices' texts, in order")
    labels = [re.compile(rf"\(?{letter}\s*[).:]\s*") for letter in LETTERS[: len(texts)]]
    if len(texts) <= 26 and all(label.match(str(text)) for label, text in zip(labels, texts, strict=True)):
        return tuple(label.sub("", str(text), count=1) for label, text in zip(labels, texts, strict=True))
    return tuple(str(text) for text in texts)


def _text(value: Any, column: str, where: str) -> str | None:
    """`value` as text without surrounding white space, None when blank. Whole numbers lose a ``.0``."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise UsageError(f"{where}: the column '{column}' must be text or a number, got {type(value).__name__}")
    if isinstance(value, float) and not math.isfinite(value):
        raise UsageError(f"{where}: the column '{column}' is not a finite number")
    text = str(int(value) if isinstance(value, float) and value.is_integer() else value).strip()
    check_encodable(text, where, column)
    return text or None
