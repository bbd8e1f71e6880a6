"""What the figures of imported texts say, in sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mra_bench.imports.reasons import REASONS


def published_sentences(found: Mapping[str, Any]) -> list[str]:
    """The figures in words, the models' first."""
    said = [_rows_sentence(found, one) for one in found["models"]]
    said += [sentence for one in found["models"] for sentence in (*_verdict_sentences(one), *_gold_sentences(one))]
    for pair in found["alike"]:
        what = "all" if pair["same"] == pair["texts"] else f"{pair['same']:,} of {pair['texts']:,}"
        said.append(f"{pair['a']} and {pair['b']} have the same text for {what} of the texts that say more than a word")
    return said


def imported_warnings(found: Mapping[str, Any] | None) -> list[tuple[str, str]]:
    """That texts were imported, where they were; and what of the rows is not as the split has it."""
    if found is None:
        return []
    files = ", ".join(dict.fromkeys(str(one["file"]) for one in found["models"]))
    text = f"The texts were imported ({files}). Nothing was generated here, and how they were decoded is not known."
    warnings = [("imported", text)]
    if found["problems"] < found["split"]:
        text = f"The texts are about {found['problems']:,} of the split's {found['split']:,} problems: the figures too."
        warnings.append(("part-of-split", text))
    for pair in found["alike"]:
        text = f"{pair['a']} and {pair['b']} have the same text for {pair['same']:,} of {pair['texts']:,} problems."
        warnings.append(("same-texts", text))
    return warnings


def _rows_sentence(found: Mapping[str, Any], one: Mapping[str, Any]) -> str:
    failed = one.get("failed", 0)
    parts = [
        (one["extra"], "of other questions"),
        (failed, "on which the tool failed, whose problems are left out"),
        (one["missing"], "problems of the split without a text"),
        (one["left_out"], "problems left out, as another model has no text for them"),
        (one["repeated"], "texts beyond those that every problem has"),
    ]
    rest = [f"{count:,} {what}" for count, what in parts if count]
    whole = f"{found['problems']:,} of {found['split']:,} problems"
    return f"{one['model']}: {one['rows']:,} texts in {one['file']}; {'; '.join([whole, *rest])}"


def _verdict_sentences(one: Mapping[str, Any]) -> list[str]:
    said = one["texts"] - one["unsaid"]
    if not said:
        return [f"{one['model']}: the file has no verdicts, so there is nothing to compare"]
    published, derived = one["both"] + one["published_only"], one["both"] + one["derived_only"]
    differ = one["published_only"] + one["derived_only"]
    by = f" ({one['score']})" if one["score"] else ""
    sentence = (
        f"{one['model']}: published{by} {_change(published, derived, said)}; verdicts differ on {differ:,} texts "
        f"({one['published_only']:,} right only as published, {one['derived_only']:,} only as graded again)"
    )
    return [sentence, *_on_other_texts(one, said), *_why(one)]


def _change(published: int, derived: int, texts: int) -> str:
    """How a headline changes."""
    before, now = (f"({right / texts:.1%})" for right in (published, derived))
    points = 100 * (derived - published) / texts
    return f"{published:,} of {texts:,} right {before}, graded again {derived:,} {now}, {points:+.2f} points"


def _on_other_texts(one: Mapping[str, Any], said: int) -> list[str]:
    """The headline over the whole file where only a part of it is here, and over the texts that both can judge."""
    sentences = []
    whole, judged = one["published"], one.get("judged_by_both")
    if whole["said"] > said:
        share = f"{whole['correct']:,} of {whole['said']:,} right ({whole['correct'] / whole['said']:.1%})"
        sentences.append(f"{one['model']}: over all texts of the file that have a verdict, published {share}")
    if judged and 0 < judged["texts"] < said:
        change = _change(judged["published"], judged["derived"], judged["texts"])
        sentences.append(f"{one['model']}: on the texts that both can judge, published {change}")
    return sentences


def _why(one: Mapping[str, Any]) -> list[str]:
    why = one.get("why") or {}
    told = "; ".join(f"{REASONS.get(name, name)} ({count:,})" for name, count in why.items())
    return [f"{one['model']}: why verdicts differ: {told}"] if why else []


def _gold_sentences(one: Mapping[str, Any]) -> list[str]:
    golds = one["golds"]
    if not golds["differ"]:
        return []
    first = one["other_golds"][0] if one["other_golds"] else None
    such = f", such as {first['problem']}: {first['published']!r:.60} for {first['gold']!r:.60}" if first else ""
    cut = f" ({golds['cut']:,} of them cut)" if golds["cut"] else ""
    return [f"{one['model']}: {golds['differ']:,} of {golds['given']:,} gold answers are not the dataset's{cut}{such}"]
