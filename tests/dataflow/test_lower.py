
from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from headrace import serialize
from headrace.__main__ import main
from headrace.dataflow.fold import fold
from headrace.dataflow.graph import Dataflow
from headrace.dataflow.insert_fifos import insert_fifos, safe_depths
from headrace.dataflow.lower import lower
from headrace.datatypes import BIPOLAR, DataType, Interval, int_type, uint_type
from headrace.engines import golden
from headrace.folding.plan import solve_folding
from headrace.layers import LAYERS, Dwc, Fifo, Fork, MaxPool, Mvtu, Swu
from headrace.layers.random_values import random_values
from headrace.network.integer import (
    AccPool,
    Add,
    ChannelMap,
    Concat,
    Conv,
    Crop,
    DepthToSpace,
    DepthwiseConv,
    HostOutput,
    IntegerNetwork,
    Node,
    Requant,
    SpaceToDepth,
    Threshold,
    Upsample,
)
from headrace.network.integer import MaxPool as MaxPoolOp
from headrace.streamline.thresholds_before_pooling import thresholds_before_pooling
from tests.narrow import the
from tests.small_networks import host_input, random_input, random_threshold, small_network


def with_safe_fifos(dataflow: Dataflow) -> Dataflow:
    return insert_fifos(dataflow, safe_depths(dataflow))


def naive(net: IntegerNetwork, x: np.ndarray) -> np.ndarray:
    return golden.run(net, x)[net.output].reshape(len(x), -1)


@pytest.mark.parametrize("activation", [uint_type(2), BIPOLAR])
def test_every_stage_computes_the_same(activation: DataType) -> None:
    net = small_network(activation=activation)
    x = random_input(net, 3)
    want = naive(net, x)
    moved = thresholds_before_pooling(net)
    unfolded = lower(moved)
    folded = fold(unfolded, solve_folding(unfolded, 600))
    buffered = with_safe_fifos(folded)
    assert np.array_equal(naive(moved, x), want)
    for dataflow in (unfolded, folded, buffered):
        assert np.array_equal(dataflow.golden(x)[dataflow.output_port], want)


def test_layers_of_the_small_network() -> None:
    dataflow = lower(thresholds_before_pooling(small_network()))
    assert [(layer.name, type(layer)) for layer in dataflow.layers] == [
        ("conv0_swu", Swu), ("conv0", Mvtu), ("conv1_swu", Swu), ("conv1", Mvtu), ("pool2", MaxPool),
        ("fc3", Mvtu), ("fc4", Mvtu),
    ]


def test_folding_puts_converters_and_fifos_where_they_are_needed() -> None:
    net = thresholds_before_pooling(small_network())
    unfolded = lower(net)
    dataflow = with_safe_fifos(fold(unfolded, solve_folding(unfolded, 576)))
    assert any(isinstance(layer, Dwc) for layer in dataflow.layers)
    layers = {layer.name: layer for layer in dataflow.layers}
    bursts = [layer for layer in dataflow.layers if isinstance(layer, Mvtu) and layer.nf > 1]
    for layer in bursts:
        fifo = layers[f"{layer.name}_fifo"]
        assert isinstance(fifo, Fifo) and fifo.depth == layer.sf
    assert bursts
    assert dataflow.cycles_per_frame <= 576


def test_thresholds_move_in_front_of_pooling_and_names_stay() -> None:
    moved = thresholds_before_pooling(small_network())
    assert [(node.name, node.inputs) for node in moved.nodes[2:6]] == [
        ("conv1", ("conv0_act",)), ("conv1_act", ("conv1",)), ("pool2", ("conv1_act",)), ("fc3", ("pool2",))]


def test_inverted_thresholds_stay_behind_pooling() -> None:
    net = small_network()
    nodes = tuple(replace(node, op=replace(the(Threshold, node.op), inverted=frozenset({0})))
                  if node.name == "conv1_act" else node for node in net.nodes)
    inverted = IntegerNetwork(net.host_input, nodes, net.host_output)
    moved = thresholds_before_pooling(inverted)
    x = random_input(net, 3)
    assert np.array_equal(naive(moved, x), naive(inverted, x))
    dataflow = lower(moved)
    assert np.array_equal(dataflow.golden(x)[dataflow.output_port], naive(inverted, x))


