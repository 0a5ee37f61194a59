"""Dynamic fixed point with a real scale per tensor: coarse per layer, fine per output channel, shifts at run time.

A tensor t is stored as integers T = sat(round_half_up(q * t * 2^n)). The scale q of (0.5, 1] is folded into the
weights of the next layer, so that inference needs integer products and one shift per channel.

Source: US 12,014,273 B2, "Low precision and coarse-to-fine dynamic fixed-point quantization design in convolution
neural network". The method is the subject of this granted US patent.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from headrace.datatypes import IntArray, Interval, dot_product_interval, int_type
from headrace.errors import QuantizationError
from headrace.quantization.primitives import (
    FloatArray,
    ceil_log2,
    code_type,
    dequantize,
    finite,
    float_pow2,
    floor_log2,
    peak_of,
    quantize_codes,
    round_half_up,
    rshift_round,
    saturate,
)
from headrace.quantization.ristretto import wq

#: floor: weights never saturate, [KN]'s rule; wq: the FL of least squared error.
WeightRule = Literal["floor", "wq"]


@dataclass(frozen=True)
class TensorScale:
    """How a tensor is stored: T = sat(round_half_up(q * t * 2^n)) in codes of `bits`, signed or not."""

    q: float
    n: int
    bits: int
    signed: bool = True

    @property
    def factor(self) -> float:
        """s = q * 2^n, codes per unit of t."""
        return float_pow2(self.q, self.n)

    @property
    def codes_type(self) -> Interval:
        """The range of the codes."""
        return code_type(self.bits, self.signed)

    def codes(self, t: ArrayLike) -> IntArray:
        """Integers of real values. Raises QuantizationError for nan and inf.

        >>> TensorScale(1.0, 6, 8).codes([0.8784, -3.0])
        array([  56, -128])
        """
        return quantize_codes(self.q * finite("tensor", t), self.n, self.bits, self.signed)

    def values(self, codes: ArrayLike) -> FloatArray:
        """Real values T * 2^-n / q.

        >>> TensorScale(0.5, 2, 8).values([3])
        array([1.5])
        """
        return dequantize(codes, self.n) / self.q


def _full_scale(max_v: float, bits: int, signed: bool) -> tuple[float, float, int]:
    """(largest code, m, e) with max_v = m * 2^e; the largest code over max_v itself could overflow."""
    if not (math.isfinite(max_v) and max_v >= 0):
        raise QuantizationError(f"a maximum magnitude of {max_v} gives no scale; give a finite number from 0 on")
    largest = code_type(bits, signed).hi
    if max_v == 0:
        return float(largest + 1), 1.0, 0
    return float(largest), *math.frexp(max_v)


def scale_factor(max_v: float, bits: int, signed: bool = True) -> TensorScale:
    """s = (2^(p-1) - 1) / max_v = q * 2^n with n = ceil_log2(s), q in (0.5, 1]; unsigned codes use 2^p - 1.

    max_v: maximum magnitude over the calibration set or over the weights; 0 gives q = 1, n = p - 1 (unsigned p).
    Source: US 12,014,273 B2, scalar factor of the coarse-to-fine method.
    Raises QuantizationError for a negative, infinite or nan max_v and impossible widths.

    >>> scale_factor(6.2, 8)
    TensorScale(q=0.6401209677419355, n=5, bits=8, signed=True)
    """
    largest, mantissa, exponent = _full_scale(max_v, bits, signed)
    n = ceil_log2(largest / mantissa)
    return TensorScale(float_pow2(largest / mantissa, -n), n - exponent, bits, signed)


def fixed_q_scale(max_v: float, bits: int, signed: bool = True, q: float = 1.0) -> TensorScale:
    """n = floor_log2((2^(p-1) - 1) / (q * max_v)) for a given q; q = 1 keeps true units (input and last layer).

    Computed in float64 as written; the q that a tensor has alone may round to an n one below its own.
    Raises as `scale_factor`, and for q that is not above 0.
    Source: US 12,014,273 B2, scalar factor with q given.

    >>> fixed_q_scale(3.0, 8).n
    5
    """
    if not (math.isfinite(q) and q > 0):
        raise QuantizationError(f"a scale of q={q} cannot be divided out; give a finite number above 0")
    largest, mantissa, exponent = _full_scale(max_v, bits, signed)
    return TensorScale(q, floor_log2(largest / (q * mantissa)) - exponent, bits, signed)


@dataclass(frozen=True, eq=False)
class FoldedLayer:
    """Integers of a convolution, dense layer or batch norm: Y = sat(relu?(rshift_round(W X + B, shifts))).

    weights (C_out, ...), bias (C_out,) at the accumulators' FL; frac_bits and shifts (C_out,); coarse_frac_bits is the
    layer's common FL.
    """

    weights: IntArray
    bias: IntArray
    frac_bits: IntArray
    shifts: IntArray
    coarse_frac_bits: int
    target: TensorScale

    def finish(self, acc: ArrayLike, relu: bool = False) -> IntArray:
        """Output codes of accumulators (C_out, ...) that include the bias."""
        rows = [rshift_round(row, int(shift)) for row, shift in zip(np.asarray(acc), self.shifts, strict=True)]
        result = np.stack(rows)
        return saturate(np.maximum(result, 0) if relu else result, self.target.bits, self.target.signed)

    def infer(self, x: IntArray, relu: bool = False) -> IntArray:
        """Output codes (C_out, columns) of input codes (MW, columns), the weights flattened in their own order."""
        return self.finish(self.weights.reshape(len(self.weights), -1) @ x + self.bias[:, None], relu)

    def infer_depthwise(self, x: IntArray, relu: bool = False) -> IntArray:
        """Output codes (C, columns) of input codes (C, taps, columns): every channel meets its own weights only."""
        taps = self.weights.reshape(len(self.weights), -1)
        return self.finish(np.einsum("ct,ctp->cp", taps, x) + self.bias[:, None], relu)


def fold_batch_norm(weights: ArrayLike, bias: ArrayLike, gamma: ArrayLike, beta: ArrayLike, mean: ArrayLike,
                    variance: ArrayLike, eps: float) -> tuple[FloatArray, FloatArray]:
    """(weights, bias) of a layer (C_out, ...) with the batch norm (C_out,) that follows it.

    w * A and (b - mean) * A + beta with A = gamma / sqrt(variance + eps); for a stand-alone batch norm pass weights
    (C, 1) of ones and no bias (0) and fold the result as a depthwise layer.
    Raises QuantizationError for nan, inf and variance + eps <= 0.
    Source: US 12,014,273 B2, batch norm before quantization.

    >>> fold_batch_norm([[2.0]], [1.0], [0.5], [0.25], [3.0], [4.0], 0.0)
    (array([[0.5]]), array([-0.25]))
    """
    w, spread = finite("weights", weights), finite("variance", variance) + eps
    if np.any(spread <= 0):
        raise QuantizationError(f"batch norm: variance + eps reaches {float(np.min(spread))}; it must be above 0")
    slope = finite("gamma", gamma) / np.sqrt(spread)
    offset = (finite("bias", bias) - finite("mean", mean)) * slope + finite("beta", beta)
    return w * slope.reshape(-1, *[1] * (w.ndim - 1)), offset


def _weight_frac_bits(w: FloatArray, bits: int, rule: WeightRule, empty: int) -> int:
    """FL of a group of weights; `empty` for an all-zero group."""
    peak = peak_of(w)
    if peak == 0:
        return empty
    return wq(w, bits).frac_bits if rule == "wq" else fixed_q_scale(peak, bits).n


def fold(weights: ArrayLike, bias: ArrayLike, source: TensorScale, target: TensorScale, weight_bits: int,
         fine: bool = True, rule: WeightRule = "floor") -> FoldedLayer:
    """Integers of a layer between two scaled tensors; no multiplication by q is left at run time.

        w' = q_out w / q_in,  b' = q_out b,  FLw = floor_log2((2^(pw-1) - 1) / max|w'|) per layer, or channel if `fine`
        W = codes(w', FLw),  B = round_half_up(b' 2^(FLw + n_in)),  shift = FLw + n_in - n_out

    weights: (C_out, ...), bias: (C_out,) in real units. A channel of zeros takes the layer's FL, a layer of zeros
    pw - 1. Source: US 12,014,273 B2, coarse and fine quantization.
    Raises QuantizationError for nan, inf, biases that are not one per channel, and a bias or a reachable accumulator
    outside 32 bits.

    >>> layer = fold([[.5, -.25], [.1, .05]], [.1, -.2], TensorScale(1.0, 7, 8), scale_factor(1.3, 8), 8)
    >>> layer.weights.tolist(), layer.bias.tolist(), layer.shifts.tolist()
    ([[98, -49], [78, 39]], [2501, -20007], [8, 10])
    """
    w = target.q * finite("weights", weights) / source.q
    b = target.q * finite("bias", bias)
    if not b.size or w.shape[:1] != b.shape:
        raise QuantizationError(f"weights of shape {w.shape} and a bias of shape {b.shape} do not fit; give "
                                "(C_out, ...) and (C_out,) with 1 or more output channels")
    coarse = _weight_frac_bits(w, weight_bits, rule, weight_bits - 1)
    frac_bits = [_weight_frac_bits(row, weight_bits, rule, coarse) if fine else coarse for row in w]
    W = np.stack([quantize_codes(row, fl, weight_bits) for row, fl in zip(w, frac_bits, strict=True)])
    wide = np.array([float_pow2(value, fl + source.n) for value, fl in zip(b, frac_bits, strict=True)])
    B = round_half_up(np.clip(wide, -(2.0**62), 2.0**62))  # far outside 32 bits, and finite
    _require_int32(W, B, source.codes_type)
    shifts = np.array(frac_bits) + source.n - target.n
    return FoldedLayer(W, B.astype(np.int64), np.array(frac_bits), shifts, coarse, target)


def _require_int32(W: IntArray, B: FloatArray, inputs: Interval) -> None:
    """Raise QuantizationError if a bias or an accumulator that inputs can reach leaves 32 bits."""
    low, high = dot_product_interval(W.reshape(len(W), -1), inputs)
    int32 = int_type(32)
    outside = (low + B < int32.lo) | (high + B > int32.hi)  # 0 is an input, so that biases lie in between
    if outside.any():
        row = int(np.flatnonzero(outside)[0])
        raise QuantizationError(f"channel {row}: its bias {B[row]:.0f} and accumulators {low[row] + B[row]:.0f} to "
                                f"{high[row] + B[row]:.0f} leave 32 bits; use fewer weight bits or a smaller bias")


def add(a: ArrayLike, n_a: int, b: ArrayLike, n_b: int, target: TensorScale, relu: bool = False) -> IntArray:
    """Residual sum of codes of equal q: both at max(n_a, n_b), then one rounding shift to target.n.

    Source: US 12,014,273 B2, residual layers.

    >>> add([47], 5, [16], 3, TensorScale(1.0, 3, 8))
    array([28])
    """
    finest = max(n_a, n_b)
    acc = rshift_round(a, n_a - finest) + rshift_round(b, n_b - finest)
    acc = rshift_round(acc, finest - target.n)
    return saturate(np.maximum(acc, 0) if relu else acc, target.bits, target.signed)


def concat(branches: Sequence[tuple[IntArray, TensorScale]]) -> tuple[IntArray, TensorScale]:
    """Codes of branches of equal q joined along axis 0, all at the least n of the branches.

    Raises QuantizationError for branches of different q, width or signedness.
    Source: US 12,014,273 B2, concatenation layers.

    >>> concat([(np.array([5]), TensorScale(1.0, 3, 8)), (np.array([5]), TensorScale(1.0, 2, 8))])[0]
    array([3, 5])
    """
    scales = [scale for _, scale in branches]
    target = min(scales, key=lambda scale: scale.n)
    for scale in scales:
        if replace(scale, n=target.n) != target:
            raise QuantizationError(f"concat: {scale} and {target} cannot be joined; give all branches one q and width")
    return np.concatenate([rshift_round(x, scale.n - target.n) for x, scale in branches]), target


def average_pool(x: IntArray, source: TensorScale) -> tuple[IntArray, TensorScale]:
    """Average over the last axis of k codes: Y = sat(rshift_round(sum X, c)), c = ceil_log2(k), q_out = q k / 2^c.

    q_out is exact and may leave (0.5, 1]; it is only carried to the next fold. x: (..., k).
    Raises QuantizationError for k = 0.
    Source: US 12,014,273 B2, pooling layers.

    >>> average_pool(np.array([[-108, 41, -3]]), TensorScale(0.75, 5, 8))
    (array([-17]), TensorScale(q=0.5625, n=5, bits=8, signed=True))
    """
    elements = x.shape[-1]
    shift = ceil_log2(elements)
    pooled = saturate(rshift_round(x.sum(-1), shift), source.bits, source.signed)
    return pooled, replace(source, q=source.q * pool_factor(elements))


def pool_factor(elements: int) -> float:
    """k / 2^ceil_log2(k), by which average pooling over k elements changes q.

    >>> pool_factor(49)
    0.765625
    """
    return float_pow2(elements, -ceil_log2(elements))


def function_table(function: Callable[[FloatArray], FloatArray], source: TensorScale, target: TensorScale) -> IntArray:
    """Output codes of a function that is not homogeneous (sigmoid, tanh), one per input code, lowest code first.

    The entry of code X is the code of f(X * 2^-n / q). Raises QuantizationError where f is nan or inf.
    Source: US 12,014,273 B2; its scales hold for homogeneous functions only.

    >>> function_table(np.tanh, TensorScale(1.0, 0, 2), TensorScale(1.0, 7, 8))
    array([-123,  -97,    0,   97])
    """
    inputs = source.codes_type
    return target.codes(function(source.values(np.arange(inputs.lo, inputs.hi + 1))))
