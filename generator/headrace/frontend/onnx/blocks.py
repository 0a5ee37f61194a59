"""Nodes that move elements between channels and blocks of pixels: DepthToSpace, SpaceToDepth, ConvTranspose.

A transposed convolution is a convolution over the small map, with a row for every pixel of a block and every channel,
whose channels then become blocks: no inserted zero is multiplied.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from headrace.datatypes import IntArray, Interval, hull
from headrace.errors import InputError, UnsupportedError
from headrace.frontend.onnx.builder import Call, Handler
from headrace.frontend.onnx.products import frame_of
from headrace.frontend.onnx.values import Codes, Constant, Feature, Value, pair
from headrace.layers.window_geometry import Pair
from headrace.network import ops
from headrace.network.moves import Crop, SelectChannels
from headrace.network.ops import FloatArray, QuantWeight, Shape
from headrace.network.tensor_ops import Transpose


def _rearranged(call: Call, source: str, parts: Shape, axes: tuple[int, ...], shape: Shape) -> str:
    """The elements of a tensor in the parts of its axes, these in another order, and joined again."""
    name = call.emit(ops.Reshape(parts), source, suffix=".parts")
    name = call.emit(Transpose(axes), name, suffix=".transpose")
    return call.emit(ops.Reshape(shape), name)


def to_space(call: Call, source: str, block: Pair, blocks_first: bool = True) -> str:
    """Channels as blocks of pixels; blocks_first: a block's pixels are the outer part of the channels (DCR)."""
    channels, height, width = call.build.shapes[source]
    if channels % (block[0] * block[1]):
        raise InputError(f"its {channels} channels do not fill blocks of {block[0]}x{block[1]} pixels; use a multiple "
                         f"of {block[0] * block[1]}")
    left = channels // (block[0] * block[1])
    parts, axes = ((*block, left), (2, 3, 0, 4, 1)) if blocks_first else ((left, *block), (0, 3, 1, 4, 2))
    return _rearranged(call, source, (*parts, height, width), axes, (left, height * block[0], width * block[1]))


def _to_depth(call: Call, source: str, block: Pair) -> str:
    channels, height, width = call.build.shapes[source]
    if height % block[0] or width % block[1]:
        raise InputError(f"its {height}x{width} pixels are not made of blocks of {block[0]}x{block[1]}; pad or crop "
                         "them")
    rows, columns = height // block[0], width // block[1]
    return _rearranged(call, source, (channels, rows, block[0], columns, block[1]), (2, 4, 0, 1, 3),
                       (channels * block[0] * block[1], rows, columns))


def _of_feature(call: Call, to_depth: bool) -> Value:
    """A move of a tensor, or of the integer codes of one."""
    value, node = call.values[0], call.node
    x = value.source if isinstance(value, Codes) else call.feature()
    target = frame_of(x)
    size, mode = node.integer("blocksize", 0), node.text("mode", "DCR")
    if size < 1 or None in target:
        raise InputError(f"its blocksize {size} meets a tensor of shape {x.shape}; use 1 or more, and (channels, "
                         "height, width)")
    if mode not in ("DCR", "CRD"):
        raise InputError(f"its mode {mode!r} is unknown; use DCR or CRD")
    source, block = call.build.arranged(x, target), (size, size)
    name = _to_depth(call, source, block) if to_depth else to_space(call, source, block, mode == "DCR")
    made = call.build.placed(name, x, target)
    return value.of(made) if isinstance(value, Codes) else made


