"""Where a model comes from: a folder, a GGUF file or a hub id; what it must hold; hashes of its files. No torch."""

from __future__ import annotations

import functools
import hashlib
import json
import math
import re
import struct
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mra_bench import hub
from mra_bench.errors import BenchError, UsageError
from mra_bench.runtime import prepare_threads

HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*(/[\w.-]+)?")
INDEX = "model.safetensors.index.json"
TOKENIZERS = ("tokenizer.json", "tokenizer.model", "vocab.json", "vocab.txt", "spiece.model", "tekken.json")
SHAPING = (
    "config.json", "generation_config.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
    "merges.txt", "chat_template.jinja", "chat_template.json", *TOKENIZERS,
)  # fmt: skip
PICKLES = (".bin", ".pt", ".pth", ".ckpt")
FROM_HUB = ("*.json", "*.safetensors", "*.txt", "*.model", "*.jinja")
CODE = "*.py"
COMMIT = re.compile("[0-9a-f]{40}")


@dataclass(frozen=True)
class Source:
    """A model's files on this machine: `folder`, and within it `gguf`, the name of a GGUF file, or "" for
    safetensors. `name` is what the model is called: the last part of the path or hub id. `commit` is the hub's name
    for the files of a hub id, "" for others. `own_code`: Python code that comes with it may be run."""

    folder: Path
    name: str
    gguf: str = ""
    commit: str = ""
    own_code: bool = False


def is_hub_id(path: str) -> bool:
    """Whether `path` names no local file or folder but could be a model of the hub."""
    return not Path(path).expanduser().exists() and HUB_ID.fullmatch(path) is not None and not path.endswith(".gguf")


def locate(path: str, revision: str | None = None, *, own_code: bool = False) -> Source:
    """The files of a model, downloaded where `path` is a hub id (or taken from the hub's local cache). A process asks
    the hub once, so that a branch which moves meanwhile gives no second model. own_code: Python code that comes with
    the model may be run; of a hub id `revision` must then be a commit.

    Raises UsageError for a folder or file that is not a usable model, BenchError when the hub cannot give it.
    """
    check_pinned(path, revision, own_code)
    source = _hub(path, revision, own_code) if is_hub_id(path) else _local(path)
    source = replace(source, own_code=own_code)
    check(source)
    return source


def check_pinned(path: str, revision: str | None, own_code: bool) -> None:
    """Raises UsageError where code of the hub would be run that may be another one tomorrow."""
    if own_code and is_hub_id(path) and not COMMIT.fullmatch(revision or ""):
        raise UsageError(
            f"trust_remote_code runs the code of {path}: name the commit that you have read, all 40 digits of it, in "
            "the option revision"
        )


def check(source: Source) -> None:
    """Raise UsageError unless the source holds a config, safetensors weights and a tokenizer (or is a GGUF file)."""
    if source.gguf:
        if (source.folder / source.gguf).open("rb").read(4) != b"GGUF":
            raise UsageError(f"Not a GGUF file: {source.folder / source.gguf}")
        return
    folder = source.folder
    if not (folder / "config.json").is_file():
        hint = " It holds a LoRA adapter: merge it into its base model first." if _adapter(folder) else ""
        raise UsageError(f"No config.json in the model folder {folder}.{hint}")
    missing = [name for name in weight_files(folder) if not (folder / name).is_file()]
    if missing:
        raise UsageError(f"Weights are missing from the model folder {folder}: {', '.join(missing[:3])}")
    if not any((folder / name).is_file() for name in TOKENIZERS):
        raise UsageError(f"No tokenizer in the model folder {folder}: save one there with tokenizer.save_pretrained()")
    _check_code(source)


def weight_files(folder: Path) -> list[str]:
    """Names of the safetensors files, as the index lists them if there is one. Raises UsageError if there are none."""
    if (folder / INDEX).is_file():
        return sorted(set(read_json(folder / INDEX).get("weight_map", {}).values()))
    if (folder / "model.safetensors").is_file():
        return ["model.safetensors"]
    raise _no_weights(f"the model folder {folder}", sorted(path.name for path in folder.glob("*")))


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object from a file of the model. Raises UsageError naming the file when it is broken or absent."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"Cannot read {path}: {error}") from None
    if not isinstance(value, dict):
        raise UsageError(f"Cannot use {path}: it holds no JSON object")
    return value


def config_of(source: Source) -> dict[str, Any]:
    """The model's config.json, or {} for a GGUF file (whose header only the loader reads)."""
    return {} if source.gguf else read_json(source.folder / "config.json")


def has_chat_template(source: Source) -> bool:
    """Whether the tokenizer brings a chat template; told from its files. A GGUF file counts as having none."""
    if source.gguf:
        return False
    if any((source.folder / name).is_file() for name in ("chat_template.jinja", "chat_template.json")):
        return True
    settings = source.folder / "tokenizer_config.json"
    return settings.is_file() and bool(read_json(settings).get("chat_template"))


