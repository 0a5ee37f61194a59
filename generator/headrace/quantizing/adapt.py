"""Bias correction and adaptive rounding, layer by layer against the float network's outputs.

A layer reads what the quantized layers before it make, errors included, and shall give what the float layer gives for
the true inputs. Least squares say which real weights do that best; quantization/adaptive_rounding.py rounds them. The
bias takes what remains of the mean.

Sources: M. Nagel et al., ICCV 2019, section 4.2, for the bias; ICML 2020, section 3, for the order of the layers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch.nn import functional

from headrace.network import ops
from headrace.network.float_graph import FloatConv, Weighted
from headrace.network.ops import FloatArray
from headrace.quantization.adaptive_rounding import adaptive_rounding
from headrace.quantization.ranges import least_error_scales
from headrace.quantizing.affine import bias_in_steps
from headrace.quantizing.data import Images
from headrace.quantizing.plan import Plan
from headrace.quantizing.problem import Candidate, Problem
from headrace.quantizing.runner import fake_of
from headrace.quantizing.settings import Settings

#: Samples that layers are fitted to, and windows that are drawn of them.
SAMPLES, WINDOWS = 512, 16_384
#: Share of the mean square of a layer's inputs that keeps weights of rare inputs where they are.
RIDGE = 0.01


def adapted(problem: Problem, candidate: Candidate, settings: Settings) -> Candidate:
    """The candidate with biases, and by `settings.rounding` codes, fitted on the samples that were kept."""
    x = problem.kept.x[:SAMPLES]
    wanted = {name: _inputs(candidate, name, x, None, settings.seed) for name in candidate.net.layers}
    for name, op in candidate.net.layers.items():
        found = _inputs(candidate, name, x, candidate.plan, settings.seed)
        weight, bias = _fitted(op, candidate.plan.weights[name], wanted[name], found, settings)
        plan = candidate.plan
        bias = bias_in_steps(problem, name, bias, weight, dict(plan.tensors))
        candidate = replace(candidate, plan=Plan({**plan.weights, name: weight}, {**plan.biases, name: bias},
                                                 plan.tensors))
    return candidate


def _inputs(candidate: Candidate, name: str, x: Images, plan: Plan | None, seed: int) -> FloatArray:
    """What a layer reads: windows (groups, count, columns), the same ones with and without a plan."""
    source, op = candidate.net.by_name[name].inputs[0], candidate.net.layers[name]
    values: list[torch.Tensor] = []
    fakes = {} if plan is None else plan.tensors

    def observe(tensor: str, value: torch.Tensor) -> None:
        if tensor == source:
            values.append(fake_of(fakes[tensor])(value) if tensor in fakes else value)

    candidate.runner.scores(x, plan, observe)
    return _windows(op, torch.cat(values), np.random.default_rng(seed))


def _windows(op: Weighted, x: torch.Tensor, rng: np.random.Generator) -> FloatArray:
    if isinstance(op, FloatConv):
        top, left, bottom, right = op.pad
        x = functional.unfold(functional.pad(x, (left, right, top, bottom)), op.weights.shape[2:], op.dilation,
                              0, op.stride).swapaxes(1, 2).flatten(0, 1)
    groups = op.groups if isinstance(op, FloatConv) else 1
    if len(x) > WINDOWS:
        x = x[torch.from_numpy(np.sort(rng.choice(len(x), WINDOWS, replace=False)))]
    return np.asarray(x.reshape(len(x), groups, -1).swapaxes(0, 1).numpy(), np.float64)


@dataclass(frozen=True, eq=False)
class _Fit:
    """One group of a layer: rows (n, columns) of float weights, inputs (count, columns) true and as they come."""

    rows: FloatArray
    wanted: FloatArray
    found: FloatArray

    def moment(self) -> FloatArray:
        """H = E[b b^T] of the centred inputs as they come, made regular."""
        centred = self.found - self.found.mean(0)
        moment = centred.T @ centred / len(centred)
        ridge = RIDGE * np.trace(moment) / len(moment) or 1.0
        return np.asarray(moment + ridge * np.eye(len(moment)))

    def target(self, moment: FloatArray) -> FloatArray:
        """The real weights that come closest to the float outputs, drawn towards the float weights by the ridge."""
        centred, true = self.found - self.found.mean(0), self.wanted - self.wanted.mean(0)
        cross = centred.T @ true / len(true)
        ridge = moment - centred.T @ centred / len(centred)
        return np.asarray(np.linalg.solve(moment, (cross + ridge) @ self.rows.T).T)

    def bias_change(self, rows: FloatArray) -> FloatArray:
        """What the mean of the outputs lacks with these weights."""
        return np.asarray(self.rows @ self.wanted.mean(0) - rows @ self.found.mean(0))


def _fitted(op: Weighted, weight: ops.QuantWeight, wanted: FloatArray, found: FloatArray,
            settings: Settings) -> tuple[ops.QuantWeight, FloatArray]:
    """Weight and bias of one layer."""
    groups = len(found)
    rows = op.weights.reshape(groups, len(op.weights) // groups, -1)
    fits = [_Fit(*parts) for parts in zip(rows, wanted, found, strict=True)]
    if settings.rounding == "adaptive":
        weight = _rounded(weight, fits, settings)
    values = weight.values.reshape(rows.shape)
    change = np.concatenate([fit.bias_change(own) for fit, own in zip(fits, values, strict=True)])
    return weight, op.bias + change


def _rounded(weight: ops.QuantWeight, fits: list[_Fit], settings: Settings) -> ops.QuantWeight:
    moments = [fit.moment() for fit in fits]
    targets = [fit.target(moment) for fit, moment in zip(fits, moments, strict=True)]
    importance = np.mean([np.diag(moment) for moment in moments], 0)
    every = np.concatenate(targets)
    scales = weight.scale
    if settings.weight_scales == "channel":
        scales = least_error_scales(every, weight.dtype.bits, importance)
    per_row = np.broadcast_to(scales, len(every)).reshape(len(fits), -1)
    codes = [adaptive_rounding(target, moment, scale, weight.dtype.hi)
             for target, moment, scale in zip(targets, moments, per_row, strict=True)]
    return replace(weight, codes=np.concatenate(codes).reshape(weight.codes.shape), scale=scales)


