"""The border of a convolution."""

from __future__ import annotations

from typing import Any

from headrace.errors import UnsupportedError
from headrace.frontend.onnx.values import Feature
from headrace.frontend.torch.site import spatial


def padding_of(module: Any, x: Feature, kernel: list[int]) -> list[int]:
    """Begins and ends along the axes; 'same' puts the odd element behind, as torch does."""
    if module.padding_mode != "zeros":
        raise UnsupportedError(f"its padding mode {module.padding_mode!r} repeats pixels, which no streaming layer "
                               "does; pad with zeros")
    if module.padding == "valid":
        return [0] * (2 * len(kernel))
    if module.padding == "same":
        totals = [(size - 1) * step for size, step in zip(kernel, spatial(x, module.dilation), strict=True)]
        return [total // 2 for total in totals] + [total - total // 2 for total in totals]
    return spatial(x, module.padding) * 2
