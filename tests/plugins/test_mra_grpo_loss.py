"""The loss of the trainer `grpo`: trl's own, on a very small random model, token by token."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import mra_grpo
import pytest
from grpo_kit import FAST, grpo_job, letters, problems
from training_kit import Told, small_model

from mra_bench.types import Grade, Problem

pytestmark = pytest.mark.filterwarnings("ignore")
TEMPERATURE = 0.7


@pytest.fixture(scope="module")
def parent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_model(tmp_path_factory.mktemp("parent"), "gpt2", dropout=0.1)


def built(folder: Path, parent: Path, **options: Any) -> Any:
    """A trainer that is ready to take batches, and what it takes first."""
    from mra_grpo.trainer import build
    from mra_transformers.training_quiet import quiet

    job = grpo_job(folder, parent, temperature=TEMPERATURE, **{"accumulation": 1, "batch_size": 8, **options})
    with quiet():
        trainer, _ = build(job)
        trainer.current_gradient_accumulation_steps = 1
        trainer.model.train()
        batch = trainer._prepare_inputs(next(iter(trainer.get_train_dataloader())))
    return trainer, batch


def token_gradients(trainer: Any, batch: dict[str, Any]) -> tuple[Any, Any]:
    """The loss's gradient at each token's log-probability, and those log-probabilities, both (texts, tokens)."""
    real, kept = trainer._get_per_token_logps_and_entropies, []

    def watched(*args: Any, **kwargs: Any) -> Any:
        found = real(*args, **kwargs)
        found[0].retain_grad()
        kept.append(found[0])
        return found

    trainer._get_per_token_logps_and_entropies = watched
    try:
        trainer._compute_loss(trainer.model, batch).backward()
    finally:
        trainer._get_per_token_logps_and_entropies = real
    return kept[0].grad, kept[0].detach()


def mixed(advantages: list[float]) -> Any:
    import torch

    return torch.tensor((advantages * 8)[:8])


@pytest.mark.parametrize("iterations", [1, 3])
def test_f10_the_ratio_is_one_before_the_first_update(tmp_path: Path, parent: Path, iterations: int) -> None:
    """Same temperature, right shift: what the texts were drawn with is what they are compared with."""
    import torch

    trainer, batch = built(tmp_path, parent, iterations=iterations)
    assert "old_per_token_logps" not in batch, "no pass of its own"
    trainer.optimizer = torch.optim.SGD(trainer.model.parameters(), lr=1.0)
    _, first = token_gradients(trainer, batch)
    mask = batch["completion_mask"].bool()
    assert torch.equal((first - batch["old_per_token_logps"]).exp()[mask], torch.ones(int(mask.sum())))
    assert len({int(prompt.sum()) for prompt in batch["prompt_mask"]}) == 2, "some prompts are padded"
    for place, found in enumerate(first):
        prompt, text = (
            batch[f"{part}_ids"][place][batch[f"{part}_mask"][place] == 1] for part in ("prompt", "completion")
        )
        with torch.no_grad():
            logits = trainer.model(torch.cat([prompt, text])[None]).logits[0, len(prompt) - 1 : -1] / TEMPERATURE
        wanted = logits.log_softmax(-1).gather(1, text[:, None])[:, 0]
        assert torch.allclose(found[: len(text)], wanted, atol=1e-5)
    trainer.optimizer.step()
    _, second = token_gradients(trainer, batch)
    assert not torch.allclose(second[mask], first[mask], atol=1e-4)
    assert torch.equal(batch["old_per_token_logps"], first), "they stay those of the first pass"


@pytest.mark.parametrize("loss_type", ["dapo", "bnpo", "grpo", "dr_grpo"])
def test_f12_clip(tmp_path: Path, parent: Path, loss_type: str) -> None:
    """A better text moves a token up to 1 + epsilon_high, a worse one down to 1 - epsilon_low, and none further; each
    stays free to go back."""
    import torch

    trainer, batch = built(tmp_path, parent, epsilon_low=0.1, epsilon_high=0.3, loss_type=loss_type)
    ratios = torch.tensor([0.5, 0.85, 0.95, 1.0, 1.05, 1.25, 1.35, 2.0])
    batch["advantages"] = mixed([1.0, -1.0])
    _, now = token_gradients(trainer, dict(batch))
    batch["old_per_token_logps"] = now - ratios.log()
    gradient, _ = token_gradients(trainer, batch)
    mask = batch["completion_mask"].bool()
    better, worse = batch["advantages"][:, None] > 0, batch["advantages"][:, None] < 0
    moves = (better & (ratios <= 1.3)) | (worse & (ratios >= 0.9))
    assert gradient.shape == mask.shape == (8, 8)
    assert torch.equal((gradient != 0)[mask], moves[mask])
    assert (gradient[better & moves & mask] < 0).all(), "a better text becomes likelier"
    assert (gradient[worse & moves & mask] > 0).all()
    whole = gradient[mask.all(1)]
    assert len(whole) > 4, "texts of all eight tokens"
    assert torch.allclose(whole / whole[:, 3:4], torch.where(moves, ratios, 0.0)[mask.all(1)], atol=1e-5)


def test_the_loss_is_divided_by_tokens_or_texts(tmp_path: Path, parent: Path) -> None:
    """Weight of one token in the loss, of texts of unequal lengths."""
    sizes = {}
    for loss_type in ("dapo", "bnpo", "grpo", "dr_grpo"):
        trainer, batch = built(tmp_path / loss_type, parent, loss_type=loss_type)
        batch["advantages"] = mixed([1.0])
        batch["completion_mask"][0, 2:] = 0
        batch["num_items_in_batch"] = batch["completion_mask"].sum()
        gradient, _ = token_gradients(trainer, batch)
        sizes[loss_type] = -gradient[:2, 0]
        lengths, tokens = batch["completion_mask"].sum(1)[:2], int(batch["completion_mask"].sum())
    assert sizes["dapo"].tolist() == pytest.approx([1 / tokens] * 2)
    assert sizes["bnpo"].tolist() == pytest.approx([1 / tokens] * 2)
    assert sizes["grpo"].tolist() == pytest.approx([1 / (8 * int(length)) for length in lengths])
    assert sizes["dr_grpo"].tolist() == pytest.approx([1 / (8 * FAST["max_new_tokens"])] * 2)


def test_f11_the_divergence_changes_the_gradient(tmp_path: Path, parent: Path) -> None:
    """Without advantages only it is left: it pulls every token towards the reference, and nothing at the reference."""
    import torch

    trainer, batch = built(tmp_path, parent, beta=0.5)
    batch["advantages"] = mixed([0.0])
    mask = batch["completion_mask"].bool()
    gradient, now = token_gradients(trainer, dict(batch))
    assert torch.allclose(batch["ref_per_token_logps"][mask], now[mask], atol=1e-5), "the reference is the parent"
    assert torch.allclose(gradient[mask], torch.zeros(()), atol=1e-7)
    away = torch.tensor([0.5, -0.5] * 4)
    batch["ref_per_token_logps"] = now + away
    gradient, _ = token_gradients(trainer, dict(batch))
    assert torch.equal(gradient[mask] < 0, (away > 0).expand_as(mask)[mask]), "likelier where the reference has it so"
    assert trainer._metrics["train"]["kl"][-1] > 0.1
    trainer.beta = 0.0
    gradient, _ = token_gradients(trainer, dict(batch))
    assert not gradient[mask].any()


def graded(values: list[bool | None]) -> Callable[[Any], list[Grade]]:
    """A grader that goes through `values`."""
    given = iter(values * 9)
    return lambda items: [Grade(next(given)) for _ in items]


@pytest.mark.parametrize("advantage", ["zscore", "rank"])
def test_advantages_are_exact_and_a_text_without_verdict_has_none(tmp_path: Path, parent: Path, advantage: str) -> None:
    import torch
    from mra_grpo.trainer import build
    from mra_transformers.training_quiet import quiet

    verdicts = [True, False, None, False, True, True, True, True]
    with quiet():
        trainer, _ = build(grpo_job(tmp_path, parent, advantage=advantage, graders={"g": graded(verdicts)}))
        trainer.model.train()
        rows = next(iter(trainer.get_train_dataloader()))
        found = trainer._generate_and_score_completions(rows)["advantages"]
    assert len({one.text for one in trainer.rollout_func.ended}) == 8, "else equal texts were judged once"
    if advantage == "rank":
        wanted = [1.0, -0.5, 0.0, -0.5, 0, 0, 0, 0]
    else:
        reward = torch.tensor([1.0, 0.0, 0.0])
        scores = ((reward - reward.mean()) / (reward.std() + 1e-4)).tolist()
        wanted = [scores[0], scores[1], 0.0, scores[2], 0, 0, 0, 0]
    assert found.tolist() == pytest.approx(wanted, abs=1e-6)


@pytest.mark.parametrize(("iterations", "beta"), [(1, 0.0), (2, 0.1)])
def test_losses_are_those_of_plain_trl_on_the_same_texts(tmp_path: Path, iterations: int, beta: float) -> None:
    """trl's own trainer, with two reward functions, its own reference and its own pass for the probabilities the texts
    were drawn with. Of a model with relative positions: with others trl's are off behind padding."""
    from datasets import Dataset
    from mra_grpo import trainer as ours
    from mra_transformers.training_quiet import quiet
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from trl import GRPOConfig, GRPOTrainer

    parent = small_model(tmp_path / "parent", "qwen2")
    told, drawn, orders = Told(), [], []
    options = {
        "iterations": iterations,
        "beta": beta,
        "rewards": {"correct": 1.0, "repetition": {"options": {"ngram": 1}}},
    }
    job = grpo_job(tmp_path / "ours", parent, told, learning_rate=1e-2, save_every=0, **options)
    real = ours.Rollouts.__call__

    def kept(self: Any, prompts: list[str], trainer: Any) -> dict[str, Any]:
        found = real(self, prompts, trainer)
        drawn.append(found)
        orders.extend(int(prompt) for prompt in prompts)
        return found

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(ours.Rollouts, "__call__", kept)
        mra_grpo.train(job)

    def letters_reward(completions: list[str], **others: Any) -> list[float]:
        return [float(bool(grade.correct)) for grade in letters([(problems()[0], text) for text in completions])]

    def repeats(completions: list[str], **others: Any) -> list[float]:
        return [len(set(w := text.lower().split())) / len(w) - 1 if text.split() else 0.0 for text in completions]

    class Peer(GRPOTrainer):  # type: ignore[misc]
        def _get_train_sampler(self, dataset: Any = None) -> list[int]:
            return [p for start in range(0, len(orders), 8) for p in orders[start : start + 8] * 2 * iterations]

    again = iter(drawn)
    settings = {
        "learning_rate": 1e-2, "num_train_epochs": 1, "per_device_train_batch_size": 4, "use_cpu": True, "bf16": False,
        "gradient_accumulation_steps": 2, "warmup_steps": 0, "lr_scheduler_type": "cosine", "logging_steps": 1,
        "seed": 3, "save_strategy": "no", "report_to": "none", "disable_tqdm": True, "gradient_checkpointing": False,
        "num_generations": 4, "max_completion_length": 8, "num_iterations": iterations, "beta": beta,
        "disable_dropout": True,
    }  # fmt: skip
    with quiet():
        peer = Peer(
            model=AutoModelForCausalLM.from_pretrained(parent),
            reward_funcs=[letters_reward, repeats],
            args=GRPOConfig(output_dir=str(tmp_path / "trl"), **settings),
            train_dataset=Dataset.from_dict({"prompt": list(job.prompts)}),
            processing_class=AutoTokenizer.from_pretrained(parent),
            rollout_func=lambda prompts, trainer: next(again),
        )
        peer.train()
    theirs = [record for record in peer.state.log_history if "loss" in record]
    assert len(theirs) == len(told.records) == 3 * iterations
    for name in ("loss", "grad_norm", "learning_rate", "entropy", "reward", *(["kl"] if beta else [])):
        pairs = [(one[name], other[name]) for one, other in zip(told.records, theirs, strict=True) if name in other]
        assert pairs
        for one, other in pairs:
            assert one == pytest.approx(other, rel=1e-3, abs=1e-5), name
    assert isinstance(job.problems[0], Problem)
