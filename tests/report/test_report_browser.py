"""The report in a real browser, opened from disk with its policy on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from report_browser import NEEDS_BROWSER, Page
from report_folder import HOSTILE, Shape, add_grader, build, read

from mra_bench.report import write_report
from mra_bench.report.formatting import verdict_parts

pytestmark = NEEDS_BROWSER


@pytest.fixture
def page(browser: Page, run_folder: Path) -> Page:
    browser.cdp("Emulation.clearDeviceMetricsOverride")
    browser.cdp("Emulation.setEmulatedMedia", features=[])
    browser.open(run_folder / "report.html")
    return browser


def grades(folder: Path, model: str, dataset: str = "test") -> dict[str, dict[str, Any]]:
    path = folder / f"grades/sympy-{model}-{dataset}-00000001/block-00000.jsonl"
    return {row["problem"]: row for row in map(json.loads, path.read_text("utf-8").splitlines())}


def test_no_error_and_no_request(page: Page) -> None:
    page.driver.get_log("performance")
    page.driver.get_log("browser")
    page.open(Path(page.driver.current_url.removeprefix("file://")))
    events = [json.loads(entry["message"])["message"] for entry in page.driver.get_log("performance")]
    asked = {e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent"}
    assert {url.split(":")[0] for url in asked} <= {"file", "data", "about"}
    assert len([url for url in asked if url.startswith("file:")]) == 1
    assert page.driver.get_log("browser") == []


def test_the_policy_is_in_force(page: Page) -> None:
    page.run(
        "const s = document.createElement('script'); s.textContent = 'window.planted = 1'; document.body.append(s)"
    )
    page.run("document.body.setAttribute('onclick', 'window.planted = 2'); document.body.click()")
    assert page.run("return window.planted") is None
    page.driver.get_log("browser")  # the two refusals


def test_a_model_filter_shows_its_problems(page: Page, run_folder: Path) -> None:
    wrong = [name for name, row in grades(run_folder, "base").items() if row["correct"] is False]
    right = {name for name, row in grades(run_folder, "dpo").items() if row["correct"]}
    wanted = [name for name in wrong if name in right]
    page.choose("[data-model=base]", "wrong")
    page.choose("[data-model=dpo]", "right")
    page.wait(f"document.getElementById('count').textContent.startsWith('{len(wanted)} of 90')")
    assert page.text("#problem h3") in wanted
    listed = page.run("return [...document.querySelectorAll('#list bdi')].map((e) => e.textContent)")
    assert listed == wanted[:50]


def test_every_count_of_the_paired_table_opens_as_many_problems(page: Page, run_folder: Path) -> None:
    buttons = page.run("return [...document.querySelectorAll('#pairs button.tally')]")
    assert len(buttons) > 10
    for button in buttons:
        button.click()
        number = int(button.text.replace(",", ""))
        page.wait(f"document.getElementById('count').textContent.startsWith('{number} of 90')")


def test_counts_of_kinds_and_groups_open_as_many_problems(page: Page) -> None:
    for section in ("scoreboard", "errors", "groups"):
        buttons = page.run(f"return [...document.querySelectorAll('#{section} button.tally')].slice(0, 9)")
        assert buttons
        for button in buttons:
            number = int(page.run("return arguments[0].textContent", button).replace(",", ""))
            page.run("arguments[0].click()", button)
            page.wait(f"document.getElementById('count').textContent.startsWith('{number} of 90')")


def test_counts_of_a_further_dataset_switch_to_it(page: Page) -> None:
    button = page.run("return document.querySelector('#further button.tally')")
    number = page.run("return arguments[0].textContent", button)
    page.run("arguments[0].click()", button)
    page.wait(f"document.getElementById('count').textContent.startsWith('{number} of 30')")
    assert page.run("return document.getElementById('dataset').value") == "hard"
    assert page.text("#problem h3").startswith("hard-")


def test_pairs_of_several_samples_open_as_many_problems(browser: Page, tmp_path: Path) -> None:
    folder = build(tmp_path / "run", Shape(test=40, hard=0, samples=3, hostile=False, models=("base", "sft")))
    browser.open(write_report(folder))
    pair = read(folder)["datasets"][0]["pairs"][0]
    for place, name in enumerate(("wins", "losses", "both_right", "both_wrong")):
        if pair[name]:
            cells = "[...document.querySelectorAll('#pairs tbody td')].slice(-7)"
            browser.run(f"{cells}[arguments[0]].querySelector('button').click()", place)
            browser.wait(f"document.getElementById('count').textContent.startsWith('{pair[name]} of 40')")
            assert not browser.run("return document.getElementById('relation').hidden")
    browser.run("document.querySelector('#relation button').click()")
    browser.wait("document.getElementById('count').textContent.startsWith('40 of 40')")


def test_flips_search_and_reset(page: Page, run_folder: Path) -> None:
    verdicts = [grades(run_folder, model) for model in ("base", "sft", "sft-more", "dpo")]
    seen = [{v[name]["correct"] for v in verdicts} - {None} for name in verdicts[0]]
    flips = sum(len(values) > 1 for values in seen)
    assert 0 < flips < 90
    page.run("document.getElementById('flips').click()")
    page.wait(f"document.getElementById('count').textContent.startsWith('{flips} of 90')")
    page.run("document.getElementById('reset').click()")
    page.choose("#search", "TEST-00017")
    page.wait("document.getElementById('count').textContent.startsWith('1 of 90')")
    assert page.text("#problem h3") == "test-00017"
    page.choose("#search", "nothing has this")
    page.wait("document.getElementById('count').textContent.startsWith('0 of 90')")
    assert "No problem matches" in page.text("#problem")


def test_hostile_texts_appear_as_text(page: Page) -> None:
    first = page.run("return document.querySelector('.card pre.text').textContent")
    assert first == HOSTILE[0]
    assert page.text(".card pre.text mark") == "1"
    page.run("document.getElementById('samples').scrollIntoView()")
    page.keys("\ue014")
    page.wait("document.querySelector('#problem h3').textContent === 'test-00001'")
    shown = page.text(".card pre.text")
    assert all(code in shown for code in ("U+202E", "U+2066", "U+0000", "U+0007", "U+D800", "U+DFFF"))
    assert "\u202e" not in shown
    assert page.run("return window.pwned") is None
    assert page.run("return document.querySelectorAll('img, #problem script').length") == 0


def test_a_very_long_text_shows_its_start_and_answer_first(page: Page) -> None:
    page.open(Path(page.driver.current_url.split("#")[0].removeprefix("file://")), "#q=test-00002")
    assert page.text("#problem h3") == "test-00002"
    assert page.run("return document.querySelector('.card pre.text').textContent.length") < 30_000
    assert page.text(".card mark") == "7"
    page.run("document.querySelector('.card .all').click()")
    assert page.run("return document.querySelector('.card pre.text').textContent.length") == len(HOSTILE[2])
    assert page.text(".card mark") == "7"


def test_marks_stand_right_behind_characters_beyond_the_basic_plane(page: Page) -> None:
    page.open(Path(page.driver.current_url.split("#")[0].removeprefix("file://")), "#q=test-00003")
    assert page.text(".card mark") == "3"


def test_arrow_keys_walk_and_links_lead_back(page: Page, run_folder: Path) -> None:
    page.run("document.getElementById('samples').scrollIntoView()")
    page.keys("\ue014")
    page.wait("document.querySelector('#problem h3').textContent === 'test-00001'")
    page.keys("\ue012")
    page.wait("document.querySelector('#problem h3').textContent === 'test-00000'")
    page.open(run_folder / "report.html", "#q=hard-00004")
    assert page.text("#problem h3") == "hard-00004"
    assert page.run("return document.getElementById('dataset').value") == "hard"
    assert page.text("#problem .place") == "5 / 30"


NAME = "document.querySelector('#problem h3').textContent"
FOLLOWS = f"""new URLSearchParams(location.hash.slice(1)).get('q') === {NAME}
    && document.querySelector('#list [aria-current] bdi').textContent === {NAME} && {NAME}"""


def test_the_address_follows_the_problem_shown(page: Page, run_folder: Path) -> None:
    assert page.run("return location.hash") == ""
    page.open(run_folder / "report.html", "#q=test-00003")
    page.click("#pairs button.tally")
    page.wait(f"{FOLLOWS} !== 'test-00003'")
    page.choose("#dataset", "hard")
    page.wait(f"{FOLLOWS} === 'hard-00000'")
    assert "data=hard" in page.run("return location.hash")
    page.choose("#search", "hard-00007")
    page.wait(f"{FOLLOWS} === 'hard-00007'")
    page.choose("#search", "nothing has this")
    page.wait("location.hash === '#samples'")
    page.click("#reset")
    page.wait(f"{FOLLOWS} === 'hard-00000'")


def test_what_an_address_asks_for_in_vain_is_said(page: Page, run_folder: Path) -> None:
    said = {
        "q=tset-00007": "There is no problem 'tset-00007' in this report.",
        "q=test-00007&data=hrad": "There is no dataset 'hrad' in this report.",
        "q=test-00007&data=hard": "There is no problem 'test-00007' of this dataset in this report.",
    }
    for address, words in said.items():
        page.open(run_folder / "report.html", "#" + address)
        assert (page.text("#notice"), page.text("#problem h3")) == (words, "test-00000")
        assert page.run("return scrollY") > 0
    page.open(run_folder / "report.html", "#q=test-00007&model=dop&model=sft")
    assert page.text("#notice").strip() == "There is no model 'dop' on this dataset."
    assert page.run("return document.querySelectorAll('.card').length") == 1
    page.run("location.hash = 'q=nope'")
    page.wait("document.getElementById('notice').textContent.includes(\"'nope'\")")
    assert page.text("#problem h3") == "test-00007"
    page.choose("#dataset", "hard")
    page.wait(f"{FOLLOWS} === 'hard-00000'")
    assert page.text("#notice") == ""
    page.run("location.hash = 'data=test'")
    page.wait(f"{FOLLOWS} === 'test-00000'")


def test_a_select_acts_once_on_either_event(page: Page) -> None:
    page.run("""window.drawn = 0; new MutationObserver(() => { window.drawn += 1; }).observe(
                document.getElementById('list'), {childList: true})""")
    select = "[data-model=base]"
    code = """const box = document.querySelector(arguments[0]); box.value = arguments[1];
              for (const kind of arguments[2]) box.dispatchEvent(new Event(kind, {bubbles: true}))"""
    counts = []
    for drawn, (value, events) in enumerate(
        (("wrong", ["change"]), ("right", ["input", "change"]), ("", ["input"])), 1
    ):
        page.run(code, select, value, events)
        page.wait(f"window.drawn === {drawn}")
        counts.append(page.count())
    page.run(code, select, "", ["change"])
    page.choose("#search", "test-00017")
    page.wait("document.getElementById('count').textContent.startsWith('1 of 90')")
    assert page.run("return window.drawn") == 4
    assert 90 == counts[2] > max(counts[:2])


def test_one_model_always_stays_shown(page: Page) -> None:
    cards = "document.querySelectorAll('.card').length"
    for left, name in ((3, "base"), (2, "sft"), (1, "sft-more"), (1, "dpo")):
        page.click(f"[data-shown={name}]")
        page.wait(f"{cards} === {left}")
    assert page.run("return document.querySelector('[data-shown=dpo]').checked")
    assert (page.text("#shown"), page.text("#notice")) == ("1 of 4", "At least one model stays shown.")
    page.click("[data-shown=sft]")
    page.wait(f"{cards} === 2")
    assert page.text("#notice") == ""


def test_the_list_has_pages(page: Page) -> None:
    assert page.run("return document.querySelectorAll('#list li').length") == 50
    page.run("document.getElementById('page-on').click()")
    assert page.run("return document.querySelectorAll('#list li').length") == 40


def test_packed_samples_are_unpacked(browser: Page, tmp_path: Path) -> None:
    folder = build(tmp_path / "run", Shape(test=1000, hard=500, samples=2, hostile=False))
    report = write_report(folder)
    assert '"encoding":"gzip+base64"' in report.read_text("utf-8").replace(" ", "")
    browser.open(report)
    assert browser.text("#count") == "1,000 of 1,000 problems"
    assert report.stat().st_size < 1_000_000


@pytest.mark.parametrize("width", [360, 768, 1280])
def test_the_page_never_scrolls_sideways(page: Page, width: int) -> None:
    page.cdp("Emulation.setDeviceMetricsOverride", width=width, height=780, deviceScaleFactor=1, mobile=width < 500)
    page.open(Path(page.driver.current_url.split("#")[0].removeprefix("file://")), "#q=test-00001")
    page.run("document.querySelectorAll('details').forEach((e) => (e.open = true))")
    assert page.run("return innerWidth") == width
    assert page.run("return document.documentElement.scrollWidth") <= width


def test_the_main_tables_fit_a_phone_without_scrolling(page: Page) -> None:
    page.cdp("Emulation.setDeviceMetricsOverride", width=390, height=844, deviceScaleFactor=2, mobile=True)
    page.open(Path(page.driver.current_url.split("#")[0].removeprefix("file://")))
    wide = """return [...document.querySelectorAll('#scoreboard .scroll, #pairs .scroll, #groups .scroll')]
              .map((box) => box.scrollWidth - box.clientWidth)"""
    over = page.run(wide)
    assert len(over) == 4
    assert max(over) <= 0
    labels = "return [...document.querySelectorAll('#pairs tbody tr:first-child td')].map((e) => e.dataset.label)"
    assert page.run(labels)[2:] == [
        "Wins",
        "Losses",
        "Both right",
        "Both wrong",
        "p",
        "p Holm",
        "Smallest detectable",
    ]
    shown = "return getComputedStyle(document.querySelector('#pairs td[data-label=Wins]'), '::before').content"
    assert page.run(shown) == '"Wins"'


@pytest.mark.parametrize("section", ["scoreboard", "pairs"])
def test_the_main_tables_fit_a_laptop_without_scrolling(page: Page, section: str) -> None:
    page.cdp("Emulation.setDeviceMetricsOverride", width=1280, height=800, deviceScaleFactor=1, mobile=False)
    box = f"document.querySelector('#{section} .scroll')"
    assert page.run(f"return {box}.scrollWidth - {box}.clientWidth") <= 0


def test_other_graders_are_shown_with_each_sample_and_their_counts_open_as_many(browser: Page, tmp_path: Path) -> None:
    folder = build(tmp_path / "run", Shape(test=60, hard=0, hostile=False, models=("base", "sft")))
    agreement = add_grader(folder)["base"]
    assert agreement["headline_only"] > 0
    assert agreement["not_judged"] > 0
    browser.open(write_report(folder))
    assert browser.text(".card .others b") == "strict"
    assert "Only a boxed answer counts <b>here</b>." in browser.text(".card .others")
    for field in ("headline_only", "not_judged"):
        buttons = "[...document.querySelectorAll('#graders button')]"
        browser.run(f"{buttons}.find((b) => b.dataset.filter.includes(arguments[0])).click()", f"grader=0:{field}")
        browser.wait(f"document.getElementById('count').textContent.startsWith('{agreement[field]} of 60')")
        assert browser.run("return document.querySelector('[data-model=base]').value") == f"grader=0:{field}"
    assert browser.text(".card .others").startswith("strict ? not judged (strict).")


def test_one_model_is_offered_nothing_that_compares(browser: Page, page: Page, tmp_path: Path) -> None:
    hidden = (
        "return ['flips', 'kind', 'dataset'].map((id) => document.getElementById(id).getClientRects().length === 0)"
    )
    assert page.run(hidden) == [False, False, False]
    folder = build(tmp_path / "run", Shape(test=6, hard=0, hostile=False, models=("base",)))
    browser.open(write_report(folder))
    assert browser.run(hidden) == [True, True, True]
    assert browser.count() == 6


def test_dark_and_light_differ_and_are_readable(page: Page) -> None:
    backgrounds = {}
    for theme in ("light", "dark"):
        page.cdp("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": theme}])
        backgrounds[theme] = page.run("return getComputedStyle(document.body).backgroundColor")
        low = page.run(CONTRAST)
        assert low == [], f"{theme}: {low}"
    assert backgrounds["light"] != backgrounds["dark"]


# Texts whose contrast with the nearest opaque background is under 4.5 (disabled controls excepted).
CONTRAST = """
const parse = (c) => (c.match(/[\\d.]+/g) || []).map(Number);
const lum = ([r, g, b]) => [r, g, b].map((v) => ((v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
  .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
const back = (e) => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor);
  if (c.length === 3 || c[3] === 1) return c; } return [255, 255, 255]; };
