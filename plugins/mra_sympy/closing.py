"""The answer in a sentence: what the problem expects decides which part of the sentence it is."""

from __future__ import annotations

import re

from mra_sympy import denials, words
from mra_sympy.choice_places import choice_in, leading_choice
from mra_sympy.errors import Unreadable
from mra_sympy.numbers_in_text import Stretch, stretches
from mra_sympy.phrases import COMPARED, is_compared, is_denied, is_reported
from mra_sympy.places import EDGE, Found, trimmed
from mra_sympy.sentences import (
    complement,
    complements,
    concluded,
    first_complement,
    masked,
    parentheses,
    sentence_end,
    sentences,
    statement_end,
)

MAX_SENTENCE = 1500
MAX_SENTENCES = 12
SEVERAL = ("list", "set", "tuple")

_LEAD = re.compile(
    r"(?:(?:approximately|about|roughly|equal to|equals|exactly|simply|therefore|thus|just|only|option|choice|indeed|"
    r"given by|clearly|the|is|be|=|:|：|≈|\*\*|\"|\b(?:therefore|thus|so)\b,)\s*)+",
    re.I,
)
_REMARK = re.compile(
    r"\s*(?:[-*•]\s*)?(?:\([^()]*\)$|note\b|check|verif|remark|remember|let me know|i hope|this (?:took|used)|hope)",
    re.I,
)
_JOINER = re.compile(r"\s*[,;，；、]?\s*(?:\b(?:and|or|as well as)\b|和|与|及|或)\s*(?:also\s+)?|\s*[;；]\s*")
_COMMA = re.compile(r"\s*[,;，；、]?\s*(?:\b(?:and|or|as well as)\b|和|与|及|或)?\s*")
_PARALLEL = re.compile(
    r"\s*(?:\([^()]*\)\s*)?[,;，；]?\s*(?:\b(?:and|while|the)\b|和|而|，|,|;)\s*[^.;=<>,]{0,50}?(?:\b(?:is|are|was)|=|为|是)\s*"
)
_CLAUSE = re.compile(
    r"\s+(?:[A-Za-z-]+\s+){0,2}(?:are|is|were|was|remains?|left|in total|in all|altogether|each|more)\b"
)
_IS_THE = re.compile(r"\s*\**\s*(?:is|are|was|were) (?:the|our|also the) ")
_LABEL = re.compile(
    r"(?:\b(?:step|equation|eq\.?|case|part|figure|example|theorem|lemma|method|problem|question|day|number)s?\s*\(?)$",
    re.I,
)
_SIDE = re.compile(r"\\?[<>≤≥≠]|\\(?:le|ge|ne|lt|gt|approx|in|to)(?![a-zA-Z])|≈|∈")
_SCALED_NAME = re.compile(r"[-+]?\d[\d.]*\s*\*?\s*(?:[a-zA-Z]|\\[a-z]+)")
_LETTER = r"[a-zA-Z]"
# What is no name of a value: -x, x^2, x/2, 1/x, log x, |x|. A sine may well be asked for.
_ALTERED_NAME = re.compile(
    rf"(?:[^=]*\b(?:so|thus|hence|therefore)\s+)?(?:[-−–]\s*{_LETTER}|{_LETTER}\s*(?:\^\s*(?:\d+|\{{\d+\}})|[²³]|/\s*\d+)"
    rf"|[-−–]?\d+\s*/\s*{_LETTER}|\\?(?:log|ln|sqrt)\s*[({{]?\s*{_LETTER}\s*[)}}]?|√\s*{_LETTER}|\|\s*{_LETTER}\s*\|"
    rf"|\\[dt]?frac\s*\{{\s*(?:\d+\s*\}}\s*\{{\s*{_LETTER}|{_LETTER}\s*\}}\s*\{{\s*\d+)\s*\}})"
)
_DIGIT = re.compile(r"[\d∞π∅½⅓⅔¼¾]|\\(?:pi|infty|frac|sqrt|emptyset|varnothing|[a-zA-Z]+\{)")


