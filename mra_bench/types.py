"""The words of the project as frozen dataclasses and protocols: what crosses every border inside mra-bench.

Nothing here imports more than the standard library, so a plugin that needs only these types starts fast.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

STOP = "stop"
LENGTH = "length"


@dataclass(frozen=True)
class Problem:
    """One problem of a dataset's split. `answer` is the gold answer; `solution` a reference solution, if any.

    expects: what kind of answer the dataset says it wants: "number", "expression", "choice", "set", "tuple",
    "interval", "matrix", "text", or "" where the gold answer itself must tell. choices: what the letters A, B, C, ...
    of a multiple-choice question stand for, in order. rejected: of a dataset of pairs, the solution that `solution` is
    preferred to; its `answer` may be "".
    """

    id: str
    question: str
    answer: str
    solution: str | None = None
    subject: str | None = None
    level: str | None = None
    expects: str = ""
    choices: tuple[str, ...] = ()
    rejected: str = ""


@dataclass(frozen=True)
class Grade:
    """A grader's verdict on one text.

    correct: True, False, or None when it could not be judged (never guess).
    answer: what was extracted, in canonical form, so that equal answers are equal strings; "" when nothing was found.
    reason: one sentence for a person. span: [start, end) of the answer in the text.
    extracted: the answer as it stood in the text, before it was brought into canonical form.
    kind: "correct", "wrong", "no-answer", "unjudged", "ran-on", "timeout", "crashed", "unparseable" (the gold answer
    cannot be read) or the grader's own word; the core fills it in when empty.
    rule: how the answer was found ("boxed", "hash", "phrase", "last-number", ...); tells format from mathematics.
    """

    correct: bool | None
    answer: str = ""
    reason: str = ""
    kind: str = ""
    span: tuple[int, int] | None = None
    rule: str = ""
    extracted: str = ""


@dataclass(frozen=True)
class Profile:
    """What is wrong with one text, dimension by dimension, in the order they are to be shown.

    errors: for each dimension from 0 (no error) to 1, or None where it does not apply to this text. evidence: for a
    dimension, sentences for a person that say why. scores: numbers made from the dimensions, such as "wrongness".
    failure: why there is no profile ("timeout", "crashed", with a sentence); "" where there is one.
    """

    errors: Mapping[str, float | None] = field(default_factory=dict)
    evidence: Mapping[str, Sequence[str]] = field(default_factory=dict)
    scores: Mapping[str, float] = field(default_factory=dict)
    failure: str = ""


@dataclass(frozen=True)
class Decoding:
    """How texts are generated. temperature 0 is greedy. `stop` strings end a text and are cut from it;
    `stop_after_answer` ends it behind the first closed ``\\boxed{...}``."""

    max_new_tokens: int = 256
    temperature: float = 0.0
    top_p: float = 1.0
    stop: tuple[str, ...] = ()
    stop_after_answer: bool = False


@dataclass(frozen=True)
class Example:
    """A worked example that a prompt shows before its question. id: of the row it is; answer: the whole solution."""

    id: str
    question: str
    answer: str


@dataclass(frozen=True)
class PromptStyle:
    """What a dataset asks for: an instruction put with each question, and the answer format it names
    ("boxed", "hash" or "" for none), used by the report to tell format from mathematics.

    examples: shown in this order before each question. plain: how a question stands in a plain prompt, with
    ``{question}`` in it; "" is the English "Question: ... Answer:". `mra_bench.prompts` puts all of it together.
    """

    instruction: str = ""
    answer_format: str = ""
    examples: tuple[Example, ...] = ()
    plain: str = ""

    def record(self) -> dict[str, Any]:
        """As plain data, without what came later and is empty, so that the fingerprints of older runs hold."""
        data: dict[str, Any] = {"instruction": self.instruction, "answer_format": self.answer_format}
        if self.examples:
            data["examples"] = [dict(vars(example)) for example in self.examples]
        return {**data, "plain": self.plain} if self.plain else data


@dataclass(frozen=True)
class Request:
    """One text to generate: sample number `sample` (0-based) of `problem`. `max_new_tokens`: a length limit of its own,
    below that of the block's decoding; None where it has none."""

    problem: Problem
    sample: int = 0
    max_new_tokens: int | None = None


@dataclass(frozen=True)
class Halving:
    """A lack of memory while a block was generated: in its step number `step` (from 1), from which on at most `rows`
    texts were generated at once."""

    step: int
    rows: int


@dataclass(frozen=True)
class Block:
    """The unit of generation and of resume: a fixed list of requests with everything that shapes the texts.

    Each row has its own random stream, derived from (seed, problem id, sample), so texts do not depend on which
    other rows share a block, up to floating-point effects of batching. `halvings`: those of an earlier attempt at the
    block that was cut off; a model that computes texts together repeats them, so that the texts come out the same.
    """

    requests: tuple[Request, ...]
    style: PromptStyle
    decoding: Decoding
    seed: int
    halvings: tuple[Halving, ...] = ()


@dataclass(frozen=True)
class Completion:
    """One generated text, without end-of-sequence and stop string. finish: "stop" or "length". notes: what a model
    says of how the text came about: finite numbers, which a stage's record sums, and short texts, which it counts."""

    problem_id: str
    sample: int
    text: str
    prompt_tokens: int
    tokens: int
    finish: str
    notes: Mapping[str, int | float | str] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class Pair:
    """A preference pair for the model trained on it. Sources: "sample:<index>" or "reference". weight: from 0 up, how
    much it counts beside the other pairs; only the ratios of weights matter."""

    problem_id: str
    prompt: str
    chosen: str
    rejected: str
    weight: float = 1.0
    chosen_source: str = ""
    rejected_source: str = ""


