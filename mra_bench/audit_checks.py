"""What `audit` checks besides verdicts: files and their hashes, the plan and its stages, results and report."""

from __future__ import annotations

import contextlib
import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mra_bench.drawn import ALIKE, Alike
from mra_bench.errors import BenchError, UsageError
from mra_bench.folder import RUN, changed_files
from mra_bench.leaderboard.rows import ROWS, published_data
from mra_bench.notes import NOTES, Notes
from mra_bench.plan import plan_fingerprint
from mra_bench.plugins import Registry
from mra_bench.problem_rows import problems_hash
from mra_bench.problem_sets import look_name
from mra_bench.provenance import versions
from mra_bench.repetition import repeated_name
from mra_bench.results import RESULTS
from mra_bench.store import read_rows, stage_files, stage_record
from mra_bench.stored import stage_of
from mra_bench.stored_rows import problems_of
from mra_bench.work import Stage

REPORT = "report.html"
PLUGIN_SECTION = re.compile(r' data-plugin="([^"]*)">')  # in a page everything shown has its quotes escaped
Difference = tuple[str, Any, Any]  # where in a value, what is stored, what was derived


@dataclass(frozen=True)
class Finding:
    """Something that does not follow: in which file, at which sample or figure, what is stored there and what was
    derived. `maybe`: what else the difference may come from than a change by hand. `damage`: `stored` is what is wrong
    with the file, `derived` how that is known."""

    file: str
    at: str
    stored: str
    derived: str
    maybe: str = ""
    damage: bool = False

    def __str__(self) -> str:
        where = f"{self.file}: {self.at}" if self.at else self.file
        if self.damage:
            return f"{where}: damaged, {self.stored} ({self.derived})"
        maybe = f" (may come from {self.maybe})" if self.maybe else ""
        return f"{where}: stored {self.stored}; derived {self.derived}{maybe}"


@contextlib.contextmanager
def guarded(findings: list[Finding], where: str) -> Iterator[None]:
    """A stored file that cannot be what mra-bench has written is a finding; the other checks go on."""
    try:
        yield
    except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, OSError) as error:
        findings.append(
            Finding(where, "", "not as mra-bench writes it", f"{type(error).__name__}: {error}", damage=True)
        )


def check_files(run: Path, folders: Iterable[str], checked: Counter[str], *, weights: bool = True) -> Iterator[Finding]:
    """Files of finished stages against their recorded hashes; rows that no record knows of. `weights`: whether files of
    models that are no rows must be there."""
    for folder in folders:
        recorded = set((stage_record(run / folder) or {}).get("files", {}))
        checked["files"] += len(recorded)
        for path in changed_files(run, [folder]):
            name = path.relative_to(run).as_posix()
            if not weights and name.startswith("models/") and path.suffix != ".jsonl":
                continue
            now = "another content" if path.is_file() else "no such file"
            yield Finding(name, "", f"the sha256 in {folder}/stage.json", now)
        for path in stage_files(run / folder):
            name = path.relative_to(run / folder).as_posix()
            if path.suffix == ".jsonl" and name not in recorded:
                yield Finding(f"{folder}/{name}", "", "nothing of it in stage.json", "a file with rows")


def check_plan(run: Path, manifest: Mapping[str, Any]) -> Iterator[Finding]:
    """Each stage is what its fingerprint, its folder's name and the plan say it is."""
    for folder in manifest["folders"]:
        record = stage_record(run / folder)
        if record is None:
            continue
        stage = stage_of(run, folder)
        if (stage.folder, stage.fingerprint) != (folder, record["fingerprint"]):
            stored = f"{folder}, fingerprint {record['fingerprint'][:8]}"
            yield Finding(f"{folder}/stage.json", "", stored, f"{stage.folder} from what it records")
        yield from _stage_content(run, stage, folder, record["facts"])
    yield from _evaluations(run, manifest)


def _stage_content(run: Path, stage: Stage, folder: str, facts: Mapping[str, Any]) -> Iterator[Finding]:
    broken: list[Finding] = []
    if stage.kind == "problems":
        now = problems_hash(problems_of(run / folder))
        if now != stage.spec["hash"]:
            yield Finding(f"{folder}/problems.jsonl", "", f"hash {stage.spec['hash'][:8]}", now[:8])
    elif stage.kind == "generate":
        paths = sorted((run / folder).glob("*.jsonl"))
        there: Counter[tuple[str, int]] = Counter()
        tokens, noted, alike = 0, Notes(), Alike(stage.spec)
        for row in (row for path in paths for row in read_safely(path, run, broken)):
            there[row["problem"], row["sample"]] += 1
            tokens += row["tokens"]
            noted.add(row)
            alike.add(row)
        sums = {"texts": there.total(), "tokens": tokens, NOTES: noted.facts().get(NOTES)}
        sums |= alike.facts() if ALIKE in facts else {}  # an earlier mra-bench did not count them
        for path, stored, derived in difference({key: facts.get(key) for key in sums}, sums):
            yield Finding(f"{folder}/stage.json", path, str(stored), str(derived))
        yield from _not_as_asked(run, stage, there)
    yield from broken