@pytest.mark.parametrize("depthwise", [False, True])
def test_single_pixels_with_a_stride_are_picked_without_a_buffer(depthwise: bool) -> None:
    rng = np.random.default_rng(3)
    weights = random_values(rng, int_type(3), (4, 1, 1, 1 if depthwise else 4))
    op = (DepthwiseConv if depthwise else Conv)(weights, int_type(3), stride=(2, 3))
    net = IntegerNetwork(host_input(5, 7, 4, uint_type(3)), (Node("conv0", op, ("input",)),),
                         HostOutput((4, 3, 3), np.ones(4), np.zeros(4)))
    unfolded = lower(net)
    assert [(layer.name, layer.kind) for layer in unfolded.layers] == [
        ("conv0_crop", "crop"), ("conv0", "vvtu" if depthwise else "mvtu")]
    dataflow = fold(unfolded, solve_folding(unfolded, 40))
    x = random_input(net, 2)
    assert dataflow.layers[0].memories() == () and dataflow.cycles_per_frame <= 40
    assert np.array_equal(dataflow.golden(x)[dataflow.output_port], naive(net, x))


def branching_network() -> IntegerNetwork:
    """Every operation at least once, with forks, a sum, a concatenation of two types, and a depthwise convolution."""
    rng = np.random.default_rng(5)
    act = uint_type(2)

    def conv(shape: tuple[int, ...]) -> Conv:
        return Conv(random_values(rng, int_type(3), shape), int_type(3))

    nodes = (
        Node("conv0", conv((4, 1, 1, 2)), ("input",)),
        Node("conv0_act", random_threshold(rng, 4, act, 12), ("conv0",)),
        Node("dw1", DepthwiseConv(random_values(rng, int_type(3), (4, 3, 3, 1)), int_type(3), pad=(1, 1, 1, 1)),
             ("conv0_act",)),
        Node("dw1_act", random_threshold(rng, 4, act, 12), ("dw1",)),
        Node("add2", Add(), ("dw1_act", "conv0_act")),
        Node("scale3", Requant(np.array([3, 5, -2, 1]), np.array([1, 0, 4, 2]), 2, "half_even", Interval(-3, 9)),
             ("add2",)),
        Node("pool4", AccPool((2, 2), (2, 2)), ("scale3",)),
        Node("act5", Threshold(np.sort(rng.integers(-9, 30, (4, 3)), axis=1), act, frozenset({2})), ("pool4",)),
        Node("up6", Upsample((2, 2)), ("act5",)),
        Node("cat7", Concat(), ("up6", "add2")),
        Node("pool8", MaxPoolOp((3, 2), (2, 2)), ("cat7",)),
        Node("crop9", Crop((0, 0), (2, 2)), ("pool8",)),
        Node("channels10", ChannelMap((3, 1, 2, 0, 5, 4, 7, 6)), ("crop9",)),
        Node("blocks11", DepthToSpace((2, 2)), ("channels10",)),
        Node("blocks12", SpaceToDepth((2, 2)), ("blocks11",)),
        Node("fc13", conv((3, 2, 2, 8)), ("blocks12",)),
    )
    return IntegerNetwork(host_input(6, 6, 2, uint_type(3)), nodes, HostOutput((3,), np.ones(3), np.zeros(3)))


@pytest.mark.parametrize("cycles", [100_000, 400])
def test_forks_joins_and_every_operation(cycles: int) -> None:
    net = branching_network()
    x = random_input(net, 2)
    unfolded = lower(net)
    dataflow = with_safe_fifos(fold(unfolded, solve_folding(unfolded, cycles)))
    assert {layer.kind for layer in dataflow.layers} >= set(LAYERS) - {
        "dwc", "label_select", "parallel_swu", "lookup", "take"}
    assert dataflow.cycles_per_frame <= cycles
    assert np.array_equal(dataflow.golden(x)[dataflow.output_port], naive(net, x))


