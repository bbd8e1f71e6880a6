"""Repositories fetched for real from a hub on this machine, and every way in which it may refuse."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hub_server import Hub, Repository, hub

from mra_bench.hub import HubError, Snapshot, download, file_names

FILES = {"config.json": b"{}", "model.safetensors": b"w" * 5000, "notes.md": b"n", "onnx/config.json": b"{}"}


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub with the model and the dataset `someone/thing`, in use by this process."""
    with hub() as running:
        running.repositories["models", "someone/thing"] = Repository(FILES)
        running.repositories["datasets", "someone/thing"] = Repository({"train.jsonl": b"{}"})
        running.use_here(monkeypatch, tmp_path)
        yield running


def names(snapshot: Snapshot) -> set[str]:
    return {p.relative_to(snapshot.folder).as_posix() for p in snapshot.folder.rglob("*") if p.is_file()}


def change(served: Hub, **facts: object) -> None:
    for key, repository in served.repositories.items():
        served.repositories[key] = dataclasses.replace(repository, **facts)  # type: ignore[arg-type]


def test_a_whole_repository_or_some_of_its_files(served: Hub) -> None:
    some = download("someone/thing", "model", only=("*.json", "*.safetensors"))
    assert names(some) == {"config.json", "model.safetensors"}
    assert some.commit == served.repositories["models", "someone/thing"].commit
    assert (some.folder / "model.safetensors").read_bytes() == FILES["model.safetensors"]
    assert names(download("someone/thing", "model")) == set(FILES)
    assert names(download("someone/thing", "dataset")) == {"train.jsonl"}
    assert file_names("someone/thing", "model", some.commit) == sorted(FILES)
    assert file_names("someone/other", "model", some.commit) == []


def test_a_commit_is_a_revision_and_what_is_there_is_not_fetched_again(served: Hub) -> None:
    first = download("someone/thing", "model")
    served.requests.clear()
    assert download("someone/thing", "model", first.commit) == first == download("someone/thing", "model")
    assert not [request for request in served.requests if "resolve" in request]


def test_out_of_reach_the_cache_answers(served: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    first = download("someone/thing", "model")
    served.down = 503
    assert download("someone/thing", "model") == first
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    assert download("someone/thing", "model") == first


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda hub: hub.repositories.clear(), "there is none that you may read. Check the spelling"),
        (lambda hub: change(hub, gated=401), r"it is gated, .* hf auth login \(or set HF_TOKEN\)"),
        (lambda hub: change(hub, gated=403), "it is gated, so its owners must let you have it. Ask them at http"),
        (lambda hub: setattr(hub, "down", 401), "there is none that you may read"),
        (lambda hub: setattr(hub, "down", 403), "http://.* answered with the error 403. Try again later"),
        (lambda hub: setattr(hub, "down", 503), "http://.* answered with the error 503. Try again later"),
    ],
)
@pytest.mark.parametrize("kind", ["model", "dataset"])
def test_a_refusal_says_why(served: Hub, kind: str, spoil: Callable[[Hub], None], message: str) -> None:
    spoil(served)
    with pytest.raises(HubError, match=message):
        download("someone/thing", kind)  # type: ignore[arg-type]


def test_an_unknown_revision_is_named_with_the_page_that_lists_them(served: Hub) -> None:
    with pytest.raises(HubError, match=f"it has no revision 'v9'. .* listed at {served.url}/someone/thing"):
        download("someone/thing", "model", "v9")
    with pytest.raises(HubError, match=f"listed at {served.url}/datasets/someone/thing"):
        download("someone/thing", "dataset", "v9")
    with pytest.raises(HubError, match="it has no revision '0{40}'"):
        download("someone/thing", "model", "0" * 40)


def test_offline_and_not_in_the_cache_says_what_to_fetch(served: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(HubError, match="HF_HUB_OFFLINE is set.* hf download someone/thing --revision v1 --local-dir"):
        download("someone/thing", "model", "v1")
    assert served.requests == []


def test_a_connection_that_breaks_off_is_tried_again_then_told_and_nothing_half_is_kept(
    served: Hub, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    change(served, cut=frozenset({"model.safetensors"}))
    with pytest.raises(HubError, match="the connection broke off. Try again: the files that came whole are kept"):
        download("someone/thing", "model")
    assert len([request for request in served.requests if request.startswith("GET") and "model.safe" in request]) > 2
    assert "".join(capfd.readouterr()) == "", "no lines about retries"
    assert not [path for path in (tmp_path / "hub").rglob("*") if path.is_file() and b"www" in path.read_bytes()]
    change(served, cut=frozenset())
    assert names(download("someone/thing", "model")) == set(FILES)


def test_a_name_that_cannot_be_one_is_an_error_of_the_same_kind(served: Hub) -> None:
    with pytest.raises(HubError, match="a--b"):
        download("someone/a--b", "model")
    assert served.requests == []


def test_nobody_at_the_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with hub() as gone:
        pass
    gone.use_here(monkeypatch, tmp_path)
    with pytest.raises(
        HubError, match=f"{gone.url} cannot be reached, .* fetch it on another machine with: hf download"
    ):
        download("someone/thing", "model")
