"""Real scales folded into weights, and integer inference with shifts only."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headrace.errors import QuantizationError
from headrace.quantization.coarse_to_fine import (
    TensorScale,
    add,
    average_pool,
    concat,
    fixed_q_scale,
    fold,
    fold_batch_norm,
    function_table,
    pool_factor,
    scale_factor,
)
from headrace.quantization.dense_chain import Dense, quantize_chain
from headrace.quantization.primitives import sqnr_db
from headrace.quantization.ristretto import wq

exact = settings(derandomize=True, deadline=None, max_examples=60)
INT8 = st.integers(-128, 127)


def saturated(value: Fraction, scale: TensorScale) -> int:
    codes = scale.codes_type
    return min(max(math.floor(value + Fraction(1, 2)), codes.lo), codes.hi)


@exact
@given(st.floats(1e-300, 1e300), st.integers(2, 16), st.booleans())
def test_scale_factor(max_v: float, bits: int, signed: bool) -> None:
    scale = scale_factor(max_v, bits, signed)
    assert 0.5 < scale.q <= 1
    largest = 2 ** (bits - 1) - 1 if signed else 2**bits - 1
    assert Fraction(scale.q) * Fraction(2) ** scale.n * Fraction(max_v) == pytest.approx(largest, rel=1e-15)
    plain = fixed_q_scale(max_v, bits, signed)
    assert max_v * plain.factor <= largest < 2 * max_v * plain.factor


@pytest.mark.parametrize(("signed", "n"), [(True, 7), (False, 8)])
def test_a_tensor_of_zeros(signed: bool, n: int) -> None:
    assert scale_factor(0.0, 8, signed) == fixed_q_scale(0.0, 8, signed) == TensorScale(1.0, n, 8, signed)


def test_layer_by_hand() -> None:
    target = scale_factor(1.3, 8)
    layer = fold([[0.5, -0.25], [0.1, 0.05]], [0.1, -0.2], TensorScale(1.0, 7, 8), target, 8)
    assert target.n == 7 and target.q == pytest.approx(0.7632211538461539, rel=1e-15)
    assert layer.weights.tolist() == [[98, -49], [78, 39]]
    assert (layer.frac_bits.tolist(), layer.shifts.tolist()) == ([8, 10], [8, 10])
    assert layer.bias.tolist() == [2501, -20007]
    assert layer.infer(np.array([[100, -64], [50, 127]]), relu=True).tolist() == [[38, 0], [0, 0]]


@exact
@given(st.integers(0, 10**6), st.booleans(), st.booleans(), st.booleans(), st.integers(-6, 12), st.integers(-6, 12))
def test_shifts_only_inference_is_its_definition(seed: int, fine: bool, relu: bool, unsigned: bool, n_in: int,
                                                 n_out: int) -> None:
    rng = np.random.default_rng(seed)
    w, b = rng.standard_normal((3, 5)) * 4.0 ** rng.integers(-3, 3), rng.standard_normal(3) * 0.1
    source, target = TensorScale(0.75, n_in, 8), TensorScale(0.875, n_out, 8, not (relu and unsigned))
    try:
        layer = fold(w, b, source, target, 6, fine)
    except QuantizationError as error:
        assert "leave 32 bits" in str(error)
        return
    x = rng.integers(-128, 128, (5, 7))
    y = layer.infer(x, relu)
    for i, column in np.ndindex(y.shape):
        assert np.all(np.abs(layer.weights[i]) <= 31)
        acc = sum(int(a) * int(b) for a, b in zip(layer.weights[i], x[:, column], strict=True)) + int(layer.bias[i])
        value = Fraction(acc) / Fraction(2) ** int(layer.frac_bits[i] + n_in - n_out)
        assert y[i, column] == saturated(max(value, Fraction(0)) if relu else value, target)


def test_the_fold_follows_the_float_layer() -> None:
    rng = np.random.default_rng(7)
    w, b, x = rng.standard_normal((16, 32)), rng.standard_normal(16), rng.standard_normal((32, 200))
    y = w @ x + b[:, None]
    source, target = scale_factor(np.abs(x).max(), 12), scale_factor(np.abs(y).max(), 12)
    for rule in ("floor", "wq"):
        layer = fold(w, b, source, target, 12, rule=rule)
        assert sqnr_db(y, target.values(layer.infer(source.codes(x)))) > 50


def test_weights_by_least_error_instead_of_the_range() -> None:
    w = np.random.default_rng(0).standard_t(2, (8, 500))
    unit = TensorScale(1.0, 4, 8)
    by_error, by_range = (fold(w, np.zeros(8), unit, unit, 4, rule=rule) for rule in ("wq", "floor"))
    assert by_error.frac_bits.tolist() == [wq(row, 4).frac_bits for row in w]
    assert by_error.coarse_frac_bits == wq(w, 4).frac_bits
    assert np.sum(by_error.frac_bits > by_range.frac_bits) >= 6


def test_fine_lengths_gain_on_coarse_ones() -> None:
    unit = TensorScale(1.0, 0, 8)

    def mean_sqnr(w: np.ndarray, fine: bool) -> float:
        layer = fold(w, np.zeros(len(w)), unit, unit, 8, fine)
        rows = zip(w, layer.weights, layer.frac_bits, strict=True)
        return float(np.mean([sqnr_db(row, codes * 2.0**-fl) for row, codes, fl in rows]))

    rng, gains = np.random.default_rng(0), []
    for _ in range(20):  # layers of 64 channels with log-normal scales
        w = rng.standard_normal((64, 64)) * np.exp(rng.standard_normal(64))[:, None]
        gains.append(mean_sqnr(w, fine=True) - mean_sqnr(w, fine=False))
    assert np.mean(gains) == pytest.approx(19.8, abs=1.5)


@pytest.mark.parametrize(("bits", "gain_db"), [(4, 1.85), (6, 2.73), (8, 2.94)])
def test_q_gains_on_a_power_of_two_range(bits: int, gain_db: float) -> None:
    rng, gains = np.random.default_rng(1), []
    for phase in np.linspace(0, 1, 101)[:-1]:
        x = 2**phase * rng.uniform(-1, 1, 4000)
        own, plain = scale_factor(2**phase, bits), fixed_q_scale(2 ** math.ceil(phase) * (1 - 2.0 ** (1 - bits)), bits)
        gains.append(sqnr_db(x, own.values(own.codes(x))) - sqnr_db(x, plain.values(plain.codes(x))))
    assert np.mean(gains) == pytest.approx(gain_db, abs=0.2)


def test_channels_and_layers_of_zeros() -> None:
    unit = TensorScale(1.0, 7, 8)
    layer = fold([[0.0, 0.0], [0.3, 0.1]], [0.0, 0.0], unit, unit, 8)
    assert layer.weights[0].tolist() == [0, 0]
    assert layer.frac_bits.tolist() == [layer.coarse_frac_bits, 8]
    assert fold([[0.0]], [0.0], unit, unit, 8).frac_bits.tolist() == [7]


def test_batch_norm_folds_into_the_layer_or_stands_alone() -> None:
    rng = np.random.default_rng(3)
    w, b, x = rng.standard_normal((4, 2, 3, 3)), rng.standard_normal(4), rng.standard_normal((2, 3, 3))
    gamma, beta, mean, variance = rng.standard_normal((4, 4)) ** 2
    expected = gamma * ((w * x).sum((1, 2, 3)) + b - mean) / np.sqrt(variance + 1e-3) + beta
    folded, bias = fold_batch_norm(w, b, gamma, beta, mean, variance, 1e-3)
    assert (folded * x).sum((1, 2, 3)) + bias == pytest.approx(expected, rel=1e-12)
    scale, offset = fold_batch_norm(np.ones((4, 1)), 0.0, gamma, beta, mean, variance, 1e-3)
    layer = fold(scale, offset, TensorScale(1.0, 5, 8), TensorScale(1.0, 4, 8), 8)
    codes = rng.integers(-20, 20, (4, 1, 6))
    real = scale[:, :, 0] if scale.ndim == 3 else scale
    y = layer.infer_depthwise(codes) * 2.0**-4
    assert np.abs(y - np.clip(real * codes[:, 0] * 2.0**-5 + offset[:, None], -8, 127 / 16)).max() < 0.1


@exact
@given(st.lists(INT8, min_size=1, max_size=20), st.booleans())
def test_average_pool(x: list[int], signed: bool) -> None:
    x = x if signed else [abs(v) for v in x]
    pooled, scale = average_pool(np.array([x]), TensorScale(0.75, 3, 8, signed))
    divisor = 2 ** math.ceil(math.log2(len(x)))
    assert pooled[0] == saturated(Fraction(sum(x), divisor), scale)
    assert scale == TensorScale(0.75 * len(x) / divisor, 3, 8, signed)
    assert pool_factor(len(x)) == len(x) / divisor


@exact
@given(INT8, INT8, st.integers(-4, 9), st.integers(-4, 9), st.integers(-4, 9), st.booleans(), st.booleans())
def test_add(a: int, b: int, n_a: int, n_b: int, n_o: int, relu: bool, unsigned: bool) -> None:
    target = TensorScale(0.75, n_o, 8, not (relu and unsigned))
    value = (a / Fraction(2) ** n_a + b / Fraction(2) ** n_b) * Fraction(2) ** n_o
    assert add([a], n_a, [b], n_b, target, relu)[0] == saturated(max(value, Fraction(0)) if relu else value, target)


def test_concat() -> None:
    a, b = (np.array([5, -7]), TensorScale(0.75, 3, 8)), (np.array([100]), TensorScale(0.75, 1, 8))
    codes, scale = concat([a, b])
    assert (codes.tolist(), scale) == ([1, -2, 100], b[1])
    with pytest.raises(QuantizationError, match=r"concat: .*cannot be joined; give all branches one q and width"):
        concat([a, (b[0], TensorScale(0.5, 1, 8))])


def test_function_table() -> None:
    source, target = TensorScale(0.75, 4, 6), TensorScale(1.0, 7, 8)
    table = function_table(lambda x: 1 / (1 + np.exp(-x)), source, target)
    assert len(table) == 64
    for entry, code in zip(table, range(-32, 32), strict=True):
        assert entry == saturated(Fraction(128 / (1 + math.exp(-code / 16 / 0.75))), target)


def test_chain_ends_in_true_units() -> None:
    rng = np.random.default_rng(5)
    layers = [Dense(rng.standard_normal((8, 4)), rng.standard_normal(8), True),
              Dense(rng.standard_normal((3, 8)), rng.standard_normal(3), False)]
    x = rng.uniform(-1, 1, (4, 300))
    chain = quantize_chain(layers, x, 10, 10)
    y = layers[1].infer(layers[0].infer(x))
    assert chain.scales[0].q == chain.scales[-1].q == 1
    assert sqnr_db(y, chain.infer(x)[-1] * 2.0 ** -chain.scales[-1].n) > 40


@pytest.mark.parametrize(("call", "sentence"), [
    (lambda: scale_factor(-1.0, 8), "a maximum magnitude of -1.0 gives no scale"),
    (lambda: scale_factor(math.inf, 8), "a maximum magnitude of inf gives no scale"),
    (lambda: fixed_q_scale(1.0, 8, q=0.0), "a scale of q=0.0 cannot be divided out"),
    (lambda: fold([[1.0]], [1e9], TensorScale(1.0, 7, 8), TensorScale(1.0, 7, 8), 8),
     "channel 0: its bias 8192.* leave"),
    (lambda: fold([[1.0]], [-1e9], TensorScale(1.0, 7, 8), TensorScale(1.0, 7, 8), 8),
     "channel 0: its bias -8192.* leave"),
    (lambda: fold([[-1.0]], [262144.0], TensorScale(1.0, 7, 8, False), TensorScale(1.0, 7, 8), 8),
     "channel 0: its bias 2147483648 and accumulators 2147467328 to 2147483648 leave 32 bits"),
    (lambda: fold([[1e-300]], [1e10], TensorScale(1.0, 7, 8), TensorScale(1.0, 7, 8), 8), "leave 32 bits"),
    (lambda: fold([[1.0], [2.0]], [1.0], TensorScale(1.0, 7, 8), TensorScale(1.0, 7, 8), 8),
     r"weights of shape \(2, 1\) and a bias of shape \(1,\) do not fit"),
    (lambda: fold(np.ones((0, 3)), [], TensorScale(1.0, 7, 8), TensorScale(1.0, 7, 8), 8), "do not fit; give"),
    (lambda: fold_batch_norm([[1.0]], [0.0], [math.nan], [0.0], [0.0], [1.0], 0.0), "gamma: 1 of 1 values are nan"),
    (lambda: fold_batch_norm([[1.0]], [0.0], [1.0], [math.inf], [0.0], [1.0], 0.0), "beta: 1 of 1 values are nan"),
    (lambda: fold(np.ones((1, 70000)), [0.0], TensorScale(1.0, 7, 16), TensorScale(1.0, 7, 8), 8), "leave 32 bits"),
    (lambda: fold_batch_norm([[1.0]], [0.0], [1.0], [0.0], [0.0], [0.0], 0.0), "variance . eps reaches 0.0"),
    (lambda: add([1], 40, [1], 0, TensorScale(1.0, 0, 8)), "a left shift by 40 bits"),
    (lambda: quantize_chain([], [[1.0]], 8, 8), "a chain of no layers"),
])
def test_errors(call: Callable[[], object], sentence: str) -> None:
    with pytest.raises(QuantizationError, match=sentence):
        call()
