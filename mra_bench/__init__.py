"""mra-bench: did the change to how the model is trained help? Paired, graded, re-derivable answers."""

from mra_bench.hookspecs import hookimpl
from mra_bench.types import Completion, Grade, Problem, Profile

__version__ = "0.1.0"
__all__ = ["Completion", "Grade", "Problem", "Profile", "__version__", "hookimpl"]
