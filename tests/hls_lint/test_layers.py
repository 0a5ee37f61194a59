"""The kernels of all layers: no rule is broken, and no recurrence is slower than a build counts on."""

from __future__ import annotations

from pathlib import Path

import pytest

from headrace.atomic_files import write_files
from headrace.dataflow.graph import SOURCE, Dataflow, Placed
from headrace.dataflow.hls_graph import hls_graph
from headrace.hls_lint.hls import inspect_hls, precompile
from headrace.layers import LAYERS
from headrace.layers.base import Layer
from headrace.layers.spec import layer_from_spec
from headrace.render.hls import render_hls
from headrace.render.hls_views import process_name
from headrace.timing.hls_clock import ENDS_NS, SLOWEST_RECURRENCE_NS, recurrence_ns
from tests.layer_battery import battery
from tests.small_dataflows import small_branches

#: Layers of a kind that are looked at; the slow test takes all.
_FEW = 3
_KINDS = sorted(set(LAYERS) - {"fifo", "fork", "add", "concat"})  # they are branches
#: Layers whose counters are long.
LARGE = (
    {"kind": "swu", "height": 112, "width": 112, "channels": 96, "kernel": (3, 3), "pad": (1, 1, 1, 1),
     "element": "uint4"},
    {"kind": "swu", "height": 112, "width": 112, "channels": 64, "kernel": (3, 3), "pad": (1, 1, 1, 1),
     "element": "uint4", "depthwise": True},
    {"kind": "swu", "height": 65, "width": 65, "channels": 40, "kernel": (3, 3), "pad": (4, 4, 4, 4),
     "dilation": (4, 4), "element": "uint4"},
    {"kind": "parallel_swu", "height": 112, "width": 112, "channels": 33, "kernel": (5, 5), "stride": (2, 2),
     "pad": (2, 2, 2, 2), "simd": 3, "element": "uint2"},
    {"kind": "mvtu", "mw": 4608, "mh": 512, "pe": 2, "vectors": 16, "weight": "int8", "input": "uint8",
     "output": "uint8"},
    {"kind": "threshold", "channels": 512, "pixels": 12544, "input": "int16", "output": "uint8"},
    {"kind": "requant", "channels": 512, "pixels": 12544, "input": "int16", "output": "uint8"},
    {"kind": "max_pool", "height": 112, "width": 112, "channels": 4, "pe": 4, "kernel": (2, 2), "stride": (2, 2),
     "element": "int8"},
    {"kind": "acc_pool", "height": 14, "width": 14, "channels": 1280, "kernel": (14, 14), "stride": (14, 14),
     "element": "uint8"},
    {"kind": "upsample", "height": 112, "width": 112, "channels": 96, "scale": (2, 2), "element": "uint4"},
    {"kind": "dwc", "in_lanes": 64, "out_lanes": 27, "words": 27648, "element": "uint4"},
    {"kind": "label_select", "labels": 1000, "k": 5, "element": "int24"},
    {"kind": "take", "elements": 1000000, "first": 3, "count": 990001, "input": "int16", "output": "uint8"},
    {"kind": "lookup", "channels": 4096, "pixels": 784, "input": "uint4", "output": "uint8"},
    {"kind": "requant", "channels": 4096, "pixels": 784, "input": "int32", "output": "uint8", "kinked": True},
    {"kind": "depth_to_space", "height": 40, "width": 64, "channels": 12, "block": (32, 2), "simd": 3,
     "element": "uint8"},
    {"kind": "crop", "height": 225, "width": 223, "channels": 33, "start": (3, 5), "stop": (220, 219), "step": (2, 3),
     "element": "uint8"},
    {"kind": "channel_map", "channels": 4096, "sources": [*range(4095, -1, -1)], "pixels": 784, "element": "uint8"},
    {"kind": "channel_map", "channels": 3, "sources": (2, 1, 0), "pixels": 50176, "element": "uint8"},
)
#: Layers of 256 iterations with the longest counters that these allow.
LONGEST_SHORT = (
    {"kind": "threshold", "channels": 256, "pixels": 1, "input": "int16", "output": "uint8"},
    {"kind": "requant", "channels": 256, "pixels": 1, "input": "int16", "output": "uint8"},
    {"kind": "lookup", "channels": 256, "pixels": 1, "input": "uint8", "output": "uint8"},
    {"kind": "take", "elements": 256, "first": 100, "count": 55, "input": "int16", "output": "uint8"},
    {"kind": "mvtu", "mw": 1, "mh": 256, "vectors": 1, "weight": "int8", "input": "uint8", "output": "uint4"},
    {"kind": "vvtu", "channels": 28, "kernel": (3, 3), "height": 1, "width": 1, "weight": "int8", "input": "uint8",
     "output": "uint8"},
    {"kind": "acc_pool", "height": 16, "width": 16, "channels": 1, "kernel": (16, 16), "stride": (16, 16),
     "element": "uint8"},
    {"kind": "upsample", "height": 1, "width": 128, "channels": 1, "scale": (1, 2), "element": "uint8"},
    {"kind": "dwc", "in_lanes": 128, "out_lanes": 1, "words": 2, "element": "uint1"},
    {"kind": "crop", "height": 256, "width": 1, "channels": 1, "start": (3, 0), "stop": (250, 1), "step": (3, 1),
     "element": "uint8"},
    {"kind": "depth_to_space", "height": 1, "width": 8, "channels": 1, "block": (32, 1), "element": "uint4"},
    {"kind": "channel_map", "channels": 84, "sources": [*range(83, -1, -1)], "pixels": 1, "element": "uint8"},
    {"kind": "channel_map", "channels": 255, "sources": [*range(0, 255, 2)], "pixels": 1, "element": "uint8"},
)


