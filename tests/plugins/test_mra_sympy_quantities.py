"""Quantities: each rule with what it makes equal and, as counter-examples, what it must leave different."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path

import pytest
from equality_kit import check, judged
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from mra_sympy import Options, equivalent

HERE = Path(__file__).resolve().parent
DECISIONS = HERE.parent.parent / "docs" / "grader_decisions.md"
MANY = settings(max_examples=150, deadline=None)


def test_units_of_one_dimension_convert_exactly() -> None:
    check(
        [("1.5 m", "150 cm"), ("72 in", "6 ft"), ("1 mile", "5280 feet"), ("36 km/h", "10 m/s"),
         ("1 eV", "1.602176634e-19 J"),
         ("3.2 kW", "3200 watts"), ("1 kWh", "3.6 MJ"), ("5 N", "5 kg m/s^2"), ("1 L", "1000 cm^3"),
         ("1 lb", "16 oz"),
         ("60 mph", "1 mile per minute"), ("7 years", "84 months"), ("3 weeks", "21 days"), ("2小时", "120分钟")],
        [("5 m", "5 km"), ("100 cm^2", "1 m^2"), ("5 mW", "5 MW"), ("10 \\Omega", "10 k\\Omega"),
         ("3 feet", "3 yards"),
         ("2 kg", "2 lb"), ("1 km^2", "1000 m^2"), ("60 mph", "60 km/h"), ("13 cm", "1.3 m")],
    )  # fmt: skip


def test_units_of_different_dimensions_differ() -> None:
    check(
        [("12 cm", "12"), ("9.8 m/s^2", "9.8"), ("4.46e19", r"4.46\times10^{19}\ \text{atoms/m}^2")],
        [("12 cm", "12 kg"), ("12 cm", "12 cm^2"), ("5 m/s", "5 m/s^2"), ("5 m/s", "5 s/m"), ("5 cm", "5 apples"),
         ("36 km/h", "36 km"), ("25 C", "25 K"), (r"\$5", "5 €"), ("5 kg", "5 km"), ("2 h", "2 m")],
    )  # fmt: skip


@pytest.mark.parametrize(
    "way",
    ["9.8 m/s^2", "9.8 m s^{-2}", r"9.8 \frac{m}{s^2}", r"9.8\ \mathrm{m\,s^{-2}}",
     r"9.8 \mathrm{~m} / \mathrm{s}^{2}",
     "9.8 meters per second squared", r"9.8\text{ m}/\text{s}^2", "9.8 metres per second per second", "9.8 m/s²"],
)  # fmt: skip
def test_one_unit_written_in_many_ways(way: str) -> None:
    assert judged(way, "9.8 m/s^2")
    assert not judged(way, "9.8 m/s")


def test_squares_and_cubes_of_units() -> None:
    check(
        [("15 m^2", "15 square meters"), ("15 m^2", "15 sq. m"), ("15 m^2", "15 平方米"), ("5 cubic meters", "5 m³"),
         ("12 sq ft", "12 ft²"), (r"12\text{ cm}^2", "12 square centimetres"), ("314 (square inches)", "314 in^2")],
        [("15 m^2", "15 m^3"), ("15 square meters", "15 meters"), ("12", "12 squared"), ("64", "4 cubed")],
    )  # fmt: skip


def test_names_of_things_counted() -> None:
    check(
        [("12 apples", "12 apple"), ("7 (packs of glue sticks)", "7"), ("7 packs of glue sticks", "7 packs"),
         ("8 red apples", "8 apples"), ("12 people", "12 persons"), ("12", "12 in total"), ("12", "about 12"),
         ("12", "12 each"), ("12", "exactly 12"), ("36 mL NaI", "36 mL"), ("15个", "15"),
         ("7 years old", "7 yr"), (r"\$36", "$36.00 per person"), ("3 children", "3 child")],
        [("12 apples", "12 oranges"), ("7 packs of glue sticks", "7 glue sticks"), ("15 men", "15 women"),
         ("5 apples", "5 hours"), ("5 left", "5 right"), ("30 degrees north", "30 degrees south"),
         ("60 miles", "60 miles per hour")],
    )  # fmt: skip


@pytest.mark.parametrize(
    "text",
    ["12 or more", r"12 \text{ or more}", "12 more", "12 less", "at least 12", "12 times 3", "12 percent of 50",
     "12 ago",
     "12 is wrong", "not 12", "half of 12", "twice 12", "12 squared", "12 hundred", "12 million", "12 dozen",
     "12 and a half",
     "12 R 3", "12 out of 20", "12 to 15", "12-15", "12th", "12k", "12'", "12 plus x", "12 base 3",
     "12 feet 3 inches"],
)  # fmt: skip
def test_words_that_change_the_value_are_no_units(text: str) -> None:
    assert not judged("12", text)


@pytest.mark.parametrize(
    "text", ["5x", "5m", "5 ab", "5 xyz", "5 g h", "5 t", "5 sinx", "5 theta", "5e", "5 i", r"5\pi"]
)
def test_symbols_are_no_units(text: str) -> None:
    assert not judged("5", text)


def test_a_letter_is_a_unit_only_where_the_other_side_says_so() -> None:
    check(
        [("5 hours", "5h"), ("5 \\text{ m}", "5m"), ("2 amps", "2A"), ("5m", "5 m"), ("5 m", "5*m")],
        [("5 hours", "5x"), ("5 hours", "5m"), ("5", "5h"), ("5 m", "5 n")],
    )


def test_compound_quantities_are_one() -> None:
    check(
        [("2 h 30 min", "2.5 hours"), ("2 hours and 30 minutes", "150 minutes"), ("5 ft 6 in", "5'6\""),
         ("5 feet 6 inches", "66 inches"), ("$18.90", "18 dollars and 90 cents"), ("1h15m", "75 min"),
         ("2小时30分钟", "2.5小时"), ("3 lbs 8 oz", "3.5 pounds"), ("3 m 50 cm", "350 cm"),
         ("2.5", "2 hours 30 minutes")],
        [("2 h 30 min", "2.3 hours"), ("2 h 30 min", "2 hours"), ("150", "2 h 30 min"), ("5 ft 6 in", "5.6 ft"),
         ("1 hour 15 minutes", "15 hours 1 minute"), ("1.5 h", "1 h 50 min"), ("2.5 m", "2 m, 50 cm"),
         ("2.5", "2 m, 50 cm")],
    )  # fmt: skip


def test_degrees_minutes_and_radians() -> None:
    check(
        [("22.5^\\circ", "22°30′"), ("22.5°", "22 degrees 30 minutes"), ("12°15'36\"", "12.26°"), ("90°", "90º"),
         ("90^\\circ", "90^o"), ("90^\\circ", "90"), ("90^\\circ", r"\frac{\pi}{2}"), (r"\frac{\pi}{3}", "60°"),
         ("60°", r"\frac13\pi \text{ rad}"), (r"2\pi \text{ radians}", "360^\\circ"), ("-90°", r"-\frac{\pi}{2}"),
         ("90°", "1.57079633 rad"), (r"\sin 30^\circ", "1/2"), ("0.05 arcseconds", r"0.05^{\prime\prime}")],
        [("90°", "90 radians"), ("90°", r"\pi"), (r"\frac{\pi}{3}", "60"), ("60°", "60'"), ("60°", "60%"),
         ("1 rad", "1°"),
         ("45°", "45°15'"), (r"2\pi \text{ radians}", "2"), ("90°", "1.57 rad")],
    )  # fmt: skip


def test_temperatures_convert_with_their_zero() -> None:
    check(
        [("25^\\circ C", "77^\\circ F"), ("0 °C", "273.15 K"), ("-40 °C", "-40 °F"), ("25 degrees Celsius", "25℃"),
         ("72 degrees", "72°F"), ("25°C", "25")],
        [("25°C", "25°F"), ("25°C", "25 K"), ("50°C", "100°F"), ("-5°C", "5℃")],
    )  # fmt: skip


def test_money() -> None:
    check(
        [("$5", "5 dollars"), ("USD 12", "$12"), ("US\\$36", r"\$36"), ("$4.50", "450 cents"), ("75¢", "$0.75"),
         ("£5", "5 pounds"),
         ("20 EUR", "€20"), ("$70k", "70000"), ("$2.5M", "2500000"), ("$18/day", "18"), ("5 pounds", "5 lb"),
         ("-$5", "-5")],
        [("$5", "5 cents"), ("$5", "5 euros"), ("$18.90", "1890"), ("$5 million", "$5"), ("$5k", "$5"),
         ("$36", "-$36")],
    )  # fmt: skip


def test_scale_words_multiply() -> None:
    check(
        [("2.5 million", "2500000"), ("3 billion", "3e9"), (r"2.5 \text{ million}", "2,500,000"), ("3万", "30000"),
         ("75 \\text{ million years}", "7.5e7"), ("3 dozen eggs", "36 eggs"), ("5 million dollars", "$5,000,000")],
        [("2500000", "2.5 billion"), ("12", "12 thousand"), ("12 k", "12000"), ("3千克", "3000")],
    )  # fmt: skip


def test_numbers_in_words() -> None:
    check(
        [("twenty-one", "21"), ("one hundred and twenty one", "121"), ("fifteen hundred", "1500"), ("zero", "0"),
         ("two-thirds", "2/3"), ("three quarters", "75%"), ("a half", "1/2"), ("half a dozen", "6"),
         ("a dozen", "12"),
         ("two and a half hours", "150 minutes"), ("half an hour", "30 min"), ("minus three", "-3"),
         ("negative 3", "-3"),
         (r"\text{six}", "6"), ("7 tenths", "0.7"), ("12 and a half", "12.5"), ("twelve apples", "12"),
         ("12 (twelve)", "12"),
         ("二十五", "25"), ("三个", "3"), ("半小时", "30分钟"), ("每分钟5米", "5 m/min"),
         ("一百二十三", "123"), ("两千", "2000"), ("三分之二", "2/3"), ("百分之二十五", "25%")],
        [("112", "one hundred twenty-one"), ("40", "fourteen"), ("five", "50"), ("three", "tree"), ("one", "once"),
         ("2", "a half"), ("21", "twenty one hundred"), ("3", "三角形"), ("2", "两边"), ("1", "一次函数"),
         ("1/2", "半圆"), ("1", "one-way"),
         ("7", "seven or eight"),
         ("1000", "千米"), ("5", "half"), ("12 (twelve)", "13"), ("60", "one second")],
    )  # fmt: skip


def test_separators() -> None:
    check(
        [("1234567", way) for way in ("1,234,567", "1 234 567", "1'234'567", "1_234_567", "1.234.567", "12,34,567",
                                      r"1{,}234{,}567", r"1{\,}234{\,}567", r"1\,234\,567",
                                      "1\u2009234\u2009567", "１２３４５６７")]
        + [("1234567.89", way) for way in ("1,234,567.89", "1 234 567,89", "1.234.567,89",
                                            "1'234'567.89", "1'234'567,89")]
        + [("3.5", "٣٫٥"), ("25", "٢٥"), ("1234.5", "1 234,5")],
        [("10000", "1,00,00"), ("1500", "15,00"), ("123", "1,2,3"), ("12", "1,2"), ("1500", "1.5"), ("2.5", "2,5"),
         ("1234", "1, 234"), ("12", "1 2"), ("70000", "70.000 €")],
    )  # fmt: skip


def test_percent_and_per_mille() -> None:
    check(
        [("25%", "0.25"), ("25%", "25"), ("25%", "25 percent"), ("25%", "25 per cent"), ("0.5%", "0.005"),
         ("3‰", "0.003"),
         ("7%", r"7\% \text{ per year}"), ("250%", "2.5"), (r"33\frac13\%", "1/3"), ("20%", "20% of the students")],
        [("0.25", ".25%"), ("0.6", "0.6%"), (r"\frac12", r"\frac12\%"), ("25%", "0.25%"), ("10%", "1"),
         ("12", "-12%"),
         ("0.5", "50"), ("60°", "60%"), ("6", "12 percent of 50"), ("1", "1%")],
    )  # fmt: skip


def test_repeating_decimals() -> None:
    check(
        [("1/6", r"0.1\overline{6}"), ("2/15", "0.1(3)"), ("1/7", r"0.\dot{1}4285\dot{7}"),
         ("13/11", r"1.\dot{1}\dot{8}"),
         ("1/3", "0.333..."), ("27/11", r"2.\overline{45}"), ("1/6", r"0.1\dot6")],
        [("13/99", r"0.1\overline{3}"), (r"0.\overline{27}", "0.27"), ("0.12", r"0.\overline{12}"),
         ("1/3", "0.33"), ("2/15", "0.13")],
    )  # fmt: skip


def test_long_decimals_may_be_rounded() -> None:
    check(
        [("1/7", "0.142857"), ("0.066666793", "0.0666668"), (r"\sqrt{17}", "4.123105625617661")],
        [("1/7", "0.14286"), ("13742.19", "13742.2"), ("11", "11.0000001"), ("0.1", "0.10000001"), ("1/3", "0.333")],
    )


def test_numerals_with_a_base() -> None:
    check(
        [("4210_{5}", way) for way in ("4210_5", r"4210_{\text{five}}", "(4210)_5", "4210 base 5",
         r"4210 \text{ (base 5)}",
                                       "4210_{(5)}", "4210 in base 5", r"4210_{\text{base }5}", "555")]
        + [("1011_2", "1011 in binary"), ("1011_2", "0b1011"), ("A3_{16}", "0xA3"), ("A3_{16}", "a3_{16}"),
        ("AB_{12}", "ab_{12}")],
        [("52_8", "52_9"), ("4210_5", "4120_5"), ("12", "12_8"), ("1011_2", "1101_2"), ("4210_5", "4210"),
         ("2a_{12}", "2"),
         ("x_1", "x_2"), ("40_9", "40_{ten}")],
    )  # fmt: skip


def test_expressions_keep_their_unit() -> None:
    check(
        [(r"36\sqrt{7}cm^{3}", r"36\sqrt{7}"), (r"36\sqrt{7}cm^{3}", r"36\sqrt{7} \text{ cubic centimeters}"),
         (r"10\pi \text{ cm}", r"0.1\pi \text{ m}"),
         (r"$80 \pi \mathrm{mi} / \mathrm{min}$", r"80\pi \text{ miles per minute}"),
         (r"$5\sqrt{3} \mathrm{~m}$", r"5\sqrt3"), (r"$l^{2} / 8$ square feet", "l^2/8"),
         ("$4 \\frac{4}{9}$ days", "40/9 days")],
        [(r"36\sqrt{7}cm^{3}", r"36\sqrt{7} \text{ cm}^2"), (r"80\pi \text{ mi/min}", r"80\pi \text{ mi/hr}"),
         (r"2x \text{ cm}", "2"), (r"48\pi", r"48\text{ cm}^2"),
         (r"\frac{270}7\text{ degrees}", r"\frac{270}{7}\text{ radians}")],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("options", "a", "b"),
    [
        (Options(ratio_as_number=False), "3:4", "0.75"),
        (Options(ignore_missing_unit=False), "90°", "90"),
        (Options(ignore_missing_unit=False), "12 apples", "12"),
        (Options(percent_as_number=False), "25%", "25"),
    ],
)
def test_options_switch_a_rule_off(options: Options, a: str, b: str) -> None:
    assert judged(a, b)
    assert not judged(a, b, options)


def test_bare_figures_by_option() -> None:
    assert judged("4210_5", "4210", Options(ignore_missing_base=True))
    assert judged("FF_{16}", "FF", Options(ignore_missing_base=True))
    assert not judged("4210_5", "4120", Options(ignore_missing_base=True))
    assert not judged("4210_5", "4210_6", Options(ignore_missing_base=True))


@pytest.mark.parametrize(
    ("text", "canonical"),
    [("5 cm", "5"), ("2 h 30 min", "5/2"), ("six", "6"), ("25%", "1/4"), ("6:8", "3:4"), ("0.75:1", "3:4"),
     ("3:30", "3:30"),
     ("3:30 pm", "15:30"), ("3:30 am", "03:30"), ("noon", "12:00"), ("Dec 25th", "12-25"),
     ("March 3, 2020", "2020-03-03"),
     ("Wed", "Wednesday"), ("12 r 3", "12 remainder 3"), ("1011_2", "11"), ("$2.5M", "2500000")],
)  # fmt: skip
def test_canonical_strings(text: str, canonical: str) -> None:
    assert equivalent("7", text).answer == canonical


FACTORS = {
    "mm": (1, 1000),
    "cm": (1, 100),
    "m": (1, 1),
    "km": (1000, 1),
    "in": (127, 5000),
    "ft": (381, 1250),
    "miles": (201168, 125),
}


@MANY
@given(
    st.fractions(-1000, 1000, max_denominator=60), st.sampled_from(sorted(FACTORS)), st.sampled_from(sorted(FACTORS))
)
def test_converted_lengths_are_equal_and_others_are_not(value: Fraction, one: str, other: str) -> None:
    there = value * Fraction(*FACTORS[one]) / Fraction(*FACTORS[other])
    assume(len(str(there)) < 40)
    assert judged(f"{value} {one}", f"{there} {other}")
    assert not judged(f"{value} {one}", f"{there + 1} {other}")


ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
)
TENS = "twenty thirty forty fifty sixty seventy eighty ninety"


def in_words(n: int) -> str:
    """English words of a number below a billion."""
    if n < 20:
        return ONES.split()[n]
    if n < 100:
        return TENS.split()[n // 10 - 2] + (f"-{in_words(n % 10)}" if n % 10 else "")
    for size, name in ((10**6, "million"), (1000, "thousand"), (100, "hundred")):
        if n >= size:
            rest = n % size
            joint = " and " if 0 < rest < 100 else " "
            return (f"{in_words(n // size)} {name}" + (joint + in_words(rest) if rest else "")).strip()
    raise AssertionError(n)


@MANY
@given(st.integers(0, 10**9 - 1), st.integers(0, 10**9 - 1))
def test_every_number_is_read_from_its_words(n: int, other: int) -> None:
    assert judged(in_words(n), str(n))
    assert judged(in_words(n), in_words(other)) == (n == other)


@MANY
@given(st.integers(0, 10**15), st.sampled_from([",", " ", "'", "_", "{,}", r"\,", "\u202f"]))
def test_every_separator_groups_thousands(n: int, mark: str) -> None:
    assert judged(f"{n:,}".replace(",", mark), str(n))


@MANY
@given(st.integers(2, 16), st.integers(0, 10**6))
def test_numerals_have_the_value_of_their_base(base: int, n: int) -> None:
    figures, left = "", n
    while left:
        figures, left = "0123456789ABCDEF"[left % base] + figures, left // base
    assume(any(figure.isdigit() for figure in figures))
    assert judged(f"{figures}_{{{base}}}", str(n))
    assert not judged(f"{figures}_{{{base}}}", str(n + 1))


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(["5", " ", "m", "cm", "/", "^2", "and ", "half ", "\\text{", "}", "of ", "°", "'",
":", "30", "per ",
                                 "hundred ", "一", "百", "分之", "$", "%", "pm", "May ", "_", "base ",
                                 "(", ")", "R", "to "]), max_size=12)
       .map("".join))  # fmt: skip
def test_any_mixture_of_these_parts_is_survived(text: str) -> None:
    found = equivalent("5 cm", text)
    assert found.correct in (True, False)
    assert (equivalent(text, "5 cm").correct is True) == (found.correct is True)


@pytest.mark.parametrize(
    "piece",
    ["m ", "5 ft 6 in ", "and ", "hundred ", "一", "百", "12:30 ", "of ", "/", "May ", "\\dot", "1'", "^\\circ"],
)
def test_long_repetitions_are_survived(piece: str) -> None:
    for text in (piece * 900, "5 " + piece * 30, piece * 12):
        assert equivalent("5 cm", text[:3900]).correct is False


def test_the_table_of_decisions_names_tests_that_exist() -> None:
    named = set(re.findall(r"`(test_\w+)`", DECISIONS.read_text(encoding="utf-8")))
    written = {
        name
        for path in HERE.rglob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), re.M)
    }
    assert named
    assert named <= written


def test_words_that_turn_an_amount_are_not_dropped() -> None:
    check(
        [("5 apples left", "5"), ("5 apples remaining", "5 apples"), ("3 right triangles", "3"), ("5 years old", "5")],
        [("5 units left", "5 units right"), ("3 m left", "3 m right"), ("5 years old", "5 years younger"),
         (r"5\text{!}", "5"), ("5% increase", "5% decrease")],
    )  # fmt: skip


def test_chinese_digits_place_by_place() -> None:
    check(
        [("二〇", "20"), ("三〇五", "305"), ("一〇〇", "100"), ("二〇二四", "2024"), ("二百零五", "205")],
        [("二〇", "0"), ("三〇五", "5"), ("一〇〇", "0"), ("二〇", "2")],
    )