const low = new Map();
for (const e of document.querySelectorAll("main *, nav *")) {
  if (e.closest("[disabled], .vh, [hidden]") || !e.getClientRects().length) continue;
  if (![...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim())) continue;
  const style = getComputedStyle(e);
  const front = parse(e.ownerSVGElement ? style.fill : style.color);
  const [a, b] = [lum(front), lum(back(e.ownerSVGElement ? e.ownerSVGElement.parentElement : e))].sort((x, y) => y - x);
  const ratio = (a + 0.05) / (b + 0.05);
  if (ratio < 4.5) low.set(e.tagName + "." + e.getAttribute("class") + " " + style.color, ratio.toFixed(2));
}
return [...low];
"""


def test_without_scripts_the_summary_still_reads(browser: Page, run_folder: Path) -> None:
    browser.cdp("Emulation.setScriptExecutionDisabled", value=True)
    try:
        browser.driver.get("about:blank")
        browser.driver.get((run_folder / "report.html").resolve().as_uri())
        nodes = browser.cdp("Accessibility.getFullAXTree")["nodes"]
        said = {node["name"]["value"] for node in nodes if node.get("name") and not node.get("ignored")}
    finally:
        browser.cdp("Emulation.setScriptExecutionDisabled", value=False)
    results = read(run_folder)
    assert verdict_parts(results["verdict"][0])[0] in said
    assert any("needs scripts" in text for text in said)
    assert any("Accuracy of dpo" in text for text in said)
    assert "Search" not in said
