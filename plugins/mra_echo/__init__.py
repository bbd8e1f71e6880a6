"""Plugin: the model `echo`, which answers from a file. For tests, plugin authors, and texts one already has. `imported`
stands for a model whose texts `mra-bench import` has taken from another tool's file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mra_bench.hookspecs import Register, hookimpl
from mra_bench.lazy import names

if TYPE_CHECKING:
    from mra_bench.types import Model
    from mra_echo.options import EchoOptions, ImportedOptions

__all__ = ["EchoOptions", "ImportedOptions", "load", "load_imported", "register_models"]
__getattr__ = names(__name__, {"EchoOptions": "mra_echo.options", "ImportedOptions": "mra_echo.options"})


def load(options: EchoOptions) -> Model:
    """The model that answers from ``options.path``. Raises UsageError for a missing file or a broken line."""
    from .model import EchoModel

    return EchoModel.read(options)


def load_imported(options: ImportedOptions) -> Model:
    """Raises UsageError: imported texts are all that is there of the model."""
    from mra_bench.errors import UsageError

    raise UsageError(
        f"The texts come from {options.path or 'a file'} of {options.format or 'another tool'}, and what wrote them is "
        "not here: nothing can be generated. `mra-bench import` reads such a file"
    )


@hookimpl
def register_models(register: Register) -> None:
    register("echo", load, options="mra_echo.options:EchoOptions")
    register("imported", load_imported, options="mra_echo.options:ImportedOptions")
