import numpy as np
import pytest

from headrace.datatypes import uint_type
from headrace.errors import HeadraceError
from headrace.layers import Concat
from headrace.layers.spec import layer_from_spec
from tests.layer_battery import LayerBattery


class TestConcat(LayerBattery):
    specs = tuple(
        {"kind": "concat", "channels": channels, "pe": pe, "element": element, "pixels": pixels}
        for channels, pe, element, pixels in (
            ([4, 6], 2, "int3", 5), ([3, 6, 9], 3, "uint4", 4), ([1, 1], 1, "bipolar", 3), ([7, 7], 7, "uint8", 3),
            ([5, 5, 10, 15, 5], 5, "int16", 3), ([1, 2, 3, 4, 5, 6, 7, 8], 1, "ternary", 2), ([7, 3], 1, "int8", 1),
            ([18, 2, 2, 4], 2, "uint2", 2), ([6, 4], 2, ["uint2", "int20"], 1), ([3, 3], 3, ["bipolar", "uint5"], 2),
            ([5, 1, 2], 1, ["int4", "bipolar", "uint7"], 3), ([4, 4], 4, ["uint3", "[-2,5]"], 2),
            ([9, 6], 3, ["int3", "int31"], 1),
            ([1] * 8, 1, ["uint3", "int4", "bipolar", "uint2", "int5", "uint1", "bipolar", "int2"], 2),
        )
    )


def test_channels_follow_pixel_by_pixel() -> None:
    layer = Concat("c", (2, 1), uint_type(4), 2)
    assert layer.golden(np.array([[1, 2, 3, 4]]), np.array([[8, 9]])).tolist() == [[1, 2, 8, 3, 4, 9]]


def test_the_schedule_names_the_input_of_every_word() -> None:
    layer = Concat("c", (4, 2), uint_type(4), 3, pe=2)
    (pixels,) = layer.schedule().phases
    assert pixels == (3, ((2, 1, 1, 0), (1, 1, 1, 1)))
    assert layer.schedule().reads == sum(stream.words for stream in layer.inputs)


@pytest.mark.parametrize(("fields", "sentence"), [
    ({"pe": 4}, "concat0: PE=4 must divide every one of channels=[4, 6]; choose one of [1, 2]"),
    ({"pe": 0}, "concat0: PE=0 must divide every one of channels=[4, 6]; choose one of [1, 2]"),
    ({"channels": [4]}, "concat0: 1 inputs must be between 2 and 8; put a second concat behind this one for more"),
    ({"channels": [1] * 9}, "concat0: 9 inputs must be between 2 and 8; put a second concat behind this one for more"),
    ({"channels": [4, 0]}, "concat0: channels=(4, 0) must be positive; use 1 or more"),
    ({"element": ["int3"] * 3}, "concat0: elements=['int3', 'int3', 'int3'] of 2 inputs do not make int3; give one "
     "type for each input"),
    ({"element": 3}, "concat0: element=3 is not a type or a list of types"),
    ({"channels": 4}, "concat0: channels=4 is not a list of whole numbers"),
    ({"channels": [4, "6"]}, "concat0: channels=[4, '6'] is not a list of whole numbers"),
])
def test_illegal_specs(fields: dict[str, object], sentence: str) -> None:
    with pytest.raises(HeadraceError) as error:
        layer_from_spec({"kind": "concat", "channels": [4, 6], "element": "uint2", "pixels": 2} | fields)
    assert str(error.value) == sentence
