"""The questions, and the model as a folder that every system can load."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

from mra_transformers.dequantised import write_folder
from mra_transformers.source import locate

from mra_bench.errors import UsageError

GSM8K = Path(__file__).parents[3] / "shared" / "data" / "gsm8k" / "test.jsonl"
EMBEDDED = ("tiny-qwen2", "tiny-gpt2")


def questions(path: Path | None, count: int) -> tuple[str, ...]:
    """The first `count` questions of a file with a JSON object ``{"question": ...}`` a line, or, without a file, of the
    test split of the embedded dataset. Raises UsageError for a file that cannot be used or holds fewer."""
    if path is None:
        from mra_arith import load

        return tuple(problem.question for problem in itertools.islice(load("test", None), count))
    try:
        with path.open(encoding="utf-8") as file:
            found = tuple(json.loads(line)["question"] for line in itertools.islice(file, count))
    except OSError as error:
        raise UsageError(f"Cannot read {path}: {error.strerror}. Name the file of questions with --data.") from None
    except (ValueError, KeyError, TypeError):
        raise UsageError(f"{path} does not hold a JSON object with a 'question' on each line.") from None
    if len(found) < count:
        raise UsageError(f"{path} holds {len(found)} questions, fewer than the {count} of --questions.")
    return found


def as_folder(model: str, scratch: Path) -> tuple[str, str]:
    """The model as a folder of safetensors, and its GGUF file or "". The weights of a GGUF file are written to
    `scratch`, in fp32, so that each system starts from the same numbers. Raises UsageError for no usable model."""
    if model in EMBEDDED:
        from mra_tiny import weights_folder

        return str(weights_folder(model.removeprefix("tiny-"))), ""
    source = locate(model)
    if not source.gguf:
        return str(source.folder), ""
    folder = scratch / source.name
    write_folder(Path(model), folder)
    return str(folder), str(source.folder / source.gguf)


def tokenizer_of(model: str) -> Any:
    """The model's tokenizer."""
    from mra_transformers.loading import load_tokenizer

    return load_tokenizer(model)
