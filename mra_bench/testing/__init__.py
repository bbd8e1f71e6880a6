"""The kit for plugin authors. Import it in your tests; it is never loaded by itself, into pytest or anywhere else.

``check_grader`` tells all that is wrong with a grader at once, ``problem`` makes a Problem in a few letters, and
``run_bench`` runs the whole command line with your plugin on six questions. `mra-bench plugins check` runs the same
checks from the shell, without right and wrong texts of your own.
"""

from mra_bench.testing.bench import BenchResult, run_bench
from mra_bench.testing.graders import check_grader, problem

__all__ = ["BenchResult", "check_grader", "problem", "run_bench"]
