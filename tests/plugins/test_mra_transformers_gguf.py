"""A GGUF file, written here from a small model, is the same model."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from mra_transformers import Options, load
from transformers_kit import block, problems

from mra_bench.errors import UsageError
from mra_bench.types import Decoding

NAMES = {
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
}
TOP = {"model.embed_tokens.weight": "token_embd.weight", "model.norm.weight": "output_norm.weight"}


def write(gguf: Any, path: Path) -> Any:
    """Write a small Qwen2 model with a byte tokenizer as GGUF; returns the model."""
    import torch
    from tokenizers.pre_tokenizers import ByteLevel
    from transformers import AutoModelForCausalLM, Qwen2Config

    tokens = ["<|endoftext|>", *sorted(ByteLevel.alphabet()), "ab"]
    torch.manual_seed(0)
    config = Qwen2Config(
        vocab_size=len(tokens), hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=128, tie_word_embeddings=True, initializer_range=0.3,
        eos_token_id=0, bos_token_id=None,
    )  # fmt: skip
    model = AutoModelForCausalLM.from_config(config).eval()
    writer = gguf.GGUFWriter(str(path), "qwen2")
    writer.add_context_length(128)
    writer.add_embedding_length(32)
    writer.add_block_count(2)
    writer.add_feed_forward_length(64)
    writer.add_head_count(4)
    writer.add_head_count_kv(2)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_freq_base(10_000.0)
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(tokens)
    writer.add_token_types([3] + [1] * (len(tokens) - 1))
    writer.add_token_merges(["a b"])
    writer.add_eos_token_id(0)
    for name, tensor in model.state_dict().items():
        if name != "lm_head.weight":
            writer.add_tensor(renamed(name), tensor.float().numpy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return model


def renamed(name: str) -> str:
    if name in TOP:
        return TOP[name]
    _, _, layer, rest = name.split(".", 3)
    part, kind = rest.rsplit(".", 1)
    return f"blk.{layer}.{NAMES[part]}.{kind}"


def test_a_gguf_file_loads_generates_and_has_no_checkpoint(tmp_path: Path) -> None:
    gguf = pytest.importorskip("gguf", reason="the extra gguf is not installed")
    import torch

    path = tmp_path / "small-q.gguf"
    original = write(gguf, path)
    model = load(Options(path=str(path), dtype="fp32"))  # where the processor multiplies bf16, that would be taken
    assert model.checkpoint() is None
    assert list(model.identity()["weights"]["sha256"]) == ["weights.gguf"]
    done = list(model.generate(block(problems(3), Decoding(8))))
    assert len(done) == 3
    ids = torch.arange(20)[None]
    with torch.no_grad():
        assert torch.allclose(
            model._loaded().network.model(ids).logits[..., : original.config.vocab_size],
            original(ids).logits,
            atol=1e-4,
        )


def test_without_the_extra_the_error_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "m.gguf").write_bytes(b"GGUF" + bytes(100))
    model = load(Options(path=str(tmp_path / "m.gguf")))
    monkeypatch.setitem(sys.modules, "gguf", None)
    with pytest.raises(UsageError, match=r"mra-bench\[gguf\]"):
        list(model.generate(block(problems(1), Decoding(1))))


def test_a_gguf_file_becomes_a_folder_that_can_be_trained(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    gguf = pytest.importorskip("gguf", reason="the extra gguf is not installed")
    from mra_transformers.dequantised import write_folder
    from mra_transformers.loading import load_causal_lm

    write(gguf, tmp_path / "small.gguf")
    write_folder(tmp_path / "small.gguf", tmp_path / "deep" / "small")
    assert "GGUF tensors" not in capfd.readouterr().err
    read, plain = (load_causal_lm(str(tmp_path / name), dtype="fp32") for name in ("small.gguf", "deep/small"))
    for name, value in read.state_dict().items():  # the tokenizer gained a pad token, and the embedding a row for it
        assert bool((plain.state_dict()[name][: len(value)] == value).all()), name
    assert load(Options(path=str(tmp_path / "deep/small"))).checkpoint() == tmp_path / "deep" / "small"
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["small"]


def test_a_broken_gguf_file_leaves_no_folder(tmp_path: Path) -> None:
    pytest.importorskip("gguf", reason="the extra gguf is not installed")
    from mra_transformers.dequantised import write_folder

    (tmp_path / "broken.gguf").write_bytes(b"GGUF and no more")
    with pytest.raises(UsageError, match=r"broken\.gguf cannot be loaded"):
        write_folder(tmp_path / "broken.gguf", tmp_path / "folder")
    assert not (tmp_path / "folder").exists()
