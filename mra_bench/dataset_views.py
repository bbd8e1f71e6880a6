"""A dataset's spec, rows and proposals as text for a person, and as plain data."""

from __future__ import annotations

import dataclasses
from typing import Any

import yaml

from mra_bench import hub
from mra_bench.dataset_checks import Checked
from mra_bench.dataset_proposal import Proposal
from mra_bench.dataset_spec import UNVERIFIED, DatasetSpec
from mra_bench.prompts import chat_messages, plain_prompt
from mra_bench.types import Problem, PromptStyle


def at_hand(spec: DatasetSpec, split: str) -> bool:
    """Whether the rows of a split can be read without asking the network for them."""
    source = spec.source
    if source is None or split not in spec.splits:
        return False
    if source.hub:
        return hub.is_cached(source.hub, "dataset", source.revision)
    if source.folder:
        return (source.folder / spec.splits[split].source).is_file()
    return source.file is None or hub.kept_copy(f"{source.file}/{spec.splits[split].source}").is_file()


def source_of(spec: DatasetSpec) -> str:
    """Where the rows come from, in words."""
    source = spec.source
    if source is None:
        return "a file of your own"
    if source.hub:
        configs = [config for config in source.configs if config]
        at = f" at {source.revision}" if source.revision else ", its newest commit (a run records which)"
        return f"the hub, {source.hub}{f' ({len(configs)} configs)' if len(configs) > 1 else ''}{at}"
    return f"files in {source.file}" if source.file else f"the plugin's loader {source.loader}"


def splits_of(spec: DatasetSpec) -> list[dict[str, Any]]:
    """For each split and each shape its rows come in: rows, checksum and where they were read."""
    return [
        {
            "split": name,
            "as": "at the source" if place == 0 else "as files",
            **facts.model_dump(include={"rows", "checksum", "read_from", "unreadable"}),
        }
        for place, one in enumerate(spec.layouts)
        for name, facts in one.splits.items()
    ]


def spec_text(spec: DatasetSpec) -> str:
    """The spec for a person: what it is, where it is from, its splits, how golds are read, how it is asked."""
    lines = [f"{spec.name}: {spec.title}", f"licence: {spec.licence}", f"page: {spec.homepage or '-'}"]
    lines += [f"source: {source_of(spec)}", f"answers: {spec.answer_type or 'not said'}"]
    for row in splits_of(spec):
        count = row["rows"] if row["rows"] == UNVERIFIED else f"{row['rows']:,} rows"
        checksum = "" if row["checksum"] == UNVERIFIED else f", checksum {row['checksum'][:12]}..."
        read = f", read in {row['read_from']}" if row["read_from"] else ""
        lines.append(f"split {row['split']} ({row['as']}): {count}{checksum}{read}")
        lines += [f"  unreadable gold {name}: {why}" for name, why in row["unreadable"].items()]
    shown = spec.model_dump(mode="json", include={"fields", "gold", "solution", "prompt"}, exclude_defaults=True)
    return "\n".join([*lines, "", yaml.safe_dump(shown, sort_keys=False, allow_unicode=True, width=100).rstrip()])


def prompts_text(problem: Problem, asked: PromptStyle) -> str:
    """A problem as a base model and as a chat model see it."""
    turns = [f"[{one['role']}]\n{one['content']}" for one in chat_messages(problem, asked)]
    plain = plain_prompt(problem, asked)
    chat = "\n".join(turns)
    return f"as plain text:\n{_indented(plain)}\n\nas a chat:\n{_indented(chat)}\n\ngold answer: {problem.answer}"


def checks_text(dataset: str, split: str, checked: Checked) -> str:
    """A line for each check."""
    return "\n".join(f"{one.state:8}{dataset} {split}: {one.name}: {one.said}" for one in checked.checks)


def checked_data(dataset: str, split: str, checked: Checked) -> dict[str, Any]:
    """The same as plain data."""
    return {"dataset": dataset, "split": split, "failed": checked.failed, **dataclasses.asdict(checked)}


def proposal_yaml(proposal: Proposal) -> str:
    """The proposed spec as YAML, with what speaks for each part, and what is unsure, as comments."""
    head = [f"# not sure: {one}" for one in proposal.unsure]
    if rest := proposal.reasons.get("not read"):
        head.append(f"# columns that are not read: {rest}")
    text = yaml.safe_dump(proposal.data, sort_keys=False, allow_unicode=True, width=100)
    lines, section = [], ""
    for line in text.splitlines():
        key = line.strip().partition(":")[0]
        section = section if line.startswith((" ", "-")) else key
        place = key if line.startswith(key) else f"{section}.{key}"
        why = proposal.reasons.get(place)
        indent = line[: len(line) - len(line.lstrip())]
        lines += [f"{indent}# {why}"] if why else []
        lines.append(line)
    return "\n".join([*head, *lines]) + "\n"


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())
