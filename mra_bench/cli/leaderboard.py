"""mra-bench leaderboard"""

from __future__ import annotations

import contextlib
import os
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mra_bench.cli.options import Integer, json_option, plugin_options, settings_of

if TYPE_CHECKING:
    from mra_bench.leaderboard.marks import FolderMarks
    from mra_bench.leaderboard.reproduce import Reproduced
    from mra_bench.leaderboard.verify import Tools

EPILOG = """
\b
Examples:
  mra-bench leaderboard reports                            all run folders below reports: one page, Markdown, CSV, JSON
  mra-bench leaderboard reports/seed0 reports/seed1 --out boards
  mra-bench leaderboard verify submissions                 grade stored texts again and mark each row
  mra-bench leaderboard reproduce reports/quickstart:dpo:test
  mra-bench leaderboard submit reports/quickstart --out submissions/quickstart
\b
`mra-bench leaderboard FOLDER ...` is short for `mra-bench leaderboard show FOLDER ...`. Exit codes: 0 done; 1 something
is refused, does not reproduce or failed; 2 bad usage; 130 interrupted.
"""
WHERE = (
    "Where the leaderboard stands. [default: the one folder given, for run folders the one that holds them, else the "
    "current one]"
)
CLOSE = 0.75  # how like a subcommand a word must be to be taken for a misspelt one


