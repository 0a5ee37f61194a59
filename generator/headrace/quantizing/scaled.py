"""The scale-factor method on networks, coarse to fine: every tensor t is stored as q * t in powers of two.

The network is rewritten for the tensors q * t: weights become q_out * w / q_in, so that all quantizers are shifts and
no multiplication by q is left. Tensors that meet in sums and concatenations get one q; the input and the output keep
true units (q = 1). Tensors without negative values are stored in unsigned codes.

Source: US 12,014,273 B2; see coarse_to_fine.py. The method is the subject of this granted US patent.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from headrace.datatypes import int_type
from headrace.errors import QuantizationError
from headrace.network import ops
from headrace.network.activation import Activation
from headrace.network.float_graph import FloatConv, FloatLinear, FloatNetwork, FloatNode, Weighted
from headrace.network.ops import FloatArray
from headrace.network.tensor_ops import AvgPool, PadFrame
from headrace.quantization.coarse_to_fine import TensorScale, fold, pool_factor
from headrace.quantization.scale_groups import Meeting, TensorRange, assign_scales
from headrace.quantizing.plan import Plan, Widths
from headrace.quantizing.points import MOVES, Points, code_sources
from headrace.quantizing.problem import Candidate, Problem

#: Operations whose weights or factors take up any change of q.
RESCALES = (FloatConv, FloatLinear, ops.Affine)


def coarse_to_fine(problem: Problem, widths: Widths, fine: bool = True) -> Candidate:
    """The rescaled network with its integer weights and shifts; `fine` gives every output channel its own shift.

    Raises QuantizationError where scales cannot meet and where an accumulator or a bias leaves 32 bits.
    """
    if curves := [node.name for node in problem.net.nodes if isinstance(node.op, Activation)]:
        raise QuantizationError(f"{curves[0]}: a curve does not commute with the scales of coarse-to-fine; quantize "
                                "with method auto")
    roles = _Roles(problem.net, problem.points)
    scales = _tensor_scales(problem, widths, roles)
    gains = _gains(problem.net, roles, scales)
    nodes = [made for node in problem.net.nodes for made in _rescaled(node, gains)]
    folded = {name: _folded(problem.net.by_name[name], op, roles, scales, widths.weights[name], fine)
              for name, op in problem.net.layers.items()}
    quantizers = {name: ops.Quantize(np.ldexp(np.ones(1), -scale.n), scale.codes_type, rounding="half_up")
                  for name, scale in scales.items()}
    plan = Plan({name: weight for name, (weight, _) in folded.items()},
                {name: bias for name, (_, bias) in folded.items()}, quantizers)
    net = replace(problem.net, nodes=tuple(nodes))
    return Candidate(net, plan, {name: scale.q for name, scale in scales.items()})


class _Roles:
    """Which quantized tensors a tensor's codes come from, and which ones its values go to unscaled."""

    def __init__(self, net: FloatNetwork, points: Points) -> None:
        self.net, self.points = net, points
        self._to: dict[str, tuple[str, ...]] = {}
        for name in reversed([net.input.name, *net.by_name]):
            self._to[name] = (name,) if name in points.tensors else tuple(dict.fromkeys(
                target for node in net.nodes if name in node.inputs and isinstance(node.op, (*MOVES, ops.Clip))
                for target in self._to[node.name]))

    def sources(self, tensor: str) -> tuple[str, ...]:
        """See points.code_sources."""
        return code_sources(self.net, self.points, tensor)

    def targets(self, tensor: str) -> tuple[str, ...]:
        """The quantized tensors that activations and poolings make of a tensor, itself if it is quantized."""
        return self._to[tensor]

    def meetings(self) -> list[Meeting]:
        """What ties the q of quantized tensors."""
        found: list[Meeting] = []
        for node in self.net.nodes:
            sources = tuple(point for source in node.inputs for point in self.sources(source))
            targets = self.targets(node.name)
            if isinstance(node.op, AvgPool):
                found += [Meeting("average_pool", sources[:1], target, math.prod(node.op.kernel)) for target in targets]
            elif isinstance(node.op, RESCALES):
                found += _joins(targets)
            else:
                found += _joins((*sources, *targets))
        return found


