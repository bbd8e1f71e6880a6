"""Python code that comes with a model: run only where the user asks for it, and then at the commit that was read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from hub_server import Repository, files_of, hub
from mra_transformers import Options, load, source
from mra_transformers.loading import load_causal_lm
from transformers_kit import block, problems, save

from mra_bench.errors import UsageError
from mra_bench.types import Decoding

CODE = """
from pathlib import Path
from transformers import Qwen2Config, Qwen2ForCausalLM
Path({mark!r}).write_text("ran")
class OwnConfig(Qwen2Config):
    model_type = "own"
class OwnModel(Qwen2ForCausalLM):
    config_class = OwnConfig
"""
ASKED = block(problems(3), Decoding(6))


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A model that only its own code can build; the file `ran` beside it tells whether that code was run."""
    from transformers import dynamic_module_utils

    monkeypatch.setattr(dynamic_module_utils, "HF_MODULES_CACHE", str(tmp_path / "modules"))
    monkeypatch.syspath_prepend(str(tmp_path / "modules"))
    folder = save("qwen2", tmp_path / "model")
    (folder / "own.py").write_text(CODE.format(mark=str(tmp_path / "ran")))
    edit(folder / "config.json", model_type="own", auto_map={"AutoConfig": "own.OwnConfig", **CAUSAL})
    return folder


CAUSAL = {"AutoModelForCausalLM": "own.OwnModel"}


def edit(file: Path, **values: Any) -> None:
    file.write_text(json.dumps(json.loads(file.read_text()) | values))


def test_it_is_not_run_unless_asked_for(own: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="never run unless you ask for it.* trust_remote_code: true"):
        load(Options(path=str(own)))
    assert not (tmp_path / "ran").exists()


def test_with_the_flag_it_is_run_recorded_and_not_trained(own: Path, tmp_path: Path) -> None:
    trusted = load(Options(path=str(own), trust_remote_code=True, prompt="plain", dtype="fp32"))
    identity = trusted.identity()
    assert identity["own_code"] is True
    assert "own.py" in identity["weights"]["sha256"]
    assert trusted.checkpoint() is None
    assert len(list(trusted.generate(ASKED))) == 3
    assert (tmp_path / "ran").read_text() == "ran"
    plain = save("qwen2", tmp_path / "plain")
    assert "own_code" not in load(Options(path=str(plain))).identity()
    theirs = load_causal_lm(str(own), device="cpu", dtype="fp32", own_code=True)
    ours = load_causal_lm(str(plain), device="cpu", dtype="fp32")
    ids = torch.tensor([[3, 4, 5, 6]])
    assert type(theirs).__name__ == "OwnModel"
    assert torch.equal(theirs(ids).logits, ours(ids).logits)
    (own / "own.py").write_text((own / "own.py").read_text() + "# changed\n")
    assert load(Options(path=str(own), trust_remote_code=True)).identity()["weights"] != identity["weights"]


@pytest.mark.parametrize("name", ["config.json", "tokenizer_config.json"])
def test_code_of_another_repository_is_refused(own: Path, name: str) -> None:
    edit(own / name, auto_map={"AutoTokenizer": ["someone/else--evil.T", None]})
    with pytest.raises(UsageError, match=f"names code of another repository .*{name}"):
        load(Options(path=str(own), trust_remote_code=True))


def test_of_the_hub_it_is_fetched_and_run_only_at_a_whole_commit(
    own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with hub() as served:
        repository = Repository(files_of(own))
        served.repositories["models", "someone/own"] = repository
        served.use_here(monkeypatch, tmp_path)
        source._hub.cache_clear()
        for revision in (None, "main", repository.commit[:12]):
            with pytest.raises(UsageError, match="name the commit that you have read"):
                load(Options(path="someone/own", revision=revision, trust_remote_code=True))
        assert served.requests == []
        model = load(Options(path="someone/own", revision=repository.commit, trust_remote_code=True))
        assert model.identity()["environment"]["commit"] == repository.commit
        assert len(list(model.generate(ASKED))) == 3
        assert [request for request in served.requests if request.endswith("own.py")]
        source._hub.cache_clear()
