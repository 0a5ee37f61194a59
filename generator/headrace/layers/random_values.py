"""Random values, thresholds and weights for layers that are tried by themselves."""

from __future__ import annotations

import numpy as np

from headrace.datatypes import BIPOLAR, DataType, IntArray, Interval, dot_product_interval
from headrace.errors import InputError, require_positive
from headrace.fold_rule import require_divides
from headrace.layers.activation import require_thresholds_fit
from headrace.layers.products import largest_row_sum, require_sum_fits
from headrace.layers.spec_fields import Fields

#: Most random values that are drawn at once.
MAX_RANDOM_VALUES = 1 << 26


def require_drawable(layer: str, what: str, count: int) -> None:
    """Raise InputError for more random values than memory holds."""
    if count > MAX_RANDOM_VALUES:
        raise InputError(f"{layer}: {count} {what} are asked for but at most {MAX_RANDOM_VALUES} values are drawn; "
                         "use smaller sizes")


def drawn_rows(f: Fields, channels: int) -> IntArray:
    """A one for every row that is drawn for so many channels: one row for all of them where the spec says `shared`."""
    require_positive(f.name, channels=channels)
    require_drawable(f.name, "channels", channels)
    return np.ones(1 if f.flag("shared") else channels, np.int64)


def random_values(rng: np.random.Generator, dtype: DataType, shape: tuple[int, ...]) -> IntArray:
    """Uniform values of a type."""
    values = rng.integers(dtype.lo, dtype.hi + 1, shape)
    return np.where(values >= 0, 1, -1) if dtype == BIPOLAR else values


def random_thresholds(layer: str, rng: np.random.Generator, lo: IntArray, hi: IntArray, dtype: DataType) -> IntArray:
    """Thresholds (rows, N) for values from lo to hi, each (rows,), drawn where a random one falls."""
    require_thresholds_fit(layer, dtype)
    require_drawable(layer, "thresholds", len(lo) * dtype.steps)
    spread = np.maximum(1, (hi - lo) // 8)[:, None]
    centre = ((hi + lo) // 2)[:, None]
    return np.sort(centre + rng.integers(-spread, spread + 1, (len(lo), dtype.steps)), axis=1)


def drawn_scales(f: Fields, rng: np.random.Generator, mh: int, mw: int) -> IntArray | None:
    """Random scales (MH, groups), or (1, groups) for all rows, or None without groups."""
    groups = f.integer("groups", 0)
    if not groups:
        return None
    dtype, rows = f.dtype("scale"), 1 if f.flag("shared_scales") else mh
    require_positive(f.name, groups=groups)
    require_divides(f.name, "groups", groups, "MW", mw)
    return random_values(rng, dtype, (rows, groups))


def drawn_weights(f: Fields, rng: np.random.Generator, mh: int, mw: int,
             scales: IntArray | None = None) -> tuple[IntArray, IntArray | None, DataType, DataType, DataType]:
    """Random weights (MH, MW), their thresholds, and the types of weights, input and output."""
    weight, element = f.dtype("weight"), f.dtype("input")
    require_drawable(f.name, "weights", mh * mw)
    weights = random_values(rng, weight, (mh, mw))
    effective = weights if scales is None else weights * np.repeat(scales, mw // scales.shape[1], axis=1)
    require_sum_fits(f.name, largest_row_sum(effective), element)
    lo, hi = dot_product_interval(effective, element)
    if f.has_text("output", "acc"):
        return weights, None, weight, element, Interval(int(lo.min()), int(hi.max()))
    dtype = f.varying("output")
    return weights, random_thresholds(f.name, rng, lo, hi, dtype), weight, element, dtype
