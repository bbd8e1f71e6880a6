"""Ratios, divisions with a remainder, times of day and dates, with what they must leave different."""

from __future__ import annotations

from equality_kit import check


def test_ratios() -> None:
    check(
        [("3:4", way) for way in ("6:8", "3 to 4", r"3\text{ to }4", "3∶4", r"3\colon 4", "3/4:1", "1:4/3",
         "3 : 4", "0.75",
                                  "3/4", "ratio of 3:4", "3:4 (boys to girls)", r"\frac34:1")]
        + [("2:3:5", "4:6:10"), ("1:20", "0.05:1"), ("2:1", "2"), ("5:2", "2.5:1")],
        [("3:4", "4:3"), ("2:3:5", "2:5:3"), ("2:3:5", "2:3"), ("3:4", "3:4:0"), ("3:4", "34"), ("3:4", "3, 4"),
         ("12", "12:5"),
         ("2:1", "200%"), ("1:0", "1"), ("0:1", "0:0"), ("3:4", "3-4")],
    )  # fmt: skip


def test_colons_that_may_be_times() -> None:
    check(
        [("3:30", "3:30 pm"), ("15:30", "3:30 pm"), ("1:15", "1 hour 15 minutes"), ("1:30", "90 seconds"),
         ("10:15", "10:15:00"),
         ("9:00", "9 am"), ("12:15", "4:5")],
        [("3:30", "1:10"), ("3:30", "3:03"), ("3:30", "3.5"), ("3:30", "330"), ("12:30 pm", "0:30"),
         ("7:05", "7:50"), ("9 pm", "9")],
    )  # fmt: skip


def test_times_of_day() -> None:
    check(
        [("3:30 pm", way) for way in ("15:30", "3.30 p.m.", "03:30 PM", r"3:30\text{ p.m.}",
         "half past three in the afternoon",
                                      r"3\!:\!30 \text{ p.m.}", "3:30PM", "下午3点30分")]
        + [("12:00 pm", "noon"), ("midnight", "12:00 am"), ("12:30 am", "0:30"), ("9 a.m.", "9:00 AM"),
        ("8:45", "quarter to nine")],
        [("3:30 pm", "3:30 am"), ("3:30 pm", "13:30"), ("12:00 am", "12:00 pm"),
         ("8:45 a.m.", "8:45 in the evening"), ("5 pm", "5")],
    )  # fmt: skip


def test_dates() -> None:
    check(
        [("December 25", way) for way in ("25 December", "Dec 25", "December 25th", "the 25th of December",
                                         "12月25日", "Dec. 25")]
        + [("March 3, 2020", way) for way in ("3 March 2020", "2020-03-03", "2020年3月3日", "March 3rd, 2020")]
        + [("Friday", "on Friday"), ("December 25", "December 25, 2020"), ("Wednesday", "Wed"),
           ("星期三", "Wednesday"), ("Monday", "monday"),
        ("in 2014", "2014"),
           ("11:55 p.m. on 24 December 2014.", "11:55 PM, December 24, 2014"), ("1/13/2000", "January 13, 2000")],
        [("December 25", "December 15"), ("March 3, 2020", "May 3, 2020"), ("March 3, 2020", "March 3, 2021"),
         ("May 5", "5"),
         ("Monday", "Tuesday"), ("July", "June"), ("March 4, 2020", "3/4/2020"),
         ("24 December", "11 pm, 24 December")],
    )  # fmt: skip


def test_divisions_with_a_remainder() -> None:
    check(
        [("12 R 3", "12 remainder 3"), ("12 R3", "12 r 3"), ("12 R 3", r"12 \text{ remainder } 3")],
        [("12 R 3", "12 R 4"), ("12 R 3", "15"), ("12 R 3", "12"), ("12 R 3", "12.3")],
    )


def test_the_hours_of_the_night() -> None:
    check(
        [("12 at night", "midnight"), ("2 at night", "2 am"), ("9 at night", "9 pm"), ("晚上9点", "9 pm")],
        [("12 at night", "noon"), ("2 at night", "2 pm"), ("9 at night", "9 am")],
    )
