"""Training a network for some cycles, in float or through its quantizers (straight-through estimation).

Used to watch how weights move (weight_difference.py) and to let a network get used to its quantizers.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch.nn import functional

from headrace.errors import InputError, QuantizationError
from headrace.network import ops
from headrace.network.ops import FloatArray
from headrace.quantization.primitives import round_half_up
from headrace.quantizing.data import Batches, read_batches, require_classes
from headrace.quantizing.plan import Plan
from headrace.quantizing.problem import Candidate
from headrace.quantizing.runner import Fake, Parameters, Runner, fake_quantize, fakes_of, one_thread, to_tensor


@dataclass(frozen=True)
class Training:
    """Stochastic gradient descent with momentum on the cross entropy; the rate falls to 0 along a cosine."""

    cycles: int = 1
    learning_rate: float = 0.01
    momentum: float = 0.9
    seed: int = 0


def train_cycles(runner: Runner, batches: Batches, training: Training,
                 plan: Plan | None = None) -> Iterator[dict[str, Parameters]]:
    """The parameters of all layers after each cycle, one cycle being one pass over the batches, which need labels.

    plan: quantize weights and tensors in the forward pass with its fixed scales. The parameters of `runner` stay as
    they are. Raises InputError for data that cannot be read twice or have no labels of the network's classes,
    QuantizationError where the loss leaves the numbers.
    """
    if not callable(batches) and iter(batches) is batches:
        raise InputError("training needs data that can be read again; give a list, or a function that returns batches")
    leaves = {name: (weight.clone().requires_grad_(), bias.clone().requires_grad_())
              for name, (weight, bias) in runner.parameters.items()}
    optimizer = torch.optim.SGD([leaf for pair in leaves.values() for leaf in pair], training.learning_rate,
                                training.momentum)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, training.cycles)
    classes = math.prod(runner.net.shapes[runner.net.output])
    fakes, weight_fakes = ({}, {}) if plan is None else (fakes_of(plan), _weight_fakes(plan))
    with one_thread(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(training.seed)  # of data that are drawn with torch
        for _ in range(training.cycles):
            for batch in read_batches(batches, runner.net.input.shape):
                labels = torch.from_numpy(batch.require_labels("training"))
                require_classes(batch.require_labels("training"), classes)
                parameters = {name: (weight_fakes[name](weight) if plan else weight, bias)
                              for name, (weight, bias) in leaves.items()}
                scores = runner.run(torch.from_numpy(batch.x), parameters, fakes)
                _step(optimizer, functional.cross_entropy(scores.reshape(len(labels), -1), labels))
            schedule.step()
            yield {name: (weight.detach().clone(), bias.detach().clone()) for name, (weight, bias) in leaves.items()}


def _step(optimizer: torch.optim.Optimizer, loss: torch.Tensor) -> None:
    value = float(loss.detach())
    if not math.isfinite(value):
        raise QuantizationError(f"training: the loss is {value}; use a smaller learning rate")
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


def _weight_fakes(plan: Plan) -> dict[str, Fake]:
    """The quantizers of weights at the scales of a plan."""
    return {name: _weight_fake(weight) for name, weight in plan.weights.items()}


def _weight_fake(weight: ops.QuantWeight) -> Fake:
    scale = to_tensor(weight.scale.reshape(-1, *[1] * (weight.codes.ndim - 1)))
    return lambda values: fake_quantize(values, scale, weight.dtype.lo, weight.dtype.hi)


def quantization_aware(candidate: Candidate, batches: Batches, training: Training) -> Candidate:
    """A candidate whose weights and biases were trained through its quantizers; all scales stay as they are.

    Weights become codes again; biases stay real numbers, as they only move thresholds. Raises as `train_cycles`.
    """
    *_, parameters = train_cycles(candidate.runner, batches, training, candidate.plan)
    weights = {name: _array(weight) for name, (weight, _) in parameters.items()}
    biases = {name: _array(bias) for name, (_, bias) in parameters.items()}
    codes = {name: requantized(candidate.plan.weights[name], values) for name, values in weights.items()}
    return replace(candidate, net=candidate.net.with_parameters(weights, biases),
                   plan=replace(candidate.plan, weights=codes, biases=biases))


def requantized(weight: ops.QuantWeight, values: FloatArray) -> ops.QuantWeight:
    """Other values at the scale and type of a weight."""
    scaled = values / weight.scale.reshape(-1, *[1] * (values.ndim - 1))
    codes = np.clip(round_half_up(scaled), weight.dtype.lo, weight.dtype.hi)
    return replace(weight, codes=codes.astype(np.int64))


def _array(tensor: torch.Tensor) -> FloatArray:
    return np.asarray(tensor.numpy(), np.float64)
