import numpy as np
import pytest

from headrace.datatypes import uint_type
from headrace.errors import HeadraceError
from headrace.layers import Upsample
from headrace.layers.spec import layer_from_spec
from tests.layer_battery import LayerBattery


class TestUpsample(LayerBattery):
    specs = tuple(
        {"kind": "upsample", "height": height, "width": width, "channels": channels, "scale": scale, "simd": simd,
         "element": element}
        for height, width, channels, scale, simd, element in (
            (3, 4, 4, 2, 2, "int3"), (1, 1, 5, 3, 5, "bipolar"), (2, 5, 3, [1, 3], 1, "uint8"),
            (5, 2, 6, [3, 1], 3, "int16"), (3, 3, 2, 1, 2, "uint2"), (4, 7, 7, [2, 3], 7, "ternary"),
            (2, 1, 1, 2, 1, "int2"), (1, 6, 18, [5, 2], 9, "uint5"),
        )
    )


def test_every_pixel_becomes_a_rectangle() -> None:
    layer = Upsample("u", 1, 2, 1, (2, 3), uint_type(4))
    assert layer.golden(np.array([[5, 6]])).reshape(2, 6).tolist() == [[5, 5, 5, 6, 6, 6]] * 2


def test_cycles_are_the_words_out() -> None:
    layer = Upsample("u", 3, 4, 4, (2, 3), uint_type(4), simd=2)
    assert layer.cycles == layer.outputs[0].words == 6 * 12 * 2


@pytest.mark.parametrize(("fields", "sentence"), [
    ({"simd": 4}, "upsample0: SIMD=4 must divide channels=6; choose one of [1, 2, 3, 6]"),
    ({"scale": 0}, "upsample0: scale=(0, 0) must be positive; use 1 or more"),
    ({"scale": 1.5}, "upsample0: scale=1.5 is not 2 whole numbers"),
])
def test_illegal_specs(fields: dict[str, object], sentence: str) -> None:
    spec = {"kind": "upsample", "height": 3, "width": 3, "channels": 6, "scale": 2, "element": "uint2"}
    with pytest.raises(HeadraceError) as error:
        layer_from_spec(spec | fields)
    assert str(error.value) == sentence
