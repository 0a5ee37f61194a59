import numpy as np
import pytest

from headrace.datatypes import BIPOLAR, TERNARY, Interval, int_type, uint_type
from headrace.errors import HeadraceError
from headrace.layers import Threshold
from tests.layer_battery import LayerBattery


def spec(channels: int, pe: int, types: str, pixels: int, **more: object) -> dict[str, object]:
    element, output = types.split()
    return {"kind": "threshold", "channels": channels, "pe": pe, "input": element, "output": output,
            "pixels": pixels, **more}


def ramp(channels: int, *thresholds: int) -> np.ndarray:
    return np.array([thresholds] * channels)


class TestThreshold(LayerBattery):
    specs = (
        spec(8, 2, "int8 uint2", 5),
        spec(8, 1, "int16 uint4", 3, inverted=True),
        spec(6, 6, "int8 bipolar", 9, inverted=True),
        spec(5, 5, "ternary ternary", 7, inverted=True),
        spec(9, 3, "bipolar uint1", 4, inverted=True),
        spec(9, 1, "uint16 int3", 2),
        spec(18, 3, "int12 [0,4]", 3, inverted=True),
        spec(7, 7, "uint8 uint1", 6),
        spec(4, 2, "int16 uint8", 12, inverted=True),
        spec(3, 1, "int10 int8", 11),
        spec(2, 1, "int7 uint5", 9, inverted=True),
        spec(6, 1, "int20 int6", 6),
        spec(12, 3, "uint5 uint3", 5, shared=True),
        spec(1, 1, "uint2 [-7,7]", 8),
        spec(5, 1, "int5 [3,9]", 1, inverted=True),
        spec(132, 2, "int7 uint3", 3, inverted=True),  # 66 groups: bounds in one ROM
        spec(512, 1, "int14 uint4", 1),
        spec(32, 2, "int20 uint3", 3),  # 64 words of wide bounds at the last bit
        spec(48, 1, "int18 uint2", 2, inverted=True),  # 48 of them at the first
        spec(66, 1, "int10 uint6", 2, inverted=True),  # bounds for both values of the bit that is decided last
        spec(40, 2, "int9 [-100,99]", 3),
        spec(4, 2, "int12 [0,382]", 9, inverted=True),  # numbers of intervals, in 9 steps
        spec(8, 2, "int12 [0,382]", 9),  # bounds of the last step in blocks,
        spec(32, 2, "int16 uint8", 9, inverted=True),  # of the last two,
        spec(60, 1, "int7 int8", 2),  # of the last four,
        spec(64, 1, "int20 uint8", 1, inverted=True),  # and of wide ones
    )
    extra = (
        # A search among more than 15 bounds, with many values at the last one and above.
        Threshold("above", ramp(3, *range(-9, 8)), int_type(5), Interval(0, 17), 6),
        # Alike in all groups although channels differ, then inverted in one group of two.
        Threshold("alike", np.tile([[-3, 0, 2], [-1, -1, 4]], (3, 1)), int_type(4), uint_type(2), 5,
                  frozenset({1, 3, 5}), pe=2),
        Threshold("apart", ramp(4, -3, 0, 2), int_type(4), uint_type(2), 5, frozenset({2}), pe=2),
        # Thresholds that no value reaches, or every value.
        Threshold("beyond", ramp(2, -999, -8, 8, 999), int_type(4), Interval(0, 4), 20, frozenset({1})),
    )


def test_inversion_counts_from_the_top() -> None:
    layer = Threshold("t", ramp(2, -1, 1, 3), int_type(4), uint_type(2), 5, frozenset({1}), pe=2)
    x = np.repeat([-2, -1, 0, 1, 3], 2)[None]
    assert layer.golden(x).reshape(-1, 2).T.tolist() == [[0, 1, 1, 2, 3], [3, 2, 2, 1, 0]]


def test_groups_that_are_alike_share_a_word() -> None:
    def depths(inverted: set[int]) -> list[int]:
        layer = Threshold("t", ramp(6, 0, 3), int_type(4), TERNARY, 1, frozenset(inverted), pe=2)
        return [len(memory.words) for memory in layer.memories()]

    assert depths(set()) == [1]
    assert depths({0, 2, 4}) == [1, 1]
    assert depths({0}) == [3, 3]


@pytest.mark.parametrize(("change", "sentence"), [
    ({"pe": 4}, "t: PE=4 must divide channels=6; choose one of [1, 2, 3, 6]"),
    ({"output": uint_type(2)}, "t: an output of type uint2 needs thresholds of shape (6, 3), not (6, 1)"),
    ({"output": uint_type(10)},
     "t: an output of uint10 would need 1023 thresholds per row; use 9 bits or fewer, or acc"),
    ({"inverted": frozenset({1, 6})}, "t: inverted channel 6 does not exist; use 0 to 5"),
    ({"pixels": 0}, "t: pixels=0 must be positive; use 1 or more"),
    ({"thresholds": ramp(6, 3, 1), "output": TERNARY}, "t: the thresholds of a row do not ascend; sort them"),
])
def test_illegal_layers(change: dict[str, object], sentence: str) -> None:
    fields: dict[str, object] = {"thresholds": ramp(6, 0), "input": int_type(4), "output": BIPOLAR, "pixels": 1}
    with pytest.raises(HeadraceError) as error:
        Threshold("t", **(fields | change))  # type: ignore[arg-type]
    assert str(error.value) == sentence
