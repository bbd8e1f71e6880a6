"""Plugin: pairs from a model's graded samples (`graded`) or a dataset of pairs (`given`), rows from its own correct
samples (`own-correct`) or for a verifier of them (`decisions`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mra_bench.hookspecs import Register, hookimpl

if TYPE_CHECKING:
    from mra_bench.builders import BuildJob, PairSet, RowSet

DATASET = "dataset"  # where both sides of a given pair come from


def graded(job: BuildJob) -> PairSet:
    """Chosen graded correct, rejected graded wrong, drawn at random within a problem."""
    from mra_bench.builders import PairRule
    from mra_bench.preferences import build_pairs

    assert isinstance(job.rule, PairRule)
    return build_pairs(job.sampled, job.rule, job.seed)


def given(job: BuildJob) -> PairSet:
    """The pairs of a dataset that holds them: its solution chosen, the other one rejected. Nothing is graded."""
    from mra_bench.builders import PairSet, collapse
    from mra_bench.types import Pair

    pairs, no_pair = [], 0
    for one in job.sampled:
        chosen, rejected = one.problem.solution or "", one.problem.rejected
        if collapse(chosen) and collapse(rejected) and collapse(chosen) != collapse(rejected):
            pairs.append(Pair(one.problem.id, one.prompt, chosen, rejected, 1.0, DATASET, DATASET))
        else:
            no_pair += 1
    counts = {"problems": len(pairs) + no_pair, "problems_with_pairs": len(pairs)}
    return PairSet(tuple(pairs), counts, {"no two different solutions": no_pair} if no_pair else {})


def own_correct(job: BuildJob) -> RowSet:
    """A model's own correct samples, to be trained on (rejection sampling)."""
    from mra_bench.builders import RowRule
    from mra_bench.own_rows import build_rows

    assert isinstance(job.rule, RowRule)
    return build_rows(job.sampled, job.rule, job.seed, job.options.choose)


def decisions(job: BuildJob) -> RowSet:
    """Whether a model's samples are right, to train a verifier on."""
    from mra_bench.decision_rows import build_decisions

    return build_decisions(job, job.options)


@hookimpl
def register_pair_builders(register: Register) -> None:
    register("graded", graded, consumes="samples")
    register("given", given, consumes="problems")


@hookimpl
def register_row_builders(register: Register) -> None:
    register("own-correct", own_correct, options="mra_builders.options:OwnCorrectOptions", consumes="samples")
    register("decisions", decisions, options="mra_bench.decision_rows:DecisionOptions", consumes="samples")
