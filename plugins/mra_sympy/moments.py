"""Times of day and dates: "3:30 pm", "noon", "Dec 25th", 2020-03-03, "11:55 p.m. on 24 December 2014"."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mra_sympy.number_words import leading_words

_MONTHS = "january february march april may june july august september october november december".split()
_DAYS = "monday tuesday wednesday thursday friday saturday sunday".split()
_MONTH = rf"(?P<month>{'|'.join(f'{m[:3]}(?:{m[3:]})?' if len(m) > 3 else m for m in _MONTHS)}|sept)\.?"
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_WEEKDAY = re.compile(
    r"(?:(mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:day)?s?\.?|(?:星期|周|礼拜)([一二三四五六日天]))",
    re.I,
)
_WEEKDAYS_ZH = dict(zip("一二三四五六日天", [*range(7), 6], strict=True))
_DATES = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"{_MONTH}\s*{_DAY}(?:\s*,?\s*(?P<year>\d{{4}}))?",
        rf"(?:the )?{_DAY}\s*(?:of\s+)?{_MONTH}(?:\s*,?\s*(?P<year>\d{{4}}))?",
        rf"{_MONTH}(?:\s*,?\s*(?P<year>\d{{4}}))?",
        r"(?P<year>\d{4})-(?P<number>0\d|1[0-2])-(?P<day>[0-3]\d)",
        r"(?P<year>\d{4})/(?P<number>0?\d|1[0-2])/(?P<day>[0-3]?\d)",
        r"(?:(?P<year>\d{4})\s*年\s*)?(?P<number>\d{1,2})\s*月\s*(?:(?P<day>\d{1,2})\s*[日号])?",
        r"(?P<us>\d{1,2})/(?P<us2>\d{1,2})/(?P<year>\d{4})",
    )
)
_HALF = (
    r"(?P<half>[ap]\.?\s?m\.?(?![a-z])|(?:o'clock )?in the (?:morning|afternoon|evening)|at night|noon"
    r"|o'clock(?: [ap]\.?m\.?)?)"
)
_CLOCK = re.compile(
    rf"(?P<hour>\d{{1,2}})(?:[:.](?P<minute>\d{{2}})(?::(?P<second>\d{{2}}))?)?\s*{_HALF}"
    r"|(?P<hour2>\d{1,2}):(?P<minute2>\d{2})(?::(?P<second2>\d{2}))?"
    r"|(?P<named>(?:12 )?(?:noon|midnight|midday))"
    r"|(?P<zh>上午|下午|晚上|早上|中午)?\s*(?P<hour3>\d{1,2})\s*[点时](?:\s*(?P<minute3>\d{1,2})\s*分?|整)?",
    re.IGNORECASE,
)
_SPOKEN = re.compile(
    r"(?P<amount>half|(?:a )?quarter|[a-z-]+(?: minutes)?) (?P<way>past|to) (?P<hour>[a-z]+)", re.IGNORECASE
)
_LIKELY = re.compile(
    r"[ap]\.?\s?m\b|noon|midnight|midday|o'clock|morning|afternoon|evening|night|past|quarter to|\d{4}[-/]\d|/\d{4}|"
    r"jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|day\b|mon|tue|wed|thu|fri|sat|sun|[月日点时午]|星期|周|礼拜",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Moment:
    """A time of day, a date or both; None for what is not said. hour is 0 to 23 when `definite`, else 1 to 12."""

    year: int | None = None
    month: int | None = None
    day: int | None = None
    weekday: int | None = None
    hour: int | None = None
    minute: int = 0
    second: int = 0
    definite: bool = False


def read_moment(text: str) -> Moment | None:
    """The moment that all of the cleaned `text` writes, or None. A bare 3:30 is none: it may be a ratio."""
    if len(text) > 80 or _LIKELY.search(text) is None:
        return None
    text = re.sub(r"\\text\s*\{([^{}]*)\}", r" \1 ", text)
    text = re.sub(r"(?<=\d) ?: ?(?=\d\d)", ":", " ".join(text.split()))
    text = text.rstrip(". ") + ("." if re.search(r"[ap]\.m\.?$", text, re.I) else "")
    text = re.sub(r"^(?:on|at|by|in) (?=\S)", "", text, flags=re.IGNORECASE).strip()
    for first, second in _halves(text):
        found = _joined(first, second)
        if found is not None:
            return found
    return None


def _halves(text: str) -> list[tuple[str, str]]:
    """(time, date) or (date, time) as they may be put together, and each alone."""
    found = [(text, "")]
    for joint in re.finditer(r",? (?:on |at |of )?|, ?", text):
        if joint.start():
            found.append((text[: joint.start()], text[joint.end() :]))
    return found[:12]


def _joined(first: str, second: str) -> Moment | None:
    if not second:
        return _clock(first, bare=False) or _date(first)
    for one, other in ((first, second), (second, first)):
        time, date = _clock(one, bare=True), _date(other)
        if time and date:
            return Moment(
                date.year, date.month, date.day, date.weekday, time.hour, time.minute, time.second, time.definite
            )
    day, date = _weekday(first), _date(second)
    if day is not None and date is not None and date.weekday is None:
        return Moment(date.year, date.month, date.day, day)
    return None


def _weekday(text: str) -> int | None:
    found = _WEEKDAY.fullmatch(text)
    if found is None or (text[0].isascii() and not text[0].isupper() and not text.endswith(("day", "days"))):
        return None
    if found[2]:
        return int(_WEEKDAYS_ZH[found[2]])
    start = str(found[1]).lower()[:3]
    return next(k for k, name in enumerate(_DAYS) if name.startswith(start))


def _date(text: str) -> Moment | None:
    if not text:
        return None
    if (weekday := _weekday(text)) is not None:
        return Moment(weekday=weekday)
    for pattern in _DATES:
        found = pattern.fullmatch(text)
        if found is not None:
            return _dated(found.groupdict(), text)
    return None


def _dated(part: dict[str, str | None], text: str) -> Moment | None:
    name, year, day = part.get("month"), part.get("year"), part.get("day")
    if name is not None and text.lower().find(name.lower()) >= 0 and not name[0].isupper():
        return None  # "may" and "march" are words
    month = _MONTHS.index(next(m for m in _MONTHS if m.startswith(name.lower()[:3]))) + 1 if name else 0
    if part.get("number"):
        month = int(part["number"] or 0)
    if part.get("us"):
        first, second = int(part["us"] or 0), int(part["us2"] or 0)
        if first <= 12 and second <= 12 and first != second:
            return None  # 3/4/2020 is two dates
        month, day = (first, str(second)) if first <= 12 else (second, str(first))
    if not 1 <= month <= 12 or (day and not 1 <= int(day) <= 31):
        return None
    return Moment(int(year) if year else None, month, int(day) if day else None)


def _clock(text: str, bare: bool) -> Moment | None:
    """A time of day; bare: "3:30" alone is one too."""
    found = _CLOCK.fullmatch(text)
    if found is None:
        return _spoken(text)
    if found["named"]:
        return Moment(hour=0 if "midnight" in text.lower() else 12, definite=True)
    if found["hour2"] and not bare:
        return None
    hour = int(found["hour"] or found["hour2"] or found["hour3"])
    minute = int(found["minute"] or found["minute2"] or found["minute3"] or 0)
    half = _half(found["half"] or found["zh"], hour)
    return clock_time(hour, minute, int(found["second"] or found["second2"] or 0), half)


def clock_time(hour: int, minute: int, second: int, half: str) -> Moment | None:
    """The time of day; half: "am", "pm" or "" when it is not said. None when there is no such time."""
    if hour > 24 or minute > 59 or second > 59 or (half and hour > 12):
        return None
    if half and hour:
        return Moment(hour=hour % 12 + (12 if half == "pm" else 0), minute=minute, second=second, definite=True)
    if hour == 0 or hour > 12:
        return Moment(hour=hour % 24, minute=minute, second=second, definite=True)
    return Moment(hour=hour, minute=minute, second=second)


def _half(text: str | None, hour: int) -> str:
    word = re.sub(r"[. ]", "", text or "").lower().removeprefix("o'clock")
    if word in ("atnight", "晚上") and (hour == 12 or hour < 5):
        return "am"
    if word in ("am", "inthemorning", "上午", "早上"):
        return "am"
    return "pm" if word in ("pm", "intheafternoon", "intheevening", "atnight", "下午", "晚上", "noon", "中午") else ""


def _spoken(text: str) -> Moment | None:
    """half past three, quarter to nine in the morning."""
    behind = re.search(r" (in the (?:morning|afternoon|evening)|at night|[ap]\.?m\.?)$", text, re.IGNORECASE)
    found = _SPOKEN.fullmatch(text[: behind.start()] if behind else text)
    if found is None:
        return None
    hour = leading_words(found["hour"].lower())
    amount = found["amount"].lower().removesuffix(" minutes").removeprefix("a ")
    minutes = {"half": 30, "quarter": 15}.get(amount)
    words = leading_words(amount) if minutes is None else None
    minutes = int(words[0]) if words and not words[1] and words[0].denominator == 1 else minutes
    if hour is None or hour[1] or minutes is None or not 1 <= hour[0] <= 12 or not 0 < minutes < 60:
        return None
    past = found["way"].lower() == "past"
    whole = int(hour[0]) if past else (int(hour[0]) - 1 or 12)
    return clock_time(whole, minutes if past else 60 - minutes, 0, _half(behind[1], whole) if behind else "")


def same_moment(a: Moment, b: Moment) -> bool:
    """The same time and date. Beside a day of a month the year and the day of the week may be missing on one side,
    and "am" or "pm" may be: 3:30 equals 3:30 pm."""
    if (a.month, a.day) != (b.month, b.day):
        return False
    for one, other in ((a.year, b.year), (a.weekday, b.weekday)):
        if one != other and not (a.day and None in (one, other)):
            return False
    if a.hour is None or b.hour is None:
        return a.hour is b.hour
    if (a.minute, a.second) != (b.minute, b.second) or a.hour % 12 != b.hour % 12:
        return False
    return a.hour == b.hour or not (a.definite and b.definite)


def canonical_moment(value: Moment) -> str:
    """ISO-like: 2020-03-03, 12-25, 15:30, Wed; a time without am or pm keeps a question mark."""
    parts: list[str] = []
    if value.month:
        date = [f"{value.year:04d}"] if value.year else []
        parts.append("-".join([*date, f"{value.month:02d}", *([f"{value.day:02d}"] if value.day else [])]))
    if value.weekday is not None and not value.day:
        parts.append(_DAYS[value.weekday].capitalize())
    if value.hour is not None:
        seconds = f":{value.second:02d}" if value.second else ""
        parts.append(f"{value.hour:02d}:{value.minute:02d}{seconds}{'' if value.definite else '?'}")
    return " ".join(parts) if value.month != 0 else ""
