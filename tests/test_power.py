"""The smallest detectable difference against enumeration, simulation and what the exact test can reach at all."""

import functools
import math
import random
from itertools import pairwise, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mra_bench.power import chance_to_find, detectable_difference
from mra_bench.statistics import compare, mcnemar_exact, paired_interval, sign_flip_test

SMALLEST = {0.05: 6, 0.05 / 3: 7, 0.05 / 6: 8}  # discordant problems, all one way, that the exact test needs

p_of = functools.cache(mcnemar_exact)


def enumerated(difference: float, share: float, n: int, alpha: float) -> float:
    """The chance that the better model is found, over every table of wins and losses."""
    win, loss = (share + difference) / 2, (share - difference) / 2
    total = 0.0
    for wins, losses in product(range(n + 1), repeat=2):
        ties = n - wins - losses
        if ties >= 0 and wins > losses and p_of(wins, losses) < alpha:
            ways = math.comb(n, wins) * math.comb(n - wins, losses)
            total += ways * win**wins * loss**losses * (1 - share) ** ties
    return total


@pytest.mark.parametrize("alpha", SMALLEST)
@pytest.mark.parametrize(("wins", "losses", "n"), [(0, 0, 8), (0, 0, 25), (4, 4, 12), (3, 1, 20), (20, 0, 20)])
def test_it_is_found_four_times_in_five_by_enumeration(wins: int, losses: int, n: int, alpha: float) -> None:
    found = detectable_difference(wins, losses, n, alpha)
    assert found is not None
    share = (wins + losses) / n
    assert enumerated(found, max(share, found), n, alpha) == pytest.approx(0.8, abs=1e-4)
    less = 0.95 * found
    assert enumerated(less, max(share, less), n, alpha) < 0.8 - 1e-3


@pytest.mark.parametrize("comparisons", [1, 6])
def test_it_is_found_four_times_in_five_in_simulated_runs(comparisons: int) -> None:
    import numpy as np

    n, wins, losses, alpha = 400, 48, 24, 0.05 / comparisons
    needed = detectable_difference(wins, losses, n, alpha)
    assert needed is not None
    share = (wins + losses) / n
    rates = [(share + needed) / 2, (share - needed) / 2, 1 - share]
    draws = np.random.default_rng(3).multinomial(n, rates, size=1000)
    found = sum(w > ls and p_of(int(w), int(ls)) < alpha for w, ls, _ in draws)
    assert 0.765 <= found / 1000 <= 0.835


@pytest.mark.parametrize(("alpha", "least"), SMALLEST.items())
def test_too_few_problems_to_show_anything(alpha: float, least: int) -> None:
    assert detectable_difference(0, least - 1, least - 1, alpha) is None
    assert p_of(0, least - 1) >= alpha
    assert p_of(0, least) < alpha
    assert detectable_difference(0, 0, least, alpha) == pytest.approx(0.8 ** (1 / least), abs=1e-4)


def test_without_disagreement_it_is_the_chance_of_enough_discordant_problems() -> None:
    for alpha, least in SMALLEST.items():
        found = detectable_difference(0, 0, 64, alpha)
        assert found is not None
        fewer = sum(math.comb(64, m) * found**m * (1 - found) ** (64 - m) for m in range(least))
        assert 1 - fewer == pytest.approx(0.8, abs=1e-4)


@pytest.mark.parametrize("alpha", [0.05, 0.05 / 3])
def test_a_difference_that_was_seen_and_not_shown_is_smaller_than_it(alpha: float) -> None:
    """The sentence "a gap under X would often be missed" never stands beside a larger gap that was missed."""
    for n in (4, 6, 7, 9, 12, 17):
        for discordant in range(n + 1):
            needed = detectable_difference(0, discordant, n, alpha)
            for wins in range(discordant + 1):
                if needed is not None and p_of(wins, discordant - wins) >= alpha:
                    assert abs(2 * wins - discordant) / n < needed


