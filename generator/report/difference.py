"""Where the exact integer network and torch's float32 forward differ, and why.

Codes are compared at every quantizer. A difference is explained by an exact tie at the decision point, by a distance
from it that float32 rounding can cover, or by an earlier difference in the same sample; anything else is an error.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from typing import Any

import numpy as np
import torch
from brevitas.proxy import ActQuantProxyFromInjector
from torch import nn

from generator.datatypes import BIPOLAR, IntArray
from generator.frontend.brevitas import from_module
from generator.frontend.brevitas_layers import to_array
from generator.network.graph import Network
from generator.network.ops import FloatArray
from generator.passes.meaning import decision_point
from generator.passes.streamline import QuantizerTrace, Streamlined, streamline_traced
from generator.report import float32_error
from generator.simulate import fast
from generator.simulate.host import Float32Array, from_stream, to_stream


class Cause(Enum):
    """Why a code differs."""

    TIE = "exact tie"
    ROUNDING = "float32 rounding"
    INHERITED = "earlier difference"
    ERROR = "unexplained"


@dataclass(frozen=True)
class CodeDifference:
    """One differing code; position is (channel, row, column).

    `distance` is how far the exact value lies from the decision point, `allowed` what float32 rounding can cover, both
    in steps of the quantizer.
    """

    sample: int
    position: tuple[int, int, int]
    torch_code: int
    integer_code: int
    cause: Cause
    distance: float
    allowed: float


@dataclass(frozen=True)
class QuantizerDifference:
    """The comparison at one quantizer: its module, the integer tensor, codes compared, differences by cause.

    `first` is the first unexplained difference, or the first of all.
    """

    quantizer: str
    tensor: str
    compared: int
    causes: dict[Cause, int]
    first: CodeDifference | None

    @property
    def differing(self) -> int:
        """Codes that differ."""
        return sum(self.causes.values())

    def __str__(self) -> str:
        text = f"{self.quantizer} ({self.tensor}): {self.differing} of {self.compared} codes differ"
        if self.first is None:
            return text
        d = self.first
        causes = ", ".join(f"{count} {cause.value}" for cause, count in self.causes.items() if count)
        return (f"{text} ({causes}); first in sample {d.sample} at {d.position}: torch {d.torch_code}, "
                f"integer {d.integer_code}, {d.cause.value}, {d.distance:.3g} steps from the decision point "
                f"(float32 allows {d.allowed:.3g})")


@dataclass(frozen=True)
class Difference:
    """Integer network against torch on the same inputs, quantizer by quantizer and at the output."""

    samples: int
    quantizers: tuple[QuantizerDifference, ...]
    output_max: float
    output_errors: int
    decisions_changed: int

    @property
    def explained(self) -> bool:
        """True if ties and float32 rounding explain every difference."""
        return not self.output_errors and not any(q.causes[Cause.ERROR] for q in self.quantizers)

    @property
    def first(self) -> QuantizerDifference | None:
        """The first quantizer with a difference."""
        return next((quantizer for quantizer in self.quantizers if quantizer.differing), None)

    def __str__(self) -> str:
        lines = [str(quantizer) for quantizer in self.quantizers]
        lines.append(f"outputs of {self.samples} samples: largest difference {self.output_max:.3g}, "
                     f"{self.output_errors} unexplained, {self.decisions_changed} with another largest score")
        lines.append("every difference is explained" if self.explained else "there are UNEXPLAINED differences")
        return "\n".join(lines)


@contextmanager
def _recording(module: nn.Module) -> Iterator[list[IntArray]]:
    """The codes of every activation quantizer in the order of the calls, while the module runs."""
    calls: list[IntArray] = []

    def record(proxy: nn.Module, _args: Any, output: Any) -> None:
        if proxy.is_quant_enabled:
            codes = torch.round(output.value / output.scale + output.zero_point)
            calls.append(codes.numpy().astype(np.int64))

    handles = [item.register_forward_hook(record) for item in module.modules()
               if isinstance(item, ActQuantProxyFromInjector)]
    try:
        yield calls
    finally:
        for handle in handles:
            handle.remove()


def _torch_forward(module: nn.Module, x: Float32Array) -> tuple[list[IntArray], Float32Array]:
    """Codes of all quantizers and the output, in eval mode."""
    modes = [(item, item.training) for item in module.modules()]
    module.eval()
    try:
        with torch.no_grad(), _recording(module) as calls:
            output = module(torch.from_numpy(x))
    finally:
        for item, training in modes:
            item.training = training
    return calls, getattr(output, "value", output).numpy()


def _frames(codes: Any, like: IntArray) -> Any:
    """Codes or values (N, C, H, W) or flattened (N, C*H*W) in the layout (N, H, W, C) of an integer tensor."""
    n, height, width, channels = like.shape
    return codes.reshape(n, channels, height, width).transpose(0, 2, 3, 1)


def _magnitudes(module: nn.Module) -> dict[str, FloatArray]:
    """|A * mean| + |beta| of every batch norm by its path."""
    found = {}
    for path, item in module.named_modules():
        if isinstance(item, nn.BatchNorm1d | nn.BatchNorm2d) and item.running_mean is not None:
            A = 1 / np.sqrt(to_array(item.running_var) + item.eps)
            gamma, beta = (0 if p is None else np.abs(to_array(p)) for p in (item.weight, item.bias))
            A = A if item.weight is None else A * gamma
            found[path] = A * np.abs(to_array(item.running_mean)) + beta
    return found


def difference(module: nn.Module, x: Float32Array) -> Difference:
    """Compare torch's float32 forward with the exact integer network on the samples x (N, ...).

    Raises what from_module and streamline raise.
    """
    network = from_module(module, x)
    return compare(module, network, streamline_traced(network), x)


def compare(module: nn.Module, network: Network, streamlined: Streamlined, x: Float32Array) -> Difference:
    """`difference` for a network that was already read and streamlined."""
    calls, torch_output = _torch_forward(module, x)
    comparison = _Comparison(network, streamlined, x, _magnitudes(module))
    pairs = zip(streamlined.quantizers, calls, strict=True)
    quantizers = tuple(comparison.quantizer(trace, codes) for trace, codes in pairs)
    return comparison.outputs(quantizers, torch_output)


class _Comparison:
    """The integer network's values on the samples, and which samples already differ."""

    def __init__(self, network: Network, streamlined: Streamlined, x: Float32Array,
                 magnitudes: dict[str, FloatArray]) -> None:
        self.network, self.net, self.x = network, streamlined.network, x
        self.values = fast.run(self.net, to_stream(self.net.host_input, x))
        codes = {trace.name: self.values[trace.tensor].transpose(0, 3, 1, 2).reshape(-1, *network.shapes[trace.name])
                 for trace in streamlined.quantizers}
        self.bounds = float32_error.bounds(network, x.astype(np.float64), codes, magnitudes)
        self.differs = np.zeros(len(x), bool)

    def quantizer(self, trace: QuantizerTrace, torch_codes: IntArray) -> QuantizerDifference:
        """The report of one quantizer; from now on its differing samples only inherit."""
        mine = self.values[trace.tensor]
        theirs = _frames(torch_codes, mine)
        source = next(node.inputs[0] for node in self.network.nodes if node.name == trace.name)
        allowed = _frames(float32_error.in_steps(trace.op, self.bounds[source]), mine)
        found = [self._explain(trace, index, int(theirs[index]), int(mine[index]), float(allowed[index]))
                 for index in map(tuple, np.argwhere(theirs != mine).tolist())]
        self.differs |= (theirs != mine).any((1, 2, 3))
        causes = {cause: sum(item.cause is cause for item in found) for cause in Cause}
        first = next((item for item in found if item.cause is Cause.ERROR), found[0] if found else None)
        return QuantizerDifference(trace.name, trace.tensor, mine.size, causes, first)

    def _explain(self, trace: QuantizerTrace, index: tuple[int, ...], theirs: int, mine: int,
                 allowed: float) -> CodeDifference:
        """Why the codes at (sample, row, column, channel) differ."""
        sample, row, column, channel = index
        distance = self._distance(trace, index, theirs, mine)
        if self.differs[sample]:
            cause = Cause.INHERITED
        elif distance == 0:
            cause = Cause.TIE
        else:
            cause = Cause.ROUNDING if distance <= allowed else Cause.ERROR
        return CodeDifference(sample, (channel, row, column), theirs, mine, cause, float(distance), allowed)

    def _distance(self, trace: QuantizerTrace, index: tuple[int, ...], theirs: int, mine: int) -> Fraction:
        """Exact distance, in steps, from the value to the decision point that torch found on the other side."""
        if trace.source is None:
            q = Fraction(float(_frames(self.x, self.values[trace.tensor])[index]))
        else:
            q = Fraction(int(self.values[trace.source][index]))
        reached = 1 if trace.op.dtype == BIPOLAR else theirs if theirs > mine else theirs + 1
        scale = trace.scales[index[3]]
        at, _ = decision_point(trace.op, scale, reached)
        return abs(trace.meaning.channels[index[3]].value(q) - at) / scale

    def outputs(self, quantizers: Sequence[QuantizerDifference], torch_output: Float32Array) -> Difference:
        """The whole report: outputs may be off by float32 rounding where no code of the sample differs."""
        count = len(self.x)
        mine = from_stream(self.net.host_output, self.values[self.net.output].reshape(count, -1)).reshape(count, -1)
        theirs = torch_output.reshape(count, -1)
        distance = np.abs(mine.astype(np.float64) - theirs)
        allowed = self.bounds[self.network.output].error.reshape(count, -1) + float32_error.UNIT * np.abs(mine)
        return Difference(count, tuple(quantizers), float(distance.max(initial=0)),
                          int(np.count_nonzero((distance > allowed)[~self.differs])),
                          int(np.count_nonzero(mine.argmax(1) != theirs.argmax(1))))