def announced(text: str, begin: int, end: int, expects: str) -> Found | None:
    """The answer in the sentence that begins at `begin`, behind a phrase that announces it."""
    while begin < end and text[begin] in " \t\r\n*\"'“`_":
        begin += 1
    stop = sentence_end(text, begin, min(end, begin + MAX_SENTENCE))
    begin, stop = trimmed(text, begin, stop)
    if begin >= stop:
        return None
    if expects in ("choice", "") and (found := leading_choice(text, begin, stop, firm=expects == "")):
        return found
    lead = _LEAD.match(text, begin, stop)
    begin = lead.end() if lead and lead.end() < stop else begin
    if expects == "choice" and (found := leading_choice(text, begin, stop)):
        return found
    if COMPARED.match(text, begin, stop):
        return _words(text, begin, stop)
    return _said(text, begin, stop, expects)


def _said(text: str, begin: int, stop: int, expects: str) -> Found | None:
    found = stretches(text, begin, stop)
    if not found:
        return _words(text, *trimmed(text, begin, statement_end(text, begin, stop, soft=False)))
    if _equation_behind(text, found, stop):
        return _picked(text, found[-1:], expects)
    plain = masked(text, [(item.start, item.end) for item in found])
    first = found[0]
    if first.outer_start <= begin + 1:
        if denials.goes_on(text, first.outer_end, stop):
            return _words(text, begin, stop)
        if is_compared(text, first.outer_start, first.outer_end):
            return _words(text, begin, stop)
        if not _CLAUSE.match(text, first.outer_end, stop):
            stop = trimmed(text, begin, statement_end(plain, first.outer_end, stop))[1]
            group = _leading_group(text, found, stop, expects)
            if group[-1].outer_end >= stop or not is_value(text[begin:stop]):
                return _picked(text, group, expects)
            return Found(text[begin:stop], (begin, stop))
        return _picked(text, found[:1], expects)
    if expects == "text":
        return _words(text, *trimmed(text, begin, statement_end(text, begin, stop, soft=False)))
    if is_value(text[begin:stop]):
        return Found(text[begin:stop], (begin, stop))
    return concluding(text, begin, stop, expects) or _words(text, begin, stop)


def _equation_behind(text: str, found: list[Stretch], stop: int) -> bool:
    """ "8 times 3 = 24": words between, and the sentence ends in an equation."""
    if len(found) < 2 or found[-1].outer_end < stop - 1 or not found[-1].plain:
        return False
    between = text[found[-2].outer_end : found[-1].outer_start].strip()
    return (
        "=" in text[found[-1].start : found[-1].end]
        and re.fullmatch(r"times|plus|minus|divided by", between) is not None
    )


def _leading_group(text: str, found: list[Stretch], stop: int, expects: str) -> list[Stretch]:
    inside = [item for item in found if item.outer_end <= stop] or found[:1]
    size = 1
    while size < len(inside) and _joined(text, inside[size - 1], inside[size], expects):
        size += 1
    return inside[:size]


def closing(text: str, start: int, end: int, expects: str) -> Found | None:
    """The answer in the last sentence that holds one."""
    spans = sentences(text, start, end)[-MAX_SENTENCES:]
    if expects != "text" and any(denials.gives_up(text, *span) for span in spans[-2:]):
        return None
    for place, (begin, stop) in enumerate(reversed(spans)):
        if (
            denials.is_question(text, stop)
            or is_reported(text, begin, stop)
            or (_REMARK.match(text, begin, stop) and place < 3)
        ):
            continue
        if expects == "choice":
            found = choice_in(text, begin, stop)
        elif expects == "text":
            found = _closing_words(text, begin, stop) if place == 0 else _closing_statement(text, begin, stop)
        else:
            found = concluding(text, begin, stop, expects)
            if found is None and expects in ("number", "") and place < 2:
                found = _closing_number(text, begin, stop)
            if found is None and expects not in ("number", "") and place < 2:
                found = _closing_statement(text, begin, stop)
        if found:
            return found
    return None


