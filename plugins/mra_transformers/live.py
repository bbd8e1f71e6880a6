"""The generation engine around a model that is being trained. Heavy: imports torch."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import torch

from mra_bench.types import Decoding, TrainJob

from . import budget, training
from .batching import ALONE, Limits, RowSpec
from .endings import Ended
from .generate import Engine
from .hardware import choose_device, device_kind, memory
from .model import end_ids
from .network import Network
from .source import Source, config_of
from .stops import StopRule

DTYPES = {"": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


class LiveEngine:
    """Texts from the weights that a trl trainer has just then, an adapter's layers among them.

    They end as in evaluation: end token, the prompt format's stops, those of `decoding`. What was generated together is
    not recorded: after a lack of memory on one attempt only, last bits may differ.
    """

    def __init__(self, job: TrainJob, parent: training.Parent, decoding: Decoding) -> None:
        self.job, self.parent, self.decoding = job, parent, decoding
        self.rule = StopRule((*parent.prompt.stops, *decoding.stop), decoding.stop_after_answer)
        self._engine: Engine | None = None

    def run(self, rows: Sequence[RowSpec], trainer: Any) -> list[Ended]:
        """A text for each row, in the order of their positions."""
        engine = self._loaded(trainer)
        with _asking(engine.network.model), trainer.accelerator.autocast():
            return sorted(engine.run(rows, self.rule, self.decoding), key=lambda ended: ended.position)

    def _loaded(self, trainer: Any) -> Engine:
        if self._engine is None:
            model = trainer.model.get_base_model() if hasattr(trainer.model, "get_base_model") else trainer.model
            half = "bf16" if trainer.args.bf16 else "fp16" if trainer.args.fp16 else ""
            ends = end_ids((model.generation_config, model.config), self.parent.tokenizer, self.parent.prompt.family)
            network = Network(model, self.parent.tokenizer, ends, DTYPES[half])
            self._engine = Engine(network, self._limits(half or "fp32"))
        return self._engine

    def _limits(self, dtype: str) -> Limits:
        if self.job.options.strict_determinism:
            return ALONE
        device = choose_device("auto")
        config = config_of(Source(self.job.parent, self.job.parent.name))
        return budget.limits(config, self.parent.parameters, dtype, device_kind(device), memory(device))


@contextlib.contextmanager
def _asking(model: Any) -> Iterator[None]:
    """Out of training's mode: with its memory of earlier tokens, without checkpointing."""
    training_mode = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(training_mode)
