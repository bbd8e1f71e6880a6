"""Linear layers with weights in the layout that the CPU's matrix kernels work in.

torch brings a weight into that layout at every call. For a few rows, which is what generation has, that costs more than
the product itself; here it is done once. Imports torch: only where a model has been loaded.
"""

from __future__ import annotations

from typing import Any

import torch

ROWS = 128
"""Rows the layout is chosen for; it serves any number of them."""


class PackedLinear(torch.nn.Module):  # type: ignore[misc]  # torch is untyped
    """``x @ weight.T + bias`` for inference, weight [out, in] packed, x [..., in] of the weight's type."""

    def __init__(self, weight: Any, bias: Any) -> None:
        super().__init__()
        self.packed = _reordered(weight)
        self.bias = bias
        self.out_features = weight.shape[0]

    def forward(self, x: Any) -> Any:
        flat = torch.ops.mkldnn._linear_pointwise(x.reshape(-1, x.shape[-1]), self.packed, self.bias, "none", [], "")
        return flat.view(*x.shape[:-1], self.out_features)


def pack(model: Any) -> bool:
    """Pack the linear layers of a model that is only asked from now on. False, and nothing done, where torch cannot:
    another device, or no kernels for the model's type."""
    if model.device.type != "cpu" or not _usable(model.dtype):
        return False
    for module in list(model.modules()):
        for name, child in list(module.named_children()):
            if (packed := _packed(child)) is not None:
                setattr(module, name, packed)
    return True


def _packed(layer: Any) -> PackedLinear | None:
    """The packed twin of a linear layer, or None for a layer of another kind."""
    from transformers.pytorch_utils import Conv1D

    if type(layer) is torch.nn.Linear:
        return PackedLinear(layer.weight.detach(), layer.bias)
    if type(layer) is Conv1D:  # GPT-2's: the weight is [in, out]
        return PackedLinear(layer.weight.detach().t().contiguous(), layer.bias)
    return None


def _reordered(weight: Any) -> Any:
    return torch.ops.mkldnn._reorder_linear_weight(weight, ROWS)


def _usable(dtype: Any) -> bool:
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
