"""Pooling, padding and upsampling in an ONNX graph."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from headrace.errors import InputError, UnsupportedError
from headrace.frontend.onnx.builder import Call, Frame, Handler
from headrace.frontend.onnx.constants import axes_of
from headrace.frontend.onnx.graph import require_elements
from headrace.frontend.onnx.moves import taken
from headrace.frontend.onnx.products import channels_last, frame_of, pads_of, spatial_pads
from headrace.frontend.onnx.qcdq import quantized
from headrace.frontend.onnx.values import Codes, Constant, Feature, Value, pair
from headrace.layers.window_geometry import Pair
from headrace.network import ops, tensor_ops
from headrace.network.ops import FloatArray, Pad

NO_PAD: Pad = (0, 0, 0, 0)


def _extra(size: Pair, kernel: Pair, stride: Pair, pads: Pad) -> Pair:
    """Rows and columns that ceil_mode adds behind the last full window; a window never starts in the border."""
    extra = []
    for n, k, s, before, after in zip(size, kernel, stride, pads[:2], pads[2:], strict=True):
        span = n + before + after - k
        count = math.ceil(span / s) + 1
        if (count - 1) * s >= n + before:
            count -= 1
        extra.append(max((count - 1) * s - span, 0))
    return extra[0], extra[1]


def _pool(call: Call, last: bool, op: type[ops.MaxPool] | type[tensor_ops.AvgPool], border: float) -> Feature:
    """A pooling node; a border is a node of its own."""
    x, node = call.feature(), call.node
    target = frame_of(x, last)
    given = node.integers("kernel_shape")
    if given is None:
        raise InputError("lacks its kernel_shape; export the model again")
    kernel = pair("kernel_shape", given)
    stride = pair("strides", node.integers("strides") or (1,) * len(given))
    if pair("dilations", node.integers("dilations") or (1, 1)) != (1, 1):
        raise UnsupportedError("pools with dilation, which no streaming layer does; use dilations of 1")
    source = call.build.arranged(x, target)
    size = (call.build.shapes[source][1], call.build.shapes[source][2])
    pads = pads_of(node, size, kernel, stride, (1, 1))
    if any(pad >= k for pad, k in zip(pads, (*kernel, *kernel), strict=True)):
        raise InputError(f"its pads {pads} reach its kernel_shape {kernel}, so some windows hold the border alone; use "
                         "smaller pads")
    if node.integer("ceil_mode", 0):
        below, right = _extra(size, kernel, stride, pads)
        if op is tensor_ops.AvgPool and (below or right):
            raise UnsupportedError("averages over incomplete windows at the edge; use ceil_mode=0")
        pads = (pads[0], pads[1], pads[2] + below, pads[3] + right)
    if any(pads):
        source = call.emit(tensor_ops.PadFrame(pads, border), source, suffix=".pad")
    return call.build.placed(call.emit(op(kernel, stride), source), x, target)


def _max_pool(call: Call, last: bool = False) -> Value:
    """A maximum, of codes too: they rise with their values."""
    codes = call.values[0]
    if not isinstance(codes, Codes):
        return _pool(call, last, ops.MaxPool, -math.inf)
    inner = Call(call.node, (quantized(call.build, codes),), call.build)
    return codes.of(_pool(inner, last, ops.MaxPool, -math.inf))


def _average_pool(call: Call) -> Feature:
    pads = call.node.integers("pads") or NO_PAD
    padded = any(pads) or call.node.text("auto_pad", "NOTSET").startswith("SAME")
    if padded and not call.node.integer("count_include_pad", 0):
        raise UnsupportedError("averages over fewer values at the edge; use count_include_pad=1 or no pads")
    return _pool(call, False, tensor_ops.AvgPool, 0.0)


def _global_pool(op: type[ops.MaxPool] | type[tensor_ops.AvgPool]) -> Handler:
    def handler(call: Call) -> Feature:
        x = call.feature()
        target = frame_of(x)
        source = call.build.arranged(x, target)
        size = (call.build.shapes[source][1], call.build.shapes[source][2])
        return call.build.placed(call.emit(op(size, (1, 1)), source), x, target)
    return handler


def _reduced(op: type[ops.MaxPool] | type[tensor_ops.AvgPool]) -> Handler:
    """A handler for the mean or maximum over height, width or both, and for the maximum over channels at the end."""
    return lambda call: _reduce(call, op)


def _sum(call: Call) -> Feature:
    """The mean times the number of values."""
    mean = _reduce(call, tensor_ops.AvgPool)
    return call.build.affine(mean, math.prod(call.feature().shape) / math.prod(mean.shape), 0.0, suffix=".sum")


def _reduce(call: Call, op: type[ops.MaxPool] | type[tensor_ops.AvgPool]) -> Feature:
    x, keep = call.feature(), call.node.integer("keepdims", 1) == 1
    inputs = [value if isinstance(value, Constant) else None for value in call.values]
    axes = axes_of(call.node, inputs)
    if not axes:
        raise UnsupportedError("reduces all axes, the batch included; give it the axes of height and width")
    chosen = {call.axis(axis, len(x.shape)) for axis in axes}
    made = x if chosen.isdisjoint(x.wide_axes) else _pooled(call, x, chosen, op)
    shape = made.shape if keep else tuple(size for axis, size in enumerate(made.shape) if axis not in chosen)
    kept = made.with_units(shape)
    assert kept is not None  # only axes of size 1 are dropped
    return kept


def _pooled(call: Call, x: Feature, chosen: set[int], op: type[ops.MaxPool] | type[tensor_ops.AvgPool]) -> Feature:
    """A pool over axes of which at least one is wide; they stay, with size 1."""
    wide = chosen & set(x.wide_axes)
    if op is ops.MaxPool and {x.axes[axis] for axis in wide} == {0}:
        return _largest_channel(call, x, wide.pop())
    target = _averaged_frame(call, x, chosen)
    kernel = [1 if axis is None or axis not in chosen else x.shape[axis] for axis in target[1:]]
    pool = op((kernel[0], kernel[1]), (1, 1))
    return call.build.placed(call.emit(pool, call.build.arranged(x, target)), x, target)


def _largest_channel(call: Call, x: Feature, axis: int) -> Feature:
    """The maximum over the channels, which the host takes at the end of a model."""
    target = (axis, *(other for other in range(len(x.shape)) if other != axis))
    name = call.emit(tensor_ops.Maximum(), call.build.arranged(x, target))
    back = tuple(target.index(place) for place in range(len(x.shape)))
    return Feature.whole(name, call.build.shapes[name]).permuted(back)


def _averaged_frame(call: Call, x: Feature, chosen: set[int]) -> Frame:
    """Axes of x that are channel, height and width where the chosen ones are averaged."""
    if len(call.build.shapes[x.name]) == 3:
        streamed = [next((axis for axis in x.wide_axes if x.axes[axis] == place), None) for place in range(3)]
        if streamed[0] not in chosen:
            return streamed[0], streamed[1], streamed[2]
    others = [axis for axis in range(len(x.shape)) if axis not in chosen]
    channel = next((axis for axis in others if x.shape[axis] > 1), others[0] if others else None)
    spatial = [axis for axis in x.wide_axes if axis != channel]
    if channel is None or len(spatial) > 2:
        raise UnsupportedError(f"reduces a tensor of shape {x.shape} over {len(chosen & set(x.wide_axes))} axes; keep "
                               "the channels and reduce height, width or both")
    return channel, spatial[0] if len(spatial) == 2 else None, spatial[-1] if spatial else None


def _pad(call: Call) -> Feature:
    x, node = call.feature(), call.node
    if node.text("mode", "constant") != "constant":
        raise UnsupportedError(f"pads by {node.text('mode', '')}; use constant padding")
    pads = call.integers(1, "pads") if call.has(1) else node.integers("pads") or ()
    value = call.number(2, "value") if call.has(2) else node.number("value", 0.0)
    rank = len(x.shape) + 1
    axes = call.integers(3, "axes") if call.has(3) else tuple(range(rank))
    if len(pads) != 2 * len(axes):
        raise InputError(f"its pads {pads} should be a begin and an end for each of {len(axes)} axes")
    begins, ends = [0] * rank, [0] * rank
    for axis, begin, end in zip(axes, pads[: len(axes)], pads[len(axes) :], strict=True):
        if not -rank <= axis < rank:
            raise InputError(f"pads axis {axis} of a tensor of {rank} axes; export the model again")
        begins[axis], ends[axis] = begin, end
    if begins[0] or ends[0]:
        raise UnsupportedError("pads the batch; leave axis 0 alone")
    x = _cut_and_filled(call, x, begins[1:], ends[1:], value)
    if not any(n > 0 for n in (*begins[2:], *ends[2:])):
        return x
    target = frame_of(x)
    border = spatial_pads("pads", tuple(max(n, 0) for n in (*begins[2:], *ends[2:])))
    return call.build.placed(call.emit(tensor_ops.PadFrame(border, value), call.build.arranged(x, target)), x, target)


def _cut_and_filled(call: Call, x: Feature, begins: list[int], ends: list[int], value: float) -> Feature:
    """What negative pads take away, and the channels that are added in front and behind."""
    require_elements("its output", tuple(max(sum(sizes), 0) for sizes in zip(x.shape, begins, ends, strict=True)))
    for axis, (begin, end) in enumerate(zip(begins, ends, strict=True)):
        kept = range(max(-begin, 0), x.shape[axis] - max(-end, 0))
        filled = [-1] * max(begin, 0), [-1] * max(end, 0)
        x = taken(call, x, axis, kept if axis else [*filled[0], *kept, *filled[1]], value)
    return x


def _nearest(out: int, scale: float, coordinates: str, rule: str) -> list[int]:
    """Source index of every output index along one axis, as ONNX defines Resize."""
    at = np.arange(out * round(scale), dtype=np.float64)
    source = at / scale if coordinates == "asymmetric" else (at + 0.5) / scale - 0.5
    rules: dict[str, Callable[[FloatArray], FloatArray]] = {
        "round_prefer_floor": lambda p: np.ceil(p - 0.5), "round_prefer_ceil": lambda p: np.floor(p + 0.5),
        "floor": np.floor, "ceil": np.ceil}
    if rule not in rules:
        raise InputError(f"its nearest_mode {rule!r} is unknown; use floor")
    return [int(n) for n in np.clip(rules[rule](source), 0, out - 1)]


def _resize(call: Call) -> Feature:
    """Upsample and Resize, where they repeat every pixel a whole number of times."""
    x, node = call.feature(), call.node
    if node.text("mode", "nearest") != "nearest":
        raise UnsupportedError(f"interpolates ({node.text('mode', '')}); use mode nearest, or a depthwise "
                               "ConvTranspose")
    scales = _scales(call, x)
    last = len(scales) > 2 and scales[1] != 1 and scales[-1] == 1  # the axis that is not resized holds the channels
    target = frame_of(x, last)
    whole = [float(s).is_integer() and s >= 1 for s in scales]
    if len(scales) != len(x.shape) + 1 or not all(whole) or scales[0] != 1 or scales[-1 if last else 1] != 1:
        raise UnsupportedError(f"resizes by {scales}; use whole factors for height and width only")
    old = node.op_type == "Upsample" or call.build.graph.opset < 11  # before Resize could choose
    coordinates = node.text("coordinate_transformation_mode", "asymmetric" if old else "half_pixel")
    rule = node.text("nearest_mode", "floor" if old else "round_prefer_floor")
    if coordinates not in ("half_pixel", "pytorch_half_pixel", "half_pixel_symmetric", "asymmetric"):
        raise UnsupportedError(f"resizes with coordinates {coordinates!r}; use asymmetric")
    resized = [(x.shape[axis], scales[axis + 1]) for axis in target[1:] if axis is not None]
    for size, scale in resized:
        if size * scale > 1 << 16 or _nearest(size, scale, coordinates, rule) != [
                place // int(scale) for place in range(size * int(scale))]:
            raise UnsupportedError(f"resizes with {coordinates} and {rule}, which does not repeat every pixel "
                                   f"{int(scale)} times; use asymmetric and floor")
    factors = pair("scales", tuple(int(scale) for _, scale in resized))
    return call.build.placed(call.emit(tensor_ops.Upsample(factors), call.build.arranged(x, target)), x, target)


def _scales(call: Call, x: Feature) -> list[float]:
    """Factors by axis: an attribute of old versions, else an input, else from the sizes wanted."""
    if "scales" in call.node.attributes:
        return [float(scale) for scale in call.node.attributes["scales"]]
    place = 1 if len(call.values) < 3 else 2
    if call.has(place) and call.constant(place, "scales").values.size:
        return [float(scale) for scale in call.floats(place, "scales").reshape(-1)]
    sizes, full = call.integers(3, "sizes"), (call.build.graph.batch, *x.shape)
    if len(sizes) != len(full):
        raise InputError(f"its sizes {sizes} should be one for each axis of a tensor of shape {full}")
    return [wanted / size for wanted, size in zip(sizes, full, strict=True)]


HANDLERS: dict[str, Handler] = {
    "MaxPool": _max_pool, "AveragePool": _average_pool, "Pad": _pad, "ReduceMean": _reduced(tensor_ops.AvgPool),
    "ReduceMax": _reduced(ops.MaxPool), "ReduceSum": _sum,
    "GlobalAveragePool": _global_pool(tensor_ops.AvgPool), "GlobalMaxPool": _global_pool(ops.MaxPool),
    "Upsample": _resize, "Resize": _resize, "MaxPoolNHWC": channels_last(_max_pool),
}
CHANNELS_LAST: dict[str, Handler] = {"MaxPool": channels_last(_max_pool)}
