import numpy as np
import pytest

from headrace.datatypes import uint_type
from headrace.errors import HeadraceError
from headrace.layers import DepthToSpace
from headrace.layers.circular_buffer import execute
from headrace.layers.spec import layer_from_spec
from tests.layer_battery import LayerBattery


class TestDepthToSpace(LayerBattery):
    specs = tuple(
        {"kind": "depth_to_space", "height": height, "width": width, "channels": channels, "block": block,
         "simd": simd, "element": element, "uram": element == "int2"}
        for height, width, channels, block, simd, element in (
            (3, 4, 4, 2, 2, "int3"), (1, 1, 5, 3, 5, "bipolar"), (2, 5, 3, [1, 3], 1, "uint8"),
            (5, 2, 6, [3, 1], 3, "int16"), (3, 3, 2, [4, 2], 4, "uint2"), (4, 7, 1, [2, 3], 3, "ternary"),
            (2, 16, 1, 2, 1, "int2"), (1, 6, 18, [5, 2], 9, "uint5"), (3, 1, 2, [4, 1], 1, "uint4"),
        )
    )


def test_the_channels_of_a_pixel_become_a_block() -> None:
    layer = DepthToSpace("d", 1, 2, 1, (2, 2), uint_type(4))
    assert layer.golden(np.arange(8)[None]).reshape(2, 4).tolist() == [[0, 1, 4, 5], [2, 3, 6, 7]]


@pytest.mark.parametrize("width", [1, 2, 5, 16])
@pytest.mark.parametrize("block", [(1, 2), (2, 1), (2, 2), (3, 2), (8, 1)])
@pytest.mark.parametrize(("channels", "simd"), [(1, 1), (6, 2), (4, 4)])
def test_there_is_no_bubble(width: int, block: tuple[int, int], channels: int, simd: int) -> None:
    layer = DepthToSpace("d", 3, width, channels, block, uint_type(4), simd)
    taken, issued = execute(layer.circular_buffer, 6)
    words = layer.outputs[0].words
    assert layer.cycles == words
    assert set(np.diff(issued[3 * words :])) == {1}
    assert set(np.diff(taken[3 * words :])) == {1}


@pytest.mark.parametrize(("fields", "sentence"), [
    ({"simd": 4}, "depth_to_space0: SIMD=4 must divide channels of a block's row=6; choose one of [1, 2, 3, 6]"),
    ({"block": 0}, "depth_to_space0: block=(0, 0) must be positive; use 1 or more"),
    ({"block": 1.5}, "depth_to_space0: block=1.5 is not 2 whole numbers"),
    ({"block": [33, 1], "simd": 1}, "depth_to_space0: a block of 33 rows has more than 32; use two layers whose blocks "
     "multiply to it"),
])
def test_illegal_specs(fields: dict[str, object], sentence: str) -> None:
    spec = {"kind": "depth_to_space", "height": 3, "width": 3, "channels": 3, "block": 2, "element": "uint2"}
    with pytest.raises(HeadraceError) as error:
        layer_from_spec(spec | fields)
    assert str(error.value) == sentence
