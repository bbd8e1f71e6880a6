"""The border to model and trainer plugins: what they are, give and raise is checked here, so that a fault is one
sentence that names the plugin, what is wrong and what is expected, and never reaches a stage's files.
"""

from __future__ import annotations

import contextlib
import dataclasses
import inspect
import json
import math
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from mra_bench.builders import BuildJob, PairSet, RowSet, Sampled
from mra_bench.errors import DISK_FULL, BenchError, UsageError
from mra_bench.plugins import Registered, Registry, word
from mra_bench.types import (
    LENGTH,
    STOP,
    Block,
    Completion,
    Halving,
    Model,
    ModelRef,
    Pair,
    Problem,
    PromptStyle,
    Row,
    TrainedModel,
    TrainJob,
)

METHODS: Mapping[str, tuple[str, ...]] = {
    "identity": (),
    "checkpoint": (),
    "render": ("problem", "style"),
    "continuation": ("text",),
    "generate": ("block",),
}


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _are_notes(value: object) -> bool:
    return isinstance(value, Mapping) and all(
        isinstance(key, str) and (isinstance(note, str) or _is_number(note)) for key, note in value.items()
    )


COMPLETION: Mapping[str, tuple[str, Callable[[object], bool]]] = {  # field -> what it must be, in words and as a test
    "text": ("text (str)", lambda value: isinstance(value, str)),
    "prompt_tokens": ("a whole number from 0 up", _is_count),
    "tokens": ("a whole number from 0 up", _is_count),
    "finish": (f"'{STOP}' or '{LENGTH}'", lambda value: value in (STOP, LENGTH)),
    "notes": ("a mapping of words to finite numbers and texts", _are_notes),
}


class PluginFault(BenchError):
    """A plugin does not do what its hook asks for. Only its author can put it right."""


def build_model(registered: Registered, values: Mapping[str, Any]) -> CheckedModel:
    """The model of a loader and option values, checked as far as it can be without loading weights.

    Raises UsageError for bad options, PluginFault for a loader or a model of the wrong shape.
    """
    options = registered.parse_options(values)
    who = _who(registered)
    _check_call(registered.target, (options,), f"{who}: the loader", "loader(options)")
    with guarded(registered, "building the model"):
        model = registered.target(options)
    missing = [f"{name}()" for name in METHODS if not callable(getattr(model, name, None))]
    if missing:
        expected = ", ".join(f"{name}({', '.join(takes)})" for name, takes in METHODS.items())
        raise PluginFault(
            f"{who}: the loader gave {_described(model)} without {' and '.join(missing)}. A model has {expected}; see "
            "mra_bench.types.Model"
        )
    for name, takes in METHODS.items():
        _check_call(getattr(model, name), takes, f"{who}: {name}", f"{name}({', '.join(takes)})")
    return CheckedModel(model, registered)


