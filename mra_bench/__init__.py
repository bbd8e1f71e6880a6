"""mra-bench: did the change to how the model is trained help? Paired, graded, re-derivable answers."""

from typing import TYPE_CHECKING

from mra_bench.lazy import names

if TYPE_CHECKING:
    from mra_bench.hookspecs import hookimpl
    from mra_bench.notebook import open_run
    from mra_bench.types import Completion, Grade, Problem, Profile

__version__ = "0.1.0"
__all__ = ["Completion", "Grade", "Problem", "Profile", "__version__", "hookimpl", "open_run"]

_TYPES = ("Completion", "Grade", "Problem", "Profile")
_WHERE = {"hookimpl": "mra_bench.hookspecs", "open_run": "mra_bench.notebook"}
__getattr__ = names(__name__, {**_WHERE, **dict.fromkeys(_TYPES, "mra_bench.types")})