def test_the_branching_network_on_both_back_ends(tmp_path: Path) -> None:
    serialize.save(branching_network(), tmp_path / "net")
    model = str(tmp_path / "net.json")
    assert main(["build", model, "--out", str(tmp_path / "b"), "--backend", "both", "--verify", "2"]) == 0
    record = json.loads((tmp_path / "b" / "build.json").read_text())
    assert record["not_verified"] == ["loop initiation intervals in HLS, until an HLS compiler reports them"]
    assert record["hls_cycles_per_frame"] <= 1.03 * record["cycles_per_frame"]


def test_every_input_of_a_join_may_need_a_converter() -> None:
    net = branching_network()
    x = random_input(net, 2)
    dataflow = with_safe_fifos(fold(lower(net), {"add2": {"pe": 4}, "cat7": {"pe": 2}}))
    converters = [layer.name for layer in dataflow.layers if isinstance(layer, Dwc)]
    assert converters == ["add2_dwc0", "add2_dwc1", "add2_fork_dwc", "cat7_dwc0", "cat7_dwc1", "pool8_dwc"]
    assert np.array_equal(dataflow.golden(x)[dataflow.output_port], naive(net, x))


def test_a_depth_that_stops_the_dataflow_ends_the_build_with_its_name(tmp_path: Path,
                                                                      capsys: pytest.CaptureFixture[str]) -> None:
    serialize.save(branching_network(), tmp_path / "net")
    (tmp_path / "folding.json").write_text('{"add2_fifo1": {"depth": 2}}')
    arguments = ["build", str(tmp_path / "net.json"), "--out", str(tmp_path / "b"), "--folding",
                 str(tmp_path / "folding.json")]
    assert main(arguments) == 1 and not (tmp_path / "b").exists()
    assert "add2_fifo1: with a depth of 2 the dataflow stops for good: add2_fifo1 (depth 2) is full" in " ".join(
        capsys.readouterr().err.split())


def many_readers(count: int) -> IntegerNetwork:
    """One tensor that `count` convolutions read, their results concatenated."""
    rng = np.random.default_rng(count)
    nodes = [Node("conv0", Conv(rng.integers(-3, 4, (2, 1, 1, 2)), Interval(-3, 3)), ("input",)),
             Node("act0", random_threshold(rng, 2, uint_type(2), 6), ("conv0",))]
    for k in range(1, count + 1):
        nodes += [Node(f"conv{k}", Conv(rng.integers(-3, 4, (1 + k % 2, 1, 1, 2)), Interval(-3, 3)), ("act0",)),
                  Node(f"act{k}", random_threshold(rng, 1 + k % 2, uint_type(1 + k % 3), 4), (f"conv{k}",))]
    nodes.append(Node("cat", Concat(), tuple(f"act{k}" for k in range(1, count + 1))))
    channels = sum(1 + k % 2 for k in range(1, count + 1))
    return IntegerNetwork(host_input(2, 2, 2, uint_type(2)), tuple(nodes),
                          HostOutput((channels, 2, 2), np.ones(channels), np.zeros(channels)))


@pytest.mark.parametrize("count", [8, 9, 16, 17, 70])
def test_any_number_of_readers_and_branches_is_a_tree(count: int) -> None:
    net = many_readers(count)
    x = random_input(net, 2)
    dataflow = with_safe_fifos(lower(net))
    assert np.array_equal(dataflow.golden(x)[dataflow.output_port], naive(net, x))
    forks = [layer for layer in dataflow.layers if isinstance(layer, Fork)]
    assert sum(layer.branches - 1 for layer in forks) == count - 1
    assert all(2 <= layer.branches <= 8 for layer in forks)
    joins = [layer for layer in dataflow.layers if layer.kind == "concat"]
    assert (len(joins) == 1) == (count <= 8) and all(2 <= len(layer.inputs) <= 8 for layer in joins)


def test_nine_readers_on_both_back_ends(tmp_path: Path) -> None:
    serialize.save(many_readers(9), tmp_path / "net")
    assert main(["build", str(tmp_path / "net.json"), "--out", str(tmp_path / "b"), "--backend", "both",
                 "--verify", "2"]) == 0
    assert json.loads((tmp_path / "b" / "build.json").read_text())["verified"] is True
