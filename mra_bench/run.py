"""Carries a plan out in a run folder: skips what is there, reuses, resumes, records, and writes the results."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mra_bench import provenance
from mra_bench.conditions import conditions, made_so_far, made_with
from mra_bench.context import Context, open_model
from mra_bench.contracts import build_model
from mra_bench.costs import check_disk, stage_cost
from mra_bench.earlier import other_run, set_aside
from mra_bench.errors import DISK_FULL, BenchError
from mra_bench.executors import Executor, Local
from mra_bench.folder import RECIPE, RUN, check_run, drop_changed
from mra_bench.leaderboard.rows import ROWS, published_data
from mra_bench.looks import decided, needed_stages, reached_look
from mra_bench.manifest import manifest, run_record
from mra_bench.memory import PeakMemory
from mra_bench.notes import NOTES, notes_of
from mra_bench.plan import Plan
from mra_bench.plan_checks import of_model
from mra_bench.plugins import PluginSettings, Registry
from mra_bench.progress import QuietReporter, Reporter
from mra_bench.ranks import Ranks
from mra_bench.recipe import to_yaml
from mra_bench.report.render import write_report
from mra_bench.report.section import misplaced, sections_of
from mra_bench.results import RESULTS, compute
from mra_bench.runtime import prepare_threads
from mra_bench.same_conditions import REPRODUCIBLE
from mra_bench.stages import STEPS, shared, size_of
from mra_bench.store import (
    WORK,
    append_row,
    drop_work,
    fingerprint,
    finish_stage,
    locked,
    reuse_stage,
    stage_record,
    tidy,
    write_json,
    write_text,
)
from mra_bench.work import PlannedModel, Stage

TIMINGS = "timings.jsonl"
REPORT = "report.html"


@dataclass(frozen=True)
class RunOptions:
    """Where and how a plan is carried out, and by which process of how many. The executor is closed by who made it."""

    out: Path
    reuse: Path | None = None
    strict: bool = False
    ranks: Ranks = field(default_factory=Ranks)
    executor: Executor = field(default_factory=Local)


@dataclass(frozen=True)
class Outcome:
    """What a run ended with. `done` and `kept` count stages carried out and found complete; `current`: the report was
    there already, and nothing at all was written."""

    report: Path
    results: Mapping[str, Any]
    done: int
    kept: int
    current: bool = False


def execute(
    plan: Plan, registry: Registry, plugins: PluginSettings, options: RunOptions, reporter: Reporter
) -> Outcome:
    """Run every stage that is not complete, then write results and report.

    Raises BenchError for what goes wrong on the way; whatever was finished stays and the same call goes on from it.
    """
    with locked(options.out):
        try:
            outcome = _execute(plan, registry, plugins, options, reporter)
            options.ranks.tell(None)  # nothing more to do for the others; after an error their launcher ends them
            return outcome
        except OSError as error:
            if error.errno in DISK_FULL:
                raise BenchError(
                    f"The disk under {options.out} is full ({error.strerror}). Free some space and give the same "
                    "command again: finished work is kept."
                ) from error
            raise


def follow(plan: Plan, registry: Registry, plugins: PluginSettings, options: RunOptions) -> None:
    """Do this process's share of every stage that the leader names, until it names none."""
    threads = int(prepare_threads()["threads"])
    context = Context(
        options.out, registry, plugins, QuietReporter(), conditions(threads), options.strict, options.ranks
    )
    stages = {stage.folder: stage for stage in plan.stages}
    while (folder := options.ranks.tell()) is not None:
        STEPS[stages[folder].kind](context, stages[folder])


