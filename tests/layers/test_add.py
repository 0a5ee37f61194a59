import pytest

from headrace.datatypes import BIPOLAR, TERNARY, DataType, Interval, int_type, uint_type
from headrace.errors import FoldingError
from headrace.layers import Add
from tests.layer_battery import LayerBattery


class TestAdd(LayerBattery):
    specs = tuple(
        {"kind": "add", "channels": channels, "pe": pe, "left": left, "right": right, "pixels": pixels}
        for channels, pe, left, right, pixels in (
            (6, 2, "int4", "uint3", 5), (5, 5, "bipolar", "bipolar", 4), (7, 1, "ternary", "int8", 3),
            (9, 9, "int16", "[-7,7]", 3), (1, 1, "uint8", "[3,3]", 7), (4, 4, "uint1", "bipolar", 1),
            (4, 2, "int32", "uint32", 3), (18, 6, "uint5", "int2", 2),
        )
    )


@pytest.mark.parametrize(("left", "right", "output"), [
    (int_type(4), int_type(4), Interval(-16, 14)),
    (uint_type(8), uint_type(2), Interval(0, 258)),
    (BIPOLAR, BIPOLAR, Interval(-2, 2)),
    (TERNARY, uint_type(1), Interval(-1, 2)),
])
def test_output_is_the_interval_of_the_sums(left: DataType, right: DataType, output: Interval) -> None:
    assert Add("a", 2, left, right, 1).output == output


def test_pe_must_divide_channels() -> None:
    with pytest.raises(FoldingError) as error:
        Add("a", 6, BIPOLAR, BIPOLAR, 1, pe=4)
    assert str(error.value) == "a: PE=4 must divide channels=6; choose one of [1, 2, 3, 6]"
