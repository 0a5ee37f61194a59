"""What compute cores say of their accumulators."""

from __future__ import annotations

import numpy as np
import pytest

from headrace.datatypes import BIPOLAR, TERNARY, DataType, int_type, uint_type
from headrace.layers.cores import CORES, Operands
from headrace.layers.random_values import random_values


@pytest.mark.parametrize("core", CORES)
@pytest.mark.parametrize("weight", [BIPOLAR, TERNARY, int_type(4)], ids=str)
@pytest.mark.parametrize("element", [BIPOLAR, uint_type(3), int_type(3)], ids=str)
def test_bounds_of_offsets_are_those_of_the_rows(core: str, weight: DataType, element: DataType) -> None:
    operands = Operands(weight, element, 2, 3, shared=True, scaled=False, thresholded=True, words=4)
    weights = random_values(np.random.default_rng(0), weight, (8, 6))
    factor, offsets = CORES[core].accumulated(weights, operands)
    assert CORES[core].accumulated_bounds(weights, operands) == (factor, offsets.min(), offsets.max())
