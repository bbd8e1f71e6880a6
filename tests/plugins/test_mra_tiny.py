"""The embedded models as plugins. Their weights may be absent in a source tree before they have been pretrained."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import mra_tiny
import pytest
from mra_tiny import ARCHITECTURES, load, weights_folder
from mra_transformers.packaged import PackagedOptions
from transformers_kit import block, save

from mra_bench.errors import UsageError
from mra_bench.plugins import load_plugins
from mra_bench.types import Decoding, Model, Problem, PromptStyle

SUM = Problem("sum", "Tom has 3 apples and buys 4 more. How many apples does he have now?", "7")
PACKAGED = Path(mra_tiny.__file__).parent / "weights"


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package folder of the test's own, so that weights can be absent or others."""
    monkeypatch.setattr(mra_tiny, "files", lambda package: tmp_path)
    return tmp_path


def present(arch: str) -> Any:
    here = (PACKAGED / arch / "model.safetensors").is_file()
    return pytest.param(arch, marks=pytest.mark.skipif(not here, reason=f"weights of tiny-{arch} are not made yet"))


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_without_weights_the_error_says_how_to_make_them(elsewhere: Path, arch: str) -> None:
    with pytest.raises(UsageError, match=rf"mra_tiny\.pretrain --arch {arch} --out {elsewhere}"):
        load(arch, PackagedOptions())


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_the_packaged_folder_is_loaded_as_a_plain_base_model(elsewhere: Path, arch: str) -> None:
    folder = save(arch, elsewhere / "weights" / arch)
    assert weights_folder(arch) == folder
    model = load_plugins().resolve("models", f"tiny-{arch}").build({"device": "cpu"})
    assert isinstance(model, Model)
    assert model.checkpoint() == folder
    assert model.identity()["prompt"]["kind"] == "plain"
    assert model.identity()["dtype"] == "fp32"
    assert len(list(model.generate(block((SUM,), Decoding(5), samples=3)))) == 3


def test_options_are_checked() -> None:
    registered = load_plugins().resolve("models", "tiny-qwen2")
    with pytest.raises(UsageError, match="dtype"):
        registered.parse_options({"dtype": "fp8"})
    with pytest.raises(UsageError, match="takes"):
        registered.parse_options({"path": "x"})


@pytest.mark.parametrize("arch", [present(arch) for arch in ARCHITECTURES])
def test_the_embedded_model_is_small_logged_and_has_digits_as_tokens(arch: str) -> None:
    from mra_transformers.loading import load_tokenizer

    folder = weights_folder(arch)
    log = json.loads((folder / "log.json").read_text())
    assert log["arch"] == arch
    assert log["loss"][-1][1] < log["loss"][0][1]
    model = load(arch, PackagedOptions())
    assert 1_000_000 <= model.identity()["environment"]["parameters"] <= 3_000_000
    tokenizer = load_tokenizer(str(folder))
    assert tokenizer.tokenize("0123456789") == list("0123456789")
    assert tokenizer.pad_token_id != tokenizer.eos_token_id
    assert tokenizer.decode(tokenizer(SUM.question).input_ids) == SUM.question


@pytest.mark.parametrize("arch", [present(arch) for arch in ARCHITECTURES])
def test_the_embedded_model_answers_and_ends_by_itself(arch: str) -> None:
    model = load(arch, PackagedOptions(device="cpu"))
    asked = tuple(
        Problem(f"p{n}", f"Tom has {n} apples and buys 4 more. How many apples has he?", "") for n in range(9)
    )
    done = list(model.generate(block(asked, Decoding(120))))
    assert sum(c.finish == "stop" for c in done) >= 7
    assert any(any(letter.isdigit() for letter in c.text) for c in done)
    assert model.render(SUM, PromptStyle()) == f"Question: {SUM.question}\nAnswer:"
