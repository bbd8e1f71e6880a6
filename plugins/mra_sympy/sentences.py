"""Sentences of a text, and the part of a sentence that states something."""

from __future__ import annotations

import re

_STEP = re.compile(
    r"\$\$[^$]{1,2000}\$\$|\$[^$\n]{1,1000}\$|\\\((?:[^\\]|\\(?![()])){1,1000}\\\)|\\\[(?:[^\\]|\\(?![\[\]])){1,2000}\\\]"
    r"|\b[aApP]\.[mM]\.(?=\s+[^A-Z\s])|\b(?:i\.e|e\.g|vs|approx|Mr|Mrs|Dr|St|No|resp|cf|eq|Eq|Fig)\."
    r"|(?P<end>[.!?](?=[\s*\"'”)<]|$)|[。！？\n])"
)
_SUBJECT = re.compile(r"[,;]?\s*\b(?:is|are|was|were|equals?|=|will be|would be|becomes?)(?![a-zA-Z])|是|为|等于")
# What concludes: the answer stands behind it.
CONCLUDES = re.compile(
    r"(?:\b(?:so|thus|therefore|hence|finally|consequently|that is|(?:which|this|it) (?:gives|means|leaves)|giving|"
    r"we (?:get|have|find|obtain)|conclude that|in total|altogether)\b|\bi\.e\.|⇒|→|\\Rightarrow|\\implies|所以"
    r"|因此|故|综上|即|得)[,:]?\s*",
    re.I,
)
# What only explains: the answer stands before it.
_ASIDE = re.compile(
    r",?\s+(?:because|since|whereas|although|though|whenever|attained|achieved|reached|occurring|obtained|found|see|"
    r"as (?:required|desired|expected|shown|claimed|stated)|rather than|instead of|compared|when|where|if|such that|"
    r"for (?:all|any|every|each|some)|but not|and not)\b"
    r"|[,;]\s*(?:i\.e\.|which|with|not|as|so that|provided|by|using|for|after|while|or (?:about|approximately"
    r"|roughly))(?![a-zA-Z])"
    r"|,?\s*\b(?:or )?(?:approximately|approx\.?|roughly)(?![a-zA-Z])|\s*(?:≈|\\approx(?![a-zA-Z]))"
    r"|[，,]?\s*(?:因为|其中|当)"
)
_SOFT = re.compile(
    r",?\s+(?:after|before|during|within|at|on|with|of (?:the|a|his|her|their|its|this)|out of|left\b.{0,3}after|"
    r"to (?!the power)[a-z]{2,})(?![a-zA-Z])"
)
_VERB = re.compile(
    r"\b(?:is|are|was|were|equals?|has|have|had|makes?|gives?|becomes?|costs?|leaves?|gets?|needs?|pays?|earns?|be)\b|=|是|为|有"
)
_GOES_ON = re.compile(r",|\b(?:and|then|but)\b|和|，")
_PARENTHESIS = re.compile(r"\s*[(（](?=[^()（）]*[a-zA-Z\u4e00-\u9fff]{2})[^()（）]{0,300}[)）]")


def sentence_end(text: str, start: int, end: int) -> int:
    """Where the sentence that begins at `start` ends; its closing mark is not part of it."""
    for step in _STEP.finditer(text, start, end):
        if step.lastgroup == "end" and step.start() > start:
            return step.start()
    return end


def sentences(text: str, start: int, end: int, limit: int = 4000) -> list[tuple[int, int]]:
    """The spans of the last sentences before `end`, in order; at most `limit` characters back."""
    found, begin = [], max(start, end - limit)
    if begin > start and (line := text.find("\n", begin, end)) >= 0:
        begin = line + 1
    for step in _STEP.finditer(text, begin, end):
        if step.lastgroup != "end":
            continue
        if step.group() == "." and re.fullmatch(r"\s*\(?(?:\d{1,2}|[A-Za-z])", text[begin : step.start()]):
            begin = step.end()  # the mark of a list item
            continue
        if text[begin : step.start()].strip(" *_\"'`#-"):
            found.append((begin, step.start()))
        begin = step.end()
    if text[begin:end].strip(" *_\"'`#-"):
        found.append((begin, end))
    return found


def concluded(text: str, start: int, end: int) -> list[int]:
    """Where the parts of a sentence begin that follow a word of conclusion, the last one first; then its beginning."""
    return [*reversed([found.end() for found in CONCLUDES.finditer(text, start, end)]), start]


def masked(text: str, spans: list[tuple[int, int]]) -> str:
    """`text` with mathematics blotted out, so that no word is found in it."""
    pieces, place = [], 0
    for start, end in spans:
        pieces += [text[place:start], "¤" * (end - start)]
        place = end
    return "".join([*pieces, text[place:]])


def statement_end(text: str, start: int, end: int, soft: bool = True) -> int:
    """Where the explanation behind a statement begins, searched from `start` (behind the first value it could end
    with). A part that goes on to state something else is no explanation."""
    for pattern in (_PARENTHESIS, _ASIDE, _SOFT) if soft else (_PARENTHESIS, _ASIDE):
        for found in pattern.finditer(text, start, end):
            rest = text[found.end() : end]
            if pattern is _PARENTHESIS:
                if not _VERB.search(rest) and not re.search(r"\d", rest):
                    end = found.start()
                    break
            elif pattern is _SOFT:
                if not (_VERB.search(rest) or _GOES_ON.search(text, start, found.start())):
                    end = found.start()
                    break
            elif not re.search(r",\s*(?:is|are|equals|we (?:get|have)|so|then|this|it)\b", rest):
                end = found.start()
                break
    return end


def parentheses(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """The spans of remarks in brackets: "(see equation 7)"."""
    return [found.span() for found in _PARENTHESIS.finditer(text, start, end)]


def complements(text: str, start: int, end: int) -> list[int]:
    """Where something begins that a subject is said to be: behind every "is", "are", "equals"."""
    return [found.end() for found in _SUBJECT.finditer(text, start, end)]


def complement(text: str, start: int, end: int) -> int:
    """Where the predicate noun of a sentence begins: behind its last "is", "are", "equals"."""
    place = start
    for found in _SUBJECT.finditer(text, start, end):
        place = found.end()
    return place


def first_complement(text: str, start: int, end: int) -> int:
    """Behind the first "is", "are", "equals" of a sentence; its beginning where there is none."""
    found = _SUBJECT.search(text, start, end)
    return found.end() if found else start
