"""Weights of pairs and losses by name: against plain trl, and against what a weight must mean."""

from __future__ import annotations

import dataclasses
import math
import subprocess
import sys
from pathlib import Path
from typing import Any, get_args

import pytest
from mra_dpo.options import SMOOTHED, SORTING, DpoOptions, Loss
from mra_dpo.weights import check_weights, of_mean_one
from mra_transformers.training_options import LoraOptions
from training_kit import Told, make_job, pairs, small_model

from mra_bench.errors import UsageError
from mra_bench.plugins import load_plugins
from mra_bench.types import Pair

STEP: dict[str, Any] = {"batch_size": 8, "accumulation": 1, "max_steps": 1, "warmup_ratio": 0, "logging_every": 1}
WEIGHTS = [0.25, 4.0, 1.0, 0.0, 2.5, 0.5, 3.0, 0.75]


@pytest.fixture(scope="module")
def parent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_model(tmp_path_factory.mktemp("parent"))


def weigh(weights: list[float], data: list[Pair] | None = None) -> list[Pair]:
    return [dataclasses.replace(p, weight=w) for p, w in zip(data or pairs(len(weights)), weights, strict=True)]


def built(folder: Path, parent: Path, data: list[Pair], **options: Any) -> Any:
    """Our trainer, its model moved away from its parent's, and a batch of all pairs."""
    from mra_dpo.trainer import build
    from mra_transformers.training_quiet import quiet

    with quiet():
        trainer, _ = build(make_job(folder, parent, DpoOptions(**{**STEP, **options}), Told(), pairs=data))
    return moved(trainer)


def moved(trainer: Any) -> Any:
    import torch

    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in trainer.model.parameters():
            parameter += 0.3 * torch.randn(parameter.shape, generator=generator)
    return trainer


def loss_and_gradient(trainer: Any) -> tuple[float, Any]:
    """Of one batch of all pairs."""
    import torch

    batch = trainer._prepare_inputs(trainer.data_collator(trainer.train_dataset.to_list()))
    trainer.model.zero_grad()
    loss = trainer.compute_loss(trainer.model, batch)
    loss.backward()
    return float(loss.detach()), torch.cat([p.grad.flatten() for p in trainer.model.parameters() if p.requires_grad])


def plain(folder: Path, parent: Path, data: list[Pair], losses: dict[str, float], smoothing: float) -> Any:
    """trl's own trainer with trl's own tokenising and collating."""
    from datasets import Dataset
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from trl import DPOConfig, DPOTrainer

    config = DPOConfig(
        output_dir=str(folder), loss_type=list(losses), loss_weights=list(losses.values()), label_smoothing=smoothing,
        beta=0.3, precompute_ref_log_probs=True, use_cpu=True, bf16=False, report_to="none", disable_tqdm=True,
    )  # fmt: skip
    return moved(
        DPOTrainer(
            model=AutoModelForCausalLM.from_pretrained(parent),
            args=config,
            train_dataset=Dataset.from_list(
                [{"prompt": pair.prompt, "chosen": pair.chosen, "rejected": pair.rejected} for pair in data]
            ),
            processing_class=AutoTokenizer.from_pretrained(parent),
        )
    )


def test_every_loss_that_trl_has_can_be_named() -> None:
    import inspect

    from mra_dpo.losses import LOSSES
    from trl import DPOTrainer

    names = set(get_args(Loss))
    assert names == set(LOSSES)
    source = inspect.getsource(DPOTrainer._compute_loss)
    assert names == {line.split('"')[1] for line in source.splitlines() if "if loss_type ==" in line}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("losses", [*({name: 1.0} for name in get_args(Loss)), {"sigmoid": 1.0, "sft": 0.5, "ipo": 2}])
def test_equal_weights_give_the_loss_and_gradient_of_plain_trl(
    tmp_path: Path, parent: Path, losses: dict[Any, float]
) -> None:
    import torch

    smoothing = 0.1 if set(losses) & set(SMOOTHED) else 0.0
    data = weigh([0.7] * 8)
    ours = built(tmp_path, parent, data, loss_type=losses, label_smoothing=smoothing, beta=0.3)
    loss, gradient = loss_and_gradient(ours)
    wanted, wanted_gradient = loss_and_gradient(plain(tmp_path / "trl", parent, data, losses, smoothing))
    assert loss == pytest.approx(wanted, rel=1e-6, abs=1e-6)
    assert wanted_gradient.norm() > 0.01, "else an equal gradient says nothing"
    torch.testing.assert_close(gradient, wanted_gradient, rtol=1e-4, atol=1e-6 * float(wanted_gradient.norm()))


