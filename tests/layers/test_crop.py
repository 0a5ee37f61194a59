import numpy as np
import pytest

from headrace.datatypes import uint_type
from headrace.errors import HeadraceError
from headrace.layers import Crop
from headrace.layers.spec import layer_from_spec
from tests.layer_battery import LayerBattery


class TestCrop(LayerBattery):
    specs = tuple(
        {"kind": "crop", "height": height, "width": width, "channels": channels, "start": start, "stop": stop,
         "step": step, "simd": simd, "element": element}
        for height, width, channels, start, stop, step, simd, element in (
            (4, 5, 4, [1, 1], [3, 4], 1, 2, "int3"), (5, 7, 3, [0, 0], [5, 7], 2, 3, "uint8"),
            (6, 4, 2, [1, 0], [6, 4], [2, 3], 1, "bipolar"), (1, 9, 5, [0, 2], [1, 8], [1, 3], 5, "int16"),
            (7, 1, 6, [3, 0], [7, 1], [3, 1], 2, "ternary"), (3, 3, 1, [2, 2], [3, 3], 1, 1, "uint2"),
            (2, 2, 4, [0, 0], [1, 1], 1, 4, "int2"), (1, 1, 18, [0, 0], [1, 1], 1, 9, "uint5"),
        )
    )


def test_rows_and_columns_between_the_ends_stay() -> None:
    layer = Crop("c", 3, 4, 1, (1, 0), (3, 4), (1, 2), uint_type(4))
    assert layer.golden(np.arange(12)[None]).tolist() == [[4, 6, 8, 10]]


def test_cycles_are_the_words_in() -> None:
    layer = Crop("c", 3, 4, 4, (1, 0), (3, 4), (1, 2), uint_type(4), simd=2)
    assert layer.cycles == layer.inputs[0].words == 24


@pytest.mark.parametrize(("fields", "sentence"), [
    ({"simd": 4}, "crop0: SIMD=4 must divide channels=6; choose one of [1, 2, 3, 6]"),
    ({"step": 0}, "crop0: step=(0, 0) must be positive; use 1 or more"),
    ({"stop": [3, 4]}, "crop0: rows and columns from (0, 0) to (3, 4) are none of 3x3; keep start below stop, and stop "
                       "within the frame"),
    ({"start": 3}, "crop0: rows and columns from (3, 3) to (3, 3) are none of 3x3; keep start below stop, and stop "
                   "within the frame"),
])
def test_illegal_specs(fields: dict[str, object], sentence: str) -> None:
    spec = {"kind": "crop", "height": 3, "width": 3, "channels": 6, "element": "uint2"}
    with pytest.raises(HeadraceError) as error:
        layer_from_spec(spec | fields)
    assert str(error.value) == sentence
