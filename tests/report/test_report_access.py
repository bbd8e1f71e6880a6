"""Whether everybody can use the report: axe-core's rules, keyboard alone, scripts off, less motion, hostile names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from report_browser import NEEDS_BROWSER, Page, axe_source
from report_folder import Shape, add_grader, build
from sample_folder import ATTACK, add_profiles, change_text, everywhere_hostile, with_formulas

from mra_bench.report import write_report

pytestmark = NEEDS_BROWSER
TAB, ENTER, SPACE, DOWN = "\ue004", "\ue007", "\ue00d", "\ue015"
OPEN_ALL = "document.querySelectorAll('details').forEach((box) => (box.open = true))"
FOCUSABLE = """
return [...document.querySelectorAll("a[href], button:not([disabled]), input, select, summary, [tabindex='0']")]
  .filter((e) => e.checkVisibility({visibilityProperty: true})).length
"""
FOCUSED = """
const e = document.activeElement;
if (!e || e === document.body) return null;
if (!window.visited) window.visited = new Set();
window.visited.add(e);
const style = getComputedStyle(e), box = e.getBoundingClientRect();
const ring = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
return {ring, inside: box.bottom > 0 && box.top < innerHeight, name: e.outerHTML.slice(0, 120)};
"""


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report with every section that the test folders have, formulas, profiles and a second grader among them."""
    folder = build(tmp_path_factory.mktemp("all") / "run", Shape(test=12, hard=5, samples=2, hostile=False))
    add_grader(folder)
    return write_report(add_profiles(folder))


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_report(add_profiles(with_formulas(tmp_path_factory.mktemp("math") / "run")))


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_report(everywhere_hostile(tmp_path_factory.mktemp("hostile") / "run"))


@pytest.mark.parametrize("width", [1280, 360])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_no_violation(browser: Page, everything: Path, drawn: Path, theme: str, width: int) -> None:
    source = axe_source()
    browser.show(theme, width)
    for report in (everything, drawn):
        browser.open(report)
        assert browser.axe(source) == []
        browser.run(OPEN_ALL)
        browser.wait("document.querySelector('.diff')")
        assert browser.axe(source) == []


def test_axe_finds_no_violation_in_a_hostile_report(browser: Page, hostile: Path) -> None:
    browser.show("light", 360)
    browser.open(hostile)
    browser.run(OPEN_ALL)
    assert browser.axe(axe_source()) == []


def test_every_control_is_reached_by_keyboard_and_shows_it(browser: Page, drawn: Path) -> None:
    browser.show()
    browser.open(drawn)
    controls = browser.run(FOCUSABLE)
    assert controls > 40
    for _ in range(controls + 2):
        browser.keys(TAB)
        at = browser.run(FOCUSED)
        assert at is None or (at["ring"] and at["inside"]), at
    assert browser.run("return visited.size") == controls


def focus(page: Page, selector: str) -> None:
    page.run("document.querySelector(arguments[0]).focus()", selector)


def test_filters_and_the_problem_are_worked_by_keys_alone(browser: Page, drawn: Path) -> None:
    browser.show()
    browser.open(drawn)
    focus(browser, "#search")
    browser.keys("test-0000")
    browser.wait("document.getElementById('count').textContent.startsWith('10 of 12')")
    browser.keys(TAB, TAB)
    focus(browser, "[data-model=sft]")
    browser.keys(DOWN)
    browser.wait("!document.getElementById('count').textContent.startsWith('10 of 12')")
    assert browser.run("return document.querySelector('[data-model=sft]').value") == "right"
    focus(browser, "#reset")
    browser.keys(ENTER)
    browser.wait("document.getElementById('count').textContent.startsWith('12 of 12')")
    focus(browser, "[data-shown=base]")
    browser.keys(SPACE)
    browser.wait("document.querySelectorAll('.card').length === 1")
    assert browser.run("return document.activeElement.dataset.shown") == "base"
    focus(browser, "#all-models")
    browser.keys(ENTER)
    browser.wait("document.querySelectorAll('.card').length === 2")
    focus(browser, "#list li:nth-child(3) button")
    browser.keys(ENTER)
    browser.wait("document.querySelector('#problem h3').textContent === 'test-00002'")
    assert browser.run("return document.activeElement.textContent").startswith("test-00002")
    for selector, opened in ((".compare summary", ".diff"), (".profile summary", "mark.quoted")):
        focus(browser, selector)
        browser.keys(ENTER)
        browser.wait(f"document.querySelector('{opened}')")


