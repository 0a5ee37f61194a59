"""The Python driver's side of the host: packing and codes against the model."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from numpy.typing import ArrayLike

from headrace.board.host_words import pad_words
from headrace.datatypes import BIPOLAR, DataType, Interval, int_type, uint_type
from headrace.drivers.quantizer import quantizer_arrays
from headrace.engines.host import to_stream
from headrace.network.integer import HostInput, TensorType
from headrace.network.rounding import Rounding
from headrace.packing import pack_stream

WIDTHS = [(1, 1), (49, 1), (8, 1), (4, 2), (3, 2), (1, 3), (5, 3), (2, 4), (7, 4), (9, 5), (6, 6), (1, 8), (3, 8),
          (4, 12), (9, 13), (2, 16), (1, 16), (30, 7), (1, 32), (3, 20)]


@pytest.mark.parametrize(("lanes", "bits"), WIDTHS)
def test_packing_is_that_of_the_streams(driver: ModuleType, lanes: int, bits: int) -> None:
    from headrace_driver.packing import code_type, pack, unpack

    dtype = uint_type(bits)
    values = np.random.default_rng(bits).integers(0, 1 << bits, (5, 4 * lanes))
    exact = pack_stream(values, lanes, dtype)
    for size in (exact.shape[1], exact.shape[1] + 3):
        packed = pack(values.astype(code_type(bits)), lanes, bits, size)
        assert np.array_equal(packed.reshape(-1), pad_words(exact, size).reshape(-1))
        assert np.array_equal(unpack(packed, lanes, bits, size), values)


def host(dtype: DataType, scale: ArrayLike, offset: float = 0.0, rounding: Rounding = "half_even",
         divisor: np.ndarray | None = None, saturates: bool = True) -> HostInput:
    scales = np.atleast_1d(np.asarray(scale, np.float64))
    tensor = TensorType((3, 2, len(scales)), dtype)
    return HostInput((len(scales), 3, 2), tensor, scales, np.full(len(scales), offset), rounding, divisor, saturates)


@pytest.mark.parametrize("case", [
    host(uint_type(4), 15.0), host(uint_type(8), [255.0, -255.0, 0.3], -0.5, "half_up"),
    host(BIPOLAR, [1.0, -2.0], -0.25),
    host(int_type(8), 128.0, rounding="floor"), host(Interval(-7, 7), 1 / 3, 0.1, "half_away"),
    host(int_type(3), 1.0, divisor=np.array([0.7])), host(uint_type(10), 1000.0, 3.0, "ceil"),
    host(int_type(4), -1.5, rounding="inward"),
], ids=str)
def test_codes_are_those_of_the_model(driver: ModuleType, case: HostInput) -> None:
    from headrace_driver.host import Host

    given = quantizer_arrays(case)
    points, dtype = given["decision_points"], case.tensor.dtype
    channels = case.tensor.shape[2]
    edges = np.abs(points[np.isfinite(points)])
    near = np.concatenate([np.nextafter(edges, np.float32(end)) for end in (-np.inf, np.inf)] + [edges, -edges])
    rng = np.random.default_rng(0)
    values = np.concatenate([near, -near, rng.normal(0, 3, 3000).astype(np.float32), [0.0, -0.0, 3e38, -3e38]])
    size = channels * 6
    x = np.resize(values, (-(-len(values) // size) * channels, size)).astype(np.float32).reshape(-1, *case.shape)
    model = {"input": {"shape": case.shape, "tensor": case.tensor.shape, "bits": dtype.bits, "low": dtype.lo,
                       "high": dtype.hi, "bipolar": dtype == BIPOLAR, "saturates": True}, "output": {}}
    side = Host(model, given | {"scale": np.ones(1), "offset": np.zeros(1)})
    assert np.array_equal(side.encode(x), dtype.encode(to_stream(case, x)))
    order = rng.permutation(size)
    moved = Host(model, given | {"scale": np.ones(1), "offset": np.zeros(1), "input_order": order})
    back = x.reshape(len(x), -1)[:, np.argsort(order)].reshape(x.shape)
    assert np.array_equal(moved.encode(back), side.encode(x))
    pixels = rng.integers(0, 256, (10, *case.shape)).astype(np.uint8)
    assert np.array_equal(side.encode(pixels), dtype.encode(to_stream(case, pixels.astype(np.float32))))


def test_values_that_the_model_does_not_take(driver: ModuleType, tmp_path: Path) -> None:
    from headrace_driver.host import Host

    case = host(uint_type(4), 1.0, saturates=False)
    model = {"input": {"shape": case.shape, "tensor": case.tensor.shape, "bits": 4, "low": 0, "high": 15,
                       "bipolar": False, "saturates": False}, "output": {}}
    side = Host(model, quantizer_arrays(case) | {"scale": np.ones(1), "offset": np.zeros(1)})
    good = np.full((1, *case.shape), 15.5 - 1e-6, np.float32)
    assert side.encode(good).max() == 15
    for value in (16.0, -0.51):
        with pytest.raises(ValueError, match=r"the input holds values outside the range from -0.5 to 15.5"):
            side.encode(np.full((1, *case.shape), value, np.float32))
    with pytest.raises(ValueError, match="not finite"):
        side.encode(np.full((1, *case.shape), np.nan, np.float32))
    with pytest.raises(ValueError, match=r"the input has shape \(2, 2\) but the model takes \(N, 1, 3, 2\)"):
        side.encode(np.zeros((2, 2), np.float32))
