"""Charts and two-by-twos of the report in a real browser."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from report_browser import NEEDS_BROWSER, Page
from report_folder import Shape, build

from mra_bench.report import write_report

pytestmark = NEEDS_BROWSER


@pytest.mark.parametrize("width", [360, 1280])
def test_charts_keep_their_words_inside_and_the_page_its_width(browser: Page, sampled: Path, width: int) -> None:
    browser.cdp("Emulation.setDeviceMetricsOverride", width=width, height=780, deviceScaleFactor=1, mobile=width < 500)
    browser.open(sampled / "report.html")
    browser.run("document.querySelectorAll('details').forEach((e) => (e.open = true))")
    assert browser.run("return document.documentElement.scrollWidth") <= width
    outside = """return [...document.querySelectorAll('svg.lines text')].filter((text) => {
        const box = text.getBBox(), all = text.ownerSVGElement.viewBox.baseVal;
        return box.x < 0 || box.y < -1 || box.x + box.width > all.width + 1 || box.y + box.height > all.height + 1;
    }).map((text) => text.textContent)"""
    assert browser.run(outside) == []


def test_a_long_name_widens_no_chart(browser: Page, sampled: Path, tmp_path: Path) -> None:
    run = Path(shutil.copytree(sampled, tmp_path / "run"))
    text = (run / "results.json").read_text("utf-8").replace('"middle"', f'"{"a-long-name-" * 5}"')
    (run / "results.json").write_text(text, "utf-8")
    browser.cdp("Emulation.setDeviceMetricsOverride", width=360, height=780, deviceScaleFactor=1, mobile=True)
    browser.open(write_report(run))
    browser.run("document.querySelectorAll('details').forEach((e) => (e.open = true))")
    assert browser.run("return document.documentElement.scrollWidth") <= 360


def test_counts_of_a_two_by_two_open_as_many_problems(browser: Page, tmp_path: Path) -> None:
    run = build(tmp_path / "run", Shape(test=40, hard=0, hostile=False))
    browser.cdp("Emulation.clearDeviceMetricsOverride")
    browser.open(write_report(run))
    buttons = browser.run("return [...document.querySelectorAll('#two-by-two button.tally')]")
    assert len(buttons) > 6
    for button in buttons:
        number = int(browser.run("return arguments[0].textContent", button))
        browser.run("arguments[0].click()", button)
        browser.wait(f"document.getElementById('count').textContent.startsWith('{number} of 40')")


def test_counts_by_answer_type_and_steps_open_as_many_problems(browser: Page, sampled: Path) -> None:
    browser.cdp("Emulation.clearDeviceMetricsOverride")
    browser.open(sampled / "report.html")
    buttons = browser.run("return [...document.querySelectorAll('#groups button.tally')]")
    assert len(buttons) == 4  # fractions and integers, one step and two
    for button in buttons:
        number = int(browser.run("return arguments[0].textContent", button))
        browser.run("arguments[0].click()", button)
        browser.wait(f"document.getElementById('count').textContent.startsWith('{number} of 30')")
    assert browser.run("return document.getElementById('steps').value") == "2"