class CheckedModel:
    """A plugin's model; what its methods give is checked before anything else sees it."""

    def __init__(self, model: Model, registered: Registered) -> None:
        self.model = model
        self.registered = registered
        self.reproducible = bool(getattr(model, "reproducible", False))

    def identity(self) -> Mapping[str, Any]:
        with guarded(self.registered, "identity()"):
            found = self.model.identity()
        who = _who(self.registered)
        _check_json(found, f"{who}: what identity() gives")
        _check_json(found.get("environment", {}), f"{who}: 'environment' in what identity() gives")
        return found

    def checkpoint(self) -> Path | None:
        with guarded(self.registered, "checkpoint()"):
            found = self.model.checkpoint()
        if found is not None and not (isinstance(found, Path) and found.is_dir()):
            raise PluginFault(
                f"{_who(self.registered)}: checkpoint() gave {_described(found)}; it must give the pathlib.Path of a "
                "folder of weights, or None"
            )
        return found

    def render(self, problem: Problem, style: PromptStyle) -> str:
        with guarded(self.registered, "render()"):
            found = self.model.render(problem, style)
        return self._text(found, "render(problem, style)")

    def continuation(self, text: str) -> str:
        with guarded(self.registered, "continuation()"):
            found = self.model.continuation(text)
        return self._text(found, "continuation(text)")

    def generate(self, block: Block) -> Iterator[Completion]:
        """The model's completions, each of them checked."""
        asked = {(request.problem.id, request.sample) for request in block.requests}
        with guarded(self.registered, "generate()"):
            for completion in self.model.generate(block):
                self._check_completion(completion, asked)
                yield completion

    @property
    def halvings(self) -> tuple[Halving, ...]:
        """Those of the block being generated, of a model that tells."""
        with guarded(self.registered, "halvings"):
            return tuple(getattr(self.model, "halvings", ()))

    def check_problems(self, problems: Sequence[Problem]) -> None:
        """Passed on to a model that has it."""
        check = getattr(self.model, "check_problems", lambda problems: None)
        with guarded(self.registered, "check_problems()"):
            check(problems)

    def check_ready(self) -> None:
        """Passed on to a model that has it."""
        with guarded(self.registered, "check_ready()"):
            getattr(self.model, "check_ready", lambda: None)()

    def begin(self, spent: Mapping[str, Any]) -> None:
        """Passed on to a model that has it."""
        with guarded(self.registered, "begin()"):
            getattr(self.model, "begin", lambda spent: None)(spent)

    @property
    def note(self) -> str:
        """What a model that has it says of its progress."""
        with guarded(self.registered, "note"):
            return str(getattr(self.model, "note", ""))

    def release(self) -> None:
        """Passed on to a model that has it."""
        with guarded(self.registered, "release()"):
            getattr(self.model, "release", lambda: None)()

    def child(self, folder: Path, registry: Registry) -> ModelRef | None:
        """Passed on to a model that has it; checked like what a trainer says."""
        if not hasattr(self.model, "child"):
            return None
        with guarded(self.registered, "child()"):
            found: ModelRef = self.model.child(folder)
        _check_ref(found, folder, f"{_who(self.registered)}: what child(folder) gives", registry)
        return found

    def _text(self, found: object, call: str) -> str:
        if not isinstance(found, str):
            raise PluginFault(f"{_who(self.registered)}: {call} gave {_described(found)}; it must give text (str)")
        return found

    def _check_completion(self, completion: object, asked: set[tuple[str, int]]) -> None:
        who = f"{_who(self.registered)}: generate() yielded"
        rule = "it must yield a Completion for each request of the block"
        if not isinstance(completion, Completion):
            raise PluginFault(f"{who} {_described(completion)}; {rule}")
        for name, (expected, fits) in COMPLETION.items():
            if not fits(given := getattr(completion, name)):
                raise PluginFault(f"{who} a Completion with {name}={given!r:.60}; {name} must be {expected}")
        if (completion.problem_id, completion.sample) not in asked:
            place = f"problem {completion.problem_id!r:.60}, sample {completion.sample!r:.60}"
            raise PluginFault(f"{who} a Completion for {place}, which the block does not ask for; {rule}")


def check_trainer(registered: Registered) -> None:
    """Raises PluginFault for a trainer that cannot be called with a job."""
    _check_call(registered.target, ("job",), f"{_who(registered)}: the trainer", "train(job)")


def run_trainer(registered: Registered, job: TrainJob, registry: Registry) -> TrainedModel:
    """Train, and check that weights are saved where the job says and can be loaded as the trainer says.

    Raises PluginFault for a trainer that raises or gives something else; its own BenchError passes.
    """
    who = _who(registered)
    with guarded(registered, f"training '{job.name}'"):
        trained = registered.target(job)
    if not isinstance(trained, TrainedModel):
        raise PluginFault(f"{who}: train(job) gave {_described(trained)}; it must give a TrainedModel")
    if not job.output.is_dir() or not any(job.output.iterdir()):
        raise PluginFault(f"{who}: train(job) saved nothing in job.output; the weights of the child must be there")
    _check_json(trained.facts, f"{who}: TrainedModel.facts")
    _check_ref(trained.ref, job.output, f"{who}: TrainedModel.ref", registry)
    return trained


Built = TypeVar("Built", PairSet, RowSet)


def run_builder(registered: Registered, job: BuildJob, kind: type[Built]) -> Built:
    """Build, and check what came: each pair or row is whole, of a problem that was given, and has its exact prompt.

    Raises PluginFault for a builder that raises or gives something else; its own BenchError passes.
    """
    who = _who(registered)
    prompts: dict[str, str] = {}

    def noted() -> Iterator[Sampled]:
        for one in job.sampled:
            prompts[one.problem.id] = one.prompt
            yield one

    def rendered(problem: Problem) -> str:
        return prompts.setdefault(problem.id, job.render(problem))

    with guarded(registered, "building what a model learns from"):
        built = registered.target(dataclasses.replace(job, sampled=noted(), render=rendered))
    if not isinstance(built, kind):
        raise PluginFault(f"{who}: build(job) gave {_described(built)}; it must give a {kind.__name__}")
    for item in built.pairs if isinstance(built, PairSet) else built.rows:
        _check_built(item, prompts, who)
    _check_json(built.counts, f"{who}: {kind.__name__}.counts")
    return built