def _not_as_asked(run: Path, stage: Stage, there: Counter[tuple[str, int]]) -> Iterator[Finding]:
    """Texts that are missing, there twice, or of a problem or sample that nobody asked for. `there`: how many texts
    there are for each problem and sample."""
    samples = range(stage.spec["samples"])
    asked = {(p.id, k) for p in problems_of(run / stage.inputs[0].folder) for k in samples}
    for problem, sample in sorted(key for key in {*asked, *there} if there[key] != (key in asked)):
        now = "asked for once" if (problem, sample) in asked else "never asked for"
        yield Finding(stage.folder, f"{problem} sample {sample}", f"{there[problem, sample]} texts", now)


def _evaluations(run: Path, manifest: Mapping[str, Any]) -> Iterator[Finding]:
    """Verdicts belong to the texts, and texts to the model and dataset, that the plan names."""
    shape, looks = [], manifest.get("looks", {"problems": []})["problems"]
    for e in (*manifest["evaluations"], *manifest.get("repeats", ())):
        if any(stage_record(run / folder) is None for folder in (e["completions"], *e["grades"])):
            return  # a partial run: its fingerprint covers stages that are not there
        grades = [stage_of(run, folder) for folder in e["grades"]]
        look = e.get("look", 0)
        if look <= 1:
            shape.append([e["dataset"], e["model"], [g.fingerprint for g in grades]])
        at = f"{e['model']} on {look_name(e['dataset'], look)}"
        name = stage_of(run, e["completions"]).name
        if name != repeated_name(f"{e['model']}-{look_name(e['dataset'], look)}", e.get("repetition", 1)):
            yield Finding(RUN, at, at, f"texts of {name}")
        if look and stage_of(run, e["problems"]).fingerprint not in looks[look - 1 : look]:
            yield Finding(RUN, at, e["problems"], f"not the problems of look {look}")
        graders = manifest["graders"][:1] if "repetition" in e else manifest["graders"]
        for folder, stage, grader in zip(e["grades"], grades, graders, strict=True):
            if [s.folder for s in stage.inputs] != [e["completions"], e["problems"]]:
                yield Finding(RUN, at, folder, f"verdicts on {stage.inputs[0].folder}")
            told = f"{grader['name']}@{grader['version']} {json.dumps(grader['options'], sort_keys=True)}"
            recorded = f"{stage.spec['grader']} {json.dumps(stage.spec['options'], sort_keys=True)}"
            if told != recorded:
                yield Finding(RUN, at, f"graded by {told}", recorded)
    now = plan_fingerprint(manifest["name"], manifest["seed"], shape, looks)
    if now != manifest["fingerprint"]:
        yield Finding(RUN, "plan.fingerprint", manifest["fingerprint"][:8], now[:8])


def check_results(run: Path, derived: Mapping[str, Any], checked: Counter[str]) -> Iterator[Finding]:
    """Every figure of results.json against `derived`, what the run with new verdicts gives."""
    try:
        stored = json.loads((run / RESULTS).read_text(encoding="utf-8"))
    except FileNotFoundError:
        yield Finding(RESULTS, "", "nothing", "figures: `mra-bench report` writes them")
        return
    except ValueError as error:
        yield Finding(RESULTS, "", "no JSON", str(error), damage=True)
        return
    yield from _stop(derived)
    checked["figures"] += leaves(derived)
    for path, before, now in sorted(difference(stored, derived), key=lambda found: not found[0].startswith("verdict")):
        yield Finding(RESULTS, path, _short(before), _short(now))


