"""What is measured, and one measurement of it in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

CHILD = Path(__file__).with_name("child.py")


@dataclass(frozen=True)
class System:
    """One way to generate. kind: a key of `systems.SYSTEMS`; rows: sequences in a batch, 0 where the system decides."""

    kind: str
    rows: int = 0

    @property
    def name(self) -> str:
        """As on the command line: ``lm-eval:16``."""
        return f"{self.kind}:{self.rows}" if self.rows else self.kind


@dataclass(frozen=True)
class Work:
    """What every system is asked for: `samples` texts for each question, greedy where the temperature is 0.
    block: texts that our engine is given at a time, as the program does."""

    questions: tuple[str, ...]
    samples: int
    new_tokens: int
    temperature: float
    seed: int
    block: int


@dataclass(frozen=True)
class Setting:
    """How every system is run. model: a folder; gguf: the file it came from, or ""; dtype: "bf16", "fp16", "fp32"."""

    model: str
    gguf: str
    dtype: str
    device: str
    threads: int


@dataclass(frozen=True)
class Outcome:
    """What one measurement gave. `texts`: question by question, the samples of one side by side, stripped. `seconds`:
    generation alone; `start`: import, loading and warm-up. `peak`: bytes of memory the process had at most, start
    included. `error`: why there is no result, and then all else is empty."""

    seconds: float = 0.0
    start: float = 0.0
    peak: int = 0
    texts: tuple[str, ...] = ()
    error: str = ""


def environment(threads: int) -> dict[str, str]:
    """The variables of a measurement: threads, which sleep while they wait, and no network."""
    fixed = {"OMP_WAIT_POLICY": "PASSIVE", "TOKENIZERS_PARALLELISM": "false", "HF_HUB_OFFLINE": "1"}
    return {**os.environ, **fixed, "OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads)}


def measure(system: System, setting: Setting, work: Work, limit: float) -> Outcome:
    """One measurement; after `limit` seconds, start included, its process is killed."""
    with tempfile.TemporaryDirectory() as folder:
        job, answer = Path(folder, "job.json"), Path(folder, "outcome.json")
        job.write_text(json.dumps({"system": asdict(system), "setting": asdict(setting), "work": asdict(work)}))
        command = [sys.executable, str(CHILD), str(job), str(answer)]
        try:
            done = subprocess.run(
                command, env=environment(setting.threads), timeout=limit, capture_output=True, text=True
            )
        except subprocess.TimeoutExpired:
            return Outcome(error=f"no result in {limit:g} s")
        if not answer.is_file():
            return Outcome(error=last_line(done.stderr) or f"ended with status {done.returncode}")
        return outcome(json.loads(answer.read_text()))


def outcome(data: dict[str, Any]) -> Outcome:
    """An outcome from its JSON form."""
    return Outcome(**{**data, "texts": tuple(data.get("texts", ()))})


def last_line(text: str) -> str:
    """The last line that is not blank, or "": of a traceback, the error."""
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "")
