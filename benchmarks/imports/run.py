"""Other tools' verdicts beside ours on the same stored texts, and the reason for each that differs.

python benchmarks/imports/run.py strict=results --from lm-eval --score strict-match --data gsm8k=test.jsonl --markdown
python benchmarks/imports/run.py gpt3_6b.jsonl gpt3_175b.jsonl --from openai-gsm8k --markdown --json openai.json

Arguments are those of `mra-bench import`, which is carried out in a temporary folder; --score may be given several
times, for one table. The reasons are those of `mra_bench.imports.reasons`, ours the sentence of our grader.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from mra_bench.imports.layouts import read_texts
from mra_bench.imports.reasons import REASONS
from mra_bench.published import differing
from mra_bench.store import write_rows
from mra_bench.tables import align, markdown

HEAD = ["model", "verdicts by", "texts", "published right", "ours right", "differ", "why"]
TEXTS = ["model", "verdicts by", "problem", "published", "ours", "why", "our grader"]


def imported(files: Sequence[str], layout: str, data: str | None, score: str, out: Path) -> Mapping[str, Any]:
    """The results of the import. Raises SystemExit with its message where it fails."""
    command = [sys.executable, "-m", "mra_bench", "import", *files, "--from", layout, "--out", str(out), "--quiet"]
    command += ["--data", data] if data else []
    command += ["--score", score] if score else []
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    found: dict[str, Any] = json.loads((out / "results.json").read_text())
    return found


def models_of(results: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The published verdicts on each model's texts beside ours; `right`: texts that are right here."""
    scores = {score["model"]: score for entry in results["datasets"] for score in entry["scores"]}
    for one in results["published"]["models"]:
        yield {**one, "right": round(scores[one["model"]]["correct"] * scores[one["model"]]["samples"])}


def judged_by_answer(file: str, layout: str, folder: Path) -> str:
    """The same texts with a verdict for each: whether our grader takes the answer that the tool took for right."""
    from mra_bench.imports.golds import equal_golds
    from mra_bench.types import Problem
    from mra_bench.workers import GraderSpec, Limits

    found = list(read_texts(Path(file), layout, {}))
    pairs = [(Problem(text.where, text.question, text.gold or ""), text.answer or "") for text in found]
    right = equal_golds(pairs, GraderSpec("sympy"), Limits())
    rows = (
        {
            "question": p.question,
            "gold": p.answer,
            "text": text.text,
            "extracted": answer,
            "verdict": right[p.id, answer],
        }
        for text, (p, answer) in zip(found, pairs, strict=True)
    )
    write_rows(folder / Path(file).name, rows)
    return str(folder / Path(file).name)


def differing_texts(run: Path) -> Iterator[dict[str, Any]]:
    """Every text on which verdicts differ, with its model."""
    for evaluation in json.loads((run / "run.json").read_text())["plan"]["evaluations"]:
        yield from ({"model": evaluation["model"], **text} for text in differing(run, evaluation))


def row_of(one: Mapping[str, Any]) -> list[str]:
    texts = one["texts"] - one["unsaid"] or one["texts"]
    said, derived = one["unsaid"] < one["texts"], one["both"] + one["derived_only"]
    published = share(one["both"] + one["published_only"], texts) if said else "not said"
    why = "; ".join(f"{count}: {REASONS[name]}" for name, count in one["why"].items())
    differ = f"{one['published_only'] + one['derived_only']:,}" if said else "-"
    ours = share(derived if said else one["right"], texts)
    return [one["model"], one["score"] or "the file", f"{texts:,}", published, ours, differ, why or "-"]


def share(right: int, texts: int) -> str:
    return f"{right:,} ({right / texts:.1%})"


def text_row(text: Mapping[str, Any]) -> list[str]:
    published, derived = text["published"], text["derived"]
    place = f"{text['problem']} sample {text['sample']}" if text["sample"] else text["problem"]
    theirs = f"{'right' if published['correct'] else 'wrong'} ({published['answer'] or 'nothing'})"
    ours = f"{derived['kind']} ({derived['answer'] or 'nothing'}, by {derived['rule'] or 'no rule'})"
    return [text["model"], text["score"], place, theirs, ours, REASONS[text["why"]], derived["reason"]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", metavar="[NAME=]FILE")
    parser.add_argument("--from", dest="layout", required=True)
    parser.add_argument("--data", help="as for `mra-bench import`")
    parser.add_argument("--score", action="append", help="one of the tool's scores; repeatable")
    parser.add_argument("--by-answer", action="store_true", help="files without verdicts: that on the answer they hold")
    parser.add_argument("--markdown", action="store_true")
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep every figure and every text that differs")
    given = parser.parse_args()
    models: list[Mapping[str, Any]] = []
    texts: list[dict[str, Any]] = []
    for score in given.score or [""]:
        with tempfile.TemporaryDirectory() as folder:
            out, files, layout = Path(folder, "run"), given.files, given.layout
            if given.by_answer:
                files, layout = [judged_by_answer(file, layout, Path(folder)) for file in files], "jsonl"
            models += models_of(imported(files, layout, given.data, score, out))
            texts += ({"score": score or "the file", **text} for text in differing_texts(out))
    show = markdown if given.markdown else align
    print(show([HEAD, *map(row_of, models)]))
    if texts:
        print(f"\n{show([TEXTS, *map(text_row, texts)])}")
    if given.json:
        given.json.write_text(json.dumps({"models": models, "texts": texts}, indent=1) + "\n")


if __name__ == "__main__":
    main()