def parameters(source: Source) -> int | None:
    """Number of parameters, from the headers of the safetensors files; None for a GGUF file."""
    if source.gguf:
        return None
    shapes: dict[str, list[int]] = {}
    for name in weight_files(source.folder):
        shapes |= _shapes(source.folder / name)
    return sum(math.prod(shape) for shape in shapes.values())


def file_hashes(source: Source) -> dict[str, str]:
    """sha256 of every file that shapes the texts: weights, config, tokenizer. By name, not by path."""
    if source.gguf:
        return {"weights.gguf": sha256(source.folder / source.gguf)}
    shaping = [name for name in SHAPING if (source.folder / name).is_file()]
    code = [path.name for path in source.folder.glob(CODE)] if source.own_code else []
    return {name: sha256(source.folder / name) for name in sorted({*shaping, *code, *weight_files(source.folder)})}


def sha256(path: Path) -> str:
    """Hex digest of a file; computed again when its size or time of change differs."""
    stat = path.stat()
    return _sha256(path, stat.st_size, stat.st_mtime_ns, stat.st_ino)


@functools.lru_cache(maxsize=512)
def _sha256(path: Path, size: int, changed: int, inode: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _shapes(path: Path) -> dict[str, list[int]]:
    """Shapes by tensor name from the header of a safetensors file: 8 bytes of length, then JSON."""
    try:
        with path.open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            header = json.loads(file.read(min(length, 100_000_000)))
        return {name: entry["shape"] for name, entry in header.items() if name != "__metadata__"}
    except (OSError, ValueError, struct.error, KeyError, TypeError, AttributeError):
        raise UsageError(
            f"Cannot read the weights {path}: the header is broken, perhaps a download cut short"
        ) from None


def _adapter(folder: Path) -> bool:
    return (folder / "adapter_config.json").is_file()


def _local(path: str) -> Source:
    place = Path(path).expanduser()
    if place.is_dir():
        return Source(place, place.resolve().name)
    if place.is_file() and place.suffix == ".gguf":
        return Source(place.parent, place.stem, gguf=place.name)
    if place.exists():
        raise UsageError(f"Not a model: {path}. Give a model folder, a .gguf file or a hub id.")
    raise UsageError(f"No such model: {path}. Give a model folder, a .gguf file or a hub id such as Qwen/Qwen2.5-0.5B.")


@functools.cache
def _hub(path: str, revision: str | None, own_code: bool = False) -> Source:
    try:
        found = hub.download(path, "model", revision, (*FROM_HUB, CODE) if own_code else FROM_HUB)
    except hub.HubError as error:
        at = f" at revision {revision}" if revision else ""
        raise BenchError(f"There is no folder '{path}', and the hub gave no model of this name{at}: {error}") from None
    if not any(found.folder.glob("*.safetensors")):
        raise _no_weights(f"the model {path} of the hub", hub.file_names(path, "model", found.commit))
    return Source(found.folder, path.rsplit("/", 1)[-1], commit=found.commit)


def _no_weights(where: str, names: list[str]) -> UsageError:
    """The refusal of a place whose files, `names`, are no safetensors."""
    pickles = [name for name in names if name.endswith(PICKLES)]
    if pickles:
        return UsageError(
            f"The weights in {where} are only there as {pickles[0]}, a pickle, which can run code when it is read. "
            "Convert it with save_pretrained(), which writes model.safetensors."
        )
    ggufs = [name for name in names if name.endswith(".gguf")]
    hint = f" Give the path of the file {ggufs[0]} instead." if ggufs else ""
    return UsageError(f"No weights in {where}: model.safetensors is not there.{hint}")


def _check_code(source: Source) -> None:
    """Refuse a model that only its own code can build; one that transformers knows too is built without that code."""
    config = config_of(source)
    if source.own_code:
        _check_own(source)
        return
    if "auto_map" not in config:
        return
    prepare_threads()  # the next line imports torch
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING_NAMES

    if config.get("model_type") not in CONFIG_MAPPING_NAMES:
        raise UsageError(
            f"The model in {source.folder} needs Python code that comes with it (auto_map in its config.json), and "
            f"such code is never run unless you ask for it. Its type '{config.get('model_type')}' is none that "
            "transformers knows itself. Read the code; if you trust it, set the option trust_remote_code: true"
        )


def _check_own(source: Source) -> None:
    """Refuse code that does not come with the model: that of another repository is at no commit, and was not read."""
    for name in ("config.json", "tokenizer_config.json"):
        if (source.folder / name).is_file() and "--" in json.dumps(read_json(source.folder / name).get("auto_map")):
            raise UsageError(
                f"The model in {source.folder} names code of another repository (auto_map in its {name}), which is not "
                "run: put that code in the model's folder"
            )
