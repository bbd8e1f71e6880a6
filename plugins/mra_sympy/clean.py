"""Brings the many ways of writing one answer into one: plain ASCII with a small set of LaTeX commands."""

from __future__ import annotations

import re
import unicodedata

from mra_sympy.errors import Unreadable

MAX_LENGTH = 4000

_SUPER = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾ⁿⁱˣ", "0123456789+-()nix", strict=True))
_SUB = dict(zip("₀₁₂₃₄₅₆₇₈₉₊₋₍₎ₙₓ", "0123456789+-()nx", strict=True))
_GREEK = {
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "epsilon", "ζ": "zeta", "η": "eta", "θ": "theta",
    "κ": "kappa", "λ": "lambda", "μ": "mu", "ν": "nu", "ξ": "xi", "π": "pi", "ρ": "rho", "σ": "sigma", "τ": "tau",
    "φ": "phi", "χ": "chi", "ψ": "psi", "ω": "omega", "Δ": "Delta", "Γ": "Gamma", "Θ": "Theta", "Λ": "Lambda",
    "Π": "Pi", "Σ": "Sigma", "Φ": "Phi", "Ψ": "Psi", "Ω": "Omega",
}  # fmt: skip
_SYMBOL = {
    "−": "-", "–": "-", "—": "-", "‐": "-", "‑": "-", "﹣": "-", "－": "-", "×": r"\times ", "·": r"\cdot ",
    "⋅": r"\cdot ", "∙": r"\cdot ", "÷": r"\div ", "∗": "*", "≤": r"\le ", "≥": r"\ge ", "⩽": r"\le ", "⩾": r"\ge ",
    "≠": r"\ne ", "≈": r"\approx ", "∞": r"\infty ", "±": r"\pm ", "∓": r"\mp ", "∈": r"\in ", "∪": r"\cup ",
    "∩": r"\cap ", "∅": r"\emptyset ", "°": r"^\circ ", "√": r"\sqrt", "∛": r"\sqrt[3]", "′": "'", "⁄": "/", "∕": "/",
    "，": ",", "、": ",", "；": ";", "（": "(", "）": ")", "［": "[", "］": "]", "｛": "{", "｝": "}", "＝": "=",
    "。": ".", "：": ":", "％": "%", "٪": "%", "٫": ".", "٬": ",", "’": "'", "‘": "'", "“": '"', "”": '"',
    "\u00a0": " ", "\u2009": " ", "\u202f": " ", "\u3000": " ", "⌊": r"\lfloor ", "⌋": r"\rfloor ", "⌈": r"\lceil ",
    "⌉": r"\rceil ", "℃": r"^\circ \text{C}",
    "ℝ": r"\mathbb{R}", "ℤ": r"\mathbb{Z}", "ℕ": r"\mathbb{N}", "ℚ": r"\mathbb{Q}", "ℂ": r"\mathbb{C}",
    "⟨": r"\langle ", "⟩": r"\rangle ", "∖": r"\setminus ", "…": r"\ldots ", "⋯": r"\cdots ", "→": r"\to ",
    "∶": ":", "º": r"^\circ ",
    "∠": r"\angle ", "∑": r"\sum", "∏": r"\prod", "∫": r"\int", "∧": r"\wedge ", "∨": r"\vee ", "∣": r"\mid ",
    "℉": r"^\circ \text{F}", "˚": r"^\circ ", "″": "''", "Ω": r"\Omega ",
}  # fmt: skip
_FRACTION = {c: unicodedata.normalize("NFKC", c).split("⁄") for c in "½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞"}

_INVISIBLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")
_COMMANDS = (
    "frac|dfrac|tfrac|cfrac|left|right|sqrt|pi|text|cdot|times|boxed|infty|pm|cup|begin|end|theta|le|ge|leq|geq|ln|sin"
)
_EMPHASIS = re.compile(r"^\s*\*\*(?!\s)([^*]+?)\*\*[.,:]?\s*$")
_DOUBLED = re.compile(rf"(?<!\\)\\\\(?=(?:{_COMMANDS})\b)")
_RULES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"\\(?:d|t|c)frac(?![a-zA-Z])", r"\\frac"),
        (r"\\(?:d|t)binom(?![a-zA-Z])", r"\\binom"),
        (r"\\(?:left|right)\.", ""),
        (r"\\(?:left|right|middle|[bB]igg?[lrm]?|displaystyle|textstyle|limits|nolimits|hfill|hline)(?![a-zA-Z])", ""),
        (r"\\!", ""),
        (r"(?<!\\)\\(?:[,;:> ]|quad(?![a-zA-Z])|qquad(?![a-zA-Z]))|~", " "),
        (r"\\(?:mathbf|mathbb|Bbb|bf)\s*\{?\s*([RZNQC])(?![a-zA-Z])\s*\}?", r"\\mathbb{\1}"),
        (r"\\(?:mathbf|boldsymbol|bm|pmb)\s*(?:\{\s*([a-zA-Z])\s*\}|\s([a-zA-Z]))", r"\\vec{\1\2}"),
        (r"\\(?:text|mathrm)\s*\{\s*(cis|sin|cos|tan|log|ln|exp|gcd|lcm|arcsin|arccos|arctan)\s*\}", r"\\\1 "),
        (r"\\operatorname\*?\s*\{\s*(tg|ctg|arctg|arcctg|cosec|sgn|det|Re|Im)\s*\}", r"\\\1 "),
        (r"\\(?:text(?:bf|it|rm|normal|sf|tt)?|mbox|hbox|mathbf|boldsymbol|bm)\s*\{", r"\\text{"),
        (r"\\(?:mathrm|rm)\s*\{\s*(?:~|\\[,;: ])", r"\\text{ "),
        (r"(?<=[\s~,\d})/])\\mathrm\s*\{\s*((?!d\}|e\}|i\}|T\})[a-zA-ZμΩ]+(?:\s*/\s*[a-zA-Z]+)?)\s*\}", r"\\text{\1}"),
        (r"\\(?:mathrm|operatorname\*?|mathit|mathsf|mathcal|mathscr|mathfrak|rm)\s*\{([^{}]*)\}", r" \1 "),
        (
            r"\\(?:(?:text)?color\s*\{[^{}]*\}|underline(?![a-zA-Z])|phantom\s*\{[^{}]*\}|(?:large|Large|bf|it|rm)(?![a-zA-Z]))",
            "",
        ),
        (r"\\\\\[[^\[\]]{0,8}\]", r"\\\\"),
        (r"\{([^{}]*)\\over(?![a-zA-Z])([^{}]*)\}", r"\\frac{\1}{\2}"),
        (r"\\(?:rightarrow|longrightarrow)(?![a-zA-Z])", r"\\to "),
        (r"\\colon(?![a-zA-Z])", ":"),
        (r"\\leq?(?:slant)?(?![a-zA-Z])", r"\\le "),
        (r"\\geq?(?:slant)?(?![a-zA-Z])", r"\\ge "),
        (r"\\not\s*=|\\neq?(?![a-zA-Z])", r"\\ne "),
        (r"\\not\s*\\in(?![a-zA-Z])|\\notin(?![a-zA-Z])", r"\\notin "),
        (r"\\lt(?![a-zA-Z])", "<"),
        (r"\\gt(?![a-zA-Z])", ">"),
        (r"<=|=<", r"\\le "),
        (r">=", r"\\ge "),
        (r"(?<=\s)!=", r"\\ne "),
        (r"\\(?:approx|simeq|sim|doteq)(?![a-zA-Z])", r"\\approx "),
        (r"\\(?:var)?nothing(?![a-zA-Z])|\\varnothing", r"\\emptyset "),
        (r"\\(?:lbrace|\{)", r"\\{"),
        (r"\\(?:rbrace|\})", r"\\}"),
        (r"\\(?:lbrack)(?![a-zA-Z])", "["),
        (r"\\(?:rbrack)(?![a-zA-Z])", "]"),
        (r"\\[lr]?Vert(?![a-zA-Z])|\\\|", "||"),
        (r"\\[lr]?vert(?![a-zA-Z])", "|"),
        (r"\\%", "%"),
        (r"\^\s*\{\s*\\(?:circ|degree)\s*\}|\^\s*\\(?:circ|degree)|\\degree(?![a-zA-Z])|\\textdegree", r"^\\circ "),
        (r"\*\*", "^"),
        (r"\{,\}", ","),
        (r"\\(?:var)(epsilon|phi|theta|rho)(?![a-zA-Z])", r"\\\1"),
        (r"(?<!\\)\\[()\[\]]", " "),
        (r"([A-Za-z])\s*\^\s*(\{[^{}]*\}|\w)\s*_\s*(\{[^{}]*\}|\w)", r"\1_\3^\2"),
        (r"\s+", " "),
    )
)


