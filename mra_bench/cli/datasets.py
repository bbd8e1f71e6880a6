"""mra-bench datasets"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mra_bench.cli.options import Integer, json_option, plugin_options
from mra_bench.cli.plugins import Given

if TYPE_CHECKING:
    from mra_bench.dataset_spec import DatasetSpec
    from mra_bench.datasets import DatasetUse
    from mra_bench.plugins import Registry
    from mra_bench.types import Problem, PromptStyle

EPILOG = """
\b
Examples:
  mra-bench datasets --json
  mra-bench datasets show gsm8k --data gsm8k=test.jsonl
  mra-bench datasets check --data math:train=train.jsonl --data math=test.jsonl
  mra-bench datasets fetch aime24
  mra-bench datasets new problems.jsonl --out mine.yaml
"""
FILES = "NAME[:SPLIT]=FILE"
SHOWN = 3
TRIED = 200  # golds that are tried


@click.group(invoke_without_command=True, epilog=EPILOG)
@json_option
@plugin_options
@click.pass_context
def command(ctx: click.Context, /, **shared: Any) -> None:
    """List the datasets that can be named in a recipe or with --data, with their splits. `show` has all of one, `check`
    looks at its rows, `fetch` downloads it, `new` proposes the spec of a file of your own."""
    ctx.obj = Given(**shared)
    if ctx.invoked_subcommand is None:
        _list(ctx.obj)


def _list(given: Given) -> None:
    from mra_bench.cli.listing import show, show_json
    from mra_bench.datasets import dataset_names, dataset_spec
    from mra_bench.plugins import load_plugins

    registry = load_plugins(given.settings)
    specs = {name: dataset_spec(name, registry) for name in dataset_names(registry)}
    if given.as_json:
        keys = ("licence", "title", "language", "answer_type")
        show_json(
            [{"dataset": n, "splits": list(s.splits), **s.model_dump(include=set(keys))} for n, s in specs.items()]
        )
        return
    rows = [[name, ", ".join(s.splits), s.answer_type, s.licence, s.title] for name, s in specs.items()]
    show(["dataset", "splits", "answers", "licence", "title"], rows)


@command.command("show", epilog="Example: mra-bench datasets show math --data math=test.jsonl")
@click.argument("name", metavar="NAME|SPEC.yaml")
@click.option(
    "--data", multiple=True, metavar=FILES, help="Read its rows from this file. Repeatable; the first is shown."
)
@click.option("--style", metavar="NAME", help="Ask in this style instead of the dataset's own.")
@click.option("--shots", type=Integer(0), default=0, show_default=True, help="So many worked examples.")
@json_option
@plugin_options
@click.pass_obj
def show_command(
    before: Given, /, name: str, data: tuple[str, ...], style: str | None, shots: int, **shared: Any
) -> None:
    """Show the spec NAME: source, splits with counts and checksums, licence, how golds are read; and, where its rows
    are at hand, the first problem as models see it. Nothing is downloaded."""
    from mra_bench.cli.listing import show_json
    from mra_bench.dataset_files import read_rows
    from mra_bench.dataset_views import at_hand, prompts_text, spec_text, splits_of
    from mra_bench.datasets import DatasetUse, dataset_spec, read_problems
    from mra_bench.errors import UsageError
    from mra_bench.plugins import load_plugins
    from mra_bench.tables import printable

    given = before.and_(**shared)
    registry = load_plugins(given.settings)
    spec = dataset_spec(name, registry)
    if spec.source is None:
        read_rows(Path(name))  # raises where there is no such file
        raise UsageError(
            f"{name} is a file of rows, not a spec. A spec for it, with three of its problems as models see them: "
            f"mra-bench datasets new {name}"
        )
    here = [DatasetUse(name, split) for split in spec.splits if at_hand(spec, split)]
    uses = [*_files_of(spec, name, data), *sorted(here, key=lambda use: use.split != "test")]
    problem = read_problems(uses[0], registry).problems[0] if uses else None
    asked = _asked(name, uses[:1], style, shots, data, registry) if problem else None
    if given.as_json:
        prompt = None if problem is None or asked is None else _prompt_data(problem, asked)
        spec_data = spec.model_dump(mode="json", exclude_defaults=True)
        show_json({"dataset": name, "spec": spec_data, "splits": splits_of(spec), "first": prompt})
        return
    click.echo(printable(spec_text(spec)))
    if problem is None or asked is None:
        click.echo(f"\nIts rows are not at hand: mra-bench datasets fetch {name}, or --data {name}=FILE.")
    else:
        click.echo(printable(f"\nThe first problem of {uses[0].split}, {problem.id}\n{prompts_text(problem, asked)}"))


def _asked(
    name: str, uses: list[DatasetUse], style: str | None, shots: int, data: tuple[str, ...], registry: Registry
) -> PromptStyle:
    """How a recipe with these words would ask."""
    from mra_bench.datasets import read_problems
    from mra_bench.example_rows import asked_as
    from mra_bench.loose import dataset_entry
    from mra_bench.recipe import validate_recipe

    entries = dict(dataset_entry(one) for one in data)
    prompt = {"style": style, "shots": shots or None}
    said = {key: value for key, value in prompt.items() if value is not None}
    entries["shown"] = {"data": name, "split": uses[0].split, "path": uses[0].path, "prompt": said}
    entries["shown"] = {key: value for key, value in entries["shown"].items() if value}
    whole = {"name": "shown", "datasets": entries, "models": {}, "evaluate": {"datasets": ["shown"]}}
    recipe = validate_recipe(whole, "datasets show")
    return asked_as(recipe, registry, recipe.datasets["shown"], lambda use: read_problems(use, registry).problems)


def _prompt_data(problem: Problem, asked: PromptStyle) -> dict[str, Any]:
    from mra_bench.prompts import chat_messages, plain_prompt

    return {
        "problem": vars(problem),
        "style": asked.record(),
        "plain": plain_prompt(problem, asked),
        "chat": chat_messages(problem, asked),
    }


def _files_of(spec: DatasetSpec, name: str, data: tuple[str, ...]) -> list[DatasetUse]:
    """The files given with --data for this dataset."""
    from mra_bench.datasets import DatasetUse
    from mra_bench.errors import UsageError
    from mra_bench.loose import dataset_entry

    uses = []
    for one in data:
        entry = dataset_entry(one)[1]
        if "path" not in entry:
            raise UsageError(f"--data {one}: name the file, as in --data {name}=FILE")
        if entry["data"] in (name, spec.name):
            uses.append(DatasetUse(name, entry["split"], entry["path"]))
    return uses


@command.command("check", epilog="Example: mra-bench datasets check --data gsm8k=test.jsonl --data mine.yaml=more.csv")
@click.argument("names", nargs=-1, metavar="[NAME|SPEC.yaml]...")
@click.option("--data", multiple=True, metavar=FILES, help="Check the rows of this file. Repeatable.")
@json_option
@plugin_options
@click.pass_obj
def check_command(before: Given, /, names: tuple[str, ...], data: tuple[str, ...], **shared: Any) -> int:
    """Check rows against their spec: count, checksum, whether the grader can read every gold answer, duplicates. A line
    for each check, exit code 1 when one fails. The rows are those of each --data and, for a NAME without one, of all
    its splits at their source."""
    from mra_bench.cli.listing import show_json
    from mra_bench.dataset_views import checked_data, checks_text
    from mra_bench.datasets import DatasetUse, dataset_spec
    from mra_bench.loose import dataset_entry
    from mra_bench.plugins import load_plugins
    from mra_bench.tables import printable

    given = before.and_(**shared)
    registry = load_plugins(given.settings)
    given_files = [entry for _, entry in map(dataset_entry, data)]
    uses = [DatasetUse(entry["data"], entry["split"], entry.get("path")) for entry in given_files]
    for name in dict.fromkeys(names):
        spec = dataset_spec(name, registry)
        if not any(use.data in (name, spec.name) for use in uses):
            uses += [DatasetUse(name, split) for split in spec.splits or ("test",)]
    if not uses:
        raise click.UsageError("Name a dataset, or a file: --data NAME=FILE. List them with: mra-bench datasets")
    rows = []
    for use in uses:
        checked = _checked(use, registry, given)
        rows.append(checked_data(use.data, use.split, checked))
        if not given.as_json:
            click.echo(printable(checks_text(use.data, use.split, checked)))
    if given.as_json:
        show_json(rows)
    return 1 if any(row["failed"] for row in rows) else 0


def _checked(use: DatasetUse, registry: Registry, given: Given) -> Any:
    from mra_bench.dataset_checks import check_split, unread
    from mra_bench.datasets import read_problems, spec_of
    from mra_bench.errors import BenchError

    spec = spec_of(use, registry)
    try:
        problems = read_problems(use, registry).problems
    except BenchError as error:
        return unread(error)
    return check_split(spec, use, problems, given.settings)


@command.command("fetch", epilog="Example: mra-bench datasets fetch math-500")
@click.argument("name", metavar="NAME")
@json_option
@plugin_options
@click.pass_obj
def fetch_command(before: Given, /, name: str, **shared: Any) -> None:
    """Download the dataset NAME into the hub's cache on this machine, where runs find it without the network, and say
    which commit it is and how many rows its splits have."""
    from mra_bench.cli.listing import show_json
    from mra_bench.datasets import DatasetUse, dataset_spec, load
    from mra_bench.errors import UsageError
    from mra_bench.plugins import load_plugins
    from mra_bench.problem_rows import problems_hash

    given = before.and_(**shared)
    registry = load_plugins(given.settings)
    spec = dataset_spec(name, registry)
    if spec.source is None or spec.source.loader or spec.source.folder:
        raise UsageError(f"There is nothing to fetch: the rows of '{name}' come from no network")
    rows = []
    for split in spec.splits:
        loaded = load(DatasetUse(name, split), registry)
        facts = {"rows": len(loaded.problems), "checksum": problems_hash(loaded.problems), "commit": loaded.commit}
        rows.append({"dataset": name, "split": split, **facts})
        if not given.as_json:
            at = f", commit {loaded.commit}" if loaded.commit else ""
            click.echo(f"{name} {split}: {facts['rows']:,} rows, checksum {facts['checksum']}{at}")
    if given.as_json:
        show_json(rows)


@command.command("new", epilog="Example: mra-bench datasets new problems.jsonl --out mine.yaml")
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE")
@click.option("--out", type=click.Path(path_type=Path), metavar="SPEC.yaml", help="Write the spec there.")
@click.option("--question", metavar="COLUMN", help="The column of the questions, where it is not found by itself.")
@click.option("--answer", metavar="COLUMN", help="The column of the gold answers, likewise.")
@json_option
@click.pass_obj
def new_command(
    before: Given, file: Path, out: Path | None, question: str | None, answer: str | None, as_json: bool
) -> int:
    """Look at a FILE of problems (JSONL, CSV or Parquet) and propose its spec: which columns are question, answer,
    solution and choices, how the gold answer is read, and why; say what is unsure; show three problems as models see
    them. Exit code 1 when the proposed spec cannot read a row."""
    from mra_bench.cli.listing import show_json
    from mra_bench.dataset_checks import unreadable_golds
    from mra_bench.dataset_proposal import propose
    from mra_bench.dataset_views import proposal_yaml
    from mra_bench.datasets import style
    from mra_bench.tables import printable

    proposal = propose(file, out.stem if out else file.stem, question, answer)
    problems, stopped = _read_as_proposed(proposal.spec, file)
    unread = unreadable_golds(problems[:TRIED], before.settings)
    shown = [_prompt_data(problem, style(proposal.spec)) for problem in problems[:SHOWN]]
    text = proposal_yaml(proposal)
    if out is not None:
        _write(out, text, file)
    if before.as_json or as_json:
        told = {"spec": proposal.data, "reasons": proposal.reasons, "unsure": proposal.unsure, "shown": shown}
        show_json({**told, "rows": len(problems), "stopped": stopped, "unreadable": unread, "out": str(out or "")})
        return 1 if stopped else 0
    click.echo(printable(text))
    _say_prompts(shown)
    tried = min(len(problems), TRIED)
    click.echo(f"{len(problems):,} rows. Of the first {tried:,} golds the grader can read {tried - len(unread):,}.")
    for name, why in list(unread.items())[:SHOWN]:
        click.echo(printable(f"  {name}: {why}"))
    if stopped:
        click.echo(printable(f"The spec as it is cannot read the file: {stopped}"))
    where = f"Wrote {out}." if out else "Keep it with --out SPEC.yaml."
    click.echo(f"{where} Check and use it: mra-bench datasets check {out or 'SPEC.yaml'}; --data {out or 'SPEC.yaml'}")
    return 1 if stopped else 0


def _read_as_proposed(spec: DatasetSpec, file: Path) -> tuple[list[Problem], str]:
    """The rows of the file by the proposed spec, all of them or those before the first that it cannot read, and why."""
    import itertools

    from mra_bench.dataset_files import read_rows
    from mra_bench.errors import UsageError
    from mra_bench.problem_rows import problems_of

    reading = spec.layouts[0]
    try:
        return problems_of(read_rows(file), "test", reading), ""
    except UsageError as error:
        first = []
        for row in itertools.islice(read_rows(file), TRIED):
            try:
                first += problems_of([row], "test", reading)
            except UsageError:
                break
        return first, str(error)


def _say_prompts(shown: list[dict[str, Any]]) -> None:
    from mra_bench.tables import printable

    for one in shown:
        problem = one["problem"]
        click.echo(
            printable(f"--- {problem['id']}, as plain text\n{one['plain']}\n--- gold answer: {problem['answer']}\n")
        )


def _write(out: Path, text: str, file: Path) -> None:
    """The spec beside its rows, or with their place from there. Raises UsageError where a file stands already."""
    import os

    from mra_bench.dataset_spec import is_spec_file
    from mra_bench.errors import UsageError

    if not is_spec_file(out.name):
        raise UsageError(f"--out {out}: a spec's file ends in .yaml")
    if out.exists():
        raise UsageError(f"--out {out}: that file exists; name another one, or remove it")
    if not out.parent.is_dir():
        raise UsageError(f"--out {out}: there is no folder {out.parent}")
    folder = Path(os.path.relpath(file.resolve().parent, out.resolve().parent)).as_posix()
    out.write_text(text.replace("  file: .\n", f"  file: {folder}\n", 1), encoding="utf-8")
