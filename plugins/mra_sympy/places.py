"""An answer and the place where it stands in its text."""

from __future__ import annotations

import re
from dataclasses import dataclass

EDGE = ' \t\r\n*`"“”_'


@dataclass(frozen=True)
class Found:
    """An answer and where it stands. maths: it is mathematics, found as such."""

    answer: str
    span: tuple[int, int]
    maths: bool = True


def trimmed(text: str, first: int, last: int) -> tuple[int, int]:
    """The span without spaces, emphasis and a closing mark."""
    for _ in range(3):
        while first < last and text[first] in EDGE:
            first += 1
        while first < last and text[last - 1] in EDGE:
            last -= 1
        if first < last and text[last - 1] in ".,;:。，；" and text[first:last].count("$") % 2 == 0:
            last -= 1
        else:
            break
    if text.startswith("</", last - 9 if last >= 9 else 0) and (tag := re.search(r"</\w{1,10}>$", text[first:last])):
        last = first + tag.start()
    return first, last
