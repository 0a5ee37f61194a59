"""Scales of kernel rows and pixels from the network's weights to the layers: exact, and where they save bits."""

from __future__ import annotations

import numpy as np
import pytest

from headrace.dataflow.fold import fold
from headrace.dataflow.lower import lower
from headrace.datatypes import BIPOLAR, TERNARY, DataType, Interval, int_type, uint_type
from headrace.errors import FoldingError
from headrace.folding.plan import solve_folding
from headrace.layers import Mvtu
from headrace.layers.random_values import random_values
from headrace.network import ops
from headrace.network.graph import Network, Node
from headrace.network.integer import Conv, DepthwiseConv
from headrace.streamline.products import _narrowest
from headrace.streamline.streamline import streamline
from tests.assert_exact import assert_exact
from tests.narrow import the, there
from tests.streamline.graphs import chain

SHAPES = {"pixel": (1, 1, 3, 3), "row": (1, 1, 3, 1),
          "channel and pixel": (4, 1, 3, 3), "channel and row": (4, 1, 3, 1)}


def quantizer(dtype: DataType, scale: float) -> ops.Quantize:
    return ops.Quantize(np.array([scale]), dtype)


def network(dtype: DataType, scales: tuple[int, ...] | None, channels: int = 4, groups: int = 1,
            pad: int = 1) -> Network:
    """4-bit input, a 3x3 convolution with scaled rows or pixels, a batch norm, a 2-bit activation, a dense layer."""
    rng = np.random.default_rng(5)
    codes = random_values(rng, dtype, (4, channels // groups, 3, 3))
    integers = None if scales is None else rng.integers(1, 200, scales)
    weight = ops.QuantWeight(codes, np.array([0.25, 0.5, 0.125, 1.0]), dtype, integers)
    dense = ops.QuantWeight(rng.integers(-3, 4, (3, 64 if pad else 16)), np.array([0.5]), int_type(3))
    return chain((channels, 4, 4),
                 quantizer(int_type(4), 1.0), ops.Conv(weight, None, (1, 1), (pad,) * 4, groups=groups),
                 ops.Affine(rng.normal(0.0, 0.004, 4), rng.normal(0.5, 0.3, 4)), quantizer(uint_type(2), 0.5),
                 ops.Reshape((-1,)), ops.Linear(dense))


def samples(net: Network, count: int = 4) -> np.ndarray:
    return np.random.default_rng(1).uniform(-9, 9, (count, *net.input.shape)).astype(np.float32)


@pytest.mark.parametrize("dtype", [BIPOLAR, TERNARY, Interval(-3, 3)], ids=str)
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_scaled_groups_are_exact(dtype: DataType, shape: tuple[int, ...]) -> None:
    net = network(dtype, shape)
    conv = streamline(net).nodes[0].op
    assert isinstance(conv, Conv) and conv.weight == dtype and there(conv.scales).size == np.prod(shape)
    assert assert_exact(net, samples(net)) > 0


@pytest.mark.parametrize(("channels", "groups", "kind"), [(1, 1, Conv), (4, 4, DepthwiseConv)])
def test_groups_of_one_column_are_multiplied_into_the_weights(channels: int, groups: int,
                                                              kind: type[Conv | DepthwiseConv]) -> None:
    net = network(TERNARY, SHAPES["channel and pixel"], channels, groups)
    conv = the(kind, streamline(net).nodes[0].op)
    assert conv.weight.bits == 9 and np.array_equal(conv.effective_weights, conv.weights)
    assert_exact(net, samples(net))


def test_scales_that_save_no_bits_are_multiplied_into_the_weights() -> None:
    net = network(int_type(4), SHAPES["pixel"])
    signs = np.sign(the(ops.Conv, net.nodes[1].op).weight.codes)
    weight = ops.QuantWeight(signs, np.ones(1), int_type(4), np.array([[[[7], [1], [2]]]]))
    nodes = tuple(Node(n.name, ops.Conv(weight, pad=(1,) * 4) if n.name == "n1" else n.op, n.inputs) for n in net.nodes)
    net = Network(net.inputs, nodes, net.outputs)
    conv = the(Conv, streamline(net).nodes[0].op)
    assert conv.scales is None and conv.weight == int_type(4)
    assert_exact(net, samples(net))


def test_simd_stays_within_a_group() -> None:
    dataflow = lower(streamline(network(BIPOLAR, SHAPES["pixel"])))
    unit = next(layer for layer in dataflow.layers if isinstance(layer, Mvtu))
    assert unit.fold_sizes == {"pe": 4, "simd": 4} and unit.mw == 36
    assert max(folds["simd"] for folds in solve_folding(dataflow, unit.mh * 16 * 36 // 16).values()) == 4
    with pytest.raises(FoldingError, match=r"conv0: SIMD=12 must divide MW/groups=4; choose one of \[1, 2, 4\]"):
        solve_folding(dataflow, 10_000, {"conv0": {"simd": 12}})


def test_a_parallel_window_keeps_groups_together() -> None:
    dataflow = lower(streamline(network(BIPOLAR, SHAPES["pixel"])))
    whole = fold(dataflow, {"conv0_swu": {"simd": 4, "parallel_window": 1}})
    x = random_values(np.random.default_rng(0), dataflow.input.element, (2, dataflow.input.elements))
    assert np.array_equal(whole.golden(x)[whole.output_port], dataflow.golden(x)[dataflow.output_port])
    with pytest.raises(FoldingError, match=r"^conv0_swu: parallel_window with SIMD=2 would take apart the 9 groups of "
                                           r"columns with scales in conv0; use SIMD=4 or parallel_window 0$"):
        fold(dataflow, {"conv0_swu": {"simd": 2, "parallel_window": 1}})


@pytest.mark.parametrize(("columns", "rows", "kept"), [(2, 2, True), (3, 2, True), (1, 2, False), (4, 1, False)])
def test_scales_stay_where_groups_have_columns_to_sum(columns: int, rows: int, kept: bool) -> None:
    codes, scales = np.ones((1, columns, rows, 1), np.int64), np.full((1, 1, rows, 1), 100)
    found = _narrowest(ops.QuantWeight(codes, np.ones(1), int_type(2), scales))
    assert (found.group_scales is not None) == kept
