"""The sequential test: exact against enumeration, its level never above alpha, its p and its interval."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mra_bench import sequential as q
from mra_bench import statistics as s

ALPHAS = (0.001, 0.02, 0.05, 0.3, 0.6, 0.9, 0.99)  # at none does a chance equal what may be spent
Answers = dict[str, list[bool]]
FRACTIONS = {1: (1.0,), 2: (0.5, 1.0), 3: (0.25, 0.5, 1.0), 4: (0.1, 0.25, 0.5, 1.0)}


@st.composite
def small_looks(draw: st.DrawFn, most: int = 10) -> list[list[int]]:
    """One to four looks of a few differences each, at most `most` together, of sizes up to 3."""
    looks = draw(st.lists(st.lists(st.integers(-3, 3), max_size=5), min_size=1, max_size=4))
    kept, left = [], most
    for look in looks:
        kept.append(look[:left])
        left -= len(kept[-1])
    return kept


def signs(looks: Sequence[Sequence[int]]) -> list[list[list[int]]]:
    """Every way to give the differences signs, look by look."""
    flat = [abs(d) for look in looks for d in look]
    ends = list(itertools.accumulate(map(len, looks)))
    ways = []
    for chosen in itertools.product((1, -1), repeat=len(flat)):
        signed = [sign * d for sign, d in zip(chosen, flat, strict=True)]
        ways.append([signed[end - len(look) : end] for end, look in zip(ends, looks, strict=True)])
    return ways


def sums(way: Sequence[Sequence[int]]) -> list[int]:
    return list(itertools.accumulate(map(sum, way)))


def by_enumeration(looks: Sequence[Sequence[int]], fractions: Sequence[float], alpha: float) -> list[int]:
    """The boundaries by their definition: counted over all ways to give signs."""
    walks = [sums(way) for way in signs(looks)]
    alive, found, before = list(walks), [], 0.0
    for place, fraction in enumerate(fractions):
        share = q.spent(alpha, fraction) - before
        before += share
        reach = sum(abs(d) for look in looks[: place + 1] for d in look)
        fits = [
            b for b in range(1, reach + 2) if sum(abs(w[place]) >= b for w in alive) / len(walks) <= share * (1 + 1e-12)
        ]
        found.append(fits[0])
        alive = [w for w in alive if abs(w[place]) < fits[0]]
    return found


@given(small_looks(), st.sampled_from(ALPHAS))
@settings(max_examples=60, deadline=None)
def test_boundaries_and_level_are_those_of_enumeration(looks: list[list[int]], alpha: float) -> None:
    fractions = FRACTIONS[len(looks)]
    laws = [q.law(look) for look in looks]
    bounds = q.boundaries(laws, fractions, alpha)
    reached = by_enumeration(looks, fractions, alpha)
    walks = [sums(way) for way in signs(looks)]

    def rejected(at: list[int]) -> float:
        return sum(any(abs(x) >= b for x, b in zip(w, at, strict=True)) for w in walks) / len(walks)

    # a bound may lie anywhere between two sums that occur; what it rejects is the same
    assert rejected(bounds) == rejected(reached)
    assert q.level_used(laws, bounds) == pytest.approx(rejected(bounds), abs=1e-12)
    assert rejected(bounds) <= alpha + 1e-12


@given(small_looks(6))
@settings(max_examples=25, deadline=None)
def test_the_chance_of_a_p_of_at_most_alpha_is_at_most_alpha_over_all_looks(looks: list[list[int]]) -> None:
    """Whoever stops at the look with the lowest p is still right: counted over all ways to give signs."""
    fractions = FRACTIONS[len(looks)]
    lowest = [min(q.sequential_p(way[:j], fractions[:j]) for j in range(1, len(way) + 1)) for way in signs(looks)]
    for p in set(lowest):
        assert sum(other <= p for other in lowest) / len(lowest) <= p * (1 + 1e-6)


@pytest.mark.parametrize("n", [20, 100, 700, 2000])
@pytest.mark.parametrize("discordant", [0.02, 0.2, 0.6])
@pytest.mark.parametrize("alpha", [0.05, 0.05 / 6])
def test_the_level_is_never_above_alpha_and_not_far_below(n: int, discordant: float, alpha: float) -> None:
    sizes = q.look_sizes(n)
    counts = [round(discordant * (b - a)) for a, b in itertools.pairwise([0, *sizes])]
    laws = [q.law([1] * count) for count in counts]
    used = q.level_used(laws, q.boundaries(laws, [size / n for size in sizes], alpha))
    assert used <= alpha
    if sum(counts) >= 100:
        assert used > 0.5 * alpha


@given(small_looks(12), st.sampled_from(ALPHAS), st.sampled_from(ALPHAS))
@settings(max_examples=100, deadline=None)
def test_what_a_level_rejects_every_higher_level_rejects(looks: list[list[int]], one: float, other: float) -> None:
    laws, fractions = [q.law(look) for look in looks], FRACTIONS[len(looks)]
    low, high = (q.boundaries(laws, fractions, alpha) for alpha in sorted((one, other)))
    assert all(b <= a for a, b in zip(low, high, strict=True))


@pytest.mark.parametrize("alpha", [0.001, 0.05, 0.6, 0.9])
def test_spending_grows_with_the_problems_seen_and_with_alpha(alpha: float) -> None:
    steps = [q.spent(alpha, t) for t in (0.1, 0.25, 0.5, 0.75, 1.0)]
    assert steps == sorted(steps)
    assert steps[-1] == alpha
    more = [q.spent(min(1.0, alpha * 1.1), t) for t in (0.1, 0.25, 0.5, 0.75, 1.0)]
    for (a, b), (c, d) in zip(itertools.pairwise(steps), itertools.pairwise(more), strict=True):
        assert d - c >= b - a - 1e-15


@pytest.mark.parametrize(("alpha", "fraction"), [(0.0, 0.5), (1.1, 0.5), (0.05, 0.0), (0.05, 1.1)])
def test_impossible_levels_and_fractions_are_refused(alpha: float, fraction: float) -> None:
    with pytest.raises(ValueError, match="at most 1"):
        q.spent(alpha, fraction)


@given(st.integers(0, 40), st.integers(0, 40), st.integers(0, 5))
@settings(max_examples=60, deadline=None)
def test_one_look_is_the_exact_mcnemar_test(wins: int, losses: int, ties: int) -> None:
    differences = [1] * wins + [-1] * losses + [0] * ties
    expected = s.mcnemar_exact(wins, losses)
    assert q.sequential_p([differences], [1.0]) == pytest.approx(expected, rel=1e-8)


@given(st.lists(st.integers(-4, 4), min_size=1, max_size=30))
@settings(max_examples=60, deadline=None)
def test_one_look_at_several_samples_is_the_sign_flip_test(differences: list[int]) -> None:
    expected = s.sign_flip_test([d / 4 for d in differences], seed=0)
    assert q.sequential_p([differences], [1.0]) == pytest.approx(expected, rel=1e-8)


def test_p_only_falls_from_look_to_look_while_the_sum_keeps_its_sign() -> None:
    rng = random.Random(3)
    fell = 0
    for _ in range(40):
        looks = [[rng.choice((0, 1, 1, -1)) for _ in range(size)] for size in (10, 15, 25, 50)]
        ps = [q.sequential_p(looks[:j], FRACTIONS[4][:j]) for j in range(1, 5)]
        totals = sums(looks)
        for (before, now), (p, later) in zip(itertools.pairwise(totals), itertools.pairwise(ps), strict=True):
            if before * now > 0:
                assert later <= p
                fell += later < p
    assert fell


def test_a_sum_that_turns_takes_its_p_back() -> None:
    looks = [[1] * 30, [-1] * 31]
    assert q.sequential_p(looks[:1], [0.5]) < 0.001
    assert q.sequential_p(looks, [0.5, 1.0]) == 1.0


@given(small_looks(12))
@settings(max_examples=30, deadline=None)
def test_p_knows_no_side(looks: list[list[int]]) -> None:
    turned = [[-d for d in look] for look in looks]
    fractions = FRACTIONS[len(looks)]
    assert q.sequential_p(looks, fractions) == q.sequential_p(turned, fractions)


def test_p_is_the_level_at_which_the_boundary_is_just_reached() -> None:
    looks = [[1, -1, 1, 0, 1] * 4, [1, 1, 0, -1, 1] * 6, [1] * 9]
    fractions = FRACTIONS[3]
    p, total = q.sequential_p(looks, fractions), sum(map(sum, looks))
    laws = [q.law(look) for look in looks]
    assert 0.0 < p < 0.05
    assert q.boundaries(laws, fractions, p)[-1] <= total < q.boundaries(laws, fractions, p * (1 - 1e-6))[-1]


def test_looks_and_fractions_must_go_together() -> None:
    with pytest.raises(ValueError, match="2 looks"):
        q.sequential_p([[1], [1]], [1.0])


def test_folding_a_long_law_moves_no_chance_that_counts() -> None:
    rng = random.Random(0)
    differences = [rng.randint(-16, 16) for _ in range(1500)]
    chances = q.law(differences)
    m = sum(map(abs, differences))
    assert q.LONG < len(chances) < 2 * m + 1
    assert chances.sum() == pytest.approx(1, abs=1e-12)
    deviation = math.sqrt(sum(d * d for d in differences))
    tail = chances[len(chances) // 2 + math.ceil(2 * deviation) :].sum()
    assert tail == pytest.approx(0.02275, abs=0.0005)


@pytest.mark.parametrize(
    ("n", "sizes"), [(1, [1]), (2, [1, 2]), (7, [1, 2, 4, 7]), (70, [7, 18, 35, 70]), (1319, [132, 330, 660, 1319])]
)
def test_looks_are_rounded_up_and_distinct(n: int, sizes: list[int]) -> None:
    assert q.look_sizes(n) == sizes


def test_nothing_cannot_be_looked_at() -> None:
    with pytest.raises(ValueError, match="0 problems"):
        q.look_sizes(0)


def test_normal_boundaries_are_the_published_ones() -> None:
    """Lan and DeMets' boundaries of O'Brien and Fleming's type at four equal looks, two-sided 0.05."""
    assert q.normal_boundaries((0.25, 0.5, 0.75, 1.0), 0.05) == pytest.approx([4.333, 2.963, 2.359, 2.014], abs=1e-3)
    assert q.repeated_level((1.0,)) == pytest.approx(0.95, abs=1e-12)
    assert 0.95 < q.repeated_level((0.1, 0.25, 0.5, 1.0)) < q.repeated_level((0.1, 0.25, 0.5)) < 1


