
from __future__ import annotations

import numpy as np
import pytest

from headrace.dataflow.lower import lower
from headrace.datatypes import BIPOLAR, DataType, Interval, int_type, uint_type
from headrace.engines import fast
from headrace.errors import UnsupportedError
from headrace.network.integer import INPUT, Conv, HostOutput, IntegerNetwork, MaxPool, Node, Op
from headrace.streamline.thresholds_before_pooling import thresholds_before_pooling
from tests.small_networks import host_input, random_conv, random_input, random_threshold, small_network


def single(op: Op, dtype: DataType, shape: tuple[int, int, int] = (5, 6, 3)) -> IntegerNetwork:
    return IntegerNetwork(host_input(*shape, dtype), (Node("op", op, (INPUT,)),),
                          HostOutput((1,), np.ones(1), np.zeros(1)))


@pytest.mark.parametrize("activation", [uint_type(2), BIPOLAR])
def test_fast_equals_golden_at_the_output(activation: DataType) -> None:
    net = small_network(activation=activation)
    x = random_input(net, 20)
    dataflow = lower(thresholds_before_pooling(net))
    assert np.array_equal(fast.run(net, x)[net.output].reshape(20, -1), dataflow.golden(x)[dataflow.output_port])


@pytest.mark.parametrize(("stride", "dilation", "pad"),
                         [((1, 1), (1, 1), (0, 0, 0, 0)), ((2, 1), (1, 2), (1, 0, 2, 1))])
@pytest.mark.parametrize("scale", [1, 1 << 12, 1 << 30])
def test_convolution_is_exact_in_every_float_type(stride: tuple[int, int], dilation: tuple[int, int],
                                                  pad: tuple[int, int, int, int], scale: int) -> None:
    rng = np.random.default_rng(0)
    weights = rng.integers(-8, 8, (4, 3, 2, 3)) * scale + rng.integers(-1, 2, (4, 3, 2, 3))
    op = Conv(weights, Interval(int(weights.min()), int(weights.max())), stride, dilation, pad, pad_value=2)
    net = single(op, uint_type(8))
    x = random_input(net, 3).reshape(-1, 5, 6, 3)
    got = fast.run(net, x)["op"]
    padded = np.pad(x, ((0, 0), (pad[0], pad[2]), (pad[1], pad[3]), (0, 0)), constant_values=2)
    for n, row, column, channel in np.ndindex(got.shape):
        wanted = 0
        for i, j, c in np.ndindex(weights.shape[1:]):
            v, h = row * stride[0] + i * dilation[0], column * stride[1] + j * dilation[1]
            wanted += int(weights[channel, i, j, c]) * int(padded[n, v, h, c])
        assert got[n, row, column, channel] == wanted


@pytest.mark.parametrize("output", [BIPOLAR, uint_type(2), int_type(4), int_type(8)])
def test_thresholds_compared_and_searched(output: DataType) -> None:
    op = random_threshold(np.random.default_rng(0), 3, output, 90)
    net = single(op, int_type(8))
    x = random_input(net, 4).reshape(-1, 5, 6, 3)
    assert np.array_equal(fast.run(net, x)["op"], op.count(x))


def test_pooling_takes_minima_where_told() -> None:
    net = single(MaxPool((2, 3), (1, 2), frozenset({1})), int_type(4))
    x = random_input(net, 2).reshape(-1, 5, 6, 3)
    got = fast.run(net, x)["op"]
    for n, i, j, c in np.ndindex(got.shape):
        window = x[n, i : i + 2, 2 * j : 2 * j + 3, c]
        assert got[n, i, j, c] == (window.min() if c == 1 else window.max())


def test_batches_are_put_together_and_only_the_wanted_tensors_kept() -> None:
    net = single(random_conv(np.random.default_rng(0), (2, 1, 1, 3), int_type(4)), uint_type(4))
    x = random_input(net, fast.BATCH + 3)
    got = fast.run(net, x, keep=["op"])
    assert list(got) == ["op"] and got["op"].shape == (fast.BATCH + 3, 5, 6, 2)
    assert np.array_equal(got["op"][-3:], fast.run(net, x[-3:])["op"])


def test_sums_beyond_exact_floats_are_one_sentence() -> None:
    op = Conv(np.full((1, 1, 1, 3), 1 << 46), Interval(0, 1 << 46))
    net = single(op, uint_type(8))
    with pytest.raises(UnsupportedError) as caught:
        fast.run(net, random_input(net, 1))
    assert str(caught.value) == (f"op: sums reach {3 * 255 << 46}, beyond the exact range 2^53 of the fast engine; "
                                 "use the golden engine")
