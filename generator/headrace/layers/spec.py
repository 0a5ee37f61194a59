"""Single layers from plain descriptions, with random weights: the SPEC.json of `headrace layer`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

import numpy as np

from headrace.datatypes import BIPOLAR, DataType, IntArray, Interval, dot_product_interval
from headrace.errors import InputError, require_divides, require_positive
from headrace.layers import LAYERS
from headrace.layers.acc_pool import AccPool
from headrace.layers.activation import require_thresholds_fit
from headrace.layers.add import Add
from headrace.layers.base import Layer
from headrace.layers.concat import Concat
from headrace.layers.cores.choice import AUTO
from headrace.layers.dwc import Dwc
from headrace.layers.fifo import Fifo
from headrace.layers.fork import Fork
from headrace.layers.label_select import LabelSelect
from headrace.layers.max_pool import MaxPool
from headrace.layers.mvtu import Mvtu
from headrace.layers.parallel_swu import ParallelSwu
from headrace.layers.products import require_sums_fit
from headrace.layers.requant import Requant, Rounding
from headrace.layers.spec_fields import Fields
from headrace.layers.swu import Swu
from headrace.layers.threshold import Threshold
from headrace.layers.upsample import Upsample
from headrace.layers.vvtu import Vvtu
from headrace.layers.weight_store import EXTERNAL, RAM, ROM, URAM
from headrace.layers.window import Pair

DEFAULT_FRAMES = 3
#: Most random values that are drawn at once.
MAX_RANDOM_VALUES = 1 << 26


@dataclass(frozen=True, eq=False)
class LayerCase:
    """A layer to try: random input for `frames` frames is drawn from `seed`."""

    layer: Layer
    frames: int
    seed: int

    def random_input(self) -> tuple[IntArray, ...]:
        """One (frames, elements) array per input stream."""
        rng = np.random.default_rng([self.seed, 1])
        return tuple(random_values(rng, stream.element, (self.frames, stream.elements)) for stream in self.layer.inputs)


def require_drawable(layer: str, what: str, count: int) -> None:
    """Raise InputError for more random values than memory holds."""
    if count > MAX_RANDOM_VALUES:
        raise InputError(f"{layer}: {count} {what} are asked for but at most {MAX_RANDOM_VALUES} values are drawn; "
                         "use smaller sizes")


def example_layer(kind: str) -> Layer:
    """The example of a kind of layer."""
    return layer_from_spec({"kind": kind, **LAYERS[kind].example}).layer


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


def layer_from_spec(spec: Mapping[str, Any], index: int = 0) -> LayerCase:
    """The layer that a spec describes, named KIND plus `index`.

    Raises InputError or FoldingError with one sentence for an illegal spec.
    """
    if not isinstance(spec, Mapping):
        raise InputError(f"spec {index} is not a JSON object; write {{\"kind\": \"mvtu\", ...}}")
    kind = spec.get("kind")
    if not isinstance(kind, str) or kind not in BUILDERS:
        raise InputError(f"spec {index}: kind {kind!r} is unknown; choose one of {list(BUILDERS)}")
    fields = Fields(f"{kind}{index}", {key: value for key, value in spec.items() if key != "kind"})
    frames, seed = fields.integer("frames", DEFAULT_FRAMES), fields.integer("seed", 0)
    require_positive(fields.name, frames=frames)
    if seed < 0:
        raise InputError(f"{fields.name}: seed={seed} must not be negative; use 0 or more")
    layer = BUILDERS[kind](fields, np.random.default_rng(seed))
    fields.finish()
    layer.require_native()
    for stream in layer.streams:
        require_drawable(fields.name, f"values of {frames} frames", frames * stream.elements)
    return LayerCase(layer, frames, seed)


def _mvtu(f: Fields, rng: np.random.Generator) -> Layer:
    mh, mw, pe, simd = f.integer("mh"), f.integer("mw"), f.integer("pe", 1), f.integer("simd", 1)
    require_positive(f.name, mh=mh, mw=mw)
    require_divides(f.name, "PE", pe, "MH", mh)
    vectors = f.integer("vectors", 1)
    require_positive(f.name, vectors=vectors)
    require_divides(f.name, "SIMD", simd, "MW", mw)
    scales = _scales(f, rng, mh, mw)
    storage = EXTERNAL if f.flag("external") else ROM
    layer = Mvtu(f.name, *_weights(f, rng, mh, mw, scales), vectors, pe, simd, f.text("core", AUTO), storage, scales)
    written = f.text("storage", ROM)
    if written not in (ROM, RAM, URAM):
        raise InputError(f"{f.name}: storage {written!r} is unknown; choose {ROM}, {RAM} or {URAM}")
    return layer if written == ROM else layer.written_to(written)


def _scales(f: Fields, rng: np.random.Generator, mh: int, mw: int) -> IntArray | None:
    """Random scales (MH, groups), or (1, groups) for all rows, or None without groups."""
    groups = f.integer("groups", 0)
    if not groups:
        return None
    dtype, rows = f.dtype("scale"), 1 if f.flag("shared_scales") else mh
    require_positive(f.name, groups=groups)
    require_divides(f.name, "groups", groups, "MW", mw)
    return random_values(rng, dtype, (rows, groups))


def _vvtu(f: Fields, rng: np.random.Generator) -> Layer:
    channels, kernel, height, width = f.integer("channels"), f.pair("kernel"), f.integer("height"), f.integer("width")
    require_positive(f.name, channels=channels, kernel=kernel, height=height, width=width)
    return Vvtu(f.name, *_weights(f, rng, channels, kernel[0] * kernel[1]), height * width, f.integer("pe", 1),
                f.integer("simd", 1), f.text("core", AUTO))


def _weights(f: Fields, rng: np.random.Generator, mh: int, mw: int,
             scales: IntArray | None = None) -> tuple[IntArray, IntArray | None, DataType, DataType, DataType]:
    """Random weights (MH, MW), their thresholds, and the types of weights, input and output."""
    weight, element = f.dtype("weight"), f.dtype("input")
    require_drawable(f.name, "weights", mh * mw)
    weights = random_values(rng, weight, (mh, mw))
    effective = weights if scales is None else weights * np.repeat(scales, mw // scales.shape[1], axis=1)
    require_sums_fit(f.name, effective, element)
    lo, hi = dot_product_interval(effective, element)
    if f.has_text("output", "acc"):
        return weights, None, weight, element, Interval(int(lo.min()), int(hi.max()))
    dtype = f.varying("output")
    return weights, random_thresholds(f.name, rng, lo, hi, dtype), weight, element, dtype


def _threshold(f: Fields, rng: np.random.Generator) -> Layer:
    channels, element, dtype = f.integer("channels"), f.varying("input"), f.varying("output")
    pixels, pe = f.integer("pixels"), f.integer("pe", 1)
    require_positive(f.name, channels=channels)
    require_drawable(f.name, "channels", channels)
    rows = np.ones(1 if f.flag("shared") else channels, np.int64)
    # Three quarters of the range on both sides of its middle, since the input is uniform.
    span = 3 * (element.hi - element.lo)
    middle = (element.hi + element.lo) // 2
    drawn = random_thresholds(f.name, rng, rows * (middle - span), rows * (middle + span), dtype)
    inverted = frozenset(np.flatnonzero(rng.integers(0, 2, channels)).tolist() if f.flag("inverted") else ())
    thresholds = np.broadcast_to(drawn, (channels, dtype.steps))
    return Threshold(f.name, thresholds, element, dtype, pixels, inverted, pe)


def _requant(f: Fields, rng: np.random.Generator) -> Layer:
    channels, element, dtype = f.integer("channels"), f.varying("input"), f.varying("output")
    pixels, pe = f.integer("pixels"), f.integer("pe", 1)
    require_positive(f.name, channels=channels)
    require_drawable(f.name, "channels", channels)
    rows = np.ones(1 if f.flag("shared") else channels, np.int64)
    # Scales around the one that maps the input's range onto the output's, in halves so that ties occur.
    shift = int(rng.integers(1, 5)) + max(0, (element.hi - element.lo).bit_length() - dtype.bits)
    scale = max(1, ((dtype.hi - dtype.lo) << shift) // (element.hi - element.lo))
    multiplier = rows * rng.integers(1, 2 * scale + 1, len(rows)) * rng.choice([-1, 1], len(rows))
    noise = rng.integers(-(1 << shift), (1 << shift) + 1, len(rows))
    offset = (((dtype.hi + dtype.lo) << shift) - multiplier * (element.hi + element.lo)) // 2 + noise
    multiplier, offset = (np.broadcast_to(values, (channels,)) for values in (multiplier, offset))
    rounding = cast(Rounding, f.text("rounding", "half_up"))  # checked by the layer
    return Requant(f.name, multiplier, offset, shift, rounding, element, dtype, pixels, pe)


def _swu(f: Fields, rng: np.random.Generator) -> Layer:
    if f.flag("parallel_window"):
        f.flag("depthwise")  # the order of a parallel window is that of a depthwise one
        if f.text("buffer", "overlapping") != "overlapping":
            raise InputError(f"{f.name}: a parallel window has an overlapping buffer only; remove buffer")
        return _parallel_swu(f, rng)
    buffer = cast(Literal["overlapping", "minimal"], f.text("buffer", "overlapping"))
    if buffer not in ("overlapping", "minimal"):
        raise InputError(f"{f.name}: buffer {buffer!r} is unknown; choose overlapping or minimal")
    depthwise = f.flag("depthwise")
    return Swu(f.name, *_window(f), buffer, depthwise)


def _parallel_swu(f: Fields, rng: np.random.Generator) -> Layer:
    return ParallelSwu(f.name, *_window(f))


def _window(f: Fields) -> tuple[int, int, int, Pair, DataType, Pair, Pair, tuple[int, int, int, int], int, int]:
    """The fields of a sliding window behind its name."""
    top, left, bottom, right = f.integers("pad", 4, (0, 0, 0, 0))
    element = f.dtype("element")
    pad_value = element.lo if element == BIPOLAR or element.lo > 0 else 0
    return (f.integer("height"), f.integer("width"), f.integer("channels"), f.pair("kernel"), element,
            f.pair("stride", (1, 1)), f.pair("dilation", (1, 1)), (top, left, bottom, right), pad_value,
            f.integer("simd", 1))


def _max_pool(f: Fields, rng: np.random.Generator) -> Layer:
    kernel, channels = f.pair("kernel"), f.integer("channels")
    minimum = frozenset(range(channels) if f.flag("minimum") else ())
    return MaxPool(f.name, f.integer("height"), f.integer("width"), channels, kernel, f.pair("stride", kernel),
                   f.dtype("element"), minimum, f.integer("pe", 1))


def _acc_pool(f: Fields, rng: np.random.Generator) -> Layer:
    kernel = f.pair("kernel")
    return AccPool(f.name, f.integer("height"), f.integer("width"), f.integer("channels"), kernel,
                   f.pair("stride", kernel), f.dtype("element"), f.integer("pe", 1))


def _fork(f: Fields, rng: np.random.Generator) -> Layer:
    return Fork(f.name, f.integer("channels"), f.dtype("element"), f.integer("pixels"), f.integer("outputs", 2),
                f.integer("pe", 1))


def _add(f: Fields, rng: np.random.Generator) -> Layer:
    return Add(f.name, f.integer("channels"), f.dtype("left"), f.dtype("right"), f.integer("pixels"),
               f.integer("pe", 1))


def _concat(f: Fields, rng: np.random.Generator) -> Layer:
    return Concat(f.name, f.counts("channels"), f.dtype("element"), f.integer("pixels"), f.integer("pe", 1))


def _upsample(f: Fields, rng: np.random.Generator) -> Layer:
    return Upsample(f.name, f.integer("height"), f.integer("width"), f.integer("channels"), f.pair("scale"),
                    f.dtype("element"), f.integer("simd", 1))


def _label_select(f: Fields, rng: np.random.Generator) -> Layer:
    return LabelSelect(f.name, f.integer("labels"), f.dtype("element"), f.integer("k", 1), f.integer("pe", 1))


def _dwc(f: Fields, rng: np.random.Generator) -> Layer:
    return Dwc(f.name, f.integer("in_lanes"), f.integer("out_lanes"), f.dtype("element"), f.integer("words"))


def _fifo(f: Fields, rng: np.random.Generator) -> Layer:
    return Fifo(f.name, f.integer("depth"), f.integer("lanes", 1), f.dtype("element"), f.integer("words"))


#: How a spec of each kind becomes a layer.
BUILDERS: dict[str, Callable[[Fields, np.random.Generator], Layer]] = {
    "mvtu": _mvtu, "vvtu": _vvtu, "swu": _swu, "parallel_swu": _parallel_swu, "threshold": _threshold,
    "requant": _requant, "max_pool": _max_pool, "acc_pool": _acc_pool, "fork": _fork, "add": _add, "concat": _concat,
    "upsample": _upsample, "dwc": _dwc, "fifo": _fifo, "label_select": _label_select,
}