class ShowByDefault(click.Group):
    """Takes what is no name of a subcommand for the folders that `show` is about; --json may stand before it."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        first = next((place for place, word in enumerate(args) if word != "--json"), len(args))
        flags, rest = args[:first], args[first:]
        if rest and rest[0] in self.commands:
            args = [rest[0], *flags, *rest[1:]]
        elif args and args[0] not in ("--help", "-h"):
            if rest:
                self._misspelt(rest[0])
            args = ["show", *args]
        return super().parse_args(ctx, args)

    def _misspelt(self, word: str) -> None:
        """Raises UsageError for a word that is no folder and almost a subcommand."""
        from mra_bench.errors import UsageError, nearest

        close = nearest(word, self.commands, CLOSE)
        if close and not os.path.lexists(word):
            raise UsageError(f"{word} does not exist. Did you mean '{close}', as in mra-bench leaderboard {close}?")


@click.group(cls=ShowByDefault, epilog=EPILOG)
@json_option
def command(as_json: bool) -> None:
    """Rank the models of any number of runs on boards that never mix; check rows that others hand in.

    Rows stand on one board where dataset, split, problems, prompts, decoding and grader are the same. Rows that exact
    paired tests cannot tell apart share a range of ranks.
    """


def place(given: tuple[Path, ...], out: Path | None) -> Path:
    """Where the leaderboard of these folders stands. Raises UsageError for a place that is a run folder itself."""
    from mra_bench.errors import UsageError
    from mra_bench.folder import RUN

    if out is None:
        homes = {path.resolve().parent if (path / RUN).is_file() else path.resolve() for path in given}
        out = Path(os.path.relpath(homes.pop())) if len(homes) == 1 else Path()
    if (out / RUN).exists():
        raise UsageError(f"{out} is a run folder; a leaderboard stands beside runs, not in one. Give --out FOLDER")
    if out.exists() and not out.is_dir():
        raise UsageError(f"{out} is a file; --out takes a folder")
    return out


out_option = click.option("--out", type=click.Path(path_type=Path), help=WHERE)
quiet_option = click.option("--quiet", is_flag=True, help="No progress on standard error.")


@command.command("show", epilog="Example: mra-bench leaderboard show reports --out boards")
@click.argument("folders", nargs=-1, required=True, type=click.Path(path_type=Path))
@out_option
@json_option
def show(folders: tuple[Path, ...], out: Path | None, as_json: bool) -> None:
    """Write leaderboard.html, .md, .csv and .json from run folders, and folders that hold some; print the boards."""
    from mra_bench.cli.listing import show_json
    from mra_bench.leaderboard.boards import leaderboard
    from mra_bench.leaderboard.files import as_data, as_text
    from mra_bench.leaderboard.marks import read_marks
    from mra_bench.leaderboard.reading import find_runs, read_folder
    from mra_bench.leaderboard.written import write_all

    runs = find_runs(folders)
    where = place(folders, out)
    found = leaderboard([read_folder(run) for run in runs], read_marks(where), where)
    paths = write_all(found, where)
    if as_json:
        show_json({**as_data(found, where), "files": [str(path) for path in paths]})
    else:
        click.echo("\n\n".join(filter(None, [as_text(found, where), f"Leaderboard: {paths[0]}"])))


@command.command("verify", epilog="Example: mra-bench leaderboard verify submissions")
@click.argument("folders", nargs=-1, required=True, type=click.Path(path_type=Path))
@out_option
@quiet_option
@json_option
@plugin_options
def verify_command(folders: tuple[Path, ...], out: Path | None, quiet: bool, as_json: bool, **plugins: Any) -> None:
    """Grade the texts of run folders again and mark each row verified, unverifiable or refused, with the reason.

    Figures, hashes and names must follow, and the problems must be those of the named split as it loads here. The marks
    are kept in verified.json beside the leaderboard, bound to the content of each folder. Verified is no proof that the
    model wrote the texts.
    """
    import dataclasses

    from mra_bench.cli.listing import show_json
    from mra_bench.leaderboard.marks import read_marks, write_marks
    from mra_bench.leaderboard.reading import find_runs
    from mra_bench.leaderboard.verify import verify

    runs = find_runs(folders)
    where = place(folders, out)
    with _tools(plugins, quiet=quiet or as_json) as tools:
        marks, found = verify(runs, where, read_marks(where), tools)
    path = write_marks(where, marks)
    if as_json:
        show_json({"file": str(path), "folders": [dataclasses.asdict(one) for one in found]})
    else:
        click.echo("\n".join([*(line for one in found for line in _marks(one)), f"Marks: {path}"]))
        if any(where.glob("leaderboard.*")):
            again = shlex.join([*map(str, folders), *(["--out", str(out)] if out is not None else [])])
            click.echo(f"To show the marks on the leaderboard there: mra-bench leaderboard {again}")
    if any(one.refused or any(row.mark == "refused" for row in one.rows) for one in found):
        click.get_current_context().exit(1)


@contextlib.contextmanager
def _tools(plugins: dict[str, Any], *, quiet: bool) -> Iterator[Tools]:
    """What folders are checked with; the display of progress ends with it."""
    from mra_bench.leaderboard.verify import Tools
    from mra_bench.plugins import load_plugins
    from mra_bench.progress import make_reporter

    settings = settings_of(plugins["plugin_files"], plugins["blocked"])
    reporter = make_reporter(quiet=quiet, as_json=False)
    try:
        yield Tools(load_plugins(settings), settings, reporter)
    finally:
        getattr(reporter, "close", lambda: None)()


def _marks(found: FolderMarks) -> list[str]:
    from mra_bench.leaderboard.view import SIGNS
    from mra_bench.tables import printable

    if found.refused:
        return [printable(f"{SIGNS['refused']} refused {found.folder}: {_one_line(found.refused)}")]
    rows = (
        f"{SIGNS[row.mark]} {row.mark} {found.folder}:{row.model}:{row.dataset}: {_one_line(row.reason)}"
        for row in found.rows
    )
    return [printable(line) for line in rows]


def _one_line(text: str) -> str:
    return " ".join(text.split())


@command.command("submit", epilog="Example: mra-bench leaderboard submit reports/quickstart")
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), help="New folder to pack into. [default: submissions/RUN-HASH]")
@click.option("--no-report", is_flag=True, help="Leave report.html out; the packed run gives it again.")
@quiet_option
@json_option
@plugin_options
def submit_command(run: Path, out: Path | None, no_report: bool, quiet: bool, as_json: bool, **plugins: Any) -> None:
    """Pack RUN for a pull request: record, figures, rows, and its stages in one compressed file, without weights; check
    what was packed as `verify` does, and say what to do next. A run that is not complete is refused.
    """
    from mra_bench.cli.listing import show_json
    from mra_bench.costs import size
    from mra_bench.leaderboard.submit import submit

    with _tools(plugins, quiet=quiet or as_json) as tools:
        packed = submit(run, out, tools, report=not no_report)
    if as_json:
        rows = [vars(row) for row in packed.marks.rows]
        show_json(
            {
                "folder": str(packed.folder),
                "bytes": dict(packed.sizes),
                "stages_bytes": packed.unpacked,
                "run_bytes": packed.run,
                "rows": rows,
            }
        )
        return
    total = sum(packed.sizes.values())
    lines = [*_marks(packed.marks), *(f"  {name}  {size(count)}" for name, count in packed.sizes.items())]
    lines.append(
        f"{packed.folder}: {size(total)} (the run folder has {size(packed.run)}, its stages without weights "
        f"{size(packed.unpacked)})"
    )
    lines.append(
        "Next: look at run.json and recipe.yaml, which tell the command line, paths and the machine of the run; add "
        "the folder to the leaderboard's repository and open a pull request. Whoever reviews it gives: "
        f"mra-bench leaderboard verify {packed.folder}"
    )
    click.echo("\n".join(lines))


@command.command("reproduce", epilog="Example: mra-bench leaderboard reproduce reports/quickstart:dpo:test")
@click.argument("row", metavar="ROW")
@click.option("--samples", type=Integer(1), default=50, show_default=True, help="Generate so many texts at least.")
@click.option("--seed", type=int, default=0, show_default=True, help="Draws which texts are generated again.")
@click.option(
    "--weights", type=click.Path(path_type=Path), help="The model's weights, where they are not in the run folder."
)
@quiet_option
@json_option
@plugin_options
def reproduce_command(row: str, quiet: bool, as_json: bool, **given: Any) -> None:
    """Generate 50 texts of ROW again, grade them, and say how many texts and verdicts come out the same.

    ROW is FOLDER:MODEL:DATASET, as the leaderboard's JSON and CSV name it. Texts of a block are computed together, so
    whole blocks are generated, drawn by the seed; of a run with strict determinism single texts. Where the weights are
    not there the command says which files are missing.
    """
    from mra_bench.cli.listing import show_json
    from mra_bench.leaderboard.reproduce import reproduce

    with _tools(given, quiet=quiet or as_json) as tools:
        found = reproduce(row, tools, samples=given["samples"], seed=given["seed"], weights=given["weights"])
    if as_json:
        show_json({**vars(found), "holds": found.holds})
    else:
        click.echo(_reproduced(found))
    if not found.holds:
        click.get_current_context().exit(1)


def _reproduced(found: Reproduced) -> str:
    from mra_bench.tables import printable
    from mra_bench.verdict import counted, p_text

    prompts = "as recorded" if found.same_prompts else "not as recorded: this row was asked in another way"
    accuracies = f"{100 * found.before:.1f} % before, {100 * found.again:.1f} % again"
    verdict = "The row holds" if found.holds else "The row does not reproduce"
    lines = [
        *(f"Note: {note}." for note in found.notes),
        f"{found.row}: {counted(found.texts, 'text')} again: {found.blocks}.",
        f"Same texts: {found.same_texts:,}. Same verdicts: {found.same_verdicts:,}. Prompts: {prompts}.",
        f"Right: {accuracies} ({p_text(found.p)}). {verdict}.",
    ]
    return printable("\n".join(lines))
