"""Frozen weights in 4 bits under an adapter (QLoRA), with bitsandbytes. Light until a model is loaded or merged."""

from __future__ import annotations

import importlib.util
from typing import Any

from .hardware import choose_device

INSTEAD = "or leave lora.quantised out: plain LoRA trains the same adapter and takes more memory"


def check_quantising() -> None:
    """Raises ValueError where weights cannot be held in 4 bits: nothing is installed for it, or the device cannot."""
    if importlib.util.find_spec("bitsandbytes") is None:
        raise ValueError(
            "lora.quantised needs bitsandbytes, which is not installed. Run pip install 'mra-bench[qlora]', " + INSTEAD
        )
    device = choose_device("auto")
    if not device.startswith(("cuda", "cpu")):
        raise ValueError(f"lora.quantised trains on cuda and cpu, not on {device}. Use such a machine, {INSTEAD}")


def four_bit(dtype: Any, device: str) -> dict[str, Any]:
    """Arguments to load a model with weights in NF4 with quantised scales, on `device`, where it stays; `dtype` is
    torch's, of the arithmetic."""
    import torch
    from transformers import BitsAndBytesConfig

    settings = BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=dtype,
    )
    place = torch.device(device).index or 0 if device.startswith("cuda") else device  # accelerate asks for the number
    return {"quantization_config": settings, "device_map": {"": place}}


def keep_format(model: Any) -> Any:
    """Hold the 4-bit weights of a model as they were loaded, and return it.

    Where the processor multiplies bf16, a layer would repack its weights for that in the first pass that needs no
    gradient, such as DPO's reference pass, and compute in bf16 from then on; a narrow layer cannot be repacked at all.
    """
    from bitsandbytes.nn import Linear4bit

    for module in model.modules():
        if isinstance(module, Linear4bit):
            module.support_avx512bf16_for_cpu = False
    return model


def is_quantised(model: Any) -> bool:
    """Whether weights of a model, with or without an adapter, are held in 4 bits."""
    return bool(getattr(model, "is_loaded_in_4bit", False))


def merge_into(plain: Any, adapted: Any) -> Any:
    """Give the model `plain` (the same one, not quantised) the weights that `adapted` computes with, and return it.

    Each is the quantised weight turned back into full numbers, plus the adapter's update. What is in 4 bits cannot take
    the update itself: rounded anew, it would be another model.
    """
    import torch
    from transformers.pytorch_utils import Conv1D

    with torch.no_grad():
        for name, weight in _weights(adapted.get_base_model()):
            target = plain.get_submodule(name)
            target.weight.copy_(weight.T if isinstance(target, Conv1D) else weight)
    return plain


def _weights(base: Any) -> Any:
    """(name, weight) of each module that is quantised or adapted, as used: shape (out, in), fp32."""
    from bitsandbytes.functional import dequantize_4bit
    from bitsandbytes.nn import Linear4bit
    from peft.tuners.lora import LoraLayer

    for name, module in base.named_modules():
        adapter = module if isinstance(module, LoraLayer) else None
        layer = adapter.get_base_layer() if adapter else module
        if name.endswith(".base_layer") or not (adapter or isinstance(layer, Linear4bit)):
            continue
        quantised = isinstance(layer, Linear4bit)
        weight = dequantize_4bit(layer.weight.data, layer.weight.quant_state) if quantised else layer.weight
        update = adapter.get_delta_weight("default") if adapter else 0
        yield name, weight.float() + update
