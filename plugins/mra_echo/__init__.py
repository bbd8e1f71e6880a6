"""Plugin: the model `echo`, which answers from a file. For tests, plugin authors, and texts one already has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mra_bench.hookspecs import Register, hookimpl
from mra_bench.lazy import names

if TYPE_CHECKING:
    from mra_bench.types import Model
    from mra_echo.options import EchoOptions

__all__ = ["EchoOptions", "load", "register_models"]
__getattr__ = names(__name__, {"EchoOptions": "mra_echo.options"})


def load(options: EchoOptions) -> Model:
    """The model that answers from ``options.path``. Raises UsageError for a missing file or a broken line."""
    from .model import EchoModel

    return EchoModel.read(options)


@hookimpl
def register_models(register: Register) -> None:
    register("echo", load, options="mra_echo.options:EchoOptions")
