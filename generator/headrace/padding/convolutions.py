"""Convolutions with more channels than the network gave them: columns that do nothing, and rows that nobody reads."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from headrace.datatypes import DataType, IntArray
from headrace.errors import InputError
from headrace.network.integer import Conv, DepthwiseConv
from headrace.padding.layout import Layout

_ZERO = np.zeros(1, np.int64)


def padded_conv(op: Conv, source: Layout, rows: int) -> tuple[Conv, Layout]:
    """A convolution of a padded tensor that makes `rows` channels more. Raises InputError where that cannot be.

    Columns of more channels are zeros. Weights that are never zero are of alternating signs there; what these add to
    every sum is the shift of the result.
    """
    require_unshifted(source)
    weights, shift = op.weights.astype(np.int64), 0
    if source.extras:
        weights, shift = _with_columns(op, weights, source)
    out, scales = Layout.plain(len(weights)), op.scales
    if rows:
        weights = np.concatenate([weights, np.repeat(_row(op.weight, weights[:1]), rows, axis=0)])
        out = out.widened(rows, 0 if has_zero(op.weight) else None)
        if scales is not None and len(scales) > 1:
            scales = np.concatenate([scales, np.repeat(scales[:1], rows, axis=0)])
    return replace(op, weights=weights, scales=scales), replace(out, shift=shift)


def padded_depthwise(op: DepthwiseConv, source: Layout) -> tuple[DepthwiseConv, Layout]:
    """A depthwise convolution of a padded tensor: more channels have zeros, or what the first channel has."""
    require_unshifted(source)
    weights = op.weights.astype(np.int64)
    kernel = _row(op.weight, weights[:1])[0]
    total = int(kernel.sum())
    codes: list[int | None] = [None] * len(source.codes)
    if has_zero(op.weight):
        codes = [0] * len(codes)
    elif _alike(op, source):
        codes = [None if code is None else code * total for code in source.codes]
    return replace(op, weights=source.spread(weights, kernel)), source.with_codes(codes)


def has_zero(weight: DataType) -> bool:
    """True if a weight of the type can be 0."""
    return weight.contains(_ZERO)


def require_unshifted(source: Layout) -> None:
    """Raise InputError where weights without a zero in front would change what is calculated here."""
    if source.shift:
        raise InputError("the weights in front are never zero, so more channels would add to what it reads")


def _row(weight: DataType, first: IntArray) -> IntArray:
    """(1, ...) the weights of a channel that nobody reads: zeros, or those of the first where there is no zero."""
    return np.zeros_like(first) if has_zero(weight) else first


def _with_columns(op: Conv, weights: IntArray, source: Layout) -> tuple[IntArray, int]:
    """Weights (C_out, K_h, K_w, C_in) with columns for more channels, and what these add to every sum."""
    c_out, k_h, k_w, _ = weights.shape
    columns = np.moveaxis(weights, 3, 0)
    if has_zero(op.weight):
        return np.moveaxis(source.spread(columns, 0), 0, 3), 0
    if op.scales is not None or not _alike(op, source):
        raise InputError("its weights are never zero, and the channels that would be more do not hold one value that "
                         "its frame is padded with too")
    extras = source.extras
    signs = np.resize([1, -1], len(extras) * k_h * k_w).reshape(len(extras), k_h, k_w)
    filler = np.broadcast_to(signs[:, None], (len(extras), c_out, k_h, k_w))
    codes = np.array([source.codes[place] for place in extras], np.int64)
    return np.moveaxis(source.spread(columns, filler), 0, 3), int((signs * codes[:, None, None]).sum())


def _alike(op: Conv | DepthwiseConv, source: Layout) -> bool:
    """True if more channels hold one known value each, at the border of the frame too."""
    codes = {source.codes[place] for place in source.extras}
    return None not in codes and (not any(op.pad) or codes <= {op.pad_value})
