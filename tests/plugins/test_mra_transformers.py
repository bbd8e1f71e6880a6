"""The loader `transformers`: folders it takes and refuses, identity, prompts, lineage options, strangers' models."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mra_transformers import Options, hardware, load, source
from mra_transformers.families import FAMILIES, family_of, tuned_to_chat
from mra_transformers.loading import load_causal_lm, load_tokenizer
from mra_transformers.options import child_options
from mra_transformers.prompts import join
from transformers_kit import CHAT, block, problems, save

from mra_bench import runtime
from mra_bench.errors import BenchError, UsageError
from mra_bench.plugins import load_plugins
from mra_bench.types import Decoding, Model, Problem, PromptStyle

STORIES = Path(__file__).parents[2].parent / "shared/data/models/stories260K-hf"
QUESTION = Problem("q", "What is 1 + 2?", "3")
BOXED = PromptStyle("Put it in \\boxed{}.", "boxed")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {arch: save(arch, tmp_path_factory.mktemp("models") / arch) for arch in ("qwen2", "gpt2")}


@pytest.fixture
def folder(made: dict[str, Path], tmp_path: Path) -> Path:
    """A copy of the Qwen2 model that a test may spoil."""
    return Path(shutil.copytree(made["qwen2"], tmp_path / "model"))


def opened(folder: Path, **options: Any) -> Any:
    return load(Options(path=str(folder), **options))


def edit(file: Path, **values: Any) -> None:
    file.write_text(json.dumps(json.loads(file.read_text()) | values))


def test_it_is_registered_and_is_a_model(folder: Path) -> None:
    model = load_plugins().resolve("models", "transformers").build({"path": str(folder)})
    assert isinstance(model, Model)
    assert model.reproducible
    assert model.checkpoint() == folder


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"dtype": "fp8"}, "dtype"),
        ({"prompt": "chatty"}, "prompt"),
        ({"token_budget": 0}, "token_budget"),
        ({"path": ""}, "path"),
        ({"promt": "chat"}, "'prompt'"),
    ],
)
def test_a_bad_option_is_named(folder: Path, values: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        load_plugins().resolve("models", "transformers").build({"path": str(folder), **values})


def drop(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


def only_pickle(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def lost_shard(folder: Path) -> None:
    index = {"weight_map": {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}}
    (folder / "model.safetensors").rename(folder / "model-00001-of-00002.safetensors")
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))


def only_adapter(folder: Path) -> None:
    (folder / "config.json").rename(folder / "adapter_config.json")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (drop("model.safetensors"), "No weights in the model folder"),
        (only_pickle, "pytorch_model.bin, a pickle"),
        (lost_shard, "model-00002-of-00002.safetensors"),
        (drop("config.json"), "No config.json"),
        (only_adapter, "LoRA adapter: merge"),
        (drop("tokenizer.json"), "No tokenizer"),
        (lambda folder: (folder / "config.json").write_text("{"), "Cannot read .*config.json"),
        (lambda folder: (folder / "config.json").write_text("[]"), "holds no JSON object"),
        (shutil.rmtree, "No such model"),
    ],
)
def test_an_unusable_folder_is_refused_at_once(folder: Path, spoil: Callable[[Path], Any], message: str) -> None:
    spoil(folder)
    with pytest.raises(UsageError, match=message):
        opened(folder)


@pytest.mark.parametrize(("name", "content"), [("notes.txt", b"x"), ("model.gguf", b"nope")])
def test_a_file_that_is_no_model_is_refused(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UsageError, match="Not a"):
        opened(tmp_path / name)


def test_weights_cut_short_are_an_error_that_names_the_folder(folder: Path) -> None:
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(UsageError, match=f"weights of {folder} cannot be loaded"):
        list(opened(folder).generate(block((QUESTION,), Decoding(2))))
    weights.write_bytes(b"\xff" * 6)
    with pytest.raises(UsageError, match="header is broken"):
        opened(folder).identity()


@pytest.mark.parametrize("content", ["{", "{}", '{"model": {"type": "BPE", "vocab": {}, "merges": ["a b"]}}'])
def test_a_broken_tokenizer_is_an_error_that_names_the_folder(folder: Path, content: str) -> None:
    (folder / "tokenizer.json").write_text(content)
    with pytest.raises(UsageError, match=f"tokenizer of {folder} cannot be loaded"):
        list(opened(folder).generate(block((QUESTION,), Decoding(2))))


def test_a_model_that_needs_its_own_code_is_refused_at_once(folder: Path) -> None:
    (folder / "evil.py").write_text("raise SystemExit('ran')")
    edit(folder / "config.json", model_type="evil", auto_map={"AutoConfig": "evil.C", "AutoModelForCausalLM": "evil.M"})
    with pytest.raises(UsageError, match="needs Python code that comes with it .* never run .* Its type 'evil'"):
        opened(folder)


def test_the_code_of_a_model_that_transformers_knows_is_left_alone(folder: Path) -> None:
    (folder / "evil.py").write_text("raise SystemExit('ran')")
    edit(folder / "config.json", auto_map={"AutoConfig": "evil.C", "AutoModelForCausalLM": "evil.M"})
    assert len(list(opened(folder).generate(block((QUESTION,), Decoding(2))))) == 1


def test_a_known_type_that_is_a_language_model_only_by_its_own_code_is_refused(folder: Path) -> None:
    (folder / "evil.py").write_text("raise SystemExit('ran')")
    edit(folder / "config.json", model_type="vit", auto_map={"AutoModelForCausalLM": "evil.M"})
    with pytest.raises(UsageError, match="weights of .* needs Python code that comes with the model, .* never run"):
        load_causal_lm(str(folder), device="cpu")


def test_a_hub_id_is_looked_up_only_when_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    model = load(Options(path="nobody/has-this-model", revision="v1"))
    with pytest.raises(BenchError, match="no folder 'nobody/has-this-model'.* at revision v1"):
        model.identity()


def test_identity_is_by_content_and_json_safe(folder: Path, tmp_path: Path) -> None:
    identity = opened(folder).identity()
    assert json.loads(json.dumps(identity)) == identity
    moved = Path(shutil.copytree(folder, tmp_path / "elsewhere"))
    (moved / "training.log").write_text("not part of the model")
    assert opened(moved).identity() == identity
    assert identity["environment"]["parameters"] == sum(p.numel() for p in load_causal_lm(str(folder)).parameters())


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "tokenizer.json", "generation_config.json"])
def test_identity_changes_with_any_byte_of_the_model(folder: Path, name: str) -> None:
    before = opened(folder).identity()
    content = bytearray((folder / name).read_bytes())
    if name == "model.safetensors":
        content[-1] ^= 1
    else:
        content += b" "
    (folder / name).write_bytes(content)
    after = opened(folder).identity()
    assert after["weights"] != before["weights"]
    assert {k: v for k, v in after.items() if k != "weights"} == {k: v for k, v in before.items() if k != "weights"}


def test_identity_names_the_settings_that_shape_texts(folder: Path) -> None:
    plain = opened(folder).identity()
    assert plain["token_budget"] != opened(folder, token_budget=99).identity()["token_budget"] == 99
    assert plain["dtype"] == "fp32"
    assert opened(folder, dtype="bf16").identity()["dtype"] == "bf16"
    assert plain["prompt"]["kind"] == "plain"


def test_building_and_identity_import_no_torch(folder: Path) -> None:
    if hardware.gpu_may_be_present():
        pytest.skip("with a GPU, torch is asked whether it can use it")
    code = (
        "import sys; from mra_transformers import Options, load; from mra_bench.types import *\n"
        f"model = load(Options(path={str(folder)!r})); model.identity(); model.checkpoint()\n"
        "model.render(Problem('q', 'What?', '1'), PromptStyle())\n"
        "assert not {'torch', 'transformers'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


def test_release_frees_the_weights_and_the_next_use_loads_them_again(folder: Path) -> None:
    model = opened(folder)
    model.release()
    first = list(model.generate(block(problems(2), Decoding(4))))
    model.release()
    assert model._engine is None
    assert list(model.generate(block(problems(2), Decoding(4)))) == first


def test_the_plain_prompt(folder: Path) -> None:
    model = opened(folder)
    assert model.render(QUESTION, PromptStyle()) == "Question: What is 1 + 2?\nAnswer:"
    assert model.render(QUESTION, BOXED) == "Put it in \\boxed{}.\nQuestion: What is 1 + 2?\nAnswer:"


@pytest.mark.parametrize("place", ["chat_template.jinja", "tokenizer_config.json"])
def test_the_chat_prompt_is_the_tokenizers_template(folder: Path, place: str) -> None:
    if place.endswith("jinja"):
        (folder / place).write_text(CHAT)
    else:
        edit(folder / place, chat_template=CHAT)
    model = opened(folder, prompt="chat")
    assert model.render(QUESTION, BOXED) == "<|user|>What is 1 + 2?\nPut it in \\boxed{}.\n<|ai|>"
    assert model.render(QUESTION, PromptStyle()) == "<|user|>What is 1 + 2?\n<|ai|>"
    identity = model.identity()
    assert identity["prompt"]["kind"] == "chat"
    assert identity["prompt"]["stops"] == []
    assert len(list(model.generate(block(problems(2), Decoding(3))))) == 2
    assert opened(folder).format.kind == "plain", "a Qwen2 model not called Instruct is a base model"
    instruct = folder.rename(folder.with_name("Tiny-Instruct"))
    assert opened(instruct).format.kind == "chat"
    assert opened(instruct, prompt="plain").format.kind == "plain"


def test_chat_without_a_template_is_refused(folder: Path) -> None:
    with pytest.raises(UsageError, match="no chat template"):
        opened(folder, prompt="chat")


@pytest.mark.parametrize(
    ("model_type", "name", "family", "chat"),
    [
        ("qwen2", "Qwen2.5-0.5B", "qwen2.5", False),
        ("qwen2", "Qwen2.5-Math-1.5B-Instruct", "qwen2.5", True),
        ("qwen2", "Qwen2-0.5B", "qwen2", False),
        ("qwen2", "Qwen1.5-0.5B-Chat", "qwen2", True),
        ("qwen3", "Qwen3-0.6B", "qwen3", True),
        ("qwen3", "Qwen3-0.6B-Base", "qwen3", False),
        ("gpt2", "distilgpt2", "gpt2", False),
        ("llama", "SmolLM2-135M", "default", True),
        ("llama", "some_base_model", "default", False),
        ("", "", "default", True),
    ],
)
def test_families_are_told_by_type_and_name(model_type: str, name: str, family: str, chat: bool) -> None:
    found = family_of(model_type, name)
    assert found.name == family
    assert tuned_to_chat(found, name) is chat
    assert found in FAMILIES


def test_gpt2_gets_a_padding_token_of_its_own(made: dict[str, Path], tmp_path: Path) -> None:
    import torch

    tokenizer = load_tokenizer(str(made["gpt2"]))
    assert tokenizer.pad_token == "<|pad|>"
    assert tokenizer.pad_token_id != tokenizer.eos_token_id
    small = load_causal_lm(str(made["gpt2"]))
    model = load_causal_lm(str(made["gpt2"]), tokenizer=tokenizer)
    old, new = small.get_input_embeddings().weight, model.get_input_embeddings().weight
    assert len(new) == len(old) + 1 == len(tokenizer) == model.config.vocab_size
    assert torch.equal(new[:-1], old)
    assert torch.allclose(new[-1], old.mean(dim=0), atol=1e-6)
    assert new is model.get_output_embeddings().weight
    model.save_pretrained(tmp_path / "saved")
    tokenizer.save_pretrained(tmp_path / "saved")
    assert load_tokenizer(str(tmp_path / "saved")).pad_token == "<|pad|>"
    decoding = Decoding(12, temperature=1.0)
    assert list(opened(tmp_path / "saved").generate(block(problems(4), decoding))) == list(
        opened(made["gpt2"]).generate(block(problems(4), decoding))
    )


def test_gpt2_that_pads_with_its_end_token_gets_another(made: dict[str, Path], tmp_path: Path) -> None:
    folder = Path(shutil.copytree(made["gpt2"], tmp_path / "gpt2"))
    edit(folder / "tokenizer_config.json", pad_token="<|endoftext|>")
    assert load_tokenizer(str(folder)).pad_token == "<|pad|>"
    edit(folder / "config.json", model_type="llama")
    assert load_tokenizer(str(folder)).pad_token == "<|endoftext|>"


def test_every_end_token_ends_a_text(folder: Path) -> None:
    edit(folder / "generation_config.json", eos_token_id=[3, 4])
    model = opened(folder)
    assert {0, 3, 4} <= model._loaded().network.ends


def test_dtypes_follow_the_hardware(monkeypatch: pytest.MonkeyPatch) -> None:
    large = 10 * hardware.SMALL
    for has, dtype in ((True, "bf16"), (False, "fp32")):
        monkeypatch.setattr(hardware, "cpu_has_bf16", lambda has=has: has)
        assert hardware.choose_dtype("auto", "cpu", large) == dtype
        assert hardware.choose_dtype("auto", "cpu", 1000) == "fp32"
        assert hardware.choose_dtype("fp16", "cpu", 1000) == "fp16"
    import torch

    for has, dtype in ((True, "bf16"), (False, "fp16")):
        monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda has=has: has)
        assert hardware.choose_dtype("auto", "cuda", large) == dtype


def test_devices_that_are_not_there_are_refused() -> None:
    import torch

    assert hardware.choose_device("cpu") == "cpu"
    with pytest.raises(UsageError, match="Unknown device 'gpu'"):
        hardware.choose_device("gpu")
    with pytest.raises(UsageError, match="cuda:99"):
        hardware.choose_device("cuda:99")
    assert hardware.choose_device("auto") in ("cuda", "mps", "cpu")
    assert torch.cuda.is_available() <= hardware.gpu_may_be_present()


def test_half_precision_loads_and_generates(folder: Path) -> None:
    model = opened(folder, dtype="bf16", device="cpu")
    assert len(list(model.generate(block(problems(3), Decoding(5))))) == 3
    assert str(model._loaded().network.model.dtype) == "torch.bfloat16"


def test_threads_are_those_of_the_runtime(folder: Path) -> None:
    import torch

    before = torch.get_num_threads()
    try:
        torch.set_num_threads(runtime.threads() + 1)
        load_causal_lm(str(folder), device="cpu")
        assert torch.get_num_threads() == runtime.threads()
    finally:
        torch.set_num_threads(before)


def test_options_of_a_child_keep_how_the_parent_is_run(tmp_path: Path) -> None:
    parent = {"path": "Qwen/Qwen2.5-0.5B", "revision": "abc", "dtype": "fp32", "device": "cpu", "prompt": "auto"}
    child = child_options(parent, tmp_path, "plain")
    assert child == {"path": str(tmp_path), "prompt": "plain", "dtype": "fp32", "device": "cpu"}
    strict = child_options({"strict_determinism": True}, tmp_path, "plain")
    assert strict == {"path": str(tmp_path), "prompt": "plain", "strict_determinism": True}


def test_strict_determinism_is_promised_on_cpu_and_cuda_only() -> None:
    for device in ("cpu", "cuda", "cuda:1"):
        hardware.check_reproducible(device)
    with pytest.raises(UsageError, match="not on mps. Set device: cpu"):
        hardware.check_reproducible("mps")


@pytest.mark.parametrize(
    ("prompt", "completion", "joined"),
    [
        ("Answer:", "4", "Answer: 4"),
        ("ai\n", "4", "ai\n4"),
        ("Answer:", "\n4", "Answer:\n4"),
        ("Answer:", "", "Answer:"),
    ],
)
def test_prompt_and_completion_are_joined_by_one_space(prompt: str, completion: str, joined: str) -> None:
    assert join(prompt, completion) == joined


def test_file_hashes_notice_a_change_in_place(folder: Path) -> None:
    first = source.sha256(folder / "config.json")
    (folder / "config.json").write_text((folder / "config.json").read_text() + " ")
    assert source.sha256(folder / "config.json") != first


@pytest.mark.skipif(not STORIES.is_dir(), reason="the model stories260K is not beside the project")
def test_a_strangers_model_loads_and_generates() -> None:
    model = opened(STORIES)
    made = list(model.generate(block(problems(5), Decoding(20, temperature=0.7), samples=2)))
    assert len(made) == 10
    assert all(c.text for c in made)
    assert model.identity()["family"]["name"] == "default"