def concluding(text: str, begin: int, stop: int, expects: str) -> Found | None:
    """The last mathematics of what a sentence states, its explanations left aside."""
    found = stretches(text, begin, stop)
    plain = masked(text, [(item.start, item.end) for item in found])
    everything = [item for item in found if _counts(text, item, expects)]
    remarks = parentheses(plain, begin, stop)
    everything = [i for i in everything if not any(a < i.start < b for a, b in remarks)] or everything
    for place in concluded(plain, begin, stop) if everything else ():
        inside = [item for item in everything if item.outer_start >= place - 2]
        if not inside:
            continue
        limit = statement_end(plain, inside[0].outer_end, stop)
        shown = [item for item in inside if item.outer_end <= limit] or inside
        if inside[0].outer_start - place < 4 and _IS_THE.match(text, inside[0].outer_end, stop):
            shown = inside[:1]  # "11 is the smallest prime greater than 10"
        group = _last_group(text, shown, expects)
        if any(is_denied(text, item.outer_start, item.outer_end) for item in group):
            return None
        last = group[-1]
        if denials.goes_on(text, last.outer_end, stop) or (len(group) == 1 and _is_part(text, everything, last)):
            return Found(text[begin:stop].strip(), (begin, stop), maths=False)
        if len(group) == 1 and is_compared(text, last.outer_start, last.outer_end):
            return Found(text[begin:stop].strip(), (begin, stop), maths=False)
        return _picked(text, group, expects)
    return None


def _is_part(text: str, found: list[Stretch], item: Stretch) -> bool:
    """Is it the last number of a calculation in words, "5 times 6", and no equation?"""
    place = found.index(item)
    if not place or "=" in text[item.start : item.end]:
        return False
    behind = found[place - 1].outer_end
    return item.outer_start - behind < 40 and denials.goes_on(text, behind, item.outer_end)


def _counts(text: str, item: Stretch, expects: str) -> bool:
    """Could this stretch be an answer of the kind expected?"""
    inside = text[item.start : item.end]
    if item.plain and text[item.start].isdigit() and _LABEL.search(text[max(0, item.start - 14) : item.start]):
        return False
    if expects in ("number", "", "list", "tuple"):
        return _DIGIT.search(inside) is not None or (expects != "number" and len(inside) > 1)
    return True


def _last_group(text: str, shown: list[Stretch], expects: str) -> list[Stretch]:
    first = len(shown) - 1
    while first and _joined(text, shown[first - 1], shown[first], expects):
        first -= 1
    return shown[first:]


def _joined(text: str, one: Stretch, other: Stretch, expects: str) -> bool:
    """Are two stretches only separated by what joins a list? By a comma alone only where several are expected."""
    between = text[one.outer_end : other.outer_start]
    if expects in SEVERAL and len(between) < 90:
        return bool(between.strip()) and bool(_COMMA.fullmatch(between) or _PARALLEL.fullmatch(between))
    if len(between) > 30:
        return False
    if "=" in text[other.start : other.end] and "=" not in text[one.start : one.end]:
        return False
    return _JOINER.fullmatch(between) is not None


def _picked(text: str, group: list[Stretch], expects: str) -> Found:
    if len(group) > 1:
        parts = [_content(text[item.start : item.end]) for item in group]
        return Found(" , ".join(parts), (group[0].outer_start, group[-1].outer_end))
    item = group[0]
    start, end = item.start, item.end
    if expects in ("number", "expression", ""):
        start = _last_side(text, start, end)
    return Found(_content(text[start:end]), (start, end))