def answers(rng: random.Random, n: int, rates: tuple[float, float], samples: int) -> tuple[Answers, Answers]:
    a, b = {}, {}
    for i in range(n):
        ease = rng.betavariate(2, 2) - 0.5
        for model, rate in ((a, rates[0]), (b, rates[1])):
            model[f"p{i}"] = [rng.random() < min(1.0, max(0.0, rate + ease)) for _ in range(samples)]
    return a, b


def in_looks(verdicts: Answers) -> list[Answers]:
    ids, sizes = list(verdicts), q.look_sizes(len(verdicts))
    return [{i: verdicts[i] for i in ids[a:b]} for a, b in itertools.pairwise([0, *sizes])]


@pytest.mark.parametrize("samples", [1, 4])
def test_a_comparison_in_looks_has_the_figures_of_all_looks_and_the_sequential_p(samples: int) -> None:
    a, b = answers(random.Random(5), 200, (0.4, 0.55), samples)
    whole = s.compare(a, b)
    found = q.compare_in_looks(in_looks(a), in_looks(b), FRACTIONS[4])
    same = ("n", "difference", "wins", "losses", "both_right", "both_wrong")
    assert [getattr(found, name) for name in same] == [getattr(whole, name) for name in same]
    assert found.low < whole.low < whole.high < found.high
    assert found.test.startswith("sequential")
    assert found.interval.startswith("repeated Tango")
    assert found.detectable > whole.detectable
    right = [[sum(y[i]) - sum(x[i]) for i in x] for x, y in zip(in_looks(a), in_looks(b), strict=True)]
    assert found.p == q.sequential_p(right, FRACTIONS[4])


