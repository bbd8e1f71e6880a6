"""Teachers write solutions of training problems, one after the other: who fails hands on what is left to the next.

An attempt is one text for each problem that is still unsolved. A solution is kept only if it was graded correct, ended
by itself and holds no test question. Attempts are stages in a folder, as those of a run are: finished blocks are kept,
a stopped call goes on.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mra_bench import provenance
from mra_bench.conditions import conditions
from mra_bench.contamination import TrainingText, find_overlaps
from mra_bench.context import Context
from mra_bench.errors import UsageError
from mra_bench.plugins import PluginSettings, Registry
from mra_bench.problem_rows import problems_hash
from mra_bench.progress import Reporter
from mra_bench.recipe import to_yaml
from mra_bench.run import check_loaded, is_complete, run_stage
from mra_bench.runtime import prepare_threads
from mra_bench.seeds import derived_seed
from mra_bench.store import locked, read_rows, write_json, write_rows, write_text
from mra_bench.teaching_guard import Guarded, taught_set
from mra_bench.types import LENGTH
from mra_bench.work import GenerateWork, GradeWork, PlannedModel, Stage, generate_stage, grade_stage, problems_stage

TAUGHT = "taught.jsonl"
RECORD = "teach.json"


@dataclass(frozen=True)
class Tries:
    """How often each teacher tries, and at which temperatures, one after the other, round and round."""

    times: Mapping[str, int]
    temperatures: Sequence[float] = (0.7, 0.5, 0.9)

    def __post_init__(self) -> None:
        if not self.temperatures or any(not 0 <= t < float("inf") for t in self.temperatures):
            raise UsageError("temperatures are numbers from 0 up")
        for name, times in self.times.items():
            if times > 1 and set(self.temperatures) == {0.0}:
                raise UsageError(f"{name} would give the same texts {times} times at temperature 0: name others")


@dataclass
class Taught:
    """What one teacher did. `solved`: for each attempt, how many problems. `held_test_questions`: right solutions that
    were not kept because test questions stand in them."""

    teacher: str
    asked: int = 0
    solved: list[int] = field(default_factory=list)
    tokens: int = 0
    cut: int = 0
    held_test_questions: int = 0
    kinds: Counter[str] = field(default_factory=Counter)

    def data(self) -> dict[str, Any]:
        """Plain data: problems asked at first, solved in each attempt and in all, texts cut, verdicts by kind."""
        return {**vars(self), "solved_in_all": sum(self.solved), "kinds": dict(self.kinds)}


def teach(
    guarded: Guarded, tries: Tries, registry: Registry, plugins: PluginSettings, out: Path, reporter: Reporter
) -> dict[str, Any]:
    """Carry the cascade out in `out`: the models of the plan are the teachers, in order, its first dataset is what they
    solve. Writes the kept solutions to `TAUGHT` and statistics to `RECORD`, and gives the latter."""
    plan = guarded.plan
    with locked(out):
        threads = int(prepare_threads()["threads"])
        context = Context(out, registry, plugins, reporter, conditions(threads))
        write_text(out / "recipe.yaml", to_yaml(plan.recipe))
        cascade = _Cascade(context, guarded)
        for teacher in plan.models:
            cascade.ask(teacher, tries)
        context.release()
        write_rows(out / TAUGHT, cascade.rows())
        record = {"version": 1, "versions": provenance.versions(), **cascade.data()}
        write_json(out / RECORD, record)
    return record


class _Cascade:
    """Problems that are left, solutions that were kept, and what each teacher did."""

    def __init__(self, context: Context, guarded: Guarded) -> None:
        self.context, self.plan, self.guarded = context, guarded.plan, guarded
        self.data_set = taught_set(guarded.plan)
        self.left = self.data_set
        self.kept: dict[str, dict[str, Any]] = {}
        self.teachers: list[Taught] = []
        self.ready = False

    def ask(self, teacher: PlannedModel, tries: Tries) -> None:
        """All attempts of one teacher."""
        told = Taught(teacher.name, asked=len(self.left.problems))
        self.teachers.append(told)
        for attempt in range(1, tries.times[teacher.name] + 1):
            if not self.left.problems:
                break
            temperature = tries.temperatures[(attempt - 1) % len(tries.temperatures)]
            completions, grades = self._attempt(teacher, attempt, temperature)
            before = len(self.kept)
            judged = list(self._judged(completions, grades, told))
            right = [text for text, verdict in judged if verdict["correct"] is True and text["finish"] != LENGTH]
            held = self._held(right)
            told.held_test_questions += len(held)
            for text in right:
                if text["problem"] not in held:
                    self.kept[text["problem"]] = {
                        "solution": text["text"].strip(),
                        "teacher": teacher.name,
                        "attempt": attempt,
                        "tokens": text["tokens"],
                    }
            told.solved.append(len(self.kept) - before)
            left = tuple(p for p in self.left.problems if p.id not in self.kept)
            self.left = dataclasses.replace(self.left, problems=left, hash=problems_hash(left))

    def _attempt(self, teacher: PlannedModel, attempt: int, temperature: float) -> tuple[Stage, Stage]:
        recipe = self.plan.recipe
        name = f"{self.data_set.name}-{attempt}"
        data = dataclasses.replace(self.left, name=name)
        decoding = dataclasses.replace(recipe.evaluate.decoding, temperature=temperature)
        problems = problems_stage(data)
        seed = derived_seed(recipe.seed, f"{teacher.name}/{attempt}")  # else every attempt would draw the same text
        completions = generate_stage(problems, GenerateWork(teacher, data, decoding, 1, seed, recipe.block_size))
        grader = recipe.graders[0]
        judge = GradeWork(data, grader, self.context.registry.resolve("graders", grader.name), recipe.grading)
        grades = grade_stage(completions, problems, judge)
        for stage in (problems, completions, grades):
            if not is_complete(self.context.root, stage, self.context.reporter):
                if stage is completions:
                    self._check_ready(teacher)
                run_stage(self.context, stage)
        return completions, grades

    def _check_ready(self, teacher: PlannedModel) -> None:
        """Before the first text is asked for: whether this teacher and those behind it would answer."""
        if not self.ready:
            check_loaded(self.plan.models[self.plan.models.index(teacher) :])
            self.ready = True

    def _held(self, texts: Sequence[Mapping[str, Any]]) -> set[str]:
        """The problems whose solutions hold test questions, which a run would not train on."""
        solutions = (TrainingText(t["problem"], t["text"], "solution", self.data_set.templates) for t in texts)
        return {overlap.train_id for overlap in find_overlaps(solutions, self.guarded.asked)}

    def _judged(
        self, completions: Stage, grades: Stage, told: Taught
    ) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
        texts, verdicts = (read_rows(self.context.folder(stage)) for stage in (completions, grades))
        for text, verdict in zip(texts, verdicts, strict=True):
            told.tokens += text["tokens"]
            told.cut += text["finish"] == LENGTH
            told.kinds[verdict["kind"]] += 1
            yield text, verdict

    def rows(self) -> Iterator[dict[str, Any]]:
        """Problems with the solutions that were kept, in the order of the problems; a dataset to train on."""
        for problem in self.data_set.problems:
            if problem.id in self.kept:
                asked = {
                    key: value for key, value in dataclasses.asdict(problem).items() if value not in (None, "", ())
                }
                yield {**asked, **self.kept[problem.id]}

    def data(self) -> dict[str, Any]:
        """Statistics as plain data."""
        total = len(self.data_set.problems)
        return {
            "data": self.data_set.data,
            "split": self.data_set.split,
            "problems": total,
            "against": [questions.dataset for questions in self.guarded.asked],
            "dropped": list(self.guarded.dropped),
            "solved": len(self.kept),
            "teachers": [told.data() for told in self.teachers],
            "unsolved": [p.id for p in self.left.problems],
        }
