"""Clocks that the C++ of a network cannot keep; tests/hls_lint/test_layers.py compares the table with the sources."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest

from headrace.dataflow.graph import Dataflow
from headrace.dataflow.hls_graph import hls_graph
from headrace.errors import InputError
from headrace.layers.hls import HlsProcess
from headrace.render.hls import render_hls
from headrace.timing.hls_clock import ENDS_NS, recurrence_ns, require_clock
from tests.small_dataflow import small_dataflow
from tests.small_dataflows import small_branches, small_cnn


def test_a_clock_that_a_kernel_cannot_keep_is_one_sentence() -> None:
    assert render_hls(small_cnn(), 2.85, "part", "header", depths={})
    with pytest.raises(InputError) as error:
        render_hls(small_cnn(), 2.5, "part", "header", depths={})
    assert str(error.value) == (
        "pool0: its C++ takes up to 2.85 ns from one word to the next, and a clock of 400 MHz leaves 2.5 ns; build "
        "with --clock-mhz 350 or less, or with --backend rtl")


@pytest.mark.parametrize("dataflow", [small_dataflow(), small_branches()])
def test_faster_kernels_keep_faster_clocks(dataflow: Dataflow) -> None:
    graph = hls_graph(dataflow)
    slowest = max(ENDS_NS, *(recurrence_ns(item.process) for item in graph.processes))
    require_clock(graph, slowest)
    with pytest.raises(InputError, match=rf": its C\+\+ takes up to {slowest:g} ns from one word to the next"):
        require_clock(graph, slowest - 0.1)


def test_a_clock_uncertainty_that_leaves_too_little() -> None:
    require_clock(hls_graph(small_cnn()), 3.2, 0.1)
    with pytest.raises(InputError) as error:
        require_clock(hls_graph(small_cnn()), 3.2, 0.8)
    assert str(error.value) == (
        "pool0: its C++ takes up to 2.85 ns from one word to the next, and a clock of 312.5 MHz leaves 2.40 ns of its "
        "3.2 ns after the clock uncertainty; give a smaller --clock-uncertainty, build with --clock-mhz 263 or less, "
        "or with --backend rtl")


@pytest.mark.parametrize(("iterations", "wanted"), [(1, 2.1), (256, 2.1), (257, 2.3)])
def test_short_counters_are_those_of_256_iterations(iterations: int, wanted: float) -> None:
    loop = SimpleNamespace(iterations=iterations)
    assert recurrence_ns(cast(HlsProcess, SimpleNamespace(kernel="swu", loop=loop))) == wanted
    assert recurrence_ns(cast(HlsProcess, SimpleNamespace(kernel="another", loop=loop))) == 3.0
