"""Answers in words: as sequences of normalised words, never by substring, and fixed statements that mean one thing."""

from __future__ import annotations

import functools
import re
import unicodedata

MAX_WORDS = 300

_TEXT = re.compile(r"\\(?:text(?:bf|it|rm|sf|normal)?|mbox|mathrm|mathbf|operatorname|emph)\s*\{([^{}]*)\}")
_GAP = re.compile(r"\\[ ,;:!]|\\q?quad|~|\$|\*\*|[\"“”`]|\\\(|\\\)|\\\[|\\\]")
_REASON = re.compile(
    r"[\s,;:.]+(?:because|since|as it|by the [a-z' -]{0,40}?(?:test|theorem|rule|law|criterion|definition)|due to)\b.*"
    r"|[\s,]*因为.*",
    re.DOTALL,
)
_FRAME = re.compile(
    r"(?:(?:so|thus|therefore|hence|then|and|answer|final answer|answer is)\b[,:]?\s+)*"
    r"(?:(?:it|they|this|that|there|these|we|(?:the|this) (?:answer|result|solution|statement|claim|shape|graph"
    r"|curve|day|function|series|sequence|limit|triangle|set|system|number|value|sign|conclusion|name|winner))\s+"
    r"(?:is|are|was|were|has|have)\s+(?:equal to\s+)?)?"
)
_SUBJECT = (
    r"(?:(?:so|thus|therefore|hence),? )?(?:(?:the|this|that|such an?) )?"
    r"(?:(?:it|they|there|(?:given |improper |infinite |definite |required |whole )?(?:series|sequence|integral|limit"
    r"|equation|system|function|sum|product|inequality|derivative|expression|value|problem|statement|answer|slope|inverse"
    r"|number|domain|solution set|solution)s?(?: of (?:the )?[a-z ]{1,25})?) )?"
)
_KIND = re.compile(r"(?<=[a-z]) (?:functions?|triangles?|series|sequence|numbers?|set)$")
_REAL = r"(?:\\(?:mathbb|mathbf|bf|bb)\s*\{?\s*r\s*\}?|\\r|ℝ)"
_NOUN = r"(?:solutions?|roots?|zeros?|intersections?|values?|answers?)"
# (name, pattern): what is matched as a whole, in lower case, means the same thing as everything else of that name.
_STATEMENTS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (name, re.compile(pattern))
    for name, pattern in (
        (
            "no solution",
            rf"(?:{_SUBJECT}(?:has |have |exists? |there (?:is|are|exists?) )?|there (?:is|are"
            rf"|exists?) )no (?:such )?(?:real |real-valued |possible |"
            rf"integer )?{_NOUN}(?: exists?)?(?: in (?:the )?reals?| (?:to|of|for) (?:the|this"
            rf"|these) [a-z ]{{1,30}})?|{_NOUN} do(?:es)? not exist"
            r"|\\emptyset|\\varnothing|∅|(?:the )?empty(?: set)?|\\\{\s*\\\}|\{\s*\}|none|无(?:实数?)?解|方程无解|空集",
        ),
        (
            "does not exist",
            rf"{_SUBJECT}(?:does not exist|doesn't exist|do not exist)|d\.?n\.?e\.?|不存在"
            rf"|{_SUBJECT}(?:is )?(?:undefined|not defined)",
        ),
        (
            "infinitely many",
            rf"(?:{_SUBJECT}(?:has |have )|there (?:is|are|exists?) )?(?:infinitely many"
            rf"|an? infinite number(?: of)?|infinite(?:ly)?)"
            rf"(?: (?:real )?{_NOUN}| many {_NOUN})?(?: (?:to|of|for) (?:the|this|these) [a-z ]{{1,30}})?"
            rf"|无数个?(?:解)?|无穷多个?(?:解)?",
        ),
        (
            "all real numbers",
            rf"(?:{_SUBJECT}(?:is )?)?(?:the set of )?(?:all |any |every )(?:the )?(?:real numbers?|reals?"
            rf"|real values?(?: of [a-z])?)|"
            rf"(?:the )?(?:set of )?real numbers|(?:[a-z]\s*(?:\\in|∈)\s*)?{_REAL}|\(\s*-\s*(?:\\infty"
            rf"|∞)\s*,\s*\+?\s*(?:\\infty|∞)\s*\)"
            r"|全体实数|一切实数",
        ),
        ("infinity", r"(?:positive |plus |\+\s*)?(?:infinity|\\infty|∞)"),
        ("-infinity", r"(?:negative |minus |-\s*)(?:infinity|\\infty|∞)"),
        ("diverges", rf"{_SUBJECT}(?:is divergent|diverges|diverge|divergent|diverging)(?: by [a-z' -]{{1,60}})?|发散"),
        ("converges", rf"{_SUBJECT}(?:is convergent|converges|converge|convergent)(?: by [a-z' -]{{1,60}})?|收敛"),
        (
            "none of these",
            r"none of (?:the above|these|them|the (?:choices|options|others?)(?: listed)?)|以上都不[对是]",
        ),
        (
            "cannot be determined",
            rf"{_SUBJECT}(?:cannot|can not|can't) be determined(?: from [a-z ]{{1,40}})?"
            rf"|not enough info(?:rmation)?|insufficient information|"
            rf"it is impossible to (?:tell|determine|say)|无法确定|不能确定",
        ),
        ("yes", r"yes|true|是的?|对|正确|(?:it|this|that|the statement) is (?:true|correct)"),
        (
            "no",
            r"no|false|not true|否|不是|错误?|不对|不正确|(?:it|this|that|the statement) is (?:false|incorrect|not true"
            r"|not correct)",
        ),
        (">", r">|\\gt|greater than"),
        ("<", r"<|\\lt|less than"),
        ("=", r"=|equals|equal to"),
    )
)
_SHORT = {"yes": ("y", "t"), "no": ("n", "f")}
_ANSWERED = re.compile(
    r"(yes|no|true|false)\s*(?:[,;:!.–—-]|\s-)\s*(?=\D)(?!\s*(?:yes|no|true|false|of|but|if|only|unless|when|except|for)\b)",
    re.IGNORECASE,
)
_ARTICLES = ("a", "an", "the")
_DAYS = "monday tuesday wednesday thursday friday saturday sunday".split()
_MONTHS = "january february march april may june july august september october november december".split()
_ALIASES = {day[:n]: day for day in _DAYS for n in (3, 4)} | {month[:n]: month for month in _MONTHS for n in (3, 4)}
_ALIASES |= {"1st": "first", "2nd": "second", "3rd": "third", "4th": "fourth", "5th": "fifth", "tues": "tuesday"}
_ALIASES.update(zip("two three four five six seven eight nine ten".split(), "2 3 4 5 6 7 8 9 10".split(), strict=True))
_ORDINALS = {
    "first": "i",
    "second": "ii",
    "third": "iii",
    "fourth": "iv",
    "一": "i",
    "二": "ii",
    "三": "iii",
    "四": "iv",
}
_QUADRANT = re.compile(
    r"(?:in )?(?:quadrant (i{1,3}|iv|[1-4])|(?:(first|second|third|fourth|i{1,3}|iv) quadrant)|第([一二三四])象限)"
)
_REMAINDER = re.compile(r"(\d+)\s*(?:remainder|rem\.?|r\.?|余|…+|\.{3,6})\s*(\d+)")
_EQUATION = re.compile(r"[a-z]{2,}(?:\s*=\s*[a-z]{2,})+")
_AND = re.compile(r"\s*(?:,|;|、|和|与|\band\b|&)+\s*(?:and\s+)?")

