"""What every method starts from, and what it ends with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from headrace.errors import InputError, QuantizationError
from headrace.network import graph
from headrace.network.float_graph import FloatNetwork
from headrace.quantizing.calibrate import Calibration, Track, calibrate
from headrace.quantizing.data import Batches, Images, Labels, Samples
from headrace.quantizing.histogram import Histogram
from headrace.quantizing.plan import Plan, Widths, assemble
from headrace.quantizing.points import Points, quantization_points
from headrace.quantizing.runner import Runner
from headrace.quantizing.settings import Settings


@dataclass(frozen=True, eq=False)
class Problem:
    """A float network, the tensors to quantize and what calibration found of them."""

    net: FloatNetwork
    points: Points
    calibration: Calibration
    runner: Runner

    @property
    def tensors(self) -> Mapping[str, Histogram]:
        """Statistics of every tensor to quantize."""
        return self.calibration.tensors

    @property
    def kept(self) -> Samples:
        """Samples for accuracy and tuning."""
        return self.calibration.kept

    @property
    def held(self) -> Samples:
        """Samples that no method sees."""
        return self.calibration.held

    def widths(self, weight_bits: int, act_bits: int, bias_bits: int) -> Widths:
        """The same widths everywhere."""
        return Widths(dict.fromkeys(self.net.layers, weight_bits), dict.fromkeys(self.points.tensors, act_bits),
                      bias_bits)

    def widths_by(self, settings: Settings) -> Widths:
        """The widths of the settings: of all, of the edges, of single layers and tensors.

        Tensors that share a quantizer take the widest of their widths. Raises QuantizationError for unknown names.
        """
        made = self.widths(settings.weight_bits, settings.act_bits, settings.bias_bits)
        weights, tensors = dict(made.weights), dict(made.tensors)
        if settings.edge_bits is not None:
            order = list(weights)
            weights[order[0]] = weights[order[-1]] = tensors[self.net.input.name] = settings.edge_bits
        for what, given, known in (("layer with weights", settings.weight_widths, weights),
                                   ("tensor to quantize", settings.tensor_widths, tensors)):
            if unknown := [name for name in given if name not in known]:
                raise QuantizationError(f"{unknown[0]}: is not a {what} of this network; choose among "
                                        f"{', '.join(known)}")
            known.update(given)
        for group in self.points.groups:
            tensors |= dict.fromkeys(group, max(tensors[name] for name in group))
        return Widths(weights, tensors, made.bias)


def pose(net: FloatNetwork, batches: Batches, keep: int, *, hold: bool = False, join_sums: bool = False,
         output: bool = False, track: Track = lambda items: items) -> Problem:
    """Place quantizers (see quantization_points) and calibrate them on the batches (see calibrate).

    hold: keep every fourth of the kept samples out of calibration and fitting.
    """
    points, runner = quantization_points(net, join_sums, output), Runner(net)
    problem = Problem(net, points, calibrate(runner, points.tensors, batches, keep, hold, track), runner)
    if problem.kept.labels is not None:
        require_one_output(net, "labels")
    return problem


def require_one_output(net: FloatNetwork, what: str) -> None:
    """Raise InputError for a network of several outputs, whose accuracy nobody knows."""
    if net.more:
        raise InputError(f"the model has {len(net.outputs)} outputs, and {what} belong to one; give data without "
                         "labels, or wrap the model in one with one output")


@dataclass(frozen=True, eq=False)
class Candidate:
    """A quantized network: a float network, which a method may have rescaled or trained, and a plan for it.

    gains: by which factor tensors of `net` differ from those of the original network (the q of the scale-factor
    method); 1 where absent.
    """

    net: FloatNetwork
    plan: Plan
    gains: Mapping[str, float] = field(default_factory=dict)

    @cached_property
    def runner(self) -> Runner:
        """The network in torch."""
        return Runner(self.net)

    @cached_property
    def network(self) -> graph.Network:
        """The network with explicit quantizers, which `headrace.sources` and `build` take."""
        return assemble(self.net, self.plan)

    def accuracy(self, x: Images, labels: Labels) -> float:
        """Share of samples that are classified rightly, in torch."""
        return self.runner.accuracy(x, labels, self.plan)