def _check_built(item: object, prompts: Mapping[str, str], who: str) -> None:
    """One pair or row."""
    if not isinstance(item, Pair | Row):
        raise PluginFault(f"{who}: build(job) gave {_described(item)} among the Pairs or Rows")
    texts = (item.chosen, item.rejected) if isinstance(item, Pair) else (item.completion,)
    what = f"{who}: build(job) gave a {type(item).__name__} of problem {item.problem_id!r:.60}"
    if prompts.get(item.problem_id) != item.prompt:
        raise PluginFault(f"{what} whose prompt is not the one that it was given")
    if not all(isinstance(text, str) for text in texts):
        raise PluginFault(f"{what} with what is no text (str)")
    if isinstance(item, Pair) and not (_is_number(item.weight) and item.weight >= 0):
        raise PluginFault(f"{what} with weight {item.weight!r:.60}; it must be a finite number from 0 up")


def _check_ref(ref: object, output: Path, what: str, registry: Registry) -> None:
    """The loader that is named exists and takes the saved folder as its option `path`. what: who names it and where."""
    if not isinstance(ref, ModelRef) or not isinstance(ref.loader, str):
        raise PluginFault(f"{what} is {_described(ref)}; it must be a ModelRef with a loader's name")
    _check_json(ref.options, f"{what}, its options,")
    try:
        registry.resolve("models", ref.loader).parse_options({**ref.options, "path": str(output)})
    except UsageError as error:
        raise PluginFault(
            f"{what} must name a loader that loads the saved folder by its option 'path', such as "
            f"mra_transformers:transformers, but '{ref.loader}' does not. {error}"
        ) from error


@contextlib.contextmanager
def guarded(registered: Registered, doing: str) -> Iterator[None]:
    """What a plugin raises becomes a PluginFault that says where; its own BenchError, Ctrl-C and a full disk pass."""
    try:
        yield
    except (BenchError, KeyboardInterrupt, GeneratorExit):
        raise
    except BaseException as error:
        if isinstance(error, OSError) and error.errno in DISK_FULL:
            raise
        said = " ".join(f"{type(error).__name__}: {error}".split())[:500].removesuffix(":").rstrip(".")
        raise PluginFault(f"{_who(registered)} raised {said} ({doing}, {_place(error, registered)})") from error


def _place(error: BaseException, registered: Registered) -> str:
    """The innermost line of the plugin's own code that the error came through, else the innermost line of all."""
    frames = traceback.extract_tb(error.__traceback__)
    module = registered.plugin.module
    home = Path(module.__file__ or "") if module else Path()
    own = [f for f in frames if home in (Path(f.filename), Path(f.filename).parent / "__init__.py")]
    frame = (own or frames)[-1]
    return f"{Path(frame.filename).name} line {frame.lineno}"


def _who(registered: Registered) -> str:
    return f"The {word(registered.kind)} plugin {registered.full_name}"


def _check_call(target: Callable[..., Any], arguments: Sequence[Any], what: str, expected: str) -> None:
    try:
        signature = inspect.signature(target)
    except (TypeError, ValueError):  # a callable that does not tell; the call itself will
        return
    try:
        signature.bind(*arguments)
    except TypeError as error:
        raise PluginFault(f"{what} cannot be called as {expected}: {error}") from None


def _check_json(value: object, what: str) -> None:
    if not isinstance(value, Mapping):
        raise PluginFault(f"{what} is {_described(value)}; it must be a mapping (dict) of what JSON can hold")
    try:
        json.dumps(dict(value), allow_nan=False, sort_keys=True)
    except (TypeError, ValueError, RecursionError) as error:
        raise PluginFault(f"{what} must hold only what JSON can: {error}") from None


def _described(value: object) -> str:
    return "None" if value is None else f"{type(value).__name__} {value!r:.60}" if _plain(value) else _typed(value)


def _plain(value: object) -> bool:
    return isinstance(value, str | int | float | Path)


def _typed(value: object) -> str:
    name = type(value).__name__
    return f"{'an' if name[0] in 'AEIOUaeiou' else 'a'} {name}"
