"""The leaderboard in a real browser, opened from disk with its policy on: sorting, filters, names that stay text."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from report_browser import NEEDS_BROWSER, Page, axe_source

from mra_bench import statistics
from mra_bench.leaderboard.boards import leaderboard
from mra_bench.leaderboard.marks import VERSION, Checked, FolderMarks, Marks, content_hash
from mra_bench.leaderboard.page import page as page_of
from mra_bench.leaderboard.reading import Folder
from mra_bench.leaderboard.rows import Ancestor, Decoded, GradedBy, LeftOut, Prompt, Published, Row, pack

pytestmark = NEEDS_BROWSER
HOSTILE = '</script><script>window.planted=1</script><img src=x onerror="window.planted=2">\u202e'
MARKS = ("verified", "unverifiable", "refused", "")


def row(number: int, board: str) -> Row:
    draw = random.Random(number)
    bits = [draw.random() < 0.1 + 0.1 * number for _ in range(200)]
    interval = statistics.wilson(sum(bits), 200)
    model = HOSTILE if number == 3 else f"model-{number}"
    return Row(
        model=model, dataset="test", data=board, split="test", part="", problems=200, sha256=board[0] * 64,
        unreadable=(), prompt=Prompt("1" * 64, "plain", "", "boxed", 0, HOSTILE),
        decoding=Decoded(128, 0.0, 1.0, (), False, 1), grader=GradedBy("sympy", "1", "2" * 64), n=200,
        correct=float(sum(bits)), accuracy=sum(bits) / 200, low=interval.low, high=interval.high,
        tokens_mean=100.0 - number, verdicts=pack(bits), texts=f"{number:064x}", parameters=10**number,
        compute=None if number == 2 else number * 10**12, contaminated=7 if number == 1 else 0, trained=True,
        lineage=(Ancestor(model, "sft", None), Ancestor("base", "tiny-qwen2", None)), device="cpu", dtype="fp32",
    )  # fmt: skip


@pytest.fixture(scope="module")
def boards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A leaderboard of two boards with every mark and hostile names."""
    home = tmp_path_factory.mktemp("boards")
    folders, marks = [], {}
    for number in range(8):
        path = home / (f"run-{number}" if number != 4 else "javascript:alert(1)")
        path.mkdir()
        (path / "report.html").write_text(f"report {number}")
        rows = (row(number, "gsm8k"), row(number, "arith"))[: 1 + (number < 3)]
        left = (LeftOut("slow", "test", HOSTILE),) if number == 5 else ()
        folders.append(Folder(path, f"2026-01-0{number + 1}", Published(1, "r", 0, f"{number:064x}", "", rows, left)))
        if mark := MARKS[number % 4]:
            checked = tuple(Checked(r.model, r.dataset, mark, f"since {HOSTILE}", "", "") for r in rows)  # type: ignore[arg-type]
            marks[content_hash(path)] = FolderMarks(path.name, "0", "", checked, True, "")
    found = leaderboard(folders, Marks(VERSION, marks), home)
    (home / "leaderboard.html").write_text(page_of(found, home))
    return home / "leaderboard.html"


@pytest.fixture
def page(browser: Page, boards: Path) -> Page:
    browser.complaints()
    browser.open(boards)
    return browser


def shown(page: Page, cell: int = 1) -> list[str]:
    """A column of the first board, rows that are shown."""
    code = """return [...document.querySelector(".board").tBodies[0].rows].filter((row) => !row.hidden)
              .map((row) => row.cells[arguments[0]].querySelector("bdi, span").textContent.trim())"""
    found: list[str] = page.run(code, cell)
    return found


def test_nothing_is_asked_for_and_nothing_planted(browser: Page, boards: Path) -> None:
    browser.requested()
    browser.complaints()
    browser.open(boards)
    asked = {url for url in browser.requested() if not url.startswith(("about:", "data:", "chrome:"))}
    assert asked == {boards.resolve().as_uri()}
    assert browser.complaints() == []
    assert browser.run("return window.planted") is None
    assert browser.run("return document.querySelectorAll('img, script').length") == 1
    links = browser.run("return [...document.querySelectorAll('main a[href]')].map((a) => a.protocol)")
    assert set(links) == {"file:"}


