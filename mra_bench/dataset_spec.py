"""The schema of a dataset's YAML in ``datasets_spec/``, and reading it. A spec is data: no code, no import paths."""

from __future__ import annotations

import functools
from importlib import resources
from typing import Final, Literal

import pydantic

from mra_bench.errors import UsageError
from mra_bench.plain_errors import in_words, place

UNVERIFIED: Final = "unverified"
PACKAGE = "datasets_spec"


class _Strict(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)


class Source(_Strict):
    """Where the rows come from: a dataset that a built-in plugin registers under the name `loader`, or a dataset of the
    Hugging Face hub (`hub`, with an optional `config` and `revision`). Exactly one of the two."""

    loader: str | None = None
    hub: str | None = None
    config: str | None = None
    revision: str | None = None

    @pydantic.model_validator(mode="after")
    def _one_source(self) -> Source:
        if (self.loader is None) == (self.hub is None):
            raise ValueError("give exactly one of: loader, hub")
        if self.hub is None and (self.config or self.revision):
            raise ValueError("config and revision belong to a hub source")
        return self


class Split(_Strict):
    """One split: its name at the source, and how many rows with which checksum (`problems_hash`) it must have.
    "unverified" stands where nobody has read the data yet."""

    source: str
    rows: pydantic.PositiveInt | Literal["unverified"] = UNVERIFIED
    checksum: str = pydantic.Field(default=UNVERIFIED, pattern=r"^([0-9a-f]{64}|unverified)$")


class Fields(_Strict):
    """Which columns the fields of a Problem are read from; those but question and answer may be missing. `choices` is
    a list of the texts that the letters A, B, C, ... stand for. `rejected` is, in a dataset of pairs, the solution that
    `solution` is preferred to; such a dataset needs no gold answers. Several question columns are joined as sentences:
    with a space, and a full stop where one ends without a mark."""

    question: str | tuple[str, ...] = "question"
    answer: str = "answer"
    id: str | None = "id"
    solution: str | None = "solution"
    subject: str | None = "subject"
    level: str | None = "level"
    choices: str | None = "choices"
    rejected: str | None = "rejected"


class Gold(_Strict):
    """How the gold answer is read from the answer column: what stands after the last `after` marker, or in the last
    ``\\boxed{...}``. With neither, the whole column, without surrounding white space. `expects` is the kind of answer
    (see `mra_bench.types.Problem`) where the answers alone would not tell."""

    after: str | None = pydantic.Field(default=None, min_length=1)
    boxed: bool = False
    expects: Literal["", "number", "expression", "choice", "set", "tuple", "interval", "matrix", "text"] = ""

    @pydantic.model_validator(mode="after")
    def _at_most_one(self) -> Gold:
        if self.after is not None and self.boxed:
            raise ValueError("give at most one of: after, boxed")
        return self


class Solution(_Strict):
    """How the reference solution is made from its column: the part before the last `before` marker, without what
    stands between the two `remove` marks, put into `template` at ``{solution}``; ``{answer}`` is the gold answer."""

    before: str | None = pydantic.Field(default=None, min_length=1)
    remove: tuple[str, str] | None = None
    template: str = "{solution}"


class Prompt(_Strict):
    """What the dataset asks of a model; becomes a `mra_bench.types.PromptStyle`."""

    instruction: str = ""
    answer_format: Literal["boxed", "hash", ""] = ""


class DatasetSpec(_Strict):
    """One dataset. `source` is None for a user's own file. An empty `splits` means that every split name is tried.
    `templates`: its questions are made from templates, and its maker keeps equal ones out of different splits; runs of
    words that they share are then no sign of contamination."""

    name: str = pydantic.Field(min_length=1)
    title: str = ""
    licence: str = ""
    homepage: str = ""
    source: Source | None = None
    splits: dict[str, Split] = {}
    fields: Fields = Fields()
    gold: Gold = Gold()
    solution: Solution = Solution()
    prompt: Prompt = Prompt()
    templates: bool = False

    @property
    def full_name(self) -> str:
        """The name that is never shared: ``package:name`` of the loader, or ``datasets_spec:name``."""
        loader = self.source.loader if self.source else None
        return loader or f"{PACKAGE}:{self.name}"


@functools.cache
def built_in_specs() -> dict[str, DatasetSpec]:
    """All specs of the package ``datasets_spec`` by name, in alphabetical order. Raises UsageError naming a bad one."""
    files = [file for file in resources.files(PACKAGE).iterdir() if file.name.endswith(".yaml")]
    specs = [parse_spec(file.read_text(encoding="utf-8"), file.name) for file in sorted(files, key=lambda f: f.name)]
    return {spec.name: spec for spec in specs}


def parse_spec(text: str, file: str) -> DatasetSpec:
    """The spec in the YAML `text` of `file`, which must be called after it. Raises UsageError saying what is wrong."""
    from mra_bench.yaml_text import read_yaml

    content = read_yaml(text, f"The dataset spec {file}")
    try:
        spec = DatasetSpec.model_validate(content)
    except pydantic.ValidationError as error:
        first = error.errors()[0]
        where = place(first["loc"]) or "the whole file"
        raise UsageError(f"The dataset spec {file} is wrong at {where}: {in_words(first)}") from None
    if file != f"{spec.name}.yaml":
        raise UsageError(f"The dataset spec {file} calls itself '{spec.name}'; file and name must be the same.")
    if spec.source is None or not spec.splits:
        raise UsageError(f"The dataset spec {file} needs a source and at least one split.")
    return spec
