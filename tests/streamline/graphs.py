"""Small networks with branches, for the tests of streamlining."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from headrace.datatypes import DataType, int_type, uint_type
from headrace.network.graph import Input, Network, Node
from headrace.network.ops import RELU, Affine, Conv
from headrace.network.tensor_ops import (
    Add,
)
from tests.streamline.test_streamline import floats, quantizer, weight

SHAPE = (2, 4, 5)
INT4 = int_type(4)


def graph(shape: tuple[int, ...], **nodes: Any) -> Network:
    """name=(op, *inputs) in order; x is the input, the last node the output."""
    made = tuple(Node(name, op, tuple(inputs) or ("x",)) for name, (op, *inputs) in nodes.items())
    return Network((Input("x", shape),), made, (made[-1].name,))


def samples(shape: tuple[int, ...], seed: int, count: int = 3) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, *shape)).astype(np.float32)


def conv(rng: np.random.Generator, out: int, into: int, dtype: DataType = INT4, kernel: int = 3,
         scale: float | None = None, **options: Any) -> Conv:
    made = weight(rng, dtype, out, into, kernel, kernel)
    return Conv(made if scale is None else replace(made, scale=floats(scale)), **options)


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
