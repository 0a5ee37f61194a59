import numpy as np
import pytest

from headrace.datatypes import uint_type
from headrace.errors import HeadraceError
from headrace.layers import Fork
from headrace.layers.spec import layer_from_spec
from headrace.packing import pack_stream
from headrace.simulation.frames import Stalls
from tests.layer_battery import LayerBattery, Runs


class TestFork(LayerBattery):
    specs = tuple(
        {"kind": "fork", "channels": channels, "pe": pe, "element": element, "pixels": pixels, "outputs": outputs}
        for channels, pe, element, pixels, outputs in (
            (6, 2, "int3", 5, 2), (7, 7, "bipolar", 3, 3), (5, 1, "int16", 3, 8), (1, 1, "uint2", 1, 2),
            (9, 3, "ternary", 4, 5), (18, 18, "uint8", 2, 4), (3, 1, "int8", 7, 7), (4, 4, "uint5", 6, 6),
        )
    )

    def test_branches_accept_independently(self, runs: Runs) -> None:
        ran = runs.ran(Stalls.SINK)[0]
        first, second = (trace.cycles for trace in ran.outputs)
        assert np.any(first < second)
        assert np.any(first > second)
        # A word is gone from the input only when both branches have room for it.
        assert np.all(ran.inputs[0].cycles < np.minimum(first, second))


def test_outputs_are_two_by_default() -> None:
    layer = layer_from_spec({"kind": "fork", "channels": 4, "element": "uint2", "pixels": 3}).layer
    assert layer.outputs == layer.inputs * 2


def test_pixels_pass_unchanged() -> None:
    layer = Fork("f", 4, uint_type(2), 1, pe=2)
    assert pack_stream(layer.golden(np.array([[0, 1, 2, 3]])), 2, uint_type(2)).tolist() == [[4], [14]]


@pytest.mark.parametrize(("fields", "sentence"), [
    ({"branches": 1}, "f: outputs=1 must lie between 2 and 8; put a second fork behind a branch for more"),
    ({"branches": 9}, "f: outputs=9 must lie between 2 and 8; put a second fork behind a branch for more"),
    ({"pe": 4}, "f: PE=4 must divide channels=6; choose one of [1, 2, 3, 6]"),
    ({"pixels": 0}, "f: pixels=0 must be positive; use 1 or more"),
])
def test_illegal_layers(fields: dict[str, int], sentence: str) -> None:
    with pytest.raises(HeadraceError) as error:
        Fork(**{"name": "f", "channels": 6, "element": uint_type(2), "pixels": 2} | fields)  # type: ignore[arg-type]
    assert str(error.value) == sentence
