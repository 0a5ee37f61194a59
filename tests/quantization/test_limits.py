"""What all methods refuse: not finite data and impossible widths, each with one error that is also a ValueError."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from headrace.errors import HeadraceError, QuantizationError
from headrace.quantization import affine, ristretto, syq
from headrace.quantization.coarse_to_fine import TensorScale, fold, fold_batch_norm, scale_factor
from headrace.quantization.dense_chain import Dense, quantize_chain
from headrace.quantization.feature_maps import fq_double, fq_single
from headrace.quantization.ggd import GeneralizedGamma, gamma_density
from headrace.quantization.optimal_step import exact_distortion
from headrace.quantization.precision import feature_map_sqnr_db, weight_sqnr_db
from headrace.quantization.primitives import ceil_log2, floor_log2, quantize_codes, saturate, sqnr_db
from headrace.quantization.weight_difference import weight_diff_stats

UNIT = TensorScale(1.0, 7, 8)
ONES = np.ones((1, 1, 1, 2), np.int64)
TENSOR_METHODS: dict[str, Callable[[np.ndarray], object]] = {
    "quantize_codes": lambda x: quantize_codes(x, 4, 8),
    "sqnr_db": lambda x: sqnr_db(x, np.zeros_like(x)),
    "ristretto": lambda x: ristretto.ristretto(x, 8),
    "wq": lambda x: ristretto.wq(x, 8),
    "wq_per_channel": lambda x: ristretto.wq_per_channel([x], 8),
    "fq_single": lambda x: fq_single(x, 8),
    "fq_double": lambda x: fq_double(x, 8),
    "weight_sqnr_db": lambda x: weight_sqnr_db(x, 8),
    "feature_map_sqnr_db": lambda x: feature_map_sqnr_db(x, 8),
    "codes": UNIT.codes,
    "fold weights": lambda x: fold([x], [0.0], UNIT, UNIT, 8),
    "fold bias": lambda x: fold([[1.0], [1.0]], x, UNIT, UNIT, 8),
    "fold_batch_norm": lambda x: fold_batch_norm([[1.0], [1.0]], [0, 0], [1, 1], [0, 0], [0, 0], x, 0.1),
    "quantize_chain": lambda x: quantize_chain([Dense(np.ones((1, 2)), np.zeros(1), False)], x[:, None], 8, 8),
    "weight_diff_stats": lambda x: weight_diff_stats([x], [[x]]),
    "codebook": lambda x: syq.codebook(x, ternary=True),
    "least_squares_scales": lambda x: syq.least_squares_scales(ONES * x, ONES, "layer"),
    "straight_through": lambda x: syq.straight_through(ONES, ONES, [1.0], "layer", ONES * x),
    "activation_gradient": lambda x: syq.activation_gradient(x, x, 2, 4, True),
    "fixed_point_scales": lambda x: syq.fixed_point_scales(x, 8),
    "affine": affine.AffineParams(1.0, 0, 8).quantize,
}


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("method", TENSOR_METHODS)
def test_not_finite(method: str, bad: float) -> None:
    with pytest.raises(QuantizationError, match=r"1 of 2 values are nan or inf; remove them") as error:
        TENSOR_METHODS[method](np.array([1.0, bad]))
    assert isinstance(error.value, ValueError)
    assert isinstance(error.value, HeadraceError)


@pytest.mark.parametrize("method", [
    lambda bits, signed: quantize_codes([1.0], 0, bits, signed),
    lambda bits, signed: ristretto.ristretto([1.0], bits, signed),
    lambda bits, signed: ristretto.wq([1.0], bits if signed else -1),
    lambda bits, signed: fq_double([-1.0], bits) if signed else fq_single([1.0], bits),
    lambda bits, signed: scale_factor(1.0, bits, signed),
    lambda bits, signed: saturate([1], bits, signed),
])
@pytest.mark.parametrize(("bits", "signed"), [(1, True), (0, False), (33, True), (33, False), (-3, True)])
def test_widths(method: Callable[..., object], bits: int, signed: bool) -> None:
    with pytest.raises(QuantizationError, match=r"bits for (un)?signed codes is not possible; use [12] to 32"):
        method(bits, signed)


@pytest.mark.parametrize("signed", [True, False])
def test_widest_and_narrowest(signed: bool) -> None:
    assert quantize_codes([1.0], 0, 2 if signed else 1, signed)[0] == 1
    assert quantize_codes([1e12], 0, 32, signed)[0] == (2**31 - 1 if signed else 2**32 - 1)


@pytest.mark.parametrize("x", [0.0, -1.0, math.inf, math.nan])
def test_logarithms(x: float) -> None:
    for function in (ceil_log2, floor_log2):
        with pytest.raises(QuantizationError, match="binary logarithm"):
            function(x)


@pytest.mark.parametrize(("call", "sentence"), [
    (lambda: ristretto.wq([1.0], 8, 0), "0 candidates are not a search"),
    (lambda: sqnr_db([1.0], [1.0, 2.0]), r"SQNR of shapes \(1,\) and \(2,\)"),
    (lambda: gamma_density(0.0, 1.0), "mean 0.0 and variance 1.0 give no gamma density"),
    (lambda: GeneralizedGamma(0, 0, 1), "is not a density"),
    (lambda: GeneralizedGamma(1, -1, 1), "is not a density"),
    (lambda: GeneralizedGamma(1, 0, math.inf), "is not a density"),
    (lambda: exact_distortion(gamma_density(1, 1), 2048, 0.1), "N=2048 levels loses too many digits; use 1024"),
])
def test_arguments(call: Callable[[], object], sentence: str) -> None:
    with pytest.raises(QuantizationError, match=sentence):
        call()
