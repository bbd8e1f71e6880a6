"""Around a training: nothing printed, repeatable arithmetic, memory given back. Imports torch."""

from __future__ import annotations

import contextlib
import functools
import gc
import logging
import os
import warnings
from collections.abc import Callable, Iterator

import torch

from mra_bench.runtime import give_freed_memory_back
from mra_bench.types import TrainedModel, TrainJob


def quietly(train: Callable[[TrainJob], TrainedModel]) -> Callable[[TrainJob], TrainedModel]:
    """`train` in `quiet`; once it is over, its memory is given back."""

    @functools.wraps(train)
    def call(job: TrainJob) -> TrainedModel:
        try:
            with quiet():
                return train(job)
        finally:
            release()

    return call


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Training libraries say nothing and show no bars; torch takes repeatable algorithms where it has them."""
    with contextlib.ExitStack() as stack:
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")
        stack.enter_context(_silent_loggers())
        stack.enter_context(_no_bars())
        stack.enter_context(_repeatable())
        stack.enter_context(_completions_only())
        yield


@contextlib.contextmanager
def _silent_loggers() -> Iterator[None]:
    loggers = [logging.getLogger(name) for name in ("transformers", "trl", "datasets", "accelerate", "peft")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


@contextlib.contextmanager
def _no_bars() -> Iterator[None]:
    import datasets
    from transformers.utils import logging as shown

    before = shown.is_progress_bar_enabled(), not datasets.are_progress_bars_disabled()
    shown.disable_progress_bar()
    datasets.disable_progress_bars()
    try:
        yield
    finally:
        if before[0]:
            shown.enable_progress_bar()
        if before[1]:
            datasets.enable_progress_bars()


@contextlib.contextmanager
def _repeatable() -> Iterator[None]:
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    before = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
    fill = torch.utils.deterministic.fill_uninitialized_memory
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.utils.deterministic.fill_uninitialized_memory = False  # a debugging aid, and slow
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before[0], warn_only=before[1])
        torch.utils.deterministic.fill_uninitialized_memory = fill


@contextlib.contextmanager
def _completions_only() -> Iterator[None]:
    """Off the GPU, too, trl computes the output layer only where there is a label: the prompt's share is saved."""
    from trl.trainer import utils

    before = getattr(utils, "_use_triton", None)  # trl asks it for the positions; its kernels have their own
    if before is None:
        yield
        return
    utils._use_triton = lambda device: True
    try:
        yield
    finally:
        utils._use_triton = before


def release() -> None:
    """Give back the memory of a trainer nobody holds any more; trainer and model refer to each other."""
    gc.collect()
    give_freed_memory_back()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
