"""Foldings, types, shapes and windows against each other, in pairs and as a full product; minutes, hence `slow`."""

from __future__ import annotations

from itertools import combinations

import pytest

from generator.simulate.cases import run_specs
from tests.pairwise import full_product, pairwise


def typed(key: str, *types: str) -> list[dict[str, str]]:
    return [{key: dtype} for dtype in types]


#: One kernel size on both axes or on one; rows x columns are large enough for every kernel, dilation and stride.
SHAPES = [{"height": 9, "width": 9}, {"height": 7, "width": 10}]
KERNELS = [{"kernel": [1, 1]}, {"kernel": [3, 3]}, {"kernel": [1, 3]}, {"kernel": [2, 3]}]
PADS = [{"pad": [0, 0, 0, 0]}, {"pad": [1, 1, 1, 1]}, {"pad": [0, 2, 1, 0]}]
STRIDES = [{"stride": [1, 1]}, {"stride": [2, 2]}, {"stride": [1, 3]}]
DILATIONS = [{"dilation": [1, 1]}, {"dilation": [2, 2]}]
ELEMENTS = typed("element", "bipolar", "ternary", "int4", "uint8")
LANES = [{"channels": 6, "simd": 3}, {"channels": 5, "simd": 5}]
ORDERS = [{}, {"depthwise": True}, {"parallel_window": True}, {"buffer": "minimal"}]
WEIGHTS = typed("weight", "bipolar", "ternary", "int2", "int4", "int8", "uint3")
INPUTS = typed("input", "bipolar", "uint1", "uint2", "int4", "uint8", "int16")
OUTPUTS = typed("output", "bipolar", "uint2", "int4", "uint5", "acc")

FACTORS = {
    "mvtu": [
        [{"mh": mh, "mw": mw, "pe": pe, "simd": simd, "vectors": vectors} for mh, mw, pe, simd, vectors in (
            (8, 12, 1, 1, 1), (8, 12, 8, 12, 2), (6, 35, 3, 7, 1), (5, 18, 5, 18, 3), (7, 27, 1, 27, 2),
            (3, 5, 3, 1, 1))],
        WEIGHTS, INPUTS, OUTPUTS,
    ],
    "vvtu": [
        [{"channels": channels, "kernel": kernel, "pe": pe, "simd": simd, "height": 2, "width": 3}
         for channels, kernel, pe, simd in (
             (6, [3, 3], 1, 1), (6, [3, 3], 3, 9), (5, [1, 3], 5, 1), (7, [2, 3], 1, 6))],
        WEIGHTS, INPUTS, OUTPUTS,
    ],
    "swu": [SHAPES, KERNELS, PADS, STRIDES, DILATIONS, typed("element", "bipolar", "int4"), LANES, ORDERS],
    "max_pool": [SHAPES, KERNELS, STRIDES, ELEMENTS, [{"channels": 6, "pe": 2}, {"channels": 5, "pe": 5}]],
    "acc_pool": [SHAPES, KERNELS, STRIDES, ELEMENTS, [{"channels": 6, "pe": 2}, {"channels": 5, "pe": 5}]],
}  # fmt: skip
#: Of a full product at most this many are compiled into one model.
AT_ONCE = 150


def require_exact(specs: list[dict[str, object]]) -> None:
    for result in run_specs(specs, ("rtl", "hls"), stalls=None, seed=2):
        assert result["error"] is None and result["bit_exact"], result
        assert result["cycles_measured"] == result["cycles"], result


def specs(kind: str, parts: list[dict[str, object]]) -> list[dict[str, object]]:
    return [{"kind": kind, **part, "seed": index} for index, part in enumerate(parts)]


@pytest.mark.parametrize("kind", FACTORS)
def test_every_pair_of_values_meets(kind):
    rows = pairwise(FACTORS[kind])
    for one, other in combinations(FACTORS[kind], 2):
        for left in one:
            for right in other:
                wanted = left | right
                assert any(all(row.get(key) == value for key, value in wanted.items()) for row in rows), wanted
    assert len(rows) < len(full_product(FACTORS[kind])) / 3


@pytest.mark.slow
@pytest.mark.parametrize("kind", FACTORS)
def test_pairs_are_exact(kind):
    require_exact(specs(kind, pairwise(FACTORS[kind])))


@pytest.mark.slow
@pytest.mark.parametrize("kind", FACTORS)
def test_the_full_product_is_exact(kind):
    everything = specs(kind, full_product(FACTORS[kind]))
    for start in range(0, len(everything), AT_ONCE):
        require_exact(everything[start : start + AT_ONCE])
