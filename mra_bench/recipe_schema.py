"""What a recipe may hold: every key with its type, default and meaning."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, Self

import pydantic

from mra_bench.claim_schema import ClaimEntry
from mra_bench.strict import Strict
from mra_bench.types import Decoding

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
IMPORTED = "imported"  # what stands in place of a loader where texts were imported, see mra_bench.imports


class PromptEntry(Strict):
    """What is said otherwise than the dataset's spec has it.

    style: a way to ask by name: bare, boxed, boxed-letter, hash, plan, chinese or chinese-letter.
    instruction: text put before the question by prompt formats that have a place for it.
    answer_format: what counts as "in the format": boxed, hash (####), or "" for none. Reference solutions end so, too.
    shots: so many worked examples stand before each question; none is 0, or all of `examples`.
    examples: the ids of the rows that are the examples; none is those that the dataset's spec names.
    examples_from: the dataset of this recipe whose rows they are; none is the split that the spec names, which is read
        as this recipe reads it, or else from its source.
    """

    style: str | None = None
    instruction: str | None = None
    answer_format: Literal["boxed", "hash", ""] | None = None
    shots: int | None = pydantic.Field(default=None, ge=0)
    examples: list[str] | None = pydantic.Field(default=None, min_length=1)
    examples_from: str | None = None

    @pydantic.model_validator(mode="after")
    def _enough(self) -> PromptEntry:
        if self.examples is not None and (self.shots or 0) > len(self.examples):
            raise ValueError(f"shots is {self.shots}, but examples names {len(self.examples)} rows")
        return self


class DatasetEntry(Strict):
    """A named set of problems: a split of a dataset (or of a local file), a part carved out of another set, or problems
    for a verifier made from another set.

    data: a dataset of `mra-bench datasets`, or any name with `path`.
    split: which split of it, as `mra-bench datasets` lists them.
    path: a local file of problems instead of the dataset's own source.
    limit: at most so many problems, the first ones.
    carve: take the problems out of this other set instead, which loses them.
    count: how many are carved out.
    verify: ask of solutions of this other set's problems whether they are right, one for each problem: the chosen text
        of a pair that `builder` makes of it, or the rejected one. No model is asked, and nothing is graded.
    builder: who makes the pairs of a set to verify; a pair builder of `mra-bench builders` that needs no samples; none
        is `corrupted`.
    options: the builder's options.
    prompt: how these problems are asked; a carved set is asked like the one it is from.
    """

    data: str | None = None
    split: str | None = None
    path: str | None = None
    limit: int | None = pydantic.Field(default=None, ge=1)
    carve: str | None = None
    count: int | None = pydantic.Field(default=None, ge=1)
    verify: str | None = None
    builder: str | None = None
    options: dict[str, Any] | None = None
    prompt: PromptEntry | None = None

    @property
    def pair_builder(self) -> str:
        """Who makes the pairs of a set to verify."""
        return self.builder or "corrupted"

    @pydantic.model_validator(mode="after")
    def _one_source(self) -> DatasetEntry:
        given = {name for name in self.model_fields_set if getattr(self, name) is not None} - {"limit"}
        if self.verify is not None:
            if given - {"verify", "builder", "options"}:
                raise ValueError("a set to verify takes 'verify: SET', 'builder', 'options' and 'limit', nothing else")
        elif self.carve is not None:
            if given != {"carve", "count"}:
                raise ValueError("a carved set takes 'carve: SET', 'count: N' and perhaps 'limit: N', nothing else")
        elif self.data is None or given - {"data", "split", "path", "prompt"}:
            raise ValueError("give 'data: NAME' (and 'split'), 'carve: SET' with 'count: N', or 'verify: SET'")
        return self


class Named(Strict):
    """A registered thing with options; in YAML a bare name will do.

    name: its name in the listing of its kind.
    options: its options.
    """

    name: str
    options: dict[str, Any] = {}

    @pydantic.model_validator(mode="before")
    @classmethod
    def _bare_name(cls, value: Any) -> Any:
        return {"name": value} if isinstance(value, str) else value


Share = Annotated[float, pydantic.Field(ge=0, le=1)]


class BuiltData(Strict):
    """What a trained model learns from, built from its parent's own graded samples or from the problems alone.

    builder: who builds it; `mra-bench builders` lists them, and says which need samples.
    options: the builder's options.
    samples_per_problem: texts drawn for each problem.
    temperature: 0 is greedy.
    top_p: sample from the likeliest tokens that make up this share; 1 is all of them.
    max_new_tokens: length limit of a text; none is that of `evaluate`.
    problems: take so many problems only, drawn by the recipe's seed; none is all.
    predictor: a file of `mra-bench predict`; with it only problems are drawn whose predicted chance of success lies in
        `chance`.
    chance: from where to where, both within 0 and 1.
    budget: with a predictor: give each problem its own length limit, within which so large a share of its texts is
        predicted to end, such as 0.95; never above `max_new_tokens`. A text it cuts counts as cut.
    grader: which grader tells right from wrong: a name, or a mapping of name and options.
    profiler: who profiles the samples, for a builder that asks for profiles: a name, or name and options.
    min_characters: shorter texts are not used.
    """

    builder: str
    options: dict[str, Any] = {}
    samples_per_problem: int = pydantic.Field(default=8, ge=1)
    temperature: float = pydantic.Field(default=1.0, ge=0)
    top_p: float = pydantic.Field(default=1.0, gt=0, le=1)
    max_new_tokens: int | None = pydantic.Field(default=None, ge=1)
    problems: int | None = pydantic.Field(default=None, ge=1)
    predictor: str | None = None
    chance: tuple[Share, Share] = (0.0, 1.0)
    budget: float | None = pydantic.Field(default=None, gt=0, lt=1)
    grader: Named = Named(name="sympy")
    profiler: Named | None = None
    min_characters: int = pydantic.Field(default=2, ge=1)

    @pydantic.model_validator(mode="after")
    def _differ(self) -> Self:
        if self.budget is not None and self.predictor is None:
            raise ValueError("a budget is a predictor's: name its file, as in 'predictor: sft.json'")
        if self.chance[0] > self.chance[1]:
            raise ValueError(f"chance goes from low to high, as in [0.2, 0.8]; got {list(self.chance)}")
        if self.samples_per_problem > 1 and self.temperature == 0:
            raise ValueError(
                "several samples at temperature 0 are all the same; set a temperature, or samples_per_problem to 1"
            )
        return self


class PairsEntry(BuiltData):
    """Preference pairs, made unless `builder` says otherwise by grading the parent's own samples on training problems.

    pairs_per_problem: at most so many pairs of one problem.
    include_truncated: a text cut at the length limit may be a rejected one.
    reference_when_unsolved: the reference solution is chosen where no sample is right.

    In place of `builder` one may write {dataset: NAME}, for a dataset of this recipe that holds pairs, or {corrupt:
    reference}, for reference solutions against themselves with an error.
    """

    builder: str = "graded"
    pairs_per_problem: int = pydantic.Field(default=2, ge=1)
    include_truncated: bool = False
    reference_when_unsolved: bool = True

    @pydantic.model_validator(mode="before")
    @classmethod
    def _in_short(cls, value: Any) -> Any:
        if not isinstance(value, dict) or not {"dataset", "corrupt"} & set(value):
            return value
        rest = {key: item for key, item in value.items() if key not in ("dataset", "corrupt")}
        if "builder" in rest or {"dataset", "corrupt"} <= set(value):
            raise ValueError("give one of: builder, dataset, corrupt")
        if value.get("corrupt", "reference") != "reference":
            raise ValueError(f"corrupt: only 'reference' solutions can be corrupted (got {value['corrupt']!r})")
        return {**rest, "builder": "given" if "dataset" in value else "corrupted"}


class RowsEntry(BuiltData):
    """Supervised rows other than the reference solutions, unless `builder` says otherwise the parent's own correct
    samples (rejection sampling).

    rows_per_problem: at most so many rows of one problem.
    reference_when_unsolved: the reference solution is taken where no sample is right.
    """

    builder: str = "own-correct"
    rows_per_problem: int = pydantic.Field(default=4, ge=1)
    reference_when_unsolved: bool = False


class ChooseEntry(Strict):
    """Which epoch of a training is kept: the one whose weights answer most problems of `data` right, the first of
    equal ones. They are asked at the end of each epoch, greedily, and ended as in evaluation.

    data: the dataset of this recipe that is asked; one that no evaluation uses and nothing is trained on.
    grader: which grader tells right from wrong, a name, or a mapping of name and options; none is the recipe's first.
    max_new_tokens: length limit of a text; none is that of `evaluate`.
    keep: "best", or "all" to leave the weights of every epoch in the stage's folder, too.
    """

    data: str
    grader: Named | None = None
    max_new_tokens: int | None = pydantic.Field(default=None, ge=1)
    keep: Literal["best", "all"] = "best"


class ModelEntry(Strict):
    """A model: loaded (`model`, `options`), or trained from another one (`from`, `trainer`, `data`, `options`).

    model: a loader of `mra-bench models`, for a model that is loaded.
    from: the model of this recipe that it is trained from.
    trainer: a trainer of `mra-bench trainers`.
    data: the dataset of this recipe that it is trained on.
    options: options of the loader or trainer.
    pairs: how preference pairs are made, for a trainer that learns from pairs.
    rows: how supervised rows are made, for a trainer that learns from rows; none is the reference solutions.
    graders: whose verdicts a trainer that learns from problems is given; none is those of the recipe.
    choose: which epoch is kept, by problems held out for that; none is the end of the training.
    control_for: the model, or models, that this one is the equal-budget control of.
    seed: seed of its training; none is one derived from the recipe's seed and the model's name.
    """

    model: str | None = None
    parent: str | None = pydantic.Field(default=None, alias="from")
    trainer: str | None = None
    data: str | None = None
    options: dict[str, Any] = {}
    pairs: PairsEntry | None = None
    rows: RowsEntry | None = None
    graders: list[Named] = []
    choose: ChooseEntry | None = None
    control_for: list[str] = []
    seed: int | None = None

    @pydantic.field_validator("control_for", mode="before")
    @classmethod
    def _one_or_several(cls, value: Any) -> Any:
        return [] if value is None else [value] if isinstance(value, str) else value

    @pydantic.model_validator(mode="before")
    @classmethod
    def _data_of_pairs(cls, value: Any) -> Any:
        """``pairs: {dataset: NAME}`` says what it is trained on."""
        pairs = value.get("pairs") if isinstance(value, dict) else None
        if not isinstance(pairs, dict) or "dataset" not in pairs:
            return value
        if value.get("data", pairs["dataset"]) != pairs["dataset"]:
            raise ValueError(
                f"data is '{value['data']}', but its pairs are those of '{pairs['dataset']}': leave data out"
            )
        return {**value, "data": pairs["dataset"]}

    @pydantic.model_validator(mode="after")
    def _loaded_or_trained(self) -> ModelEntry:
        if (self.model is None) == (self.parent is None):
            raise ValueError("give either 'model: NAME' (loaded) or 'from: MODEL' with 'trainer: NAME' (trained)")
        if self.parent is not None and (self.trainer is None or self.data is None):
            raise ValueError("a trained model needs 'trainer: NAME' and 'data: SET'")
        made = (self.trainer, self.data, self.pairs, self.rows, self.graders, self.choose, self.control_for)
        if self.model is not None and any(made):
            raise ValueError("a loaded model takes 'model' and 'options' only")
        return self

    @property
    def built(self) -> BuiltData | None:
        """How what it learns from is built, where it is no plain data."""
        return self.pairs or self.rows


class Evaluation(Strict):
    """How every model is evaluated.

    datasets: names of this recipe's datasets; the verdict is about the first.
    max_new_tokens: length limit of a text.
    samples: texts for each problem; more than one needs a temperature.
    temperature: 0 is greedy.
    top_p: sample from the likeliest tokens that make up this share; 1 is all of them.
    stop: strings that end a text and are cut from it.
    stop_after_answer: end a text behind its first closed boxed answer.
    until_decided: ask the first dataset's problems in four looks, and no more once every comparison of the verdict is
        decided; such a run has sequential figures and stands outside leaderboards.
    repeat: how often every evaluation is made, each further time in other batches; texts and verdicts that differ are
        counted, and the figures stay those of the first time.
    """

    datasets: list[str] = pydantic.Field(min_length=1)
    max_new_tokens: int = pydantic.Field(default=512, ge=1)
    samples: int = pydantic.Field(default=1, ge=1)
    temperature: float = pydantic.Field(default=0.0, ge=0)
    top_p: float = pydantic.Field(default=1.0, gt=0, le=1)
    stop: list[str] = []
    stop_after_answer: bool = False
    until_decided: bool = False
    repeat: int = pydantic.Field(default=1, ge=1)

    @pydantic.model_validator(mode="after")
    def _sensible(self) -> Evaluation:
        if len(set(self.datasets)) < len(self.datasets):
            raise ValueError("a dataset is named twice in 'datasets'")
        if self.samples > 1 and self.temperature == 0:
            raise ValueError(
                "several samples at temperature 0 are all the same; set evaluate.temperature, or evaluate.samples to 1"
            )
        if self.repeat > 1 and self.until_decided:
            raise ValueError(
                "repeat (--repeat) asks all problems again and until_decided (--until-decided) as few as it can: leave "
                "one of them out"
            )
        return self

    @property
    def decoding(self) -> Decoding:
        """How every evaluated text is made."""
        return Decoding(self.max_new_tokens, self.temperature, self.top_p, tuple(self.stop), self.stop_after_answer)


class Grading(Strict):
    """What one text may cost its grader. A changed limit grades again.

    seconds: wall time; a text that takes longer counts as timed out.
    memory_mb: memory beyond the worker's own, where the platform limits it.
    """

    seconds: float = pydantic.Field(default=10.0, gt=0, allow_inf_nan=False)
    memory_mb: int = pydantic.Field(default=2048, ge=1)


class Recipe(Strict):
    """A whole recipe. See `mra-bench recipes new` for a commented example.

    name: names the run folder.
    description: one or two sentences for the report.
    seed: of sampling, of the choice of pairs, and of training.
    datasets: name and entry of each set of problems.
    models: name and entry of each model.
    evaluate: how all of them are evaluated.
    graders: names, or mappings of name and options; the first one's grades count.
    profilers: who profiles every evaluated text, as names or mappings of name and options; none is nobody.
    grading: what one text may cost its grader.
    contamination: what happens to training rows that hold test questions.
    block_size: texts in a unit of work and of resume.
    strict_determinism: the same texts and weights whatever is computed beside them: fp32, each text by itself, one
        thread. Slow.
    claims: figures that others have published, for the report to show beside those measured; nothing is computed by
        them.
    """

    name: str
    description: str = ""
    seed: int = pydantic.Field(default=0, ge=0)
    datasets: dict[str, DatasetEntry]
    models: dict[str, ModelEntry]
    evaluate: Evaluation
    graders: list[Named] = pydantic.Field(default=[Named(name="sympy")], min_length=1)
    profilers: list[Named] = []
    grading: Grading = Grading()
    contamination: Literal["refuse", "allow", "drop"] = "refuse"
    block_size: int = pydantic.Field(default=256, ge=1)
    strict_determinism: bool = False
    claims: list[ClaimEntry] = []

    @pydantic.model_validator(mode="after")
    def _names(self) -> Recipe:
        for what, names in (("recipe", [self.name]), ("model", self.models), ("dataset", self.datasets)):
            for name in names:
                if not NAME.fullmatch(name):
                    raise ValueError(f"the {what} name {name!r} may hold letters, digits, '.', '_' and '-' only")
        return self
