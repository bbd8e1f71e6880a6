"""The units that are known: dimensions as exponents, exact factors, SI prefixes, singular, plural and abbreviation."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from fractions import Fraction

Powers = tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Unit:
    """dims: exponents of base dimensions; value * factor * pi**pi + offset is the value in base units.
    nouns: names of things counted, with their exponents; open: what stands above the "per" is not written."""

    dims: Powers = ()
    factor: Fraction = Fraction(1)
    pi: int = 0
    offset: Fraction = Fraction(0)
    nouns: Powers = ()
    open: bool = False


# symbols (as written) | words (singular, lower case) | dimensions | factor; a "+" in front takes SI prefixes
_LINES = """
+m | meter metre 米 公尺 | length | 1
km 千米 公里 | | length | 1000
厘米 | | length | 1/100
毫米 | | length | 1/1000
| micron | length | 1/1000000
in in. | inch inche 英寸 | length | 127/5000
ft ft. | foot feet 英尺 | length | 381/1250
yd | yard | length | 1143/1250
mi | mile 英里 | length | 201168/125
nmi | | length | 1852
Å | angstrom ångström | length | 1/10000000000
+pc | parsec | parsec | 1
AU | | length | 149597870700
ly | lightyear | lightyear | 1
+g | gram gramme 克 | mass | 1
千克 公斤 | kilo | mass | 1000
毫克 | | mass | 1/1000
斤 | | mass | 500
t 吨 | tonne | mass | 1000000
lb lbs lb. | pound 磅 | mass | 45359237/100000
oz | ounce | mass | 45359237/1600000
| ton | mass | 45359237/50
+s sec sec. secs | second 秒 秒钟 | time | 1
min min. mins | minute 分钟 | time | 60
h hr hr. hrs | hour 小时 个小时 | time | 3600
d | day 天 | time | 86400
wk | week 周 星期 | time | 604800
| fortnight | time | 1209600
mo | month 个月 | month | 1
yr yrs | year 年 岁 | month | 12
| decade | month | 120
| century centurie | month | 1200
$ US$ USD | dollar buck 美元 | dollar | 1
¢ | cent penny pennie 美分 | dollar | 1/100
| nickel | dollar | 1/20
| dime | dollar | 1/10
€ EUR | euro 欧元 | euro | 1
£ GBP | 英镑 pound | sterling | 1
₹ Rs Rs. INR | rupee | rupee | 1
¥ 元 RMB CNY 块 | yuan 人民币 | yuan | 1
円 JPY | yen 日元 | yen | 1
+A | amp ampere 安培 | current | 1
+K | kelvin | temperature | 1
+mol | mole 摩尔 | amount | 1
cd. | candela | light | 1
+rad | radian 弧度 | angle | 1
+N | newton | mass length time^-2 | 1000
+Pa | pascal | mass length^-1 time^-2 | 1000
+bar | | mass length^-1 time^-2 | 100000000
atm | atmosphere | mass length^-1 time^-2 | 101325000
mmHg torr | | mass length^-1 time^-2 | 2533125/19
+J | joule 焦耳 | mass length^2 time^-2 | 1000
+eV | electronvolt | mass length^2 time^-2 | 801088317/5000000000000000000000000
+erg | | mass length^2 time^-2 | 1/10000
+cal | calorie | mass length^2 time^-2 | 4184
Cal | | mass length^2 time^-2 | 4184000
+Wh | | mass length^2 time^-2 | 3600000
+W | watt 瓦 瓦特 | mass length^2 time^-3 | 1000
hp | horsepower | horsepower | 1
+V | volt 伏特 | mass length^2 time^-3 current^-1 | 1000
+Ω | ohm 欧姆 | mass length^2 time^-3 current^-2 | 1000
+F | farad | mass^-1 length^-2 time^4 current^2 | 1/1000
+C | coulomb | current time | 1
+H | henry | mass length^2 time^-2 current^-2 | 1000
+Wb | weber | mass length^2 time^-2 current^-1 | 1000
+T | tesla | mass time^-2 current^-1 | 1000
G | gauss | mass time^-2 current^-1 | 1/10
dyn | dyne | mass length time^-2 | 1/100
+Hz | hertz 赫兹 | time^-1 | 1
+Bq | becquerel | time^-1 | 1
rpm | | revolution time^-1 | 1/60
rev | revolution | revolution | 1
dB | decibel | decibel | 1
+L l | liter litre 升 | length^3 | 1/1000
cc 毫升 | | length^3 | 1/1000000
gal | gallon 加仑 | length^3 | 473176473/125000000000
qt | quart | length^3 | 473176473/500000000000
pt | pint | length^3 | 473176473/1000000000000
| cup | length^3 | 473176473/2000000000000
floz | fluidounce | length^3 | 473176473/16000000000000
tbsp | tablespoon | length^3 | 473176473/32000000000000
tsp | teaspoon | length^3 | 473176473/96000000000000
M | | amount length^-3 | 1000
amu Da | dalton | dalton | 1
bpm | | beat time^-1 | 1/60
ha | hectare 公顷 | length^2 | 10000
| acre 英亩 | length^2 | 316160658/78125
mph | | length time^-1 | 1397/3125
kph kmph | | length time^-1 | 5/18
mpg | | length^-2 | 6285703125000/14785123
fps | | length time^-1 | 381/1250
+b | bit | bit | 1
+B | byte 字节 | bit | 8
"""
_FACTORS = {"mpg": Fraction(201168, 125) / Fraction(473176473, 125000000000)}
_SHORT = {
    "T": 12, "G": 9, "M": 6, "k": 3, "h": 2, "d": -1, "c": -2, "m": -3, "µ": -6, "u": -6, "n": -9, "p": -12, "f": -15,
}  # fmt: skip
_LONG = {
    "tera": 12, "giga": 9, "mega": 6, "kilo": 3, "hecto": 2, "deca": 1, "deka": 1, "deci": -1, "centi": -2,
    "milli": -3, "micro": -6, "nano": -9, "pico": -12, "femto": -15,
}  # fmt: skip
DEGREE = Unit((("angle", 1),), Fraction(1, 180), 1)
ARCMINUTE = Unit((("angle", 1),), Fraction(1, 10800), 1)
ARCSECOND = Unit((("angle", 1),), Fraction(1, 648000), 1)
CELSIUS = Unit((("temperature", 1),), Fraction(1), 0, Fraction(5463, 20))
FAHRENHEIT = Unit((("temperature", 1),), Fraction(5, 9), 0, Fraction(45967, 180))
_FOOT, _INCH = Unit((("length", 1),), Fraction(381, 1250)), Unit((("length", 1),), Fraction(127, 5000))
_OTHERS = {
    "°": (DEGREE,), "deg": (DEGREE,), "degree": (DEGREE,), "度": (DEGREE,), "°C": (CELSIUS,), "°F": (FAHRENHEIT,),
    "°K": (Unit((("temperature", 1),)),), "celsius": (CELSIUS,), "摄氏度": (CELSIUS,), "fahrenheit": (FAHRENHEIT,),
    "centigrade": (CELSIUS,), "arcminute": (ARCMINUTE,), "arcmin": (ARCMINUTE,), "arcsecond": (ARCSECOND,),
    "arcsec": (ARCSECOND,), "'": (_FOOT, ARCMINUTE), '"': (_INCH, ARCSECOND), "unit": (Unit(),), "u": (Unit(),),
}  # fmt: skip
# symbols that are often written in the wrong case
_FOLDED = {
    symbol.lower(): symbol
    for symbol in "kg km cm mm mL mg Hz kHz MHz GHz kWh kW kJ kPa kV eV dB lb lbs ft oz yd hr hrs min mins sec "
    "secs mph kph GB rpm gal atm mol".split()
}
_PLAIN_LETTERS = frozenset("ubtd")  # far more often symbols than units: only beside other units or as \text{}


def _dims(text: str) -> Powers:
    pairs = (part.partition("^") for part in text.split())
    return tuple(sorted((name, int(power or 1)) for name, _, power in pairs))


Table = dict[str, tuple[Unit, ...]]
_BUILT: list[tuple[Table, Table, Table]] = []  # made when the first unit is looked up


def _tables() -> tuple[Table, Table, Table]:
    """(symbols and words, those that take SI prefixes: symbols, words)."""
    if not _BUILT:
        _BUILT.append(_build())
    return _BUILT[0]


def _build() -> tuple[Table, Table, Table]:
    every: Table = dict(_OTHERS)
    symbols: Table = {}
    words: Table = {}
    for line in _LINES.strip().splitlines():
        short, long, dims, factor = (part.strip() for part in line.split("|"))
        prefixed, short = short.startswith("+"), short.removeprefix("+")
        for name in short.split() + long.split():
            every[name] = (*every.get(name, ()), Unit(_dims(dims), _FACTORS.get(name, Fraction(factor))))
            if prefixed:
                (symbols if name in [*short.split()[:1], "l"] else words)[name] = every[name]
    every["C"], every["F"] = (*every["C"], CELSIUS), (*every["F"], FAHRENHEIT)
    symbols["l"] = every["l"]
    return every, symbols, words


@functools.lru_cache(maxsize=4096)
def lookup(word: str) -> tuple[Unit, ...]:
    """The readings of one word or symbol as a unit, () when it is none."""
    every, symbols, words = _tables()
    if word in every:
        return every[word]
    if found := _prefixed(word, _SHORT, symbols):
        return found
    lower = word.lower().rstrip(".") if len(word) > 2 else word
    for name in (lower, lower.removesuffix("s"), lower.removesuffix("es")):
        if len(name) > 2 and (found := every.get(name, ()) or _prefixed(name, _LONG, words)):
            return found
    written = _FOLDED.get(word.lower()) if len(word) > 1 else None
    return lookup(written) if written and written != word else ()


def _prefixed(word: str, prefixes: dict[str, int], table: dict[str, tuple[Unit, ...]]) -> tuple[Unit, ...]:
    for size in (1, 4, 5):
        power, rest = prefixes.get(word[:size]), table.get(word[size:])
        if power is not None and rest:
            return tuple(Unit(u.dims, u.factor * Fraction(10) ** power, u.pi) for u in rest)
    return ()


def is_plain_letter(word: str) -> bool:
    """Is it a letter that is a unit only where something else says so?"""
    return word in _PLAIN_LETTERS
