"""A small grammar of units: products, quotients and powers of known units and of names of things counted."""

from __future__ import annotations

import functools
import re
from dataclasses import replace
from fractions import Fraction
from itertools import product

from mra_sympy.unit_table import CELSIUS, DEGREE, FAHRENHEIT, Powers, Unit, is_plain_letter, lookup

MAX_LENGTH = 120
MAX_WORDS = 6

_REWRITES = tuple(
    (re.compile(pattern), new)
    for pattern, new in (
        (r"\^\s*\{\s*([+-]?\d)\s*\}", r"^\1"),
        (r"\\(?:text|mathrm)\s*\{([^{}]*)\}", r" \1 "),
        (r"\^\s*\{?\s*\\prime\s*\\prime\s*\}?|\^\s*\{?\s*''\s*\}?|''|\^\s*\{\s*\"\s*\}", '"'),
        (r"\^\s*\{?\s*\\prime\s*\}?|\^\s*\{?\s*'\s*\}?", "'"),
        (r"\^\s*\{?\s*(?:\\circ|o(?![a-zA-Z]))\s*\}?", "°"),
        (r"\b[Dd]egrees?\s+(?=(?:[Cc]elsius|[Cc]entigrade|[Ff]ahrenheit|C|F|K)\b)|(?<![a-zA-Z])deg\s+(?=[CF]\b)", "°"),
        (r"°\s*(?:[Cc]elsius|[Cc]entigrade|C)(?![a-zA-Z])", " °C "),
        (r"°\s*(?:[Ff]ahrenheit|F)(?![a-zA-Z])", " °F "),
        (r"°\s*K(?![a-zA-Z])", " °K "),
        (r"\\frac\s*\{([^{}]*)\}\s*\{([^{}]*)\}", r"\1 / \2"),
        (r"\\mu\s*", " µ"),
        (r"\\Omega(?![a-zA-Z])|(?<![a-zA-Z])ohms?(?![a-zA-Z])", " Ω "),
        (r"([kM])\s+Ω", r"\1Ω"),
        (r"\\(?:AA|r\s*A|mathring\s*\{?A\}?)(?![a-zA-Z])", " Å "),
        (r"\\cdot(?![a-zA-Z])|\\times(?![a-zA-Z])|\*|·", " * "),
        (r"\b[Ff]l(?:uid|\.)?\s*(?:oz|ounces?)\b", " floz "),
        (r"\b[Ll]ight[ -]years?\b", " ly "),
        (r"\b[Nn]autical\s+miles?\b", " nmi "),
        (r"\bU\.?S\.?\s*(?=\$|[Dd]ollars?)", ""),
        (r"(?<=[\w])每|每(?=\w)", " / "),
        (r"(平方|立方)(?=\w)", r" \1 "),
    )
)
_TOKEN = re.compile(r"°[CFK]?|[\"'$€£¥₹¢%/*()]|\^\s*[+-]?\d|[^\W\d_]+\.?|\d|-|\S")
_ASIDE = re.compile(
    r"(?:\b(?:in (?:total|all)|in a row|all together|all in all|total|altogether|together|each|apiece|exactly|only|old|"
    r"long|wide|high|tall|deep|thick|away|apart|of age)\b|(?<=[a-z] )(?:left|remaining)\b|(?<!\w)[,.;✓✔■□∎])"
)
_TURNED = re.compile(r"[a-z}]\s+(?:right|younger|older)[\s}.]*$")  # these change what is said, unlike "left" and "old"
_MODIFIERS = {"square": 2, "sq": 2, "sq.": 2, "cubic": 3, "cu": 3, "cu.": 3, "平方": 2, "立方": 3}
_AFTER = {"squared": 2, "cubed": 3}
_COUNTERS = "个只张本支条辆名次种件份位头颗棵朵把组队层台座套双对箱盒瓶杯人"
# Words that say something about the number, not what it counts; with one of them the text is no plain quantity.
FORBIDDEN = frozenset(
    "and or nor minus plus times over divided by if when to not but is are was be as because since so mod where with "
    "less more than fewer greater least most remainder percent percents percentage out from between before after ago "
    "equals equal every squared cubed square cubic sq cu wrong incorrect false no none never cannot million billion "
    "trillion thousand hundred dozen th st nd rd base factorial prime double twice thrice half pi infinity root sqrt "
    "sin cos tan cot sec csc log ln exp mod gcd lcm max min negative positive pm am then else for all real whenever "
    "cases until up down about approximately roughly earlier later above below under except without into i e "
    "choose multiplied added subtracted raised power solution rounded".split()
)
FORBIDDEN |= frozenset(
    "alpha beta gamma delta epsilon zeta eta theta kappa lambda mu nu xi rho sigma tau phi chi psi omega".split()
)
_FUNCTION = re.compile(r"a?(?:rc)?(?:sin|cos|tan|cot|sec|csc|ln|log|exp|sqrt)h?[a-rt-z]?")
_SHORT_NOUNS = frozenset(
    "men man pen egg car cat dog box boy bag cup toy way bus can jar tin pie row set key map hat bed cow hen pig bee "
    "ant fan lot job tie ice bar pan pot pea".split()
)
_PRODUCTS = frozenset({"N m", "N s", "J s", "W h", "A h", "V s", "A s", "N*m", "N-m", "V A", "C m"})
_NUMERALS = frozenset(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety".split()
)
_FILL = frozenset({"the", "a", "an", "of", "-"})


