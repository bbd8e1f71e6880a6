"""Where the sentences of a profiler point to in a text: the places they quote."""

from __future__ import annotations

import re
from collections.abc import Sequence

SHORT = 3  # characters of a quotation that is marked only where it stands once
MOST = 10  # places of one quotation
_QUOTED = re.compile(r"""(?<!\w)(?:'((?:[^'\\]|\\.){1,400})'|"((?:[^"\\]|\\.){1,400})")(?!\w)""")


def places(sentences: Sequence[str], text: str) -> list[list[int]]:
    """The places [start, end) of `text`, in code points and in order, that the sentences quote; a quotation that ends
    with three dots is cut there. Spaces may differ. A very short quotation counts only where it stands once."""
    found = {
        place for sentence in sentences for quoted in _quotations(sentence) for place in _occurrences(quoted, text)
    }
    return [list(place) for place in sorted(found)]


def _quotations(sentence: str) -> list[str]:
    return [re.sub(r"\\(.)", r"\1", single or double) for single, double in _QUOTED.findall(sentence)]


def _occurrences(quoted: str, text: str) -> list[tuple[int, int]]:
    words = quoted.removesuffix("...").split()
    if not words:
        return []
    pattern = r"\s+".join(map(re.escape, words))
    before = r"(?<!\w)" if words[0][0].isalnum() else ""
    behind = r"(?!\w)" if words[-1][-1].isalnum() and not quoted.endswith("...") else ""
    spans = [match.span() for match in re.finditer(before + pattern + behind, text)]
    return spans[:MOST] if len(spans) == 1 or sum(map(len, words)) > SHORT else []
