"""Lets lm-eval answer and judge GSM8K questions from files, without the hub, and keeps every text that it logs.

python benchmarks/imports/make.py --model tiny-qwen2 --questions 200 --data train.jsonl test.jsonl --out results

The task is lm-eval's own `gsm8k`, its prompt, filters and metric: only where the rows come from is another.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

sys.path.insert(0, str(Path(__file__).parents[1] / "lm_eval"))
from sources import as_folder

TASK = "gsm8k_files"


@dataclass(frozen=True)
class Asked:
    """What lm-eval is to do. repeats: texts for each question, drawn at temperature 1 where there are several."""

    model: str
    train: Path
    test: Path
    questions: int
    shots: int
    chat: bool
    repeats: int
    new_tokens: int
    batch: int


def write_task(folder: Path, asked: Asked) -> None:
    """lm-eval's task with the rows of two files."""
    import lm_eval

    own = Path(lm_eval.__file__).parent / "tasks/gsm8k/gsm8k.yaml"
    files = {"train": str(asked.train.resolve()), "test": str(asked.test.resolve())}
    task = {
        "include": str(own),
        "task": TASK,
        "dataset_path": "json",
        "dataset_name": None,
        "dataset_kwargs": {"data_files": files},
        "repeats": asked.repeats,
    }
    (folder / f"{TASK}.yaml").write_text(yaml.safe_dump(task, sort_keys=False))


def command(folder: Path, model: str, asked: Asked, out: Path) -> Sequence[str]:
    drawn = ",do_sample=True,temperature=1.0" if asked.repeats > 1 else ""
    words = [
        sys.executable,
        "-m",
        "lm_eval",
        "run",
        "--model",
        "hf",
        "--model_args",
        f"pretrained={model},dtype=float32",
    ]
    words += ["--device", "cpu", "--tasks", TASK, "--include_path", str(folder), "--num_fewshot", str(asked.shots)]
    words += ["--limit", str(asked.questions), "--batch_size", str(asked.batch), "--log_samples"]
    words += ["--gen_kwargs", f"max_gen_toks={asked.new_tokens}{drawn}", "--output_path", str(out)]
    return words + (["--apply_chat_template"] if asked.chat else [])


def make(asked: Asked, out: Path, scratch: Path) -> Path:
    """The file of samples that lm-eval wrote. Raises CalledProcessError where it fails."""
    write_task(scratch, asked)
    model, _ = as_folder(asked.model, scratch)
    offline = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_DATASETS_CACHE": str(scratch / "cache")}
    subprocess.run(command(scratch, model, asked, out), env=offline, check=True)
    return max(out.rglob(f"samples_{TASK}_*.jsonl"), key=lambda path: path.stat().st_mtime)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help="tiny-qwen2, tiny-gpt2, a folder or a GGUF file")
    parser.add_argument("--data", nargs=2, type=Path, required=True, metavar=("TRAIN", "TEST"))
    parser.add_argument("--questions", type=int, default=200)
    parser.add_argument("--shots", type=int, default=5, help="worked examples in the prompt")
    parser.add_argument("--chat", action="store_true", help="the prompt as the model's chat template has it")
    parser.add_argument("--repeats", type=int, default=1, help="texts for each question")
    parser.add_argument("--new-tokens", type=int, default=256)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--out", type=Path, required=True)
    given = vars(parser.parse_args())
    out, (train, test) = given.pop("out"), given.pop("data")
    with tempfile.TemporaryDirectory() as scratch:
        print(make(Asked(train=train, test=test, **given), out, Path(scratch)))


if __name__ == "__main__":
    main()