_NUMBER = re.compile(r"\s*[-+]?\\?\$?\d[\d,]*(?:\.\d+)?%?\s*\Z")


def statement(text: str) -> str | None:
    """The name of the fixed statement that the whole of `text` makes, or None: "There is no solution." makes
    "no solution"; "one solution" and "not even" make none."""
    if len(text) > MAX_WORDS or _NUMBER.match(text):
        return None
    return _statement(text)


@functools.lru_cache(maxsize=4096)  # a gold answer is read for each of its texts
def _statement(text: str) -> str | None:
    plain = _plain(text)
    if (found := _named(plain)) is not None:
        return found
    answered = _ANSWERED.match(plain)
    if answered:
        return _named(answered[1])
    shorter = _REASON.sub("", plain)
    return _named(shorter) if shorter and shorter != plain else None


def _named(plain: str) -> str | None:
    for name, pattern in _STATEMENTS:
        if pattern.fullmatch(plain):
            return name
    if remainder := _REMAINDER.fullmatch(plain):
        return f"{int(remainder[1])} remainder {int(remainder[2])}" if len(plain) < 30 else None
    if quadrant := _QUADRANT.fullmatch(re.sub(r"\bthe ", "", plain)):
        mark = quadrant[1] or quadrant[2] or quadrant[3]
        return f"quadrant {_ORDINALS.get(mark, mark)}"
    if _EQUATION.fullmatch(plain):
        return "=".join(sorted(part.strip() for part in plain.split("=")))
    return None