def _content(answer: str) -> str:
    """The stretch without formula marks; a unit behind the formula as ``\\text{...}``."""
    for left, right in (("$$", "$$"), ("$", "$"), ("\\(", "\\)"), ("\\[", "\\]")):
        if answer.startswith(left) and (place := answer.find(right, len(left))) > 0:
            inside, unit = answer[len(left) : place], answer[place + len(right) :].strip()
            return inside.strip() + (unit if unit.startswith("\\") or not unit else rf"\text{{ {unit}}}")
    return answer


def _last_side(text: str, start: int, end: int) -> int:
    """Where the value of a chain "a = b = 7" begins; the whole stays where the left side is no name of it (2x = 14)."""
    inside = text[start:end]
    place = inside.rfind("=")
    if (
        place <= 0
        or _SIDE.search(inside[place + 1 :].replace("\\approx", "").replace("≈", ""))
        or inside[place - 1] in "<>!"
    ):
        return start
    depth = (
        inside[:place].count("{") - inside[:place].count("}") + inside[:place].count("(") - inside[:place].count(")")
    )
    left = inside[:place].rpartition("=")[2].strip()
    if (
        depth
        or _SCALED_NAME.fullmatch(left)
        or _ALTERED_NAME.fullmatch(left)
        or _SIDE.search(left)
        or not inside[place + 1 :].strip()
    ):
        return start
    place += 1
    while inside[place].isspace() or inside[place] == "&":
        place += 1
    return start + place


def _words(text: str, begin: int, stop: int) -> Found | None:
    begin, stop = trimmed(text, begin, stop)
    return Found(text[begin:stop], (begin, stop), maths=False) if begin < stop else None


def _closing_statement(text: str, begin: int, stop: int) -> Found | None:
    """The sentence, or what it concludes, when it makes a fixed statement and does not only suppose or deny it."""
    if denials.is_supposed(text, begin, stop):
        return None
    for place in [*concluded(text, begin, stop), *reversed(complements(text, begin, stop))]:
        first, last = trimmed(text, place, stop)
        if words.statement(text[first:last]) is not None and not denials.is_unclaimed(text, begin, first):
            return Found(text[first:last], (first, last), maths=False)
    return None


def _closing_number(text: str, begin: int, stop: int) -> Found | None:
    """A number in words that something is said to be: "The number of solutions is three"."""
    for place in reversed(complements(text, begin, stop)):
        if number := _NUMBER_WORDS.match(text, place, stop):
            first, last = number.span(1)
            return Found(text[first:last], (first, last))
    return None


def _closing_words(text: str, begin: int, stop: int) -> Found | None:
    """The statement of a sentence, or what it says its subject is, or all of it."""
    if found := _closing_statement(text, begin, stop):
        return found
    place = concluded(text, begin, stop)[0]
    if denials.is_supposed(text, begin, stop) or denials.is_unclaimed(text, begin, stop):
        return _words(text, begin, stop)
    cut = statement_end(text, max(first_complement(text, place, stop), min(place + 1, stop)), stop, soft=False)
    behind = complement(text, place, cut)
    begin, cut = trimmed(text, behind if text[behind:cut].strip(EDGE + ".") else place, cut)
    return _words(text, begin, cut)


_ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand million"
).replace(" ", "|")
_NUMBER_WORDS = re.compile(
    rf"\s*\**((?:minus |negative )?(?:{_ONES})(?:(?:[- ]|\sand\s)(?:{_ONES}))*)(?![\w-])\**(?:\s+\w+)?\s*$", re.I
)


def is_value(text: str) -> bool:
    """Does the text as a whole read as mathematics (not merely as words)?"""
    from mra_sympy.quantities import quick
    from mra_sympy.reading import read
    from mra_sympy.values import Text

    if quick(text) is not None:
        return True
    if not text.strip() or len(text) > 300:
        return False
    try:
        value = read(text)
    except (Unreadable, RecursionError, ArithmeticError, ValueError):
        return False
    return not isinstance(value, Text) or (len(text.split()) == 1 and not value.opaque)
