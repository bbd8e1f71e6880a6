"""Tokenizers and weights, loaded safely: safetensors or GGUF only, and no code from the model's folder is run unless
the user asks for that."""

from __future__ import annotations

import importlib.util
from typing import Any

from mra_bench.errors import BenchError, UsageError
from mra_bench.runtime import keep_freed_memory, prepare_threads

from .families import PAD, family_of
from .hardware import choose_device, choose_dtype
from .quantised import four_bit, keep_format
from .source import Source, config_of, locate, parameters


def load_tokenizer(path: str, revision: str | None = None, *, own_code: bool = False) -> Any:
    """The tokenizer of a folder, ``.gguf`` file or hub id, with a pad token that is not its end token.

    Where it has no pad token (or, in the GPT-2 family, pads with its end token), ``<|pad|>`` is added; `load_causal_lm`
    then gives the model a row for it. Raises UsageError or BenchError for files that cannot be used.
    """
    source = locate(path, revision, own_code=own_code)
    _quiet()
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(source.folder, trust_remote_code=own_code, **_gguf(source))
    except Exception as error:  # the library of tokenizers raises plain Exception for a broken file
        raise _unusable("tokenizer", source, error) from None
    family = family_of(str(config_of(source).get("model_type", "")), source.name)
    if tokenizer.pad_token is None or (family.own_pad and tokenizer.pad_token == tokenizer.eos_token):
        tokenizer.add_special_tokens({"pad_token": PAD})
    return tokenizer


def load_causal_lm(
    path: str,
    *,
    dtype: str = "auto",
    device: str = "auto",
    revision: str | None = None,
    tokenizer: Any = None,
    quantised: str = "",
    own_code: bool = False,
) -> Any:
    """The model of a folder, ``.gguf`` file or hub id, on its device, in evaluation mode.

    dtype: "auto", "bf16", "fp16", "fp32"; device as in the options. tokenizer: the one from `load_tokenizer`; the
    embedding grows if the tokenizer has more tokens (the new rows are the mean of the old, so nothing is random).
    quantised: a dtype to compute in while the weights of linear layers are held in 4 bits; "" holds them as they are.
    own_code: whether Python code that comes with the model may be run.
    Raises UsageError or BenchError for weights that cannot be used.
    """
    source = locate(path, revision, own_code=own_code)
    device = choose_device(device)
    count = prepare_threads()["threads"]
    _quiet()
    import torch
    from safetensors import SafetensorError
    from transformers import AutoModelForCausalLM

    if device == "cpu":
        keep_freed_memory()
        if torch.get_num_threads() != count:
            torch.set_num_threads(int(count))
    kinds = {"bf16": torch.bfloat16, "fp16": torch.float16, "fp32": torch.float32}
    settings = {"dtype": kinds[choose_dtype(dtype, device, parameters(source))], **_gguf(source)}
    if quantised:
        settings |= four_bit(kinds[choose_dtype(quantised, device, parameters(source))], device)
    if not source.gguf:
        settings["use_safetensors"] = True
    try:
        model = AutoModelForCausalLM.from_pretrained(source.folder, trust_remote_code=own_code, **settings)
    except (OSError, ValueError, KeyError, TypeError, ImportError, RuntimeError, SafetensorError) as error:
        raise _unusable("weights", source, error) from None
    if tokenizer is not None:
        _fit_embeddings(model, tokenizer)
    return (keep_format(model) if quantised else model.to(device)).eval()


def _fit_embeddings(model: Any, tokenizer: Any) -> None:
    """Give every token of the tokenizer an embedding; a new row is the mean of the old ones."""
    import torch

    old = model.get_input_embeddings().weight.shape[0]
    if len(tokenizer) <= old:
        return
    with torch.random.fork_rng(devices=[]):  # the library draws new rows at random; they are overwritten below
        model.resize_token_embeddings(len(tokenizer), mean_resizing=False)
    with torch.no_grad():
        for layer in (model.get_input_embeddings(), model.get_output_embeddings()):
            if layer is not None:
                layer.weight[old:] = layer.weight[:old].float().mean(dim=0).to(layer.weight.dtype)


def _gguf(source: Source) -> dict[str, Any]:
    if not source.gguf:
        return {}
    if importlib.util.find_spec("gguf") is None:
        raise UsageError("Reading a .gguf file needs the extra: pip install 'mra-bench[gguf]'")
    return {"gguf_file": source.gguf}


def _quiet() -> None:
    """No bars and warnings of transformers between the lines of the live display; errors still come through."""
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()


def _unusable(what: str, source: Source, error: Exception) -> BenchError:
    reason = (str(error).strip().splitlines() or [""])[0]
    if "trust_remote_code" in str(error):
        reason = (
            "it needs Python code that comes with the model, and such code is never run unless trust_remote_code is set"
        )
    place = source.folder / source.gguf if source.gguf else source.folder
    return UsageError(f"The {what} of {place} cannot be loaded: {type(error).__name__}: {reason}")