def canonical(text: str) -> str:
    """The canonical string of an answer in words: its statement's name; "" of everything else."""
    return statement(text) or ""


def normalised(text: str) -> tuple[str, ...] | None:
    """The words of an answer in words, without frame ("it is"), articles, case and punctuation; None where `text` is
    no plain words."""
    if len(text) > MAX_WORDS:
        return None
    plain = _plain(text)
    plain = _REASON.sub("", plain) or plain
    if re.match(r"[$+.]|\d(?!\w*(?:st|nd|rd|th)\b)", plain):
        return None  # a quantity: mW is no MW
    frame = _FRAME.match(plain)
    plain = plain[frame.end() :] if frame and frame.end() < len(plain) else plain
    plain = _KIND.sub("", plain).replace("又", "也")
    if re.search(r"[\\^_=<>{}|+*/$]|-\s*\d", plain) or not re.search(r"[^\W\d_]{2}", plain):
        return None
    words = [word.strip(".'’-") for word in re.findall(r"[^\s,;:!?()，。；：！？、]+", plain)]
    words = [
        _ALIASES.get(word, word)
        for k, word in enumerate(words)
        if word and (word not in _ARTICLES or k == len(words) - 1)
    ]
    while words and words[0] in ("due", "only"):
        words = words[1:]
    return tuple(words) or None


def parts(text: str) -> tuple[tuple[str, ...], ...] | None:
    """The names in "Alice and Bob" or "Alice, Bob", in alphabetical order; None where it is one name."""
    plain = _plain(text)
    found = [normalised(part) for part in _AND.split(plain) if part.strip()]
    if len(found) < 2 or not re.search(r"\band\b|和|与|&|,|、", plain):
        return None
    return tuple(sorted(item for item in found if item)) if all(found) else None


def same(one: str, other: str) -> bool | None:
    """True where both say the same in words; False where both make fixed statements that differ; None otherwise."""
    first, second = statement(one), statement(other)
    if first is not None and second is not None:
        return first == second or {first, second} == {"infinity", "infinitely many"}
    if first in ("yes", "no") or second in ("yes", "no"):
        return True if _plain(other if first else one) in _SHORT[first or second or ""] else None
    words = normalised(one)
    if words is None:
        return None
    if words == normalised(other) or _same_names(one, other):
        return True
    return None


def _same_names(one: str, other: str) -> bool:
    """Two lists of names in any order, when at least one of them says "and"."""
    if ("and" not in one + other and "和" not in one + other) or re.search(r"\d", one + other):
        return False
    names = parts(one)
    return names is not None and names == parts(other)


def _plain(text: str) -> str:
    """In lower case, styling and quotes off, spaces joined, without a closing mark."""
    text = unicodedata.normalize("NFKC", text.replace("…", "......")) if not text.isascii() else text
    for _ in range(3):
        text, before = _TEXT.sub(r"\1", text), text
        if text == before:
            break
    text = " ".join(_GAP.sub(" ", text).replace("’", "'").split()).strip(" '*")
    text = text.rstrip(" .!,;。") if len(text) > 1 else text
    return text.casefold()