def _joins(tensors: Sequence[str]) -> list[Meeting]:
    """One q for all of them."""
    distinct = list(dict.fromkeys(tensors))
    return [Meeting("join", (distinct[0],), other) for other in distinct[1:]]


def _tensor_scales(problem: Problem, widths: Widths, roles: _Roles) -> dict[str, TensorScale]:
    """The scale of every quantized tensor; those of a group hold the samples of all of them."""
    ranges: dict[str, TensorRange] = {}
    for group in problem.points.groups:
        peak = max(problem.tensors[name].peak for name in group)
        signed = any(problem.tensors[name].negative for name in group)
        ranges |= {name: TensorRange(peak, widths.tensors[group[0]], signed) for name in group}
    units = dict.fromkeys((problem.net.input.name, *(
        source for name in problem.net.outputs for source in roles.sources(name))), 1.0)
    scales = assign_scales(ranges, roles.meetings(), units)
    return {name: scales[name] for name in problem.points.tensors}


def _gains(net: FloatNetwork, roles: _Roles, scales: Mapping[str, TensorScale]) -> dict[str, float]:
    """By which factor every tensor of the rewritten network differs from that of the float network."""
    gains = {net.input.name: scales[net.input.name].q}
    for node in net.nodes:
        source = gains[node.inputs[0]]
        if targets := roles.targets(node.name):
            gains[node.name] = scales[targets[0]].q
        elif isinstance(node.op, AvgPool):
            gains[node.name] = source * pool_factor(math.prod(node.op.kernel))
        else:
            gains[node.name] = 1.0 if isinstance(node.op, RESCALES) else source
    return gains


def _rescaled(node: FloatNode, gains: Mapping[str, float]) -> list[FloatNode]:
    """The node on the tensors q * t; an average gets the factor that makes its division a shift."""
    op, source, gain = node.op, gains[node.inputs[0]], gains[node.name]
    if isinstance(op, FloatConv | FloatLinear):
        op = replace(op, weights=gain * op.weights / source, bias=gain * op.bias)
    elif isinstance(op, ops.Affine):
        op = ops.Affine(gain * op.scale / source, gain * op.offset)
    elif isinstance(op, ops.Clip):
        op = ops.Clip(gain * op.lo, gain * op.hi)
    elif isinstance(op, PadFrame):
        op = replace(op, value=gain * op.value)
    elif isinstance(op, AvgPool) and gain != source:
        mean = f"{node.name}.mean"
        return [replace(node, name=mean), replace(node, op=_factor(gain / source), inputs=(mean,))]
    return [replace(node, op=op)]


def _factor(factor: float) -> ops.Affine:
    return ops.Affine(np.full(1, factor), np.zeros(1))


def _folded(node: FloatNode, op: Weighted, roles: _Roles, scales: Mapping[str, TensorScale], bits: int,
            fine: bool) -> tuple[ops.QuantWeight, FloatArray]:
    """Codes of the weights at one shift per channel, and the bias that the integer accumulator starts with."""
    source, targets = scales[roles.sources(node.inputs[0])[0]], roles.targets(node.name)
    # Without a quantizer of its own, behind an affine map alone, a layer keeps true units.
    target = scales[targets[0]] if targets else TensorScale(1.0, 0, bits)
    layer = fold(op.weights, op.bias, source, target, bits, fine)
    weight = ops.QuantWeight(layer.weights, np.ldexp(np.ones(len(layer.frac_bits)), -layer.frac_bits), int_type(bits))
    return weight, np.ldexp(layer.bias.astype(np.float64), -(layer.frac_bits + source.n))
