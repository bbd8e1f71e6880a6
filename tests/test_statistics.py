import json
import math
import random
from fractions import Fraction
from itertools import combinations, pairwise, product
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mra_bench import statistics as s

OPENAI = Path(__file__).parents[2] / "shared" / "data" / "outputs" / "openai_gsm8k"
Z = 1.959963984540054


@st.composite
def paired_counts(draw, most=60):
    wins, losses, ties = (draw(st.integers(0, most)) for _ in range(3))
    return wins, losses, max(wins + losses + ties, 1)


def models(draw_samples, n, seed):
    rng = random.Random(seed)
    return {f"p{i}": [rng.random() < 0.5 for _ in range(draw_samples)] for i in range(n)}


# Wilson


@given(st.integers(1, 2000), st.data())
@settings(max_examples=50, deadline=None)
def test_wilson_is_the_closed_form(n, data):
    correct = data.draw(st.integers(0, n))
    p, z2 = correct / n, Z * Z
    centre, half = (p + z2 / (2 * n)) / (1 + z2 / n), Z * math.sqrt(p * (1 - p) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    interval = s.wilson(correct, n)
    assert interval.low == pytest.approx(centre - half, abs=1e-12)
    assert interval.high == pytest.approx(centre + half, abs=1e-12)
    assert 0 <= interval.low <= p <= interval.high <= 1


@pytest.mark.parametrize(("correct", "n"), [(0, 0), (-1, 5), (6, 5)])
def test_wilson_refuses_impossible_counts(correct, n):
    with pytest.raises(ValueError, match=str(correct)):
        s.wilson(correct, n)


# Tango


def score_by_maximisation(wins, losses, n, d):
    """Tango's statistic with the nuisance rate found by maximising the likelihood step by step, not by its formula."""
    from scipy.optimize import minimize_scalar

    def cost(q):
        cells = ((wins, q + d), (losses, q), (n - wins - losses, 1 - 2 * q - d))
        return -sum(count * math.log(max(p, 1e-300)) for count, p in cells if count)

    low, high = max(0.0, -d), (1 - d) / 2
    q = minimize_scalar(cost, bounds=(low, high), method="bounded", options={"xatol": 1e-12}).x
    variance = n * (2 * q + d * (1 - d))
    return (wins - losses - n * d) / math.sqrt(variance)


@given(paired_counts())
@settings(max_examples=60, deadline=None)
def test_tango_limits_are_where_the_maximised_score_is_z(counts):
    wins, losses, n = counts
    interval = s.tango(wins, losses, n)
    if interval.low > -1:
        assert score_by_maximisation(wins, losses, n, interval.low) == pytest.approx(Z, rel=1e-3)
    if interval.high < 1:
        assert score_by_maximisation(wins, losses, n, interval.high) == pytest.approx(-Z, rel=1e-3)


def test_tango_agrees_with_a_published_example():
    """Fagerland, Lydersen and Laake (2014), Statistics in Medicine 33: 1 and 7 discordant of 21 pairs."""
    interval = s.tango(1, 7, 21)
    assert (round(interval.low, 3), round(interval.high, 3)) == (-0.517, -0.026)
    assert round(s.mcnemar_exact(1, 7), 3) == 0.070


@given(paired_counts())
@settings(max_examples=60, deadline=None)
def test_tango_holds_the_estimate_and_mirrors(counts):
    wins, losses, n = counts
    interval, mirrored = s.tango(wins, losses, n), s.tango(losses, wins, n)
    assert -1 <= interval.low <= (wins - losses) / n <= interval.high <= 1
    assert interval.high > interval.low
    assert (mirrored.low, mirrored.high) == (-interval.high, -interval.low)


@pytest.mark.parametrize("n", [1, 20, 1319])
def test_tango_at_the_edges(n):
    half = Z * Z / (n + Z * Z)
    none, every = s.tango(0, 0, n), s.tango(n, 0, n)
    assert (none.low, none.high) == (pytest.approx(-half), pytest.approx(half))
    assert (every.low, every.high) == (pytest.approx((n - Z * Z) / (n + Z * Z)), 1.0)
    assert s.tango(0, n, n).low == -1.0


def test_tango_is_continuous_up_to_its_edges():
    """The closed forms of the edges fit the search that serves beside them."""
    assert s.tango(999_999, 0, 1_000_000).low == pytest.approx(s.tango(1_000_000, 0, 1_000_000).low, abs=2e-5)
    assert s.tango(1, 0, 1_000_000).low == pytest.approx(s.tango(0, 0, 1_000_000).low, abs=5e-6)


def test_tango_narrows_with_the_level():
    wide, narrow = s.tango(30, 12, 200, level=0.99), s.tango(30, 12, 200, level=0.8)
    assert wide.low < narrow.low < narrow.high < wide.high


@pytest.mark.parametrize(("wins", "losses", "n"), [(0, 0, 0), (3, 3, 5), (-1, 2, 5)])
def test_impossible_paired_counts_are_refused(wins, losses, n):
    with pytest.raises(ValueError, match="impossible"):
        s.tango(wins, losses, n)


@pytest.mark.parametrize(("win", "loss", "n"), [(0.15, 0.08, 60), (0.05, 0.05, 40), (0.3, 0.1, 100)])
def test_tango_covers_about_as_often_as_it_says(win, loss, n):
    import numpy as np

    draws = np.random.default_rng(5).multinomial(n, [win, loss, 1 - win - loss], size=1500)
    tables, times = np.unique(draws, axis=0, return_counts=True)
    intervals = [s.tango(int(w), int(ls), n) for w, ls, _ in tables]
    covered = sum(int(t) for i, t in zip(intervals, times, strict=True) if i.low <= win - loss <= i.high)
    assert 0.93 <= covered / 1500 <= 0.985


# McNemar, Holm


@given(st.integers(0, 80), st.integers(0, 80))
@settings(max_examples=60, deadline=None)
def test_mcnemar_is_the_closed_form(wins, losses):
    m = wins + losses
    tail = Fraction(sum(math.comb(m, i) for i in range(min(wins, losses) + 1)), 2**m)
    assert s.mcnemar_exact(wins, losses) == pytest.approx(float(min(2 * tail, Fraction(1))), rel=1e-9)


def test_mcnemar_without_disagreement_and_with_nonsense():
    assert s.mcnemar_exact(0, 0) == 1.0
    with pytest.raises(ValueError, match="negative"):
        s.mcnemar_exact(-1, 2)


@given(paired_counts(most=200))
@settings(max_examples=80, deadline=None)
def test_tango_and_mcnemar_agree_unless_close(counts):
    wins, losses, n = counts
    interval, p = s.tango(wins, losses, n), s.mcnemar_exact(wins, losses)
    if p < 0.05:  # the exact test is the more careful of the two
        assert interval.low > 0 or interval.high < 0
    if p > 0.2:
        assert interval.low <= 0 <= interval.high


@given(ps=st.lists(st.floats(0, 1), min_size=1, max_size=12))
@settings(max_examples=25, deadline=None)
def test_holm_is_that_of_statsmodels(ps):
    from statsmodels.stats.multitest import multipletests

    assert s.holm(ps) == pytest.approx(multipletests(ps, method="holm")[1])


@given(n=st.floats(1, 5000), share=st.floats(0, 1), level=st.sampled_from([0.8, 0.95, 0.99]))
@settings(max_examples=50, deadline=None)
def test_wilson_is_that_of_statsmodels(n, share, level):
    from statsmodels.stats.proportion import proportion_confint

    found = s.wilson(share * n, n, level)
    assert (found.low, found.high) == pytest.approx(
        proportion_confint(share * n, n, alpha=1 - level, method="wilson"), abs=1e-9
    )


def test_holm_steps_down_and_keeps_the_order():
    assert s.holm([0.04, 0.01, 0.03]) == pytest.approx([0.06, 0.03, 0.06])
    assert s.holm([]) == []
    assert s.holm([0.7]) == [0.7]
    assert s.holm([0.9, 0.8]) == [1.0, 1.0]


# pass@k and maj@k


@given(st.integers(1, 7), st.data())
@settings(max_examples=60, deadline=None)
def test_pass_at_k_is_the_mean_over_all_choices(n, data):
    correct = [data.draw(st.booleans()) for _ in range(n)]
    k = data.draw(st.integers(1, n))
    choices = list(combinations(correct, k))
    assert s.pass_at_k(n, sum(correct), k) == pytest.approx(sum(any(c) for c in choices) / len(choices))


@given(st.integers(1, 300), st.data())
@settings(deadline=None)
def test_pass_at_1_does_not_depend_on_how_many_were_drawn(n, data):
    correct = data.draw(st.integers(0, n))
    assert s.pass_at_k(n, correct, 1) == correct / n
    assert s.pass_at_k(2 * n, 2 * correct, 1) == correct / n


def test_pass_at_k_is_exact_for_many_samples():
    assert s.pass_at_k(10_000, 1, 5_000) == 0.5
    assert 0 < s.pass_at_k(10**6, 1, 1) == 1e-6
    values = [s.pass_at_k(200, 3, k) for k in range(1, 201)]
    assert values == sorted(values)
    assert values[-1] == 1.0


@pytest.mark.parametrize(("n", "correct", "k"), [(4, 2, 5), (4, 2, 0), (4, 5, 1), (0, 0, 1)])
def test_pass_at_k_refuses_what_it_cannot_know(n, correct, k):
    with pytest.raises(ValueError, match=r"samples"):
        s.pass_at_k(n, correct, k)


@pytest.mark.parametrize(
    ("answers", "index"),
    [
        (["5", "7", "7"], 1),
        (["5", "7", "7", "5"], 0),
        (["7", "5", "5", "7"], 0),
        (["", "", "3"], 2),
        (["", " ", "3", "4", "4"], 3),
        (["", "", ""], 0),
        (["9"], 0),
    ],
)
def test_the_majority(answers, index):
    assert s.majority_index(answers) == index


def test_a_vote_without_answers_is_refused():
    with pytest.raises(ValueError, match="at least one"):
        s.majority_index([])


graded = st.lists(st.sampled_from(["", "1", "2", "3"]), min_size=1, max_size=9)


@given(graded)
@settings(deadline=None)
def test_maj_at_1_is_pass_at_1(answers):
    correct = [a == "2" for a in answers]
    assert s.majority_at_k(answers, correct, 1) == s.pass_at_k(len(answers), sum(correct), 1)


@given(graded, st.data())
@settings(deadline=None)
def test_maj_at_k_is_between_none_and_any(answers, data):
    correct = [a == "2" for a in answers]
    n, k = len(answers), data.draw(st.integers(1, len(answers)))
    value = s.majority_at_k(answers, correct, k)
    assert value * n == pytest.approx(round(value * n))
    assert (value == 0) if not any(correct) else (0 <= value <= 1)
    assert s.majority_at_k(answers, correct, n) == correct[s.majority_index(answers)]


def test_maj_at_k_counts_windows_that_wrap():
    # sets of two: {0,1} ties to sample 0, {1,2} ties to sample 1, {2,0} agrees on "a"
    assert s.majority_at_k(["a", "b", "a"], [True, False, True], 2) == pytest.approx(2 / 3)


def test_what_could_not_be_judged_is_not_right():
    assert s.majority_at_k(["a", "a"], [None, None], 2) == 0.0


def test_maj_at_k_refuses_uneven_input():
    with pytest.raises(ValueError, match="verdicts"):
        s.majority_at_k(["a"], [True, False], 1)
    with pytest.raises(ValueError, match="k must be"):
        s.majority_at_k(["a"], [True], 2)


# sign flip


@given(st.integers(0, 60), st.integers(0, 60), st.integers(0, 20))
@settings(max_examples=40, deadline=None)
def test_sign_flip_of_single_samples_is_mcnemar(wins, losses, ties):
    differences = [1.0] * wins + [-1.0] * losses + [0.0] * ties
    assert s.sign_flip_test(differences, seed=0) == pytest.approx(s.mcnemar_exact(wins, losses), rel=1e-9)


@given(st.lists(st.sampled_from([-1, -0.75, -0.5, -0.25, 0, 0.25, 0.5, 1]), min_size=1, max_size=9))
@settings(max_examples=40, deadline=None)
def test_sign_flip_is_the_share_of_flips_as_extreme(differences):
    flips = [
        abs(sum(f * d for f, d in zip(signs, differences, strict=True)))
        for signs in product([1, -1], repeat=len(differences))
    ]
    expected = sum(f >= abs(sum(differences)) - 1e-9 for f in flips) / len(flips)
    assert s.sign_flip_test(differences, seed=0) == pytest.approx(expected)


def test_drawn_sign_flips_come_near_the_exact_ones(monkeypatch):
    rng = random.Random(2)
    differences = [rng.choice([-0.5, 0, 0.5, 1]) for _ in range(30)]
    exact = s.sign_flip_test(differences, seed=1)
    monkeypatch.setattr(s, "EXACT_OUTCOMES", 1)
    drawn = s.sign_flip_test(differences, seed=1, draws=20_000)
    assert drawn != exact
    assert drawn == pytest.approx(exact, abs=4 * math.sqrt(exact * (1 - exact) / 20_000) + 1e-4)
    assert drawn == s.sign_flip_test([-d for d in reversed(differences)], seed=1)
    assert s.sign_flip_test([1.0, 0.5] * 200, seed=1) == 1 / 20_001  # never 0


# intervals of several samples a problem


eighths = st.lists(st.integers(-8, 8).map(lambda i: i / 8), min_size=1, max_size=40)


@given(st.lists(st.integers(0, 1), min_size=1, max_size=80))
@settings(max_examples=40, deadline=None)
def test_one_sample_a_problem_gives_wilson(values):
    ours, wilson = s.clustered(values, 1), s.wilson(sum(values), len(values))
    assert (ours.low, ours.high) == (pytest.approx(wilson.low), pytest.approx(wilson.high))


@given(st.integers(1, 40), st.integers(1, 9), st.data())
@settings(max_examples=60, deadline=None)
def test_the_effective_number_lies_between_problems_and_samples(n, k, data):
    values = [data.draw(st.integers(0, k)) / k for _ in range(n)]
    assert n <= s.effective_samples(values, k) <= n * k
    interval = s.clustered(values, k)
    assert 0 <= interval.low <= sum(values) / n + 1e-12
    assert sum(values) / n - 1e-12 <= interval.high <= 1


@pytest.mark.parametrize(("n", "k"), [(20, 3), (15, 4), (60, 8), (5, 2)])
@pytest.mark.parametrize("spread", [True, False])
def test_one_more_right_sample_never_makes_the_interval_jump(n, k, spread):
    """From none right to all, one sample at a time, over all problems in turn or filling one after the other."""
    places = [i % n if spread else i // k for i in range(n * k)]
    values, ends = [0.0] * n, [s.clustered([0.0] * n, k)]
    for place in places:
        values[place] += 1 / k
        ends.append(s.clustered([min(v, 1.0) for v in values], k))
    steps = [(abs(y.low - x.low), abs(y.high - x.high)) for x, y in pairwise(ends)]
    assert max(max(step) for step in steps) < 1.5 / n
    assert ends[0].high == pytest.approx(s.wilson(0, n).high)
    assert ends[-1].low == pytest.approx(s.wilson(n, n).low)


@pytest.mark.parametrize(
    ("n", "k", "a", "b"), [(20, 3, 0.05, 0.95), (20, 8, 0.02, 0.98), (20, 16, 0.1, 1), (60, 4, 0.5, 2), (60, 8, 20, 20)]
)
def test_clustered_covers_at_least_about_as_often_as_it_says(n, k, a, b):
    import numpy as np

    rng = np.random.default_rng(11)
    draws = [rng.binomial(k, rng.beta(a, b, n)) / k for _ in range(600)]
    intervals = [s.clustered(list(values), k) for values in draws]
    assert sum(i.low <= a / (a + b) <= i.high for i in intervals) / 600 >= 0.93


def test_clustering_counts_problems_not_samples():
    """40 problems with 16 samples each that all agree know no more than 40 single answers."""
    clustered, single = s.clustered([1.0] * 22 + [0.0] * 18, 16), s.wilson(22, 40)
    assert (clustered.low, clustered.high) == (pytest.approx(single.low), pytest.approx(single.high))


def test_samples_that_are_independent_nearly_all_count():
    values = [0.25] * 100 + [0.5] * 200 + [0.75] * 100  # as spread as four independent coins a problem, or less
    assert s.effective_samples(values, 4) > 0.95 * 1600


def test_no_problems_no_interval():
    with pytest.raises(ValueError, match="at least one"):
        s.clustered([], 2)


@given(paired_counts(most=30))
@settings(max_examples=40, deadline=None)
def test_the_paired_interval_of_single_samples_is_tangos(counts):
    wins, losses, n = counts
    differences = [1.0] * wins + [-1.0] * losses + [0.0] * (n - wins - losses)
    ours, tango = s.paired_interval(differences, 1), s.tango(wins, losses, n)
    assert (ours.low, ours.high) == (pytest.approx(tango.low, abs=1e-9), pytest.approx(tango.high, abs=1e-9))


@given(eighths, st.randoms())
@settings(max_examples=40, deadline=None)
def test_the_paired_interval_ignores_order_mirrors_and_holds_the_estimate(differences, rng):
    interval = s.paired_interval(differences, 8)
    shuffled = list(differences)
    rng.shuffle(shuffled)
    assert s.paired_interval(shuffled, 8) == interval
    mirrored = s.paired_interval([-d for d in differences], 8)
    assert (mirrored.low, mirrored.high) == (pytest.approx(-interval.high), pytest.approx(-interval.low))
    mean = math.fsum(differences) / len(differences)
    assert -1 <= interval.low <= mean + 1e-12
    assert mean - 1e-12 <= interval.high <= 1


def test_the_paired_interval_does_not_jump_where_something_differs():
    """The bootstrap went from 16 points each way to 0 to 5 at the first sample of 60 that differed."""
    ends = [s.paired_interval([1 / 3] * count + [0.0] * (20 - count), 3) for count in range(5)]
    steps = [max(abs(y.low - x.low), abs(y.high - x.high)) for x, y in pairwise(ends)]
    assert max(steps) < 1 / 20
    assert (ends[0].low, ends[0].high) == (s.tango(0, 0, 20).low, s.tango(0, 0, 20).high)


def test_with_many_problems_the_paired_interval_is_the_bootstraps():
    import numpy as np
    from scipy.stats import bootstrap

    values = np.random.default_rng(1).integers(-8, 9, size=600) / 8
    theirs = bootstrap((values,), np.mean, method="percentile", n_resamples=4000, rng=np.random.default_rng(2))
    ours = s.paired_interval(list(values), 8)
    assert ours.low == pytest.approx(theirs.confidence_interval.low, abs=0.006)
    assert ours.high == pytest.approx(theirs.confidence_interval.high, abs=0.006)


@pytest.mark.parametrize(("full", "part"), [(0.05, 0.2), (0.0, 0.3), (0.1, 0.0)])
@pytest.mark.parametrize("n", [20, 60, 200])
def test_the_paired_interval_covers_at_least_about_as_often_as_it_says(n, full, part):
    """A share of problems is won by every sample; another differs by one sample of eight, to either side alike."""
    import numpy as np

    rng = np.random.default_rng(7)
    chances = [full, part / 2, part / 2, 1 - full - part]
    tables, times = np.unique(rng.multinomial(n, chances, size=800), axis=0, return_counts=True)
    covered = 0
    for table, count in zip(tables, times, strict=True):
        interval = s.paired_interval(list(np.repeat([1.0, 0.125, -0.125, 0.0], table)), 8)
        covered += int(count) * (interval.low <= full <= interval.high)
    assert covered / 800 >= 0.93


def test_where_every_problem_is_won_the_paired_interval_still_covers():
    """Eight samples, right with 0.8 for one model and never for the other: all differences lie close together."""
    import numpy as np

    rng = np.random.default_rng(5)
    intervals = [s.paired_interval(list(rng.binomial(8, 0.8, size=30) / 8), 8) for _ in range(300)]
    assert sum(i.low <= 0.8 <= i.high for i in intervals) / 300 >= 0.93
    assert s.paired_interval([-1.0, -1.0, -1.0, -2 / 3], 3).low < -0.99


# compare


@pytest.mark.parametrize("k", [1, 8])
def test_swapping_the_models_mirrors_everything(k):
    a, b = models(k, 80, 1), models(k, 80, 2)
    there, back = s.compare(a, b, seed=7), s.compare(b, a, seed=7)
    assert (back.difference, back.wins, back.losses) == (-there.difference, there.losses, there.wins)
    assert (back.low, back.high) == (pytest.approx(-there.high), pytest.approx(-there.low))
    assert (back.p, back.detectable) == (there.p, pytest.approx(there.detectable))
    assert there.low <= there.difference <= there.high


@pytest.mark.parametrize("k", [1, 8])
def test_shuffling_the_problems_changes_nothing(k):
    a, b = models(k, 80, 1), models(k, 80, 2)
    ids = list(a)
    random.Random(3).shuffle(ids)
    assert s.compare({i: a[i] for i in ids}, {i: b[i] for i in reversed(ids)}, seed=7) == s.compare(a, b, seed=7)


def test_one_sample_adds_up_and_names_its_methods():
    a = {"1": [True], "2": [True], "3": [False], "4": [None], "5": [False]}
    b = {"1": [True], "2": [False], "3": [True], "4": [None], "5": [True]}
    found = s.compare(a, b)
    assert (found.wins, found.losses, found.both_right, found.both_wrong, found.n) == (2, 1, 1, 1, 5)
    assert found.difference == pytest.approx(0.2)
    assert (found.test, found.interval) == ("exact McNemar", "Tango score")
    assert (found.p, found.low) == (s.mcnemar_exact(2, 1), s.tango(2, 1, 5).low)


def test_several_samples_count_problems_by_their_means():
    a = {"1": [True, True], "2": [True, False], "3": [False, False], "4": [True, False]}
    b = {"1": [True, True], "2": [False, True], "3": [False, None], "4": [True, True]}
    found = s.compare(a, b)
    assert (found.wins, found.losses, found.both_right, found.both_wrong) == (1, 0, 1, 1)
    assert found.difference == pytest.approx(1 / 8)
    assert (found.test, found.interval) == ("sign-flip", "Tango score, effective n")


def test_repeating_each_sample_gives_about_the_single_sample_result():
    """Eight equal samples for each problem hold no more than one: the clustered result must not pretend so."""
    a, b = models(1, 150, 5), models(1, 150, 6)
    one = s.compare(a, b)
    eight = s.compare({i: v * 8 for i, v in a.items()}, {i: v * 8 for i, v in b.items()})
    assert eight.difference == pytest.approx(one.difference)
    assert eight.p == pytest.approx(one.p)
    assert (eight.low, eight.high) == (pytest.approx(one.low), pytest.approx(one.high))
    assert eight.detectable == pytest.approx(one.detectable)


def test_other_problems_are_refused_by_name():
    a = {f"q{i}": [True] for i in range(6)}
    with pytest.raises(ValueError, match=r"4 problems .* q2, q3, q4, \.\.\."):
        s.compare(a, {"q0": [True], "q1": [False]})


@pytest.mark.parametrize("short", [[True], []])
def test_missing_samples_are_refused_by_name(short):
    with pytest.raises(ValueError, match="1 problem without some of the 2 samples: q1"):
        s.compare({"q1": [True, True], "q2": [True, True]}, {"q1": short, "q2": [True, False]})


def test_nothing_to_compare_is_refused():
    with pytest.raises(ValueError, match="no problems"):
        s.compare({}, {})
    with pytest.raises(ValueError, match="no problem has a sample"):
        s.compare({"q": []}, {"q": []})


# real graded solutions of four systems


def labels(name):
    path = OPENAI / f"gpt3_{name}.jsonl"
    if not path.exists():
        pytest.skip("OpenAI's graded GSM8K solutions are not beside the project (../shared/data)")
    rows = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    return {str(row["qid"]): [row["upstream_correct"]] for row in rows}


@pytest.mark.parametrize(
    ("a", "b", "difference", "wins", "losses", "se", "p"),
    [
        ("6b_finetuning", "6b_verification", 0.174, 293, 64, 0.0135, 4e-36),
        ("6b_verification", "175b_finetuning", -0.043, 152, 209, 0.0144, 0.003),
        ("6b_finetuning", "175b_finetuning", 0.130, 260, 88, 0.0137, 7e-21),
    ],
)
def test_figures_of_the_openai_solutions(a, b, difference, wins, losses, se, p):
    found = s.compare(labels(a), labels(b))
    assert (found.n, found.wins, found.losses) == (1319, wins, losses)
    assert round(found.difference, 3) == difference
    assert round(math.sqrt(wins + losses - (wins - losses) ** 2 / 1319) / 1319, 4) == se
    assert float(f"{found.p:.0e}") == p
    assert found.low < found.difference < found.high
    assert (found.low > 0) == (difference > 0)
    assert found.detectable == pytest.approx(2.8 * se, rel=0.08)  # the normal approximation, at so many problems


# Cohen's kappa


@given(*(st.integers(0, 50) for _ in range(4)))
@settings(max_examples=50, deadline=None)
def test_kappa_is_the_closed_form_and_symmetric(both, first, second, neither):
    n = both + first + second + neither
    found = s.cohens_kappa(both, first, second, neither)
    chance = ((both + first) * (both + second) + (neither + second) * (neither + first)) / n**2 if n else 1
    if n == 0 or chance == 1:
        assert found is None
    else:
        assert found == pytest.approx(((both + neither) / n - chance) / (1 - chance), abs=1e-12)
        assert s.cohens_kappa(both, second, first, neither) == pytest.approx(found)
