"""What a report costs a reader: opened from disk in Chromium on one core, then filtered, searched, walked through."""

from __future__ import annotations

import os
import shutil
import statistics
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

ARGUMENTS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--window-size=1280,900")
WAIT = 120  # seconds
OPENINGS = 5
OBSERVE = """
window.longTasks = [];
new PerformanceObserver((list) => { for (const e of list.getEntries()) longTasks.push(e.duration); })
  .observe({type: "longtask", buffered: true});
"""
# From the event to the count, and to the frame that shows it. Typing is heard 80 ms after the last key, which counts.
REACT = """
const done = arguments[0];
longTasks.length = 0;
const started = performance.now();
CHANGE;
const look = () => {
  if (!(SETTLED)) return setTimeout(look, 2);
  requestAnimationFrame(() => setTimeout(() => done({seconds: (performance.now() - started) / 1000,
    longest: Math.max(0, ...longTasks) / 1000, count: document.getElementById("count").textContent})));
};
setTimeout(look);
"""
HEARD = "s.dispatchEvent(new Event('input', {{bubbles: true}}))"
TYPE = "const s = document.getElementById('search'); s.value = {0!r}; " + HEARD
CHOOSE = "const s = document.querySelector({0!r}); s.value = {1!r}; " + HEARD
COUNT = "document.getElementById('count').textContent"
COUNTED = f"/ of /.test({COUNT})"


@dataclass(frozen=True)
class Reading:
    """How a page opens and answers. Seconds, of OPENINGS openings in one browser the quickest: to the first problem on
    the screen, processor time of all of the browser's processes until then, and of the longest task until then; of
    the last one: until the search has been prepared in idle time. memory: of the page's script, bytes. reactions: by
    what was done, seconds to the new count, of processor time and of the longest task in between."""

    size: int
    first_view: float
    processor: float
    longest: float
    prepared: float
    memory: int
    reactions: dict[str, dict[str, Any]] = field(default_factory=dict)


def read(report: Path, words: list[str]) -> Reading:
    """Open `report` in Chromium on one core; then filter, and search for each prefix of `words`, as if typed."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # the browser is a child
    with tempfile.TemporaryDirectory() as profile:
        driver = _driver(profile)
        try:
            driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": OBSERVE})
            driver.set_script_timeout(WAIT)
            opened = min(_open(driver, report) for _ in range(OPENINGS))
            reactions = {f"search '{words[0]}' at once": _react(driver, TYPE.format(words[0]))}
            prepared = _mark(driver, "search-prepared")
            reactions |= _reactions(driver, words)
            memory = driver.execute_cdp_cmd("Runtime.getHeapUsage", {})["usedSize"]
        finally:
            driver.quit()
    return Reading(report.stat().st_size, *opened, prepared, memory, reactions)


def _open(driver: Any, report: Path) -> tuple[float, float, float]:
    """Seconds to the first problem, processor time until then, and the longest task."""
    driver.get("about:blank")
    before = _processor_time(driver)
    driver.get(report.resolve().as_uri())
    first = _mark(driver, "samples-shown")
    spent = _processor_time(driver) - before
    return first, spent, driver.execute_script("return Math.max(0, ...longTasks)") / 1000


def _mark(driver: Any, name: str) -> float:
    """Seconds from the start of the navigation to the page's performance mark `name`, once it is there."""
    from selenium.webdriver.support.ui import WebDriverWait

    found = f"return performance.getEntriesByName({name!r}).map((entry) => entry.startTime)[0]"
    return float(WebDriverWait(driver, WAIT, 0.02).until(lambda _: driver.execute_script(found))) / 1000


def _processor_time(driver: Any) -> float:
    """Seconds that the browser's processes have run."""
    times = [p.cpu_times() for p in psutil.Process(driver.service.process.pid).children(recursive=True)]
    return sum(time.user + time.system for time in times)


def _reactions(driver: Any, words: list[str]) -> dict[str, dict[str, Any]]:
    made = {"clear the search": _react(driver, TYPE.format(""))}
    for word in words:
        typed = [_react(driver, TYPE.format(word[:end])) for end in range(1, len(word) + 1)]
        made[f"search '{word}', a key"] = {
            "seconds": statistics.median(found["seconds"] for found in typed),
            "slowest": max(found["seconds"] for found in typed),
            "processor": statistics.mean(found["processor"] for found in typed),
            "longest": max(found["longest"] for found in typed),
        }
        _react(driver, TYPE.format(""))
    made["filter a model"] = _react(driver, CHOOSE.format("[data-model=sft]", "wrong"))
    made["filter a second model"] = _react(driver, CHOOSE.format("[data-model=dpo]", "right"))
    made["flips only"] = _react(driver, "document.getElementById('flips').click()")
    made["clear filters"] = _react(driver, "document.getElementById('reset').click()")
    place = "document.querySelector('#problem .place').textContent"
    walk = f"window.place = {place}; [...document.querySelectorAll('.step')].pop().click()"
    made["next problem"] = _react(driver, walk, f"{place} !== window.place")
    far = "location.hash = 'q=' + [...document.querySelectorAll('#list bdi')].pop().textContent"
    made["a problem of another part"] = _react(driver, f"window.place = {place}; {far}", f"{place} !== window.place")
    return made


def _react(driver: Any, change: str, settled: str = COUNTED) -> dict[str, Any]:
    change = f"{COUNT} = ''; {change}" if settled is COUNTED else change
    before = _processor_time(driver)
    script = REACT.replace("CHANGE", change).replace("SETTLED", settled)
    found: dict[str, Any] = driver.execute_async_script(script)
    return {**found, "processor": _processor_time(driver) - before}


def _driver(profile: str) -> Any:
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or shutil.which("google-chrome") or ""
    for argument in (*ARGUMENTS, f"--user-data-dir={profile}"):
        options.add_argument(argument)
    return webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
