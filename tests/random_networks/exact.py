"""Exact arithmetic on arrays of fractions: rounding, products, windows. Nothing of the product is imported."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from math import ceil, floor, lcm
from typing import Any

import numpy as np

from tests.random_networks.attributes import Attributes

HALF = Fraction(1, 2)
#: An array of Fractions: NumPy's types say nothing of what arithmetic on its elements gives.
Exact = Any
#: A number that NumPy takes and its types do not know.
ZERO: Any = Fraction(0)


def exact(array: object) -> Exact:
    """Floats or integers as an object array of Fractions of the same shape."""
    given = np.asarray(array)
    return np.array([Fraction(v) for v in given.reshape(-1).tolist()], object).reshape(given.shape)


def each(function: Callable[[Fraction], Fraction | int], x: Exact) -> Exact:
    """A function of one value on every value, each value calculated once."""
    known: dict[Fraction, Fraction | int] = {}
    result = np.empty(x.size, object)
    for k, value in enumerate(x.reshape(-1).tolist()):
        if value not in known:
            known[value] = function(value)
        result[k] = known[value]
    return result.reshape(x.shape)


def to_nearest(v: Fraction, up: Callable[[int], bool]) -> int:
    """The nearest integer; at a tie the upper neighbour where `up` of the lower one says so."""
    low, rest = floor(v), v - floor(v)
    return low + (rest > HALF or (rest == HALF and up(low)))


ROUNDINGS: Mapping[str, Callable[[Fraction], int]] = {
    "ROUND": lambda v: to_nearest(v, lambda low: low % 2 == 1),
    "HALF_EVEN": lambda v: to_nearest(v, lambda low: low % 2 == 1),
    "HALF_UP": lambda v: to_nearest(v, lambda low: low >= 0),
    "HALF_DOWN": lambda v: to_nearest(v, lambda low: low < 0),
    "CEIL": ceil,
    "FLOOR": floor,
    "UP": lambda v: ceil(v) if v > 0 else floor(v),
    "DOWN": lambda v: floor(v) if v > 0 else ceil(v),
    "ROUND_TO_ZERO": lambda v: floor(v) if v > 0 else ceil(v),
}


def quantized(x: Exact, scale: Exact, zero: int, ends: tuple[int, int], rounding: str) -> Exact:
    """(round(x / scale + zero), saturated, - zero) * scale; scale is broadcast to x."""
    rounded = each(ROUNDINGS[rounding], x / scale + zero)
    return exact(np.clip(rounded, *ends) - zero) * scale


def dot(a: Exact, b: Exact) -> Exact:
    """The product of matrices, calculated in integers over the common denominators."""
    below = [lcm(*(v.denominator for v in side.reshape(-1).tolist())) for side in (a, b)]
    whole = [np.array([v.numerator * (d // v.denominator) for v in side.reshape(-1).tolist()], object)
             for side, d in zip((a, b), below, strict=True)]
    sums = whole[0].reshape(a.shape).dot(whole[1].reshape(b.shape))
    return np.array([Fraction(int(v), below[0] * below[1]) for v in sums.reshape(-1)], object).reshape(sums.shape)


def windows(x: Exact, kernel: list[int], given: Attributes, fill: Exact) -> Exact:
    """(N, C, H, W) -> (N, C, rows, columns, *kernel); borders are `fill`."""
    strides, dilations = given.wholes("strides", [1, 1]), given.wholes("dilations", [1, 1])
    top, left, bottom, right = _border(x, kernel, given, strides, dilations)
    padded = np.pad(x, ((0, 0), (0, 0), (top, bottom), (left, right)), constant_values=fill)
    size = [(padded.shape[2 + k] - dilations[k] * (kernel[k] - 1) - 1) // strides[k] + 1 for k in (0, 1)]
    made = np.empty((*x.shape[:2], *size, *kernel), object)
    for i, j in np.ndindex(*kernel):
        rows = padded[:, :, i * dilations[0] :: strides[0], j * dilations[1] :: strides[1]]
        made[..., i, j] = rows[:, :, : size[0], : size[1]]
    return made


def _border(x: Exact, kernel: list[int], given: Attributes, strides: list[int], dilations: list[int]) -> list[int]:
    """Pads as they are given, or for an output of size / stride; what is odd is behind, or in front for SAME_LOWER."""
    mode = given.text("auto_pad", "NOTSET")
    if not mode.startswith("SAME"):
        return given.wholes("pads", [0, 0, 0, 0])
    total = [max((-(-x.shape[2 + k] // strides[k]) - 1) * strides[k] + dilations[k] * (kernel[k] - 1) + 1
                 - x.shape[2 + k], 0) for k in (0, 1)]
    less, more = [n // 2 for n in total], [n - n // 2 for n in total]
    return [*less, *more] if mode == "SAME_UPPER" else [*more, *less]


def line_convolution(x: Exact, weight: Exact, given: Attributes) -> Exact:
    """(N, C, L) with weights (C_out, C, K)."""
    (stride,), (before, after) = given.wholes("strides", [1]), given.wholes("pads", [0, 0])
    padded = np.pad(x, ((0, 0), (0, 0), (before, after)), constant_values=ZERO)
    size = (padded.shape[2] - weight.shape[2]) // stride + 1
    rows = [dot(padded[:, :, k * stride : k * stride + weight.shape[2]].reshape(len(x), -1),
                weight.reshape(len(weight), -1).T) for k in range(size)]
    return np.stack(rows, 2)


def convolution(x: Exact, weight: Exact, given: Attributes) -> Exact:
    groups = given.whole("group", 1)
    made = windows(x, list(weight.shape[2:]), given, Fraction(0))
    n, _, rows, columns = made.shape[:4]
    parts = []
    for columns_of, rows_of in zip(np.split(made, groups, 1), np.split(weight, groups), strict=True):
        flat = columns_of.transpose(0, 2, 3, 1, 4, 5).reshape(n * rows * columns, -1)
        parts.append(dot(flat, rows_of.reshape(len(rows_of), -1).T).reshape(n, rows, columns, -1))
    return np.concatenate(parts, 3).transpose(0, 3, 1, 2)


def transposed_convolution(x: Exact, weight: Exact, given: Attributes) -> Exact:
    """Every value scatters its kernel; weight: (C_in, C_out / groups, K_h, K_w)."""
    strides = given.wholes("strides")
    extra, groups = given.wholes("output_padding", [0, 0]), given.whole("group", 1)
    n, channels, height, width = x.shape
    kernel, rows = weight.shape[2:], channels // groups
    size = [(x.shape[2 + k] - 1) * strides[k] + kernel[k] + extra[k] for k in (0, 1)]
    up, left, bottom, right = given.wholes("pads", [0] * 4)
    if wanted := given.wholes("output_shape", []):
        half = [(n - w) // 2 for n, w in zip(size, wanted, strict=True)]
        rest = [n - w - h for n, w, h in zip(size, wanted, half, strict=True)]
        up, left, bottom, right = (*half, *rest) if given.text("auto_pad") == "SAME_UPPER" else (*rest, *half)
    y = np.full((n, weight.shape[1] * groups, *size), Fraction(0), object)
    for c, i, j in np.ndindex(channels, height, width):
        first = c // rows * weight.shape[1]
        behind = y[:, first : first + weight.shape[1], i * strides[0] :, j * strides[1] :]
        behind[:, :, : kernel[0], : kernel[1]] += x[:, c, i, j].reshape(-1, 1, 1, 1) * weight[c]
    return y[:, :, up : size[0] - bottom, left : size[1] - right]


def along_channels(values: Exact, x: Exact) -> Exact:
    return values.reshape(1, -1, *[1] * (x.ndim - 2))