@functools.lru_cache(maxsize=4096)
def readings(text: str, counted: bool = True) -> tuple[Unit, ...]:
    """What `text` can mean as a unit, () when it is none. counted: unknown words name things that are counted."""
    if len(text) > MAX_LENGTH:
        return ()
    text = text.replace("\\$", "$")
    for pattern, new in _REWRITES:
        text = pattern.sub(new, text)
    if _TURNED.search(text):
        return ()
    if counted:
        text = _ASIDE.sub(" ", text)
    tokens = _TOKEN.findall(text)
    if tokens.count("(") != tokens.count(")"):
        return ()
    return _parse([t for t in tokens if t not in "()"], counted)


def _parse(tokens: list[str], counted: bool) -> tuple[Unit, ...]:
    factors: list[tuple[Unit, ...]] = []
    sign, here, start = 1, 0, True
    opened = bool(tokens) and tokens[0] in ("/", "per")
    while here < len(tokens):
        token = tokens[here]
        if token in ("/", "per", "*", "-"):
            if here + 1 == len(tokens) or (start and token in "*-"):
                return ()
            sign = -1 if token in ("/", "per") else sign
            here += 1
            continue
        found, here = _factor(tokens, here, counted)
        if not found:
            return ()
        factors.append(tuple(_power(unit, sign) for unit in found))
        start = False
    if not factors or len(factors) > 8:
        return (Unit(),) if not tokens else ()
    made = [functools.reduce(_times, combination) for combination in list(product(*factors))[:8]]
    return tuple(replace(unit, open=opened) for unit in made)


def _factor(tokens: list[str], here: int, counted: bool) -> tuple[tuple[Unit, ...], int]:
    """One known unit with its power, or a noun of several words; the position behind it."""
    power = _MODIFIERS.get(tokens[here].lower(), 1)
    here += power != 1
    if power != 1 and here < len(tokens) and tokens[here] == "-":
        here += 1
    if here == len(tokens):
        return (), here
    found = lookup(tokens[here]) or lookup(tokens[here].rstrip("."))
    if not found:
        found, here = _noun(tokens, here) if counted else ((), here)
    else:
        here += 1
    if here < len(tokens) and found:
        after = tokens[here]
        if after.lower() in _AFTER or (after.startswith("^") and len(after) > 1) or after in "23":
            power = _AFTER.get(after.lower()) or int(after.lstrip("^ "))
            here += 1
    return tuple(_power(unit, power) for unit in found), here


def _noun(tokens: list[str], here: int) -> tuple[tuple[Unit, ...], int]:
    """Names of things counted, to the next "/" or "per": "packs of glue sticks"."""
    words: list[str] = []
    while here < len(tokens) and tokens[here] not in ("/", "per", "*") and not tokens[here].startswith("^"):
        word = tokens[here].lower().rstrip(".")
        here += 1
        if not _names(word):
            return (), here
        words.append(_singular(word))
    words = words[1:] if words and words[0] in ("of", "the", "a", "an", "different") else words
    if not 1 <= len(words) <= MAX_WORDS:
        return (), here
    if not words[0].isascii():
        rest = words[0][1:] if words[0][0] in _COUNTERS else words[0]
        return (Unit(nouns=((rest, 1),)) if rest else Unit(),), here
    return (Unit(nouns=((" ".join(words), 1),)),), here


def _names(word: str) -> bool:
    if word in _FILL:
        return True
    if word in FORBIDDEN or word in _NUMERALS or _FUNCTION.fullmatch(word):
        return False
    return word.isalpha() and (len(word) > 1 or not word.isascii())


