"""Datasets by name: specs of ``datasets_spec/``, datasets registered by plugins, and local files, all as Problems."""

from __future__ import annotations

import dataclasses
import warnings
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from mra_bench.dataset_files import is_data_file, read_rows
from mra_bench.dataset_hub import file_rows, hub_rows
from mra_bench.dataset_rows import check_encodable
from mra_bench.dataset_spec import (
    UNVERIFIED,
    DatasetSpec,
    Source,
    built_in_specs,
    is_spec_file,
    own_spec,
)
from mra_bench.errors import BenchError, UsageError, ambiguous, meant, unknown
from mra_bench.known_files import LOOKED_AT, held_split, other_rows
from mra_bench.plugins import Registry
from mra_bench.problem_rows import from_file, problems_hash, problems_of, with_made_ids
from mra_bench.prompt_styles import named_style
from mra_bench.split_samples import built_in_samples, split_of
from mra_bench.types import Problem, PromptStyle

LIST_COMMAND = "mra-bench datasets"


@dataclasses.dataclass(frozen=True)
class DatasetUse:
    """One split of one dataset. `data`: a dataset's name, or a local file. `path`: a local JSONL, CSV or Parquet file
    read instead of the dataset's own source; `data` is then a name of your choice or the dataset it belongs to."""

    data: str
    split: str
    path: str | None = None

    @property
    def named(self) -> str:
        """As --data names it: ``gsm8k:test``."""
        return f"{self.data}:{self.split}"


@dataclasses.dataclass(frozen=True)
class Loaded:
    """The problems of a split in the source's order. `commit`: the hub's name for the files they were read from, 40 hex
    digits; None where they come from a local file or a plugin."""

    problems: list[Problem]
    commit: str | None = None


def dataset_names(registry: Registry) -> list[str]:
    """Names of all datasets, sorted: the specs, and what plugins register without a spec; with the package where a
    bare name would be shared."""
    specs = _specs(registry)
    shared = Counter(spec.name for spec in specs)
    return sorted(spec.name if shared[spec.name] == 1 else spec.full_name for spec in specs)


def dataset_spec(name: str, registry: Registry) -> DatasetSpec:
    """The spec called `name` or ``package:name``, or a default one where `name` is a local data file.

    Raises UsageError for an unknown name, naming the nearest, and for a name that two datasets share.
    """
    found = [spec for spec in _specs(registry) if name in (spec.name, spec.full_name)]
    if len(found) == 1:
        return found[0]
    if found:
        raise ambiguous("dataset", name, [spec.full_name for spec in found])
    if is_spec_file(name):
        return own_spec(Path(name))
    if is_data_file(name):
        return DatasetSpec(name=Path(name).stem)
    if name in built_in_specs():  # its plugin is blocked or broken, and the registry says which
        registry.resolve("datasets", name)
    error = unknown("dataset", name, dataset_names(registry), LIST_COMMAND)
    raise UsageError(f"{error}. A file of your own: --data NAME=FILE, or data: FILE in the recipe.")


def spec_of(use: DatasetUse, registry: Registry) -> DatasetSpec:
    """The spec that `use` is read with: `dataset_spec`, or a default one for a file under a name of the user's own."""
    known = any(use.data in (spec.name, spec.full_name) for spec in _specs(registry))
    if use.path is None or known or is_spec_file(use.data):
        return dataset_spec(use.data, registry)
    return DatasetSpec(name=use.data)


def style(spec: DatasetSpec) -> PromptStyle:
    """How the dataset asks, without examples. Raises UsageError for an unknown style."""
    own = spec.prompt.model_dump(include={"instruction", "answer_format"}, exclude_none=True)
    return dataclasses.replace(named_style(spec.prompt.style), **own)


def load_problems(use: DatasetUse, registry: Registry) -> list[Problem]:
    """The problems of `load`, without where they come from."""
    return load(use, registry).problems


def load(use: DatasetUse, registry: Registry) -> Loaded:
    """All problems of `use`, which are those that the spec knows, as far as it knows them.

    Raises as `read_problems` does, and UsageError for rows that are not those the spec was verified against.
    """
    loaded = read_problems(use, registry)
    check_verified(spec_of(use, registry), use, loaded.problems)
    return loaded


