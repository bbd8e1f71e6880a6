"""What --model may name: loaders, folders, files, hub ids; and near misses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mra_bench.errors import UsageError
from mra_bench.loose import DEFAULT_LOADER, loose_recipe
from mra_bench.plugins import PluginSettings, Registry, load_plugins


@pytest.fixture(scope="module")
def registry() -> Registry:
    return load_plugins(PluginSettings())


def entry(what: str, registry: Registry) -> Any:
    return loose_recipe([f"a={what}"], ["arith"], registry)["models"]["a"]


@pytest.mark.parametrize(
    ("what", "close"),
    [("tiny-qwen", "tiny-qwen2"), ("tinyqwen2", "tiny-qwen2"), ("tiny-gtp2", "tiny-gpt2"), ("ecko", "echo")],
)
def test_a_word_that_is_nearly_a_loader_is_refused(what: str, close: str, registry: Registry) -> None:
    with pytest.raises(UsageError) as error:
        entry(what, registry)
    assert f"'{close}'" in str(error.value)
    assert "mra-bench models" in str(error.value)
    assert f"transformers@{what}" in str(error.value)


@pytest.mark.parametrize(
    "what", ["gpt2", "gpt2-medium", "distilgpt2", "openai-gpt", "Qwen/Qwen2.5-0.5B", "me/tiny-qwen"]
)
def test_a_hub_id_with_or_without_a_slash_is_one(what: str, registry: Registry) -> None:
    assert entry(what, registry) == {"model": DEFAULT_LOADER, "options": {"path": what}}


def test_a_loader_by_short_or_full_name_and_with_a_path(registry: Registry) -> None:
    assert entry("tiny-qwen2", registry) == {"model": "tiny-qwen2"}
    assert entry("mra_tiny:tiny-qwen2", registry) == {"model": "mra_tiny:tiny-qwen2"}
    assert entry("echo@a.jsonl", registry) == {"model": "echo", "options": {"path": "a.jsonl"}}
    assert entry("transformers@tiny-qwen", registry)["options"] == {"path": "tiny-qwen"}
    with pytest.raises(UsageError, match="Unknown model loader 'ecko'. Did you mean 'echo'"):
        entry("ecko@a.jsonl", registry)


def test_a_folder_that_is_there_goes_before_a_likeness(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, registry: Registry
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("tiny-qwen").mkdir()
    assert entry("tiny-qwen", registry)["options"] == {"path": "tiny-qwen"}
    assert entry("./tiny-qwen2", registry)["options"] == {"path": "./tiny-qwen2"}


def test_a_name_that_cannot_be_one_is_said_in_a_sentence(registry: Registry) -> None:
    with pytest.raises(UsageError) as error:
        loose_recipe(["a/b=gpt2"], ["arith"], registry)
    assert "got 'a/b'" in str(error.value)
    assert "{" not in str(error.value)


def test_a_file_of_texts_is_scored_by_echo(registry: Registry) -> None:
    with pytest.raises(UsageError, match=r"that is no model\. Is it a file of texts\? Give a=echo@texts\.jsonl"):
        entry("texts.jsonl", registry)
