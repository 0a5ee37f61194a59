"""A description of a network, plain values that fit a JSON file, becomes an ONNX file.

Every description is legal: a kernel that is larger than the frame is cut, groups that do not divide become one, and so
on. So anything can be left out of one, which is how failures shrink. Weights and constants follow from its seed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from tests.random_networks.descriptions import Layer, Quantizer, Weights

GENERAL = "qonnx.custom_op.general"
INPUT, OUTPUT = "x", "y"
#: Operations, or forms of them, that are newer than version 14 of the standard.
_SINCE = {"ReduceMean": 18, "ReduceMax": 18, "Mish": 18, "Gelu": 20, "Swish": 24}


@dataclass(frozen=True)
class Tensor:
    """A tensor in the making. shape without the batch; reach: about how large its values are.

    bipolar: some of its values have no 0, so that no border of zeros can be put around it.
    """

    name: str
    shape: tuple[int, ...]
    reach: float
    bipolar: bool = False

    @property
    def channels(self) -> int:
        return self.shape[0]

    @property
    def spatial(self) -> bool:
        return len(self.shape) == 3


def power_of_two(about: float) -> float:
    """Constants on a grid of it lie where ties are."""
    return float(2.0 ** np.round(np.log2(about)))


class Emitter:
    """Nodes and constants of a file that grows."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.nodes: list[onnx.NodeProto] = []
        self.constants: dict[str, np.ndarray] = {}
        self.integers: dict[str, str] = {}  # constants that are annotated with an integer type

    def constant(self, value: npt.ArrayLike, dtype: npt.DTypeLike = np.float32) -> str:
        name = f"c{len(self.constants)}"
        self.constants[name] = np.asarray(value, dtype)
        return name

    def node(self, kind: str, names: list[str], x: Tensor, domain: str = "", **attributes: object) -> Tensor:
        """A node with one output, which has the shape and reach of x."""
        name = f"t{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, names, [name], name=f"{kind}_{name}", domain=domain, **attributes))
        return replace(x, name=name)

    def step(self, about: float, odd: bool, count: int | None = None) -> np.ndarray:
        """A scale near `about`: a power of two, which makes ties, or any; `count` of them or one."""
        shape = () if count is None else (count,)
        powers = np.exp2(np.round(np.log2(max(about, 2.0**-40)) + self.rng.integers(-1, 2, shape)))
        return np.asarray(powers * (self.rng.uniform(0.6, 1.6, shape) if odd else 1), np.float32)

    def along(self, values: np.ndarray, x: Tensor) -> np.ndarray:
        """One value per channel, to be broadcast to x."""
        return values.reshape(1, -1, *[1] * (len(x.shape) - 1)) if values.ndim else values


def quantize(e: Emitter, x: Tensor, q: Quantizer) -> Tensor:
    """A quantizer of a tensor. The model's own input cannot have thresholds of any distance, so it gets a Quant."""
    kinds = {"quant": _quant, "bipolar": _bipolar, "linear": _linear, "thresholds": _thresholds if e.nodes else _quant,
             "int": _int_quant, "each": _linear_each}
    return replace(kinds[q["kind"]](e, x, q), bipolar=q["kind"] == "bipolar")


def _scale(e: Emitter, x: Tensor, q: Quantizer, levels: int) -> np.ndarray:
    count = x.channels if q["per_channel"] and x.channels <= 4 else None
    return e.step(x.reach / levels * 2.0 ** q["fine"], q["odd"], count)


def _quant(e: Emitter, x: Tensor, q: Quantizer) -> Tensor:
    bits, signed = max(q["bits"], 2 if q["signed"] else 1), q["signed"]
    narrow = q["narrow"] and bits > 1
    levels = 1 << bits - signed
    scale = _scale(e, x, q, levels)
    lowest, highest = (-levels if signed else 0), levels - 1
    zero = min(max(q["zero"], lowest + narrow), highest - narrow)
    names = [x.name, e.constant(e.along(scale, x)), e.constant(float(zero)), e.constant(float(bits))]
    reach = min(float(np.max(scale)) * levels, 2 * x.reach)
    return replace(e.node("Quant", names, x, GENERAL, signed=int(signed), narrow=int(narrow),
                          rounding_mode=q["rounding"]), reach=reach)


