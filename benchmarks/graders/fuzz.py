"""Random texts against the answer checker, each call watched from outside: reports hangs, crashes, exceptions, slow
calls and growth in memory.

    python fuzz.py --data DATA_FOLDER --seconds 600 --seed 1

DATA_FOLDER holds datasets as */test.jsonl with an "answer" in each row. Exit code 1 when anything failed.
"""

from __future__ import annotations

import argparse
import heapq
import json
import multiprocessing
import multiprocessing.connection
import random
import resource
import sys
import time
import traceback
from collections import Counter
from pathlib import Path

from mra_sympy import equivalent, extract, grade

from mra_bench.types import Problem

NUMBERS = [
    "0",
    "1",
    "2",
    "7",
    "10",
    "400",
    "2000",
    "10^9",
    "10^{10^8}",
    "9^{9^9}",
    "9**9**9**9",
    "0.5",
    "1e9999",
    "1e999999999",
    ".3",
    "1,000",
    "50\\%",
    "2000!",
    "10!!",
    "-1",
    "\\infty",
    "\\pi",
    "e",
    "i",
    "½",
    "三",
    "٣",
    "१२",
]
ATOMS = [
    "x",
    "y",
    "n",
    "k",
    "C",
    "f(x)",
    "x_1",
    "\\theta",
    "\\alpha'",
    "\\vec{i}",
    "\\hat{j}",
    "\\overline{z}",
    "cm",
    "\\text{ cm}",
    "\\$",
    "\\emptyset",
    "\\mathbb{Z}",
    "A",
    "(B)",
    "twelve",
    "half past three",
    "3:30 pm",
    "yes",
]
FORMS = [
    "\\frac{%s}{%s}",
    "\\sqrt{%s}",
    "\\sqrt[%s]{%s}",
    "(%s)^{%s}",
    "%s^%s",
    "%s_{%s}",
    "\\left(%s, %s\\right)",
    "[%s, %s)",
    "\\{%s, %s\\}",
    "|%s|",
    "\\lfloor %s \\rfloor",
    "\\binom{%s}{%s}",
    "%s!",
    "\\log_{%s} %s",
    "\\sin(%s)",
    "\\arctan %s",
    "\\begin{pmatrix} %s & %s \\\\ %s & %s \\end{pmatrix}",
    "\\begin{cases} %s & x < %s \\\\ %s & x \\ge %s \\end{cases}",
    "\\sum_{k=%s}^{%s} %s",
    "\\prod_{n=%s}^{%s} (%s)",
    "\\int_{%s}^{%s} %s dx",
    "\\lim_{x\\to %s} %s",
    "\\sum_{n=%s}^{\\infty} %s",
    "%s \\pm %s",
    "%s \\mp %s",
    "%s = %s",
    "%s < %s",
    "%s \\le x \\le %s",
    "%s \\ne %s",
    "%s + %s",
    "%s - %s",
    "%s %s",
    "%s \\cdot %s",
    "%s \\times %s",
    "%s / %s",
    "%s:%s",
    "%s, %s",
    "%s; %s",
    "%s and %s",
    "%s or %s",
    "%s \\cup %s",
    "%s \\cap %s",
    "%s \\setminus %s",
    "x \\equiv %s \\pmod{%s}",
    "%s \\bmod %s",
    "\\gcd(%s, %s)",
    "\\max(%s, %s)",
    "%s, k \\in \\mathbb{Z}",
    "%s, where %s is an integer",
    "\\{x | %s\\}",
    "%s^\\circ",
    "\\boxed{%s}",
    "\\text{%s}",
    "$%s$",
    "\\(%s\\)",
    "f^{-1}(%s)",
    "g(%s)",
    "\\overline{%s}",
    "\\det %s",
    "%s^T",
    "\\mathrm{%s}",
]
PROSE = [
    "The answer is %s.",
    "#### %s",
    "So %s = %s.",
    "**%s**",
    "Final Answer: %s\n",
    "Wait, it is actually %s.",
    "<think>%s",
    "</think>%s",
    "Therefore, \\boxed{%s}",
    "Option %s is correct",
    "Question: %s\n",
    "%s is greater than %s",
    "The answer is %s, because %s",
    "Hence %s and %s are the solutions.",
    "答案是%s。",
    "\\[ %s \\]",
]
ODD = [
    "\0",
    "\u202e",
    "\u200b",
    "\ud800",
    "e\u0301" * 5,
    "\u0338",
    "\\",
    "{",
    "}",
    "$",
    "\\begin{",
    "\\end{pmatrix}",
    "(",
    ")",
    "|",
    " " * 50,
    "\n" * 20,
    ", " * 10,
    "\\pm" * 5,
    "-" * 40,
    "=" * 30,
    "'" * 30,
    "^" * 10,
    "_" * 10,
    "^{",
    "\\frac",
    "\\left",
    ".",
    "...",
    "\\ldots",
    "&",
    "%",
    "~",
    "\\,",
    "\u3000",
    "！",
    "𝟙𝟚",
    "①②",
    "ⅷ",
    "\r",
    "\x85",
    "\u2028",
]
KINDS = ["", "number", "expression", "choice", "set", "tuple", "interval", "matrix", "text", "list", "equation"]

MEMORY = 4 << 30  # bytes that a child may have, so that a runaway call does not take the machine with it


