"""What every method starts from, and what it ends with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from headrace.network import graph
from headrace.network.float_graph import FloatNetwork
from headrace.quantizing.calibrate import Calibration, Track, calibrate
from headrace.quantizing.data import Batches, Images, Labels, Samples
from headrace.quantizing.histogram import Histogram
from headrace.quantizing.plan import Plan, Widths, assemble
from headrace.quantizing.points import Points, quantization_points
from headrace.quantizing.runner import Runner


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

    def widths(self, weight_bits: int, act_bits: int, bias_bits: int) -> Widths:
        """The same widths everywhere."""
        return Widths(dict.fromkeys(self.net.layers, weight_bits), dict.fromkeys(self.points.tensors, act_bits),
                      bias_bits)


def pose(net: FloatNetwork, batches: Batches, keep: int, *, join_sums: bool = False, output: bool = False,
         track: Track = lambda items: items) -> Problem:
    """Place quantizers (see quantization_points) and calibrate them on the batches (see calibrate)."""
    points, runner = quantization_points(net, join_sums, output), Runner(net)
    return Problem(net, points, calibrate(runner, points.tensors, batches, keep, track), runner)


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
