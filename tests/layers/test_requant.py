from fractions import Fraction
from math import floor

import numpy as np
import pytest

from headrace.datatypes import BIPOLAR, Interval, int_type, uint_type
from headrace.errors import HeadraceError
from headrace.layers import Requant
from headrace.layers.requant import Rounding, rounded_shift
from tests.layer_battery import LayerBattery


def spec(channels: int, pe: int, types: str, pixels: int, rounding: str = "half_up",
         shared: bool = False) -> dict[str, object]:
    element, output = types.split()
    return {"kind": "requant", "channels": channels, "pe": pe, "input": element, "output": output,
            "pixels": pixels, "rounding": rounding, "shared": shared}


def every_value(multiplier: list[int], offset: list[int], shift: int, rounding: Rounding, output: Interval) -> Requant:
    """One channel per multiplier, pixels for 6 bits of input."""
    return Requant("r", np.array(multiplier), np.array(offset), shift, rounding, int_type(6), output, 40)


class TestRequant(LayerBattery):
    specs = (
        spec(8, 2, "int8 uint8", 5),
        spec(8, 1, "int16 int8", 3, "half_even"),
        spec(6, 6, "int20 uint5", 9),
        spec(5, 5, "ternary int3", 7, "half_even"),
        spec(9, 3, "bipolar uint6", 4, "half_even"),
        spec(9, 1, "uint16 int7", 2),
        spec(18, 9, "int24 [-127,127]", 3, "half_even"),
        spec(7, 7, "uint8 uint1", 6, "half_even"),
        spec(4, 2, "int6 uint4", 30, "half_even", shared=True),
        spec(3, 1, "uint4 ternary", 11),
        spec(2, 1, "int16 int16", 9),
        spec(3, 3, "int6 [3,9]", 20, "half_even"),
        spec(1, 1, "int5 int4", 1),
        spec(4, 2, "int32 uint6", 5, "half_even"),  # in slices
        spec(6, 2, "int14 int8", 9) | {"kinked": True},
        spec(4, 4, "int9 uint5", 8, shared=True) | {"kinked": True},
        spec(3, 1, "int32 int8", 7) | {"kinked": True},
    )
    extra = (
        every_value([1, -1, 3, -5], [0, 1, -7, 4], 1, "half_even", int_type(6)),
        every_value([1, -1, 3, -5], [0, 1, -7, 4], 1, "half_up", int_type(6)),
        every_value([3, -2], [5, 0], 0, "half_even", int_type(5)),
        every_value([0, 1], [-(1 << 40), (1 << 40) - 1], 36, "half_even", int_type(8)),
        every_value([(1 << 50) + 1, -(1 << 50)], [0, 1], 50, "half_even", int_type(8)),
        every_value([1], [0], 20, "half_up", uint_type(31)),
    )


@pytest.mark.parametrize("shift", [0, 1, 2, 5])
def test_rounding_is_to_the_nearest(shift: int) -> None:
    values = np.arange(-200, 200)
    exact = [Fraction(int(v), 1 << shift) for v in values]
    assert rounded_shift(values, shift, "half_even").tolist() == [round(v) for v in exact]
    assert rounded_shift(values, shift, "half_up").tolist() == [floor(v + Fraction(1, 2)) for v in exact]


@pytest.mark.parametrize(("change", "sentence"), [
    ({"pe": 3}, "r: PE=3 must divide channels=2; choose one of [1, 2]"),
    ({"shift": -1}, "r: shift=-1 must not be negative; scale multiplier and offset"),
    ({"offset": np.zeros(3, np.int64)},
     "r: multiplier of shape (2,) and offset of shape (3,) must both have one value per channel"),
    ({"rounding": "floor"}, "r: rounding 'floor' is unknown; choose half_up or half_even"),
    ({"output": BIPOLAR},
     "r: an output of bipolar cannot be clipped to; use a threshold for bipolar, and 31 bits or fewer"),
    ({"multiplier": np.array([1 << 56, 1])}, "r: x * multiplier + offset needs 64 bits and at most 63 are possible; "
                                             "use a smaller multiplier and shift"),
])
def test_illegal_layers(change: dict[str, object], sentence: str) -> None:
    fields: dict[str, object] = {"multiplier": np.array([1, 2]), "offset": np.array([0, 0]), "shift": 2,
                                 "rounding": "half_up", "input": int_type(8), "output": int_type(4),
                                 "pixels": 1}
    with pytest.raises(HeadraceError) as error:
        Requant("r", **(fields | change))  # type: ignore[arg-type]
    assert str(error.value) == sentence