def _execute(
    plan: Plan, registry: Registry, plugins: PluginSettings, options: RunOptions, reporter: Reporter
) -> Outcome:
    out = options.out
    incomplete = {stage.folder for stage in plan.stages if not is_complete(out, stage, reporter)}
    needed = needed_stages(out, plan)
    pending = [stage for stage in needed if stage.folder in incomplete]
    if not pending and _report_is_current(out, plan):
        results = json.loads((out / RESULTS).read_text(encoding="utf-8"))
        return Outcome(out / REPORT, results, 0, len(needed), current=True)
    check_disk(plan, pending, out)
    loaded = _check_ready(plan, pending)
    if any(stage.kind in options.executor.elsewhere for stage in pending):
        judges = [stage.work.registered for stage in pending if stage.kind in ("grade", "profile")]
        options.executor.check_ready(loaded, judges, plugins)
    threads = prepare_threads()
    if (other := other_run(out, plan.fingerprint)) is not None:
        reporter.message(other.sentence())
        set_aside(other)
    for stale in (REPORT, ROWS, RESULTS):  # so that a kill from here on never leaves them beside another plan
        (out / stale).unlink(missing_ok=True)
    write_text(out / RECIPE, to_yaml(plan.recipe))
    record = run_record(plan, threads)
    record["reused"] = _reused_before(out, plan)
    write_json(out / RUN, record)
    now = conditions(int(threads["threads"]))
    context = Context(out, registry, plugins, reporter, now, options.strict, options.ranks, options.executor)
    done = kept = 0
    for look, part in enumerate(plan.parts):
        if look > 1 and decided(out, record["plan"], look - 1):
            reporter.message(f"Every comparison is decided at look {look - 1} of {len(plan.looks)}: no more is asked.")
            break
        for stage in part:
            made = stage_record(out / stage.folder) is None and _carry_out(context, stage, options.reuse, record)
            done, kept = done + made, kept + (not made)
    record["plan"] = manifest(plan, reached_look(out, plan))
    record["models"] = {m.name: _identity(out, m, plan.stages, registry) for m in plan.models}
    record["prompts"] = _prompts(out, plan, registry)
    record["finished"] = provenance.now()  # the old report is gone, so this counts only with a new one beside it
    write_json(out / RUN, record)
    context.release()
    results = finish_run(out, registry, reporter.message, strict=options.strict)
    return Outcome(out / REPORT, results, done, kept)


def _carry_out(context: Context, stage: Stage, reuse: Path | None, record: dict[str, Any]) -> bool:
    """Make the stage, or take it from the run folder `reuse` and record that; whether it was made."""
    if reuse is None or not reuse_stage(reuse / stage.folder, context.folder(stage), stage.fingerprint):
        run_stage(context, stage)
        return True
    record["reused"].append({"stage": stage.folder, "from": str(reuse)})
    write_json(context.root / RUN, record)
    context.reporter.message(f"{stage.label}: taken from {reuse}")
    return False


def finish_run(out: Path, registry: Registry, tell: Callable[[str], None], *, strict: bool = False) -> dict[str, Any]:
    """Compute results.json and the rows for leaderboards from the folder's files, and write the report with the
    sections of all plugins. `tell` hears of sections that failed or found no place; `strict` makes a failure fatal.

    Raises UsageError when there is nothing to compute from, SectionFault with `strict`.
    """
    check_run(out)
    results = compute(out)
    write_json(out / RESULTS, results)
    record = json.loads((out / RUN).read_text(encoding="utf-8"))
    write_json(out / ROWS, published_data(out, record, results, out))
    for sentence in misplaced(registry):
        tell(sentence)
    write_report(out, sections_of(registry), None if strict else lambda fault: tell(str(fault)))
    return results


def run_stage(context: Context, stage: Stage, *, added: bool = False) -> None:
    """Carry out one stage and mark it complete; its time and peak memory go to timings.jsonl. `added`: a stage that the
    run's recipe does not ask for; its record says so, and the run's own times stay as they are."""
    folder = context.folder(stage)
    folder.mkdir(parents=True, exist_ok=True)
    tidy(folder)
    here = stage.kind not in context.executor.elsewhere
    if here:
        made_with(folder / WORK, context.conditions)
    started, memory = time.monotonic(), PeakMemory()
    total, unit = size_of(stage)
    cost = stage_cost(stage)
    about = f"about {cost.amount:,} {cost.unit}" if cost.amount and not total else ""
    context.reporter.begin(stage.label, total, unit, about)
    if shared(stage):
        context.ranks.tell(stage.folder)
    facts = STEPS[stage.kind](context, stage)
    finish_stage(
        folder,
        {
            "kind": stage.kind,
            "name": stage.name,
            "fingerprint": stage.fingerprint,
            "spec": stage.spec,
            "inputs": [s.folder for s in stage.inputs],
            "facts": facts,
            "made_with": made_so_far(folder / WORK),
            **({"added": True} if added else {}),
        },
    )
    if not added:
        _book(context, stage, time.monotonic() - started, memory if here else None, facts)
    context.reporter.end(describe(facts))


