"""mra-bench run"""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mra_bench.cli.options import Choice, Integer, Number, plugin_options, settings_of

if TYPE_CHECKING:
    from mra_bench.plan import Plan
    from mra_bench.progress import PlainReporter
    from mra_bench.recipe_schema import Recipe
    from mra_bench.run import Outcome

EPILOG = """
\b
Examples:
  mra-bench run                                            the recipe quickstart
  mra-bench run --models base,sft,dpo --recipe smoke       the whole path in about a minute
  mra-bench run --recipe quickstart --set seed=1 --out reports/seed1
  mra-bench run --recipe my.yaml --dry-run                 what it would do, and what that costs
  mra-bench run --model mine=./checkpoint --data arith     score one checkpoint
  mra-bench run --model a=./one --model b=./two --data test=problems.jsonl   compare two on your own file
  mra-bench run --recipe my.yaml --until-decided           no more problems than it takes to tell the models apart
  mra-bench run --recipe my.yaml --repeat 2                do texts depend on which are generated together?
\b
Exit codes: 0 done, 1 failed or not one text could be judged (the report is written all the same), 2 bad usage,
130 interrupted. The same command resumes an interrupted run.
"""


class RunCommand(click.Command):
    """Says what a word that belongs to no option was most likely meant as."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.allow_extra_args = True
        rest = super().parse_args(ctx, args)
        if rest and not ctx.resilient_parsing:
            from mra_bench.recipes import recipe_names

            word = rest[0]
            recipe = word in recipe_names() or word.endswith((".yaml", ".yml"))
            hint = f"Did you mean --recipe {word}?" if recipe else "It takes options only; --help lists them."
            raise click.UsageError(f"Unexpected word '{word}'. {hint}", ctx)
        return rest


@click.command(cls=RunCommand, epilog=EPILOG)
@click.option("--recipe", "recipe_name", metavar="NAME|FILE", help="Recipe to run.  [default: quickstart]")
@click.option(
    "--models", metavar="A,B", help="Only these models of the recipe, and those they are trained from.  [default: all]"
)
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="KEY=VALUE",
    help="Change a value of the recipe; VALUE is read as YAML: seed=1, evaluate.samples=4, "
    "models.sft.options.learning_rate=1e-4. `mra-bench recipes show` has the keys, `mra-bench models`, `trainers` and "
    "`graders` the options. Repeatable.",
)
@click.option(
    "--limit",
    type=Integer(1),
    metavar="N",
    help="At most N problems of every evaluation dataset. [default: all]",
)
@click.option(
    "--grader",
    "graders",
    multiple=True,
    metavar="NAME",
    help="Grade with this instead. Repeatable; the first counts.  [default: the recipe's]",
)
@click.option(
    "--model",
    "loose_models",
    multiple=True,
    metavar="NAME=WHAT",
    help="Without a recipe: score this folder, GGUF file, hub id, model loader, or LOADER@PATH. Repeatable.",
)
@click.option(
    "--data",
    multiple=True,
    metavar="NAME[:SPLIT][=FILE]",
    help="With a recipe: a local file in the place of a dataset that it reads (gsm8k:test=FILE). Without: a dataset to "
    "score on, its split test if none is named; the verdict is about the first. Repeatable.  [default: arith]",
)
@click.option("--out", type=click.Path(), metavar="FOLDER", help="Run folder.  [default: reports/<recipe>]")
@click.option(
    "--reuse",
    type=click.Path(),
    metavar="RUN",
    help="Take finished stages with equal fingerprints from this run folder.",
)
@click.option("--dry-run", is_flag=True, help="Show the plan with counts, disk and cost, and stop.")
@click.option(
    "--until-decided",
    is_flag=True,
    help="Ask the first dataset's problems in looks of 10, 25, 50 and 100 % and end once every comparison of the "
    "verdict is decided, by a sequential test. Such a run enters no leaderboard.",
)
@click.option(
    "--repeat",
    type=Integer(1),
    metavar="N",
    help="Make every evaluation N times, each further time in other batches, and count the texts and verdicts that "
    "differ. The figures stay those of the first time.  [default: the recipe's evaluate.repeat, or 1]",
)
@click.option(
    "--strict-determinism",
    is_flag=True,
    help="The same texts and weights whatever is computed beside them and however many cores there are: fp32, each "
    "text by itself, one thread unless OMP_NUM_THREADS is set. Slow; --dry-run says what it costs.",
)
@click.option("--drop-contaminated", is_flag=True, help="Leave training rows out that hold test questions.")
@click.option(
    "--allow-contamination", is_flag=True, help="Train on them all the same; every result of such a model is marked."
)
@click.option(
    "--grader-seconds",
    type=Number(min=0, min_open=True),
    metavar="SECONDS",
    help="A text that takes the grader longer is counted as timed out. Another value grades again, and redoes pairs "
    "and what is trained on them. [default: the recipe's grading.seconds, or 10]",
)
@click.option(
    "--executor",
    type=Choice(["local", "ray"]),
    default="local",
    show_default=True,
    help="Where texts are generated and graded: in this process, or on the nodes of a Ray cluster "
    "(docs/many_machines.md). Needs the extra ray.",
)
@click.option(
    "--ray-address",
    metavar="HOST:PORT",
    help="The cluster to join; auto: the one of this machine.  [default: RAY_ADDRESS, else one of its own]",
)
@click.option(
    "--ray-actors", type=Integer(1), metavar="N", help="Actors at once, each with a model.  [default: all that fit]"
)
@click.option(
    "--ray-cpus",
    type=Integer(1),
    metavar="N",
    help="CPUs of an actor, which are its threads.  [default: the threads of a local run]",
)
@click.option(
    "--ray-gpus", type=Number(min=0), metavar="N", help="GPUs of an actor; 0.5 lets two share one.  [default: 0]"
)
@click.option("--strict", is_flag=True, help="Stop when a plugin raises, instead of recording it.")
@click.option("--quiet", is_flag=True, help="Print the result only.")
@click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object a line, the last with the result or the error."
)
@plugin_options
def command(**given: Any) -> None:
    """Evaluate models, train the ones the recipe trains, compare all on the same problems, and write a report."""
    from mra_bench.cli.outcome import nothing_judged
    from mra_bench.errors import UsageError
    from mra_bench.executors import make_executor
    from mra_bench.plan import make_plan
    from mra_bench.plugins import load_plugins
    from mra_bench.progress import make_reporter
    from mra_bench.ranks import is_follower, join
    from mra_bench.run import RunOptions, execute, follow

    _check_folders(given)
    elsewhere = _executor_settings(given)
    settings = settings_of(given["plugin_files"], given["blocked"])
    registry = load_plugins(settings)
    recipe = _recipe(given, registry)
    wanted = [name.strip() for name in given["models"].split(",") if name.strip()] if given["models"] else None
    reporter = make_reporter(quiet=given["quiet"] or is_follower(), as_json=given["as_json"] and not is_follower())
    for plugin in registry.plugins:
        if plugin.error:
            reporter.message(f"Warning: the plugin {plugin.name} is broken and not used: {plugin.error}")
    plan = make_plan(recipe, registry, wanted)
    if plan.overlaps:
        reporter.message(_overlap_line(plan))
    if plan.added:
        reporter.message(f"Added because others are trained from it: {', '.join(plan.added)}")
    out = Path(given["out"] or Path("reports") / recipe.name)
    if out.exists() and not out.is_dir():
        raise UsageError(f"--out {out} is a file; name a folder, new or of an earlier run")
    if given["dry_run"]:
        if not is_follower():
            _show_plan(plan, out, reporter, given["as_json"])
        return
    reuse = Path(given["reuse"]) if given["reuse"] else None
    with contextlib.closing(make_executor(given["executor"], elsewhere)) as executor:
        how = RunOptions(out, reuse, given["strict"], join(), executor)
        if not how.ranks.leads:
            follow(plan, registry, settings, how)
            how.ranks.leave()
            return
        try:
            outcome = execute(plan, registry, settings, how, reporter)
            how.ranks.leave()
        finally:
            getattr(reporter, "close", lambda: None)()
    reporter.result(_data(outcome), _text(outcome))
    if nothing_judged(outcome.results):
        click.get_current_context().exit(1)


def _check_folders(given: dict[str, Any]) -> None:
    """--out and --reuse name folders. An empty value is most often a shell variable that is not set."""
    from mra_bench.errors import UsageError
    from mra_bench.folder import manifest_of

    for option in ("out", "reuse"):
        if given[option] == "":
            raise UsageError(f'--{option} "" names no folder. Is a variable of the shell empty?')
    if given["models"] is not None and not given["models"].replace(",", "").strip():
        raise UsageError(
            f'--models "{given["models"]}" names no model; leave it out for all. Is a variable of the shell empty?'
        )
    if given["reuse"] is not None:
        try:
            manifest_of(Path(given["reuse"]))
        except UsageError as error:
            raise UsageError(f"--reuse {given['reuse']}: {error}") from None


def _executor_settings(given: dict[str, Any]) -> dict[str, Any]:
    """The given settings of --executor. Raises UsageError for those of another executor, and beside a launcher."""
    from mra_bench.errors import UsageError
    from mra_bench.ranks import launched

    settings = {key: given[f"ray_{key}"] for key in ("address", "actors", "cpus", "gpus")}
    settings = {key: value for key, value in settings.items() if value is not None}
    if settings and given["executor"] != "ray":
        raise UsageError(f"--ray-{next(iter(settings))} goes with --executor ray")
    if given["executor"] == "ray" and launched() > 1:
        raise UsageError(
            "--executor ray does not go with a launcher: blocks would be shared twice. Leave out one of them; finished "
            "stages are kept, so a run can be trained with a launcher and go on with ray"
        )
    return settings


def _recipe(given: dict[str, Any], registry: Any) -> Recipe:
    """The recipe of --recipe with every change the options make, or one made up from --model and --data."""
    from mra_bench.errors import UsageError
    from mra_bench.loose import loose_recipe
    from mra_bench.recipe import validate_recipe
    from mra_bench.recipe_files import read_from_files
    from mra_bench.recipes import read_recipe
    from mra_bench.settings import apply_setting

    if given["drop_contaminated"] and given["allow_contamination"]:
        raise UsageError("Give --drop-contaminated or --allow-contamination, not both: rows cannot go and stay")
    if given["loose_models"]:
        if given["recipe_name"] or given["models"]:
            raise UsageError(
                "--model scores checkpoints without a recipe; it does not go with --recipe or --models. Another model "
                "in a recipe: --set models.NAME.options.path=FOLDER_OR_HUB_ID, or --set 'models.NAME={model: LOADER}'"
            )
        name, data = "the command line", loose_recipe(given["loose_models"], given["data"] or ["arith"], registry)
    else:
        name = given["recipe_name"] or "quickstart"
        data = read_recipe(name)
    for setting in given["settings"]:
        apply_setting(data, setting)
    if not given["loose_models"]:
        read_from_files(data, given["data"])
    if given["graders"]:
        data["graders"] = list(given["graders"])
    if given["grader_seconds"] is not None:
        apply_setting(data, f"grading.seconds={given['grader_seconds']!r}")
    if given["until_decided"]:
        apply_setting(data, "evaluate.until_decided=true")
    if given["repeat"] is not None:
        apply_setting(data, f"evaluate.repeat={given['repeat']}")
    if given["strict_determinism"]:
        apply_setting(data, "strict_determinism=true")
    if given["drop_contaminated"] or given["allow_contamination"]:
        data["contamination"] = "drop" if given["drop_contaminated"] else "allow"
    recipe = validate_recipe(data, name)
    return recipe if given["limit"] is None else _limited(recipe, given["limit"])


def _overlap_line(plan: Plan) -> str:
    """How many training rows hold test questions, what became of them, and where they are listed."""
    count = len({overlap.train_id for overlap in plan.overlaps})
    many = f"{count:,} training row{' holds a test question' if count == 1 else 's hold test questions'}"
    done = "dropped, not trained on" if plan.recipe.contamination == "drop" else "trained on all the same"
    return f"{many}: {done}. The report lists them, as does results.json under 'contamination'."


def _limited(recipe: Recipe, limit: int) -> Recipe:
    """At most `limit` problems of every evaluation dataset; training data stays as it is."""
    trained_on = {entry.data for entry in recipe.models.values()}
    changed = {}
    for name in recipe.evaluate.datasets:
        entry = recipe.datasets[name]
        if name not in trained_on:
            changed[name] = entry.model_copy(update={"limit": min(limit, entry.limit or limit)})
    return recipe.model_copy(update={"datasets": {**recipe.datasets, **changed}})


def _show_plan(plan: Plan, out: Path, reporter: PlainReporter, as_json: bool) -> None:
    """What the run would do and cost, and what it would find in its folder. Raises UsageError for a disk too small."""
    from mra_bench.costs import check_disk, plan_data, plan_table
    from mra_bench.earlier import other_run
    from mra_bench.looks import needed_stages
    from mra_bench.store import stage_record

    if (other := other_run(out, plan.fingerprint)) is not None:
        reporter.message(other.sentence())
    complete = frozenset(s.folder for s in plan.stages if stage_record(out / s.folder))
    if as_json:
        click.echo(json.dumps({"event": "plan", **plan_data(plan, out, complete)}))
    else:
        click.echo(plan_table(plan, out, complete))
    check_disk(plan, [s for s in needed_stages(out, plan) if s.folder not in complete], out)


def _data(outcome: Outcome) -> dict[str, Any]:
    from mra_bench.cli.outcome import outcome_data

    done = {"stages_done": outcome.done, "stages_kept": outcome.kept}
    return {**outcome_data(outcome.report, outcome.results), **done}


def _text(outcome: Outcome) -> str:
    from mra_bench.cli.outcome import outcome_lines
    from mra_bench.tables import scoreboard

    lines = ["Nothing to do: every stage of this run is complete."] if outcome.current else []
    lines += [scoreboard(outcome.results), "", *outcome_lines(outcome.report, outcome.results)]
    return "\n".join(lines)
