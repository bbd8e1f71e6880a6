import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mra_bench.builders import PairRule, Sampled
from mra_bench.errors import UsageError
from mra_bench.preferences import build_pairs
from mra_bench.types import Completion, Grade, Problem


def sampled(id_, *samples, solution="Reference: \\boxed{4}"):
    """Samples are (text, verdict) or (text, verdict, finish)."""
    problem = Problem(id_, f"Question {id_}?", "4", solution)
    rows = []
    for index, (text, correct, *finish) in enumerate(samples):
        completion = Completion(id_, index, text, 10, 5, finish[0] if finish else "stop")
        rows.append((completion, Grade(correct)))
    return Sampled(problem, f"Prompt of {id_}: ", tuple(rows))


def sides(made):
    return {(p.chosen, p.rejected) for p in made.pairs}


def test_a_pair_says_where_both_sides_come_from():
    made = build_pairs([sampled("p", ("wrong 5", False), ("right 4", True))], PairRule(), seed=0)
    (pair,) = made.pairs
    assert (pair.problem_id, pair.prompt) == ("p", "Prompt of p: ")
    assert (pair.chosen, pair.chosen_source) == ("right 4", "sample:1")
    assert (pair.rejected, pair.rejected_source) == ("wrong 5", "sample:0")
    assert pair.weight == 1.0
    assert made.counts == {
        "problems": 1,
        "problems_with_pairs": 1,
        "samples": 2,
        "usable_right": 1,
        "usable_wrong": 1,
        "unjudged": 0,
        "truncated": 0,
        "pairs": 1,
        "from_reference": 0,
    }
    assert made.no_pair == {}


def test_an_unsolved_problem_takes_the_reference_in_the_training_format():
    one = [sampled("p", ("wrong 5", False), ("wrong 6", False))]
    made = build_pairs(one, PairRule(), seed=0, complete=lambda solution: f"<{solution}>")
    assert {p.chosen for p in made.pairs} == {"<Reference: \\boxed{4}>"}
    assert {p.chosen_source for p in made.pairs} == {"reference"}
    assert {p.rejected for p in made.pairs} == {"wrong 5", "wrong 6"}
    assert (made.counts["from_reference"], made.counts["usable_right"]) == (2, 0)


def test_the_reference_is_not_used_when_the_model_succeeded_once():
    made = build_pairs([sampled("p", ("right 4", True), ("wrong 5", False), ("wrong 6", False))], PairRule(), seed=0)
    assert {p.chosen_source for p in made.pairs} == {"sample:0"}


CASES = [
    ("no samples", sampled("p"), PairRule()),
    ("nothing judged", sampled("p", ("a b", None), ("c d", None)), PairRule()),
    ("all right", sampled("p", ("a b", True), ("c d", True)), PairRule()),
    ("all that could be judged right", sampled("p", ("a b", True), ("c d", None)), PairRule()),
    ("wrong only by truncation", sampled("p", ("a b", True), ("c d", False, "length")), PairRule()),
    ("wrong only by truncation", sampled("p", ("c d", False, "length"), solution=None), PairRule()),
    ("no usable wrong text", sampled("p", ("a b", True), (" \n", False)), PairRule()),
    ("no usable wrong text", sampled("p", ("a b", True), ("a  b\n", False)), PairRule()),
    ("all wrong and no reference", sampled("p", ("c d", False), solution=None), PairRule()),
    ("all wrong and no reference", sampled("p", ("c d", False), solution=" "), PairRule()),
    (
        "all wrong and reference switched off",
        sampled("p", ("c d", False)),
        PairRule(reference_when_unsolved=False),
    ),
    (
        "right only in texts cut at the length limit",
        sampled("p", ("a b", True, "length"), ("c d", False)),
        PairRule(),
    ),
    ("no usable right text", sampled("p", ("4", True), ("c d", False)), PairRule()),
]


@pytest.mark.parametrize(("reason", "one", "rule"), CASES)
def test_why_a_problem_gave_no_pair(reason, one, rule):
    made = build_pairs([one], rule, seed=0)
    assert made.pairs == ()
    assert made.no_pair == {reason: 1}


def test_truncated_wrong_texts_enter_only_when_asked():
    one = sampled("p", ("right 4", True), ("cut sh", False, "length"), ("right 4 run on", True, "length"))
    assert build_pairs([one], PairRule(), seed=0).pairs == ()
    made = build_pairs([one], PairRule(include_truncated=True), seed=0)
    assert sides(made) == {("right 4", "cut sh")}  # and what was right but cut is never chosen


def test_what_could_not_be_judged_enters_no_pair():
    one = sampled("p", ("right 4", True), ("odd", None), ("wrong 5", False), ("odder", None))
    made = build_pairs([one], PairRule(pairs_per_problem=9), seed=0)
    assert sides(made) == {("right 4", "wrong 5")}
    assert made.counts["unjudged"] == 2


def test_a_text_once_right_is_never_rejected():
    one = sampled("p", ("so  4", True, "length"), ("so 4", False), ("so 5", False), ("ref 4", False), solution="ref\n4")
    assert build_pairs([one], PairRule(pairs_per_problem=9), seed=0).pairs == ()  # right only where it was cut
    other = sampled("p", ("so  4", True), ("so 4", False), ("so 5", False), ("ref 4", False), solution="ref\n4")
    assert sides(build_pairs([other], PairRule(pairs_per_problem=9), seed=0)) == {("so  4", "so 5")}


