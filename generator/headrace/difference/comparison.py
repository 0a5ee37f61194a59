"""Where the exact integer network and a framework's float32 forward differ, and why.

Codes are compared at every quantizer. A difference is explained by an exact tie at the decision point, called a
cancellation where the point is 0 and terms add up to exactly that, by a distance from it that float32 rounding can
cover, or by an earlier difference in the same sample; anything else is an error.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from headrace.datatypes import BIPOLAR, IntArray
from headrace.difference import float32_error
from headrace.difference.report import Cause, CodeDifference, Difference, QuantizerDifference
from headrace.engines import fast, golden
from headrace.engines.host import Float32Array, Samples, from_stream, to_stream
from headrace.network.graph import Network
from headrace.network.integer import HostInput
from headrace.network.ops import FloatArray
from headrace.network.tensor_ops import MultiThreshold
from headrace.samples import by_input, count_of
from headrace.streamline.ends import View, view_of
from headrace.streamline.meaning import decision_point
from headrace.streamline.streamline import Streamlined
from headrace.streamline.values import QuantizerTrace


def frames(codes: Any, like: IntArray) -> Any:
    """Codes or values (N, C, H, W) or flattened (N, C*H*W) in the layout (N, H, W, C) of an integer tensor."""
    n, height, width, channels = like.shape
    return codes.reshape(n, channels, height, width).transpose(0, 2, 3, 1)


class Comparison:
    """The integer network's values on the samples, and which samples already differ."""

    def __init__(self, framework: str, network: Network, streamlined: Streamlined, x: Samples,
                 magnitudes: Mapping[str, FloatArray]) -> None:
        self.framework, self.network, self.net = framework, network, streamlined.network
        self.x = by_input(network.inputs, x)
        self.hosts = {host.name: host for host in self.net.host_inputs}
        self.values = fast.run(self.net, to_stream(self.net.host_input, x))
        quantized = {trace.name: self._restored(trace, _values(trace, self.values[trace.tensor])).reshape(
            -1, *network.shapes[trace.name]) for trace in streamlined.quantizers}
        inputs = {name: _input_bound(host, self.x[name].astype(np.float64)) for name, host in self.hosts.items()}
        self.bounds = float32_error.bounds(network, inputs, quantized, magnitudes)
        self.differs = np.zeros(count_of(x), bool)

    def of_values(self, trace: QuantizerTrace, values: object) -> QuantizerDifference:
        """The report of one quantizer from the values (N, ...) that the framework has there, or its codes as integers.

        From now on its differing samples only inherit.
        """
        found = self.frames(trace, values)
        codes = found if found.dtype.kind in "iu" else codes_of_values(trace, found.astype(np.float64))
        return self._quantizer(trace, codes.astype(np.int64))

    def _quantizer(self, trace: QuantizerTrace, theirs: IntArray) -> QuantizerDifference:
        mine = self.values[trace.tensor]
        source = next(node.inputs[0] for node in self.network.nodes if node.name == trace.name)
        allowed = self.frames(trace, float32_error.in_steps(trace.op, self.bounds[source]))
        found = [self._explain(trace, index, int(theirs[index]), int(mine[index]), float(allowed[index]))
                 for index in map(tuple, np.argwhere(theirs != mine).tolist())]
        self.differs |= (theirs != mine).any((1, 2, 3))
        causes = {cause: sum(item.cause is cause for item in found) for cause in Cause}
        first = next((item for item in found if item.cause is Cause.ERROR), found[0] if found else None)
        return QuantizerDifference(self.framework, trace.name, trace.tensor, mine.size, causes, first)

    def frames(self, trace: QuantizerTrace, codes: Any) -> Any:
        """What a framework has at a quantizer, (N, ...), in the layout (N, H, W, C) of its integers."""
        order = self._order(trace)
        codes = codes if order is None else codes.reshape(len(codes), -1)[:, order]
        return frames(codes, self.values[trace.tensor])

    def _order(self, trace: QuantizerTrace) -> IntArray | None:
        """Where the elements (C, H, W) of the stream are in a quantizer of the input; None for one behind layers."""
        if trace.source is not None:
            return None
        shape = next(item.shape for item in self.network.inputs if item.name == trace.origin)
        places = np.arange(math.prod(shape), dtype=np.float64).reshape(1, *shape)
        for op in self._views(trace.name):
            places = op.forward(places)
        order = self.hosts[trace.origin].order
        found = np.argsort(places.reshape(-1))
        return np.asarray(found if order is None else found[order])

    def _views(self, name: str) -> list[View]:
        """Views between the input and a node, first to last."""
        makers = {node.name: node for node in self.network.nodes}
        found: list[View] = []
        while name in makers:
            if view := view_of(self.network, makers[name]):
                found.append(view)
            name = makers[name].inputs[0]
        return found[::-1]

    def _restored(self, trace: QuantizerTrace, values: FloatArray) -> FloatArray:
        """Values (N, C, H, W) of a quantizer in the order in which the Network has them."""
        order = self._order(trace)
        return values if order is None else values.reshape(len(values), -1)[:, np.argsort(order)]

    def _explain(self, trace: QuantizerTrace, index: tuple[int, ...], theirs: int, mine: int,
                 allowed: float) -> CodeDifference:
        """Why the codes at (sample, row, column, channel) differ."""
        sample, row, column, channel = index
        at = _decision(trace, channel, theirs if theirs > mine else theirs + 1)
        distance = self._distance(trace, index, at)
        if self.differs[sample]:
            cause = Cause.INHERITED
        elif distance == 0:
            cause = Cause.TIE if at else Cause.CANCELLATION
        else:
            cause = Cause.ROUNDING if distance <= allowed else Cause.ERROR
        return CodeDifference(sample, (channel, row, column), theirs, mine, cause, float(distance), allowed)

    def _distance(self, trace: QuantizerTrace, index: tuple[int, ...], at: Fraction) -> Fraction:
        """Exact distance, in steps, from the value to the decision point that the framework found on the other side."""
        read = self._in_front(trace, index)
        q = self._sum(trace, read) if trace.source else Fraction(float(self._input(trace)[read]))
        return abs(trace.meaning.channels[read[3]].value(q) - at) / trace.scales[index[3]]

    def _in_front(self, trace: QuantizerTrace, index: tuple[int, ...]) -> tuple[int, ...]:
        """Where the element at (sample, row, column, channel) of the codes is in front of the moves."""
        if not trace.moves:
            return index
        shape = self.net.types[trace.terms[0].tensor if trace.terms else str(trace.source)].shape
        places = np.arange(math.prod(shape)).reshape(1, *shape)
        for move in trace.moves:
            places = golden.moved(move, places)
        return index[0], *(int(n) for n in np.unravel_index(places[0][index[1:]], shape))

    def _input(self, trace: QuantizerTrace) -> Any:
        """The samples in the layout of the stream."""
        x, order = self.x[trace.origin], self.hosts[trace.origin].order
        return frames(x if order is None else x.reshape(len(x), -1)[:, order], self.values[trace.tensor])

    def _sum(self, trace: QuantizerTrace, index: tuple[int, ...]) -> Fraction:
        """What the meaning of a quantizer's source takes: its integer, or the sum of its terms."""
        if not trace.terms:
            return Fraction(int(self.values[str(trace.source)][index]))
        return sum((term.scales[index[3]] * int(self.values[term.tensor][index]) for term in trace.terms), Fraction(0))

    def outputs(self, quantizers: Sequence[QuantizerDifference],
                framework_outputs: Sequence[Float32Array]) -> Difference:
        """The whole report: outputs may be off by float32 rounding where no code of the sample differs."""
        count = len(self.differs)
        made = from_stream(self.net.host_output, self.values[self.net.output].reshape(count, -1))
        mine = [part.reshape(count, -1) for part in (made.values() if isinstance(made, Mapping) else [made])]
        theirs = [part.reshape(count, -1) for part in framework_outputs]
        errors = [self.bounds[name].error.reshape(count, -1) for name in self.network.outputs]
        pairs = list(zip(mine, theirs, errors, strict=True))
        distances = [np.abs(a.astype(np.float64) - b) for a, b, _ in pairs]
        wrong = [int(np.count_nonzero((distance > allowed + float32_error.UNIT * np.abs(a))[~self.differs]))
                 for distance, (a, _, allowed) in zip(distances, pairs, strict=True)]
        decisions = [int(np.count_nonzero(a.argmax(1) != b.argmax(1))) for a, b, _ in pairs]
        largest = max(float(distance.max(initial=0)) for distance in distances)
        return Difference(count, tuple(quantizers), largest, sum(wrong), sum(decisions),
                          np.concatenate(theirs, axis=1), np.concatenate(mine, axis=1))


