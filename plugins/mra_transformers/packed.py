"""Linear layers with weights in the layout that the CPU's matrix kernels work in.

torch brings a weight into that layout at every call. For a few rows, which is what generation has, that costs more than
the product itself; here it is done once. Small layers stay as they are: calling the packed kernel costs more there
(benchmarks/machine.py shows both). Imports torch: only where a model has been loaded.
"""

from __future__ import annotations

from typing import Any

import torch

ROWS = 128
"""Rows the layout is chosen for; it serves any number of them."""
LARGE = 300_000
"""Weights of a layer from which packing pays."""


class PackedLinear(torch.nn.Module):  # type: ignore[misc]  # torch is untyped
    """``x @ weight.T + bias`` for inference, weight [out, in] packed, x [..., in] of the weight's type."""

    def __init__(self, weight: Any, bias: Any) -> None:
        super().__init__()
        self.packed = _reordered(weight)
        self.bias = bias
        self.out_features = weight.shape[0]

    @property
    def weight(self) -> Any:
        """The plain weight, made anew: for the few models that look at it themselves."""
        return self.packed.to_dense()

    def forward(self, x: Any) -> Any:
        flat = torch.ops.mkldnn._linear_pointwise(x.reshape(-1, x.shape[-1]), self.packed, self.bias, "none", [], "")
        return flat.view(*x.shape[:-1], self.out_features)


def pack(model: Any) -> bool:
    """Pack the large linear layers of a model that is only asked from now on. False, and nothing done, where torch
    cannot: another device, or no kernels for the model's type."""
    if model.device.type != "cpu" or not usable(model.dtype):
        return False
    for module in list(model.modules()):
        for name, child in list(module.named_children()):
            if is_linear(child) and child.weight.numel() >= LARGE:
                setattr(module, name, packed(child))
    return True


def is_linear(layer: Any) -> bool:
    """Whether a layer is of a kind that has a packed twin."""
    from transformers.pytorch_utils import Conv1D

    return type(layer) in (torch.nn.Linear, Conv1D)


def packed(layer: Any) -> PackedLinear:
    """The packed twin of a linear layer."""
    weight = layer.weight.detach()
    plain = isinstance(layer, torch.nn.Linear)  # else GPT-2's, whose weight is [in, out]
    return PackedLinear(weight if plain else weight.t().contiguous(), layer.bias)


def _reordered(weight: Any) -> Any:
    return torch.ops.mkldnn._reorder_linear_weight(weight, ROWS)


def usable(dtype: Any) -> bool:
    """Whether this torch has the kernels, found out by using them."""
    if not torch.backends.mkldnn.is_available() or (
        dtype == torch.bfloat16 and not torch.ops.mkldnn._is_mkldnn_bf16_supported()
    ):
        return False
    try:
        layer = PackedLinear(torch.ones(8, 16, dtype=dtype), None)
        return bool((layer(torch.ones(2, 16, dtype=dtype)) == 16).all())
    except (RuntimeError, AttributeError, NotImplementedError):
        return False
