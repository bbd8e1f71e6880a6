"""The best epoch of a training: at the end of each, the problems of `job.dev` are answered with the weights as they are
and scored; the best epoch's weights are those that are saved. Heavy: imports torch."""

from __future__ import annotations

import copy
import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from transformers import TrainerCallback

from mra_bench.errors import TrainingFailed
from mra_bench.types import Completion, Dev, TrainJob

from . import training
from .batching import RowSpec
from .live import LiveEngine
from .quantised import is_quantised, merge_into
from .streams import row_key
from .training_checkpoints import sync
from .training_saving import merged, save


class Epochs(TrainerCallback):  # type: ignore[misc]  # transformers is not typed
    """Scores the epochs of `trainer`, which takes `steps` updates in each. A training that ends within an epoch is
    scored there.

    The end of an epoch is a checkpoint, made first: after a kill the training goes on from there, and the answers that
    were there already are not made again. `snapshots`: the trained weights of the best epoch so far, or of all.
    """

    def __init__(self, job: TrainJob, dev: Dev, parent: training.Parent, trainer: Any, steps: int) -> None:
        self.job, self.dev, self.parent, self.trainer, self.steps = job, dev, parent, trainer, steps
        self.snapshots = job.workdir / "epochs"
        self.engine = LiveEngine(job, parent, dev.decoding)

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if state.global_step and self._at_end(state):  # resumed from the checkpoint that was made there
            self._score(state)

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if self._at_end(state) and state.global_step < state.max_steps:
            control.should_save = control.should_log = True

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if self._at_end(state):
            self._score(state)

    def finish(self) -> None:
        """After the last step: score it, leave the weights of all epochs if they are asked for, and give the model
        those of the best."""
        self._score(self.trainer.state)
        if self.dev.keep_all and self.job.rank == 0:
            for path in sorted(self.snapshots.glob("*.safetensors")):
                self._load(path)
                save(self._whole(), self.trainer.processing_class, self.job.workdir / path.stem)
        self._load(self._best)

    @property
    def _best(self) -> Path:
        """The snapshot of the best epoch, by the name that is noted whenever one is better than those before."""
        return self.snapshots / (self.snapshots / "best").read_text().strip()

    def _at_end(self, state: Any) -> bool:
        return bool(state.global_step % self.steps == 0 or state.global_step >= state.max_steps)

    def _score(self, state: Any) -> None:
        epoch = math.ceil(state.global_step / self.steps)
        best = self.dev.score(epoch, state.global_step, lambda: self._answers(state))
        self._progress(state, f"epoch {epoch} scored")
        if self.job.rank == 0 and (best or self.dev.keep_all):
            self._keep(epoch, best)
        self.trainer.accelerator.wait_for_everyone()

    def _answers(self, state: Any) -> Iterator[Completion]:
        self._progress(state, f"answering {len(self.dev.problems):,} problems")
        rows = self._rows()
        for ended, row in zip(self.engine.run(rows, self.trainer), rows, strict=True):
            problem = self.dev.problems[row.position]
            yield Completion(problem.id, 0, ended.text, len(row.prompt), ended.tokens, ended.finish)

    def _progress(self, state: Any, note: str) -> None:
        self.job.progress.update(state.global_step, state.max_steps, tokens=state.num_input_tokens_seen, note=note)

    def _rows(self) -> list[RowSpec]:
        special = self.parent.prompt.special_tokens
        encoded = self.parent.tokenizer(list(self.dev.prompts), add_special_tokens=special)["input_ids"]
        context = self.parent.limit(1 << 30)
        return [
            RowSpec(
                place,
                tuple(ids),
                row_key(self.job.seed, self.dev.problems[place].id, 0),
                min(self.dev.decoding.max_new_tokens, context - len(ids)),
            )
            for place, ids in enumerate(encoded)
        ]

    def _keep(self, epoch: int, best: bool) -> None:
        """Write what is trained of the weights; the ones that are no longer the best go."""
        self.snapshots.mkdir(parents=True, exist_ok=True)
        path = self.snapshots / f"epoch-{epoch:03d}.safetensors"
        part = path.with_suffix(".part")
        save_file({name: weight.detach().cpu().contiguous() for name, weight in self._trained()}, part)
        _replace(part, path)
        if best:
            noted = self.snapshots / "best.part"
            noted.write_text(f"{path.name}\n")
            _replace(noted, self.snapshots / "best")
        for other in self.snapshots.glob("*.safetensors"):
            if other != path and not self.dev.keep_all:
                other.unlink()

    def _load(self, path: Path) -> None:
        if not path.is_file():
            raise TrainingFailed(
                f"The weights of the best epoch are gone: {path}. Remove {self.job.workdir}, run again."
            )
        kept = load_file(path)
        with torch.no_grad():
            for name, weight in self._trained():
                weight.copy_(kept[name])

    def _trained(self) -> Iterator[tuple[str, Any]]:
        return ((name, weight) for name, weight in self.trainer.model.named_parameters() if weight.requires_grad)

    def _whole(self) -> Any:
        """The model as it would be saved, with an adapter merged into a copy."""
        model = self.trainer.model
        if is_quantised(model):
            return merge_into(training.load_parent(self.job, whole=True).model, model)
        return merged(copy.deepcopy(model)) if hasattr(model, "merge_and_unload") else model


def _replace(part: Path, path: Path) -> None:
    """On disk for certain, whole or not at all."""
    sync(part)
    os.replace(part, path)
    sync(path.parent)
