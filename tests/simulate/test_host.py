import numpy as np
import pytest

from generator.datatypes import BIPOLAR, int_type, uint_type
from generator.errors import InputError
from generator.network.integer import HostInput, HostOutput, TensorType
from generator.simulate.host import from_stream, to_stream


def host(dtype, rounding="half_even", scale=2.0, offset=0.0) -> HostInput:
    return HostInput((2, 1, 3), TensorType((1, 3, 2), dtype), np.full(2, scale), np.array([offset, 1.0]), rounding)


def test_channels_become_innermost():
    x = np.arange(6, dtype=np.float32).reshape(1, 2, 1, 3)
    assert to_stream(host(uint_type(4), scale=1.0), x).tolist() == [[0, 4, 1, 5, 2, 6]]


@pytest.mark.parametrize(("rounding", "wanted"), [("half_even", [0, 2, 2]), ("half_up", [1, 2, 3]),
                                                  ("floor", [0, 1, 2]), ("ceil", [1, 2, 3])])
def test_rounding_and_clipping(rounding, wanted):
    x = np.array([[[[0.25, 0.75, 1.25]], [[-9, 0, 9]]]], np.float32)
    stream = to_stream(host(int_type(4), rounding), x).reshape(3, 2)
    assert stream[:, 0].tolist() == wanted and stream[:, 1].tolist() == [-8, 1, 7]


def test_bipolar_inputs_are_signs():
    x = np.array([[[[-1, 0, 1]], [[-0.5, -0.51, -0.49]]]], np.float32)
    assert to_stream(host(BIPOLAR), x).reshape(3, 2).T.tolist() == [[-1, 1, 1], [1, -1, 1]]


def test_bad_inputs_are_one_sentence():
    with pytest.raises(InputError) as caught:
        to_stream(host(BIPOLAR), np.zeros((4, 6), np.float32))
    assert str(caught.value) == ("input: samples of shape (6,) meet a network for (2, 1, 3); reshape the array to "
                                 "(N, 2, 1, 3)")
    with pytest.raises(InputError) as caught:
        to_stream(host(BIPOLAR), np.full((1, 2, 1, 3), np.nan, np.float32))
    assert str(caught.value) == "input: 6 values are NaN or infinite; remove them"


Q = np.array([[1, 10, 2, 20, 3, 30], [3, 0, 2, 0, 1, 0]])


def test_outputs_are_scaled_and_channels_first():
    y = from_stream(HostOutput((2, 1, 3), np.array([0.5, 2.0]), np.array([0.0, 1.0])), Q)
    assert y.dtype == np.float32 and y[0].reshape(2, 3).tolist() == [[0.5, 1, 1.5], [21, 41, 61]]


def test_heads():
    one, zero = np.ones(2), np.zeros(2)
    assert from_stream(HostOutput((6,), one, zero, "argmax"), Q).tolist() == [5, 0]
    soft = from_stream(HostOutput((6,), one, zero, "softmax"), Q)
    assert soft.shape == (2, 6) and np.allclose(soft.sum(1), 1) and soft[1].argmax() == 0