def _bipolar(e: Emitter, x: Tensor, q: Quantizer) -> Tensor:
    scale = _scale(e, x, q, 1)
    return replace(e.node("BipolarQuant", [x.name, e.constant(e.along(scale, x))], x, GENERAL),
                   reach=float(np.max(scale)))


def _thresholds(e: Emitter, x: Tensor, q: Quantizer) -> Tensor:
    """Thresholds on a coarse grid, so that values meet them exactly, and twice in a row now and then."""
    bits = min(q["bits"], 4)
    steps = e.rng.integers(-8, 9, (x.channels if q["per_channel"] else 1, (1 << bits) - 1))
    rows = np.sort(steps, axis=1) * float(e.step(x.reach / 8, q["odd"]))
    signed = q["signed"] and bits > 1
    scale = float(2.0 ** int(e.rng.integers(-2, 2)))
    settings: dict[str, object] = {"out_scale": scale, "out_bias": -scale * (1 << bits - 1) if signed else 0.0,
                "out_dtype": "FLOAT32", "data_layout": "NCHW" if x.spatial else "NC"}
    return replace(e.node("MultiThreshold", [x.name, e.constant(rows)], x, GENERAL, **settings),
                   reach=scale * (1 << bits))


def _linear(e: Emitter, x: Tensor, q: Quantizer) -> Tensor:
    signed = q["signed"]
    name = e.constant(_scale(e, x, {**q, "per_channel": False}, 128 if signed else 256))
    zero = e.constant(q["zero"] if signed else abs(q["zero"]), np.int8 if signed else np.uint8)
    codes = e.node("QuantizeLinear", [x.name, name, zero], x)
    return e.node("DequantizeLinear", [codes.name, name, zero], x)


def _int_quant(e: Emitter, x: Tensor, q: Quantizer) -> Tensor:
    """A Quant by its newer name."""
    made = _quant(e, x, q)
    e.nodes[-1].op_type = "IntQuant"
    return made


def _linear_each(e: Emitter, x: Tensor, q: Quantizer) -> Tensor:
    """Scales of their own for all channels, and codes that are clipped."""
    name = e.constant(e.step(x.reach / 128, q["odd"], x.channels))
    zeros = e.constant(np.zeros(x.channels), np.int8)
    codes = e.node("QuantizeLinear", [x.name, name, zeros], x, axis=1)
    if q["narrow"]:
        codes = e.node("Clip", [codes.name, e.constant(-127, np.int8), e.constant(100, np.int8)], x)
    return e.node("DequantizeLinear", [codes.name, name, zeros], x, axis=1)


def weights(e: Emitter, shape: tuple[int, ...], w: Weights, outputs: int = 0) -> tuple[str, np.ndarray]:
    """A quantized weight tensor; returns its name and about its values. outputs: the axis of output channels."""
    count = shape[outputs] if w["per_channel"] else 1
    scale = e.step(0.25, w["odd"], count).reshape([-1 if k == outputs else 1 for k in range(len(shape))])
    bits = max(w["bits"], 2)
    top = (1 << bits - 1) - 1
    codes = _codes(e, shape, w, bits)
    if w["kind"] == "integers":
        return e.constant(codes), codes.astype(np.float64)
    if w["kind"] == "linear":
        names = [e.constant(codes, np.int8), e.constant(scale.reshape(-1) if count > 1 else scale.reshape(())),
                 e.constant(np.zeros(count) if count > 1 else 0, np.int8)]
        settings: dict[str, object] = {"axis": outputs} if count > 1 else {}
        return e.node("DequantizeLinear", names, Tensor("", shape, 1), "", **settings).name, codes * scale
    floats = np.asarray(codes * scale, np.float32)
    if w["kind"] == "bipolar":
        named = [e.constant(floats), e.constant(scale if count > 1 else scale.reshape(()))]
        return e.node("BipolarQuant", named, Tensor("", shape, 1), GENERAL).name, np.where(codes >= 0, scale, -scale)
    if w["between"]:  # values between codes, some at ties and some beyond the ends
        floats = np.asarray((codes + e.rng.integers(-4, 5, shape) / 4) * scale, np.float32)
    parts = (floats, scale if count > 1 else scale.reshape(()), 0.0, float(bits))
    names = [e.constant(part) for part in parts]
    made = e.node("Quant", names, Tensor("", shape, 1), GENERAL, signed=1, narrow=int(w["narrow"]),
                  rounding_mode=w["rounding"])
    return made.name, np.clip(codes, -top, top) * scale


