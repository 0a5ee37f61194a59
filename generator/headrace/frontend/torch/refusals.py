"""What is said of modules and functions that have no reader, with the way out."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from headrace.errors import UnsupportedError
from headrace.frontend.onnx.refusals import ATTENTION
from headrace.frontend.torch.site import NO_LAYER


class OutOfScope(UnsupportedError):  # noqa: N818 - the kind of an error, not another one
    """What no change nearby makes possible: said once for a model, and what lies behind it is not judged."""


#: Functions that multiply matrices; with weights as constants only a linear layer is read.
PRODUCTS = (operator.matmul, torch.matmul, torch.bmm, torch.mm, torch.einsum, torch.baddbmm, "matmul", "bmm", "mm",
            "__matmul__", functional.scaled_dot_product_attention)
_RECURRENT = ("carries a state from step to step, which no streaming layer does; use feed-forward layers, for example "
              "convolutions along the time")
_HINTS = {
    **dict.fromkeys(("LayerNorm", "GroupNorm", "InstanceNorm1d", "InstanceNorm2d", "RMSNorm", "layer_norm",
                     "group_norm", "instance_norm", "LocalResponseNorm"),
                    "takes statistics of the data at run time; use BatchNorm"),
    **dict.fromkeys(("Embedding", "QuantEmbedding", "embedding"), "looks rows up by an index from the input; do so on "
                    "the host and pass the rows"),
    **dict.fromkeys(("Conv3d", "QuantConv3d", "MaxPool3d", "AvgPool3d", "QuantConvTranspose3d"),
                    "works on volumes; use 1-D or 2-D layers"),
    **dict.fromkeys(("UpsamplingBilinear2d", "QuantUpsamplingBilinear2d"), "interpolates; use mode='nearest'"),
    **dict.fromkeys(("ReflectionPad1d", "ReflectionPad2d", "ReplicationPad1d", "ReplicationPad2d", "CircularPad1d",
                     "CircularPad2d"), "repeats pixels at the border; pad with zeros"),
}


def _recurrent(kind: str) -> bool:
    return kind.removeprefix("Quant").removesuffix("Cell") in ("RNN", "LSTM", "GRU")


def refusal(target: object, own: Callable[[Any], str | None]) -> UnsupportedError:
    """The error for a module, a function or the name of a method; `own` is asked first."""
    kind = type(target).__name__ if isinstance(target, nn.Module) else str(getattr(target, "__name__", target))
    if sentence := own(target):
        return UnsupportedError(sentence)
    if (not isinstance(target, nn.Module) and target in PRODUCTS) or "Attention" in kind or "Transformer" in kind:
        return OutOfScope(ATTENTION)
    if _recurrent(kind):
        return OutOfScope(_RECURRENT)
    return UnsupportedError(_HINTS.get(kind, NO_LAYER))
