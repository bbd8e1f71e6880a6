"""Units that convert into each other, and those that are only names."""

from __future__ import annotations

from fractions import Fraction

_TABLE: dict[str, tuple[str, Fraction]] = {}


def _add(base: str, **factors: str) -> None:
    for names, factor in ((names, Fraction(value)) for names, value in factors.items()):
        for name in names.split("_"):
            _TABLE[name] = (base, factor)


_add("length", mm_millimeter_millimetre="1/1000", cm_centimeter_centimetre="1/100", m_meter_metre_米="1",
     km_kilometer_kilometre="1000", inch="127/5000", ft_foot_feet="381/1250", mile_mi="1609344/1000")  # fmt: skip
_add("mass", mg_milligram="1/1000000", g_gram="1/1000", kg_kilogram="1", t_tonne="1000")
_add("time", s_sec_second="1", min_minute="60", h_hr_hour="3600", day="86400", week="604800")
_add("money", dollar_usd="1", cent_penny_pennie="1/100")
_TABLE["$"] = ("money", Fraction(1))


def resolve(unit: str) -> tuple[str, Fraction]:
    """(dimension, factor to its base unit). An unknown unit is a dimension of its own, singular and plural alike."""
    for name in (unit, unit.removesuffix("es"), unit.removesuffix("s")):
        if name in _TABLE:
            return _TABLE[name]
    return unit.removesuffix("s"), Fraction(1)
