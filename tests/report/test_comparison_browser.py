"""The page of a comparison in a real browser: the report's sections and sample browser over models of several runs."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from report_browser import NEEDS_BROWSER, Page, axe_source
from runs import here
from test_compare import HOSTILE, made

__all__ = ["made"]
pytestmark = NEEDS_BROWSER


@pytest.fixture(scope="module")
def comparison(made: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs, the folder of one with a hostile name, compared in spite of their conditions."""
    folder = tmp_path_factory.mktemp("page")
    shutil.copytree(made("both"), folder / HOSTILE)
    done = here("compare", folder / HOSTILE, made("longer"), "--anyway", "--out", folder / "x.html", "--quiet")
    assert done.returncode == 0, done.stderr
    return folder / "x.html"


def test_nothing_is_asked_for_and_nothing_complains(browser: Page, comparison: Path) -> None:
    browser.requested(), browser.complaints()
    browser.open(comparison)
    assert {url.split(":")[0] for url in browser.requested()} <= {"file", "data", "about"}
    assert browser.complaints() == []
    assert browser.run("return document.querySelectorAll('img').length") == 0
    assert "<img src=x onerror=alert(1)>" in browser.text("h1")
    assert browser.text(".verdict.partial .headline").endswith("Not the same conditions")


def test_counts_open_the_texts_of_the_runs_side_by_side(browser: Page, comparison: Path) -> None:
    browser.open(comparison)
    buttons = browser.run("return [...document.querySelectorAll('#pairs button.tally')]")
    assert len(buttons) == 4
    for button in buttons:
        number = int(button.text)
        button.click()
        browser.wait(f"document.getElementById('count').textContent.startsWith('{number} of 24')")
    shown = browser.text("#problem")
    assert "longer:b" in shown
    assert "</script>0" in shown


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 360)])
def test_it_is_accessible_and_fits(browser: Page, comparison: Path, theme: str, width: int) -> None:
    browser.show(theme, width)
    browser.open(comparison)
    assert browser.axe(axe_source()) == []
    assert browser.run("return document.documentElement.scrollWidth") <= width
