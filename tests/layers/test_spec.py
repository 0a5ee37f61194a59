
from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from headrace.errors import HeadraceError
from headrace.layers import LAYERS, Mvtu
from headrace.layers.spec import layer_from_spec
from headrace.simulation.cases import run_specs
from tests.narrow import the

MVTU = {"kind": "mvtu", "mh": 8, "mw": 6, "pe": 2, "simd": 3, "weight": "ternary", "input": "uint2", "output": "uint2"}
SWU = {"kind": "swu", "height": 5, "width": 5, "channels": 4, "kernel": [3, 3], "element": "uint2"}
REQUANT = {"kind": "requant", "channels": 4, "pixels": 1, "input": "int8", "output": "uint4"}


@pytest.mark.parametrize(("spec", "sentence"), [
    ([], "spec 0 is not a JSON object; write {\"kind\": \"mvtu\", ...}"),
    ({"kind": "conv"}, f"spec 0: kind 'conv' is unknown; choose one of {list(LAYERS)}"),
    (MVTU | {"pe": 3}, "mvtu0: PE=3 must divide MH=8; choose one of [1, 2, 4, 8]"),
    (MVTU | {"simd": 4}, "mvtu0: SIMD=4 must divide MW=6; choose one of [1, 2, 3, 6]"),
    (MVTU | {"mh": 0}, "mvtu0: mh=0 must be positive; use 1 or more"),
    (MVTU | {"mh": "8"}, "mvtu0: mh='8' is not a whole number"),
    ({k: v for k, v in MVTU.items() if k != "mw"}, "mvtu0: mw is missing; give a whole number"),
    (MVTU | {"weight": "int1"},
     "type 'int1' is unknown; write bipolar, ternary, int2..int32, uint1..uint32 or [lo,hi]"),
    (MVTU | {"output": "uint12"}, "mvtu0: an output of uint12 would need 4095 thresholds per row; "
                                  "use 9 bits or fewer, or acc"),
    (MVTU | {"stride": 2}, "mvtu0: stride is unknown for this kind of layer; remove it"),
    (MVTU | {"seed": -1}, "mvtu0: seed=-1 must not be negative; use 0 or more"),
    (SWU | {"simd": 3}, "swu0: SIMD=3 must divide channels=4; choose one of [1, 2, 4]"),
    (SWU | {"kernel": [7, 3]}, "swu0: kernel (7, 3) with dilation (1, 1) does not fit into 5x5 with pad (0, 0, 0, 0); "
                               "use a smaller kernel or more padding"),
    (SWU | {"buffer": "huge"}, "swu0: buffer 'huge' is unknown; choose overlapping or minimal"),
    (SWU | {"parallel_window": True, "simd": 8}, "swu0: SIMD=8 must divide channels=4; choose one of [1, 2, 4]"),
    (SWU | {"parallel_window": True, "buffer": "minimal"},
     "swu0: a parallel window has an overlapping buffer only; remove buffer"),
    (SWU | {"element": "[0,4294967296]"}, "swu0: element [0,4294967296] has 33 bits; use 32 bits or fewer"),
    (MVTU | {"output": "[3,3]"}, "mvtu0: output [3,3] has one value; use a type of two values or more"),
    (MVTU | {"weight": "int32", "input": "uint32", "output": "acc"},
     "mvtu0: a sum of weights times uint32 needs 67 bits and at most 62 are possible; use narrower weights or inputs"),
    (REQUANT | {"rounding": "floor"}, "requant0: rounding 'floor' is unknown; choose half_up or half_even"),
    (REQUANT | {"kind": "threshold", "output": "uint10"},
     "threshold0: an output of uint10 would need 1023 thresholds per row; use 9 bits or fewer, or acc"),
    (REQUANT | {"channels": 0}, "requant0: channels=0 must be positive; use 1 or more"),
    ({"kind": "dwc", "in_lanes": 3, "out_lanes": 2, "element": "uint2", "words": 3},
     "dwc0: a frame of 9 elements does not fill words of out_lanes=2; choose a divisor of 9"),
    ({"kind": "max_pool", "height": 2, "width": 9, "channels": 2, "kernel": [3, 3], "element": "uint2"},
     "max_pool0: kernel (3, 3) does not fit into 2x9; use a smaller kernel"),
])
def test_illegal_specs(spec: Mapping[str, object], sentence: str) -> None:
    with pytest.raises(HeadraceError) as error:
        layer_from_spec(spec)
    assert str(error.value) == sentence


def test_the_same_seed_gives_the_same_layer_and_frames() -> None:
    first, second, other = (layer_from_spec(MVTU | {"seed": seed}) for seed in (3, 3, 4))
    weights = [the(Mvtu, case.layer).weights for case in (first, second, other)]
    assert np.array_equal(weights[0], weights[1])
    assert np.array_equal(first.random_input()[0], second.random_input()[0])
    assert not np.array_equal(weights[0], weights[2])


def test_sixty_layers_are_legal_and_cover_every_kind() -> None:
    specs = json.loads((Path(__file__).parents[1] / "data" / "sixty_layers.json").read_text())
    cases = [layer_from_spec(spec, index) for index, spec in enumerate(specs)]
    assert len(cases) == 60
    assert {case.layer.kind for case in cases} == {"mvtu", "swu", "max_pool", "dwc", "fifo"}
    for case in cases:
        if isinstance(case.layer, Mvtu) and case.layer.thresholds is not None:
            assert len(np.unique(case.layer.golden(*case.random_input()))) > 1, case.layer.name


def test_what_a_window_and_a_pool_may_also_say() -> None:
    parallel = layer_from_spec(SWU | {"parallel_window": True, "buffer": "overlapping"}).layer
    assert parallel.kind == "parallel_swu"
    pool = {"kind": "max_pool", "height": 2, "width": 2, "channels": 1, "kernel": 2, "element": "int8", "minimum": True}
    assert layer_from_spec(pool).layer.golden(np.array([[3, -5, 7, 0]])) == [[-5]]


def test_words_that_hls_does_not_hold_are_a_sentence_of_their_spec() -> None:
    wide = {"kind": "dwc", "in_lanes": 128, "out_lanes": 1, "element": "uint32", "words": 1}
    (result,) = run_specs([wide], ("hls",), None, 0)
    assert result["error"] == ("dwc0: words of 4128 bits are too wide for the HLS back end, which holds at most 4096; "
                               "use fewer lanes, or the rtl back end alone")
    assert not result["bit_exact"] and result["cycles"] is None
