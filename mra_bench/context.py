"""What every stage works with: the run's folder, its plugins, and the one model that is in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mra_bench.contracts import CheckedModel, build_model
from mra_bench.errors import BenchError
from mra_bench.executors import Executor, Local
from mra_bench.plugins import PluginSettings, Registry
from mra_bench.progress import Reporter
from mra_bench.ranks import Ranks
from mra_bench.store import stage_record
from mra_bench.types import ModelRef
from mra_bench.work import PlannedModel, Stage

WEIGHTS = "weights"


@dataclass
class Context:
    """What every stage needs: where, with which plugins, reporting to whom. Holds the one model in memory."""

    root: Path
    registry: Registry
    plugins: PluginSettings
    reporter: Reporter
    conditions: Mapping[str, Any]
    strict: bool = False
    ranks: Ranks = field(default_factory=Ranks)
    executor: Executor = field(default_factory=Local)
    _loaded: tuple[str, CheckedModel] | None = None

    def folder(self, stage: Stage) -> Path:
        return self.root / stage.folder

    def model(self, planned: PlannedModel) -> CheckedModel:
        """The planned model, kept until another one is asked for."""
        key = planned.stage.fingerprint if planned.stage else planned.name
        if self._loaded is None or self._loaded[0] != key:
            self.release()
            self._loaded = (key, open_model(self.root, planned, self.registry))
        return self._loaded[1]

    def release(self) -> None:
        """Free the model in memory."""
        self.executor.release()
        if self._loaded is not None:
            self._loaded[1].release()
            self._loaded = None


@dataclass(frozen=True)
class StageProgress:
    """The Progress of models and trainers, passed on to the run's reporter."""

    reporter: Reporter

    def update(self, done: int, total: int, *, tokens: int = 0, note: str = "") -> None:
        self.reporter.update(done, total=total, tokens=tokens, note=note)


def open_model(root: Path, planned: PlannedModel, registry: Registry) -> CheckedModel:
    """The model of a plan, from its loader or from the weights its training stage left in the run folder."""
    if planned.stage is None:
        return build_model(planned.loader, planned.options)
    return open_ref(planned_ref(root, planned), registry)


def planned_ref(root: Path, planned: PlannedModel) -> ModelRef:
    """How to load a model of a plan."""
    if planned.stage is None:
        return ModelRef(planned.loader.full_name, planned.options)
    folder = root / planned.stage.folder
    record = stage_record(folder)
    if record is None:
        raise BenchError(f"The model '{planned.name}' is not trained yet: {folder} is not complete")
    return ref_of(folder, record)


def ref_of(folder: Path, record: Mapping[str, Any]) -> ModelRef:
    """How to load the model a training stage left in `folder`."""
    ref = record["facts"]["ref"]
    return ModelRef(ref["loader"], {**ref["options"], "path": str(folder / WEIGHTS)})


def open_ref(ref: ModelRef, registry: Registry) -> CheckedModel:
    return build_model(registry.resolve("models", ref.loader), ref.options)