class Texts:
    """Random answers and random solution texts, all from one seed."""

    def __init__(self, seed: int, golds: list[str]) -> None:
        self.random, self.golds = random.Random(seed), golds

    def answer(self, depth: int = 0) -> str:
        dice = self.random.random()
        if dice < 0.25 and self.golds:
            return self.mutated(self.random.choice(self.golds)) if dice < 0.15 else self.random.choice(self.golds)
        if depth > 3 or dice < 0.5:
            return self.random.choice(NUMBERS if dice < 0.4 else ATOMS)
        form = self.random.choice(FORMS)
        text = form.replace("%s", "\0\0")
        while "\0\0" in text:
            text = text.replace("\0\0", self.answer(depth + 1), 1)
        return self.mutated(text) if dice > 0.93 else text

    def mutated(self, text: str) -> str:
        for _ in range(self.random.randint(1, 3)):
            place, other = sorted(self.random.choices(range(len(text) + 1), k=2))
            kind = self.random.randrange(5)
            if kind == 0:
                text = text[:place] + text[other:]
            elif kind == 1:
                text = text[:place] + self.random.choice(ODD) + text[place:]
            elif kind == 2:
                text = text[:place] + text[place:other] * self.random.choice((2, 5, 50)) + text[other:]
            elif kind == 3:
                text = text[:place] + self.random.choice(NUMBERS + ATOMS) + text[other:]
            else:
                text = text[:place] + text[place:other][::-1] + text[other:]
        return text[:20_000]

    def prose(self) -> str:
        parts = []
        for _ in range(self.random.randint(1, 6)):
            text = self.random.choice(PROSE)
            while "%s" in text:
                text = text.replace("%s", self.answer(1).replace("%s", ""), 1)
            parts.append(text)
        text = self.random.choice((" ", "\n", "\n\n", "")).join(parts)
        return self.mutated(text) if self.random.random() < 0.3 else text

    def call(self) -> tuple[str, ...]:
        """A function's name and its texts."""
        dice = self.random.random()
        if dice < 0.5:
            one = self.answer()
            other = self.mutated(one) if self.random.random() < 0.5 else self.answer()
            return ("equivalent", one, other)
        if dice < 0.8:
            gold = self.answer(2)
            return (
                "grade",
                gold,
                self.prose().replace("7", gold) if dice < 0.6 else self.prose(),
                self.random.choice(KINDS),
            )
        return ("extract", self.prose(), self.random.choice(KINDS))


def perform(call: tuple[str, ...]) -> object:
    """Make one call of the checker."""
    if call[0] == "equivalent":
        return equivalent(call[1], call[2])
    if call[0] == "grade":
        return grade(Problem("1", "How many?", call[1], expects=call[3] if len(call) > 3 else ""), call[2])
    return extract(*call[1:])


def serve(pipe: multiprocessing.connection.Connection) -> None:
    """The child: a call in; its seconds, its peak memory in MB and its exception ("" for none) out."""
    perform(("equivalent", "x+1", "1+x"))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    pipe.send(None)
    while True:
        call = pipe.recv()
        start, failure = time.perf_counter(), ""
        try:
            perform(call)
        except BaseException:
            failure = traceback.format_exc()
        pipe.send((time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, failure))


class Watched:
    """The child and what to do when it does not answer."""

    def __init__(self, limit: float) -> None:
        self.limit = limit
        self.start()

    def start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=serve, args=(theirs,), daemon=True)
        self.process.start()
        theirs.close()
        self.pipe.recv()
        self.memory = 0

    def close(self) -> None:
        self.process.kill()
        self.process.join()

    def ask(self, call: tuple[str, ...]) -> tuple[float, int, str]:
        """Seconds, growth of the peak memory in MB, and what went wrong: a traceback, "hang", "died" or ""."""
        try:
            self.pipe.send(call)
            if self.pipe.poll(self.limit):
                seconds, memory, failure = self.pipe.recv()
                grown, self.memory = memory - self.memory if self.memory else 0, memory
                return seconds, grown, failure
            failure = "hang"
        except (EOFError, OSError):
            failure = "died"
        self.close()
        self.start()
        return self.limit, 0, failure


def golds(folder: Path) -> list[str]:
    """The gold answers of every dataset in the folder."""
    found: set[str] = set()
    for path in sorted(folder.glob("*/test.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            answer = json.loads(line).get("answer")
            if isinstance(answer, str | int | float):
                found.add(str(answer).rpartition("####")[2].strip())
    return sorted(found)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder with */test.jsonl")
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--limit", type=float, default=5, help="seconds after which a call is a hang")
    parser.add_argument("--slow", type=float, default=1, help="seconds from which a call is a fault")
    parser.add_argument("--grown", type=int, default=300, help="megabytes more in one call that are a fault")
    options = parser.parse_args()
    texts = Texts(options.seed, golds(options.data) if options.data else [])
    watched, calls = Watched(options.limit), 0
    slowest: list[tuple[float, tuple[str, ...]]] = []
    faults: Counter[str] = Counter()
    end = time.monotonic() + options.seconds
    while time.monotonic() < end:
        call = texts.call()
        seconds, grown, failure = watched.ask(call)
        calls += 1
        heapq.heappush(slowest, (seconds, call))
        if len(slowest) > 20:
            heapq.heappop(slowest)
        fault = "\n".join(failure.strip().splitlines()[-3:]) if failure else ""
        fault = fault or (f"slow, {seconds:.1f} s" if seconds > options.slow else "")
        fault = fault or (f"{grown} MB more" if grown > options.grown else "")
        if fault:
            faults["slow" if fault.startswith("slow") else fault] += 1
            print(f"FAULT {fault}\n  {call!r:.3000}", flush=True)
    watched.close()
    print(f"seed {options.seed}: {calls} calls, {sum(faults.values())} faults")
    for fault, count in faults.most_common():
        print(f"{count:6} {fault}")
    for seconds, call in sorted(slowest, reverse=True):
        print(f"{seconds:8.3f} s  {call!r:.400}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