def _codes(e: Emitter, shape: tuple[int, ...], w: Weights, bits: int) -> np.ndarray:
    """Random codes, or only the lowest, 0 and the highest."""
    low, high = -(1 << bits - 1), (1 << bits - 1) - 1
    if w["extreme"]:
        return e.rng.choice([low, 0, high, high], shape)
    return e.rng.integers(low, high + 1, shape)


def activate(e: Emitter, x: Tensor, kind: str) -> Tensor:
    """An activation, or arithmetic with constants per channel."""
    plain = {"relu": "Relu", "abs": "Abs", "hardswish": "HardSwish", "sigmoid": "Sigmoid", "tanh": "Tanh", "elu": "Elu",
             "softplus": "Softplus", "softsign": "Softsign", "neg": "Neg"}
    if kind in plain:
        return e.node(plain[kind], [x.name], x)
    slopes = (-1, *[1] * (len(x.shape) - 1))
    made: dict[str, Callable[[], Tensor]] = {
        "none": lambda: x,
        "clip": lambda: e.node("Clip", [x.name, e.constant(-x.reach / 4), e.constant(x.reach / 2)], x),
        "leaky": lambda: e.node("LeakyRelu", [x.name], x, alpha=0.125),
        "prelu": lambda: e.node("PRelu", [x.name, e.constant(_per_channel(e, x, 0.25).reshape(slopes))], x),
        "hardsigmoid": lambda: e.node("HardSigmoid", [x.name], x, alpha=0.25, beta=0.5),
        "silu": lambda: e.node("Mul", [x.name, e.node("Sigmoid", [x.name], x).name], x),
        "mul": lambda: e.node("Mul", [x.name, e.constant(_per_channel(e, x, 1.0, signs=True))], x),
        "div": lambda: e.node("Div", [x.name, e.constant(e.step(1.0, False) * np.float32(e.rng.choice((1, 3))))], x),
        "shift": lambda: e.node("Add", [x.name, e.constant(_per_channel(e, x, x.reach / 8, signs=True))], x),
    }
    return made[kind]()


def _per_channel(e: Emitter, x: Tensor, about: float, signs: bool = False) -> np.ndarray:
    values = e.step(about, bool(e.rng.integers(2)), x.channels)
    return e.along(np.asarray(values * (e.rng.choice([-1, 1], x.channels) if signs else 1), np.float32), x)


def normalize(e: Emitter, x: Tensor) -> Tensor:
    """A batch normalization, some of whose factors are negative."""
    c = x.channels
    gamma = e.rng.choice([-1.0, 1.0, 0.5, 0.7], c)
    beta, mean = (e.rng.integers(-4, 5, c) * power_of_two(x.reach / 8) for _ in range(2))
    epsilon = 2.0**-10  # two of the variances make a factor that is a power of two
    parts = (gamma, beta, mean, e.rng.choice([0.25 - epsilon, 1 - epsilon, 2.5], c))
    return e.node("BatchNormalization", [x.name, *map(e.constant, parts)], x, epsilon=epsilon)


def finish(e: Emitter, x: Tensor, layer: Layer) -> Tensor:
    """What may stand behind a product: normalization, activation, quantizer."""
    if layer.get("norm"):
        x = normalize(e, x)
    return quantize(e, activate(e, x, layer["act"]), layer["quant"])


def file_of(e: Emitter, inputs: Mapping[str, tuple[int, ...]], outputs: list[str], integer: Mapping[str, str]
            ) -> onnx.ModelProto:
    """The file. integer: inputs that are annotated with an integer type."""
    graph = helper.make_graph(
        e.nodes, "random",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, *shape]) for name, shape in inputs.items()],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs],
        [numpy_helper.from_array(value, name) for name, value in e.constants.items()])
    for name, kind in {**integer, **e.integers}.items():
        pair = onnx.StringStringEntryProto(key="finn_datatype", value=kind)
        graph.quantization_annotation.append(
            onnx.TensorAnnotation(tensor_name=name, quant_parameter_tensor_names=[pair]))
    newest = max(_SINCE.get(node.op_type, 14) for node in e.nodes)
    others = {node.domain: 1 for node in e.nodes if node.domain} | {GENERAL: 2}
    return helper.make_model(graph, ir_version=8, opset_imports=[
        helper.make_opsetid(domain, version) for domain, version in {"": newest, **others}.items()])
