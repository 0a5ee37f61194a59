import numpy as np
import pytest

from headrace.datatypes import BIPOLAR, Interval, int_type, uint_type
from headrace.errors import HeadraceError
from headrace.layers import Take
from headrace.layers.spec import layer_from_spec
from tests.layer_battery import LayerBattery


class TestTake(LayerBattery):
    specs = tuple(
        {"kind": "take", "elements": elements, "first": first, "count": count, "pe": pe, "input": wide,
         "output": narrow}
        for elements, first, count, pe, wide, narrow in (
            (12, 3, 6, 3, "int7", "uint3"), (12, 0, 4, 2, "int9", "int9"), (10, 5, 5, 5, "ternary", "bipolar"),
            (9, 0, 9, 1, "int20", "int5"), (7, 6, 1, 1, "uint8", "uint2"), (1, 0, 1, 1, "bipolar", "bipolar"),
            (20, 4, 8, 4, "int31", "int30"), (5, 2, 1, 1, "int4", "bipolar"),
        )
    )


def test_a_part_of_every_frame() -> None:
    layer = Take("t", 5, 1, 3, int_type(8), uint_type(3))
    assert layer.golden(np.array([[-9, 1, 2, 7, 99], [0, 4, 5, 6, -1]])).tolist() == [[1, 2, 7], [4, 5, 6]]
    signs = Take("t", 3, 0, 3, Interval(-5, 5), BIPOLAR)
    assert signs.golden(np.array([[-1, 1, 5]])).tolist() == [[-1, 1, 1]]


@pytest.mark.parametrize(("fields", "sentence"), [
    ({"first": 8}, "take0: 6 elements from 8 on do not lie in a frame of 12; take fewer, or from a place before"),
    ({"first": -1}, "take0: 6 elements from -1 on do not lie in a frame of 12; take fewer, or from a place before"),
    ({"count": 0}, "take0: count=0 must be positive; use 1 or more"),
    ({"pe": 2}, "take0: PE=2 must divide first=3, count=6 and elements=12; choose one of [1, 3]"),
    ({"output": "int8"}, "take0: an input of int7 does not hold int8; choose an output type within that of the input"),
])
def test_illegal_specs(fields: dict[str, object], sentence: str) -> None:
    spec = {"kind": "take", "elements": 12, "first": 3, "count": 6, "input": "int7", "output": "uint3"}
    with pytest.raises(HeadraceError) as error:
        layer_from_spec(spec | fields)
    assert str(error.value) == sentence
