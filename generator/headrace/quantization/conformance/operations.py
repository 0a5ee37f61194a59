"""The operations of a file of test vectors as calls of this package's functions, one per operation, nothing more.

>>> OPERATIONS["log2_int"](x=127)
{'ceil': 7, 'floor': 6}
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

import numpy as np

from headrace.datatypes import BIPOLAR, DataType
from headrace.quantization import (
    affine,
    bft,
    cost,
    feature_maps,
    ggd,
    optimal_step,
    primitives,
    ristretto,
    syq,
    thresholds,
)
from headrace.quantization import coarse_to_fine as c2f
from headrace.quantization import weight_difference as wd
from headrace.quantization.dense_chain import Dense, quantize_chain
from headrace.quantization.scale_groups import TensorRange, equalise

Result = dict[str, Any]


def _log2_int(x: float) -> Result:
    return {"ceil": primitives.ceil_log2(x), "floor": primitives.floor_log2(x)}


def _quantize(x: list[float], fl: int, bw: int, signed: bool) -> Result:
    codes = primitives.quantize_codes(x, fl, bw, signed)
    return {"codes": codes, "values": primitives.dequantize(codes, fl)}


def _sqnr(x: list[float], xq: list[float]) -> Result:
    db = primitives.sqnr_db(x, xq)
    return {"db": db if math.isfinite(db) else str(db)}


def _ristretto(kind: str, x: list[float], bw: int) -> Result:
    return {"fl": ristretto.ristretto(x, bw, signed=kind == "weight")}


def _wq(w: list[float], bw: int, K: int) -> Result:
    choice = ristretto.wq(w, bw, K)
    return {"fl": choice.frac_bits, "candidates": choice.candidates, "errors": choice.errors}


def _hn_support(alpha: float, beta: float, lam: float, N: int) -> Result:
    support = ggd.half_support(ggd.GeneralizedGamma(alpha, beta, lam), N)
    return {"L_hat": support, "step": 2 * support / N}


def _hn_y_gamma(kappa: float, N: int) -> Result:
    return {"y": ggd.half_support(ggd.GeneralizedGamma(1, kappa - 1, 1), N)}


def _hn_support_domain(alpha: float, beta: float, lam: float, N: int) -> Result:
    return {"defined": ggd.closed_form_defined(alpha, beta, N)}


def _hn_distortion(alpha: float, beta: float, lam: float, N: int, L: float) -> Result:
    return {"D": ggd.model_distortion(ggd.GeneralizedGamma(alpha, beta, lam), N, L)}


def _exact_optimal_step(alpha: float, beta: float, lam: float, N: int) -> Result:
    density = ggd.GeneralizedGamma(alpha, beta, lam)
    step = optimal_step.exact_step(density, N)
    return {"step": step, "mse": optimal_step.exact_distortion(density, N, step)}


def _gamma_params(m: float, v: float) -> Result:
    density = ggd.gamma_density(m, v)
    return {"alpha": density.alpha, "beta": density.beta, "lam": density.lam, "mu": density.mu, "kappa": density.shape}


def _fq_single(x: list[float], bw: int, mode: feature_maps.Mode, guard: bool = False) -> Result:
    choice = feature_maps.fq_single(x, bw, mode, guard)
    return {"fl": choice.frac_bits, "candidates": choice.candidates, "step": choice.step, "reason": str(choice.reason)}


def _fq_double(x: list[float], bw: int, mode: feature_maps.Mode, guard: bool = False) -> Result:
    choice = feature_maps.fq_double(x, bw, mode, guard)
    return {"fl": choice.frac_bits, "candidates": choice.candidates, "rho": choice.rho}


def _bft(fl: list[int], order: list[int], K: int, metric: Mapping[str, Any]) -> Result:
    def performance(lengths: tuple[int, ...]) -> list[float]:
        misses = sum(a * (f - t) ** 2 for a, f, t in zip(metric["a"], lengths, metric["t"], strict=True))
        jumps = sum((f - g) ** 2 for f, g in pairwise(lengths))
        return [90 - misses - metric["c"] * jumps]

    tuning = bft.backward_forward_tune(fl, performance, K, order=order)
    return {"fl": tuning.frac_bits, "final": tuning.score}


def _kneron_scale(max_v: float, p: int) -> Result:
    scale = c2f.scale_factor(max_v, p)
    return {"s": scale.factor, "n": scale.n, "q": scale.q}


def _equalise_q(max_v: Mapping[str, float], p: int) -> Result:
    q, scales = equalise({name: TensorRange(value, p) for name, value in max_v.items()})
    return {"q": q, "n": {name: scale.n for name, scale in scales.items()}}


def _add_int(a: list[int], n_a: int, b: list[int], n_b: int, n_o: int, p: int, relu: bool) -> Result:
    return {"out": c2f.add(a, n_a, b, n_b, c2f.TensorScale(1.0, n_o, p), relu)}


def _avgpool_int(x: list[list[int]], q_in: float, p: int) -> Result:
    out, scale = c2f.average_pool(np.array(x), c2f.TensorScale(q_in, 0, p))
    return {"out": out, "q_out": scale.q}


def _kneron_chain(weights: list[Any], biases: list[Any], relu: list[bool], calib_x: list[list[float]], p: int, pw: int,
                  per_channel: bool, input_cols: int) -> Result:
    dense = [Dense(np.array(w), np.array(b), r) for w, b, r in zip(weights, biases, relu, strict=True)]
    chain = quantize_chain(dense, calib_x, p, pw, per_channel)
    codes = chain.infer(np.array(calib_x)[:, :input_cols])
    layers = [{"w_int": layer.weights, "b_int": layer.bias, "fl_w": layer.frac_bits, "shift": layer.shifts,
               "coarse_fl": layer.coarse_frac_bits, "out": out}
              for layer, out in zip(chain.layers, codes[1:], strict=True)]
    return {"max_v": chain.max_v, "q": [scale.q for scale in chain.scales], "n": [scale.n for scale in chain.scales],
            "x_int": codes[0], "layers": layers}


def _wdiff_stat(w0: list[Any], wk: list[Any]) -> Result:
    kinds: tuple[wd.Statistic, ...] = ("mean_square", "mean", "variance", "std")
    return {kind: wd.weight_diff_stats([w0], [[w] for w in wk], kind)[0] for kind in kinds}


def _select_layers(stats: list[float], loss_by_count: list[float], threshold: float, skip_smallest: bool,
                   n_stop: int | None, fixed_count: int) -> Result:
    order = wd.rank_layers(stats)

    def select(method: wd.Method) -> wd.Selection:
        return wd.select_layers(order, lambda low: loss_by_count[len(low)], threshold, method, skip_smallest, n_stop,
                                fixed_count)

    halving = select("halving")
    return {"order": order, "halving": halving.layers, "bisect": select("bisect").layers,
            "fixed": select("count").layers, "halving_trace": [count for count, _ in halving.trace]}


def _output_type(kind: str, bits: int) -> DataType:
    return BIPOLAR if kind == "bipolar" else primitives.code_type(bits, signed=kind == "signed")


def _bn_thresholds(gamma: float, beta: float, mean: float, var: float, eps: float, n: int, kind: str, step: float,
                   acc_min: int, acc_max: int) -> Result:
    slope, offset = thresholds.batch_norm_line(gamma, beta, mean, var, eps)
    row = thresholds.line_thresholds(slope, offset, _output_type(kind, n), step, acc_min, acc_max)
    return {"flip": row.negate, "T": row.thresholds}


def _popcount_threshold(T: int, S: int) -> Result:
    return {"T_pc": thresholds.popcount_threshold(T, S)}


def _xnor_mvtu(W: list[list[int]], x: list[int], T: list[int]) -> Result:
    popcount, fan_in = thresholds.xnor_popcount(np.array(W), np.array(x)), len(x)
    T_pc = [thresholds.popcount_threshold(t, fan_in) for t in T]
    return {"acc": 2 * popcount - fan_in, "popcount": popcount, "T_pc": T_pc, "out": (popcount >= T_pc).astype(int)}


def _shift_thresholds(shift: int, bias: int, bw: int, signed: bool, acc_min: int, acc_max: int) -> Result:
    return {"T": thresholds.shift_thresholds(shift, bias, primitives.code_type(bw, signed))}


def _syq(W: list[Any], granularity: syq.Granularity, ternary: bool, eta_frac: float, alpha_bits: int,
         x: list[Any]) -> Result:
    book = syq.codebook(W, ternary, eta_frac)
    alpha = syq.least_squares_scales(W, book.Q, granularity)
    scales = syq.fixed_point_scales(alpha, alpha_bits)
    return {"eta": book.eta, "Q": book.Q, "alpha": alpha, "alpha_int": scales.codes, "alpha_fl": scales.frac_bits,
            "acc": syq.accumulate(book.Q, scales, granularity, np.array(x))}


def _affine_params(rmin: float, rmax: float, W: int, x: list[float]) -> Result:
    params = affine.affine_params(rmin, rmax, W)
    return {"S": params.scale, "Z": params.zero_point, "q": params.quantize(x)}


def _quantize_multiplier(M: float) -> Result:
    multiplier = affine.quantize_multiplier(M)
    return {"M0": multiplier.m0, "shift": multiplier.shift}


def _srdhm(a: int, b: int) -> Result:
    return {"y": affine.srdhm(a, b)}


def _rdbpot(x: int, exponent: int) -> Result:
    return {"y": affine.rdbpot(x, exponent)}


def _affine_matmul(q1: list[list[int]], Z1: int, q2: list[list[int]], Z2: int, Z3: int, M: float, W: int) -> Result:
    multiplier, acc = affine.quantize_multiplier(M), affine.matmul(q1, Z1, q2, Z2)
    return {"M0": multiplier.m0, "shift": multiplier.shift, "acc": acc,
            "q3": affine.requantize(acc, multiplier, Z3, W)}


def _affine_thresholds(M: float, Z3: int, W: int, acc_min: int, acc_max: int) -> Result:
    return {"T": affine.affine_thresholds(affine.quantize_multiplier(M), Z3, W, acc_min, acc_max)}


def _mvtu_cycles(MW: int, MH: int, SIMD: int, PE: int, out_pixels: int) -> Result:
    return {"cycles": cost.finn_mvtu_cycles(MW, MH, PE, SIMD, out_pixels),
            "weight_words": cost.finn_weight_words(MW, MH, PE, SIMD)}


def _swu_cycles(H: int, W: int, C: int, K: int, stride: int, SIMD: int) -> Result:
    return cost.finn_swu_cycles(H, W, C, K, stride, SIMD)._asdict()


def _weight_bram18(MW: int, MH: int, SIMD: int, PE: int, W: int) -> Result:
    return {"bram18": cost.finn_weight_bram18(MW, MH, PE, SIMD, W)}


def _mvtu_luts(MW: int, MH: int, SIMD: int, PE: int, W: int, A: int, acc_bits: int, B: int) -> Result:
    return {"luts": cost.finn_mvtu_luts(MW, MH, PE, SIMD, W, A, acc_bits, B)}


def _roofline(peak_ops: float, bandwidth_Bps: float, ops: float, bytes: float) -> Result:
    line = cost.roofline(peak_ops, bandwidth_Bps, ops, bytes)
    return {"ci": line.intensity, "ridge": line.ridge, "attainable": line.attainable, "bound": line.bound}


OPERATIONS: dict[str, Callable[..., Result]] = {
    "log2_int": _log2_int, "quantize": _quantize, "sqnr": _sqnr, "ristretto_fl": _ristretto, "wq": _wq,
    "hn_support": _hn_support, "hn_y_gamma": _hn_y_gamma, "hn_support_domain": _hn_support_domain,
    "hn_distortion": _hn_distortion, "exact_optimal_step": _exact_optimal_step, "gamma_params": _gamma_params,
    "fq_single": _fq_single, "fq_double": _fq_double, "bft": _bft, "kneron_scale": _kneron_scale,
    "equalise_q": _equalise_q, "add_int": _add_int, "avgpool_int": _avgpool_int, "kneron_chain": _kneron_chain,
    "wdiff_stat": _wdiff_stat, "select_layers": _select_layers, "bn_thresholds": _bn_thresholds,
    "popcount_threshold": _popcount_threshold, "xnor_mvtu": _xnor_mvtu, "shift_thresholds": _shift_thresholds,
    "syq": _syq, "affine_params": _affine_params, "quantize_multiplier": _quantize_multiplier, "srdhm": _srdhm,
    "rdbpot": _rdbpot, "affine_matmul": _affine_matmul, "affine_thresholds": _affine_thresholds,
    "mvtu_cycles": _mvtu_cycles, "swu_cycles": _swu_cycles, "weight_bram18": _weight_bram18, "mvtu_luts": _mvtu_luts,
    "roofline": _roofline,
}
