"""Types that operations of an IntegerNetwork infer, and what they refuse."""

from __future__ import annotations

import numpy as np
import pytest

from headrace.datatypes import BIPOLAR, DataType, Interval, int_type, uint_type
from headrace.errors import InputError
from headrace.network.integer import (
    INPUT,
    AccPool,
    Add,
    Concat,
    Conv,
    DepthwiseConv,
    HostOutput,
    IntegerNetwork,
    MaxPool,
    Node,
    Op,
    Requant,
    TensorType,
    Threshold,
    Upsample,
)
from tests.small_networks import host_input

X = TensorType((4, 5, 2), uint_type(2))
ONES = np.ones(2, np.int64)
KERNELS = np.array([[[1], [-2]], [[3], [0]]])[..., None].reshape(2, 2, 1, 1)


@pytest.mark.parametrize(("op", "inputs", "shape", "dtype"), [
    (DepthwiseConv(KERNELS, int_type(3), pad=(1, 0, 0, 0)), [X], (4, 5, 2), Interval(-6, 9)),
    (AccPool((2, 3), (2, 1)), [X], (2, 3, 2), Interval(0, 18)),
    (Upsample((2, 3)), [X], (8, 15, 2), uint_type(2)),
    (Add(), [X, TensorType(X.shape, int_type(3))], X.shape, Interval(-4, 6)),
    (Concat(), [X, TensorType((4, 5, 1), BIPOLAR)], (4, 5, 3), Interval(-1, 3)),
    (Concat(), [TensorType((4, 5, 1), BIPOLAR)] * 2, (4, 5, 2), BIPOLAR),
    (Requant(ONES, ONES, 3, "half_up", int_type(6)), [X], X.shape, int_type(6)),
    (Threshold(np.zeros((2, 1), np.int64), BIPOLAR, frozenset({1})), [X], X.shape, BIPOLAR),
])
def test_types(op: Op, inputs: list[TensorType], shape: tuple[int, int, int], dtype: DataType) -> None:
    assert op.infer(*inputs) == TensorType(shape, dtype)


REFUSED = [
    (DepthwiseConv(KERNELS, int_type(3)), [TensorType((4, 5, 3), uint_type(2))],
     "depthwise weights of shape (2, 2, 1, 1) meet a tensor of 3 channels; give them the shape (3, 2, 1, 1)"),
    (Conv(np.ones((1, 1, 1, 2), np.int64), BIPOLAR, pad=(1, 1, 1, 1), pad_value=4), [X],
     "pad value 4 is not a value of uint2; use no padding, or an input that holds it"),
    (AccPool((5, 1), (1, 1)), [X],
     "pooling kernel (5, 1) does not fit into 4x5; use a smaller kernel or larger images"),
    (MaxPool((1, 6), (1, 1)), [X],
     "pooling kernel (1, 6) does not fit into 4x5; use a smaller kernel or larger images"),
    (Upsample((0, 1)), [X],
     "upsampling by (0, 1) must be by factors of 1 or more; pool to make images smaller"),
    (Add(), [X, TensorType((4, 5, 1), uint_type(2))],
     "a sum needs two tensors of one shape but meets (4, 5, 2) and (4, 5, 1); bring one to the shape of the other"),
    (Concat(), [X, TensorType((4, 4, 2), uint_type(2))],
     "a concatenation of channels needs equal heights and widths, not [(4, 5, 2), (4, 4, 2)]; "
     "pool or upsample some of them"),
    (Requant(ONES[:1], ONES, 0, "half_up", int_type(6)), [X],
     "multiplier of shape (1,) and offset of shape (2,) should have shape (2,); give one value per channel"),
    (Requant(ONES, ONES, -1, "half_up", int_type(6)), [X],
     "shift -1 must not be negative; scale multiplier and offset"),
    (Requant(ONES << 62, ONES, 0, "half_up", int_type(6)), [X],
     "x * multiplier + offset needs 65 bits and at most 63 are possible; use a smaller multiplier and shift"),
    (Threshold(np.zeros((2, 1), np.int64), BIPOLAR, frozenset({2})), [X],
     "inverted channel 2 does not exist in a tensor of 2 channels; use channels from 0 to 1"),
    (Threshold(np.zeros((1, 1), np.int64), BIPOLAR), [X],
     "thresholds of shape (1, 1) should have shape (2, 1); "
     "give one row per channel and one column per step of the output"),
    (Threshold(np.array([[0, 1, 2], [2, 1, 0]]), uint_type(2)), [X],
     "thresholds are not ascending along their steps; sort each row, and invert falling channels"),
    (Conv(np.ones((1, 1, 1, 3), np.int64), BIPOLAR), [X],
     "weights for 3 input channels meet a tensor of 2 channels; mend the weights or the layer before"),
    (Conv(np.ones((1, 1, 1, 2), np.int64), BIPOLAR, pad=(-1, 0, 0, 0)), [X],
     "pad (-1, 0, 0, 0) must not be negative; use 0 or more"),
    (Conv(np.ones((1, 3, 3, 2), np.int64), BIPOLAR, dilation=(2, 2)), [X],
     "kernel 3x3 with dilation (2, 2) does not fit into 4x5 with pad (0, 0, 0, 0); "
     "use a smaller kernel or larger images"),
]


@pytest.mark.parametrize(("op", "inputs", "sentence"), REFUSED)
def test_what_does_not_fit_is_one_sentence(op: Op, inputs: list[TensorType], sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        op.infer(*inputs)
    assert str(caught.value) == sentence


@pytest.mark.parametrize(("op", "inputs"), [(Add(), (INPUT,)), (Concat(), (INPUT,)),
                                            (Upsample((2, 2)), (INPUT, INPUT))])
def test_numbers_of_inputs(op: Op, inputs: tuple[str, ...]) -> None:
    with pytest.raises(InputError) as caught:
        IntegerNetwork(host_input(4, 5, 2, uint_type(2)), (Node("n", op, inputs),),
                       HostOutput((1,), np.ones(1), np.zeros(1)))
    assert str(caught.value) == (f"n: a {type(op).__name__} with {len(inputs)} inputs does not exist; an Add has 2, a "
                                 "Concat or a Sequence 2 or more, all others 1")