def _book(context: Context, stage: Stage, seconds: float, memory: PeakMemory | None, facts: Mapping[str, Any]) -> None:
    """Memory is that of this process, where models are: of stages of other kinds, and of those made elsewhere (`memory`
    None), it would say nothing."""
    row = {
        "stage": stage.folder,
        "seconds": round(seconds, 3),
        "tokens": facts.get("tokens"),
        "ended": provenance.now(),
        **(memory.measured() if memory is not None and stage.kind in ("generate", "train") else {}),
    }
    append_row(context.root / TIMINGS, row)


def describe(facts: Mapping[str, Any]) -> str:
    """A few words on what a stage gave."""
    parts = [
        f"{value:,} {key}" for key in ("problems", "texts", "pairs", "steps", "tokens") if (value := facts.get(key))
    ]
    parts += [f"{key} {value:,.4g}" for key, value in facts.get(NOTES, {}).items() if isinstance(value, int | float)]
    if kinds := facts.get("kinds"):
        parts += [f"{count:,} {kind}" for kind, count in sorted(kinds.items(), key=lambda item: -item[1])]
    return ", ".join(parts) or "done"


def _check_ready(plan: Plan, pending: Sequence[Stage]) -> list[PlannedModel]:
    """The loaded models that stages still to run will ask; each is there and answers. Raises UsageError."""
    asked = {stage.work.model.name for stage in pending if stage.kind == "generate"}
    loaded = [model for model in plan.models if model.name in asked and model.stage is None]
    check_loaded(loaded)
    return loaded


def check_loaded(models: Iterable[PlannedModel]) -> None:
    """Loaded models, each of which has to answer. Raises UsageError that names the one that would not."""
    for model in models:
        with of_model(model.name):
            build_model(model.loader, model.options).check_ready()


def _identity(out: Path, model: PlannedModel, stages: Sequence[Stage], registry: Registry) -> dict[str, Any]:
    """What run.json says of a model: who it is, and where that is so, that its texts may differ when it is asked again,
    with the sums of what it noted of them."""
    found = open_model(out, model, registry)
    identity = dict(found.identity())
    if not found.reproducible:
        made = (s.folder for s in stages if s.kind == "generate" and s.work.model.name == model.name)
        identity |= {REPRODUCIBLE: False, NOTES: notes_of(out, made)}
    return identity


def _prompts(out: Path, plan: Plan, registry: Registry) -> dict[str, Any]:
    """For each model and dataset the first prompt in full and a hash over all prompts."""
    found: dict[str, Any] = {}
    for planned in plan.models:
        model = open_model(out, planned, registry)
        found[planned.name] = {}
        for name in plan.recipe.evaluate.datasets:
            data = plan.datasets[name]
            texts = [model.render(p, data.style) for p in data.problems]
            found[planned.name][name] = {"text": texts[0], "hash": fingerprint(texts)}
    return found


def is_complete(out: Path, stage: Stage, reporter: Reporter) -> bool:
    """Whether the stage is finished. One whose files are no longer as it left them is not, and that is said."""
    record = stage_record(out / stage.folder)
    if record is not None and record["fingerprint"] != stage.fingerprint:
        raise BenchError(
            f"{out / stage.folder} holds another stage with the same short fingerprint; remove that folder"
        )
    if record is None:
        return False
    if changed := drop_changed(out, stage.folder):
        name = changed[0].relative_to(out).as_posix()
        more = f" (and {len(changed) - 1} more)" if len(changed) > 1 else ""
        reporter.message(f"{name}{more} is gone or is not as its stage left it; the stage is made again")
        return False
    drop_work(out / stage.folder)
    return True


def _reused_before(out: Path, plan: Plan) -> list[dict[str, str]]:
    """What earlier calls took from other runs and this plan still uses."""
    try:
        before = json.loads((out / RUN).read_text(encoding="utf-8"))["reused"]
    except (OSError, ValueError, KeyError):
        return []
    folders = {stage.folder for stage in plan.stages}
    return [entry for entry in before if entry["stage"] in folders]


def _report_is_current(out: Path, plan: Plan) -> bool:
    try:
        results = json.loads((out / RESULTS).read_text(encoding="utf-8"))
        record = json.loads((out / RUN).read_text(encoding="utf-8"))
        finished, planned = record["finished"], record["plan"]
        fingerprint_there = results["run"]["fingerprint"]
    except (OSError, ValueError, KeyError):
        return False
    same = fingerprint_there == plan.fingerprint and planned == json.loads(
        json.dumps(manifest(plan, reached_look(out, plan)))
    )
    return same and finished is not None and all((out / name).is_file() for name in (REPORT, RECIPE))
