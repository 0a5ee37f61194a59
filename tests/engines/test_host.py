
from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from headrace.datatypes import BIPOLAR, DataType, int_type, uint_type
from headrace.engines.host import from_stream, to_stream
from headrace.errors import InputError
from headrace.network.integer import HostInput, HostOutput, TensorType
from headrace.network.rounding import Rounding
from tests.exact_network import round_exactly


def host(dtype: DataType, rounding: Rounding = "half_even", scale: float = 2.0, offset: float = 0.0) -> HostInput:
    return HostInput((2, 1, 3), TensorType((1, 3, 2), dtype), np.full(2, scale), np.array([offset, 1.0]), rounding)


def test_channels_become_innermost() -> None:
    x = np.arange(6, dtype=np.float32).reshape(1, 2, 1, 3)
    assert to_stream(host(uint_type(4), scale=1.0), x).tolist() == [[0, 4, 1, 5, 2, 6]]


@pytest.mark.parametrize(("rounding", "wanted"), [("half_even", [0, 2, 2]), ("half_up", [1, 2, 3]),
                                                  ("floor", [0, 1, 2]), ("ceil", [1, 2, 3])])
def test_rounding_and_clipping(rounding: Rounding, wanted: list[int]) -> None:
    x = np.array([[[[0.25, 0.75, 1.25]], [[-9, 0, 9]]]], np.float32)
    stream = to_stream(host(int_type(4), rounding), x).reshape(3, 2)
    assert stream[:, 0].tolist() == wanted and stream[:, 1].tolist() == [-8, 1, 7]


def test_bipolar_inputs_are_signs() -> None:
    x = np.array([[[[-1, 0, 1]], [[-0.5, -0.51, -0.49]]]], np.float32)
    assert to_stream(host(BIPOLAR), x).reshape(3, 2).T.tolist() == [[-1, 1, 1], [1, -1, 1]]


def test_bad_inputs_are_one_sentence() -> None:
    with pytest.raises(InputError) as caught:
        to_stream(host(BIPOLAR), np.zeros((4, 6), np.float32))
    assert str(caught.value) == ("input: samples of shape (6,) meet a network for (2, 1, 3); reshape the array to "
                                 "(N, 2, 1, 3)")
    with pytest.raises(InputError) as caught:
        to_stream(host(BIPOLAR), np.full((1, 2, 1, 3), np.nan, np.float32))
    assert str(caught.value) == "input: 6 values are NaN or infinite; remove them"


Q = np.array([[1, 10, 2, 20, 3, 30], [3, 0, 2, 0, 1, 0]])


def test_outputs_are_scaled_and_channels_first() -> None:
    y = from_stream(HostOutput((2, 1, 3), np.array([0.5, 2.0]), np.array([0.0, 1.0])), Q)
    assert y.dtype == np.float32 and y[0].reshape(2, 3).tolist() == [[0.5, 1, 1.5], [21, 41, 61]]


def test_heads() -> None:
    one, zero = np.ones(2), np.zeros(2)
    assert from_stream(HostOutput((6,), one, zero, "argmax"), Q).tolist() == [5, 0]
    soft = from_stream(HostOutput((6,), one, zero, "softmax"), Q)
    assert soft.shape == (2, 6) and np.allclose(soft.sum(1), 1) and soft[1].argmax() == 0


SCALES = [np.float32(0.1), np.float32(1 / 255), np.float32(0.33674246), np.float32(0.3), np.float32(0.5)]


@pytest.mark.parametrize("rounding", ["half_even", "half_odd", "half_up", "half_away", "half_inward", "floor", "ceil",
                                      "away", "inward"])
@pytest.mark.parametrize("scale", SCALES)
def test_quotients_next_to_decision_points_are_exact(scale: np.ndarray, rounding: Rounding) -> None:
    # All floats within 3 steps of the real decision points, where x * (1/scale) would be wrong.
    points = np.arange(-40, 41) / 2 * np.float64(scale)
    near = [points.astype(np.float32)]
    for direction in (-np.inf, np.inf):
        for _ in range(3):
            near.append(np.nextafter(near[-1], np.float32(direction)))
        near.append(near[0])
    x = np.concatenate(near).reshape(1, 1, 1, -1)
    quotient = HostInput((1, 1, x.size), TensorType((1, x.size, 1), int_type(8)), np.ones(1), np.zeros(1), rounding,
                         np.array([float(scale)]))
    wanted = [round_exactly(Fraction(float(v)) / Fraction(float(scale)), rounding) for v in x.reshape(-1)]
    assert to_stream(quotient, x)[0].tolist() == wanted
    moved = HostInput(quotient.shape, quotient.tensor, np.full(1, 0.7), np.full(1, 0.05), rounding, quotient.divisor)
    lines = [(Fraction(0.7) * Fraction(float(v)) + Fraction(0.05)) / Fraction(float(scale)) for v in x.reshape(-1)]
    assert to_stream(moved, x)[0].tolist() == [round_exactly(y, rounding) for y in lines]


def test_signs_are_exact() -> None:
    x = np.float32(0.1)
    for offset in (-0.3 * float(x), -np.nextafter(0.3 * float(x), 0), -np.nextafter(0.3 * float(x), 1), -0.029):
        exact = 1 if Fraction(0.3) * Fraction(float(x)) + Fraction(float(offset)) >= 0 else -1
        sign = HostInput((1,), TensorType((1, 1, 1), BIPOLAR), np.full(1, 0.3), np.full(1, offset))
        assert to_stream(sign, np.full((1, 1), x))[0, 0] == exact


def test_top_k_takes_the_lowest_index_first_on_ties() -> None:
    one, zero = np.ones(1), np.zeros(1)
    assert from_stream(HostOutput((6,), one, zero, "topk", 3), Q).tolist() == [[5, 3, 1], [0, 2, 4]]
    assert from_stream(HostOutput((6,), one, zero, "topk", 1, (1, 1)), Q).tolist() == [[[5]], [[0]]]
