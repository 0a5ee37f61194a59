"""What compute cores say of their accumulators."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from headrace.area.estimate import estimate
from headrace.area.usage import Resources
from headrace.datatypes import BIPOLAR, TERNARY, DataType, int_type, uint_type
from headrace.layers.cores import CORES, Operands
from headrace.layers.cores.choice import cheapest
from headrace.layers.mvtu import Mvtu
from headrace.layers.random_values import random_values
from headrace.layers.spec import layer_from_spec


@pytest.mark.parametrize("core", CORES)
@pytest.mark.parametrize("weight", [BIPOLAR, TERNARY, int_type(4)], ids=str)
@pytest.mark.parametrize("element", [BIPOLAR, uint_type(3), int_type(3)], ids=str)
def test_bounds_of_offsets_are_those_of_the_rows(core: str, weight: DataType, element: DataType) -> None:
    operands = Operands(weight, element, 2, 3, shared=True, scaled=False, thresholded=True, words=4)
    weights = random_values(np.random.default_rng(0), weight, (8, 6))
    factor, offsets = CORES[core].accumulated(weights, operands)
    assert CORES[core].accumulated_bounds(weights, operands) == (factor, offsets.min(), offsets.max())


@pytest.mark.parametrize(("words", "wanted"), [(2, "tables"), (64, "planes")])
def test_few_words_of_weights_become_tables(words: int, wanted: str) -> None:
    """Ternary weights that are constants take little more than half of the LUTs of the next core."""
    found = layer_from_spec({"kind": "mvtu", "mw": 576, "mh": 8 * words, "pe": 8, "simd": 576, "weight": "ternary",
                             "input": "uint2", "output": "uint2"}).layer
    assert isinstance(found, Mvtu)
    assert found.chosen_core == wanted
    if wanted == "tables":
        others = [estimate(replace(found, core=core)).all_luts for core in ("pairs", "planes")]
        assert estimate(found).all_luts <= 0.65 * min(others)
        assert [memory.rom for memory in found.memories() if memory.name == "WEIGHTS"] == [None]


@pytest.mark.parametrize(("counts", "wanted"), [
    ({"plain": (1500, 10), "parity": (1000, 300), "tables": (1019, 800)}, "parity"),
    ({"plain": (1500, 10), "parity": (1019, 900), "tables": (1000, 800)}, "tables"),
    ({"plain": (1500, 10), "parity": (1000, 900), "tables": (1021, 800)}, "parity")])
def test_of_cores_with_as_many_luts_the_one_with_fewer_flip_flops(counts: dict[str, tuple[int, int]],
                                                                 wanted: str) -> None:
    operands = Operands(BIPOLAR, BIPOLAR, 2, 8, shared=True, scaled=False, thresholded=True, words=2)
    found = cheapest(operands, lambda core: Resources(lut=counts[core.name][0], ff=counts[core.name][1]))
    assert found.name == wanted