def test_the_loss_is_the_mean_of_weight_times_the_pairs_own_loss(tmp_path: Path, parent: Path) -> None:
    import torch
    from mra_dpo.losses import LOSSES

    trainer = built(tmp_path, parent, weigh(WEIGHTS))
    weights = of_mean_one(WEIGHTS)
    batch = trainer._prepare_inputs(trainer.data_collator(trainer.train_dataset.to_list()))
    scored: list[Any] = []
    trainer._scored = lambda *given: scored.append(type(trainer)._scored(trainer, *given)) or scored[-1]
    for name in set(get_args(Loss)) - set(SORTING):
        trainer.options = DpoOptions(loss_type={name: 2.0}, label_smoothing=0.1 if name in SMOOTHED else 0)
        with torch.no_grad():
            loss = float(trainer.compute_loss(trainer.model, batch))
            one_by_one = (2 * LOSSES[name](scored[-1])).tolist()
        assert loss == pytest.approx(sum(w * x for w, x in zip(weights, one_by_one, strict=True)) / 8, rel=1e-5), name
        assert loss != pytest.approx(sum(one_by_one) / 8, rel=1e-3), f"the weights must matter for {name}"


def test_a_weight_is_not_cancelled_in_a_batch_of_one_pair(tmp_path: Path, parent: Path) -> None:
    told, data = Told(), weigh([3.0, 0.0])
    job = make_job(tmp_path, parent, DpoOptions(**{**STEP, "batch_size": 1, "max_steps": 2}), told, pairs=data)
    import mra_dpo

    mra_dpo.train(job)
    first = [record["loss"] for record in told.records]
    assert sorted(first) == pytest.approx([0, 2 * math.log(2)], abs=1e-5), "before training each pair's loss is log 2"


def test_scaling_all_weights_changes_nothing(tmp_path: Path, parent: Path) -> None:
    import torch

    some = loss_and_gradient(built(tmp_path / "a", parent, weigh(WEIGHTS)))
    other = loss_and_gradient(built(tmp_path / "b", parent, weigh([7 * weight for weight in WEIGHTS])))
    assert some[0] == pytest.approx(other[0], rel=1e-6)
    torch.testing.assert_close(some[1], other[1], rtol=1e-4, atol=1e-6 * float(some[1].norm()))


@pytest.mark.parametrize("loss", ["sigmoid", "ipo", "sppo_hard"])
def test_weight_zero_removes_a_pair(tmp_path: Path, parent: Path, loss: Any) -> None:
    """In one batch of all pairs the loss and its gradient are those of the other pairs alone."""
    import torch

    others = [pair for n, pair in enumerate(pairs(8)) if n != 3]
    with_it = loss_and_gradient(built(tmp_path / "a", parent, weigh([1, 1, 1, 0, 1, 1, 1, 1]), loss_type=loss))
    without = loss_and_gradient(built(tmp_path / "b", parent, others, loss_type=loss))
    assert with_it[0] == pytest.approx(without[0], rel=1e-6)
    torch.testing.assert_close(with_it[1], without[1], rtol=1e-4, atol=1e-6 * float(without[1].norm()))


def first_gradient(folder: Path, parent: Path, data: list[Pair], **options: Any) -> Any:
    """What the first step's gradient is, through the whole training."""
    import torch
    from mra_dpo.trainer import build
    from mra_transformers import training
    from mra_transformers.training_quiet import quiet
    from transformers import TrainerCallback

    found: list[Any] = []

    class Grab(TrainerCallback):  # type: ignore[misc]
        def on_pre_optimizer_step(self, args: Any, state: Any, control: Any, model: Any = None, **kwargs: Any) -> None:
            found.append(torch.cat([p.grad.flatten().clone() for p in model.parameters() if p.requires_grad]))

    job = make_job(folder, parent, DpoOptions(**{**STEP, **options}), Told(), pairs=data)
    with quiet():
        trainer, encoded = build(job)
        trainer.add_callback(Grab())
        training.train(trainer, job, encoded)
    return found[0]


@pytest.mark.parametrize(("lora", "precomputed"), [(None, True), (None, False), (LoraOptions(rank=4), False)])
def test_batches_of_one_accumulated_give_the_gradient_of_one_batch(
    tmp_path: Path, parent: Path, lora: LoraOptions | None, precomputed: bool
) -> None:
    import torch

    data, common = weigh(WEIGHTS), {"lora": lora, "precompute_ref_log_probs": precomputed, "max_grad_norm": 1e9}
    whole = first_gradient(tmp_path / "a", parent, data, **common)
    apart = first_gradient(tmp_path / "b", parent, data, **common, batch_size=1, accumulation=8)
    assert whole.norm() > 0.01
    torch.testing.assert_close(apart, whole, rtol=1e-6, atol=1e-6)


