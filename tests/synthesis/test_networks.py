"""Logic depth of the layers of real networks, and what CNV at FINN's large folding takes.

Whole accelerators are flattened after their layers were mapped (synth.designs.network_design).
"""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.area import NETWORKS, measure_network
from headrace.layers.spec import layer_from_spec
from headrace.model import load
from headrace.planning import plan_design
from headrace.synthesis.designs import layer_design, library
from headrace.synthesis.report import Request, synthesize_all
from headrace.synthesis.yosys import default_cache, synthesize
from tests.public_models import MODELS

#: For 300 MHz on UltraScale+.
MOST_LEVELS = 8
WITH_MODELS = pytest.mark.skipif(not MODELS.is_dir(), reason="the folder ../shared with real networks is missing")

#: Wide numbers, several lanes, padding: what makes paths long.
SPECS = (
    {"kind": "swu", "height": 20, "width": 20, "channels": 6, "kernel": [3, 3], "stride": [2, 2], "pad": [1, 1, 1, 1],
     "simd": 2, "element": "uint4"},
    {"kind": "swu", "height": 20, "width": 20, "channels": 2, "kernel": [3, 3], "pad": [1, 1, 1, 1], "element": "uint4",
     "parallel_window": True},
    {"kind": "label_select", "labels": 100, "pe": 4, "k": 3, "element": "int16"},
    {"kind": "dwc", "in_lanes": 12, "out_lanes": 1, "element": "uint4", "words": 12},
    {"kind": "dwc", "in_lanes": 1, "out_lanes": 12, "element": "uint4", "words": 12},
    {"kind": "dwc", "in_lanes": 5, "out_lanes": 3, "element": "uint4", "words": 12},
    {"kind": "fifo", "depth": 100, "lanes": 2, "element": "uint4", "words": 12},
    {"kind": "add", "channels": 2, "pe": 2, "left": "int16", "right": "uint12", "pixels": 4},
    {"kind": "fork", "channels": 2, "pe": 2, "element": "uint4", "pixels": 4, "outputs": 8},
    {"kind": "concat", "channels": [2, 4, 2], "pe": 2, "element": "uint4", "pixels": 4},
    {"kind": "channel_map", "channels": 70, "sources": [*range(2, 64), -1, -1], "element": "int8", "pixels": 4},
    {"kind": "channel_map", "channels": 70, "sources": [*range(70)][::-1], "element": "int8", "pixels": 4},
    {"kind": "channel_map", "channels": 6, "sources": [5, -1, 0, 2], "simd": 6, "pe": 4, "element": "int8",
     "pixels": 4},
    {"kind": "crop", "height": 30, "width": 30, "channels": 4, "start": [3, 5], "stop": [25, 29], "step": [2, 3],
     "simd": 2, "element": "int8"},
    {"kind": "upsample", "height": 5, "width": 5, "channels": 4, "scale": [2, 2], "simd": 2, "element": "uint4"},
    {"kind": "depth_to_space", "height": 5, "width": 5, "channels": 4, "block": [2, 2], "simd": 2, "element": "uint4"},
    {"kind": "max_pool", "height": 9, "width": 9, "channels": 2, "kernel": [3, 3], "stride": [2, 2],
     "element": "int16"},
    {"kind": "acc_pool", "height": 9, "width": 9, "channels": 2, "kernel": [3, 3], "stride": [2, 2],
     "element": "int16"},
    {"kind": "requant", "channels": 4, "pe": 2, "input": "int20", "output": "uint8", "pixels": 4},
    {"kind": "threshold", "channels": 4, "pe": 2, "input": "int16", "output": "uint4", "pixels": 4},
    {"kind": "vvtu", "channels": 4, "kernel": [3, 3], "height": 2, "width": 2, "pe": 2, "simd": 3, "weight": "int4",
     "input": "uint4", "output": "uint4"},
    {"kind": "mvtu", "mw": 16, "mh": 8, "pe": 2, "simd": 8, "weight": "int4", "input": "uint4", "output": "uint4"},
    # Bounds with 32 ports, whole trees of bounds, and those read for both values of the bit that is decided last.
    {"kind": "mvtu", "mw": 64, "mh": 8, "pe": 8, "simd": 8, "weight": "int2", "input": "uint2", "output": "uint4"},
    {"kind": "threshold", "channels": 130, "pe": 2, "input": "int10", "output": "uint4", "pixels": 4},
    {"kind": "threshold", "channels": 40, "pe": 1, "input": "int12", "output": "uint5", "pixels": 4},
    {"kind": "mvtu", "mw": 64, "mh": 64, "pe": 1, "simd": 1, "weight": "bipolar", "input": "bipolar",
     "output": "bipolar"},
)


def test_no_layer_is_deeper_than_8_levels(tmp_path: Path) -> None:
    sources = library()
    designs = [layer_design(layer_from_spec(spec, 0).layer, sources) for spec in SPECS]
    depths = [found.depth for found in synthesize_all(designs, Request(cache=tmp_path))]
    assert max(depths) <= MOST_LEVELS and min(depths) >= 1, list(zip(SPECS, depths, strict=True))


@WITH_MODELS
@pytest.mark.slow
@pytest.mark.parametrize("name", [
    "cnv_w1a1_cifar10_mt", "cnv_w1a1_cifar10_quant", "finn_tfc_mt", "resnet8_w4a4", "jet_mlp_w6a6", "kws_mlp_w3a3",
    "tfc_w1a1", "tfc_w2a2",
])
def test_no_layer_of_a_network_is_deeper_than_8_levels(name: str) -> None:
    model = load(MODELS / f"{name}.onnx")
    layers = plan_design(model).dataflow.layers
    sources = library()
    depths = {layer.name: synthesize(layer_design(layer, sources), default_cache()).depth for layer in layers}
    assert {layer: depth for layer, depth in depths.items() if depth > MOST_LEVELS} == {}


@WITH_MODELS
@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
def test_networks_of_peers_take_less(name: str) -> None:
    figures = measure_network(NETWORKS[name])
    assert figures["bit_exact"] and figures["within_limits"], figures
