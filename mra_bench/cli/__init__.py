"""The command line: one small module per command, loaded when it is asked for, so that start-up stays light."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable
from typing import Any

import click

from mra_bench import __version__
from mra_bench.errors import INTERRUPTED, BenchError, Interrupted, UsageError, meant
from mra_bench.tables import printable

COMMANDS = {
    "run": "Evaluate, train and compare models, then write a report.",
    "report": "Write results and report of a run again from its folder.",
    "compare": "Compare models of different runs on the problems they share.",
    "grade": "Grade the texts of a file, or of a run by further graders, and compare graders.",
    "profile": "Look for errors in the texts of a file, dimension by dimension.",
    "import": "Make a run folder from texts that another tool has stored.",
    "audit": "Grade the stored texts of a run again and check that its results follow from them.",
    "leaderboard": "Rank the models of many runs; check, reproduce and submit rows.",
    "ask": "Ask a model of a run a question.",
    "teach": "Let teachers write solutions of training problems, and keep those that are right.",
    "verifier-data": "Make problems for a verifier from a run's graded texts.",
    "predict": "Predict from questions how long texts will be and whether they will be right.",
    "recipes": "List, show and write recipes.",
    "models": "List the model loaders that plugins offer, with their options.",
    "trainers": "List the trainers that plugins offer, with their options.",
    "graders": "List the graders that plugins offer, with their options.",
    "profilers": "List the profilers that plugins offer, with their options.",
    "builders": "List the builders of training data that plugins offer, with their options.",
    "datasets": "List, show, check and fetch datasets; propose the spec of a file.",
    "plugins": "List plugins, what they offer, and broken ones; check one, begin one.",
    "clean": "Remove what a run folder no longer uses.",
}

MODULES = {"import": "importing"}  # of a command whose name no module can have


class LazyGroup(click.Group):
    """Imports a command's module only when that command runs; `--help` needs none of them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(
            f"mra_bench.cli.{MODULES.get(cmd_name, cmd_name.replace('-', '_'))}"
        ).command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            hint = meant(args[0], COMMANDS)
            raise click.UsageError(f"No such command '{args[0]}'.{hint} Commands: {', '.join(COMMANDS)}.", ctx)
        return super().resolve_command(ctx, args)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="mra-bench")
def cli() -> None:
    """Did the change to how your model is trained help? mra-bench trains, evaluates on the same problems, compares
    in pairs and says so in words.

    \b
    mra-bench run --models base,sft,dpo --recipe smoke      the whole path in about a minute
    mra-bench run --model mine=PATH_OR_ID --data arith      score one checkpoint
    mra-bench recipes                                       what else can be run
    """


def main() -> None:
    """Entry point: user errors become one line and an exit code, Ctrl-C leaves a resumable run and exits with 130."""
    sys.exit(call(sys.argv[1:]))


def call(arguments: list[str]) -> int:
    """Run the command line and return its exit code: 0 done, 1 failed (or a run in which nothing could be judged),
    2 bad usage, 130 interrupted.

    With ``--json`` among the arguments an error is one JSON object, the last line of standard output.
    """
    as_json = "--json" in arguments
    try:
        code = cli.main(arguments, prog_name="mra-bench", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        return 0
    except click.ClickException as error:
        return _failed("usage", error.format_message(), error.exit_code, None if as_json else error.show)
    except Interrupted as error:
        text = printable(str(error))
        return _failed("interrupted", str(error), error.code, None if as_json else lambda: _say(f"\n{text}"))
    except BenchError as error:
        kind, word = ("usage", "Usage error") if isinstance(error, UsageError) else ("failed", "Error")
        text = printable(f"{word}: {error}")
        return _failed(kind, str(error), error.code, None if as_json else lambda: _say(text))
    except (KeyboardInterrupt, click.Abort):
        text = "Interrupted. What was finished is kept; the same command goes on from there."
        return _failed("interrupted", text, INTERRUPTED, None if as_json else lambda: _say(f"\n{text}"))
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        if not as_json:
            raise
        import traceback

        traceback.print_exc()
        return _failed("internal", f"{type(error).__name__}: {error}", 1, None)
    return code if isinstance(code, int) else 0


def _failed(kind: str, message: str, code: int, show: Callable[[], None] | None) -> int:
    """Say what went wrong by `show`, or as JSON where there is none."""
    if show is None:
        import json

        click.echo(json.dumps({"event": "error", "kind": kind, "message": message, "exit_code": code}))
    else:
        show()
    return code


def _say(text: str) -> None:
    click.echo(text, err=True)
