"""The configurations of docs/many_machines.md: accelerate reads them as they are, FSDP trains what one process does."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from accelerate.commands.config.config_args import ClusterConfig, load_config_from_file
from accelerate.commands.launch import _validate_launch_command, launch_command_parser
from accelerate.utils import FullyShardedDataParallelPlugin
from accelerate.utils.launch import prepare_deepspeed_cmd_env, prepare_multi_gpu_env
from runs import bench

from mra_bench.errors import UsageError

PAGE = Path(__file__).parents[1] / "docs" / "many_machines.md"
CONFIGS = dict(re.findall(r"```yaml (\S+)\n(.*?)```", PAGE.read_text(), re.DOTALL))
RECIPE = """
name: shared-out
datasets:
  train: {data: arith, split: train, limit: 40}
  test: {data: arith, limit: 4}
models:
  base: {model: tiny-qwen2}
  sft:
    from: base
    trainer: sft
    data: train
    options: {max_steps: 3, batch_size: 4, accumulation: 2, save_every: 2, logging_every: 1}
evaluate: {datasets: [test], max_new_tokens: 8}
"""


def launched(name: str, folder: Path) -> Any:
    """What ``accelerate launch`` makes of a configuration. Raises ValueError for a key that it does not know."""
    file = folder / name
    file.write_text(CONFIGS[name])
    assert isinstance(load_config_from_file(str(file)), ClusterConfig)
    parser = launch_command_parser()
    args = parser.parse_args(["--config_file", str(file), "--module", "mra_bench"])
    return _validate_launch_command(args)[0]


def nested(name: str) -> list[str]:
    """The keys that stand below another, which accelerate takes without looking."""
    return re.findall(r"^  (\w+):", CONFIGS[name], re.MULTILINE)


@pytest.mark.parametrize("name", CONFIGS)
def test_no_key_is_made_up(name: str, tmp_path: Path) -> None:
    args = launched(name, tmp_path)
    assert args.num_processes == 2
    assert args.module
    assert [key for key in nested(name) if not hasattr(args, key)] == []


def test_fsdp_is_started_as_it_is_described(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    args = launched("fsdp.yaml", tmp_path)
    assert args.use_fsdp
    for key, value in prepare_multi_gpu_env(args).items():
        monkeypatch.setenv(key, value)
    plugin = FullyShardedDataParallelPlugin()
    assert (plugin.fsdp_version, plugin.reshard_after_forward) == (2, True)
    assert plugin.transformer_cls_names_to_wrap == ["Qwen2DecoderLayer"]
    assert plugin.state_dict_type.name == "FULL_STATE_DICT"


def test_deepspeed_is_started_as_it_is_described(tmp_path: Path) -> None:
    args = launched("deepspeed.yaml", tmp_path)
    assert args.use_deepspeed
    args.deepspeed_fields_from_accelerate_config = ",".join(nested("deepspeed.yaml"))  # as launch_command does
    _, env = prepare_deepspeed_cmd_env(args)
    assert env["ACCELERATE_USE_DEEPSPEED"] == "true"
    assert env["ACCELERATE_DEEPSPEED_ZERO_STAGE"] == "3"
    assert env["ACCELERATE_DEEPSPEED_ZERO3_SAVE_16BIT_MODEL"] == "true"
    assert env["ACCELERATE_GRADIENT_CLIPPING"] == "1.0"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"problems": ("p",)}, "a trainer that draws texts itself"),
        ({"dev": object()}, "choosing the best epoch by a dev set"),
    ],
)
def test_what_needs_the_whole_model_is_refused(change: dict[str, Any], said: str) -> None:
    from types import SimpleNamespace

    from accelerate.utils import DistributedType
    from mra_transformers.sharded import check_can_shard

    options = SimpleNamespace(lora=None)
    job: Any = SimpleNamespace(**{"name": "m", "problems": (), "dev": None, "options": options, **change})
    for kind in (DistributedType.FSDP, DistributedType.DEEPSPEED):
        trainer = SimpleNamespace(accelerator=SimpleNamespace(distributed_type=kind))
        with pytest.raises(UsageError, match=f"'m' cannot be trained with {kind.value}: {said} needs the whole model"):
            check_can_shard(trainer, job)
    check_can_shard(SimpleNamespace(accelerator=SimpleNamespace(distributed_type=DistributedType.MULTI_GPU)), job)


@pytest.mark.long
def test_fsdp_trains_what_one_process_does(tmp_path: Path) -> None:
    from safetensors.torch import load_file

    (tmp_path / "recipe.yaml").write_text(RECIPE)
    (tmp_path / "fsdp.yaml").write_text(CONFIGS["fsdp.yaml"].replace("use_cpu: false", "use_cpu: true"))
    asked = ["run", "--recipe", str(tmp_path / "recipe.yaml"), "--out"]
    launch = [sys.executable, "-m", "accelerate.commands.launch", "--config_file", str(tmp_path / "fsdp.yaml")]
    shared = subprocess.run(
        [*launch, "--module", "fsdp_on_cpu", *asked, str(tmp_path / "shared")],
        cwd=Path(__file__).parent,
        env={**os.environ, "OMP_NUM_THREADS": "1", "MASTER_PORT": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert shared.returncode == 0, shared.stderr
    one = bench(*asked, tmp_path / "one", OMP_NUM_THREADS="1")
    assert one.returncode == 0, one.stderr
    weights = []
    for run in ("one", "shared"):
        (folder,) = (tmp_path / run / "models").glob("sft-*")
        weights.append(load_file(folder / "weights" / "model.safetensors"))
        facts = json.loads((folder / "stage.json").read_text())["facts"]
        assert facts.get("sharded") == ("FSDP" if run == "shared" else None)
        assert facts["parameters"] == 2_114_752
    assert weights[0].keys() == weights[1].keys()
    assert max(float((weights[0][name] - weights[1][name]).abs().max()) for name in weights[0]) < 1e-5
