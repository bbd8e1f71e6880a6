"""Models of the hub, fetched for real from a hub on this machine."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hub_server import Hub, Repository, files_of, hub
from mra_transformers import Options, load, source
from mra_transformers.loading import load_causal_lm
from mra_transformers.source import locate
from runs import bench
from transformers_kit import block, problems, save

from mra_bench.errors import BenchError, UsageError
from mra_bench.types import Decoding

EMBEDDED = Path(__file__).parents[2] / "plugins" / "mra_tiny" / "weights" / "gpt2"
MODEL = "models", "someone/tiny"


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The files of a small model of random weights."""
    return files_of(save("qwen2", tmp_path_factory.mktemp("models") / "qwen2"))


@pytest.fixture
def served(small: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub with the small model as `someone/tiny`, in use by this process."""
    with hub() as running:
        running.repositories[MODEL] = Repository(small)
        running.use_here(monkeypatch, tmp_path)
        source._hub.cache_clear()
        yield running
        source._hub.cache_clear()


def test_a_hub_id_is_the_same_model_as_its_folder_and_tells_its_commit(served: Hub, small, tmp_path: Path) -> None:
    folder = tmp_path / "tiny"
    for name, content in small.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    model, same = load(Options(path="someone/tiny")), load(Options(path=str(folder)))
    assert served.requests == []
    here, there = same.identity(), model.identity()
    assert there["environment"]["commit"] == served.repositories[MODEL].commit
    assert here["environment"]["commit"] is None
    assert {**there, "environment": None} == {**here, "environment": None}
    wanted = block(problems(2), Decoding(4))
    assert list(model.generate(wanted)) == list(same.generate(wanted))


def test_a_process_keeps_to_the_commit_it_began_with(served: Hub, small: dict[str, bytes]) -> None:
    first = locate("someone/tiny")
    served.repositories[MODEL] = Repository({**small, "model.safetensors": b"another"})
    served.requests.clear()
    assert locate("someone/tiny") == first
    assert load_causal_lm("someone/tiny", device="cpu").config.model_type == "qwen2"
    assert served.requests == []
    source._hub.cache_clear()
    assert locate("someone/tiny").commit == served.repositories[MODEL].commit
    assert locate("someone/tiny", first.commit) == first


def without(files: dict[str, bytes], name: str, **more: bytes) -> Repository:
    return Repository({path: content for path, content in files.items() if path != name} | more)


def test_a_model_of_pickles_only_is_refused_and_they_are_not_fetched(served: Hub, small: dict[str, bytes]) -> None:
    served.repositories[MODEL] = without(small, "model.safetensors", **{"pytorch_model.bin": b"pickle"})
    with pytest.raises(UsageError, match=r"someone/tiny of the hub are only there as pytorch_model.bin, a pickle"):
        locate("someone/tiny")
    assert not [request for request in served.requests if "pytorch_model.bin" in request]


def test_a_model_of_gguf_files_only_says_so(served: Hub, small: dict[str, bytes]) -> None:
    served.repositories[MODEL] = Repository({"config.json": small["config.json"], "tiny-q4.gguf": b"GGUF"})
    with pytest.raises(UsageError, match=r"No weights in the model someone/tiny .* the file tiny-q4.gguf instead"):
        locate("someone/tiny")


def test_a_model_that_needs_its_own_code_is_refused_and_it_is_not_fetched(served: Hub, small: dict[str, bytes]) -> None:
    config = json.loads(small["config.json"]) | {"model_type": "evil", "auto_map": {"AutoConfig": "evil.C"}}
    code = {"config.json": json.dumps(config).encode(), "evil.py": b"raise SystemExit('ran')"}
    served.repositories[MODEL] = Repository(small | code)
    with pytest.raises(UsageError, match="needs Python code that comes with it .* is never run"):
        locate("someone/tiny")
    assert not [request for request in served.requests if "evil.py" in request]


def test_a_refusal_names_the_id_the_revision_and_why(served: Hub) -> None:
    with pytest.raises(BenchError, match="no folder 'someone/tiny', .* at revision v9: it has no revision 'v9'"):
        load(Options(path="someone/tiny", revision="v9")).identity()
    with pytest.raises(BenchError, match="no folder 'someone/tinny', .* of this name: there is none that you may read"):
        load(Options(path="someone/tinny")).identity()


def run(place: Path, environment: dict[str, str], model: str, *more: str) -> Any:
    arguments = ("run", "--model", f"a={model}", "--data", "arith", "--limit", "4", *more)
    return bench(*arguments, cwd=place, timeout=3000, **environment)


def test_a_run_fetches_a_model_records_its_commit_and_goes_again_without_the_hub(tmp_path: Path) -> None:
    with hub() as served:
        repository = Repository(files_of(EMBEDDED))
        served.repositories["models", "someone/tiny-gpt2"] = repository
        done = run(tmp_path, served.environment(tmp_path), "someone/tiny-gpt2", "--out", "one")
        assert done.returncode == 0, done.stderr
        assert len([r for r in served.requests if r.startswith("GET") and r.endswith("model.safetensors")]) == 1
        assert len([r for r in served.requests if "/api/models/" in r]) == 2, "asked once, though used many times"
    again = run(tmp_path, served.environment(tmp_path, offline=True), "someone/tiny-gpt2", "--out", "two")
    assert again.returncode == 0, again.stderr
    assert not [line for line in (done.stderr + again.stderr).splitlines() if "http" in line or "it/s" in line]
    records = [json.loads((tmp_path / out / "run.json").read_text()) for out in ("one", "two")]
    assert records[0]["models"] == records[1]["models"]
    assert records[0]["models"]["a"]["environment"]["commit"] == repository.commit
    assert records[0]["plan"]["fingerprint"] == records[1]["plan"]["fingerprint"]
    texts = [next((tmp_path / out / "completions").rglob("*.jsonl")).read_bytes() for out in ("one", "two")]
    assert texts[0] == texts[1]


def test_what_the_hub_refuses_is_one_line_on_the_terminal(tmp_path: Path) -> None:
    with hub() as served:
        files = {"config.json": b"{}", "model.safetensors": b"w" * 1000}
        served.repositories["models", "someone/cut"] = Repository(files, cut=frozenset({"model.safetensors"}))
        served.repositories["models", "someone/gated"] = Repository(files, gated=403)
        environment = served.environment(tmp_path)
        told = {
            name: run(tmp_path, environment, f"someone/{name}", "--out", "none") for name in ("cut", "gated", "unknown")
        }
    told["away"] = run(tmp_path, environment, "someone/away", "--out", "none")
    reasons = {
        "cut": "the connection broke off",
        "gated": "it is gated",
        "unknown": "there is none that you may read",
        "away": f"{served.url} cannot be reached",
    }
    for name, done in told.items():
        assert done.returncode == 1
        assert done.stdout == ""
        (line,) = done.stderr.splitlines()
        assert line.startswith(f"Error: There is no folder 'someone/{name}', and the hub gave no model of this name: ")
        assert reasons[name] in line
    assert not (tmp_path / "none").exists()


def test_a_model_only_half_of_which_is_in_the_cache_is_told_offline(served: Hub, tmp_path: Path, monkeypatch) -> None:
    folder = locate("someone/tiny").folder
    source._hub.cache_clear()
    (folder / "model.safetensors").unlink()
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(BenchError, match="HF_HUB_OFFLINE is set|No weights in the model"):
        locate("someone/tiny")
    shutil.rmtree(tmp_path / "hub")
    with pytest.raises(BenchError, match="HF_HUB_OFFLINE is set, and the hub's cache"):
        locate("someone/tiny")
