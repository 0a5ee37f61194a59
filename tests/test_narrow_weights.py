"""Weights are kept in few bytes, and sums of them are exact at the ends of their types."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from benchmarks.large_networks import Network
from headrace import serialize
from headrace.datatypes import int_type, narrow
from headrace.engines import fast, golden
from headrace.engines.fast_conv import weighted_bound
from headrace.layers import Mvtu
from headrace.layers.products import largest_row_sum
from headrace.model import Model, load
from headrace.network.integer import Conv, HostOutput, IntegerNetwork, Node
from headrace.network.ops import QuantWeight
from headrace.streamline.draft import _negated
from tests.small_networks import host_input

INT8 = int_type(8)
LOWEST = np.full((2, 1, 1, 3), -128)


def network() -> IntegerNetwork:
    return IntegerNetwork(host_input(1, 1, 3, INT8), (Node("fc", Conv(LOWEST, INT8), ("input",)),),
                          HostOutput((2,), np.ones(2), np.zeros(2)))


def test_they_are_kept_narrow() -> None:
    net = network()
    conv = net.nodes[0].op
    assert isinstance(conv, Conv) and conv.weights.dtype == np.int8
    assert Model(net, "0" * 64).unfolded.layers[0].memories()[0].words.dtype == np.int64
    assert QuantWeight(LOWEST, np.ones(1), INT8).codes.dtype == np.int8
    assert QuantWeight(LOWEST, np.ones(1), INT8).integers.dtype == np.int64
    assert narrow(LOWEST, int_type(4)) is LOWEST  # whoever checks the type sees the values as they are


def test_the_lowest_weight_has_no_counterpart_of_its_width() -> None:
    conv = Conv(LOWEST, INT8)
    assert weighted_bound(conv.weights, INT8) == 3 * 128 * 128
    assert largest_row_sum(conv.weights.reshape(2, 3)) == 3 * 128
    negated = _negated(conv, frozenset({1}))
    assert isinstance(negated, Conv)
    assert negated.weights[:, 0, 0].tolist() == [[-128] * 3, [128] * 3] and negated.weight.hi == 128
    unit = next(iter(Mvtu.among(Model(network(), "0" * 64).unfolded.layers)))
    assert unit.accumulator.hi == 3 * 128 * 128 and unit.accumulator.lo == -3 * 128 * 127


def test_engines_agree_at_the_ends() -> None:
    net, x = network(), np.array([[-128] * 3, [127] * 3])
    wanted = [[3 * 128 * 128] * 2, [-3 * 128 * 127] * 2]
    assert golden.run(net, x)["fc"].reshape(2, -1).tolist() == wanted
    assert fast.run(net, x, keep=["fc"])["fc"].reshape(2, -1).tolist() == wanted


def test_files_hold_what_they_held(tmp_path: Path) -> None:
    """The same bytes as of a network whose weights were never narrow."""
    narrowed, wide = network(), network()
    object.__setattr__(wide.nodes[0].op, "weights", LOWEST)
    assert serialize.npz_content(narrowed) == serialize.npz_content(wide)
    assert serialize.digest(narrowed) == serialize.digest(wide)


@pytest.mark.parametrize("bits", [1, 4])
def test_loading_takes_few_bytes_for_a_weight(tmp_path: Path, bits: int) -> None:
    """Of what Python allocates: the file and its constants, four bytes each, a byte for each code, parts of a layer."""
    net, x = Network((512, 2, 2), (bits, 2)), ""
    x = net.input
    for _ in range(8):
        x = net.block(x, 512, 1)
    net.save(net.classes(x, 16), tmp_path / "net.onnx")
    weights = 8 * 512 * 512
    load(tmp_path / "net.onnx")  # what is kept for later comes with the first
    tracemalloc.start()
    try:
        model = load(tmp_path / "net.onnx")
        kept, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(model.integer.nodes) > 8
    assert peak < 11 * weights and kept < 2 * weights
