"""Random .tflite files: chains and branches of operators with drawn scales, zero points and weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from hypothesis import strategies as st

from tests.frontend.tflite_files import RELU, RELU6, SAME, VALID, TfliteFile
from tests.random_networks.descriptions import CodesDescription, CodesLayer

_ONES = {"DilationHFactor": 1, "DilationWFactor": 1}

layers = st.fixed_dictionaries({
    "op": st.sampled_from((
        "conv", "depthwise", "max_pool", "average_pool", "add", "concat", "leaky", "requantize", "pad", "mean", "mul",
        "sub", "logistic", "tanh", "relu", "resize", "average_inside", "dilated", "multiplied", "views")),
    "rows": st.integers(1, 5), "kernel": st.lists(st.integers(1, 3), min_size=2, max_size=2),
    "stride": st.integers(1, 2), "same": st.booleans(), "activation": st.sampled_from((0, 0, RELU, RELU6)),
    "per_tensor": st.booleans()})
#: What Hypothesis draws: plain values, so that failures shrink.
descriptions = st.fixed_dictionaries({
    "seed": st.integers(0, 1 << 16), "height": st.integers(1, 6), "width": st.integers(1, 6),
    "channels": st.integers(1, 4), "layers": st.lists(layers, min_size=1, max_size=6), "dense": st.booleans()})


@dataclass(frozen=True)
class _Codes:
    """A tensor of a file: shape (height, width, channels)."""

    number: int
    shape: tuple[int, int, int]
    scale: float
    zero: int


class _Growing:
    """A file in which every operator's output has a scale and a zero point of its own."""

    def __init__(self, seed: int) -> None:
        self.file, self.rng = TfliteFile(), np.random.default_rng(seed)

    def codes(self, shape: tuple[int, int, int], scale: float, zero: int | None = None) -> _Codes:
        """A tensor that is computed."""
        scale = float(np.float32(scale))
        zero = int(self.rng.integers(-128, 128)) if zero is None else zero
        return _Codes(self.file.codes((1, *shape), scale, zero), shape, scale, zero)

    def made(self, name: str, inputs: list[int], y: _Codes, **options: float) -> _Codes:
        """An operator with its output."""
        self.file.operator(name, inputs, y.number, **options)
        return y

    def weights(self, shape: tuple[int, ...], axis: int, x: _Codes, per_tensor: bool) -> list[int]:
        """Weights with their scales, and a bias in steps of the products."""
        scales = self.rng.uniform(0.005, 0.03, 1 if per_tensor else shape[axis]).astype(np.float32)
        W = self.file.constant(self.rng.integers(-127, 128, shape).astype(np.int8), scales.tolist(), axis)
        steps = (np.float32(x.scale) * scales).tolist()
        return [W, self.file.constant(self.rng.integers(-3000, 3000, shape[axis]).astype(np.int32), steps)]

    def near(self, x: _Codes, factor: float = 1.0) -> float:
        """A scale about as large as that of x times a factor."""
        return float(x.scale * factor * self.rng.uniform(0.5, 2))


