"""Sums and products of a .tflite file: of two tensors of codes, or of one and a constant."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from headrace.datatypes import IntArray
from headrace.errors import UnsupportedError
from headrace.frontend.tflite import kernels
from headrace.frontend.tflite.build import MAX_POSITIONS, Call, Value, code_range, quantization
from headrace.frontend.tflite.schema import Tensor
from headrace.frontend.tflite.sums import Weighted, weighted
from headrace.network import integer as ints
from headrace.streamline.requant_search import of_channels


def add(call: Call, sign: int) -> Value:
    """ADD (sign 1) and SUB (sign -1)."""
    if constants := _constants(call):
        return _of_constant(call, constants[0], lambda left, right, out: _total(call, left, right, out, sign))
    left, right = call.value(0), call.value(1)
    if left.frame != right.frame:
        left, right = call.build.row(left), call.build.row(right)
    if left.frame != right.frame:
        raise UnsupportedError(f"adds tensors of shapes {left.shape} and {right.shape}; both must have one shape")
    total = _pairs(call, left, right, sign)
    found = _weighted(call, left, right, sign, total)
    if found is None:
        raise UnsupportedError(f"adds codes of scales {left.scale:.9g} and {right.scale:.9g}, whose sum no multipliers "
                               "decide as the kernel does; calibrate the model again")
    draft, channels = call.build.draft, left.channels
    factors = found.multipliers[0], sign * found.multipliers[1]
    sources = [draft.multiplied(value.tensor, np.full(channels, factor))
               for value, factor in zip((left, right), factors, strict=True)]
    made = draft.add("add", ints.Add(), *sources)
    return call.build.made(draft.add_threshold(_spread(call, found, channels), made), left, call.out, left.shape)


@dataclass(frozen=True)
class _Side:
    """Scale and zero point of an operand."""

    scale: np.float32
    zero: int


Pairs = Callable[[IntArray, IntArray], IntArray]


def _total(call: Call, left: _Side, right: _Side, out: np.float32, sign: int) -> Pairs:
    """The kernel's sum of two codes, without the result's zero point."""
    if call.build.kernels == "xnnpack":
        total = kernels.xnnpack_sum(left.scale, right.scale, out)
    else:
        total = kernels.reference_sum(float(left.scale), float(right.scale), float(out))
    return lambda a, b: total(a - left.zero, sign * (b - right.zero))


def _pairs(call: Call, left: Value, right: Value, sign: int) -> Pairs:
    """The kernel's code of two codes, before the clip."""
    out, zero = quantization(call.out)
    total = _total(call, _Side(left.scale, left.zero), _Side(right.scale, right.zero), out, sign)
    return lambda a, b: total(a, b) + zero


def multiply(call: Call) -> Value:
    """MUL by a constant."""
    constants = _constants(call)
    if not constants:
        raise UnsupportedError("multiplies two tensors that are both computed, which no streaming layer does; multiply "
                               "by constants only, or cut the model in front of it")

    def product(left: _Side, right: _Side, out: np.float32) -> Pairs:
        rescale = kernels.product(left.scale, right.scale, out, call.build.kernels)
        return lambda a, b: rescale((a - left.zero) * (b - right.zero))
    return _of_constant(call, constants[0], product)


def _constants(call: Call) -> list[int]:
    """The places of operands that are constants."""
    return [place for place in (0, 1) if call.tensor(place).data is not None]


def _of_constant(call: Call, place: int, function: Callable[[_Side, _Side, np.float32], Pairs]) -> Value:
    """A function of a tensor and of constant codes, as a step of every channel, or of every element."""
    x, tensor = call.value(1 - place), call.tensor(place)
    sides = [_Side(x.scale, x.zero)]
    sides.insert(place, _Side(*quantization(tensor)))
    out, zero = quantization(call.out)
    pairs = function(sides[0], sides[1], out)
    codes = _of_stream(x, tensor, np.asarray(call.constant(place), np.int64))
    build, uniform = call.build, bool(np.all(codes == codes[:1]))
    column = codes[0, :, None] if uniform else codes.reshape(-1, 1)
    made = build.of_codes(x.tensor if uniform else build.flat(x.tensor), lambda values: zero + (
        pairs(np.broadcast_to(column, values.shape), values) if place == 0 else
        pairs(values, np.broadcast_to(column, values.shape))), call.out, call.option("FusedActivationFunction"))
    return build.made(made if uniform else build.framed(made, x.frame), x, call.out, x.shape)


def _of_stream(x: Value, tensor: Tensor, codes: IntArray) -> IntArray:
    """Constants that are broadcast over a tensor, (pixels, channels)."""
    try:
        whole = np.broadcast_to(codes, (1, *x.shape))
    except ValueError:
        raise UnsupportedError(f"has a constant of shape {tensor.shape} for a tensor of shape {x.shape}; give it the "
                               "shape of the tensor, or one value per channel") from None
    per_pixel = whole.reshape(-1, x.channels)
    if np.any(per_pixel != per_pixel[:1]) and per_pixel.size > MAX_POSITIONS:
        raise UnsupportedError(f"has a constant that differs between pixels, with {per_pixel.size} elements where at "
                               f"most {MAX_POSITIONS} can have steps of their own; use one value per channel")
    return per_pixel


def _weighted(call: Call, left: Value, right: Value, sign: int,
              total: Callable[[IntArray, IntArray], IntArray]) -> Weighted | None:
    types = [call.build.draft.types[value.tensor].dtype for value in (left, right)]
    a = np.arange(types[0].lo, types[0].hi + 1)
    b = np.arange(types[1].lo, types[1].hi + 1)[::sign]  # so that the table rises
    spans = ((types[0].lo, types[0].hi), (min(sign * types[1].lo, sign * types[1].hi),
                                          max(sign * types[1].lo, sign * types[1].hi)))
    sizes = _sizes(call, left, right)
    codes = code_range(call.out, call.option("FusedActivationFunction"))
    return weighted(total(a[:, None], b[None, :]), spans, sizes, codes)


def _sizes(call: Call, left: Value, right: Value) -> list[Fraction]:
    """How many codes of the result a code of either side counts in the kernel, whose multipliers are rounded."""
    out = quantization(call.out)[0]
    if call.build.kernels == "xnnpack":
        *factors, shift = kernels.xnnpack_factors(left.scale, right.scale, out)
        return [Fraction(factor, 1 << shift) for factor in factors]
    twice = 2 * float(max(left.scale, right.scale))
    return [kernels.Multiplier.of(float(value.scale) / twice).exact * Fraction(twice) / Fraction(float(out))
            for value in (left, right)]


def _spread(call: Call, found: Weighted, channels: int) -> ints.Requant | ints.Threshold:
    """The step of a sum, alike in all channels."""
    if isinstance(found.step, ints.Requant):
        return of_channels(found.step, [0] * channels)
    codes = code_range(call.out, call.option("FusedActivationFunction"))
    return ints.Threshold(np.repeat(found.step[None], channels, axis=0), codes)