def _singular(word: str) -> str:
    for plural, singular in (("people", "person"), ("men", "man"), ("children", "child"), ("ies", "y"), ("ves", "f")):
        if word.endswith(plural) and (len(word) > 4 or word == plural):
            return word.removesuffix(plural) + singular
    for ending in ("sses", "shes", "ches", "xes", "zes"):
        if word.endswith(ending):
            return word[:-2]
    return word[:-1] if len(word) > 2 and word.endswith("s") and not word.endswith("ss") else word


def _power(unit: Unit, power: int) -> Unit:
    if power == 1:
        return unit
    dims = tuple((name, n * power) for name, n in unit.dims)
    nouns = tuple((name, n * power) for name, n in unit.nouns)
    return Unit(dims, unit.factor**power, unit.pi * power, Fraction(0), nouns)


def _times(a: Unit, b: Unit) -> Unit:
    dims, nouns = _joined(a.dims, b.dims), _joined(a.nouns, b.nouns)
    offset = a.offset if not b.dims else Fraction(0)
    return Unit(dims, a.factor * b.factor, a.pi + b.pi, offset, nouns)


def _joined(a: Powers, b: Powers) -> Powers:
    total = dict(a)
    for name, power in b:
        total[name] = total.get(name, 0) + power
    return tuple(sorted((name, power) for name, power in total.items() if power))


def counts(text: str) -> bool:
    """Is it a Chinese counter: 三个 is 3, while 三角形 and 一次函数 are no numbers?"""
    return text.startswith("个") or (len(text) == 1 and text in _COUNTERS)


def known(text: str) -> bool:
    """Is `text` made of known units only, more than a letter that is a symbol as likely?"""
    return not is_plain_letter(text.strip()) and bool(readings(text, counted=False))


def may_be_symbols(text: str) -> bool:
    """Is unmarked `text` as likely a product of symbols: "t", "g h", "ab", "xyz"? N m and "men" are none."""
    if is_plain_letter(text):
        return True
    words = re.findall(r"[A-Za-z]+", text)
    if len(words) > 1 and all(len(word) == 1 for word in words):
        return "/" not in text and " ".join(text.replace("\\cdot", " ").split()) not in _PRODUCTS
    short = all(len(word) < 4 for word in words) and words[:1] != ["per"]
    return short and bool(words) and not lookup(words[0]) and words[0].lower() not in _SHORT_NOUNS


def is_degree(text: str) -> bool:
    """Is it an angle in degrees, minutes or seconds?"""
    return any(unit.dims == DEGREE.dims and unit.pi == 1 and not unit.nouns for unit in readings(text))


def is_empty(unit: Unit) -> bool:
    """Does it say nothing? "units" and "total" do not."""
    return not unit.dims and not unit.nouns


def compatible(a: Unit, b: Unit) -> bool:
    """Do both measure the same, so that their values can be compared after conversion?"""
    if not _same_nouns(a.nouns, b.nouns):
        return False
    if a.open != b.open:
        a, b = (replace(u, dims=tuple((n, p) for n, p in u.dims if p < 0)) for u in (a, b))
    if a.dims == b.dims:
        return bool(a.dims) or bool(a.nouns) == bool(b.nouns) or a.open != b.open
    money = [("dollar", 1), ("euro", 1), ("yuan", 1), ("sterling", 1), ("rupee", 1)]
    one, other = sorted((a.dims, b.dims), key=len)  # a price of $18 is a price of $18 per day
    return len(one) == 1 and one[0] in money and one[0] in other and all(p < 0 for n, p in other if (n, p) != one[0])


def scales_of_degrees(a: Unit, b: Unit) -> bool:
    """Degrees without a scale may be degrees Celsius or Fahrenheit."""
    return (a == DEGREE and b in (CELSIUS, FAHRENHEIT)) or (b == DEGREE and a in (CELSIUS, FAHRENHEIT))


def _same_nouns(a: Powers, b: Powers) -> bool:
    """Equal, one of them missing, or the shorter name part of the longer one with the same head."""
    if a == b or not a or not b:
        return True
    if len(a) != len(b):
        return False
    return all(p == q and _same_noun(x, y) for (x, p), (y, q) in zip(a, b, strict=True))


def _same_noun(a: str, b: str) -> bool:
    left, right = a.split(), b.split()
    return _head(left) == _head(right) and (set(left) <= set(right) or set(right) <= set(left))


def _head(words: list[str]) -> str:
    for link in ("of", "in", "on", "at", "per"):
        if link in words[1:]:
            words = words[: words.index(link, 1)]
    return words[-1]
