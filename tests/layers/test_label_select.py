import numpy as np
import pytest

from headrace.datatypes import int_type, uint_type
from headrace.errors import HeadraceError
from headrace.layers import LabelSelect
from headrace.layers.spec import layer_from_spec
from tests.layer_battery import LayerBattery


class TestLabelSelect(LayerBattery):
    specs = tuple(
        {"kind": "label_select", "labels": labels, "pe": pe, "k": k, "element": element}
        for labels, pe, k, element in (
            (6, 6, 5, "int3"), (15, 5, 3, "int16"), (7, 1, 7, "bipolar"), (9, 3, 4, "uint2"), (1, 1, 1, "uint8"),
            (12, 2, 5, "ternary"), (100, 4, 2, "int24"), (18, 1, 1, "[3,9]"),
        )
    )


def test_equal_elements_keep_their_order() -> None:
    layer = LabelSelect("l", 6, int_type(4), k=4)
    assert layer.golden(np.array([[3, -8, 7, 3, 7, 3]])).tolist() == [[2, 4, 0, 3]]


@pytest.mark.parametrize(("labels", "pe", "k", "cycles"), [(12, 2, 3, 6), (12, 6, 5, 5), (12, 12, 1, 1)])
def test_cycles_are_those_of_the_busier_side(labels: int, pe: int, k: int, cycles: int) -> None:
    assert LabelSelect("l", labels, uint_type(4), k, pe).cycles == cycles


@pytest.mark.parametrize(("fields", "sentence"), [
    ({"pe": 4}, "label_select0: PE=4 must divide labels=10; choose one of [1, 2, 5, 10]"),
    ({"k": 11}, "label_select0: k=11 exceeds labels=10; choose at most 10"),
    ({"k": 0}, "label_select0: k=0 must be positive; use 1 or more"),
])
def test_illegal_specs(fields: dict[str, int], sentence: str) -> None:
    with pytest.raises(HeadraceError) as error:
        layer_from_spec({"kind": "label_select", "labels": 10, "element": "int8"} | fields)
    assert str(error.value) == sentence
