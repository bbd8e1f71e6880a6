"""Evaluations made again in other batches: what differs is counted, and nothing else changes."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from runs import data_hashes, here
from test_looks import killed_when, write
from test_schemas import check

from mra_bench.cli import call
from mra_bench.repeated import repeated_sentences
from mra_bench.repetition import in_blocks
from mra_bench.types import Problem, Request

N = 40
GRADERS = ("--set", "graders=[sympy, {name: sympy, options: {percent_as_number: false}}]")
MOODY = '''
"""A model whose answers depend on which problem stands before them in their block: half of them are right."""
from mra_bench import Completion, hookimpl


class Moody:
    reproducible = True

    def identity(self):
        return {"model": "moody"}

    def checkpoint(self):
        return None

    def render(self, problem, style):
        return problem.question

    def continuation(self, text):
        return text

    def generate(self, block):
        before = [block.requests[-1], *block.requests]
        for neighbour, request in zip(before, block.requests):
            digits = sum(map(int, filter(str.isdecimal, neighbour.problem.id))) + neighbour.sample
            said = f"So it is \\\\boxed{{{7 if digits % 2 else 8}}}."
            yield Completion(request.problem.id, request.sample, said, 3, 4, "stop")


@hookimpl
def register_models(register):
    register("moody", lambda options: Moody())
'''


def run_again(folder: Path, out: str, *more: str) -> tuple[Path, str]:
    """A run of the moody model through the command line, and what it printed."""
    given = ("run", "--plugin", "moody.py", "--model", "m=moody", "--data", "mine.jsonl", "--quiet")
    ended = here(*given, "--set", "block_size=16", *more, "--out", out, cwd=folder)
    assert ended.returncode == 0, ended.stderr
    return folder / out, ended.stdout


def results(run: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((run / "results.json").read_text(encoding="utf-8"))
    return loaded


def rows_of(run: Path, kind: str, name: str) -> dict[tuple[str, int], dict[str, Any]]:
    """Stored rows of the one stage whose folder begins with `name` and a fingerprint."""
    (folder,) = run.glob(f"{kind}/{name}-" + "[0-9a-f]" * 8)
    rows = [json.loads(line) for path in sorted(folder.glob("block-*")) for line in path.read_text().splitlines()]
    return {(row["problem"], row["sample"]): row for row in rows}


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("repeat")
    (folder / "moody.py").write_text(MOODY)
    rows = [{"id": f"q{i:02d}", "question": f"What is 3 + 4, {i}?", "answer": "7"} for i in range(N)]
    write(folder / "mine.jsonl", rows)
    write(folder / "same.jsonl", [{"problem": row["id"], "text": "\\boxed{7}"} for row in rows])
    return folder


@pytest.fixture(scope="module")
def twice(workplace: Path) -> tuple[Path, str]:
    return run_again(workplace, "twice", "--repeat", "2", *GRADERS)


def test_what_differs_is_what_the_stored_rows_say(twice: tuple[Path, str]) -> None:
    run, printed = twice
    (row,) = results(run)["datasets"][0]["repeated"]
    first, again = (rows_of(run, "completions", name) for name in ("m-mine", "m-mine-again-2"))
    assert first.keys() == again.keys()
    assert len(first) == N
    differ = {key for key in first if first[key]["text"] != again[key]["text"]}
    now_right = {key for key in differ if "{7}" in again[key]["text"]}
    assert 0 < len(now_right) < len(differ) < N
    assert (row["texts"], row["texts_differ"]) == (N, len(differ))
    assert (row["gained"], row["lost"]) == (len(now_right), len(differ - now_right))
    assert {(f["problem"], f["sample"]) for f in row["flips"] if f["right"] == "again"} == now_right
    assert {(f["problem"], f["sample"]) for f in row["flips"] if f["right"] == "first"} == differ - now_right
    assert row["accuracy"] == sum("{7}" in text["text"] for text in again.values()) / N
    said = f"m on mine: {len(differ)} of {N} texts and {len(differ)} verdicts differ when the same problems are"
    assert f"Repeated: {said} generated in other batches; " in printed
    check("results", results(run))
    check("run", json.loads((run / "run.json").read_text()))


def test_the_figures_are_those_of_the_first_time(workplace: Path, twice: tuple[Path, str]) -> None:
    once, _ = run_again(workplace, "once", *GRADERS)
    plain, repeated = results(once), results(twice[0])
    assert "repeated" not in plain["datasets"][0]
    del repeated["datasets"][0]["repeated"]
    assert repeated.pop("run")["fingerprint"] != plain.pop("run")["fingerprint"]
    assert repeated == plain
    own = {name: digest for name, digest in data_hashes(once).items() if name != "results.json"}
    assert own.items() <= data_hashes(twice[0]).items()  # the same folders with the same bytes


def test_the_first_grader_alone_judges_a_repetition(twice: tuple[Path, str]) -> None:
    assert len(list(twice[0].glob("grades/*-m-mine-again-2-*"))) == 1
    assert len(list(twice[0].glob("grades/*"))) == 3


def test_its_report_says_it_in_words_and_shows_the_flips(twice: tuple[Path, str]) -> None:
    page = (twice[0] / "report.html").read_text(encoding="utf-8")
    assert '<section id="repeated"' in page
    (sentence,) = repeated_sentences(results(twice[0]))
    assert sentence in page
    flips = results(twice[0])["datasets"][0]["repeated"][0]["flips"]
    assert page.count("right in the repetition only") + page.count("right the first time only") == len(flips)
    assert f'<a href="#data=mine&amp;q={flips[0]["problem"]}">' in page


def requests(count: int) -> list[Request]:
    return [Request(Problem(f"p{i}", "", ""), sample) for i in range(count) for sample in range(2)]


def test_a_repetition_has_other_blocks_of_the_same_requests() -> None:
    asked = requests(50)
    plain = list(in_blocks(asked, 16, seed=0))
    assert [request for block in plain for request in block] == asked
    seen = []
    for repetition, seed in ((2, 0), (3, 0), (2, 1)):
        blocks = list(in_blocks(asked, 16, seed, repetition))
        assert list(map(len, blocks)) == [16] * 6 + [4]
        flat = [request for block in blocks for request in block]
        assert flat not in (asked, *seen)
        assert sorted(flat, key=asked.index) == asked
        assert blocks == list(in_blocks(iter(asked), 16, seed, repetition))
        seen.append(flat)


@pytest.mark.parametrize(("count", "sizes"), [(25, [25, 25]), (1, [1, 1]), (0, [])])
def test_what_fits_one_block_is_cut_in_two(count: int, sizes: list[int]) -> None:
    assert [len(block) for block in in_blocks(requests(count), 64, 0, repetition=2)] == sizes


def test_several_samples_and_times(workplace: Path) -> None:
    more = ("--set", "evaluate.samples=3", "--set", "evaluate.temperature=1", "--repeat", "3")
    run, printed = run_again(workplace, "thrice", *more)
    second, third = results(run)["datasets"][0]["repeated"]
    assert [second["repetition"], third["repetition"]] == [2, 3]
    assert second["texts"] == third["texts"] == 3 * N
    assert second["flips"] != third["flips"]
    assert "(time 3)" in printed
    assert call(["audit", str(run), "--quiet", "--plugin", str(workplace / "moody.py")]) == 0


def test_equal_texts_are_said_to_be_equal(workplace: Path) -> None:
    given = ("run", "--model", "m=echo@same.jsonl", "--data", "mine.jsonl", "--repeat", "2", "--json", "--out", "same")
    ended = here(*given, cwd=workplace)
    assert ended.returncode == 0, ended.stderr
    said = json.loads(ended.stdout.splitlines()[-1])["repeated"]
    assert said == ["m on mine: none of 40 texts differs when the same problems are generated in other batches."]


def test_it_does_not_go_with_until_decided(workplace: Path) -> None:
    models = ("--model", "m=echo@same.jsonl", "--model", "n=echo@same.jsonl", "--data", "mine.jsonl")
    ended = here("run", *models, "--repeat", "2", "--until-decided", cwd=workplace)
    assert ended.returncode == 2
    assert "repeat (--repeat) asks all problems again and until_decided (--until-decided) as few" in ended.stderr


def test_a_dry_run_lists_the_repetitions(workplace: Path) -> None:
    _, printed = run_again(workplace, "dry", "--repeat", "2", "--dry-run")
    assert "generate m-mine-again-2" in printed
    assert "grade sympy-m-mine-again-2" in printed


def test_audit_derives_the_same(twice: tuple[Path, str]) -> None:
    assert call(["audit", str(twice[0]), "--quiet"]) == 0


def forge_flips(run: Path) -> None:
    changed = results(run)
    changed["datasets"][0]["repeated"][0]["lost"] = 0
    (run / "results.json").write_text(json.dumps(changed))


def forge_verdicts(run: Path) -> None:
    (path,) = run.glob("grades/sympy-m-mine-again-2-*/block-00000.jsonl")
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    rows[0]["correct"] = not rows[0]["correct"]
    write(path, rows)


def forge_order(run: Path) -> None:
    (path,) = run.glob("completions/m-mine-again-2-*/block-00000.jsonl")
    write(path, [json.loads(line) for line in path.read_text().splitlines()][::-1])


def forge_number(run: Path) -> None:
    plan = json.loads((run / "run.json").read_text())
    plan["plan"]["repeats"][0]["repetition"] = 3
    (run / "run.json").write_text(json.dumps(plan))


def drop_repeats(run: Path) -> None:
    plan = json.loads((run / "run.json").read_text())
    del plan["plan"]["repeats"]
    (run / "run.json").write_text(json.dumps(plan))


@pytest.mark.parametrize(
    ("forge", "said"),
    [
        (forge_flips, "repeated.m.lost: stored 0; derived"),
        (forge_verdicts, "block-00000.jsonl: q"),
        (forge_order, "other texts; derived those of this block of the repetition"),
        (forge_number, "generated again"),
        (drop_repeats, "plan.fingerprint"),
    ],
)
def test_audit_names_what_was_changed(
    twice: tuple[Path, str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    forge: Callable[[Path], None],
    said: str,
) -> None:
    run = tmp_path / "run"
    shutil.copytree(twice[0], run)
    forge(run)
    assert call(["audit", str(run), "--quiet"]) == 1
    assert said in capsys.readouterr().out


def test_an_unfinished_repetition_is_named(twice: tuple[Path, str], tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(twice[0], run)
    (next(run.glob("grades/sympy-m-mine-again-2-*")) / "stage.json").unlink()
    assert call(["report", str(run)]) == 0
    found = results(run)
    assert found["missing"] == ["m on mine, again 2"]
    assert found["datasets"][0]["repeated"] == []


def test_added_verdicts_leave_repetitions_alone(twice: tuple[Path, str], tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(twice[0], run)
    plugin = Path(__file__).parent / "plugin_package" / "mra_bench_last_word.py"
    ended = here("grade", run, "--plugin", plugin, "--grader", "last-word", "--json")
    assert ended.returncode == 0, ended.stderr
    found = json.loads(ended.stdout)
    assert len(found["folders"]) == 1
    assert found["unscored"] == []


def test_killed_in_a_repetition_it_ends_in_the_same_bytes(workplace: Path, twice: tuple[Path, str]) -> None:
    given = ["run", "--plugin", "moody.py", "--model", "m=moody", "--data", "mine.jsonl", "--set", "block_size=16"]
    given += ["--repeat", "2", *GRADERS, "--out", "killed"]
    patterns = ("killed/completions/m-mine-again-2-*", "killed/grades/sympy-m-mine-again-2-*")
    killed = [killed_when(given, workplace, pattern) for pattern in patterns]
    assert any(killed)
    ended = here(*given, cwd=workplace)
    assert ended.returncode == 0, ended.stderr
    assert data_hashes(workplace / "killed") == data_hashes(twice[0])
