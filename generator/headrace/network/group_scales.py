"""Scales of kernel rows and pixels as small integers over a common step, exactly."""

from __future__ import annotations

from fractions import Fraction
from math import gcd, lcm

import numpy as np

from headrace.datatypes import IntArray, as_int
from headrace.errors import InputError, UnsupportedError
from headrace.network.ops import FloatArray

#: Widest scale that a multiplier behind the sum of a group takes.
MAX_SCALE_BITS = 16


def group_scales(scales: FloatArray) -> tuple[FloatArray, IntArray | None]:
    """Steps (1,) or (C_out,), and unsigned integers (1 or C_out, 1, K_h, 1 or K_w) with scales = integers * step.

    scales: (1 or C_out, 1, K_h, K_w), of either sign where alike in a channel. There are no integers where every
    channel has one scale. The integers of a channel have no common divisor; a channel of zeros has the step 0.
    Raises UnsupportedError where the ratios inside a channel are not integers of at most MAX_SCALE_BITS bits, and
    InputError where all scales of the layer are 0.

    >>> step, integers = group_scales(np.array([[[[0.75], [0.25]]]]))
    >>> float(step[0]), integers.tolist()
    (0.25, [[[[3], [1]]]])
    """
    rows = [[Fraction(float(value)) for value in row] for row in scales.reshape(len(scales), -1)]
    if not any(map(any, rows)):
        raise InputError("its scale is 0, which makes every weight 0; recalibrate the quantizer")
    steps = [_step(row) for row in rows]
    integers = as_int([[int(value / step) if step else 1 for value in row]
                       for row, step in zip(rows, steps, strict=True)])
    step = np.asarray([float(value) for value in steps], np.float64)
    if np.all(step == step[0]) and np.all(integers == integers[0]):
        step, integers = step[:1], integers[:1]
    if np.all(integers == 1):
        return step, None
    return step, _without_repeats(integers.reshape(len(integers), *scales.shape[1:]))


def _step(row: list[Fraction]) -> Fraction:
    """The greatest common divisor of the scales of a channel; scales that are alike are their own, of either sign."""
    if len(set(row)) == 1:
        return row[0]
    denominator = lcm(*(value.denominator for value in row))
    numerators = [int(value * denominator) for value in row]
    step = Fraction(gcd(*numerators), denominator)
    found = f"{float(min(row)):g} to {float(max(row)):g}"
    if min(numerators) < 0:
        raise UnsupportedError(f"its weights have scales from {found} inside an output channel; make them positive "
                               "and negate the weights")
    if (widest := int(max(row) / step)) >> MAX_SCALE_BITS:
        raise UnsupportedError(f"its weights have scales from {found} inside an output channel, multiples of their "
                               f"common step up to {widest}; quantize the scales to at most {MAX_SCALE_BITS} bits over "
                               "a power of two (as SyqConv2d does), or quantize per tensor or per output channel")
    return step


def _without_repeats(integers: IntArray) -> IntArray:
    """(rows, 1, K_h, K_w) with one column where the columns are alike."""
    return integers[..., :1] if np.all(integers == integers[..., :1]) else integers