def read_problems(use: DatasetUse, registry: Registry) -> Loaded:
    """All problems of `use`, whatever the spec knows of them.

    Raises UsageError for an unknown dataset or split, a broken row (with file and line), an empty split, ids that are
    not unique, a column that a user's own spec names and no row has; Unavailable when the hub does not give a
    dataset; BenchError when a plugin's loader raises.
    """
    spec = spec_of(use, registry)
    file = Path(use.path or use.data) if use.path or spec.source is None else None
    strict = is_spec_file(use.data)
    if file is not None:
        loaded = Loaded(_own_rows(file, use, spec, strict))
    else:
        loaded = _from_source(spec, use, registry, strict)
    if not loaded.problems:
        raise UsageError(f"The split '{use.split}' of the dataset '{use.data}' is empty.")
    _check_ids(loaded.problems, use)
    return loaded


def verification(spec: DatasetSpec, split: str, problems: Iterable[Problem]) -> str:
    """How `problems` stand to the spec's checksums of `split`, those of all shapes its rows come in: "verified",
    "different" from what is known of its source, or "unverified"."""
    known = {one.splits[split].checksum for one in spec.layouts if split in one.splits} - {UNVERIFIED}
    if known and problems_hash(problems) in known:
        return "verified"
    at_source = spec.splits.get(split)
    return UNVERIFIED if at_source is None or at_source.checksum == UNVERIFIED else "different"


def _specs(registry: Registry) -> list[DatasetSpec]:
    """The YAML specs, and a default spec for each dataset of a plugin that no YAML describes. A loader in them is a
    full name; a spec whose built-in plugin is not there is left out."""
    things = registry.of("datasets")
    own = {thing.name: thing.full_name for thing in things if thing.plugin.origin == "built-in"}
    specs = []
    for spec in built_in_specs().values():
        loader = spec.source.loader if spec.source else None
        if loader is None:
            specs.append(spec)
        elif loader in own:
            specs.append(spec.model_copy(update={"source": Source(loader=own[loader])}))
    described = {spec.full_name for spec in specs}
    rest = [thing for thing in things if thing.full_name not in described]
    return specs + [DatasetSpec(name=thing.name, source=Source(loader=thing.full_name)) for thing in rest]


def _own_rows(file: Path, use: DatasetUse, spec: DatasetSpec, strict: bool) -> list[Problem]:
    """The problems of a local file. Of one that cannot be read by its name's spec the error says whose rows it holds
    where that is known; what is wrong by a spec of the user's own (`strict`) is told as it is."""
    try:
        return from_file(read_rows(file), use.split, spec, strict)
    except UsageError:
        if not strict and (held := held_split(file)) is not None and held[0] != spec.name:
            right = f"Give the file of {use.named}, or name" if spec.name in built_in_specs() else "Name"
            named = f"--data {':'.join(held)}={file}, or data: {held[0]} in a recipe"
            raise UsageError(f"{other_rows(file, held)}. {right} this one for what it is: {named}.") from None
        raise


def _from_source(spec: DatasetSpec, use: DatasetUse, registry: Registry, strict: bool) -> Loaded:
    split = use.split
    if spec.splits and split not in spec.splits:
        raise _unknown_split(spec.name, split, spec.splits)
    assert spec.source is not None  # files, the only specs without a source, are read elsewhere
    name_there = spec.splits[split].source if split in spec.splits else split
    if spec.source.loader:
        return Loaded(_from_plugin(spec, name_there, registry))
    if spec.source.folder:
        return Loaded(from_file(read_rows(spec.source.folder / name_there), split, spec, strict))
    if spec.source.file:
        return Loaded(problems_of(file_rows(spec, spec.source, name_there, use.named), split, spec.layouts[0], strict))
    rows, commit = hub_rows(spec, spec.source, name_there, use.named)
    return Loaded(problems_of(rows, split, spec.layouts[0], strict), commit)


def _unknown_split(data: str, split: str, known: Iterable[str]) -> UsageError:
    names = sorted(known)
    return UsageError(f"The dataset '{data}' has no split '{split}'.{meant(split, names)} It has: {', '.join(names)}.")