@dataclass(frozen=True)
class _Axis:
    """A transposed convolution along one axis: y[o] = sum over i, k of x[i] * w[k], with o + pad = i*stride + k.

    size: of the input; pads: what is left out of the sums (begin, end), of the output before `extra` is added.
    """

    size: int
    kernel: int
    stride: int
    pads: tuple[int, int]
    extra: int

    @property
    def out(self) -> int:
        """Size of the output."""
        return (self.size - 1) * self.stride + self.kernel - sum(self.pads) + self.extra

    @property
    def taps(self) -> list[dict[int, int]]:
        """For each of the `stride` outputs of a step: distance of the input's element to the step, and the tap.

        Output m*stride + r takes the taps k = t, t + stride, ... of the elements m + q, m + q - 1, ..., where t and q
        are the rest and the quotient of (r + pad) / stride.
        """
        found = []
        for r in range(self.stride):
            q, t = divmod(r + self.pads[0], self.stride)
            found.append({q - j: k for j, k in enumerate(range(t, self.kernel, self.stride))})
        return found

    @property
    def steps(self) -> int:
        """Steps that the output takes; the last one may be longer than what is left."""
        return -(-self.out // self.stride)

    @property
    def reach(self) -> tuple[int, int]:
        """Distances from the first to the last element that any output takes, and those that the steps pass."""
        distances = [distance for taps in self.taps for distance in taps]
        return min(0, *distances), max(0, self.size - self.steps, *distances)

    @property
    def border(self) -> tuple[int, int]:
        """Zeros in front of the input and behind it."""
        first, last = self.reach
        return -first, self.steps - self.size + last


def _conv_transpose(call: Call) -> Feature:
    x, node = call.feature(), call.node
    target = frame_of(x)
    groups = node.integer("group", 1)
    weight = _kernel(call.constant(1, "weight"), groups, len(x.shape))
    source = call.build.arranged(x, target)
    axes = _axes(call, call.build.shapes[source], (weight.codes.shape[2], weight.codes.shape[3]))
    bias = call.floats(2, "bias").reshape(-1) if call.has(2) else None
    if bias is not None and len(bias) != len(weight.codes):
        raise InputError(f"its bias of {bias.size} values meets {len(weight.codes)} output channels")
    name = _product(call, source, weight, bias, axes, groups)
    block = (axes[0].stride, axes[1].stride)
    if block != (1, 1):
        name = to_space(call, name, block)
    out = (axes[0].out, axes[1].out)
    if call.build.shapes[name][1:] != out:
        name = call.emit(Crop((0, 0), out), name, suffix=".crop")
    return call.build.placed(name, x, target)


def _kernel(constant: Constant, groups: int, rank: int) -> QuantWeight:
    """Weights (C_out, C_in / groups, K_h, K_w) of those of a transposed convolution, (C_in, C_out / groups, ...)."""
    shape = constant.shape
    if len(shape) != rank + 1 or groups < 1 or shape[0] % groups:
        raise InputError(f"weights of shape {shape} in {groups} groups meet a tensor of {rank + 1} axes; they should "
                         "be (C_in, C_out / groups, kernel), with groups that divide C_in")
    inner = (groups, shape[0] // groups, shape[1], *((1,) if rank == 2 else ()), *shape[2:])
    weight = constant.mapped(lambda values: values.reshape(inner).swapaxes(1, 2).reshape(
        groups * shape[1], shape[0] // groups, *inner[3:])).weight()
    if weight.group_scales is None:
        return weight
    integers = weight.integers
    return QuantWeight(integers, weight.scale, hull(weight.dtype, Interval(int(integers.min()), int(integers.max()))))


def _axes(call: Call, shape: Shape, kernel: Pair) -> tuple[_Axis, _Axis]:
    """Both axes of the frame from the attributes of the node."""
    node = call.node
    one = len(call.feature().shape) == 2
    stride = pair("strides", node.integers("strides") or (1,) * (1 if one else 2))
    dilation = pair("dilations", node.integers("dilations") or (1,) * (1 if one else 2))
    stated = node.integers("kernel_shape")
    if stated is not None and pair("kernel_shape", stated) != kernel:
        raise InputError(f"its kernel_shape {stated} contradicts its weights with a kernel of {kernel}")
    if dilation != (1, 1):
        raise UnsupportedError(f"is dilated by {dilation}; use dilations of 1, or a larger kernel with zeros in it")
    extra = _two(node.integers("output_padding") or (0, 0), "output_padding")
    axes = tuple(_Axis(n, k, s, (0, 0), e) for n, k, s, e in zip(shape[1:], kernel, stride, extra, strict=True))
    pads = _pads(call, axes)
    vertical, horizontal = (replace(axis, pads=ends) for axis, ends in zip(axes, pads, strict=True))
    if min(vertical.out, horizontal.out) < 1:
        raise InputError(f"its pads {pads} leave nothing of its output; use smaller ones")
    return vertical, horizontal


def _two(values: tuple[int, ...], what: str) -> Pair:
    """(vertical, horizontal) of one or two sizes, 0 included."""
    if len(values) not in (1, 2) or min(values) < 0:
        raise InputError(f"its {what} {values} should be one or two integers from 0 on; export the model again")
    return (0, values[0]) if len(values) == 1 else (values[0], values[1])


def _pads(call: Call, axes: tuple[_Axis, ...]) -> list[tuple[int, int]]:
    """What is left out (begin, end) along both axes: by pads, or so that the output has a given size."""
    node, mode = call.node, call.node.text("auto_pad", "NOTSET")
    wanted = node.integers("output_shape")
    if mode in ("SAME_UPPER", "SAME_LOWER") and wanted is None:
        wanted = tuple(axis.size * axis.stride for axis in axes)
    if wanted is None:
        given = (0, 0, 0, 0) if mode == "VALID" else node.integers("pads") or (0, 0, 0, 0)
        top, left, bottom, right = (0, given[0], 0, given[1]) if len(given) == 2 else given
        return [(top, bottom), (left, right)]
    sizes = (1, *wanted)[-2:]
    totals = [axis.out - size for axis, size in zip(axes, sizes, strict=True)]
    begins = [total // 2 if mode == "SAME_UPPER" else total - total // 2 for total in totals]
    return [(begin, total - begin) for begin, total in zip(begins, totals, strict=True)]


def _product(call: Call, source: str, weight: QuantWeight, bias: FloatArray | None, axes: tuple[_Axis, _Axis],
             groups: int) -> str:
    """The convolution of a row for every pixel of a block: pixels first, each with all channels."""
    count, channels = axes[0].stride * axes[1].stride, call.build.shapes[source][0]
    rows = _rows(weight.codes, axes)
    scale = np.tile(weight.scale, count) if len(weight.scale) > 1 else weight.scale
    biases = None if bias is None else np.tile(bias, count)
    if groups == channels > 1 and count > 1:  # every pixel of a block reads all channels, one kernel each
        source = call.emit(SelectChannels(tuple(range(channels)) * count), source, suffix=".copies")
        groups *= count
    dtype = weight.dtype if weight.dtype.contains(rows) else hull(weight.dtype, Interval(0, 0))
    order = _by_group(len(weight.codes), count, groups) if 1 < groups < channels else np.arange(len(rows))
    made = QuantWeight(rows[order], scale if len(scale) == 1 else scale[order], dtype)
    (top, bottom), (left, right) = axes[0].border, axes[1].border
    conv = ops.Conv(made, None if biases is None else biases[order], pad=(top, left, bottom, right), groups=groups)
    name = call.emit(conv, source, suffix=".rows")
    if 1 < groups < channels:
        name = call.emit(SelectChannels(tuple(np.argsort(order).tolist())), name, suffix=".order")
    return name


def _rows(codes: IntArray, axes: tuple[_Axis, _Axis]) -> IntArray:
    """(stride_h * stride_w * C_out, C_in, kernel) of codes (C_out, C_in, K_h, K_w); taps that are none are 0."""
    spans = [axis.reach[1] - axis.reach[0] + 1 for axis in axes]
    rows = np.zeros((axes[0].stride, axes[1].stride, *codes.shape[:2], *spans), np.int64)
    for i, vertical in enumerate(axes[0].taps):
        for j, horizontal in enumerate(axes[1].taps):
            for (y, k_h), (x, k_w) in ((one, other) for one in vertical.items() for other in horizontal.items()):
                rows[i, j, :, :, y - axes[0].reach[0], x - axes[1].reach[0]] = codes[:, :, k_h, k_w]
    return rows.reshape(-1, codes.shape[1], *spans)


def _by_group(channels: int, count: int, groups: int) -> IntArray:
    """Rows (pixel of a block, group, channel) in the order in which a convolution has its groups, one after another."""
    rows = np.arange(count * channels).reshape(count, groups, channels // groups)
    return rows.transpose(1, 0, 2).reshape(-1)


HANDLERS: dict[str, Handler] = {
    "DepthToSpace": lambda call: _of_feature(call, False), "SpaceToDepth": lambda call: _of_feature(call, True),
    "ConvTranspose": _conv_transpose,
}
