"""Small networks, and random ones, for the tests of streamlining."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar, get_args

import numpy as np

from headrace.datatypes import BIPOLAR, TERNARY, DataType, Interval, int_type, uint_type
from headrace.errors import UnsupportedError
from headrace.layers.window_geometry import Pair
from headrace.network.graph import Input, Network, Node, Op
from headrace.network.ops import RELU, Affine, Clip, Conv, Linear, MaxPool, Pad, Quantize, QuantWeight, Reshape
from headrace.network.rounding import Rounding
from headrace.network.tensor_ops import Add
from headrace.streamline.streamline import streamline

T = TypeVar("T")
#: An operation and the names of its inputs.
Step = tuple[Op, *tuple[str, ...]]
SHAPE = (2, 4, 5)
INT4 = int_type(4)
ROUNDINGS: tuple[Rounding, ...] = get_args(Rounding)


def chain(shape: tuple[int, ...], *steps: Op) -> Network:
    """Operations in a row, named n0, n1, ..."""
    nodes = tuple(Node(f"n{k}", op, (f"n{k - 1}" if k else "x",)) for k, op in enumerate(steps))
    return Network((Input("x", shape),), nodes, (nodes[-1].name,))


def floats(*values: float) -> np.ndarray:
    return np.array(values, np.float64)


def quantizer(dtype: DataType, scale: float = 1.0, zero_point: int = 0, rounding: Rounding = "half_even") -> Quantize:
    return Quantize(floats(scale), dtype, zero_point, rounding)


def weight(rng: np.random.Generator, dtype: DataType, *shape: int, scales: int = 1) -> QuantWeight:
    codes = rng.choice([-1, 1], shape) if dtype == BIPOLAR else rng.integers(dtype.lo, dtype.hi + 1, shape)
    return QuantWeight(codes.astype(np.int64), rng.uniform(0.05, 0.4, scales).astype(np.float32).astype(float), dtype)


def one_weight(code: int = 1, dtype: DataType | None = None) -> QuantWeight:
    return QuantWeight(np.array([[code]]), floats(1.0), dtype or int_type(8))


def graph(shape: tuple[int, ...], **nodes: Step) -> Network:
    """name=(op, *inputs) in order; x is the input, the last node the output."""
    made = tuple(Node(name, op, tuple(inputs) or ("x",)) for name, (op, *inputs) in nodes.items())
    return Network((Input("x", shape),), made, (made[-1].name,))


def samples(shape: tuple[int, ...], seed: int, count: int = 3) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, *shape)).astype(np.float32)


def conv(rng: np.random.Generator, out: int, into: int, dtype: DataType = INT4, kernel: int = 3,
         scale: float | None = None, *, bias: np.ndarray | None = None, stride: Pair = (1, 1), pad: Pad = (0, 0, 0, 0),
         groups: int = 1) -> Conv:
    made = weight(rng, dtype, out, into, kernel, kernel)
    return Conv(made if scale is None else replace(made, scale=floats(scale)), bias, stride, pad, groups=groups)


def residual(seed: int, ratio: float, bits: int = 4) -> Network:
    """A block whose sum joins a convolution of step 2^-4 with a quantizer of step ratio * 2^-4."""
    rng = np.random.default_rng(seed)
    step = 0.0625 * ratio
    negative = rng.choice([-1.0, 1.0], 2)
    return graph(
        SHAPE,
        a=(quantizer(int_type(4), step), "x"),
        c=(conv(rng, 2, 2, scale=0.0625 / step, bias=rng.normal(size=2), pad=(1, 1, 1, 1)), "a"),
        n=(Affine(negative, rng.normal(size=1)), "c"),
        s=(Add(), *rng.permutation(["n", "a"])),
        r=(RELU, "s"),
        q=(quantizer(uint_type(bits), 0.3), "r"),
        d=(conv(rng, 2, 2), "q"),
        t=(Add(), "d", "d"),
        e=(quantizer(int_type(bits), 0.7), "t"),
    )


WEIGHTS: list[DataType] = [BIPOLAR, TERNARY, int_type(2), int_type(4), Interval(-7, 7), int_type(8)]
INPUTS: list[DataType] = [uint_type(4), int_type(3), BIPOLAR]
ACTIVATIONS: list[DataType] = [uint_type(1), uint_type(2), int_type(3), Interval(-1, 1), uint_type(4), BIPOLAR]


def random_network(seed: int) -> Network:
    """Two convolutions and two dense layers with everything that can stand between them, in random order."""
    rng = np.random.default_rng(seed)

    def pick(options: Sequence[T]) -> T:
        return options[int(rng.integers(len(options)))]

    shape = (int(rng.integers(1, 3)), int(rng.integers(5, 8)), int(rng.integers(5, 8)))
    last = Quantize(rng.uniform(0.1, 0.5, 1), pick(INPUTS), 0, pick(ROUNDINGS))
    steps: list[Op] = [Affine(rng.normal(size=shape[0]), rng.normal(size=1)), last]
    channels = shape[0]
    for stage in range(2):
        out = int(rng.integers(1, 4))
        bipolar = last.dtype == BIPOLAR
        top, left, bottom, right = (0, 0, 0, 0) if bipolar else rng.integers(0, 2, 4).tolist()
        steps.append(Conv(weight(rng, pick(WEIGHTS), out, channels, 2, 2, scales=pick([1, out])),
                          pick([None, rng.normal(size=out)]), stride=(1, 1 + stage), pad=(top, left, bottom, right)))
        channels = out
        middle: list[Op] = [Affine(rng.choice([-1.3, -0.4, 0.0, 0.6, 1.0], out), rng.normal(size=out)),
                            pick([RELU, Clip(-1.0, 1.0), Clip(-0.25, 2.0)]),
                            Affine(rng.choice([-1.0, 1.0, 2.0], 1), rng.normal(size=1))]
        if stage == 0:
            middle.insert(int(rng.integers(0, 4)), MaxPool((2, 2), (1, 2)))
        dtype = pick(ACTIVATIONS)
        last = Quantize(rng.uniform(0.1, 0.6, 1), dtype, 0 if dtype == BIPOLAR else int(rng.integers(0, 2)),
                        pick(ROUNDINGS))
        steps += [*middle, last]
    steps.append(Reshape((-1,)))
    features = int(np.prod(chain(shape, *steps).shapes[f"n{len(steps) - 1}"]))
    steps += [Linear(weight(rng, pick(WEIGHTS), 4, features, scales=4), rng.normal(size=4)),
              Affine(rng.normal(size=4), rng.normal(size=4)), Quantize(rng.uniform(0.1, 0.6, 1), pick(ACTIVATIONS)),
              Linear(weight(rng, pick(WEIGHTS), 3, 4), rng.normal(size=3))]
    return chain(shape, *steps)


def legal_network(seed: int) -> Network:
    """A random network that streamlines: an odd zero point may leave no legal pad code."""
    for attempt in range(50):
        network = random_network(1000 * seed + attempt)
        try:
            streamline(network)
        except UnsupportedError as error:
            assert "pads with 0.0" in str(error) or "one for all channels" in str(error)
        else:
            return network
    raise AssertionError("no legal network in 50 attempts")
