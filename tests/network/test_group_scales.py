
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from headrace import serialize
from headrace.datatypes import BIPOLAR
from headrace.errors import InputError, UnsupportedError
from headrace.network.group_scales import group_scales
from headrace.network.integer import Conv
from headrace.network.ops import QuantWeight
from tests.narrow import there


def test_scales_of_rows_and_pixels_become_integers_and_a_step() -> None:
    pixels = np.array([[[[0.75, 0.5], [0.25, 0.0]]], [[[3.0, 6.0], [9.0, 12.0]]]])
    step, found = group_scales(pixels)
    integers = there(found)
    assert step.tolist() == [0.25, 3.0] and integers.reshape(2, -1).tolist() == [[3, 2, 1, 0], [1, 2, 3, 4]]
    np.testing.assert_array_equal(integers * step[:, None, None, None], pixels)


def test_rows_have_one_column_and_a_layer_one_row() -> None:
    step, integers = group_scales(np.broadcast_to(np.array([[[[0.5], [1.5]]]]), (4, 1, 2, 2)))
    assert step.tolist() == [0.5] and there(integers).tolist() == [[[[1], [3]]]]


def test_scales_per_channel_need_no_integers() -> None:
    step, integers = group_scales(np.broadcast_to(np.array([0.1, -0.2]).reshape(2, 1, 1, 1), (2, 1, 3, 3)))
    assert step.tolist() == [0.1, -0.2] and integers is None


@pytest.mark.parametrize(("scales", "error", "words"), [
    ([[[[0.1, 0.3]]]], UnsupportedError, "quantize the scales to at most 16 bits"),
    ([[[[0.5, -0.5]]]], UnsupportedError, "make them positive and negate the weights"),
    ([[[[0.0, 0.0]]]], InputError, "its scale is 0"),
])
def test_scales_that_no_small_integers_give(scales: list[list[list[list[float]]]], error: type[Exception],
                                            words: str) -> None:
    with pytest.raises(error, match=words):
        group_scales(np.array(scales))


def test_weights_multiply_codes_groups_and_scale() -> None:
    codes = np.array([[[[1, -1], [-1, 1]]]] * 2)
    weight = QuantWeight(codes, np.array([0.5, 2.0]), BIPOLAR, np.array([[[[3], [1]]]]))
    assert weight.values.reshape(2, -1).tolist() == [[1.5, -1.5, -0.5, 0.5], [6, -6, -2, 2]]


def test_group_scales_are_saved(tmp_path: Path) -> None:
    weight = QuantWeight(np.ones((1, 1, 2, 2), np.int64), np.ones(1), BIPOLAR, np.array([[[[3], [1]]]]))
    for value in (weight, Conv(weight.codes.transpose(0, 2, 3, 1), BIPOLAR, scales=there(weight.group_scales)[:, 0])):
        serialize.save(value, tmp_path / "v")
        assert serialize.digest(serialize.load(tmp_path / "v")) == serialize.digest(value)
    assert serialize.load(tmp_path / "v").scales.tolist() == [[[3], [1]]]


@pytest.mark.parametrize(("shape", "value"), [((3, 1, 2, 2), 1), ((1, 1, 1, 2), 1), ((1, 2), 1), ((1, 1, 2, 2), -1)])
def test_scales_that_do_not_fit_the_kernel(shape: tuple[int, ...], value: int) -> None:
    with pytest.raises(InputError, match="group scale"):
        QuantWeight(np.ones((2, 1, 2, 2), np.int64), np.ones(1), BIPOLAR, np.full(shape, value))
