"""Products with weights in an ONNX graph: Conv, MatMul, Gemm, and the windows of Im2Col times a matrix."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from headrace.errors import InputError, UnsupportedError
from headrace.frontend.onnx.builder import Call, Frame, Handler
from headrace.frontend.onnx.graph import OnnxNode
from headrace.frontend.onnx.refusals import ATTENTION
from headrace.frontend.onnx.values import Constant, Feature, Value, Windows, pair
from headrace.layers.window_geometry import Pair, out_size
from headrace.network import ops, tensor_ops
from headrace.network.ops import FloatArray, Pad, QuantWeight


def frame_of(x: Feature, channels_last: bool = False) -> Frame:
    """Axes of x that are channel, height and width. Raises UnsupportedError for other than 1-D and 2-D."""
    if len(x.shape) == 2:
        return (1, None, 0) if channels_last else (0, None, 1)
    if len(x.shape) == 3:
        return (2, 0, 1) if channels_last else (0, 1, 2)
    raise UnsupportedError(f"meets a tensor of shape {x.shape}; use (channels, length) or (channels, height, width)")


def spatial_pads(name: str, pads: tuple[int, ...]) -> Pad:
    """(top, left, bottom, right) of begins and ends along one or two axes."""
    if len(pads) not in (2, 4) or min(pads) < 0:
        raise InputError(f"its {name} {pads} should be begins and ends along one or two axes, none negative")
    return (0, pads[0], 0, pads[1]) if len(pads) == 2 else (pads[0], pads[1], pads[2], pads[3])


def pads_of(node: OnnxNode, size: Pair, kernel: Pair, stride: Pair, dilation: Pair) -> Pad:
    """(top, left, bottom, right) from pads or auto_pad."""
    mode = node.text("auto_pad", "NOTSET")
    if mode in ("NOTSET", ""):
        return spatial_pads("pads", node.integers("pads") or (0, 0, 0, 0))
    if mode == "VALID":
        return (0, 0, 0, 0)
    if mode not in ("SAME_UPPER", "SAME_LOWER"):
        raise InputError(f"its auto_pad {mode!r} is unknown; use NOTSET with pads")
    totals = [max((math.ceil(n / s) - 1) * s + (k - 1) * d + 1 - n, 0)
              for n, k, s, d in zip(size, kernel, stride, dilation, strict=True)]
    begins = [(total + (mode == "SAME_LOWER")) // 2 for total in totals]
    return (begins[0], begins[1], totals[0] - begins[0], totals[1] - begins[1])


def _conv(call: Call, channels_last: bool = False) -> Feature:
    x, node = call.feature(), call.node
    target = frame_of(x, channels_last)
    weight = call.build.weight(_kernel(call.constant(1, "weight"), channels_last, len(x.shape)))
    kernel = pair("kernel", weight.codes.shape[2:])
    stated = node.integers("kernel_shape")
    if stated is not None and pair("kernel_shape", stated) != kernel:
        raise InputError(f"its kernel_shape {stated} contradicts its weights of shape {weight.codes.shape}")
    stride = pair("strides", node.integers("strides") or (1, 1))
    dilation = pair("dilations", node.integers("dilations") or (1, 1))
    source = call.build.arranged(x, target)
    size = call.build.shapes[source][1:]
    pads = pads_of(node, (size[0], size[1]), kernel, stride, dilation)
    bias = call.floats(2, "bias").reshape(-1) if call.has(2) else None
    return call.build.placed(_emit_conv(call, source, weight, bias, stride, pads, dilation, node.integer("group", 1)),
                             x, target)


def _kernel(constant: Constant, channels_last: bool, rank: int) -> Constant:
    """Weights (C_out, C_in / groups, K_h, K_w) of a kernel with `rank` - 1 spatial axes."""
    if len(constant.shape) != rank + 1:
        raise InputError(f"weights of shape {constant.shape} meet a tensor of {rank + 1} axes; they should have "
                         f"{rank + 1}")
    if channels_last:
        constant = constant.mapped(lambda values: np.moveaxis(values, -1, 1))
    if rank == 2:
        constant = constant.mapped(lambda values: values[:, :, None, :])
    return constant


def _emit_conv(call: Call, source: str, weight: QuantWeight, bias: FloatArray | None, stride: Pair, pads: Pad,
               dilation: Pair, groups: int) -> str:
    """Append a convolution, which takes over a border of zeros in front of it."""
    if groups < 1:
        raise InputError(f"its group {groups} should be 1 or more")
    maker = call.build.nodes.get(source)
    if maker is not None and isinstance(maker.op, tensor_ops.PadFrame) and maker.op.value == 0:
        source = maker.inputs[0]
        top, left, bottom, right = (own + other for own, other in zip(pads, maker.op.pad, strict=True))
        pads = (top, left, bottom, right)
    if bias is not None and bias.shape != weight.codes.shape[:1]:
        raise InputError(f"its bias of {bias.size} values meets {len(weight.codes)} output channels")
    return call.emit(ops.Conv(weight, bias, stride, pads, dilation, groups), source)


def matrix(constant: Constant) -> Constant:
    """Weights (in, out) of a MatMul as (out, in)."""
    if len(constant.shape) != 2:
        raise UnsupportedError(f"multiplies by a constant of shape {constant.shape}; use a matrix (in, out)")
    return constant.mapped(np.transpose)


def product(call: Call, x: Feature, weight: QuantWeight, bias: FloatArray | None = None) -> Feature:
    """x (..., in) times weights (out, in): a dense layer, or a 1x1 convolution where there are positions."""
    last = len(x.shape) - 1
    if x.shape[last] != weight.codes.shape[1]:
        raise InputError(f"weights for {weight.codes.shape[1]} inputs meet a tensor of shape {x.shape}; mend "
                         "the weights or the layer before")
    positions = [axis for axis in x.wide_axes if axis != last]
    if positions:
        return _pointwise(call, x, positions, weight, bias)
    if x.order is not None:
        weight = QuantWeight(weight.codes[:, np.argsort(x.order)], weight.scale, weight.dtype)
    name = call.emit(ops.Linear(weight, bias), call.build.vector(x))
    shape = (*x.shape[:-1], len(weight.codes))
    return Feature(name, shape, (*(None for _ in x.shape[:-1]), 0 if len(weight.codes) > 1 else None))


def _pointwise(call: Call, x: Feature, positions: list[int], weight: QuantWeight, bias: FloatArray | None) -> Feature:
    if len(positions) > 2:
        raise UnsupportedError(f"multiplies a tensor of shape {x.shape} along its last axis; use at most height "
                               "and width")
    target: Frame = (len(x.shape) - 1, positions[0] if len(positions) == 2 else None, positions[-1])
    kernel = QuantWeight(weight.codes[:, :, None, None], weight.scale, weight.dtype)
    return call.build.placed(call.emit(ops.Conv(kernel, bias), call.build.arranged(x, target)), x, target)


def windows_product(call: Call, windows: Windows, constant: Constant) -> Feature:
    """Im2Col and MatMul: a convolution with channels last."""
    x, (k_h, k_w), channels = windows.source, windows.kernel, windows.source.shape[2]
    if constant.shape[1] != k_h * k_w * channels:
        raise InputError(f"weights for {constant.shape[1]} inputs meet windows of {k_h}x{k_w}x{channels}")
    kernel = constant.mapped(lambda values: values.reshape(-1, k_h, k_w, channels).transpose(0, 3, 1, 2))
    groups = channels if windows.depthwise and _is_depthwise(kernel.values) else 1
    if groups > 1:
        own = np.arange(len(kernel.values)) // (len(kernel.values) // groups)
        kernel = kernel.mapped(lambda values: values[np.arange(len(values)), own][:, None])
    source, pads = call.build.arranged(x, (2, 0, 1)), windows.pad
    if windows.pad_value and any(pads):
        source = call.emit(tensor_ops.PadFrame(pads, windows.pad_value), source, suffix=".pad")
        pads = (0, 0, 0, 0)
    made = _emit_conv(call, source, call.build.weight(kernel), None, windows.stride, pads, windows.dilation, groups)
    return call.build.placed(made, x, (2, 0, 1))


def _is_depthwise(weights: FloatArray) -> bool:
    """True if every output channel reads the one input channel of its group."""
    c_out, c_in = weights.shape[:2]
    if c_out % c_in:
        return False
    others = np.arange(c_in)[None, :] != (np.arange(c_out) // (c_out // c_in))[:, None]
    return not np.any(weights[others])


def window_count(windows: Windows) -> tuple[int, int]:
    """Output height and width of windows."""
    top, left, bottom, right = windows.pad
    height, width, _ = windows.source.shape
    return (out_size(height, windows.kernel[0], windows.stride[0], windows.dilation[0], top, bottom),
            out_size(width, windows.kernel[1], windows.stride[1], windows.dilation[1], left, right))


def _matmul(call: Call) -> Feature:
    weight = matrix(_weights(call, 1))
    if isinstance(call.values[0], Windows):
        return windows_product(call, call.values[0], weight)
    return product(call, call.feature(), call.build.weight(weight))


def _weights(call: Call, place: int) -> Constant:
    if isinstance(call.values[0], Constant):
        raise UnsupportedError("multiplies a constant by a computed tensor; put the weights on the right")
    if call.has(place) and isinstance(call.values[place], Feature):
        raise UnsupportedError(ATTENTION)
    return call.constant(place, "weight")


def _gemm(call: Call) -> Feature:
    x, node = call.feature(), call.node
    if node.integer("transA", 0) or len(x.shape) != 1:
        raise UnsupportedError("transposes its input or reads more than a vector per sample; use transA=0 and a "
                               "Flatten")
    weight = _weights(call, 1)
    if len(weight.shape) != 2:
        raise InputError(f"multiplies by a constant of shape {weight.shape}; a matrix is needed")
    made = call.build.weight(weight if node.integer("transB", 0) else matrix(weight))
    made = QuantWeight(made.codes, made.scale * node.number("alpha", 1.0), made.dtype)
    bias = None
    if call.has(2):
        values = call.floats(2, "bias") * node.number("beta", 1.0)
        if values.size not in (1, len(made.codes)):
            raise InputError(f"its bias of {values.size} values meets {len(made.codes)} outputs")
        bias = np.broadcast_to(values.reshape(-1), len(made.codes)).copy()
    return product(call, x, made, bias)


def channels_last(handler: Callable[[Call, bool], Value]) -> Handler:
    """The handler of a node whose tensors have their channels last."""
    return lambda call: handler(call, True)


HANDLERS: dict[str, Handler] = {"Conv": _conv, "MatMul": _matmul, "Gemm": _gemm}
CHANNELS_LAST: dict[str, Handler] = {"Conv": channels_last(_conv)}