def check_rows(
    run: Path, shadow: Path, derived: Mapping[str, Any], notes: list[str], checked: Counter[str]
) -> Iterator[Finding]:
    """The rows for leaderboards against those of `shadow`, the run with new verdicts, and its results `derived`."""
    try:
        stored = json.loads((run / ROWS).read_text(encoding="utf-8"))
    except FileNotFoundError:
        notes.append(f"There is no {ROWS}; `mra-bench report {run}` writes it")
        return
    except ValueError as error:
        yield Finding(ROWS, "", "no JSON", str(error), damage=True)
        return
    record = json.loads((run / RUN).read_text(encoding="utf-8"))
    now = json.loads(json.dumps(published_data(shadow, record, derived, run)))
    checked["figures"] += leaves(now)
    for path, before, after in difference(stored, now):
        yield Finding(ROWS, path, _short(before), _short(after))


def _stop(derived: Mapping[str, Any]) -> Iterator[Finding]:
    """A run that ends once it knows has ended at the first look that decides, and not before."""
    found = derived.get("sequential")
    if found is None or derived["partial"]:
        return
    first = next((number for number, look in enumerate(found["looks"], start=1) if look["decided"]), None)
    if found["look"] != (first or len(found["looks"])):
        when = f"look {first} decides" if first else "no look decides, so it goes to the last"
        yield Finding(RUN, "looks", f"ended at look {found['look']}", when)


def check_report(run: Path, registry: Registry, notes: list[str], checked: Counter[str]) -> Iterator[Finding]:
    """The report is the page that results.json and the stored rows give, with the sections of the plugins it was
    written with. Another mra-bench may lay it out otherwise, and another plugin too: that is noted, not held against
    the run."""
    from mra_bench.report.data import read_run
    from mra_bench.report.render import render_page
    from mra_bench.report.section import sections_of

    again = f"`mra-bench report {run}` writes it anew"
    try:
        page = (run / REPORT).read_bytes()
        foreign = set(PLUGIN_SECTION.findall(page.decode("utf-8", "replace")))
        sections = [section for section in sections_of(registry) if section.plugin in {"", *foreign}]
        if missing := foreign - {section.plugin for section in sections}:
            notes.append(f"{REPORT} has sections of {', '.join(sorted(missing))}, not installed so; it is not compared")
            return
        now = render_page(read_run(run), sections, on_fault=lambda fault: None).encode()
    except FileNotFoundError:
        notes.append(f"There is no {REPORT}; {again}")
        return
    except (BenchError, UsageError) as error:
        yield Finding(REPORT, "", "a page", f"none: {error}")
        return
    checked["reports"] += 1
    if page == now:
        return
    made_by = json.loads((run / RUN).read_text(encoding="utf-8")).get("versions", {}).get("mra-bench")
    if made_by != versions(["mra-bench"]).get("mra-bench"):
        notes.append(f"{REPORT} was written by mra-bench {made_by} and is not compared; {again}")
    else:
        yield Finding(REPORT, "", "a page", f"another one from {RESULTS} and the stored rows; {again}")


def difference(stored: Any, derived: Any, path: str = "") -> Iterator[Difference]:
    """Where two values of JSON differ, by the names on the way: ``datasets.test.scores.sft.correct``."""
    if isinstance(stored, dict) and isinstance(derived, dict):
        for key in dict.fromkeys([*stored, *derived]):
            yield from difference(stored.get(key), derived.get(key), f"{path}.{key}" if path else str(key))
    elif isinstance(stored, list) and isinstance(derived, list) and len(stored) == len(derived):
        for place, (one, other) in enumerate(zip(stored, derived, strict=True)):
            yield from difference(one, other, f"{path}.{_name(other, place)}")
    elif not _equal(stored, derived):
        yield path, stored, derived


def _name(item: Any, place: int) -> str:
    """An item of a list by what people call it."""
    named = item if isinstance(item, dict) else {}
    if "a" in named and "b" in named:
        return f"{named['b']} against {named['a']}"
    return str(next((named[key] for key in ("name", "model", "value") if isinstance(named.get(key), str)), place))


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, int | float) and not isinstance(other, bool):
        return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-12)
    return bool(one == other) and isinstance(one, bool) == isinstance(other, bool)


def leaves(value: Any) -> int:
    """How many numbers and words a value of JSON holds."""
    if isinstance(value, dict | list):
        items: Iterable[Any] = value.values() if isinstance(value, dict) else value
        return sum(map(leaves, items))
    return 1


def read_safely(path: Path, run: Path, findings: list[Finding]) -> Iterator[dict[str, Any]]:
    """The rows of a file that may be damaged: those before the damage, and a finding that says where it is."""
    count = 0
    try:
        for row in read_rows(path):
            yield row
            count += 1
    except (ValueError, OSError) as error:
        where = path.relative_to(run).as_posix()
        findings.append(Finding(where, f"line {count + 1}", "no JSON", str(error), damage=True))


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 200 else text[:197] + "..."
