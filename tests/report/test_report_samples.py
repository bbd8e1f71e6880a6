"""The sample browser in Chromium: formulas, profiles, differences, copies, prints, and which models are shown."""

from __future__ import annotations

from pathlib import Path

import pytest
from report_browser import NEEDS_BROWSER, Page
from report_folder import Shape, build, read
from sample_folder import ANSWER, QUESTION, add_profiles, change_text, many_models, with_formulas

from mra_bench.report import write_report
from mra_bench.report.data import read_run
from mra_bench.report.page import document
from mra_bench.report.render import render_page
from mra_bench.report.samples import Limits, blocks

pytestmark = NEEDS_BROWSER
TOUCHING = (("12 + 3", "9 / 3"), ("12 9", "9"), ("a 12 b", "a 9 b"), ("(12)", "(9)"), ("-9", "9"))
FENCES = "before\n```\n# not a heading\n````\nafter \u202e end"


@pytest.fixture(scope="module")
def mathematical(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = with_formulas(tmp_path_factory.mktemp("math") / "run")
    change_text(folder, "base", "test-00002", "She has 12 * 3 = 36 eggs. The answer is 36.")
    change_text(folder, "sft", "test-00002", "She has 12 + 3 = 15 eggs.\nThe answer is 15.")
    change_text(folder, "base", "test-00003", FENCES)
    change_text(folder, "sft", "test-00003", "word " * 6_000)
    for place, texts in enumerate(TOUCHING, 4):
        for model, text in zip(("base", "sft"), texts, strict=True):
            change_text(folder, model, f"test-{place:05d}", text)
    return write_report(add_profiles(folder))


@pytest.fixture
def page(browser: Page, mathematical: Path) -> Page:
    browser.show()
    browser.open(mathematical)
    return browser


def at(page: Page, problem: str) -> None:
    page.run("location.hash = 'q=' + arguments[0]", problem)
    page.wait(f"document.querySelector('#problem h3').textContent === '{problem}'")


def test_formulas_of_question_solution_and_answers_are_drawn(page: Page) -> None:
    tags = "return [...document.querySelectorAll(arguments[0] + ' math *')].map((e) => e.localName)"
    assert set(page.run(tags, ".question")) >= {"msup", "mfrac", "mi", "mn", "mo"}
    assert page.run("return document.querySelector('.question math').namespaceURI").endswith("Math/MathML")
    assert page.run("return document.querySelectorAll('.question math[display=block]').length") == 1
    assert page.text(".question").startswith("If x2=4 and y=12, what is y for \\$5?")
    assert "menclose" in page.run(tags, ".solution")
    assert "$\\unknowncommand{z}$" in page.text(".solution")
    assert page.run(tags, ".gold") == ["mfrac", "mn", "mn"]
    assert page.run(tags, ".card:nth-child(2) .found") == ["mfrac", "mn", "mn"]
    assert page.run("return document.querySelectorAll('pre.text math').length") == 0
    box = page.run(
        "const b = document.querySelector('.question msup').getBoundingClientRect(); return [b.width, b.height]"
    )
    assert min(box) > 5


def test_formulas_are_shown_as_source_where_asked_for(page: Page) -> None:
    page.click("[data-does=source]")
    page.wait("document.querySelector('[data-does=source]').getAttribute('aria-pressed') === 'true'")
    assert page.text(".question") == QUESTION
    assert page.text(".gold code") == ANSWER
    assert page.run("return document.activeElement.dataset.does") == "source"
    page.click("[data-does=source]")
    page.wait("document.querySelectorAll('.question math').length === 3")


def test_hostile_formulas_draw_nothing_but_mathematics(page: Page) -> None:
    page.complaints()
    at(page, "test-00001")
    attributes = (
        "return [...document.querySelectorAll('#problem math, #problem math *')].flatMap((e) => e.getAttributeNames())"
    )
    assert set(page.run(attributes)) <= {"title", "stretchy", "mathvariant", "display", "notation"}
    assert "<script>window.pwned=4</script>" in page.text(".question mtext")
    assert "{{{{" in page.text(".question")
    assert "\\newcommand" in page.text(".question")
    assert page.run("return window.pwned") is None
    assert page.complaints() == []


def test_equal_formulas_are_packed_once(mathematical: Path) -> None:
    (block,) = blocks(read_run(mathematical.parent))
    assert block.parts[0].count('[\\"msup\\",[\\"mi\\",\\"x\\"]') == 1
    assert "math" not in blocks(read_run(mathematical.parent))[0].index


def test_a_profile_opens_and_marks_what_it_quotes(page: Page) -> None:
    at(page, "test-00002")
    marked = "return [...document.querySelectorAll('.card:first-child mark.quoted')].map((e) => e.textContent)"
    assert page.run(marked) == []
    page.click(".card .profile summary")
    page.wait("document.querySelector('.card .profile').open && document.querySelector('mark.quoted')")
    assert page.run(marked) == ["answer is 36."]
    said = page.text(".card .profile")
    assert "Profile by verifier: errors in 1 of 3" in said
    assert "arithmetic 0.50In 'answer is 36.' something <i>is</i> wrong" in said
    assert "<b>logical</b> 0.00" in said
    assert "algebraic \u2013" in said
    page.click(".card .profile summary")
    page.wait("!document.querySelector('mark.quoted')")


def test_differences_of_two_texts_are_marked_by_more_than_colour(page: Page) -> None:
    at(page, "test-00002")
    assert page.run("return document.querySelectorAll('.diff').length") == 0
    page.click(".compare summary")
    page.wait("document.querySelector('.diff del')")
    gone = "return [...document.querySelectorAll('.diff ' + arguments[0])].map((e) => e.textContent.trim())"
    assert (page.run(gone, "del"), page.run(gone, "ins")) == (["*", "36", "36"], ["+", "15", "15"])
    line = "return getComputedStyle(document.querySelector('.diff ' + arguments[0])).textDecorationLine"
    assert (page.run(line, "del"), page.run(line, "ins")) == ("line-through", "underline")
    page.choose(".pickers label:first-child select", "sft")
    page.choose(".pickers label:last-child select", "base")
    assert page.run(gone, "del") == ["+", "15", "15"]
    at(page, "test-00003")
    assert page.run("return document.querySelector('.compare').open")
    assert "not compared word by word" in page.text(".compare")
    assert page.run("return document.querySelector('.pickers select').value") == "sft"


def test_removed_words_never_read_as_one_with_what_follows(page: Page) -> None:
    shown = """return [...document.querySelector('.diff').childNodes].map(
               (e) => e.localName ? `[${e.localName} ${e.textContent}]` : e.data).join('')"""
    words = [
        "[del 12 +] [ins 9 /] 3",
        "[del 12] 9",
        "a[del  12][ins  9] b",
        "([del 12] [ins 9])",
        "[del -]9",
    ]
    for place, (texts, expected) in enumerate(zip(TOUCHING, words, strict=True), 4):
        at(page, f"test-{place:05d}")
        if place == 4:
            page.click(".compare summary")
        page.wait("document.querySelector('.diff del')")
        assert page.run(shown) == expected, texts


def clipboard(page: Page) -> str:
    """What a paste gives, by real keys."""
    page.run("const box = document.createElement('textarea'); box.id = 'paste'; document.body.append(box); box.focus()")
    page.press_with_control("v")
    pasted = page.run("const box = document.getElementById('paste'); const text = box.value; box.remove(); return text")
    return str(pasted)


@pytest.mark.parametrize("refused", [False, True])
def test_a_problem_is_copied_as_markdown_that_no_text_breaks_out_of(page: Page, refused: bool) -> None:
    from selenium.webdriver.common.by import By

    at(page, "test-00003")
    page.run("document.querySelector('#problem').scrollIntoView()")
    if refused:
        page.run("Object.defineProperty(navigator, 'clipboard', {value: undefined, configurable: true})")
    page.driver.find_element(By.CSS_SELECTOR, "[data-does=copy]").click()
    page.wait("document.querySelector('.said').textContent === 'Copied'")
    copied = clipboard(page).replace("\r\n", "\n")
    assert copied.startswith("# Problem `test-00003` of `arith test`\n")
    assert "## `base`: " in copied
    assert "## `sft`: " in copied
    assert "\n`````text\n" + FENCES.replace("\u202e", "[U+202E]") + "\n`````\n" in copied
    assert [line.split("`")[0] for line in outside_fences(copied) if line.startswith("#")] == [
        "# Problem ",
        "## ",
        "## ",
    ]


def outside_fences(markdown: str) -> list[str]:
    """The lines that stand in no fence, by CommonMark's rule: at least as many backticks close as have opened."""
    lines, fence = [], ""
    for line in markdown.split("\n"):
        ticks = "`" * (len(line) - len(line.lstrip("`")))
        if not fence and len(ticks) >= 3:
            fence = ticks
        elif fence and len(ticks) >= len(fence) and line.strip() == ticks:
            fence = ""
        elif not fence:
            lines.append(line)
    assert not fence
    return lines


def test_one_problem_is_printed(page: Page) -> None:
    page.run("window.print = () => { window.printed = document.documentElement.className }")
    page.click("[data-does=print]")
    assert "one-problem" in page.run("return window.printed")
    page.cdp("Emulation.setEmulatedMedia", media="print")
    try:
        shown = "return arguments[0].map((s) => document.querySelector(s).getClientRects().length > 0)"
        asked = [
            "#problem h3",
            ".question",
            ".card pre.text",
            "#summary",
            "#scoreboard",
            "#filters",
            "#list",
            ".actions",
        ]
        assert page.run(shown, asked) == [True, True, True, False, False, False, False, False]
        page.run("dispatchEvent(new Event('afterprint'))")
        assert page.run(shown, asked) == [True, True, True, True, True, False, False, False]
    finally:
        page.cdp("Emulation.setEmulatedMedia", media="")


def test_with_many_models_names_and_marks_are_whole_and_stand_below_their_signs(
    browser: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = many_models(tmp_path / "run", monkeypatch)
    browser.show()
    browser.open(write_report(folder))
    assert (
        browser.run("return [...document.querySelectorAll('#list bdi')].filter((e) => e.scrollWidth > e.clientWidth)")
        == []
    )
    places = """return [...document.querySelectorAll(arguments[0])].map((e) => e.getBoundingClientRect())
                .map((box) => box.x + box.width / 2)"""
    heads, marks = browser.run(places, "#columns .swatch"), browser.run(places, "#list li:first-child .marks span")
    assert len(heads) == len(marks) == 11
    assert max(abs(a - b) for a, b in zip(heads, marks, strict=True)) < 1
    cards = "return [...document.querySelectorAll('.card')].map((e) => e.getAttribute('aria-label'))"
    assert len(browser.run(cards)) == 11
    for name in ("model-00", "model-04", "model-05", "model-06", "model-07", "model-08", "model-09", "model-10"):
        browser.click(f"[data-shown={name}]")
    browser.wait("document.querySelectorAll('.card').length === 3")
    assert browser.run(cards) == ["model-01", "model-02", "model-03"]
    assert browser.text("#shown") == "3 of 11"
    address = browser.driver.current_url
    assert address.count("model=") == 3
    browser.open(folder / "report.html", "#" + address.partition("#")[2])
    assert browser.run(cards) == ["model-01", "model-02", "model-03"]
    browser.click("#all-models")
    browser.wait("document.querySelectorAll('.card').length === 11")
    pair = next(pair for pair in read(folder)["datasets"][0]["pairs"] if pair["wins"])
    button = f"""[...document.querySelectorAll("#pairs tbody tr")].find((row) => ["{pair["a"]}", "{pair["b"]}"].every(
                 (name) => row.querySelector("th").textContent.includes(name))).querySelector("button")"""
    browser.run(f"{button}.click()")
    browser.wait("document.querySelectorAll('.card').length === 2")
    assert set(browser.run(cards)) == {pair["a"], pair["b"]}


def test_search_goes_through_all_parts_of_packed_samples(browser: Page, tmp_path: Path) -> None:
    folder = build(tmp_path / "run", Shape(test=300, hard=0, hostile=False, models=("base", "sft")))
    change_text(folder, "sft", "test-00250", "An unheard-of NEEDLE, \u0130stanbul")
    limits = Limits(plain=0, part=5_000)
    packed = blocks(read_run(folder), limits)
    assert len(packed[0].parts) > 20
    report = folder / "packed.html"
    report.write_text(with_limits(folder, limits), "utf-8")
    browser.open(report)
    for search, number in (("needle", 1), ("test-0029", 10), ("e", 300), ("nowhere in it", 0)):
        browser.choose("#search", search)
        browser.wait(f"document.getElementById('count').textContent.startsWith('{number} of 300')")
    browser.choose("#search", "")
    browser.open(report, "#q=test-00250")
    assert "NEEDLE" in browser.text(".card:nth-child(2) pre.text")


def with_limits(folder: Path, limits: Limits) -> str:
    """The report with its samples packed under other limits."""
    from unittest import mock

    with mock.patch("mra_bench.report.sections.blocks", lambda run: blocks(run, limits)):
        return render_page(read_run(folder))


def test_filters_of_models_work_together_with_the_search(page: Page) -> None:
    page.choose("#search", "eggs")
    page.wait("!document.getElementById('count').textContent.startsWith('12 of')")
    with_search = page.count()
    page.choose("[data-model=sft]", "wrong")
    page.wait("!document.getElementById('count').textContent.startsWith('Searching')")
    assert page.count() <= with_search


def test_a_page_without_samples_runs_no_script_of_theirs(browser: Page, tmp_path: Path) -> None:
    from markupsafe import Markup

    (tmp_path / "page.html").write_text(document("t", Markup('<header id="summary"><h1>t</h1></header>'), ()), "utf-8")
    browser.complaints()
    browser.open(tmp_path / "page.html")
    assert browser.complaints() == []


def test_filters_leave_an_open_problem_as_it_is(page: Page) -> None:
    at(page, "test-00002")
    page.click(".compare summary")
    page.wait("document.querySelector('.diff')")
    page.run("document.querySelector('.card').dataset.kept = 'yes'")
    page.choose("#search", "test-00002")
    page.wait("document.getElementById('count').textContent.startsWith('1 of 12')")
    assert page.text("#problem .place") == "1 / 1"
    assert page.run("return [...document.querySelectorAll('.step')].map((e) => e.disabled)") == [True, True]
    assert page.run("return document.querySelector('.card').dataset.kept") == "yes"


def test_an_address_with_other_models_shows_them(page: Page) -> None:
    at(page, "test-00002")
    page.run("location.hash = 'q=test-00002&model=sft'")
    page.wait("document.querySelectorAll('.card').length === 1")
    page.run("location.hash = 'q=test-00002&model=unknown'")
    page.wait("document.querySelectorAll('.card').length === 2")


def test_a_broken_part_is_said(browser: Page, mathematical: Path, tmp_path: Path) -> None:
    broken = mathematical.read_text("utf-8").replace('id="samples-0-0">{', 'id="samples-0-0">{{')
    (tmp_path / "broken.html").write_text(broken, "utf-8")
    browser.driver.get((tmp_path / "broken.html").as_uri())
    browser.wait("document.querySelector('#problem .note')")
    assert "They are in the run folder" in browser.text("#problem .note")