def test_buttons_sort_and_say_so(page: Page) -> None:
    head = ".board th[data-sort='{}'] button"
    assert page.run("return document.querySelectorAll('.board thead th button').length") == 2 * 10
    by_accuracy = shown(page)
    page.click(head.format("tokens"))
    assert page.run("return document.querySelector('[data-sort=tokens]').ariaSort") == "ascending"
    assert shown(page, 4) == sorted(shown(page, 4), key=float)
    page.click(head.format("tokens"))
    assert page.run("return document.querySelector('[data-sort=tokens]').ariaSort") == "descending"
    assert shown(page, 4) == sorted(shown(page, 4), key=float, reverse=True)
    page.click(head.format("date"))
    assert shown(page, 10) == [f"2026-01-0{number + 1}" for number in range(8)]
    page.choose("#sort", "accuracy")
    assert sorted(shown(page)) == sorted(by_accuracy)
    assert page.run("return document.querySelector('[data-sort=accuracy]').ariaSort") == "descending"
    ranks = page.run("return [...document.querySelectorAll('[aria-sort]')].length")
    assert ranks == 2  # one for each board


def test_filters(page: Page) -> None:
    page.choose("#search", "model-5")
    assert shown(page) == ["model-5"]
    assert page.text("#count") == "1 of 11 rows"
    assert page.run("return document.querySelectorAll('main > section:has(.board):not([hidden])').length") == 1
    page.choose("#search", "run-2")
    assert shown(page) == ["model-2"]
    page.choose("#search", "")
    page.choose("#mark", "refused")
    assert sorted(shown(page)) == ["model-2", "model-6"]
    assert shown(page, 0) == ["–", "–"]
    page.choose("#mark", "")
    page.choose("#clean", "0")
    assert "model-1" not in shown(page)
    page.choose("#clean", "")
    assert len(shown(page)) == 8
    assert page.text("#count") == ""


def test_a_row_opens_its_report(page: Page) -> None:
    code = """const row = document.querySelector(`.board tbody tr[data-mark="${arguments[0]}"]`);
              const links = [...row.querySelectorAll("a")].map((a) => a.href.split("/").slice(-2).join("/"));
              return links.map(decodeURIComponent)"""
    assert page.run(code, "refused") == []
    assert page.run(code, "verified") in (["run-0/report.html"], ["javascript:alert(1)/report.html"])
    page.run("[...document.querySelectorAll('.board a')].find((a) => a.href.includes('javascript')).click()")
    page.wait("document.body.textContent.includes('report 4')")


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 1280), ("light", 360)])
def test_it_is_accessible_and_fits(theme: str, width: int, page: Page) -> None:
    page.show(theme, width)
    assert page.axe(axe_source()) == []
    assert page.run("return document.documentElement.scrollWidth") <= width


def test_it_reads_without_scripts(browser: Page, boards: Path) -> None:
    browser.cdp("Emulation.setScriptExecutionDisabled", value=True)
    try:
        browser.driver.get(boards.resolve().as_uri())
        from selenium.webdriver.common.by import By

        assert "model-5" in browser.driver.find_element(By.TAG_NAME, "main").text
        assert not browser.driver.find_element(By.CSS_SELECTOR, "form.filters").is_displayed()
        assert not browser.driver.find_elements(By.CSS_SELECTOR, ".board thead button")
    finally:
        browser.cdp("Emulation.setScriptExecutionDisabled", value=False)


def test_marks_and_rows_are_what_was_made(boards: Path) -> None:
    html = boards.read_text()
    assert html.count('data-mark="refused"') == 2 + 1
    assert "trained on 7 of 200" in html
