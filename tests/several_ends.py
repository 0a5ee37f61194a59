"""Networks of several inputs and outputs for tests, with power-of-two scales: float64 forwards are exact."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from headrace.datatypes import BIPOLAR, TERNARY, DataType, int_type, uint_type
from headrace.layers.random_values import random_values
from headrace.layers.window_geometry import Pair
from headrace.network.graph import Input, Network, Node, Op
from headrace.network.ops import RELU, Conv, Linear, MaxPool, Pad, Quantize, QuantWeight, Reshape
from headrace.network.tensor_ops import Add, Concat, Softmax, TopK, Transpose, Upsample

INT4 = int_type(4)


def named(inputs: dict[str, tuple[int, ...]], outputs: dict[str, str], **nodes: tuple[Op, *tuple[str, ...]]) -> Network:
    """name=(op, *inputs) in order; outputs: names to tensors."""
    made = tuple(Node(name, op, tuple(sources)) for name, (op, *sources) in nodes.items())
    starts = tuple(Input(name, shape) for name, shape in inputs.items())
    return Network(starts, made, tuple(outputs.values()), tuple(outputs))


def conv(seed: int, out: int, into: int, kernel: int = 3, dtype: DataType = INT4, stride: Pair = (1, 1),
         pad: Pad = (0, 0, 0, 0)) -> Conv:
    rng = np.random.default_rng(seed)
    codes = random_values(rng, dtype, (out, into, kernel, kernel))
    return Conv(QuantWeight(codes, np.full(1, 0.125), dtype), rng.integers(-8, 8, out) / 16, stride, pad)


def dense(seed: int, out: int, into: int, dtype: DataType = TERNARY) -> Linear:
    rng = np.random.default_rng(seed)
    return Linear(QuantWeight(random_values(rng, dtype, (out, into)), np.full(1, 0.25), dtype), rng.integers(-8, 8, out)
                  / 16)


def quantizer(dtype: DataType, step: float = 0.25) -> Quantize:
    return Quantize(np.full(1, step), dtype)


UINT2, UINT3 = quantizer(uint_type(2), 1.0), quantizer(uint_type(3), 0.5)
SAME: Pad = (1, 1, 1, 1)


def detector() -> Network:
    """Two strides, an inner map that is an output and is read on, a class vector with softmax, one tensor twice."""
    return named(
        {"image": (2, 8, 8)},
        {"fine": "h1", "coarse": "h2", "codes": "q1", "classes": "s", "again": "h2", "label": "t"},
        q0=(quantizer(INT4), "image"), c1=(conv(1, 4, 2, pad=SAME), "q0"), r1=(RELU, "c1"), q1=(UINT2, "r1"),
        c2=(conv(2, 4, 4, stride=(2, 2), pad=SAME), "q1"), r2=(RELU, "c2"), q2=(UINT3, "r2"),
        h2=(conv(3, 6, 4, 1), "q2"), u=(Upsample((2, 2)), "q2"), q3=(UINT3, "u"), h1=(conv(4, 3, 4, 1), "q3"),
        p=(MaxPool((4, 4), (4, 4)), "q2"), f=(Reshape((4,)), "p"), d=(dense(5, 5, 4), "f"), s=(Softmax(), "d"),
        t=(TopK(2), "d"))


def two_dense() -> Network:
    """Two dense heads of one vector, one of them bipolar, the other an input of a third."""
    return named(
        {"x": (6,)}, {"a": "qa", "b": "b", "c": "c"},
        q=(quantizer(INT4), "x"), a=(dense(1, 4, 6), "q"), qa=(quantizer(BIPOLAR, 1.0), "a"), b=(dense(2, 3, 6), "q"),
        c=(dense(3, 5, 4), "qa"))


def two_images() -> Network:
    """Two images of different types, convolved, concatenated and added, beside a map of one of them."""
    return named(
        {"left": (2, 6, 6), "right": (3, 6, 6)}, {"y": "y", "map": "qa"},
        ql=(quantizer(INT4), "left"), qr=(quantizer(uint_type(7), 0.125), "right"),
        a=(conv(1, 4, 2, pad=SAME), "ql"), qa=(UINT3, "a"), b=(conv(2, 4, 3, pad=SAME), "qr"), qb=(UINT3, "b"),
        s=(Add(), "qa", "qb"), j=(Concat(), "qa", "qb"), qs=(quantizer(uint_type(3), 1.0), "s"),
        k=(Concat(), "j", "qs"), y=(conv(3, 2, 12, stride=(2, 2)), "k"))


def image_and_vector() -> Network:
    """A vector of signs beside an image; one output."""
    return named(
        {"image": (1, 5, 5), "state": (3,)}, {"y": "y"},
        qi=(quantizer(uint_type(3)), "image"), c=(conv(1, 2, 1), "qi"), r=(RELU, "c"), q=(UINT2, "r"),
        p=(MaxPool((3, 3), (3, 3)), "q"), f=(Reshape((2,)), "p"), qs=(quantizer(BIPOLAR, 1.0), "state"),
        j=(Concat(), "f", "qs"), y=(dense(2, 4, 5), "j"))


def boxes() -> Network:
    """Heads of two strides as rows of two scores, joined and made shares, beside the codes that they read."""
    return named(
        {"image": (2, 6, 4)}, {"boxes": "y", "codes": "q1"},
        q0=(quantizer(INT4), "image"), c1=(conv(1, 3, 2, pad=SAME), "q0"), q1=(UINT3, "c1"),
        h1=(conv(2, 4, 3, 1), "q1"), h2=(conv(3, 4, 3, stride=(2, 2), pad=SAME), "q1"),
        t1=(Transpose((1, 2, 0)), "h1"), t2=(Transpose((1, 2, 0)), "h2"), r1=(Reshape((48, 2)), "t1"),
        r2=(Reshape((12, 2)), "t2"), j=(Concat(), "r1", "r2"), t=(Transpose((1, 0)), "j"), s=(Softmax(), "t"),
        y=(Transpose((1, 0)), "s"))


NETWORKS = {"detector": detector(), "two_dense": two_dense(), "two_images": two_images(),
            "image_and_vector": image_and_vector(), "boxes": boxes()}


def samples(network: Network, count: int, seed: int = 0) -> dict[str, NDArray[np.float32]]:
    rng = np.random.default_rng(seed)
    return {item.name: rng.uniform(-3, 3, (count, *item.shape)).astype(np.float32) for item in network.inputs}
