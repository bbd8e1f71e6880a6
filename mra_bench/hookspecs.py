"""The hooks of mra-bench, all of them. A plugin is a module with functions of these names marked ``@hookimpl``.

Each hook is called once, when a command first needs a name. The module of a plugin must import nothing heavy: what it
registers is a small function or factory, and torch and its like are imported inside that.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import pluggy

PROJECT = "mra_bench"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


class Register(Protocol):
    """What a hook is given: call it once for each thing the plugin offers.

    options: a class (dataclass or pydantic model) of the thing's options, or its place, "module:Class", to be imported
    when it is first needed; values from the recipe are validated against it before any work starts. Without it the
    thing takes no options. A trainer's options may have a method
    ``examples_seen(examples: int) -> int``, how many it will pass through, and ``texts_drawn(problems: int) -> int``,
    how many it will generate itself; plans then say what training costs. A model's may have
    ``price_at_most(prompt_tokens: int, tokens: int) -> float``, what so many cost; plans then say what is to be paid.
    consumes: for trainers, what they learn from: "rows", "pairs" or "problems"; for builders, what they build from: a
    model's graded "samples" of training problems, or the "problems" alone.
    together: for trainers only, whether the processes of a launcher may all be given the job at once, each with its own
    `job.rank`; else only the first is.
    chooses: for trainers only, whether it can choose the best epoch by `job.dev`.
    needs: modules it cannot work without, each with what pip installs to get it, such as ``{"vllm":
    "mra-bench[vllm]"}``. Where one is missing, listings say so and using the thing is an error before any work starts.
    """

    def __call__(
        self,
        name: str,
        target: Any,
        *,
        options: type | str | None = None,
        consumes: str = "",
        together: bool = False,
        chooses: bool = False,
        needs: Mapping[str, str] | None = None,
    ) -> None: ...


class RegisterSection(Protocol):
    """What `register_report_sections` is given: call it once for each section.

    name: the section's id among those of its plugin.
    target: ``render(run) -> markupsafe.Markup | str``, or its place, "module:function", to be imported when a report is
    written. Markup stands in the page as it is, a plain string is escaped and shown as paragraphs, "" leaves the
    section out.
    title: its heading.
    after: name of the section that it follows; without it, it stands before the samples.
    """

    def __call__(self, name: str, target: Any, *, title: str, after: str = "") -> None: ...


class Hooks:
    """Specifications; pluggy checks every implementation against them."""

    @hookspec
    def register_graders(self, register: Register) -> None:
        """Offer graders: ``register("name", grader)`` with ``grader(problem, text) -> Grade``, or
        ``register("name", factory, options=Options)`` with ``factory(options) -> grader``."""

    @hookspec
    def register_profilers(self, register: Register) -> None:
        """Offer profilers: ``register("name", profiler)`` with ``profiler(problem, text) -> Profile``, or
        ``register("name", factory, options=Options)`` with ``factory(options) -> profiler``."""

    @hookspec
    def register_models(self, register: Register) -> None:
        """Offer model loaders: ``register("name", loader, options=Options)`` with ``loader(options) -> Model``."""

    @hookspec
    def register_trainers(self, register: Register) -> None:
        """Offer trainers: ``register("name", train, options=Options, consumes="rows" | "pairs" | "problems")`` with
        ``train(job: TrainJob) -> TrainedModel``."""

    @hookspec
    def register_pair_builders(self, register: Register) -> None:
        """Offer builders of preference pairs: ``register("name", build, options=Options, consumes="samples" |
        "problems")`` with ``build(job: BuildJob) -> PairSet``."""

    @hookspec
    def register_row_builders(self, register: Register) -> None:
        """Offer builders of supervised rows: the same with ``build(job: BuildJob) -> RowSet``."""

    @hookspec
    def register_datasets(self, register: Register) -> None:
        """Offer datasets that a YAML cannot describe: ``register("name", load)`` with
        ``load(split, options) -> iterable of Problem``, raising KeyError for a split it does not have."""

    @hookspec
    def register_report_sections(self, register: RegisterSection) -> None:
        """Offer sections of the report: ``register("name", render, title="Heading")`` with
        ``render(run: mra_bench.report.RunData) -> markupsafe.Markup | str``."""