def test_motion_is_only_for_those_who_did_not_ask_for_less(browser: Page, drawn: Path) -> None:
    browser.open(drawn)
    moves = """return [...document.querySelectorAll("*")].map((e) => getComputedStyle(e)).filter((s) =>
               s.scrollBehavior === "smooth" || s.transitionDuration !== "0s" || s.animationName !== "none").length"""
    for wanted, moving in (("reduce", False), ("no-preference", True)):
        browser.cdp("Emulation.setEmulatedMedia", features=[{"name": "prefers-reduced-motion", "value": wanted}])
        assert bool(browser.run(moves)) == moving
    browser.cdp("Emulation.setEmulatedMedia", features=[])


@pytest.mark.parametrize("width", [360, 1280])
def test_hostile_names_and_texts_everywhere_are_text(browser: Page, hostile: Path, width: int) -> None:
    browser.show("light", width)
    browser.driver.get("about:blank")
    browser.complaints()
    browser.requested()
    browser.open(hostile)
    shown: dict[str, Any] = {}
    for dataset in range(2):
        for place in range(3):
            browser.run(OPEN_ALL)
            shown[f"{dataset}/{place}"] = browser.run("return document.body.innerText")
            browser.run("document.querySelectorAll('.step')[1].click()")
            browser.wait(f"document.querySelector('.place').textContent.startsWith('{place + 2} /')")
        browser.run(
            "const s = document.getElementById('dataset'); s.selectedIndex = 1; s.dispatchEvent(new Event('change'))"
        )
        browser.wait("document.querySelector('.place').textContent.startsWith('1 /')")
    assert all(text.count("<img src=x onerror='window.pwned=1'></script>") > 10 for text in shown.values())
    assert not any(sign in text for text in shown.values() for sign in "\u202e\x00")
    assert browser.run("return window.pwned") is None
    assert browser.run("return document.querySelectorAll('img, iframe, object, embed, [onerror]').length") == 0
    links = browser.run("return [...document.querySelectorAll('[href]')].map((e) => e.getAttribute('href'))")
    assert {link[:1] for link in links} <= {"#", "d"}
    assert [link for link in links if link.startswith("d")] == ["data:,"]
    assert browser.run("return document.documentElement.scrollWidth") <= width
    assert browser.complaints() == []
    assert {address.split(":")[0] for address in browser.requested()} <= {"file", "data"}


def test_search_and_filters_take_hostile_values(browser: Page, hostile: Path) -> None:
    browser.show()
    browser.open(hostile)
    browser.complaints()
    browser.choose("#search", "</script><script>")
    browser.wait("document.getElementById('count').textContent.startsWith('8 of 8')")
    first = """const s = document.getElementById(arguments[0]); s.selectedIndex = 1;
               s.dispatchEvent(new Event('input', {bubbles: true}))"""
    for name in ("subject", "level", "kind"):
        browser.run(first, name)
    browser.wait("/^[1-8] of 8/.test(document.getElementById('count').textContent)")
    browser.run("document.querySelector('#pairs button.tally').click()")
    browser.wait("/ of 8/.test(document.getElementById('count').textContent)")
    assert browser.complaints() == []


def test_a_line_of_a_megabyte_is_shown_in_part_and_compared(browser: Page, tmp_path: Path) -> None:
    folder = build(tmp_path / "run", Shape(test=3, hard=0, hostile=False, models=("base", "sft")))
    for model, letter in (("base", "a"), ("sft", "b")):
        change_text(folder, model, "test-00000", letter * 1_000_000 + " <b>end</b>")
    browser.show()
    browser.open(write_report(folder))
    assert len(browser.text("#problem")) < 100_000
    browser.click(".compare summary")
    browser.wait("document.querySelector('.diff del')")
    browser.choose("#search", "<b>end</b>")
    browser.wait("document.getElementById('count').textContent.startsWith('1 of 3')")
    assert browser.run("return document.documentElement.scrollWidth") <= 1280


def test_attacks_stand_in_the_file_as_written(hostile: Path) -> None:
    page = hostile.read_text("utf-8")
    assert ATTACK[:20] not in page
    assert page.count("<script") == page.count("</script>") < 12
