"""The stranger's own tests, as its author would write them."""

from mra_bench_last_word import grade

from mra_bench.testing import check_grader, problem, run_bench


def test_last_word() -> None:
    check_grader(
        grade,
        right=[(problem(answer="4"), "so it is 4"), (problem(answer="yes"), "that is a\nyes\n")],
        wrong=[(problem(answer="4"), "so it is 5"), (problem(answer="4"), "4, I think"), (problem(answer="4"), "")],
    )


def test_a_run() -> None:
    result = run_bench(grader="last-word", plugin="mra_bench_last_word")
    assert result.exit_code == 0, result.output
    assert result.accuracy == 4 / 6
