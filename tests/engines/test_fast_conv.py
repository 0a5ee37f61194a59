
from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from headrace.datatypes import BIPOLAR, DataType, Interval, int_type, uint_type
from headrace.engines import fast, fast_conv, golden
from headrace.network.integer import INPUT, Conv, HostOutput, IntegerNetwork, Node, Threshold
from tests.small_networks import host_input, random_conv, random_input, random_threshold

WINDOWS: dict[str, Callable[[Conv], Conv]] = {
    "plain": lambda conv: conv,
    "all": lambda conv: replace(conv, stride=(3, 2), dilation=(1, 2), pad=(1, 0, 2, 1), pad_value=-1),
}


def activated(conv: Conv, threshold: Threshold, dtype: DataType, shape: tuple[int, int] = (5, 6)) -> IntegerNetwork:
    nodes = (Node("conv", conv, (INPUT,)), Node("act", threshold, ("conv",)))
    c_in, c_out = conv.weights.shape[-1], len(conv.weights)
    return IntegerNetwork(host_input(*shape, c_in, dtype), nodes, HostOutput((c_out,), np.ones(1), np.zeros(1)))


@pytest.mark.parametrize("output", [BIPOLAR, uint_type(2), int_type(4), Interval(-300, -290), int_type(8)])
@pytest.mark.parametrize("c_in", [3, 40], ids=["gathered", "per tap"])
@pytest.mark.parametrize("c_out", [6, 5], ids=["two sums in one", "odd"])
@pytest.mark.parametrize("windows", WINDOWS.values(), ids=list(WINDOWS))
def test_thresholds_on_sums_equal_golden_in_blocks_of_any_size(output: DataType, c_in: int, c_out: int,
                                                               windows: Callable[[Conv], Conv],
                                                               monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(c_in + c_out)
    conv = windows(random_conv(rng, (c_out, 3, 2, c_in), BIPOLAR))
    net = activated(conv, replace(random_threshold(rng, c_out, output, 30), inverted=frozenset({1, 4})), BIPOLAR)
    x = random_input(net, 7)
    wanted = golden.run(net, x)
    for limits in ({}, {"BLOCK_BYTES": 1}, {"PRODUCT_SIZE": 1}):
        for name, limit in limits.items():
            monkeypatch.setattr(fast_conv, name, limit)
        assert np.array_equal(fast.run(net, x, keep=["act"])["act"], wanted["act"])
        assert np.array_equal(fast.run(net, x)["conv"], wanted["conv"])


@pytest.mark.parametrize("columns", [2047, 2049], ids=["two sums in one", "just not two"])
def test_sums_at_both_ends_meet_thresholds_at_and_beyond_them(columns: int) -> None:
    rng = np.random.default_rng(0)
    weights = rng.choice([-1, 1], (8, 1, 1, columns))
    ends = [columns, -columns, columns + 1, -columns + 1, 1 << 40, -(1 << 40), 0, 1]
    net = activated(Conv(weights, BIPOLAR), Threshold(np.array(ends)[:, None], BIPOLAR), BIPOLAR, (1, 1))
    x = np.concatenate([weights, -weights, weights[::-1] * weights * weights[:1]]).reshape(-1, columns)
    wanted = golden.run(net, x)
    got = fast.run(net, x, keep=["act"])
    assert np.array_equal(got["act"], wanted["act"])
    assert np.array_equal(fast.run(net, x)["conv"], wanted["conv"])
    assert {wanted["conv"].min(), wanted["conv"].max()} == {-columns, columns}


def test_sums_with_another_reader_are_kept() -> None:
    rng = np.random.default_rng(0)
    net = activated(random_conv(rng, (4, 3, 3, 2), BIPOLAR), random_threshold(rng, 4, BIPOLAR, 9), BIPOLAR)
    second = Node("second", random_threshold(rng, 4, uint_type(2), 9), ("conv",))
    net = replace(net, nodes=(*net.nodes, second))
    x = random_input(net, 3)
    wanted = golden.run(net, x)
    got = fast.run(net, x, keep=["act", "second"])
    assert all(np.array_equal(got[name], wanted[name]) for name in ("act", "second"))
