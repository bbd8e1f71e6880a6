"""mra-bench teach"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mra_bench.cli.options import Integer, json_option, plugin_options, settings_of

if TYPE_CHECKING:
    from mra_bench.plan import Plan
    from mra_bench.teaching import Tries

EPILOG = """
\b
Examples:
  mra-bench teach --data gsm8k:train --teacher big=Qwen/Qwen2.5-Math-7B-Instruct --out taught
  mra-bench teach --data gsm8k:train --teacher small=./one --tries 3 --teacher big=./two --tries 5 --out taught
  mra-bench teach --data mine=problems.jsonl --against gsm8k:test --teacher big=./two --out taught
  mra-bench teach --recipe teachers.yaml --tries 3 --out taught    the recipe's models, on its first evaluation dataset
\b
The first teacher tries every problem, again those it failed on, and so on; the next one gets what is left. What is kept
goes to taught.jsonl, a dataset to train on: {data: taught, split: train, path: taught/taught.jsonl} in a recipe.
Exit codes: 0 done; 1 failed, or no problem was solved; 2 bad usage; 130 interrupted. The same command goes on.
"""
DEFAULT_TRIES = 3


@click.command(epilog=EPILOG)
@click.option("--data", metavar="NAME[:SPLIT]|NAME=FILE", help="The problems, of split train if none is named.")
@click.option(
    "--teacher",
    "teachers",
    multiple=True,
    metavar="NAME=WHAT",
    help="A folder, GGUF file, hub id, model loader, or LOADER@PATH. Repeatable; they are asked in this order.",
)
@click.option("--recipe", metavar="FILE", help="Take teachers and problems from a recipe: for teachers with options.")
@click.option(
    "--tries",
    type=Integer(1),
    multiple=True,
    metavar="N",
    help=f"How often a teacher tries: once for all, or once for each of them.  [default: {DEFAULT_TRIES}]",
)
@click.option(
    "--temperatures", default="0.7,0.5,0.9", show_default=True, metavar="T,T", help="Of the tries, round and round."
)
@click.option("--max-new-tokens", type=Integer(1), default=512, show_default=True, help="Length limit of a solution.")
@click.option(
    "--against",
    multiple=True,
    metavar="NAME[:SPLIT]|NAME=FILE",
    help="Evaluation sets whose questions must not be among the problems or in the solutions. Repeatable.  [default: "
    "the test split of the dataset that --data names]",
)
@click.option("--drop-contaminated", is_flag=True, help="Leave out problems that are test questions.")
@click.option("--allow-contamination", is_flag=True, help="Do not look for test questions at all.")
@click.option("--limit", type=Integer(1), metavar="N", help="At most N problems.  [default: all]")
@click.option(
    "--grader", metavar="NAME", help="Who says whether a solution is right.  [default: sympy, or the recipe's]"
)
@click.option("--seed", type=Integer(0), help="Of sampling.  [default: 0, or the recipe's]")
@click.option("--out", type=click.Path(path_type=Path), required=True, metavar="FOLDER", help="Where it all goes.")
@click.option("--dry-run", is_flag=True, help="Say what it would ask at most, and stop.")
@click.option("--quiet", is_flag=True, help="Print the result only.")
@json_option
@plugin_options
def command(**given: Any) -> None:
    """Let teachers write solutions of training problems, and keep those that are graded correct."""
    from mra_bench.cli.listing import show_json
    from mra_bench.plan import make_plan
    from mra_bench.plugins import load_plugins
    from mra_bench.progress import make_reporter
    from mra_bench.recipe import validate_recipe
    from mra_bench.teaching import teach
    from mra_bench.teaching_guard import guard_teaching

    settings = settings_of(given["plugin_files"], given["blocked"])
    registry = load_plugins(settings)
    plan = make_plan(validate_recipe(_recipe(given, registry), given["recipe"] or "the command line"), registry)
    tries = _tries(given, plan)
    guarded = guard_teaching(plan, given["against"], registry)
    if guarded.note:
        click.echo(f"Warning: {guarded.note}", err=True)
    if given["dry_run"]:
        click.echo(_most(guarded.plan, tries))
        return
    reporter = make_reporter(quiet=given["quiet"], as_json=False)
    try:
        record = teach(guarded, tries, registry, settings, given["out"], reporter)
    finally:
        getattr(reporter, "close", lambda: None)()
    if given["as_json"]:
        show_json({**record, "out": str(given["out"])})
    else:
        click.echo(_text(record, given["out"]))
    if not record["solved"]:
        click.get_current_context().exit(1)


def _recipe(given: dict[str, Any], registry: Any) -> dict[str, Any]:
    """Recipe data in which the models are the teachers and the first evaluation dataset is what they solve."""
    from mra_bench.errors import UsageError
    from mra_bench.loose import loose_recipe
    from mra_bench.recipes import read_recipe

    if given["recipe"]:
        if given["data"] or given["teachers"]:
            raise UsageError("--recipe names teachers and problems; it does not go with --data or --teacher")
        data = read_recipe(given["recipe"])
    else:
        if not given["data"] or not given["teachers"]:
            raise UsageError("Give --data and --teacher, as in --data gsm8k:train --teacher big=./model; or --recipe")
        problems = given["data"] if {":", "="} & set(given["data"]) else f"{given['data']}:train"
        data = loose_recipe(given["teachers"], [problems], registry)
        data["evaluate"]["max_new_tokens"] = given["max_new_tokens"]
    if trained := [name for name, entry in data.get("models", {}).items() if "from" in (entry or {})]:
        raise UsageError(f"Teachers are loaded, but the recipe trains {', '.join(trained)}: leave them out")
    first = data["evaluate"]["datasets"][0]
    if given["limit"] is not None:
        data["datasets"][first]["limit"] = given["limit"]
    if given["grader"]:
        data["graders"] = [given["grader"]]
    if given["seed"] is not None:
        data["seed"] = given["seed"]
    if given["drop_contaminated"] and given["allow_contamination"]:
        raise UsageError("Give one of --drop-contaminated and --allow-contamination")
    if given["drop_contaminated"] or given["allow_contamination"]:
        data["contamination"] = "drop" if given["drop_contaminated"] else "allow"
    return data


def _tries(given: dict[str, Any], plan: Plan) -> Tries:
    from mra_bench.errors import UsageError
    from mra_bench.teaching import Tries

    names = [model.name for model in plan.models]
    times = list(given["tries"] or (DEFAULT_TRIES,))
    if len(times) == 1:
        times *= len(names)
    if len(times) != len(names):
        raise UsageError(f"--tries is given {len(times)} times for {len(names)} teachers: once for all, or for each")
    try:
        temperatures = [float(part) for part in given["temperatures"].split(",")]
    except ValueError:
        raise UsageError(f"--temperatures takes numbers, as in 0.7,0.5,0.9; got '{given['temperatures']}'") from None
    return Tries(dict(zip(names, times, strict=True)), temperatures)


def _most(plan: Plan, tries: Tries) -> str:
    problems = len(plan.datasets[plan.recipe.evaluate.datasets[0]].problems)
    limit = plan.recipe.evaluate.max_new_tokens
    each = f"{problems:,} problems x {{}} tries x {limit:,} tokens"
    lines = [
        f"{name}: at most {problems * times * limit:,} tokens ({each.format(times)})"
        for name, times in tries.times.items()
    ]
    return "\n".join(lines)


def _text(record: dict[str, Any], out: Path) -> str:
    from mra_bench.tables import align
    from mra_bench.teaching import TAUGHT

    rows = [["teacher", "asked", "solved", "by try", "tokens", "cut"]]
    for told in record["teachers"]:
        by_try = " ".join(map(str, told["solved"])) or "-"
        solved = f"{told['solved_in_all']:,}"
        rows.append([told["teacher"], f"{told['asked']:,}", solved, by_try, f"{told['tokens']:,}", f"{told['cut']:,}"])
    share = f"{100 * record['solved'] / record['problems']:.1f} %"
    kept = f"{record['solved']:,} of {record['problems']:,} problems solved ({share}): {out / TAUGHT}"
    return f"{align(rows)}\n\n{kept}{_against(record)}"


def _against(record: dict[str, Any]) -> str:
    """What was found when it was held against evaluation sets, as a further line; "" where there were none."""
    held = sum(told["held_test_questions"] for told in record["teachers"])
    found = [f"{len(record['dropped']):,} problems left out, being test questions"] if record["dropped"] else []
    found += [f"{held:,} right solutions not kept, as test questions stand in them"] if held else []
    names = ", ".join(record["against"])
    return f"\nHeld against {names}: {'; '.join(found) or 'nothing found'}" if names else ""