def _input_bound(host: HostInput, x: FloatArray) -> float32_error.Bounded:
    """Samples, and how far from them the integers of an input may lie that has no quantizer."""
    fixed = 0.0 if host.saturates or host.divisor is None else float(host.divisor.max()) / 2
    return float32_error.Bounded(x, np.full_like(x, fixed))


def _values(trace: QuantizerTrace, codes: IntArray) -> FloatArray:
    """What codes (N, H, W, C) mean, (N, C, H, W) in float64."""
    scales, offsets = _lines(trace)
    return np.asarray((codes * scales + offsets).transpose(0, 3, 1, 2))


def codes_of_values(trace: QuantizerTrace, values: FloatArray) -> FloatArray:
    """The codes that a framework's values (N, H, W, C) of a quantizer stand for."""
    scales, offsets = _lines(trace)
    return np.asarray(np.rint((values - offsets) / scales))


def _lines(trace: QuantizerTrace) -> tuple[FloatArray, FloatArray]:
    """Scale and offset of the codes, each (C,)."""
    channels = trace.codes.channels
    return np.asarray([float(c.scale) for c in channels]), np.asarray([float(c.offset) for c in channels])


def _decision(trace: QuantizerTrace, channel: int, code: int) -> Fraction:
    """Where the quantizer starts to give a code."""
    if isinstance(trace.op, MultiThreshold):
        rows = np.sort(trace.op.thresholds, axis=1)
        row = rows[channel if len(rows) > 1 else 0]
        first = trace.codes.channels[channel]
        count = 1 if trace.op.dtype == BIPOLAR else code - round((Fraction(trace.op.out_bias) - first.offset)
                                                                 / first.scale)
        return Fraction(float(row[min(max(count, 1), len(row)) - 1]))
    return decision_point(trace.op, trace.scales[channel], 1 if trace.op.dtype == BIPOLAR else code)[0]
