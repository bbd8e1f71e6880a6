"""Families of word problems: each turns a chain of operations into a story and its worked solution.

A family only words things. Which operations occur, with which numbers, is decided in `generator`.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

NAMES = (
    "Ada Ben Cleo Dan Eva Finn Gia Hugo Ida Jon Kim Leo Mia Noah Olga Paul Rosa Sam Tara Uma Vera Will Yara Zoe"
).split()
THINGS = (
    "apples books cards coins eggs flags jars keys lamps marbles nuts pens plums ribbons shells stamps stones tickets"
).split()


@dataclass(frozen=True)
class Step:
    """One operation on the running value: `before` `op` `operand` = `after` (all integers, exact)."""

    op: str
    operand: int
    before: int
    after: int

    def equation(self) -> str:
        return f"{self.before} {self.op} {self.operand} = {self.after}"


Story = tuple[str, str]  # (question, unit of the answer)
Family = Callable[[random.Random, int, list[Step]], Story]


def _pick_two(rng: random.Random) -> tuple[str, str]:
    first, second = rng.sample(NAMES, 2)
    return first, second


def holdings(rng: random.Random, start: int, steps: list[Step]) -> Story:
    """Someone owns things, gets some, gives some away, doubles them, shares them out."""
    name, friend = _pick_two(rng)
    thing = rng.choice(THINGS)
    wording = {
        "+": (f"{name} buys {{n}} more", f"{name} finds {{n}} more", f"{friend} gives {name} {{n}} {thing}"),
        "-": (f"{name} loses {{n}} of them", f"{name} gives {{n}} {thing} to {friend}", f"{name} sells {{n}} of them"),
        "*": (f"{name} works until there are {{n}} times as many", "a prize makes it {n} times as many"),
        "/": (
            f"{name} makes {{n}} equal piles and keeps one pile",
            f"{name} shares them equally among {{n}} people, keeping one share",
        ),
    }
    tail = _sentences(rng, wording, steps)
    opening = rng.choice((f"{name} has {start} {thing}.", f"{name} starts the day with {start} {thing}."))
    closing = rng.choice((f"How many {thing} does {name} have now?", f"How many {thing} does {name} have in the end?"))
    return f"{opening} {tail} {closing}", thing


def shop(rng: random.Random, start: int, steps: list[Step]) -> Story:
    """A bill in dollars that grows, is reduced, multiplied and split."""
    name, friend = _pick_two(rng)
    thing = rng.choice(THINGS)
    wording = {
        "+": ("a bag adds {n} dollars", "a second item adds {n} dollars", "delivery adds {n} dollars"),
        "-": ("a coupon takes off {n} dollars", f"{friend} pays {{n}} dollars of it"),
        "*": (f"{name} orders that {{n}} times over", "the whole order is made {n} times as large"),
        "/": ("the bill is split equally between {n} people", "{n} friends share the bill equally"),
    }
    tail = _sentences(rng, wording, steps)
    closing = (
        f"How many dollars does {name} pay?" if steps[-1].op == "/" else "How many dollars is the bill in the end?"
    )
    return f"{name} chooses a box of {thing} for {start} dollars. {tail} {closing}", "dollars"


def trip(rng: random.Random, start: int, steps: list[Step]) -> Story:
    """A distance planned in kilometres and changed again and again."""
    name, _ = _pick_two(rng)
    vehicle = rng.choice(("bus", "train", "bike", "boat", "truck"))
    wording = {
        "+": (f"then {name} adds {{n}} km for a visit", "a closed road makes it {n} km longer"),
        "-": ("a new bridge makes it {n} km shorter", f"{name} leaves out {{n}} km"),
        "*": (f"{name} decides to ride that {{n}} times", "the plan is made {n} times as long"),
        "/": (f"{name} spreads it equally over {{n}} days and rides one day", "only one of {n} equal parts is ridden"),
    }
    tail = _sentences(rng, wording, steps)
    return f"{name} plans a {vehicle} trip of {start} km. {tail} How many km does {name} ride?", "km"


def boxes(rng: random.Random, start: int, steps: list[Step]) -> Story:
    """A store room without people."""
    thing = rng.choice(THINGS)
    place = rng.choice(("box", "store", "shed", "truck", "basket"))
    wording = {
        "+": ("{n} more are put in", "a worker adds {n}"),
        "-": ("{n} are taken out", "{n} turn out broken and are thrown away"),
        "*": (f"then {{n}} such loads are brought together in one {place}", "the stock becomes {n} times as large"),
        "/": ("they are packed equally into {n} bags and one bag is looked at", "one of {n} equal shares stays"),
    }
    tail = _sentences(rng, wording, steps)
    closing = f"How many {thing} are in the bag?" if steps[-1].op == "/" else f"How many {thing} are there now?"
    return f"A {place} holds {start} {thing}. {tail} {closing}", thing


def comparison(rng: random.Random, start: int, steps: list[Step]) -> Story:
    """A chain of people, each compared with the one before."""
    people = rng.sample(NAMES, len(steps) + 1)
    thing = rng.choice(THINGS)
    sentences = [f"{people[0]} has {start} {thing}."]
    for before, after, step in zip(people, people[1:], steps, strict=False):
        wording = {
            "+": f"{after} has {step.operand} more than {before}.",
            "-": f"{after} has {step.operand} fewer than {before}.",
            "*": f"{after} has {step.operand} times as many as {before}.",
            "/": f"{before} has {step.operand} times as many as {after}.",
        }
        sentences.append(wording[step.op])
    return f"{' '.join(sentences)} How many {thing} does {people[-1]} have?", thing


FAMILIES: tuple[Family, ...] = (holdings, shop, trip, boxes, comparison)


def _sentences(rng: random.Random, wording: Mapping[str, tuple[str, ...]], steps: list[Step]) -> str:
    links = ("", "Then ", "Next ", "After that ", "Later ")
    parts = []
    for step in steps:
        clause = rng.choice(wording[step.op]).format(n=step.operand)
        clause = clause.removeprefix("then ")
        link = rng.choice(links)
        text = link + clause if link else clause[0].upper() + clause[1:]
        parts.append(f"{text}.")
    return " ".join(parts)