def check(layers: list[Layer], folder: Path, headers: Path) -> None:
    for layer in layers:
        check_dataflow(Dataflow(layer.inputs[0], (Placed(layer, ((SOURCE, 0),)),)), folder / layer.name, headers)


def check_dataflow(dataflow: Dataflow, folder: Path, headers: Path) -> None:
    write_files(folder, render_hls(dataflow, 5.0, "xc7z020clg400-1", "test", depths={}))
    seen = inspect_hls(folder, headers)
    assert seen.findings == (), dataflow.layers
    assert len(seen.loops) >= 3  # both ends and the layer
    limits = {process_name(item): recurrence_ns(item.process) for item in hls_graph(dataflow).processes}
    for loop in seen.loops:
        assert loop.recurrence_ns <= limits.get(loop.process, ENDS_NS) <= SLOWEST_RECURRENCE_NS, (loop, dataflow.layers)


@pytest.fixture(scope="module")
def headers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return precompile(tmp_path_factory.mktemp("headers"))


@pytest.mark.parametrize("kind", _KINDS)
def test_kernels_of_a_layer(tmp_path: Path, headers: Path, kind: str) -> None:
    layers = battery(kind).layers()
    check(layers[:: max(1, len(layers) // _FEW)], tmp_path, headers)


def test_kernels_of_branches(tmp_path: Path, headers: Path) -> None:
    check_dataflow(small_branches(), tmp_path, headers)


@pytest.mark.slow
@pytest.mark.parametrize("kind", _KINDS)
def test_kernels_of_all_layers(tmp_path: Path, headers: Path, kind: str) -> None:
    check(battery(kind).layers(), tmp_path, headers)


@pytest.mark.slow
@pytest.mark.parametrize("spec", LARGE + LONGEST_SHORT, ids=lambda spec: spec["kind"])
def test_kernels_with_long_counters(tmp_path: Path, headers: Path, spec: dict[str, object]) -> None:
    check([layer_from_spec(spec).layer], tmp_path, headers)