def _fitting(x: _Codes, layer: CodesLayer) -> tuple[list[int], int, bool, tuple[int, int]]:
    """Kernel, stride, whether borders are padded, and the size that comes out."""
    kernel = [min(k, size) for k, size in zip(layer["kernel"], x.shape, strict=False)]
    stride, same = layer["stride"], layer["same"]
    height, width = (-(-size // stride) if same else (size - k) // stride + 1
                     for k, size in zip(kernel, x.shape, strict=False))
    return kernel, stride, same, (height, width)


def _conv(g: _Growing, x: _Codes, layer: CodesLayer) -> _Codes:
    kernel, stride, same, size = _fitting(x, layer)
    inputs = g.weights((layer["rows"], *kernel, x.shape[2]), 0, x, layer["per_tensor"])
    y = g.codes((*size, layer["rows"]), g.near(x, float(np.sqrt(np.prod(kernel) * x.shape[2]))))
    return g.made("CONV_2D", [x.number, *inputs], y, StrideH=stride, StrideW=stride, Padding=SAME if same else VALID,
                  FusedActivationFunction=layer["activation"], **_ONES)


def _depthwise(g: _Growing, x: _Codes, layer: CodesLayer) -> _Codes:
    kernel, stride, same, size = _fitting(x, layer)
    inputs = g.weights((1, *kernel, x.shape[2]), 3, x, False)
    y = g.codes((*size, x.shape[2]), g.near(x, float(np.sqrt(np.prod(kernel)))))
    return g.made("DEPTHWISE_CONV_2D", [x.number, *inputs], y, StrideH=stride, StrideW=stride, DepthMultiplier=1,
                  Padding=SAME if same else VALID, FusedActivationFunction=layer["activation"], **_ONES)


def _pool(name: str) -> Callable[[_Growing, _Codes, CodesLayer], _Codes]:
    def make(g: _Growing, x: _Codes, layer: CodesLayer) -> _Codes:
        kernel, stride, _, size = _fitting(x, {**layer, "same": False})
        y = g.codes((*size, x.shape[2]), x.scale, x.zero)
        return g.made(name, [x.number], y, Padding=VALID, FilterHeight=kernel[0], FilterWidth=kernel[1],
                      StrideH=stride, StrideW=stride, FusedActivationFunction=layer["activation"])
    return make


def _leaky(g: _Growing, x: _Codes, layer: CodesLayer) -> _Codes:
    return g.made("LEAKY_RELU", [x.number], g.codes(x.shape, g.near(x)), Alpha=0.125)


def _requantized(g: _Growing, x: _Codes, layer: CodesLayer) -> _Codes:
    return g.made("QUANTIZE", [x.number], g.codes(x.shape, g.near(x)))


def _added(g: _Growing, x: _Codes, layer: CodesLayer) -> _Codes:
    other = _requantized(g, x, layer) if layer["same"] else _conv(
        g, x, {**layer, "kernel": [1, 1], "stride": 1, "rows": x.shape[2]})
    y = g.codes(x.shape, g.near(x, 2.0))
    return g.made("ADD", [x.number, other.number], y, FusedActivationFunction=layer["activation"])


def _concatenated(g: _Growing, x: _Codes, layer: CodesLayer) -> _Codes:
    height, width, channels = x.shape
    inner = g.weights((layer["rows"], 1, 1, channels), 0, x, layer["per_tensor"])
    other = g.made("CONV_2D", [x.number, *inner], g.codes((height, width, layer["rows"]), x.scale, x.zero), StrideH=1,
                   StrideW=1, Padding=SAME, **_ONES)
    y = g.codes((height, width, channels + layer["rows"]), x.scale, x.zero)
    return g.made("CONCATENATION", [x.number, other.number], y, Axis=3)


def _padded(g: _Growing, x: _Codes, layer: CodesLayer) -> _Codes:
    """A border of zeros, or of any code."""
    (top, left), below = layer["kernel"], layer["stride"]
    pads = [[0, 0], [top - 1, below], [left - 1, 0], [0, layer["rows"] % 2]]
    shape = (x.shape[0] + top - 1 + below, x.shape[1] + left - 1, x.shape[2] + layer["rows"] % 2)
    inputs = [x.number, g.file.integers(pads)]
    if not layer["same"]:
        inputs.append(g.file.constant(np.array(int(g.rng.integers(-128, 128)), np.int8), [x.scale], zeros=[x.zero]))
    return g.made("PAD" if layer["same"] else "PADV2", inputs, g.codes(shape, x.scale, x.zero))


def _mean(g: _Growing, x: _Codes, layer: CodesLayer) -> _Codes:
    axes = [[1, 2], [1], [2]][layer["rows"] % 3]
    height, width = (1 if axis in axes else x.shape[axis - 1] for axis in (1, 2))
    y = g.codes((height, width, x.shape[2]), g.near(x))
    return g.made("MEAN", [x.number, g.file.integers(axes)], y, KeepDims=True)


def _with_constant(name: str) -> Callable[[_Growing, _Codes, CodesLayer], _Codes]:
    def make(g: _Growing, x: _Codes, layer: CodesLayer) -> _Codes:
        scale = 0.02 if name == "MUL" else g.near(x)
        values = g.rng.integers(-128, 128, x.shape[2]).astype(np.int8)
        constant = g.file.constant(values, [scale], zeros=[int(g.rng.integers(-20, 20))])
        inputs = [x.number, constant] if layer["same"] else [constant, x.number]
        return g.made(name, inputs, g.codes(x.shape, g.near(x)), FusedActivationFunction=layer["activation"])
    return make


def _curve(name: str, scale: float, zero: int) -> Callable[[_Growing, _Codes, CodesLayer], _Codes]:
    return lambda g, x, _: g.made(name, [x.number], g.codes(x.shape, scale, zero))


def _rectified(g: _Growing, x: _Codes, layer: CodesLayer) -> _Codes:
    return g.made(("RELU", "RELU6", "RELU_N1_TO_1")[layer["rows"] % 3], [x.number], g.codes(x.shape, g.near(x)))


def _resized(g: _Growing, x: _Codes, layer: CodesLayer) -> _Codes:
    height, width = (min(k, 2) * size for k, size in zip(layer["kernel"], x.shape[:2], strict=True))
    if max(height, width) > 10:
        return x
    y = g.codes((height, width, x.shape[2]), x.scale, x.zero)
    return g.made("RESIZE_NEAREST_NEIGHBOR", [x.number, g.file.integers([height, width])], y)


def _average_inside(g: _Growing, x: _Codes, layer: CodesLayer) -> _Codes:
    """Over a border by the pixels inside."""
    kernel, stride, _, size = _fitting(x, {**layer, "same": True})
    return g.made("AVERAGE_POOL_2D", [x.number], g.codes((*size, x.shape[2]), x.scale, x.zero), Padding=SAME,
                  FilterHeight=kernel[0], FilterWidth=kernel[1], StrideH=stride, StrideW=stride,
                  FusedActivationFunction=layer["activation"])


def _dilated(g: _Growing, x: _Codes, layer: CodesLayer) -> _Codes:
    kernel = [min(k, size) for k, size in zip(layer["kernel"], x.shape, strict=False)]
    inputs = g.weights((layer["rows"], *kernel, x.shape[2]), 0, x, layer["per_tensor"])
    y = g.codes((*x.shape[:2], layer["rows"]), g.near(x, float(np.sqrt(np.prod(kernel) * x.shape[2]))))
    return g.made("CONV_2D", [x.number, *inputs], y, StrideH=1, StrideW=1, Padding=SAME, DilationHFactor=2,
                  DilationWFactor=2, FusedActivationFunction=layer["activation"])


def _multiplied(g: _Growing, x: _Codes, layer: CodesLayer) -> _Codes:
    """Two output channels of every input channel."""
    kernel, stride, same, size = _fitting(x, layer)
    inputs = g.weights((1, *kernel, 2 * x.shape[2]), 3, x, False)
    y = g.codes((*size, 2 * x.shape[2]), g.near(x, float(np.sqrt(np.prod(kernel)))))
    return g.made("DEPTHWISE_CONV_2D", [x.number, *inputs], y, StrideH=stride, StrideW=stride, DepthMultiplier=2,
                  Padding=SAME if same else VALID, FusedActivationFunction=layer["activation"], **_ONES)


def _views(g: _Growing, x: _Codes, _: CodesLayer) -> _Codes:
    """An axis more, and away again."""
    height, width, channels = x.shape
    wide = g.file.operator("EXPAND_DIMS", [x.number, g.file.integers([1])],
                           g.file.codes((1, 1, height, width, channels), x.scale, x.zero))
    return g.made("RESHAPE", [wide, g.file.integers([1, height, width, channels])], g.codes(x.shape, x.scale, x.zero))


OPERATORS: Mapping[str, Callable[[_Growing, _Codes, CodesLayer], _Codes]] = {
    "conv": _conv, "depthwise": _depthwise, "max_pool": _pool("MAX_POOL_2D"), "leaky": _leaky,
    "average_pool": _pool("AVERAGE_POOL_2D"), "add": _added, "concat": _concatenated, "requantize": _requantized,
    "pad": _padded, "mean": _mean, "mul": _with_constant("MUL"), "sub": _with_constant("SUB"), "relu": _rectified,
    "logistic": _curve("LOGISTIC", 1 / 256, -128), "tanh": _curve("TANH", 1 / 128, 0), "resize": _resized,
    "average_inside": _average_inside, "dilated": _dilated, "multiplied": _multiplied, "views": _views}


def _dense(g: _Growing, x: _Codes) -> _Codes:
    elements = int(np.prod(x.shape))
    flat = g.file.operator("RESHAPE", [x.number, g.file.integers([1, elements])],
                           g.file.codes((1, elements), x.scale, x.zero))
    y = replace(x, number=g.file.codes((1, 5), g.near(x, float(np.sqrt(elements))), -9))
    return g.made("FULLY_CONNECTED", [flat, *g.weights((5, elements), 0, x, True)], y)


def content(description: CodesDescription) -> tuple[bytes, np.ndarray]:
    """The file of a description, and samples (N, height, width, channels) of int8 for it."""
    g = _Growing(description["seed"])
    shape = (description["height"], description["width"], description["channels"])
    first = x = g.codes(shape, 0.1)
    for layer in description["layers"]:
        x = OPERATORS[layer["op"]](g, x, layer)
    if description["dense"]:
        x = _dense(g, x)
    elif description["layers"][-1]["op"] in ("logistic", "tanh"):  # at the end, `raw` gives what is in front of them
        x = _leaky(g, x, description["layers"][-1])
    samples = g.rng.integers(-128, 128, (8, *shape)).astype(np.int8)
    samples[0], samples[1] = -128, 127
    return g.file.content([first.number], [x.number]), samples
