import numpy as np
import pytest

from generator.dataflow.folding import solve_folding
from generator.datatypes import BIPOLAR, uint_type
from generator.layers import Dwc, Fifo, MaxPool, Mvtu, Swu
from generator.network.integer import INPUT, Conv, IntegerNetwork, Threshold
from generator.passes.fold import fold
from generator.passes.insert_fifos import insert_fifos
from generator.passes.lower import lower
from generator.passes.thresholds_before_pooling import thresholds_before_pooling
from tests.small_networks import random_input, small_network


def naive(net: IntegerNetwork, x: np.ndarray) -> np.ndarray:
    """The network by loops over windows, from the definitions of its operations."""
    values = {INPUT: x.reshape(len(x), *net.host_input.tensor.shape)}
    for node in net.nodes:
        source = values[node.inputs[0]]
        shape = net.types[node.name].shape
        if isinstance(node.op, Threshold):
            values[node.name] = node.op.count(source)
            continue
        is_conv = isinstance(node.op, Conv)
        kernel = node.op.weights.shape[1:3] if is_conv else node.op.kernel
        top, left, bottom, right = node.op.pad if is_conv else (0, 0, 0, 0)
        pad_value = node.op.pad_value if is_conv else 0
        source = np.pad(source, ((0, 0), (top, bottom), (left, right), (0, 0)), constant_values=pad_value)
        y = np.zeros((len(x), *shape), np.int64)
        for i in range(shape[0]):
            for j in range(shape[1]):
                a, b = i * node.op.stride[0], j * node.op.stride[1]
                window = source[:, a : a + kernel[0], b : b + kernel[1]]
                if is_conv:
                    y[:, i, j] = np.einsum("nhwc,ohwc->no", window, node.op.weights)
                else:
                    for c in range(shape[2]):
                        pick = np.min if c in node.op.minimum else np.max
                        y[:, i, j, c] = pick(window[..., c], axis=(1, 2))
        values[node.name] = y
    return values[net.output].reshape(len(x), -1)


@pytest.mark.parametrize("activation", [uint_type(2), BIPOLAR])
def test_every_stage_computes_the_same(activation):
    net = small_network(activation=activation)
    x = random_input(net, 3)
    want = naive(net, x)
    moved = thresholds_before_pooling(net)
    unfolded = lower(moved)
    folded = fold(unfolded, solve_folding(unfolded, 600))
    buffered = insert_fifos(folded)
    assert np.array_equal(naive(moved, x), want)
    for dataflow in (unfolded, folded, buffered):
        assert np.array_equal(dataflow.golden(x)[dataflow.output_port], want)


def test_layers_of_the_small_network():
    dataflow = lower(thresholds_before_pooling(small_network()))
    assert [(layer.name, type(layer)) for layer in dataflow.layers] == [
        ("conv0_swu", Swu), ("conv0", Mvtu), ("conv1_swu", Swu), ("conv1", Mvtu), ("pool2", MaxPool),
        ("fc3", Mvtu), ("fc4", Mvtu),
    ]  # fmt: skip


def test_folding_puts_converters_and_fifos_where_they_are_needed():
    net = thresholds_before_pooling(small_network())
    unfolded = lower(net)
    dataflow = insert_fifos(fold(unfolded, solve_folding(unfolded, 576)))
    assert any(isinstance(layer, Dwc) for layer in dataflow.layers)
    for item in dataflow.placed:
        if isinstance(item.layer, Mvtu) and item.layer.nf > 1:
            reader = next(layer for layer in dataflow.layers if layer.name == item.sources[0][0])
            assert isinstance(reader, Fifo) and reader.depth == item.layer.sf
    assert dataflow.cycles_per_frame <= 576


def test_thresholds_move_in_front_of_pooling_and_names_stay():
    moved = thresholds_before_pooling(small_network())
    assert [(node.name, node.inputs) for node in moved.nodes[2:6]] == [
        ("conv1", ("conv0_act",)), ("conv1_act", ("conv1",)), ("pool2", ("conv1_act",)), ("fc3", ("pool2",))]
