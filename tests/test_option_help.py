"""Options of plugins and keys of a recipe, described from their classes; the page that lists them cannot drift."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from typing import Annotated, Literal

import pytest
from annotated_types import Ge
from pydantic import BaseModel, Field

from mra_bench.cli import call
from mra_bench.option_help import fields_of, options_of
from mra_bench.option_values import option_names
from mra_bench.plugins import PluginSettings, load_plugins

PAGE = Path(__file__).resolve().parent.parent / "docs" / "options.md"


class Inner(BaseModel):
    """Inside. size: how large."""

    size: int = Field(default=3, ge=1, le=9)


class Base(BaseModel):
    """What both take. rate: a rate
    over two lines. name: whose.

    mode: how: fast or slow.
    """

    rate: float = Field(gt=0)
    mode: Literal["fast", "slow"] = "fast"
    name: str | None = None
    inner: Inner | None = None


class Child(Base):
    """A child. rate: its own rate."""

    steps: list[int] = []
    noted: bool = Field(default=True, description="noted at the field")


def test_type_default_and_meaning_of_a_pydantic_model() -> None:
    told = {o.name: (o.type, o.default_text, o.meaning) for o in fields_of(Child)}
    assert told == {
        "rate": ("number > 0", "needed", "its own rate."),
        "mode": ("one of fast, slow", "fast", "how: fast or slow."),
        "name": ("text or none", "none", "whose."),
        "inner": ("mapping or none", "none", ""),
        "inner.size": ("whole number >= 1, <= 9", "3", "how large."),
        "steps": ("list of whole number", "[]", ""),
        "noted": ("true or false", "true", "noted at the field"),
    }
    assert fields_of(Base)[0].meaning == "a rate over two lines."


def test_a_dataclass_and_one_that_json_cannot_describe() -> None:
    @dataclass(frozen=True)
    class Plain:
        """count: how many."""

        count: Annotated[int, Ge(0)] = 2
        words: tuple[str, ...] = field(default=("a",))

    assert [(o.name, o.type, o.default_text, o.meaning) for o in fields_of(Plain)] == [
        ("count", "whole number >= 0", "2", "how many."),
        ("words", "list of text", '["a"]', ""),
    ]

    @dataclass(frozen=True)
    class Odd:
        call: Callable[[int], int] = abs

    assert [o.name for o in fields_of(Odd)] == ["call"]


class Node(BaseModel):
    """A node. size: how large."""

    size: float = inf
    next: Node | None = None


class Left(BaseModel):
    right: Right | None = None


class Right(BaseModel):
    left: Left | None = None
    node: Node = Node()


def test_classes_that_refer_to_themselves() -> None:
    told = [(o.name, o.type, o.default_text, o.meaning) for o in fields_of(Node)]
    assert told == [("size", "number", ".inf", "how large."), ("next", "mapping or none", "none", "")]
    names = [o.name for o in fields_of(Left)]
    assert names == ["right", "right.left", "right.node", "right.node.size", "right.node.next"]

    @dataclass(frozen=True)
    class Holder:
        one: Node | None = None
        two: Node | None = None

    assert [o.name for o in fields_of(Holder)] == ["one", "one.size", "one.next", "two", "two.size", "two.next"]


def test_every_option_of_the_built_in_plugins_has_a_type_and_none_is_left_out() -> None:
    things = [t for t in load_plugins(PluginSettings()).things if t.options is not None]
    assert len(things) >= 7
    for thing in things:
        assert thing.options is not None
        told = {o.name: o for o in options_of(thing)}
        assert set(option_names(thing.options)) <= set(told)
        assert all(o.type for o in told.values()), thing.full_name
        if thing.kind in ("models", "graders"):
            assert all(o.meaning for o in told.values()), thing.full_name


def test_the_page_of_options_is_what_the_classes_say() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mra_bench.option_help"], capture_output=True, text=True, check=True, encoding="utf-8"
    )
    assert PAGE.read_text(encoding="utf-8") == done.stdout, "python -m mra_bench.option_help > docs/options.md"


@pytest.mark.parametrize(("kind", "name"), [("models", "echo"), ("graders", "sympy"), ("trainers", "dpo")])
def test_listings_show_options_with_type_default_and_meaning(
    kind: str, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call([kind, "--json"]) == 0
    thing = next(t for t in json.loads(capsys.readouterr().out) if t["name"] == name)
    assert call([kind]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert thing["options"]
    for option in thing["options"]:
        assert f"{option['name']} {option['type']} [" in text
        assert option["meaning"] in text
    assert call(["plugins", "--options"]) == 0
    assert f"{name}  ({thing['full_name']})" in capsys.readouterr().out
