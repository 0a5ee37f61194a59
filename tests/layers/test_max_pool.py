import pytest

from headrace.datatypes import BIPOLAR, int_type, uint_type
from headrace.layers import MaxPool
from headrace.layers.window_geometry import Pair
from tests.layer_battery import LayerBattery


def spec(height: int, width: int, channels: int, kernel: Pair, stride: Pair, pe: int,
         element: str) -> dict[str, object]:
    return {"kind": "max_pool", "height": height, "width": width, "channels": channels, "kernel": kernel,
            "stride": stride, "pe": pe, "element": element}


class TestMaxPool(LayerBattery):
    specs = (
        spec(6, 7, 4, (3, 3), (2, 2), 2, "int4"),
        spec(4, 6, 3, (2, 2), (2, 2), 1, "bipolar"),
        spec(3, 5, 5, (1, 1), (1, 1), 5, "uint2"),
        spec(7, 8, 2, (2, 1), (3, 2), 2, "int8"),  # stride > kernel
        spec(1, 9, 3, (1, 4), (1, 3), 3, "ternary"),
        spec(9, 1, 7, (5, 1), (2, 1), 7, "uint8"),
        spec(1, 1, 1, (1, 1), (1, 1), 1, "int16"),
        spec(8, 5, 6, (5, 4), (1, 1), 3, "uint2"),  # five windows side by side
        spec(5, 4, 2, (5, 4), (1, 1), 1, "int4"),  # global
        spec(6, 6, 2, (2, 2), (4, 1), 2, "int4"),
        spec(3, 3, 512, (2, 2), (1, 1), 4, "int9"),  # columns and rows in block RAM
    )
    extra = (
        MaxPool("all", 4, 5, 2, (3, 2), (1, 2), int_type(4), frozenset({0, 1}), 1),
        MaxPool("some", 5, 5, 6, (3, 3), (2, 2), int_type(3), frozenset({1, 2, 5}), 3),
        MaxPool("bipolar", 4, 4, 4, (2, 2), (2, 2), BIPOLAR, frozenset({0}), 4),
        MaxPool("unsigned", 4, 4, 3, (2, 3), (1, 1), uint_type(5), frozenset({2}), 1),
    )


@pytest.mark.parametrize("layer", TestMaxPool.layers(), ids=lambda layer: layer.name)
def test_cycles_are_the_words_in(layer: MaxPool) -> None:
    assert layer.cycles == layer.inputs[0].words
