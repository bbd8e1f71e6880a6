"""mra-bench ask"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from mra_bench.cli.options import Integer, Number, json_option, plugin_options, settings_of


@click.command(
    epilog='Example: mra-bench ask reports/quickstart dpo "Mia has 14 apples and buys 23 more. How many apples?"'
)
@click.argument("run", type=click.Path(path_type=Path))
@click.argument("model")
@click.argument("question")
@click.option("--max-new-tokens", type=Integer(1), help="Length limit. [default: the run's]")
@click.option("--temperature", type=Number(0), default=0.0, show_default=True, help="0 is greedy.")
@click.option("--seed", type=int, default=0, show_default=True, help="For a temperature above 0.")
@json_option
@plugin_options
def command(**given: Any) -> None:
    """Ask MODEL of the run folder RUN a QUESTION, with the prompt it was evaluated with."""
    from mra_bench.asking import ask
    from mra_bench.cli.listing import show_json
    from mra_bench.plugins import load_plugins
    from mra_bench.tables import printable

    registry = load_plugins(settings_of(given["plugin_files"], given["blocked"]))
    keys = ("max_new_tokens", "temperature", "seed")
    completion = ask(given["run"], given["model"], given["question"], registry, **{key: given[key] for key in keys})
    if given["as_json"]:
        told = {"model": given["model"], "question": given["question"], "text": completion.text}
        show_json({**told, "finish": completion.finish, "tokens": completion.tokens})
        return
    click.echo(printable(completion.text))
    if completion.finish == "length":
        click.echo("(cut at the length limit)", err=True)
