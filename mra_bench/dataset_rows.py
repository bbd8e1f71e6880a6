"""Turns one row of a file or hub dataset into a Problem, as the dataset's spec says."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from mra_bench.dataset_spec import DatasetSpec, Fields, Gold, Solution
from mra_bench.errors import UsageError, nearest
from mra_bench.types import Problem


def to_problem(row: Mapping[str, Any], where: str, default_id: str, spec: DatasetSpec) -> Problem:
    """The Problem in `row`. `default_id` is used when the row has none. Raises UsageError beginning with `where` for a
    missing column, a value that is not text or a number, a blank question or gold answer."""
    fields = spec.fields
    rejected = _optional(row, fields.rejected, where)
    needs_gold = rejected is None or fields.answer in row
    _check_columns(row, fields, where, needs_gold)
    gold = read_gold(_required(row, fields.answer, where), spec.gold, where) if needs_gold else ""
    solution = _optional(row, fields.solution, where)
    return Problem(
        id=_optional(row, fields.id, where) or default_id,
        question=_question(row, fields.question, where),
        answer=gold,
        solution=None if solution is None else write_solution(solution, gold, spec.solution),
        subject=_optional(row, fields.subject, where),
        level=_optional(row, fields.level, where),
        expects=spec.gold.expects,
        choices=read_choices(row, fields.choices, where),
        rejected="" if rejected is None else write_solution(rejected, gold, spec.solution),
    )


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
    if not found or not found.strip():
        raise UsageError(f"{where}: the gold answer is blank")
    return found.strip()


def last_boxed(text: str) -> str | None:
    """What stands in the last ``\\boxed{...}`` of trusted dataset text, braces balanced; None when none is closed."""
    start = text.rfind("\\boxed{")
    depth = 0
    for mark in re.finditer(r"\\.|[{}]", text[start:] if start >= 0 else "", flags=re.DOTALL):
        depth += {"{": 1, "}": -1}.get(mark.group(), 0)
        if depth == 0 and mark.group() == "}":
            return text[start + len("\\boxed{") : start + mark.start()]
    return None


def write_solution(text: str, answer: str, rule: Solution) -> str:
    """The reference solution made from its column's `text` as `rule` says; see `dataset_spec.Solution`."""
    if rule.before is not None and rule.before in text:
        text = text.rpartition(rule.before)[0]
    if rule.remove is not None:
        opening, closing = (re.escape(mark) for mark in rule.remove)
        text = re.sub(f"{opening}.*?{closing}", "", text, flags=re.DOTALL)
    parts = {"{solution}": text.strip(), "{answer}": answer}
    text = re.sub(r"\{solution\}|\{answer\}", lambda mark: parts[mark.group()], rule.template)
    return text.strip()


def check_encodable(text: str, where: str, field: str) -> None:
    """Raise UsageError for text that no file in UTF-8 can hold."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise UsageError(f"{where}: {field} holds half of a character (a lone surrogate)") from None


def _check_columns(row: Mapping[str, Any], fields: Fields, where: str, needs_gold: bool) -> None:
    """All missing columns in one error: whoever has to rename two learns of both."""
    questions = (fields.question,) if isinstance(fields.question, str) else fields.question
    needed = (*questions, fields.answer) if needs_gold else questions
    missing = [column for column in needed if column not in row]
    if missing:
        wanted = " and ".join(f"no column '{column}'" for column in missing)
        hints = (nearest(column, row) for column in missing)
        close = "".join(f" Is it '{hint}'?" for hint in dict.fromkeys(hints) if hint)
        raise UsageError(f"{where}: {wanted}.{close} Its columns: {', '.join(row) or 'none'}.")


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


def read_choices(row: Mapping[str, Any], column: str | None, where: str) -> tuple[str, ...]:
    """The choices of a multiple-choice question, without the letters they may be labelled with ("A) 12")."""
    value = None if column is None else row.get(column)
    if value is None or value == [] or (isinstance(value, float) and math.isnan(value)):
        return ()
    texts = [_text(choice, str(column), where) for choice in value] if isinstance(value, (list, tuple)) else []
    if not texts or None in texts:
        raise UsageError(f"{where}: the column '{column}' must be a list of the choices' texts, in order")
    labels = [re.compile(rf"\(?{chr(65 + place)}\s*[).:]\s*") for place in range(min(len(texts), 26))]
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