@pytest.mark.parametrize("alpha", SMALLEST)
def test_more_problems_show_smaller_differences(alpha: float) -> None:
    """Strictly where nothing differed; with a given share of disagreement the exact test goes up and down a little."""
    alike = [detectable_difference(0, 0, n, alpha) or math.inf for n in range(8, 60, 3)]
    assert alike == sorted(alike, reverse=True)
    for share in (0.1, 0.5, 1.0):
        sizes = [detectable_difference(0, round(share * n), n, alpha) for n in (10, 20, 40, 100, 1000, 10_000)]
        assert all(x is not None and y is not None and y < x for x, y in pairwise(sizes))


@given(st.floats(0, 1), st.integers(1, 300), st.floats(0.01, 0.98))
@settings(max_examples=60, deadline=None)
def test_a_larger_difference_is_found_more_often(share: float, n: int, difference: float) -> None:
    assert chance_to_find(difference, share, n, 0.05) <= chance_to_find(difference + 0.02, share, n, 0.05) + 1e-9


@pytest.mark.parametrize(("win", "loss", "n"), [(300, 200, 10_000), (150, 120, 5_000)])
def test_with_many_problems_it_is_near_the_normal_approximation(win: int, loss: int, n: int) -> None:
    error = math.sqrt(win + loss) / n
    assert detectable_difference(win, loss, n) == pytest.approx(2.8 * error, rel=0.05)


@pytest.mark.parametrize("alpha", [0.0, 1.0, -0.05, float("nan")])
def test_a_level_that_is_none_is_refused(alpha: float) -> None:
    with pytest.raises(ValueError, match="alpha must lie between 0 and 1"):
        detectable_difference(3, 1, 10, alpha)


@pytest.mark.parametrize(("wins", "losses", "n"), [(0, 0, 0), (3, 3, 5), (-1, 2, 5)])
def test_impossible_counts_are_refused(wins: int, losses: int, n: int) -> None:
    with pytest.raises(ValueError, match="impossible"):
        detectable_difference(wins, losses, n)


# several samples a problem


def test_several_samples_never_promise_what_the_sign_flip_test_cannot_show() -> None:
    """Under six differing problems the sign-flip test cannot reach 0.05 at all."""
    rng = random.Random(4)
    for _ in range(60):
        n, k = rng.randint(3, 40), rng.randint(2, 8)
        a = {str(i): [False] * k for i in range(n)}
        b = {str(i): [j < rng.choice([0, 0, 0, 1, k]) for j in range(k)] for i in range(n)}
        found = compare(a, b)
        if found.detectable is None:
            assert n < 6
        else:
            assert found.detectable > 6 / (k * n)
            assert found.p < 0.05 or abs(found.difference) < found.detectable


def test_several_samples_find_it_about_four_times_in_five() -> None:
    """Differences of every size, their signs tilted so that the mean is the one that `compare` calls detectable."""
    import numpy as np

    rng = np.random.default_rng(9)
    n, k = 150, 8
    sizes = rng.integers(0, 5, size=n)
    right = {str(i): [True] * 4 + [False] * 4 for i in range(n)}
    other = {str(i): [j < 4 + int(sizes[i]) * (1 if i % 2 else -1) for j in range(k)] for i in range(n)}
    needed = compare(right, other).detectable
    assert needed is not None
    tilt = needed / (sizes.mean() / k)
    draws = [sizes / k * np.where(rng.random(n) < (1 + tilt) / 2, 1, -1) for _ in range(200)]
    found = sum(d.sum() > 0 and sign_flip_test(list(d), seed=0, draws=2000) < 0.05 for d in draws)
    assert 0.72 <= found / 200 <= 0.9


def test_models_that_never_differ_are_as_with_one_sample() -> None:
    a = {str(i): [False] * 4 for i in range(64)}
    same = compare(a, a)
    assert same.detectable == detectable_difference(0, 0, 64)
    assert (same.low, same.high) == (paired_interval([0.0] * 64, 4).low, paired_interval([0.0] * 64, 4).high)