def test_duplicates_and_near_empty_texts_are_dropped():
    one = sampled("p", ("so 4", True), ("so\n4 ", True), ("no 5", False), ("no  5", False), ("5", False), ("", False))
    made = build_pairs([one], PairRule(pairs_per_problem=9), seed=0)
    assert [(p.chosen_source, p.rejected_source) for p in made.pairs] == [("sample:0", "sample:2")]
    longer = build_pairs([one], PairRule(pairs_per_problem=9, min_characters=5), seed=0)
    assert longer.pairs == ()
    shorter = build_pairs([one], PairRule(pairs_per_problem=9, min_characters=1), seed=0)
    assert {p.rejected for p in shorter.pairs} == {"no 5", "5"}


verdicts = st.lists(st.tuples(st.sampled_from("abcdefgh"), st.sampled_from([True, False, None])), max_size=12)


@given(verdicts, st.integers(1, 20), st.integers(0, 3))
@settings(max_examples=150, deadline=None)
def test_pairs_are_distinct_and_spread_over_the_texts(verdicts, limit, seed):
    one = sampled("p", *((f"text {letter} {verdict}", verdict) for letter, verdict in verdicts))
    made = build_pairs([one], PairRule(pairs_per_problem=limit, reference_when_unsolved=False), seed)
    right = {f"text {letter} True" for letter, verdict in verdicts if verdict is True}
    wrong = {f"text {letter} False" for letter, verdict in verdicts if verdict is False}
    assert len(made.pairs) == len(sides(made)) == min(limit, len(right) * len(wrong))
    chosen, rejected = Counter(p.chosen for p in made.pairs), Counter(p.rejected for p in made.pairs)
    assert set(chosen) <= right
    assert set(rejected) <= wrong
    for used, available in ((chosen, right), (rejected, wrong)):
        if made.pairs:
            assert len(used) == min(len(made.pairs), len(available))
            assert max(used.values()) - min(used.values()) <= 1
    assert made.counts["problems_with_pairs"] + sum(made.no_pair.values()) == 1


def many(count):
    rng = random.Random(11)
    return [
        sampled(f"p{i}", *((f"text {j} of {i}", rng.choice([True, False, None])) for j in range(8)))
        for i in range(count)
    ]


def test_the_choice_does_not_depend_on_the_order_of_problems_or_samples():
    problems = many(30)
    made = build_pairs(problems, PairRule(), seed=1)
    assert [p.problem_id for p in made.pairs] == [
        p.problem_id for p in sorted(made.pairs, key=lambda p: int(p.problem_id[1:]))
    ]
    turned = [Sampled(s.problem, s.prompt, s.samples[::-1]) for s in reversed(problems)]
    other = build_pairs(turned, PairRule(), seed=1)
    assert sorted(made.pairs, key=str) == sorted(other.pairs, key=str)
    assert (made.counts, made.no_pair) == (other.counts, other.no_pair)
    alone = [pair for one in problems for pair in build_pairs([one], PairRule(), seed=1).pairs]
    assert alone == list(made.pairs)


def test_the_seed_changes_the_choice():
    assert build_pairs(many(30), PairRule(), seed=1).pairs != build_pairs(many(30), PairRule(), seed=2).pairs
    assert build_pairs(many(30), PairRule(), seed=1) == build_pairs(many(30), PairRule(), seed=1)


def test_each_problem_has_a_choice_of_its_own():
    alike = [sampled(f"p{i}", ("right 4", True), *((f"wrong {j}", False) for j in range(5, 10))) for i in range(40)]
    made = build_pairs(alike, PairRule(pairs_per_problem=1), seed=1)
    assert {p.rejected_source for p in made.pairs} == {f"sample:{j}" for j in range(1, 6)}


def test_every_problem_is_accounted_for():
    made = build_pairs([*many(20), sampled("none"), sampled("good", ("a b", True))], PairRule(), seed=0)
    assert made.counts["problems"] == 22
    assert made.counts["problems_with_pairs"] == len({p.problem_id for p in made.pairs})
    assert made.counts["problems_with_pairs"] + sum(made.no_pair.values()) == 22
    assert made.counts["pairs"] == len(made.pairs)
    assert made.counts["samples"] == 161


def test_no_problems_give_no_pairs():
    made = build_pairs([], PairRule(), seed=0)
    assert (made.pairs, made.no_pair, made.counts["problems"]) == ((), {}, 0)


def test_mixed_up_input_is_refused():
    one = sampled("p", ("a b", True))
    with pytest.raises(ValueError, match="p is given twice"):
        build_pairs([one, one], PairRule(), seed=0)
    with pytest.raises(ValueError, match="sample of p is given with the problem q"):
        build_pairs([Sampled(sampled("q").problem, "", one.samples)], PairRule(), seed=0)


@pytest.mark.parametrize("field", ["pairs_per_problem", "min_characters"])
def test_a_rule_that_cannot_work_is_refused(field):
    with pytest.raises(UsageError, match=f"{field} is 0"):
        PairRule(**{field: 0})
