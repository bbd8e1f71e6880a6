"""Words that stay with a number found in a text, because they change what it says: units, scales, parts of the day."""

from __future__ import annotations

import re

_NAMES = (
    "millimeters? millimetres? centimeters? centimetres? kilometers? kilometres? meters? metres? inch(?:es)? "
    "feet foot miles? yards? mm cm km m ft mi milligrams? grams? kilograms? mg kg g tonnes? tons? pounds? lbs? ounces? "
    "oz seconds? minutes? hours? days? weeks? months? years? secs? mins? hrs? dollars? cents? euros? "
    "pence degrees? radians? percent million billion trillion thousand hundred dozen mph lit(?:er|re)s? "
    "milliliters? ml joules? watts? newtons? volts? mol"
).split()
_NAME = rf"(?:{'|'.join(sorted(_NAMES, key=len, reverse=True))})"
_TEXT = r"\\(?:text|mathrm|textrm|mbox)\s*\{[^{}0-9:=]{1,30}\}(?:\s?\^\s?\{?[23-]\d?\}?)?"
_PER = rf"(?:\s?(?:/| per )\s?(?:{_NAME}|[a-z])(?:\^?[23²³])?(?![\w']))?"
_MEASURE = rf"(?:square |cubic )?{_NAME}(?:\s?\^\s?\{{?[23]\}}?|[²³]| squared| cubed)?{_PER}"
UNIT = re.compile(rf"(?:{_TEXT}|{_MEASURE}(?![\w'])(?:\s{_NAME}(?![\w']))?)")