def test_weights_reach_the_loss_behind_shared_prompts_and_in_two_rows(
    tmp_path: Path, parent: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch
    from mra_dpo import shared

    made: list[int] = []
    layout = shared.layout
    monkeypatch.setattr(shared, "layout", lambda *given: made.append(1) or layout(*given))
    in_one_row = loss_and_gradient(built(tmp_path / "a", parent, weigh(WEIGHTS)))
    assert made
    monkeypatch.setattr(shared, "possible", lambda model, inputs: False)
    in_two = loss_and_gradient(built(tmp_path / "b", parent, weigh(WEIGHTS)))
    assert in_one_row[0] == pytest.approx(in_two[0], rel=1e-5)
    torch.testing.assert_close(in_one_row[1], in_two[1], rtol=1e-4, atol=1e-6 * float(in_two[1].norm()))


def test_weights_are_divided_by_the_mean_of_the_pairs_that_are_trained_on(tmp_path: Path, parent: Path) -> None:
    long = dataclasses.replace(pairs()[1], rejected=" y" * 200, weight=1000.0)
    trainer = built(tmp_path, parent, [*weigh([1.0, 3.0]), long])
    assert trainer.train_dataset["weight"] == [0.5, 1.5]
    with pytest.raises(UsageError, match=r"1 pairs that fit into max_length all have weight 0, .* above 0"):
        built(tmp_path, parent, [*weigh([0.0]), long])


@pytest.mark.parametrize(
    ("weights", "loss", "message"),
    [
        (
            [1, -0.5],
            "sigmoid",
            "pair of problem 'p1' has weight -0.5; a weight must be a finite number from 0 up. Give",
        ),
        ([1, math.nan], "sigmoid", "'p1' has weight nan"),
        ([math.inf, 1], "sigmoid", "'p0' has weight inf"),
        ([0, 0], "sigmoid", "All 2 pairs have weight 0, so there is nothing to learn from. Give at least one of them"),
        (
            [1, 2],
            "aot",
            "The loss 'aot' sorts .* weights from 1 to 2 are given. Take another loss_type, such as sigmoid",
        ),
    ],
)
def test_bad_weights_are_named(weights: list[float], loss: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        check_weights(weigh(weights), DpoOptions(loss_type=loss))


def test_weights_that_can_be_used_pass() -> None:
    check_weights(weigh([0, 1, 2]), DpoOptions())
    check_weights(weigh([2, 2]), DpoOptions(loss_type="aot"))


def test_bad_weights_are_refused_before_anything_heavy_loads() -> None:
    code = """
import sys
import mra_dpo
from mra_bench.errors import UsageError
from mra_bench.types import Pair, TrainJob
from mra_dpo.options import DpoOptions
fields = dict(name="c", parent=None, parent_ref=None, output=None, workdir=None, seed=0, progress=None)
pairs = [Pair("p1", "a", "b", "c"), Pair("p2", "a", "b", "c", weight=-1)]
try:
    mra_dpo.train(TrainJob(**fields, options=DpoOptions(), log=print, pairs=pairs))
except UsageError as error:
    print(error)
print(sorted({"torch", "transformers", "trl", "datasets"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=120)
    message, heavy = done.stdout.splitlines()
    assert "'p2' has weight -1" in message
    assert heavy == "[]"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"loss_type": "sigmod"}, "'sigmoid'"),
        ({"loss_type": {"sigmod": 1}}, "unknown loss 'sigmod', did you mean 'sigmoid'"),
        ({"loss_type": {"zzzzzzzz": 1}}, "unknown loss 'zzzzzzzz', known: sigmoid, hinge"),
        ({"loss_type": {}}, "loss_type names no loss"),
        ({"loss_type": {"sigmoid": 1, "sft": 0}}, "share of 'sft' is 0.0; it must be a finite number above 0"),
        ({"loss_type": "exo_pair"}, "needs label_smoothing above 0"),
        ({"label_smoothing": 0.1}, "label_smoothing is for the losses robust, exo_pair, aot, aot_unpaired"),
        ({"sft_weight": 0.5}, "Unknown option 'sft_weight'"),
    ],
)
def test_bad_losses_are_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        load_plugins().resolve("trainers", "dpo").parse_options(options)


def test_losses_by_name_and_combined() -> None:
    parse = load_plugins().resolve("trainers", "dpo").parse_options
    assert parse({}).losses == {"sigmoid": 1}
    assert parse({"loss_type": {"sigmoid": 1, "sft": 0.5}}).losses == {"sigmoid": 1, "sft": 0.5}
    assert parse({"loss_type": "exo_pair", "label_smoothing": 0.001}).losses == {"exo_pair": 1}
