"""Random networks with forks and joins, small enough to be sized and compiled in seconds."""

from __future__ import annotations

import numpy as np

from headrace.datatypes import Interval, uint_type
from headrace.network.integer import HostOutput, IntegerNetwork, Node
from headrace.network.integer_ops import Add, Concat, DepthwiseConv, MaxPool
from tests.small_networks import host_input, random_conv, random_threshold


def random_network(seed: int) -> IntegerNetwork:
    """A convolution, two branches of random kernels and depths that join, perhaps a pool, a dense layer."""
    rng = np.random.default_rng(seed)
    side, inputs, channels = (int(rng.choice(choices)) for choices in ([4, 6, 8], [1, 2, 3], [2, 4]))
    nodes: list[Node] = []
    first = _activated(rng, nodes, "stem", "input", inputs, channels, kernel=int(rng.choice([1, 3])))
    ends = [_branch(rng, nodes, f"branch{k}", first, channels, length) for k, length in
            enumerate((int(rng.integers(0, 2)), int(rng.integers(1, 3))))]
    adds = bool(rng.integers(2))
    nodes.append(Node("join", Add() if adds else Concat(), tuple(ends)))
    shape, last = side, "join"
    if rng.integers(2):
        nodes.append(Node("pool", MaxPool((2, 2), (2, 2)), (last,)))
        shape, last = side // 2, "pool"
    columns = channels if adds else 2 * channels
    nodes.append(Node("fc", random_conv(rng, (3, shape, shape, columns), Interval(-3, 3)), (last,)))
    return IntegerNetwork(host_input(side, side, inputs, uint_type(3)), tuple(nodes),
                          HostOutput((3,), np.ones(3), np.zeros(3)))


def _branch(rng: np.random.Generator, nodes: list[Node], name: str, source: str, channels: int, length: int) -> str:
    """Convolutions that keep the shape, some depthwise; the name of the last one, or the source if there is none."""
    for k in range(length):
        depthwise = rng.integers(3) == 0
        source = _activated(rng, nodes, f"{name}_{k}", source, channels, channels, 3 if depthwise or rng.integers(2)
                            else 1, bool(depthwise))
    return source


def _activated(rng: np.random.Generator, nodes: list[Node], name: str, source: str, inputs: int, channels: int,
               kernel: int, depthwise: bool = False) -> str:
    pad = (kernel // 2,) * 4
    conv = (DepthwiseConv(rng.integers(-3, 4, (channels, kernel, kernel, 1)), Interval(-3, 3), pad=pad) if depthwise
            else random_conv(rng, (channels, kernel, kernel, inputs), Interval(-3, 3), pad=pad))
    nodes.append(Node(name, conv, (source,)))
    nodes.append(Node(f"{name}_act", random_threshold(rng, channels, uint_type(2), 30), (name,)))
    return f"{name}_act"
