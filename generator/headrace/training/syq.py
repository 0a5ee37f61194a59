"""SYQ layers for training: binary or ternary weights with scales per layer, channel, kernel row or kernel pixel.

Source: P. Leong, "Quantisation - Efficient implementation of convolutional neural networks", PAPAA 2018, equations (6)
to (8). The layers take the place of torch.nn.Conv2d and Linear in any model, beside Brevitas' layers too, and are read
by the same front end. quantization/syq.py has the same equations on arrays.

Scales of rows and pixels multiply in hardware. They are quantized in the forward pass already, to integers of
`scale_bits` bits over a power of two, so that nothing is left to approximate when the accelerator is generated. Scales
of layers and channels fold into thresholds and stay as they are trained.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from headrace.errors import QuantizationError
from headrace.quantization.primitives import FloatArray
from headrace.quantization.syq import Granularity, codebook, fixed_point_scales, least_squares_scales

#: Shapes of the scales for weights (C_out, C_in, K_h, K_w).
_SHAPES = {"layer": (False, False, False), "channel": (True, False, False), "row": (False, True, False),
           "pixel": (False, True, True)}


class _EffectiveWeights(torch.autograd.Function):
    """What = alpha_g * Q with the straight-through gradients of PAPAA 2018, equation (8).

    dE/dW = dE/dWhat * alpha_g * 1[|W| <= 1]; dE/dalpha_g = sum over g of dE/dWhat * Q.
    """

    @staticmethod
    def forward(ctx: Any, weight: torch.Tensor, alpha: torch.Tensor, codes: torch.Tensor,
                scales: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(weight, codes, scales)
        ctx.alpha_shape = alpha.shape
        return scales * codes

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        weight, codes, scales = ctx.saved_tensors
        passed = gradients[0] * scales * (weight.abs() <= 1)
        return passed, (gradients[0] * codes).sum_to_size(ctx.alpha_shape), None, None


class SyqWeights(nn.Module):
    """What SyqConv2d and SyqLinear have in common: a weight whose forward value is alpha_g * Q.

    `scales` is the trained alpha, with as many axes as the weight.
    """

    weight: nn.Parameter
    scales: nn.Parameter
    ternary: bool
    granularity: Granularity
    scale_bits: int
    eta_frac: float

    def _start(self, ternary: bool, granularity: Granularity, scale_bits: int, eta_frac: float) -> None:
        """Keep the options and add the scales. Raises QuantizationError for options that are not defined."""
        if granularity not in _SHAPES:
            raise QuantizationError(f"granularity {granularity!r} is unknown; choose one of {list(_SHAPES)}")
        if self.weight.ndim == 2 and granularity in ("row", "pixel"):
            raise QuantizationError(f"a dense layer has no kernel {granularity}s; choose layer or channel")
        if not 1 <= scale_bits <= 16:
            raise QuantizationError(f"scale_bits={scale_bits} is not a width of a scale; use 1 to 16")
        self.ternary, self.granularity, self.scale_bits, self.eta_frac = ternary, granularity, scale_bits, eta_frac
        channels, rows, columns = _SHAPES[granularity]
        shape = [self.weight.shape[0] if channels else 1, 1, *self.weight.shape[2:]]
        if self.weight.ndim == 4:
            shape[2:] = [self.weight.shape[2] if rows else 1, self.weight.shape[3] if columns else 1]
        self.scales = nn.Parameter(torch.empty(shape))
        self.reset_scales()

    def reset_scales(self) -> None:
        """Set alpha to the least squares of the present weights, for instance after pretrained ones were loaded."""
        W = self._kernel()
        alpha = least_squares_scales(W, codebook(W, self.ternary, self.eta_frac).Q, self.granularity)
        with torch.no_grad():
            self.scales.copy_(torch.from_numpy(alpha).reshape(self.scales.shape))

    def _kernel(self) -> FloatArray:
        """The weights (C_out, C_in, K_h, K_w) in float64."""
        W = np.asarray(self.weight.detach().cpu().numpy(), np.float64)
        return W.reshape(*W.shape, *[1] * (4 - W.ndim))

    def codes(self) -> torch.Tensor:
        """Q in the weight's shape: sign(W) where |W| >= eta, else 0, with sign(0) = +1 and eta = 0 for binary ones."""
        W = self.weight.detach().double()
        eta = self.eta_frac * W.abs().max() if self.ternary else torch.zeros_like(W.flatten()[0])
        return (torch.where(W >= 0, 1.0, -1.0) * (W.abs() >= eta)).to(self.weight.dtype)

    def quantized_scales(self) -> torch.Tensor:
        """alpha as the forward pass uses it: not negative; of rows and pixels on the grid of `fixed_point_scales`."""
        alpha = self.scales.detach().clamp(min=0)
        if self.granularity in ("layer", "channel"):
            return alpha
        fixed = fixed_point_scales(alpha.cpu().double().numpy(), self.scale_bits)
        values = np.ldexp(fixed.codes.astype(np.float64), -fixed.frac_bits)
        return torch.from_numpy(values).to(alpha)

    def quantized_weight(self) -> torch.Tensor:
        """alpha_g * Q, with the straight-through gradients; after an update negative scales are set to 0 first."""
        if self.training:
            with torch.no_grad():
                self.scales.clamp_(min=0)
        made: torch.Tensor = _EffectiveWeights.apply(self.weight, self.scales, self.codes(), self.quantized_scales())
        return made


def _plain(x: object) -> torch.Tensor:
    """The tensor in what a layer of Brevitas may hand over."""
    value: torch.Tensor = getattr(x, "value", x)
    return value


class SyqConv2d(nn.Conv2d, SyqWeights):
    """Conv2d with SYQ weights; the arguments in front are those of torch.nn.Conv2d.

    ternary: {-1, 0, +1} with eta = eta_frac * max|W|, else {-1, +1}. granularity: what shares a scale: layer, channel
    (C_out), row or pixel of the kernel window. scale_bits: width of the integers of row and pixel scales.
    Raises QuantizationError for options that are not defined.
    """

    def __init__(self, *arguments: object, ternary: bool = False, granularity: Granularity = "pixel",
                 scale_bits: int = 8, eta_frac: float = 0.05, **options: object) -> None:
        super().__init__(*arguments, **options)
        self._start(ternary, granularity, scale_bits, eta_frac)

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        """(N, C_in, H, W) -> (N, C_out, H', W')."""
        return self._conv_forward(_plain(input), self.quantized_weight(), self.bias)


class SyqLinear(nn.Linear, SyqWeights):
    """Linear with SYQ weights; the arguments in front are those of torch.nn.Linear, the others as of SyqConv2d.

    granularity: layer or channel. Raises QuantizationError for others.
    """

    def __init__(self, *arguments: object, ternary: bool = False, granularity: Granularity = "channel",
                 eta_frac: float = 0.05, **options: object) -> None:
        super().__init__(*arguments, **options)
        self._start(ternary, granularity, 8, eta_frac)

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        """(N, in_features) -> (N, out_features)."""
        return functional.linear(_plain(input), self.quantized_weight(), self.bias)
