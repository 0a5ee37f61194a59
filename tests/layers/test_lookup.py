import numpy as np
import pytest

from headrace.datatypes import BIPOLAR, Interval, int_type, uint_type
from headrace.errors import HeadraceError
from headrace.layers import Lookup
from tests.layer_battery import LayerBattery


def spec(channels: int, pe: int, types: str, pixels: int, **more: object) -> dict[str, object]:
    element, output = types.split()
    return {"kind": "lookup", "channels": channels, "pe": pe, "input": element, "output": output,
            "pixels": pixels, **more}


class TestLookup(LayerBattery):
    specs = (
        spec(8, 2, "int8 int8", 5),
        spec(8, 1, "uint9 int4", 3, shared=True),
        spec(6, 6, "uint4 bipolar", 9),
        spec(5, 5, "ternary ternary", 7),
        spec(9, 3, "[0,4] uint1", 4),
        spec(9, 1, "[3,9] int3", 2),
        spec(4, 2, "[0,382] uint8", 12, shared=True),
        spec(1, 1, "uint1 [-7,7]", 8),
        spec(72, 1, "uint8 uint5", 2),  # in block RAMs
        spec(3, 3, "[0,0] int12", 4),
    )
    extra = (
        # Channels that differ, alike in all groups.
        Lookup("alike", np.tile([[0, 3, -1, 2], [1, 1, -4, 0]], (3, 1)), uint_type(2), int_type(3), 5, pe=2),
    )


def test_an_entry_per_value_and_channel() -> None:
    layer = Lookup("t", np.array([[5, -6, 7], [1, 2, 3]]), Interval(-1, 1), int_type(4), 3)
    assert layer.golden(np.array([[-1, -1, 0, 1, 1, 0]])).tolist() == [[5, 1, -6, 3, 7, 2]]


def test_groups_that_are_alike_share_a_table() -> None:
    table = np.tile([[0, 1, 0], [1, 0, 1]], (4, 1))
    assert dict(Lookup("t", table, Interval(0, 2), uint_type(1), 1, pe=2).parameters())["GROUPS"] == 1
    assert dict(Lookup("t", table, Interval(0, 2), uint_type(1), 1, pe=1).parameters())["GROUPS"] == 8


@pytest.mark.parametrize(("change", "sentence"), [
    ({"pe": 4}, "t: PE=4 must divide channels=6; choose one of [1, 2, 3, 6]"),
    ({"pixels": 0}, "t: pixels=0 must be positive; use 1 or more"),
    ({"input": uint_type(2)}, "t: a table of shape (6, 3) should have shape (6, 4); give one entry per channel and "
                              "value of uint2"),
    ({"input": BIPOLAR}, "t: a table of an input of bipolar is not possible; use whole numbers of at most 10 bits"),
    ({"input": uint_type(11)}, "t: a table of an input of uint11 is not possible; use whole numbers of at most 10 "
                               "bits"),
    ({"output": uint_type(1)}, "t: entries from 0 to 2 exceed their type uint1; widen it"),
])
def test_illegal_layers(change: dict[str, object], sentence: str) -> None:
    fields: dict[str, object] = {"table": np.tile([0, 2, 1], (6, 1)), "input": Interval(0, 2), "output": uint_type(2),
                                 "pixels": 1}
    with pytest.raises(HeadraceError) as error:
        Lookup("t", **(fields | change))  # type: ignore[arg-type]
    assert str(error.value) == sentence
