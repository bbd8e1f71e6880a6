"""A browser that opens reports from disk, with their policy on, and the axe-core that looks at them."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
ARGUMENTS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--force-prefers-reduced-motion",
    "--window-size=1280,900",
)
AXE = "4.14.1"
AXE_SHA256 = "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c"
NEEDS_BROWSER = [
    pytest.mark.browser,
    pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="needs Chromium and chromedriver on the path"),
]


class Page:
    """A browser with shorthands for what the tests look at."""

    def __init__(self, profile: Path) -> None:
        from selenium import webdriver
        from selenium.webdriver.chrome.service import Service

        options = webdriver.ChromeOptions()
        options.binary_location = CHROMIUM or ""
        for argument in (*ARGUMENTS, f"--user-data-dir={profile}"):
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=Service(DRIVER))

    def open(self, report: Path, fragment: str = "") -> None:
        self.driver.get("about:blank")
        self.driver.get(report.resolve().as_uri() + fragment)
        self.wait("!document.getElementById('browser') || !!document.querySelector('#problem h3, .browser > .note')")

    def run(self, code: str, *arguments: Any) -> Any:
        return self.driver.execute_script(code, *arguments)

    def cdp(self, command: str, **values: Any) -> Any:
        return self.driver.execute_cdp_cmd(command, values)

    def wait(self, condition: str) -> None:
        from selenium.webdriver.support.ui import WebDriverWait

        WebDriverWait(self.driver, 10).until(lambda _: self.run(f"return {condition}"), condition)

    def text(self, selector: str) -> str:
        return str(self.run("return document.querySelector(arguments[0]).textContent", selector))

    def choose(self, selector: str, value: str) -> None:
        code = """const box = document.querySelector(arguments[0]); box.value = arguments[1];
                  for (const kind of ['input', 'change']) box.dispatchEvent(new Event(kind, {bubbles: true}));
                  return box.value"""
        assert self.run(code, selector, value) == value

    def click(self, selector: str) -> None:
        self.run("document.querySelector(arguments[0]).click()", selector)

    def count(self) -> int:
        """The live count of matches, once typing has settled."""
        return int(self.text("#count").split(" ")[0].replace(",", ""))

    def keys(self, *keys: str) -> None:
        from selenium.webdriver.common.action_chains import ActionChains

        ActionChains(self.driver).send_keys(*keys).perform()

    def press_with_control(self, key: str) -> None:
        from selenium.webdriver.common.action_chains import ActionChains
        from selenium.webdriver.common.keys import Keys

        ActionChains(self.driver).key_down(Keys.CONTROL).send_keys(key).key_up(Keys.CONTROL).perform()

    def show(self, theme: str = "light", width: int = 1280, height: int = 900) -> None:
        """How the page is looked at: light or dark, in a window of this size."""
        self.cdp("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": theme}])
        self.cdp(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 500
        )

    def complaints(self) -> list[str]:
        """What the console has said since it was last asked, errors and warnings."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def requested(self) -> set[str]:
        """Addresses asked for since this was last asked."""
        events = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        return {e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent"}

    def axe(self, source: str) -> list[str]:
        """What axe-core finds on the page against WCAG 2.0 to 2.2, A and AA: rule, and the first element of each."""
        self.run(source)
        run = """const done = arguments[arguments.length - 1];
                 const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
                 axe.run(document, {runOnly: {type: "tag", values: tags}, resultTypes: ["violations"]})
                   .then(({violations}) => done(violations.map((v) => [v.id, v.nodes.length, v.nodes[0].html,
                                                                       v.nodes[0].failureSummary])),
                         (error) => done([["failed", 0, String(error), ""]]))"""
        self.driver.set_script_timeout(60)
        return [" ".join(map(str, found)) for found in self.driver.execute_async_script(run)]


def axe_source() -> str:
    """axe-core's script from npm, kept in the user's cache; skips the test where it cannot be had."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mra-bench"
    kept = cache / f"axe-core-{AXE}.min.js"
    if not kept.is_file():
        with tempfile.TemporaryDirectory() as folder:
            made = _packed(Path(folder))
            cache.mkdir(parents=True, exist_ok=True)
            made.replace(kept) if made.stat().st_dev == cache.stat().st_dev else shutil.copy(made, kept)
    source = kept.read_text("utf-8")
    assert hashlib.sha256(source.encode("utf-8")).hexdigest() == AXE_SHA256, (
        f"'{kept}' is not axe-core {AXE}; delete it"
    )
    return source


def _packed(folder: Path) -> Path:
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("needs npm, which fetches axe-core")
    got = subprocess.run(
        [npm, "pack", f"axe-core@{AXE}", "--silent"], cwd=folder, capture_output=True, text=True, timeout=120
    )
    if got.returncode:
        pytest.skip(f"axe-core cannot be fetched by npm: {got.stderr.strip()[-200:]}")
    with tarfile.open(next(folder.glob("*.tgz"))) as archive:
        archive.extract("package/axe.min.js", folder, filter="data")
    return folder / "package" / "axe.min.js"
