"""Running a float network in torch: as it is, or with the quantizers and weights of a plan.

The one interpreter of calibration, accuracy, tuning and training. Values are float32; with power-of-two scales sums of
less than 2^24 steps are exact. What is finally reported is computed by the exact integer network, not here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from headrace.errors import UnsupportedError
from headrace.frontend.torch.trace import evaluating
from headrace.network import ops, tensor_ops
from headrace.network.activation import Activation
from headrace.network.float_graph import FloatConv, FloatLinear, FloatNetwork, FloatNode
from headrace.network.ops import FloatArray
from headrace.quantizing.data import Images, Labels, require_classes
from headrace.quantizing.plan import Plan

#: Samples that are computed at once.
BATCH = 256

#: Weight and bias of a layer.
Parameters = tuple[torch.Tensor, torch.Tensor]
#: What stands in a tensor's place for those that read it.
Fake = Callable[[torch.Tensor], torch.Tensor]
#: Told the name and the value of every tensor, before it is quantized.
Observer = Callable[[str, torch.Tensor], None]


def to_tensor(array: FloatArray) -> torch.Tensor:
    """float32."""
    return torch.from_numpy(np.ascontiguousarray(array, np.float32))


def joined(outputs: Sequence[torch.Tensor]) -> torch.Tensor:
    """Several outputs (N, ...) as rows, one behind the other."""
    return torch.cat([part.reshape(len(part), -1) for part in outputs], 1)


@contextmanager
def one_thread() -> Iterator[None]:
    """Torch on one thread: sums are taken in the same order on every machine, and small tensors are faster so."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


class _Rounded(torch.autograd.Function):  # type: ignore[misc]
    """round_half_up with the identity as its gradient (straight-through estimator)."""

    @staticmethod
    def forward(ctx: object, x: torch.Tensor) -> torch.Tensor:
        whole = torch.floor(x)
        return whole + (x - whole >= 0.5).to(x.dtype)

    @staticmethod
    def backward(ctx: object, *grads: torch.Tensor) -> torch.Tensor:
        return grads[0]


def fake_quantize(x: torch.Tensor, scale: torch.Tensor, lo: int, hi: int, zero_point: int = 0) -> torch.Tensor:
    """Values of the codes clip(round_half_up(x / scale + zero_point)); the gradient is 1 inside the range."""
    codes = _Rounded.apply(torch.clamp(x / scale + zero_point, lo, hi))
    return (codes - zero_point) * scale


def fake_of(op: ops.Quantize) -> Fake:
    """A quantizer of one scale as a function of tensors."""
    scale = to_tensor(op.scale)
    return lambda x: fake_quantize(x, scale, op.dtype.lo, op.dtype.hi, op.zero_point)


class Runner:
    """A float network in torch, with its parameters."""

    def __init__(self, net: FloatNetwork) -> None:
        self.net = net
        self.parameters: dict[str, Parameters] = {
            name: (to_tensor(op.weights), to_tensor(op.bias)) for name, op in net.layers.items()}

    def run(self, x: torch.Tensor, parameters: Mapping[str, Parameters] | None = None,
            fakes: Mapping[str, Fake] | None = None, observe: Observer | None = None) -> torch.Tensor:
        """The output for inputs (N, ...), several as rows (N, elements of all).

        `fakes` quantize tensors, `parameters` stand for those of all layers.
        """
        parameters, fakes = parameters or self.parameters, fakes or {}
        values: dict[str, torch.Tensor] = {}

        def keep(name: str, value: torch.Tensor) -> None:
            if observe:
                observe(name, value)
            values[name] = fakes[name](value) if name in fakes else value

        keep(self.net.input.name, x)
        for node in self.net.nodes:
            keep(node.name, _apply(node, parameters, [values[source] for source in node.inputs]))
        return values[self.net.output] if not self.net.more else joined([values[name] for name in self.net.outputs])

    def scores(self, x: Images, plan: Plan | None = None, observe: Observer | None = None) -> FloatArray:
        """Outputs (N, ...) without gradients, in batches."""
        parameters, fakes = (None, None) if plan is None else (parameters_of(plan), fakes_of(plan))
        with torch.no_grad():
            parts = [self.run(torch.from_numpy(x[start : start + BATCH]), parameters, fakes, observe).numpy()
                     for start in range(0, len(x), BATCH)]
        return np.concatenate(parts)

    def accuracy(self, x: Images, labels: Labels, plan: Plan | None = None) -> float:
        """Share of samples whose largest output is that of their label."""
        return top1(self.scores(x, plan), labels)


def top1(scores: Any, labels: Labels) -> float:
    """Share of rows whose largest value stands at the label, the lowest index first on ties.

    Raises InputError for labels that are not a column.
    """
    rows = np.reshape(scores, (len(labels), -1))
    require_classes(labels, rows.shape[1])
    return float(np.mean(rows.argmax(1) == labels))