def _from_plugin(spec: DatasetSpec, split: str, registry: Registry) -> list[Problem]:
    thing = registry.resolve("datasets", spec.full_name)
    options = thing.parse_options({})
    try:
        problems = list(thing.target(split, options))
    except KeyError as error:
        if error.args != (split,):
            raise BenchError(f"The dataset plugin {thing.full_name} raised KeyError: {error}") from error
        raise UsageError(f"The dataset '{spec.name}' has no split '{split}'.") from None
    except BenchError:
        raise
    except Exception as error:
        raise BenchError(f"The dataset plugin {thing.full_name} raised {type(error).__name__}: {error}") from error
    for number, problem in enumerate(problems, start=1):
        _check_problem(problem, f"the dataset plugin {thing.full_name}, split '{split}', problem {number}")
    return problems


def _check_problem(problem: Any, where: str) -> None:
    """What a plugin yields must be a Problem of non-empty texts, with text or None in the optional fields."""
    if not isinstance(problem, Problem):
        raise UsageError(f"{where}: a Problem is needed, got {type(problem).__name__}")
    if not isinstance(problem.choices, tuple) or not all(isinstance(choice, str) for choice in problem.choices):
        raise UsageError(f"{where}: choices must be a tuple of texts, got {problem.choices!r}")
    for field, value in vars(problem).items():
        if field == "choices":
            continue
        required = field in ("id", "question", "answer")
        if value is None and not required:
            continue
        if not isinstance(value, str):
            raise UsageError(f"{where}: {field} must be text{'' if required else ' or None'}, got {value!r}")
        if required and not value.strip():
            raise UsageError(f"{where}: {field} is empty")
        check_encodable(value, where, field)


def _check_ids(problems: Sequence[Problem], use: DatasetUse) -> None:
    first: dict[str, int] = {}
    for number, problem in enumerate(problems, start=1):
        if problem.id in first:
            raise UsageError(
                f"The dataset '{use.data}', split '{use.split}', has the id '{problem.id}' twice: "
                f"problems {first[problem.id]} and {number}. Ids must be unique; without the column they are made."
            )
        first[problem.id] = number


def check_verified(spec: DatasetSpec, use: DatasetUse, problems: Sequence[Problem]) -> None:
    """Refuse rows under a wrong label. A file may hold other rows than the spec's, but not another split's; a hub
    dataset without a fixed revision may have been corrected, which is worth a warning. Raises UsageError."""
    split = use.split
    if use.path or _is_own(spec):
        for other in dict.fromkeys(name for one in spec.layouts for name in one.splits):
            sizes = {one.splits[other].rows for one in spec.layouts if other in one.splits}
            if other != split and len(problems) in sizes:
                as_other = with_made_ids(problems, split, other)
                if verification(spec, other, as_other) == "verified":
                    raise UsageError(
                        f"{use.path or 'The file'} holds the split '{other}' of '{spec.name}', not '{split}'."
                    )
        _check_label(spec, use, problems)
        return
    known = spec.splits.get(split)
    if known is not None and known.rows not in (UNVERIFIED, len(problems)):
        raise UsageError(
            f"The split '{split}' of '{spec.name}' has {len(problems)} rows, not {known.rows} as its spec."
        )
    if verification(spec, split, problems) != "different":
        return
    message = f"The split '{split}' of '{spec.name}' is not the data its spec was verified against (checksum differs)."
    if spec.source and not spec.source.loader and not spec.source.revision:
        warnings.warn(
            f"{message} Its source may have changed; results are recorded under the new checksum.", stacklevel=3
        )
        return
    raise UsageError(message)


def _is_own(spec: DatasetSpec) -> bool:
    """Whether the rows are a user's own files."""
    return spec.source is None or spec.source.folder is not None


def _check_label(spec: DatasetSpec, use: DatasetUse, problems: Sequence[Problem]) -> None:
    """Refuse a part of another split under the label of one of the dataset's own; of a file that goes by a name of the
    user's own, say whose rows it holds. Nothing can be said where no sample of a split is kept."""
    own, split = _is_own(spec), use.split
    for name, samples in built_in_samples().items():
        found = split_of(problems[:LOOKED_AT], samples) if own or name == spec.name else None
        if found is None or split == found or split not in samples:
            continue
        what = f"are those of the split '{found}' of '{name}', though the label says '{split}'"
        if not own:
            raise UsageError(
                f"The rows of {use.path} {what}. Give it the right label (split: {found} in a recipe, --data mine=FILE "
                "for a name of its own), or the right file."
            )
        warnings.warn(f"The rows of the file for '{spec.name}' {what}.", stacklevel=4)
