"""The page as a document: stable bytes, one file, sound HTML, nothing that model text could reach."""

from __future__ import annotations

import base64
import hashlib
import html.parser
import json
import os
import re
import subprocess
import sys
from collections import Counter
from html import escape
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from report_folder import Shape, add_grader, build, read

import mra_bench.report as reports
from mra_bench.errors import BenchError
from mra_bench.plugins import PluginSettings, load_plugins
from mra_bench.report import Section, sections_of, write_report
from mra_bench.report.formatting import unbroken, verdict_parts
from mra_bench.report.section import SectionFault, misplaced

VOID = {"meta", "link", "img", "input", "br", "hr"}


class Outline(html.parser.HTMLParser):
    """Collects tags with attributes, and unbalanced ones."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.faults: list[str] = []
        self.feed(text)
        self.faults += self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"</{tag}> at {self.getpos()}")

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture(scope="module")
def outline(page: str) -> Outline:
    return Outline(page)


def test_same_files_give_same_bytes_in_another_process(run_folder: Path) -> None:
    before = (run_folder / "report.html").read_bytes()
    code = (
        f"from pathlib import Path; from mra_bench.report import write_report; write_report(Path({str(run_folder)!r}))"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ, "PYTHONHASHSEED": "77"})
    assert (run_folder / "report.html").read_bytes() == before


def test_the_report_leaves_no_other_file(run_folder: Path) -> None:
    names = {path.name for path in run_folder.iterdir()}
    assert not [name for name in names if name.endswith(".tmp")]


def test_tags_are_balanced_and_ids_unique(outline: Outline) -> None:
    assert outline.faults == []
    ids = Counter(attributes["id"] for _, attributes in outline.tags if "id" in attributes)
    assert [name for name, times in ids.items() if times > 1] == []


def test_contents_lead_somewhere(outline: Outline) -> None:
    ids = {attributes.get("id") for _, attributes in outline.tags}
    links = [a["href"] or "" for a in outline.of("a")]
    assert len(links) > 10
    assert [link for link in links if not link.startswith("#") or link[1:] not in ids] == []


def test_access(outline: Outline) -> None:
    assert outline.of("html")[0]["lang"] == "en"
    assert len(outline.of("h1")) == 1
    assert len(outline.of("main")) == len(outline.of("nav")) == 1
    assert all(th.get("scope") for th in outline.of("th"))
    assert len(outline.of("caption")) == len(outline.of("table")) > 8
    drawn = [svg for svg in outline.of("svg") if svg.get("aria-hidden") != "true"]
    assert len(drawn) == len(outline.of("title")) - 1 == len(outline.of("desc")) > 10
    assert all(button.get("type") == "button" for button in outline.of("button"))


def test_one_file_without_network_or_inline_handlers(outline: Outline) -> None:
    for tag, attributes in outline.tags:
        assert not [name for name in attributes if name.startswith("on") or name in ("style", "src", "srcset")], tag
        assert (attributes.get("href") or "#").startswith(("#", "data:,")), tag


def test_the_policy_names_exactly_this_script_and_style(page: str) -> None:
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', page)
    assert policy is not None
    rules = policy[1].replace("&#39;", "'")
    assert rules.startswith("default-src 'none';")
    assert "unsafe" not in rules
    for tag in ("style", "script"):
        bodies = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.S)
        assert len(bodies) == 1
        digest = base64.b64encode(hashlib.sha256(bodies[0].encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in rules


def test_scripts_never_parse_text_as_markup() -> None:
    folder = resources.files("mra_bench.report") / "templates"
    for path in folder.iterdir():
        text = path.read_text("utf-8")
        banned = [
            "|safe",
            "| safe",
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
            "DOMParser",
        ]
        assert [word for word in banned if word in text] == [], path.name


def test_model_text_stands_nowhere_outside_the_data(page: str) -> None:
    outside = re.sub(r'<script type="[^"]+" id="sample[^>]*>.*?</script>', "", page, flags=re.S)
    assert len(outside) < len(page)
    assert "pwned" not in outside
    assert "a" * 1000 not in outside
    assert "\u202e" not in page
    assert "\x00" not in page


def test_hostile_names_are_text(tmp_path: Path) -> None:
    folder = build(tmp_path / "run", Shape(test=4, hard=0, models=("base", "sft")))
    results = read(folder)
    results["run"]["name"] = "<img src=x onerror=alert(1)> \u202e \ud800"
    results["verdict"] = ["</p><script>alert(1)</script>"]
    results["warnings"] = [{"kind": "<b>", "text": '"><script>'}]
    results["datasets"][0]["by_subject"][0]["value"] = "' onclick='alert(1)"
    (folder / "results.json").write_text(json.dumps(results), "utf-8")
    text = write_report(folder).read_text("utf-8")
    found = Outline(text)
    assert found.faults == []
    assert found.of("img") == []
    assert not [attributes for _, attributes in found.tags if "onclick" in attributes or "onerror" in attributes]
    assert "[U+202E] [U+D800]" in text


def test_verdict_and_warnings_stand_before_the_figures(page: str, run_folder: Path) -> None:
    results = read(run_folder)
    lead, figures = verdict_parts(results["verdict"][0])
    warning = escape(results["warnings"][0]["text"])
    places = [
        page.index(escape(lead)),
        page.index(escape(unbroken(figures))),
        page.index(warning),
        page.index("<table"),
    ]
    assert places == sorted(places)


def test_figures_are_those_of_results(page: str, run_folder: Path) -> None:
    dataset = read(run_folder)["datasets"][0]
    for score in dataset["scores"]:
        assert f"{100 * score['accuracy']:.1f}\u202f%" in page
    for pair in dataset["pairs"]:
        assert f"{pair['wins']}: {pair['b']} right where {pair['a']} is wrong." in page or not pair["wins"]


def test_partial_run_has_a_banner_and_no_headline(tmp_path: Path) -> None:
    folder = build(tmp_path / "run", Shape(test=6, hard=0), partial=True, missing=["generate dpo on test"])
    text = write_report(folder).read_text("utf-8")
    assert "not finished" in text
    assert "generate dpo on test" in text
    assert escape(verdict_parts(read(folder)["verdict"][0])[0]) not in text


def test_small_groups_are_greyed_and_said(page: str, run_folder: Path) -> None:
    groups = [g for d in read(run_folder)["datasets"] for key in ("by_subject", "by_level") for g in d[key]]
    small = [group for group in groups if group["n"] < 20]
    assert 0 < len(small) < len(groups)
    assert page.count('<tr role="row" class="small">') == len(small)


def test_the_level_behind_the_smallest_detectable_difference_is_said(page: str, tmp_path: Path) -> None:
    assert "(p under 0.05 / 6)" in page  # four models
    two = write_report(build(tmp_path / "run", Shape(test=4, hard=0, models=("base", "sft")))).read_text("utf-8")
    assert "is missed more than one time in five." in two


def test_where_nothing_could_be_shown_a_dash_says_so(page: str, tmp_path: Path) -> None:
    folder = build(tmp_path / "run", Shape(test=4, hard=0, models=("base", "sft")))
    results = read(folder)
    results["datasets"][0]["pairs"][0]["detectable"] = None
    (folder / "results.json").write_text(json.dumps(results), "utf-8")
    shown = write_report(folder).read_text("utf-8")
    assert 'data-label="Smallest detectable"><span>–</span>' in shown
    assert "so few problems cannot show any difference" in text_of(shown, "pairs")
    assert "so few problems cannot show any difference" not in page


@pytest.mark.parametrize(
    ("test", "interval", "samples", "words"),
    [
        ("exact McNemar", "Tango score", 1, ("fair coin would share out wins and losses", "made for paired answers")),
        (
            "sign-flip",
            "Tango score, effective n",
            4,
            ("a fair coin said who wins each problem", "do not count as problems"),
        ),
    ],
)
def test_test_and_interval_are_said_in_sentences(
    tmp_path: Path, test: str, interval: str, samples: int, words: tuple[str, ...]
) -> None:
    folder = build(tmp_path / "run", Shape(test=4, hard=0, models=("base", "sft"), samples=samples))
    results = read(folder)
    for pair in results["datasets"][0]["pairs"]:
        pair |= {"test": test, "interval": interval}
    (folder / "results.json").write_text(json.dumps(results), "utf-8")
    reading = text_of(write_report(folder).read_text("utf-8"), "reading")
    assert all(word in reading for word in words)
    assert "The test decides." in reading
    assert ("those that say the same again count for less" in reading) == (samples > 1)


def test_different_prompts_are_said(tmp_path: Path) -> None:
    folder = build(tmp_path / "run", Shape(test=4, hard=0, models=("base", "sft")))
    assert "Same prompt on test" in write_report(folder).read_text("utf-8")
    run = json.loads((folder / "run.json").read_text())
    run["prompts"]["sft"]["test"] = {"hash": "other", "text": "Q: "}
    (folder / "run.json").write_text(json.dumps(run))
    assert "Different prompt on test:" in write_report(folder).read_text("utf-8")


def test_a_bare_run_is_still_a_report(tmp_path: Path) -> None:
    folder = build(
        tmp_path / "run", Shape(test=4, hard=0, models=("base", "sft")), training=[], pairs=[], contamination={}
    )
    for name in ("run.json", "timings.jsonl", "recipe.yaml"):
        (folder / name).unlink()
    found = Outline(write_report(folder).read_text("utf-8"))
    assert found.faults == []
    shown = {attributes.get("id") for attributes in found.of("section")}
    assert {"scoreboard", "samples", "reading"} <= shown
    assert not shown & {"provenance", "cost", "training", "further", "contamination"}


def test_a_run_without_models_or_datasets_is_still_a_report(tmp_path: Path) -> None:
    (tmp_path / "results.json").write_text(json.dumps({"version": 1, "partial": True, "missing": ["all"]}))
    assert Outline(write_report(tmp_path).read_text("utf-8")).faults == []


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"trainable_parameters": 70_000, "steps": 3}, "Trainable parameters <b>70,000</b>"),
        ({"parameters": 70_000, "trainable_parameters": 70_000}, "Parameters <b>70,000</b>"),
        ({"parameters": "about 2 M", "adapter": {"rank": 8}}, "Parameters <b>about 2 M</b>"),
        ({"chosen_log_prob": "high"}, "Chosen log prob <b>high</b>"),
        ({}, "trained by theirs"),
    ],
)
def test_a_trainer_may_give_other_facts_than_the_built_in_ones(
    tmp_path: Path, facts: dict[str, Any], words: str
) -> None:
    theirs = {"model": "sft", "trainer": "theirs", "facts": facts, "log": []}
    row = {"name": "sft", "from": "base", "how": "theirs", "parameters": facts.get("parameters"), "facts": facts}
    base = {"name": "base", "from": None, "how": "hf", "parameters": 5, "facts": {}}
    shape = Shape(test=4, hard=0, models=("base", "sft"))
    page = write_report(build(tmp_path / "run", shape, models=[base, row], training=[theirs])).read_text("utf-8")
    assert words in page
    assert Outline(page).faults == []
    both = {"parameters", "trainable_parameters"} <= set(facts)
    assert ("Trainable parameters" in page) == ("trainable_parameters" in facts and not both)


def test_several_samples_show_pass_at_k(tmp_path: Path) -> None:
    folder = build(tmp_path / "run", Shape(test=8, hard=0, samples=4, models=("base", "sft")))
    text = write_report(folder).read_text("utf-8")
    assert "pass@4" in text
    assert "maj@1" in text
    assert "maj@4" not in text
    assert "relation" in text


def test_a_section_can_be_added(run_folder: Path, tmp_path: Path) -> None:
    folder = build(tmp_path / "run", Shape(test=4, hard=0, models=("base", "sft")))
    extra = Section(
        "mine", "My <section>", lambda run: reports.html("<p>{{ n }} datasets, {{ name }}</p>", n=1, name="<i>")
    )
    plain = Section("plain", "Plain", lambda run: "One <b>\n\ntwo")
    left_out = Section("none", "Not there", lambda run: " ")
    text = write_report(folder, [*sections_of(load_plugins()), extra, plain, left_out]).read_text("utf-8")
    assert "<p>1 datasets, &lt;i&gt;</p>" in text
    assert "My &lt;section&gt;" in text
    assert "<p>One &lt;b&gt;</p>\n<p>two</p>" in text
    assert "Not there" not in text


def test_a_section_of_a_plugin_stands_where_it_asks_to(tmp_path: Path) -> None:
    folder = build(tmp_path / "run", Shape(test=4, hard=0, models=("base", "sft")))
    plugin = tmp_path / "mine.py"
    plugin.write_text(
        "from mra_bench import hookimpl\n"
        "from mra_bench.report import table\n"
        "def names(run):\n"
        "    return table('Models', ['model', 'place'], [(name, n) for name, n in run.model_order.items()])\n"
        "def fail(run):\n"
        "    raise ValueError('<no>')\n"
        "@hookimpl\n"
        "def register_report_sections(register):\n"
        "    register('names', names, title='Names', after='scoreboard')\n"
        "    register('fail', fail, title='Fails', after='scorebord')\n"
    )
    registry = load_plugins(PluginSettings(named=(str(plugin),)))
    faults: list[SectionFault] = []
    text = write_report(folder, sections_of(registry), faults.append).read_text("utf-8")
    ids = [attributes["id"] for attributes in Outline(text).of("section")]
    assert ids.index("mine-names") == ids.index("scoreboard") + 1
    assert ids.index("mine-fail") == ids.index("samples") - 1
    assert "failed: ValueError: &lt;no&gt;" in text
    assert [str(fault) for fault in faults] == [
        f"The report section 'Fails' of {faults[0].plugin} failed: ValueError: <no>"
    ]
    assert "did you mean 'scoreboard'?" in misplaced(registry)[0]
    with pytest.raises(SectionFault):
        write_report(folder, sections_of(registry))


def test_a_row_with_too_few_cells_is_named() -> None:
    with pytest.raises(ValueError, match="1 cells where the head has 2"):
        reports.table("Two", ["a", "b"], [("a",)])


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    folder = build(tmp_path / "run", Shape(test=4, hard=0, models=("base", "sft")))
    folder.chmod(0o500)
    try:
        with pytest.raises(BenchError, match=r"Cannot write .*report\.html"):
            write_report(folder)
    finally:
        folder.chmod(0o700)


def test_a_report_that_cannot_be_replaced_keeps_nothing_behind(tmp_path: Path) -> None:
    folder = build(tmp_path / "run", Shape(test=4, hard=0, models=("base", "sft")))
    (folder / "report.html").mkdir()
    with pytest.raises(BenchError, match=r"Cannot write .*report\.html"):
        write_report(folder)
    assert not list(folder.glob(".report-*"))


def test_importing_the_report_imports_nothing_heavy() -> None:
    heavy = ("jinja2", "torch", "pandas", "scipy", "numpy")
    code = f"import sys, mra_bench.report; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"


def text_of(page: str, section: str) -> str:
    """The words of one section, tags taken away."""
    inner = re.search(f'<section id="{section}".*?</section>', page, flags=re.S)
    assert inner, section
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", inner.group())).split())


def test_other_graders_have_a_section_of_their_own(tmp_path: Path, page: str) -> None:
    folder = build(tmp_path / "run", Shape(test=40, hard=12, models=("base", "sft")))
    agreements = add_grader(folder)
    shown = write_report(folder).read_text("utf-8")
    assert Outline(shown).faults == []
    words = text_of(shown, "graders")
    for model, counts in agreements.items():
        figures = " ".join(str(counts[key]) for key in ("both", "headline_only", "other_only", "neither", "not_judged"))
        assert re.search(rf"{model} strict .*? {figures} \d", words), (model, figures, words)
    assert words.count("strict") == 4  # two models on two datasets
    assert 'id="graders"' not in page


def test_the_paired_table_says_its_verdict_in_short_words(page: str, run_folder: Path) -> None:
    words = text_of(page, "pairs")
    for pair in read(run_folder)["datasets"][0]["pairs"]:
        verdict = "≈ not told apart" if pair["p_holm"] >= 0.05 else "▲ better" if pair["difference"] > 0 else "▼ worse"
        counts = " ".join(str(pair[key]) for key in ("wins", "losses", "both_right", "both_wrong"))
        row = rf"{pair['b']} over {pair['a']} {verdict} \S+ \S+ to \S+ .*? {counts} "
        assert re.search(row, words), row
        assert pair["conclusion"] not in words


def test_each_dataset_has_its_own_breakdowns_and_kinds(page: str, run_folder: Path) -> None:
    words = text_of(page, "further")
    told_apart = sum(pair["p_holm"] < 0.05 for pair in read(run_folder)["datasets"][1]["pairs"])
    said = f"Here {told_apart} of 6 comparisons tell" if told_apart else "No two models can be told apart here."
    assert said in words
    for caption in ("by subject on arith hard", "by level on arith hard", "each text on arith hard"):
        assert caption in words
    assert "built-in method" not in page


def test_contamination_says_when_nothing_was_trained(tmp_path: Path, page: str) -> None:
    nothing = {"policy": "refuse", "checked": 0, "overlaps": []}
    folder = build(tmp_path / "run", Shape(test=4, hard=0, models=("base",)), contamination=nothing, training=[])
    words = text_of(write_report(folder).read_text("utf-8"), "contamination")
    assert "Nothing was trained in this run" in words
    assert "✓" not in words
    assert "✓ None of the 20,000 training problems" in text_of(page, "contamination")


@pytest.mark.parametrize(("policy", "words"), [("drop", "left out; 90 remained"), ("allow", "as the user allowed")])
def test_overlaps_say_what_became_of_them(tmp_path: Path, policy: str, words: str) -> None:
    overlap = {"train_id": "train/1", "dataset": "test", "problem_id": "test-00001", "rule": "same question"}
    found = {"policy": policy, "checked": 90, "overlaps": [overlap]}
    folder = build(tmp_path / "run", Shape(test=4, hard=0, models=("base", "sft")), contamination=found)
    assert words in text_of(write_report(folder).read_text("utf-8"), "contamination")


def test_the_stamp_and_the_likenesses_are_shown(tmp_path: Path) -> None:
    overlap = {"train_id": "t/<u>1</u>", "dataset": "test", "problem_id": "test-00001", "rule": "holds the question"}
    example = {"train_id": "t/<i>2</i>", "problem_id": "test-00002"}
    listed = {"dataset": "test", "rule": "13-gram", "questions": 1, "in_all": 3, "examples": [example]}
    found = {
        "policy": "allow",
        "checked": 90,
        "overlaps": [overlap | {"source": "solution"}],
        "earlier": [{"model": "sft", **overlap}],
        "listed": [listed, listed | {"rule": "8-gram", "questions": 2, "in_all": 5}],
        "stamped": [{"model": "sft", "dataset": "test", "questions": 1, "problems": 4}],
    }
    folder = build(tmp_path / "run", Shape(test=4, hard=0, models=("base", "sft")), contamination=found)
    page = write_report(folder).read_text("utf-8")
    words = text_of(page, "contamination")
    assert "Contaminated: trained on test questions: sft on 1 of the 4 problems of test." in words
    assert "Listed, not refused: 3 test problems like a training question" in words
    assert "question of sft" in words
    assert "solution" in words
    assert "<u>1</u>" not in page
    assert "<i>2</i>" not in page
    assert page.count("<details>") >= 2


def test_duplicate_questions_are_named(tmp_path: Path, page: str) -> None:
    folder = build(tmp_path / "run", Shape(test=4, hard=0, models=("base", "sft")))
    results = read(folder)
    results["datasets"][0]["duplicates"] = {"repeated": 2, "groups": [["test-00000", "test-00002", "test-00003"]]}
    (folder / "results.json").write_text(json.dumps(results), "utf-8")
    words = text_of(write_report(folder).read_text("utf-8"), "scoreboard")
    assert "2 problems repeat the question of another: test-00000 = test-00002 = test-00003." in words
    assert "the question of another" not in page


def test_one_model_has_no_words_about_comparing(tmp_path: Path) -> None:
    folder = build(tmp_path / "run", Shape(test=4, hard=0, models=("base",)))
    shown = write_report(folder).read_text("utf-8")
    assert 'id="pairs"' not in shown
    assert "paired" not in text_of(shown, "reading")
    assert "Smallest detectable" not in shown
