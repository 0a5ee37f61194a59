
from __future__ import annotations

import json
from collections.abc import Hashable
from itertools import product
from pathlib import Path

import pytest

from headrace import memory
from headrace.area.estimate import amounts, estimate
from headrace.area.factors import fitted
from headrace.area.usage import Resources, total
from headrace.layers.spec import layer_from_spec
from tests.random_specs import Spec

SPECS = json.loads((Path(__file__).parents[1] / "data" / "sixty_layers.json").read_text())


def test_resources_add_up() -> None:
    assert total([Resources(1, 2, 3, 4, 5, 6), Resources(lut=10, lutram=1)]) == Resources(11, 2, 3, 4, 5, 7)
    assert total([]) == Resources()
    assert (Resources(lut=3, lutram=2).all_luts, Resources(bram18=3).bram36) == (5, 2)


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec["kind"])
def test_every_layer_takes_luts_and_flip_flops(spec: Spec) -> None:
    found = estimate(layer_from_spec(spec).layer)
    assert found.lut > 0
    assert found.ff > 0


def test_more_folding_takes_more() -> None:
    def spec(pe: int, simd: int) -> dict[str, object]:
        return {"kind": "mvtu", "mw": 64, "mh": 64, "pe": pe, "simd": simd, "weight": "int4", "input": "uint4",
                "output": "uint4"}

    few, more, most = (estimate(layer_from_spec(spec(pe, simd)).layer) for pe, simd in ((2, 4), (4, 8), (16, 16)))
    assert few.lut < more.lut < most.lut
    assert few.ff < more.ff < most.ff


def test_scaled_groups_take_a_multiplier_per_pe() -> None:
    plain = {"kind": "mvtu", "mw": 36, "mh": 8, "pe": 4, "simd": 2, "weight": "ternary", "input": "uint4",
             "output": "uint4"}
    scaled = plain | {"groups": 9, "scale": "uint8"}
    few, more = (estimate(layer_from_spec(spec).layer) for spec in (plain, scaled))
    assert more.lut > few.lut and more.ff > few.ff and more.dsp == few.dsp + 4


@pytest.mark.parametrize(("depth", "bits", "blocks"), [
    (512, 36, 1), (513, 36, 2), (512, 37, 2), (1024, 18, 1), (16384, 1, 1), (2304, 128, 18), (1100, 40, 4),
    (32768, 8, 15),
])
def test_block_rams(depth: int, bits: int, blocks: int) -> None:
    assert memory.bram18(depth, bits) == blocks


@pytest.mark.parametrize(("kind", "core"), [("mvtu", "plain"), ("mvtu", "dsp"), ("mvtu", "pairs"), ("mvtu", "planes"),
                                            ("vvtu", "plain")])
def test_layers_of_equal_facts_take_the_same(kind: str, core: str) -> None:
    """Facts that left something out would give one of these the estimate of another."""
    per_channel: Spec = {"channels": 8, "kernel": [2, 3], "height": 2, "width": 2}
    sizes = {"mw": 24, "mh": 8} if kind == "mvtu" else per_channel
    found: dict[Hashable, list[Resources]] = {}
    for seed, (pe, simd), output, weight in product(range(8), ((1, 1), (2, 3), (8, 3)), ("bipolar", "uint2", "uint4"),
                                                    ("int3", "int4")):
        layer = layer_from_spec({"kind": kind, **sizes, "pe": pe, "simd": simd, "weight": weight, "input": "uint4",
                                 "output": output, "core": core, "seed": seed}).layer
        if layer.area_facts is not None:
            found.setdefault(layer.area_facts, []).append(amounts(layer).total(fitted(layer.prices.cells)))
    assert max(map(len, found.values())) > 1
    assert all(len(set(takes)) == 1 for takes in found.values())