@dataclass(frozen=True)
class Row:
    """A supervised example: the exact prompt the model is evaluated with, and the text to learn."""

    problem_id: str
    prompt: str
    completion: str


@dataclass(frozen=True)
class ModelRef:
    """How to load a model: the registered loader's full name and its options. Plain data, stored in runs."""

    loader: str
    options: Mapping[str, Any] = field(default_factory=dict)


@runtime_checkable
class Model(Protocol):
    """Turns a block of requests into completions. Building one is cheap; weights load on first use.

    More methods are called where a model has them: ``check_problems(problems)`` with all problems of each dataset it
    will be evaluated on, whenever a run is planned, to raise UsageError when it cannot answer them; ``check_ready()``
    when a run starts that will ask it, before any work, to raise UsageError when it would not answer;
    ``begin(spent)`` before each stage it generates, with the summed `notes` of the texts that this run has from it
    already; ``child(folder)``, the ModelRef of a model that was trained from it and saved in `folder`, where that is to
    be loaded otherwise than its trainer says; ``release()`` to free memory. Where a model has ``halvings``, the Halving
    of each lack of memory in the block it generates now, they are kept and handed back with the block when it has to be
    generated again. ``note``, a few words, is shown behind the progress.

    Texts of a model that is not `reproducible` are kept one by one as they come; after a kill it is asked only for
    those of a block that are not there.
    """

    reproducible: bool

    def identity(self) -> Mapping[str, Any]:
        """Everything that shapes the texts: weight hashes, prompt format, dtype, engine settings. JSON-safe."""

    def checkpoint(self) -> Path | None:
        """Folder of weights in the transformers format that a trainer can start from, or None."""

    def render(self, problem: Problem, style: PromptStyle) -> str:
        """The exact prompt text for a problem."""

    def continuation(self, text: str) -> str:
        """`text` as it follows the rendered prompt (with a leading space in a plain format, say): what is learnt."""

    def generate(self, block: Block) -> Iterator[Completion]:
        """One completion for each request, in any order."""


Grader = Callable[[Problem, str], Grade]
Profiler = Callable[[Problem, str], Profile]


class Progress(Protocol):
    """Told by models and trainers how far they are. `done` and `total` in the stage's own unit."""

    def update(self, done: int, total: int, *, tokens: int = 0, note: str = "") -> None: ...


@dataclass(frozen=True)
class Dev:
    """Held-out problems by which a trainer chooses the epoch whose weights it saves; `prompts`: what the model is asked
    each with.

    At the end of each epoch the trainer calls ``score(epoch, step, answer)``: `epoch` from 1, `step` the updates so
    far, and ``answer()`` gives one Completion for each problem, sample 0, decoded as `decoding` says from the weights
    as they are now. It is not called where an earlier attempt has left the answers of this epoch. `score` stores and
    grades them and says whether this epoch is the best one so far (of equal ones the first is). All processes of a
    launcher call it; `answer` is called in the first alone. keep_all: leave the weights of every epoch in ``workdir``,
    each in a folder ``epoch-<number>`` that loads like `output`.
    """

    problems: Sequence[Problem]
    prompts: Sequence[str]
    decoding: Decoding
    score: Callable[[int, int, Callable[[], Iterable[Completion]]], bool]
    keep_all: bool = False


@dataclass(frozen=True)
class TrainJob:
    """What a trainer gets. `workdir` survives a kill (checkpoints go there); weights must be saved in `output`.

    Exactly one of `rows`, `pairs`, `problems` is non-empty, as the trainer's `consumes` says. With `problems` come
    `prompts`, the exact prompt the model is asked each with, `decoding`, how texts are ended when it is evaluated, and
    `graders`: by name, each takes (problem, text) items and gives their grades in order, from worker processes, within
    the recipe's limits. `dev`: what the best epoch is chosen by, where the recipe asks for that. `ranks`: how many
    processes train together, each given the job at once with a `rank` of its own; only rank 0 writes. `log` takes one
    JSON-safe record per logging step; on resume the trainer calls it again for steps redone, the last record of a step
    counts.
    """

    name: str
    parent: Path
    parent_ref: ModelRef
    output: Path
    workdir: Path
    options: Any
    seed: int
    progress: Progress
    log: Callable[[Mapping[str, Any]], None]
    rows: Sequence[Row] = ()
    pairs: Sequence[Pair] = ()
    problems: Sequence[Problem] = ()
    prompts: Sequence[str] = ()
    decoding: Decoding = Decoding()
    graders: Mapping[str, Callable[[Sequence[tuple[Problem, str]]], Sequence[Grade]]] = field(default_factory=dict)
    dev: Dev | None = None
    rank: int = 0
    ranks: int = 1


@dataclass(frozen=True)
class TrainedModel:
    """What a trainer returns: the folder of saved weights, how to load it, and counts for the record
    (at least "steps" and "tokens", the tokens of all sequences passed through training)."""

    checkpoint: Path
    ref: ModelRef
    facts: Mapping[str, Any] = field(default_factory=dict)


Trainer = Callable[[TrainJob], TrainedModel]
DatasetLoader = Callable[[str, Any], Iterable[Problem]]
