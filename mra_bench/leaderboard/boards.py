"""Boards: rows that were asked the same problems in the same way and judged by the same grader, ranked; nothing else
stands beside them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from mra_bench.leaderboard.marks import CHANGED, Mark, Marks, content_hash, place_of
from mra_bench.leaderboard.ranks import Range, ranges
from mra_bench.leaderboard.reading import Folder, right_of
from mra_bench.leaderboard.rows import Row
from mra_bench.leaderboard.safety import plain_file
from mra_bench.leaderboard.same_run import contents
from mra_bench.store import fingerprint

RIVALS = "this folder claims to be the same run"
TELLS = "mra-bench leaderboard verify tells which follows from its texts"
UNLINKED = "its report is not known to be the page that follows from the run, and is not linked"
TRUST: tuple[Mark, ...] = ("verified", "unverifiable", "not checked", "changed", "refused")
NOT_CHECKED = "nobody has graded its texts again here"


@dataclasses.dataclass(frozen=True)
class Entry:
    """A row with where it comes from. mark, reason: of its verification; report: whether its
    report may be opened, unlinked: why one that is there may not; alike: entries with the same texts under
    another name; rivals: folders that claim to be its run and hold something else; content: what its folder holds, ""
    where no other claims to be its run; place: None for a row that is refused."""

    row: Row
    folder: Folder
    mark: Mark
    reason: str
    report: bool
    unlinked: str = ""
    alike: tuple[str, ...] = ()
    rivals: tuple[str, ...] = ()
    content: str = ""
    place: Range | None = None

    @property
    def run(self) -> str:
        """The fingerprint of its run."""
        return self.folder.published.fingerprint if self.folder.published else ""

    @property
    def label(self) -> str:
        """Model and run in words."""
        return f"{self.row.model} of {self.folder.path.name}"

    @property
    def doubt(self) -> str:
        """That other folders claim to be its run, "" where none does."""
        return f"{RIVALS} as {', '.join(self.rivals)} and differs; {TELLS}" if self.rivals else ""


@dataclasses.dataclass(frozen=True)
class Board:
    """Entries by accuracy, best first, the refused last. id: eight hex digits of all that they have in common. apart:
    what tells the board from others of the same dataset and split."""

    id: str
    entries: tuple[Entry, ...]
    apart: str = ""

    @property
    def row(self) -> Row:
        """One of its rows, for what all of them have in common; if one knows that it is a part of a split, that one."""
        return next((entry.row for entry in self.entries if entry.row.part), self.entries[0].row)

    @property
    def title(self) -> str:
        """Dataset, split and part, and what tells the board from others of the same name."""
        return ", ".join(filter(None, (self.name, self.apart)))

    @property
    def name(self) -> str:
        """Dataset, split and part."""
        return f"{self.row.data}, {self.row.split}" + (f" ({self.row.part})" if self.row.part else "")


@dataclasses.dataclass(frozen=True)
class Absent:
    """What has no row, and why; `model` and `dataset` are "" for a whole folder."""

    folder: Path
    model: str
    dataset: str
    reason: str


@dataclasses.dataclass(frozen=True)
class Leaderboard:
    """All boards, those with most rows first, and what stands on none of them."""

    boards: tuple[Board, ...]
    absent: tuple[Absent, ...]


def leaderboard(folders: Sequence[Folder], marks: Marks, out: Path) -> Leaderboard:
    """The boards of run folders, with the marks beside the leaderboard in `out` that still hold."""
    held = contents(folders)
    read = [entry for folder in folders for entry in _entries(folder, marks, out)]
    found = list(_with_rivals(dataclasses.replace(entry, content=held[entry.folder.path]) for entry in read))
    entries = [*_once(found), *(entry for entry in found if entry.mark == "refused")]
    absent = [*_absent(folders), *_twice(found, entries)]
    groups: dict[str, list[Entry]] = {}
    for entry in _with_alike(entries):
        groups.setdefault(board_key(entry.row), []).append(entry)
    boards = [Board(key[:8], tuple(_ranked(group))) for key, group in groups.items()]
    boards.sort(key=lambda board: (-len(board.entries), board.title, board.id))
    return Leaderboard(tuple(_told_apart(boards)), tuple(absent))


def _once(entries: Sequence[Entry]) -> Iterator[Entry]:
    """The entries that are not refused; of folders that hold the same run the one that is best checked, so that a copy
    displaces none."""
    kept: dict[tuple[str, str, Row], Entry] = {}
    for entry in sorted(entries, key=lambda entry: TRUST.index(entry.mark)):
        if entry.mark != "refused":
            kept.setdefault((entry.run, entry.content, entry.row), entry)
    yield from kept.values()


def _with_rivals(entries: Iterable[Entry]) -> Iterator[Entry]:
    """Each entry with the folders that claim to be its run and hold something else; those refused do not count."""
    by_run: dict[str, dict[Path, Entry]] = {}
    read = list(entries)
    for entry in read:
        if entry.mark != "refused":
            by_run.setdefault(entry.run, {}).setdefault(entry.folder.path, entry)
    for entry in read:
        others = by_run.get(entry.run, {}).values() if entry.mark != "refused" else ()
        names = (other.folder.path.name for other in others if other.content != entry.content)
        yield dataclasses.replace(entry, rivals=tuple(dict.fromkeys(names)))


def _twice(found: Sequence[Entry], kept: Sequence[Entry]) -> Iterator[Absent]:
    """What was left out as it stands elsewhere: whole folders in one line."""
    standing = {(entry.run, entry.content, entry.row): entry for entry in reversed(kept) if entry.mark != "refused"}
    known = set(map(id, kept))
    left: dict[Path, list[Entry]] = {}
    for entry in found:
        if id(entry) not in known:
            left.setdefault(entry.folder.path, []).append(entry)
    for path, entries in left.items():
        rows = [
            (entry.row.model, entry.row.dataset, standing[entry.run, entry.content, entry.row].folder.path)
            for entry in entries
        ]
        published = entries[0].folder.published
        if published is not None and len(rows) == len(published.rows) and len({home for _, _, home in rows}) == 1:
            rows = [("", "", rows[0][2])]
        for model, dataset, home in rows:
            yield Absent(path, model, dataset, f"the run was given twice, and stands as {home.name}")


def _told_apart(boards: Sequence[Board]) -> Iterator[Board]:
    """The boards, those of one name with what differs between them."""
    for board in boards:
        namesakes = [_facts(other.row) for other in boards if other.name == board.name]
        own = _facts(board.row)
        differing = [said for what, said in own.items() if any(other[what] != said for other in namesakes)]
        yield dataclasses.replace(board, apart=", ".join(differing))


def _facts(row: Row) -> dict[str, str]:
    """What may differ between boards of one dataset and split, in words."""
    return {
        "problems": f"problems {row.sha256[:6]}",
        "prompt": f"prompts {row.prompt.sha256[:6]}",
        "decoding": decoding(row),
        "grader": f"{row.grader.name.rpartition(':')[2]}@{row.grader.version}",
        "settings": f"grader's options {row.grader.settings[:6]}",
    }


def decoding(row: Row) -> str:
    """How texts were made, in one phrase."""
    how = row.decoding
    if not how.max_new_tokens:
        return "not known, the texts were imported" + (f", {how.samples} a problem" if how.samples > 1 else "")
    drawn = f"temperature {how.temperature:g}, top_p {how.top_p:g}" if how.temperature else "greedy"
    said = [drawn] + ([f"{how.samples} samples a problem"] if how.samples > 1 else [])
    said.append(f"at most {how.max_new_tokens:,} tokens")
    said += [f"stops at {', '.join(map(repr, how.stop))}"] if how.stop else []
    return ", ".join(said + (["stops after the answer"] if how.stop_after_answer else []))


def board_key(row: Row) -> str:
    """What rows of one board have in common, as a fingerprint: dataset, split, problems, prompts, decoding, grader.
    Where decoding is greedy the settings that only draws obey do not count."""
    return fingerprint(
        {
            "data": [row.data, row.split, row.sha256, list(row.unreadable)],
            "prompt": row.prompt.sha256,
            "decoding": decoding_class(row),
            "grader": dataclasses.asdict(row.grader),
        }
    )


def decoding_class(row: Row) -> Mapping[str, Any]:
    """How texts were drawn, less what made no difference."""
    found = dataclasses.asdict(row.decoding)
    if not found["temperature"]:
        del found["top_p"]
    return found


def _absent(folders: Iterable[Folder]) -> Iterator[Absent]:
    for folder in folders:
        if folder.published is None:
            yield Absent(folder.path, "", "", folder.problem)
        for out in folder.published.left_out if folder.published else ():
            yield Absent(folder.path, out.model, out.dataset, out.reason)


def _entries(folder: Folder, marks: Marks, out: Path) -> Iterator[Entry]:
    if folder.published is None:
        return
    found = marks.folders.get(content_hash(folder.path)) if marks.folders else None
    changed = found is None and marks.known(place_of(folder.path, out))
    for row in folder.published.rows:
        checked = found.of(row.model, row.dataset) if found else None
        mark: Mark = checked.mark if checked else "changed" if changed else "not checked"
        reason = checked.reason if checked else CHANGED if changed else NOT_CHECKED
        there = plain_file(folder.path / "report.html")
        trusted = mark != "refused" and not changed and (found is None or found.report)
        yield Entry(row, folder, mark, reason, there and trusted, "" if trusted or not there else UNLINKED)


def _with_alike(entries: Sequence[Entry]) -> Iterator[Entry]:
    """Each entry with those whose texts are the same though the model has another name."""
    by_texts: dict[tuple[str, str], list[Entry]] = {}
    for entry in entries:
        by_texts.setdefault((entry.row.sha256, entry.row.texts), []).append(entry)
    for entry in entries:
        others = by_texts[entry.row.sha256, entry.row.texts]
        alike = (other.label for other in others if other.row.model != entry.row.model)
        yield dataclasses.replace(entry, alike=tuple(dict.fromkeys(alike)))


def _ranked(entries: Sequence[Entry]) -> Iterator[Entry]:
    ordered = sorted(entries, key=lambda e: (-e.row.accuracy, e.row.model, e.folder.path.as_posix()))
    kept = [entry for entry in ordered if entry.mark != "refused"]
    places = ranges([right_of(entry.row) for entry in kept], kept[0].row.decoding.samples) if kept else []
    yield from (dataclasses.replace(entry, place=place) for entry, place in zip(kept, places, strict=True))
    yield from (entry for entry in ordered if entry.mark == "refused")