def clean(text: str) -> str:
    """`text` as ASCII-like LaTeX without styling, delimiters and spacing commands. Raises Unreadable when too long."""
    if len(text) > MAX_LENGTH:
        raise Unreadable(f"it is {len(text):,} characters long")
    text = _INVISIBLE.sub("", text)
    if not text.isascii():
        text = _plain(text)
    if "\\\\" in text and "\\begin" not in text:
        text = _DOUBLED.sub(r"\\", text)
    if "$" in text:
        text = _without_dollars(text)
    if "**" in text:
        text = _EMPHASIS.sub(r"\1", text)
    if not text.isalnum():
        for pattern, replacement in _RULES:
            text = pattern.sub(replacement, text)
    return _unwrap(text.strip())


def _without_dollars(text: str) -> str:
    """Take away dollar signs that come in pairs around mathematics; those before an amount stay."""
    pieces = re.split(r"(?<!\\)\$\$?", text)
    if len(pieces) % 2 == 0 or len(pieces) == 1:
        return text
    inside = pieces[1::2]
    if any(piece.strip() and piece[-1:].isspace() and piece[:1].isdigit() for piece in inside[:-1]):
        return text  # "$5 and $6" are amounts
    if len(pieces) == 3 and re.match(r"\s*\d", pieces[2]) and re.match(r"\d", pieces[1]):
        return text
    return " ".join(pieces)


def _plain(text: str) -> str:
    """Replace the Unicode forms of mathematics by LaTeX, and every decimal digit by its ASCII one."""
    out: list[str] = []
    for run in re.findall(rf"[{''.join(_SUPER)}]+|[{''.join(_SUB)}]+|.|\s", text):
        first = run[0]
        if first in _SUPER:
            out.append("^{" + "".join(_SUPER[c] for c in run) + "}")
        elif first in _SUB:
            out.append("_{" + "".join(_SUB[c] for c in run) + "}")
        elif first in _FRACTION:
            out.append("\\frac{" + "}{".join(_FRACTION[first]) + "}")
        elif first in _GREEK:
            out.append(f"\\{_GREEK[first]} ")
        elif first in _SYMBOL:
            out.append(_SYMBOL[first])
        else:
            digit = unicodedata.decimal(first, -1)
            out.append(str(digit) if digit >= 0 else unicodedata.normalize("NFKC", first))
    return "".join(out)


def _unwrap(text: str) -> str:
    """Take off what only wraps an answer: dollar signs of mathematics, emphasis, quotes, a closing full stop."""
    for _ in range(6):
        before = text
        text = text.strip().strip('`"').removesuffix("\\\\").strip()
        if text.startswith("*") or text.endswith("**"):
            text = text.strip("*").strip()
        if text.endswith((".", ",", ";", ":")) and not text.endswith("..."):
            text = text[:-1].rstrip()
        for mark in ("$$", "$"):
            if text.startswith(mark) and text.endswith(mark) and len(text) >= 2 * len(mark):
                text = text[len(mark) : -len(mark)].strip()
        whole = _whole(text)
        text = whole if whole is not None else text
        if text == before:
            break
    return text


def _whole(text: str) -> str | None:
    """The content when all of `text` is one ``\\boxed{...}``, ``\\fbox{...}`` or ``\\text{...}``, else None."""
    for command in ("\\boxed{", "\\fbox{", "\\text{"):
        if text.startswith(command) and closing(text, len(command) - 1) == len(text) - 1:
            inside = text[len(command) : -1]
            return None if command == "\\text{" and len(inside) > 1 and inside.isalpha() else inside
    return None


def closing(text: str, start: int) -> int:
    """Index of the brace that closes the one at `start`, or -1. Escaped braces do not count."""
    depth = 0
    i = start
    while i < len(text):
        if text[i] == "\\":
            i += 2
            continue
        depth += (text[i] == "{") - (text[i] == "}")
        if depth == 0:
            return i
        i += 1
    return -1
