"""The schema of a dataset's YAML in ``datasets_spec/``, and reading it. A spec is data: no code, no import paths."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any, Final, Literal

import pydantic

from mra_bench.errors import UsageError, nearest
from mra_bench.plain_errors import in_words, place

UNVERIFIED: Final = "unverified"
PACKAGE = "datasets_spec"


class _Strict(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)


class Source(_Strict):
    """Where the rows come from: a dataset that a built-in plugin registers under the name `loader`, a dataset of the
    Hugging Face hub (`hub`, with an optional `config` and `revision`; of several configs the rows follow one another;
    `only`: patterns of the repository's files that are fetched, none for all),
    or files (`file`: their folder, by its https address or, in a spec of your own, by its path from there). Exactly one
    of the three."""

    loader: str | None = None
    hub: str | None = None
    file: str | None = pydantic.Field(default=None, pattern=r"[^/]$")
    config: str | tuple[str, ...] | None = None
    revision: str | None = None
    only: tuple[str, ...] = ()

    @pydantic.model_validator(mode="after")
    def _one_source(self) -> Source:
        if [self.loader, self.hub, self.file].count(None) != 2:
            raise ValueError("give exactly one of: loader, hub, file")
        if self.hub is None and (self.config or self.revision or self.only):
            raise ValueError("config, revision and only belong to a hub source")
        return self

    @property
    def folder(self) -> Path | None:
        """The folder of local files; None where the rows come from elsewhere."""
        return None if self.file is None or "://" in self.file else Path(self.file)

    @property
    def configs(self) -> tuple[str | None, ...]:
        """The configs whose rows make a split; None for the only one there is."""
        return self.config if isinstance(self.config, tuple) else (self.config,)


class Facts(_Strict):
    """What is known of a split's rows, and was read in `read_from`: how many there are, their checksum
    (`problems_hash`), and the golds that the grader sympy cannot read, each id with the reason. "unverified" stands
    where nobody has read the data yet."""

    rows: pydantic.PositiveInt | Literal["unverified"] = UNVERIFIED
    checksum: str = pydantic.Field(default=UNVERIFIED, pattern=r"^([0-9a-f]{64}|unverified)$")
    read_from: str = ""
    unreadable: dict[str, str] = {}


class Split(Facts):
    """One split: its name at the source (of files: the file's), and what is known of its rows there."""

    source: str


class Fields(_Strict):
    """Which columns the fields of a Problem are read from; those but question and answer may be missing. `choices` is
    a list of the texts that the letters A, B, C, ... stand for, a mapping from the letters to them, or several columns,
    one for each; `show_choices`
    is how each of them is put below the question, such as "({letter}) {text}", and "" where the question holds them
    already. `rejected` is, in a dataset of pairs, the solution that `solution` is preferred to; such a dataset needs no
    gold answers. Several question columns are joined as sentences: with a space, and a full stop where one ends without
    a mark. A row in which one of the columns `pictures` is filled is left out: the models read text."""

    question: str | tuple[str, ...] = "question"
    answer: str = "answer"
    id: str | None = "id"
    solution: str | None = "solution"
    subject: str | None = "subject"
    level: str | None = "level"
    choices: str | tuple[str, ...] | None = "choices"
    show_choices: str = pydantic.Field(default="", pattern=r"^$|\{letter\}.*\{text\}")
    rejected: str | None = "rejected"
    pictures: tuple[str, ...] = ()


class Gold(_Strict):
    """How the gold answer is read from the answer column: what stands after the last `after` marker, or in the last
    ``\\boxed{...}``, or the whole column, without surrounding white space; of that the part before the first `before`.
    `index`: the column holds the place of the right choice, counted from 0, and the gold is its letter. `several`:
    the column is a list of answers, which are joined by commas. `may_be_blank`: a row without a gold answer is kept;
    nobody can be graded on it, so it counts for no model and the report lists it. `expects` is the kind of answer (see
    `mra_bench.types.Problem`) where the answers alone would not tell."""

    after: str | None = pydantic.Field(default=None, min_length=1)
    boxed: bool = False
    before: str | None = pydantic.Field(default=None, min_length=1)
    index: bool = False
    several: bool = False
    may_be_blank: bool = False
    expects: Literal["", "number", "expression", "choice", "set", "tuple", "interval", "matrix", "text"] = ""

    @pydantic.model_validator(mode="after")
    def _at_most_one(self) -> Gold:
        if [self.after is not None, self.boxed, self.index].count(True) > 1:
            raise ValueError("give at most one of: after, boxed, index")
        return self


class Solution(_Strict):
    """How the reference solution is made from its column: the part before the last `before` marker (of several, before
    each in turn), without what stands between the two `remove` marks, put into `template` at ``{solution}``;
    ``{answer}`` is the gold answer. Of a list of solutions the first is taken."""

    before: str | tuple[str, ...] | None = None
    remove: tuple[str, str] | None = None
    template: str = "{solution}"


class Examples(_Strict):
    """The worked examples of a prompt with `shots`, the first so many of them: rows of the split `split` of the dataset
    `data` (this one unless it says), by id or, where ids depend on the source, by the hash of the question
    (`mra_bench.split_samples.question_hash`)."""

    data: str = ""
    split: str = "train"
    ids: tuple[str, ...] = pydantic.Field(min_length=1)


class Prompt(_Strict):
    """What the dataset asks of a model: a style of `mra_bench.prompt_styles` by name, or an instruction and an answer
    format of its own, which come first. `examples` are shown only where a recipe asks for some."""

    style: str = "bare"
    instruction: str | None = None
    answer_format: Literal["boxed", "hash", ""] | None = None
    examples: Examples | None = None


class Layout(_Strict):
    """Another shape in which the rows are handed round as files, with other columns or other rows than at the source.
    What it does not say is as in the spec; `splits`: what is known of the rows of such files."""

    fields: Fields | None = None
    gold: Gold | None = None
    solution: Solution | None = None
    splits: dict[str, Facts] = pydantic.Field(min_length=1)


AnswerType = Literal["number", "choice", "mixed", "none", ""]


class DatasetSpec(_Strict):
    """One dataset. `source` is None for a user's own file. An empty `splits` means that every split name is tried.
    `answer_type`: what its answers are ("mixed": numbers, expressions, sets, ...; "none": it has none).
    `files`: other shapes its rows are found in; a local file is read by the first one whose columns it has.
    `templates`: its questions are made from templates, and its maker keeps equal ones out of different splits; runs of
    words that they share are then no sign of contamination."""

    name: str = pydantic.Field(min_length=1)
    title: str = ""
    licence: str = ""
    homepage: str = ""
    language: Literal["en", "zh"] = "en"
    answer_type: AnswerType = ""
    source: Source | None = None
    splits: dict[str, Split] = {}
    fields: Fields = Fields()
    gold: Gold = Gold()
    solution: Solution = Solution()
    prompt: Prompt = Prompt()
    files: tuple[Layout, ...] = ()
    templates: bool = False

    @property
    def full_name(self) -> str:
        """The name that is never shared: ``package:name`` of the loader, or ``datasets_spec:name``."""
        loader = self.source.loader if self.source else None
        return loader or f"{PACKAGE}:{self.name}"

    @property
    def layouts(self) -> list[Reading]:
        """How rows are read, one for each shape they come in: that of the source first."""
        other = [
            Reading(one.fields or self.fields, one.gold or self.gold, one.solution or self.solution, one.splits)
            for one in self.files
        ]
        return [Reading(self.fields, self.gold, self.solution, self.splits), *other]


@dataclasses.dataclass(frozen=True)
class Reading:
    """How rows of one shape are read, and what is known of those of each split."""

    fields: Fields
    gold: Gold
    solution: Solution
    splits: Mapping[str, Facts]


def json_schema() -> dict[str, Any]:
    """The JSON schema of a spec, as published in ``mra_bench/schemas/dataset.schema.json``."""
    schema = DatasetSpec.model_json_schema()
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "urn:mra-bench:dataset:1"}
    return {**head, **schema, "title": "A dataset's YAML in datasets_spec/"}


@functools.cache
def built_in_specs() -> dict[str, DatasetSpec]:
    """All specs of the package ``datasets_spec`` by name, in alphabetical order. Raises UsageError naming a bad one."""
    files = [file for file in resources.files(PACKAGE).iterdir() if file.name.endswith(".yaml")]
    specs = [parse_spec(file.read_text(encoding="utf-8"), file.name) for file in sorted(files, key=lambda f: f.name)]
    return {spec.name: spec for spec in specs}


def is_spec_file(name: str) -> bool:
    """Whether a dataset's `name` is meant as the file of a spec."""
    return Path(name).suffix.lower() in (".yaml", ".yml")


def own_spec(path: Path) -> DatasetSpec:
    """The spec in a user's own YAML file; where its rows are local files, their folder is taken from there. Raises
    UsageError."""
    try:
        spec = parse_spec(path.read_text(encoding="utf-8"), path.name)
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise UsageError(f"Cannot read the dataset spec '{path}': {why}") from None
    folder = spec.source.folder if spec.source else None
    if spec.source is None or folder is None:
        return spec
    source = spec.source.model_copy(update={"file": str(path.parent / folder)})
    return spec.model_copy(update={"source": source})


def parse_spec(text: str, file: str) -> DatasetSpec:
    """The spec in the YAML `text` of `file`, which must be called after it. Raises UsageError saying what is wrong."""
    from mra_bench.yaml_text import read_yaml

    content = read_yaml(text, f"The dataset spec {file}")
    try:
        spec = DatasetSpec.model_validate(content)
    except pydantic.ValidationError as error:
        raise UsageError(f"The dataset spec {file} {_wrong(error.errors()[0])}") from None
    if Path(file).stem != spec.name:
        raise UsageError(f"The dataset spec {file} calls itself '{spec.name}'; file and name must be the same.")
    if spec.source is None or not spec.splits:
        raise UsageError(f"The dataset spec {file} needs a source and at least one split.")
    return spec


def _wrong(first: Any) -> str:
    """What is wrong with a spec, from the first of pydantic's errors."""
    where = place(first["loc"]) or "the whole file"
    if first["type"] == "extra_forbidden":
        *outer, key = first["loc"]
        known = list(_part(outer).model_fields)
        close = nearest(str(key), known, 0.6)
        return f"has an unknown key '{where}'; " + (
            f"did you mean '{close}'?" if close else f"known there: {', '.join(known)}"
        )
    if first["type"] == "missing":
        return f"lacks the key '{where}'"
    return f"is wrong at {where}: {in_words(first)}"


def _part(location: Sequence[Any]) -> type[_Strict]:
    """The part of a spec that stands at a place."""
    parts: dict[Any, type[_Strict]] = {"fields": Fields, "gold": Gold, "solution": Solution, "source": Source}
    parts |= {"prompt": Prompt, "examples": Examples}
    if not location:
        return DatasetSpec
    if list(location[-2:-1]) == ["splits"]:
        return Facts if location[0] == "files" else Split
    return parts.get(location[-1], Layout)


if __name__ == "__main__":
    import json

    print(json.dumps(json_schema(), indent=1, ensure_ascii=False))
