import numpy as np
import pytest

from headrace.datatypes import TERNARY, Interval, int_type, uint_type
from headrace.errors import HeadraceError
from headrace.layers import ParallelSwu, Swu, Vvtu
from headrace.layers.spec import layer_from_spec
from headrace.layers.window_geometry import SlidingWindow
from headrace.packing import depthwise_columns, depthwise_windows
from tests.layer_battery import LayerBattery


def spec(channels: int, kernel: tuple[int, int], pe: int, simd: int, types: str,
         size: tuple[int, int] = (1, 2)) -> dict[str, object]:
    weight, element, output = types.split()
    return {"kind": "vvtu", "channels": channels, "kernel": kernel, "height": size[0], "width": size[1],
            "pe": pe, "simd": simd, "weight": weight, "input": element, "output": output}


class TestVvtu(LayerBattery):
    specs = (
        spec(4, (3, 3), 2, 3, "int4 uint4 uint2", (2, 3)),
        spec(7, (1, 7), 1, 7, "bipolar bipolar bipolar", (3, 1)),
        spec(6, (3, 3), 3, 3, "bipolar bipolar acc"),
        spec(2, (6, 6), 2, 36, "bipolar bipolar uint3", (1, 5)),
        spec(18, (2, 1), 3, 2, "bipolar uint2 uint4"),
        spec(3, (3, 1), 1, 3, "uint2 bipolar uint1", (4, 1)),
        spec(2, (2, 2), 1, 2, "int8 uint16 acc"),
        spec(4, (2, 3), 2, 2, "int5 int6 [-7,7]"),
        spec(8, (1, 1), 2, 1, "int7 uint8 uint8", (2, 4)),
        spec(1, (1, 5), 1, 5, "int2 uint3 [3,9]", (1, 1)),
        spec(4, (1, 3), 2, 3, "int4 int32 acc", (2, 1)),  # in slices
        spec(64, (4, 4), 4, 1, "int4 uint4 uint4", (1, 2)),  # one comparator for four channels
    )


def test_golden_is_a_kernel_per_channel() -> None:
    rng = np.random.default_rng(3)
    weights, windows = rng.integers(-2, 2, (6, 4)), rng.integers(0, 4, (5, 4, 6))
    for pe in (1, 2, 3, 6):
        layer = Vvtu("v", weights, None, int_type(2), uint_type(2), Interval(-24, 12), 5, pe)
        stream = [windows[v, t, group + p] for v in range(5) for group in range(0, 6, pe) for t in range(4)
                  for p in range(pe)]
        y = layer.golden(np.array([stream])).reshape(5, 6)
        assert y.tolist() == [[sum(weights[c] * windows[v, :, c]) for c in range(6)] for v in range(5)]
        assert np.array_equal(depthwise_windows(np.array(stream).reshape(5, -1), 6, pe), windows)


def test_a_matrix_reads_windows_in_depthwise_order() -> None:
    rng = np.random.default_rng(4)
    W, windows = rng.integers(-2, 2, (3, 4 * 6)), rng.integers(0, 4, (5, 4, 6))
    for simd in (1, 2, 3, 6):
        stream = windows.reshape(5, 4, 6 // simd, simd).transpose(0, 2, 1, 3).reshape(5, -1)
        assert np.array_equal(stream @ depthwise_columns(W, 6, simd).T, windows.reshape(5, -1) @ W.T)


@pytest.mark.parametrize("parallel", [False, True])
def test_windows_and_products_make_a_depthwise_convolution(parallel: bool) -> None:
    rng = np.random.default_rng(5)
    kernels, x = rng.integers(-4, 4, (6, 3, 2)), rng.integers(0, 8, (2, 5, 7, 6))
    fields = (5, 7, 6, (3, 2), uint_type(3), (2, 1), (1, 2), (1, 0, 1, 0), 0, 3)
    window: SlidingWindow = ParallelSwu("p", *fields) if parallel else Swu("s", *fields, depthwise=True)
    products = Vvtu("v", kernels.reshape(6, -1), None, int_type(3), uint_type(3), int_type(9), window.windows, pe=3)
    padded = np.pad(x, ((0, 0), (1, 1), (0, 0), (0, 0)))
    expected = [[(padded[n, 2 * row : 2 * row + 3, column : column + 3 : 2] * kernels.transpose(1, 2, 0)).sum((0, 1))
                 for row in range(3) for column in range(5)] for n in range(2)]
    assert np.array_equal(products.golden(window.golden(x.reshape(2, -1))), np.array(expected).reshape(2, -1))


@pytest.mark.parametrize(("change", "sentence"), [
    ({"pe": 4}, "v: PE=4 must divide channels=6; choose one of [1, 2, 3, 6]"),
    ({"simd": 2}, "v: SIMD=2 must divide taps=9; choose one of [1, 3, 9]"),
    ({"weight": TERNARY}, "v: the weights reach from 2 to 2 but their type is ternary; widen the type"),
    ({"output": int_type(5)}, "v: the accumulator reaches from 0 to 54 but the output type is int5; "
                              "write [0,54] or acc"),
])
def test_illegal_layers(change: dict[str, object], sentence: str) -> None:
    fields: dict[str, object] = {"weights": np.full((6, 9), 2), "thresholds": None, "weight": int_type(4),
                                 "input": uint_type(2), "output": int_type(9), "vectors": 1}
    with pytest.raises(HeadraceError) as error:
        Vvtu("v", **(fields | change))  # type: ignore[arg-type]
    assert str(error.value) == sentence


def test_height_and_width_of_a_spec_are_those_of_the_output() -> None:
    layer = layer_from_spec(spec(4, (3, 3), 2, 3, "int4 uint4 uint2", (2, 5))).layer
    assert layer.outputs[0].elements == 2 * 5 * 4
    assert layer.cycles == 2 * 5 * (4 // 2) * (9 // 3)