@pytest.mark.parametrize("samples", [1, 4])
def test_the_intervals_of_all_looks_hold_the_true_difference_together(samples: int) -> None:
    """Seeded simulation of 300 runs: the share in which any look's interval misses is about 5 % (at most 8 %)."""
    rng = random.Random(11)
    missed = 0
    for _ in range(300):
        a, b = answers(rng, 120, (0.5, 0.5), samples)
        looks_a, looks_b = in_looks(a), in_looks(b)
        intervals = []
        for j in range(1, 5):
            seen = [
                (sum(y) - sum(x)) / samples
                for k in range(j)
                for x, y in zip(looks_a[k].values(), looks_b[k].values(), strict=True)
            ]
            intervals.append(s.paired_interval(seen, samples, q.repeated_level(FRACTIONS[4][:j])))
        missed += any(not i.low <= 0.0 <= i.high for i in intervals)
    assert missed <= 0.08 * 300


def test_a_gap_of_the_size_called_detectable_is_found_four_times_in_five_or_more() -> None:
    """Seeded simulation of 200 runs of 200 problems, models that disagree on one in four: between 75 and 92 %."""
    rng = random.Random(3)
    even = {str(i): ([i % 8 == 0], [i % 8 == 4]) for i in range(200)}
    a, b = ({i: pair[side] for i, pair in even.items()} for side in (0, 1))
    gap = q.compare_in_looks(in_looks(a), in_looks(b), FRACTIONS[4]).detectable
    assert gap is not None
    chances = [(0.25 + gap) / 2, (0.25 - gap) / 2]
    found = 0
    for _ in range(200):
        drawn = rng.choices([1, -1, 0], [*chances, 0.75], k=200)
        looks = [drawn[one:other] for one, other in itertools.pairwise([0, *q.look_sizes(200)])]
        found += q.sequential_p(looks, FRACTIONS[4]) < 0.05 and sum(drawn) > 0
    assert 0.75 * 200 <= found <= 0.92 * 200
