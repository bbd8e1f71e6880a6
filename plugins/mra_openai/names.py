"""Whether the model that a server reports is the one that was asked for."""

from __future__ import annotations

import re

VERSION = re.compile(r"[-@:](\d{4}-\d{2}-\d{2}|\d{3,8}|latest|main|[0-9a-f]{40})$")


def same_model(asked: str, reported: str) -> bool:
    """True where `reported` is `asked`, give or take the folder or owner before it, ``.gguf`` behind it, and a version
    (a date, ``latest``, a revision) that one of them has and the other has not. "" reports nothing, and is no other."""
    one, other = _bare(asked), _bare(reported)
    if not reported or one == other:
        return True
    if one.endswith(("-latest", ":latest")):
        one = VERSION.sub("", one)
    return VERSION.sub("", other) == one or VERSION.sub("", one) == other


def _bare(name: str) -> str:
    return name.strip().rstrip("/").rpartition("/")[2].lower().removesuffix(".gguf")
