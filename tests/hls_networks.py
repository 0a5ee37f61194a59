"""Random networks with forks and joins, small enough to be sized and compiled in seconds."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from headrace.atomic_files import write_files
from headrace.building import random_frames
from headrace.dataflow.vectors import Vectors
from headrace.datatypes import TERNARY, Interval, uint_type
from headrace.design import Design
from headrace.model import Model
from headrace.network.integer import HostOutput, IntegerNetwork, Node
from headrace.network.integer_ops import Add, Concat, DepthwiseConv, MaxPool, Requant
from headrace.packing import pack_stream
from headrace.planning import plan_design
from headrace.render.hls import render_hls
from headrace.request import Options, resolve
from headrace.simulation.compare import require_passed
from headrace.simulation.csim import compile_network
from tests.small_networks import host_input, random_conv, random_threshold


def planned(net: IntegerNetwork, cycles: int) -> Design:
    """The hardware of a network at so many cycles per frame, with the streams of the C++."""
    request = resolve(Options(fps=200e6 / cycles, backend="both"))
    return plan_design(Model(net, "0" * 64), request).design


def run_bounded(design: Design, work: Path, stages: Iterable[int], frames: int = 3) -> None:
    """Run the C++ with bounded streams: with pipelines that flush, and with such as stall, of every number of stages.

    It is compiled once. Raises MismatchError where it stops, moves other words than planned or differs from golden.
    """
    assert design.hls is not None
    dataflow = design.dataflow
    vectors = Vectors(dataflow, random_frames(dataflow, frames, 5))
    write_files(work / "hls", render_hls(dataflow, 5.0, "xc7z020clg400-1", "test", depths=design.hls.depths))
    network = compile_network(work / "hls", dataflow, work)
    words = pack_stream(vectors.frames, dataflow.input.lanes, dataflow.input.element)
    network.require_scheduled(network.run(words, frames))
    for number in (0, *stages):
        require_passed(dataflow, vectors.words, network.run(words, frames, number, vectors.words).passed, "HLS")


def residual(side: int) -> IntegerNetwork:
    """Windows, a shortcut with requantizers, a depthwise convolution with many thresholds, pooling."""
    rng, last = np.random.default_rng(7), (side - 2) // 2
    nodes = (
        Node("conv0", random_conv(rng, (4, 3, 3, 2), Interval(-7, 7), pad=(1, 1, 1, 1)), ("input",)),
        Node("conv0_act", random_threshold(rng, 4, uint_type(2), 200), ("conv0",)),
        Node("conv1", random_conv(rng, (4, 3, 3, 4), TERNARY, pad=(1, 1, 1, 1)), ("conv0_act",)),
        Node("rq1", Requant(np.array([3, -2, 5, 4]), np.full(4, 8), 4, "half_even", Interval(-8, 7)), ("conv1",)),
        Node("sum", Add(), ("conv0_act", "rq1")),
        Node("rq2", Requant(np.array([5, 6, 7, 8]), np.full(4, 4), 3, "half_up", Interval(0, 15)), ("sum",)),
        Node("dw", DepthwiseConv(rng.integers(-7, 8, (4, 3, 3, 1)), Interval(-7, 7)), ("rq2",)),
        Node("dw_act", random_threshold(rng, 4, uint_type(5), 300), ("dw",)),
        Node("pool", MaxPool((2, 2), (2, 2)), ("dw_act",)),
        Node("fc", random_conv(rng, (3, last, last, 4), Interval(-7, 7)), ("pool",)),
    )
    return IntegerNetwork(host_input(side, side, 2, uint_type(4)), nodes, HostOutput((3,), np.ones(3), np.zeros(3)))


def joined(side: int, adds: bool) -> IntegerNetwork:
    """A 1x1 convolution, added to or standing beside a 3x3 convolution of it."""
    rng = np.random.default_rng(7)
    nodes: list[Node] = []
    stem = _activated(rng, nodes, "conv0", "input", 2, 4, 1)
    ends = (stem, _activated(rng, nodes, "conv1", stem, 4, 4, 3))
    nodes.append(Node("join", Add() if adds else Concat(), ends))
    nodes.append(Node("fc", random_conv(rng, (3, side, side, 4 if adds else 8), Interval(-7, 7)), ("join",)))
    return IntegerNetwork(host_input(side, side, 2, uint_type(4)), tuple(nodes),
                          HostOutput((3,), np.ones(3), np.zeros(3)))


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