def require_same_function(module: nn.Module, runner: Runner, x: Images) -> None:
    """Raise UnsupportedError unless the network computes what the torch module computes for inputs (N, ...).

    A trace does not show everything: torch.fx takes x += y for x = x + y, though others may hold x.
    """
    like, name = next(module.parameters(), torch.empty(0)), type(module).__name__
    try:
        with evaluating(module):  # one by one, for models that were written for a batch of one
            scores = [_rows(module(torch.from_numpy(sample[None].copy()).to(like))) for sample in x]
    except RuntimeError as error:
        raise UnsupportedError(f"{name}: it does not run on one sample of shape {x.shape[1:]} ({error}); "
                               "mend it") from error
    wanted = np.reshape(scores, (len(x), -1))
    found = runner.scores(x).reshape(len(x), -1)
    off, peak = float(np.abs(found - wanted).max()), float(np.abs(wanted).max())
    if not off <= 1e-3 * peak + 1e-6:
        raise UnsupportedError(f"{name}: the graph that was read of it is off by {off:.3g} where the "
                               f"module's values reach {peak:.3g}; write x = x + y for x += y, and drop nothing at "
                               "random in eval mode")


def _rows(made: Any) -> FloatArray:
    """The outputs of a module, of which several come as a sequence or by name."""
    parts = list(made.values()) if isinstance(made, Mapping) else [made] if isinstance(made, torch.Tensor) else made
    return np.asarray(joined([part.float().cpu() for part in parts]).numpy())


def parameters_of(plan: Plan) -> dict[str, Parameters]:
    """Weights and biases of a plan."""
    return {name: (to_tensor(weight.values), to_tensor(plan.biases[name])) for name, weight in plan.weights.items()}


def fakes_of(plan: Plan) -> dict[str, Fake]:
    """The quantizers of a plan."""
    return {name: fake_of(op) for name, op in plan.tensors.items()}


def _apply(node: FloatNode, parameters: Mapping[str, Parameters], sources: list[torch.Tensor]) -> torch.Tensor:
    op, x = node.op, sources[0]
    if isinstance(op, FloatConv | FloatLinear):
        weight, bias = parameters[node.name]
        return _product(op, x, weight, bias)
    return _MOVES[type(op)](op, *sources)


def _product(op: FloatConv | FloatLinear, x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
    if isinstance(op, FloatLinear):
        return functional.linear(x, weight, bias)
    top, left, bottom, right = op.pad
    if (top, left) == (bottom, right):
        return functional.conv2d(x, weight, bias, op.stride, (top, left), op.dilation, op.groups)
    return functional.conv2d(functional.pad(x, (left, right, top, bottom)), weight, bias, op.stride, 0, op.dilation,
                             op.groups)


def _affine(op: ops.Affine, x: torch.Tensor) -> torch.Tensor:
    shape = (-1, *[1] * (x.ndim - 2))
    return x * to_tensor(op.scale).reshape(shape) + to_tensor(op.offset).reshape(shape)


def _element_wise(op: Activation, x: torch.Tensor) -> torch.Tensor:
    """A curve in float64 by NumPy; it has no gradient."""
    if x.requires_grad:
        raise UnsupportedError(f"training cannot follow {op.kind}, which is computed without a gradient; quantize "
                               "without training (method auto)")
    return to_tensor(op.forward(np.asarray(x.numpy(), np.float64)))


def _pad(op: tensor_ops.PadFrame, x: torch.Tensor) -> torch.Tensor:
    top, left, bottom, right = op.pad
    return functional.pad(x, (left, right, top, bottom), value=op.value)


#: Operations without weights.
_MOVES: dict[type, Callable[..., torch.Tensor]] = {
    ops.Affine: _affine,
    ops.Clip: lambda op, x: torch.clamp(x, op.lo, op.hi),
    ops.MaxPool: lambda op, x: functional.max_pool2d(x, op.kernel, op.stride),
    ops.Reshape: lambda op, x: x.reshape(len(x), *op.infer(tuple(x.shape[1:]))),
    tensor_ops.PadFrame: _pad,
    tensor_ops.AvgPool: lambda op, x: functional.avg_pool2d(x, op.kernel, op.stride),
    tensor_ops.Add: lambda op, x, y: x + y,
    tensor_ops.Concat: lambda op, *tensors: torch.cat(tensors, 1),
    tensor_ops.Upsample: lambda op, x: x.repeat_interleave(op.scale[0], 2).repeat_interleave(op.scale[1], 3),
    tensor_ops.Transpose: lambda op, x: x.permute(0, *(axis + 1 for axis in op.axes)),
    tensor_ops.Softmax: lambda op, x: torch.softmax(x, 1),
    tensor_ops.LogSoftmax: lambda op, x: torch.log_softmax(x, 1),
    Activation: _element_wise,
}
