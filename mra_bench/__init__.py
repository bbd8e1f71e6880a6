"""mra-bench: did the change to how the model is trained help? Paired, graded, re-derivable answers."""

from typing import TYPE_CHECKING

from mra_bench.lazy import names

if TYPE_CHECKING:
    from mra_bench.hookspecs import hookimpl
    from mra_bench.types import Completion, Grade, Problem, Profile

__version__ = "0.1.0"
__all__ = ["Completion", "Grade", "Problem", "Profile", "__version__", "hookimpl"]

_TYPES = ("Completion", "Grade", "Problem", "Profile")
__getattr__ = names(__name__, {"hookimpl": "mra_bench.hookspecs", **dict.fromkeys(_TYPES, "mra_bench.types")})
