"""Texts that no one should meet and every grader will: each must get a Grade, whatever the verdict."""

from __future__ import annotations

from collections.abc import Mapping

LONG = 100_000

GARBAGE: Mapping[str, str] = {
    "the empty text": "",
    "white space": " \n\t\r\n ",
    "NUL characters": "\x00so it is\x00 4\x00",
    "control characters of a terminal": "so it is \x1b[31m4\x1b[0m\x07\x08",
    "opening braces that are never closed": "\\boxed{{{4",
    "closing braces that were never opened": "4}}} \\boxed}{4",
    "brackets nested 2,000 deep": "(" * 2_000 + "4" + ")" * 2_000,
    "fractions nested 500 deep": "\\frac{1}{" * 500 + "4" + "}" * 500,
    "a number of 5,000 digits": "9" * 5_000,
    "a decimal of 5,000 digits": "0." + "3" * 5_000,
    "a tower of powers": "9**9**9**9 = 9^{9^{9^9}}",
    "an exponent without end": "1e999999999",
    "a factorial of a factorial": "((99999!)!)!",
    "infinity and not a number": "inf -Infinity NaN 1/0",
    "template syntax": "{{ 7 * 7 }} ${7 * 7} {% if 4 %} {0} {answer} %s %n %(x)d",
    "Python that must not be run": "__import__('sys').exit(4) or ().__class__.__base__.__subclasses__()",
    "markup": "<script>alert(4)</script> &lt;4&gt; <!-- 4",
    "lone surrogates": "so it is \ud83d 4 \udc80",
    "text from right to left": "\u202eso it is 4\u202c \u05d4\u05ea\u05e9\u05d5\u05d1\u05d4 \u05d4\u05d9\u05d0 4",
    "digits of other scripts": "\u0664\u0662 \u0967\u0968 \uff14\uff12 \u00b2 \u00bd \u2463",
    "invisible characters": "\ufeff4\u200b\u200d\u00ad\u2060",
    "combining marks": "4" + "\u0301" * 500,
    "a word of 100,000 letters": "a" * LONG,
    "100,000 characters of digits and spaces": "7 " * (LONG // 2),
    "100,000 characters of line ends": "\n" * LONG,
    "14,000 boxes that are never closed": "\\boxed{" * 14_000,
}

UNREADABLE_GOLDS = ("\\frac{1}{", "{{{", "\x00", "\\begin{matrix} 1 &")
ANSWERS_TO_UNREADABLE = ("So it is 4.", "\\boxed{4}", "I do not know.", "")
