"""What the commands on a file of samples share: the options for its columns, and the way from its rows to --out."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from mra_bench.cli.options import Decorated

if TYPE_CHECKING:
    from mra_bench.progress import PlainReporter
    from mra_bench.samples import Columns, Sample, Source
    from mra_bench.workers import Limits

COLUMNS = {
    "text": "Column of the texts.  [default: text, completion, response, ...]",
    "gold": "Column of the gold answers.  [default: gold, ..., answer]",
    "id": "Column of the problems' ids.  [default: id, ..., or the row's number]",
    "question": "Column of the questions",
    "label": "Column that says whether a text is right",
    "choices": "Column with the list that the letters A, B, ... stand for.",
}


@dataclass(frozen=True)
class Task:
    """What is done with the samples of a file. verb: "grade".

    judge: what is found of each sample, in order, as arguments of `count`. rows: what is written of one of them, told
    whether the samples have labels.
    """

    verb: str
    judge: Callable[[Iterator[Sample]], Generator[Any, None, None]]
    count: Callable[..., None]
    rows: Callable[[Any, bool], Iterable[Mapping[str, Any]]]


def column_options(question: str, label: str) -> Callable[[Decorated], Decorated]:
    """An option for each of `COLUMNS`. `question`, `label`: the rest of their help, what the command does with them."""

    def decorate(function: Decorated) -> Decorated:
        rest = {"question": question, "label": label}
        for name, said in reversed(COLUMNS.items()):
            function = click.option(f"--{name}", metavar="COLUMN", help=said + rest.get(name, ""))(function)
        return function

    return decorate


@contextlib.contextmanager
def before_any(done: str) -> Iterator[None]:
    """Ctrl-C while no text is judged yet says so. Raises Interrupted."""
    try:
        yield
    except KeyboardInterrupt:
        from mra_bench.errors import Interrupted

        raise Interrupted(f"Interrupted before any text was {done}; nothing was written.") from None


@contextlib.contextmanager
def reporting(given: Mapping[str, Any]) -> Iterator[PlainReporter]:
    """Progress on standard error, unless --quiet."""
    from mra_bench.progress import make_reporter

    reporter = make_reporter(quiet=given["quiet"], as_json=False)
    try:
        yield reporter
    finally:
        getattr(reporter, "close", lambda: None)()


def limits_given(given: Mapping[str, Any]) -> Limits:
    """--seconds and --workers."""
    from mra_bench.workers import Limits

    return Limits(**{key: given[key] for key in ("seconds", "workers") if given[key] is not None})


def judge_file(given: Mapping[str, Any], task: Task, reporter: PlainReporter) -> dict[str, Any]:
    """Read FILE, judge each sample, write its rows to --out and count it. Returns the file's name, columns and --out as
    plain data.

    Raises UsageError for a file or --out that cannot be used, before any work; Interrupted after Ctrl-C.
    """
    import dataclasses

    from mra_bench.cli.rows_out import check_out
    from mra_bench.samples import choose_columns, opened, read_samples

    check_out(given["what"], given["out"], as_json=given["as_json"])
    with opened(given["what"]) as source:
        columns = choose_columns(source, {name: given[name] for name in COLUMNS})
        total = sum(1 for _ in read_samples(source, columns))  # the whole file is read before any work starts
        _judge(given["out"], task, reporter, source, columns, total)
        return {"file": source.name, "columns": dataclasses.asdict(columns), "out": given["out"]}


def _judge(out: str | None, task: Task, reporter: PlainReporter, source: Source, columns: Columns, total: int) -> None:
    from mra_bench.cli.rows_out import left_of, rows_out
    from mra_bench.errors import Interrupted
    from mra_bench.samples import read_samples

    done = 0
    try:
        reporter.begin(f"{task.verb} {source.name}", total, "texts")
        samples = read_samples(source, columns)
        with rows_out(out) as write, contextlib.closing(task.judge(samples)) as judged:
            for one in judged:
                task.count(*one)
                done += 1
                for row in task.rows(one, columns.label is not None):
                    write(row)
                reporter.update(done)
    except KeyboardInterrupt:
        raise Interrupted(f"Interrupted after {done:,} of {total:,} texts.{left_of(out)}") from None
    reporter.end(f"{done:,} texts")
