"""Streamlining: a Network of floats and quantizers becomes an IntegerNetwork, by abstract interpretation.

Nothing is rewritten: every tensor carries the integers that represent it and their exact Meaning in rationals. Scales,
biases, batch norms and activations only change the meaning; a quantizer turns it into integer thresholds with its own
rounding. Follows Umuroglu et al., "Streamlined Deployment for Quantized Neural Networks", in exact arithmetic.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from headrace.errors import InputError, UnsupportedError
from headrace.network import blocks, graph, moves, ops, tensor_ops
from headrace.network.activation import Activation
from headrace.network.integer import HostOutput, IntegerNetwork, TensorType
from headrace.network.integer_ops import MAX_CHANNELS, require_channels
from headrace.streamline.blocks import depth_to_space, handled, settled, space_to_depth
from headrace.streamline.ends import Viewed, input_views, split_tail, with_tail
from headrace.streamline.frames import avg_pool, max_pool, reshape, transpose, upsample
from headrace.streamline.joins import add, concat, summed
from headrace.streamline.meaning import Meaning, each
from headrace.streamline.moves import crop, select_channels, with_moves
from headrace.streamline.products import conv, linear, pad_frame
from headrace.streamline.quantizers import multi_threshold, quantize, trunc
from headrace.streamline.values import Frame, QuantizerTrace, Run, Value, channel_values, integers

Handler = Callable[..., Value]
#: Most elements of a sample: more than a colour image of 4K has.
MAX_INPUT_ELEMENTS = 1 << 25


@dataclass(frozen=True, eq=False)
class Streamlined:
    """The integer network and where each quantizer of the source went, in topological order."""

    network: IntegerNetwork
    quantizers: tuple[QuantizerTrace, ...]


def _affine(run: Run, name: str, op: ops.Affine, x: Value) -> Value:
    meaning = x.meaning.affine(channel_values(name, x, op.scale), channel_values(name, x, op.offset))
    return replace(x, meaning=meaning)


def _clip(run: Run, name: str, op: ops.Clip, x: Value) -> Value:
    lo, hi = (None if math.isinf(bound) else Fraction(bound) for bound in (op.lo, op.hi))
    return replace(x, meaning=x.meaning.clip(lo, hi))


def _activation(run: Run, name: str, op: Activation, x: Value) -> Value:
    if any(channel.curve and channel.curve.exact(Fraction(0)) is None for channel in x.meaning.channels):
        raise UnsupportedError(f"{name}: a second activation follows one that no quantizer rounded; put a quantizer "
                               "between them")
    curves = op.curves if len(op.alpha) > 1 else op.curves * len(x.meaning)
    if len(curves) != len(x.meaning):
        curves = tuple(op.curve(alpha) for alpha in channel_values(name, x, op.alpha))
    return replace(x, meaning=x.meaning.bend(curves))


#: What each operation does to the integers and their meaning.
HANDLERS: dict[type, Handler] = {
    ops.Quantize: quantize,
    tensor_ops.MultiThreshold: multi_threshold,
    tensor_ops.Trunc: trunc,
    ops.Conv: conv,
    ops.Linear: linear,
    tensor_ops.PadFrame: pad_frame,
    ops.Affine: _affine,
    ops.Clip: _clip,
    Activation: _activation,
    ops.MaxPool: max_pool,
    tensor_ops.AvgPool: avg_pool,
    tensor_ops.Upsample: upsample,
    ops.Reshape: reshape,
    tensor_ops.Transpose: transpose,
    tensor_ops.Add: add,
    tensor_ops.Concat: concat,
    moves.SelectChannels: select_channels,
    moves.Crop: crop,
    blocks.DepthToSpace: depth_to_space,
    blocks.SpaceToDepth: space_to_depth,
}
#: Operations whose result has the rows and columns of what they read.
KEEPS_FRAME = (ops.Quantize, ops.Affine, ops.Clip, Activation, tensor_ops.MultiThreshold, tensor_ops.Trunc,
               tensor_ops.Add, tensor_ops.Concat)

class _Streamliner:
    """Walks the graph once. What fails is noted, and its readers are skipped up to their next quantizer."""

    def __init__(self, viewed: Viewed, model_input: ops.Shape) -> None:
        network = viewed.network
        self.network = network
        self.run = Run(network, model_input, viewed.order)
        self.failures: list[str] = []
        shape = network.input.shape
        frame = _input_frame(network)
        require_channels(frame[0])
        start = Value(None, frame, shape, Meaning.identity(frame[0]))
        self.values: dict[str, Value | None] = {network.input.name: start}
        self.readers = Counter(source for node in network.nodes for source in node.inputs)
        self.readers[network.output] += 1

    def visit(self, node: graph.Node) -> None:
        """Note the value of a node, or why there is none."""
        sources = [value for source in node.inputs if (value := self.values[source]) is not None]
        value = None
        if type(node.op) not in HANDLERS:
            self.failures.append(f"{node.name} ({type(node.op).__name__}): no streaming layer does this; "
                                 "replace it in the model")
        elif len(sources) == len(node.inputs):
            value = self._handled(node, sources)
        self.values[node.name] = value or self._assumed(node)
        if value is not None and self.readers[node.name] > 1:
            self.run.draft.shared.update(term.tensor for term in value.terms)
            self.run.draft.shared.update([value.tensor] if value.tensor is not None else [])

    def _handled(self, node: graph.Node, sources: list[Value]) -> Value | None:
        try:
            return handled(self.run, HANDLERS[type(node.op)], node.name, node.op, sources)
        except UnsupportedError as error:
            self.failures.append(str(error))
        except InputError as error:  # of the integer network, which does not know the model's nodes
            self.failures.append(f"{node.name}: {error}")
        return None

    def _assumed(self, node: graph.Node) -> Value | None:
        """What a quantizer makes of a tensor that could not be made, so that what follows it is checked as well."""
        shape = self.network.shapes[node.name]
        if not isinstance(node.op, ops.Quantize) or len(shape) not in (1, 3) or len(node.op.scale) > 1:
            return None
        if shape[0] > MAX_CHANNELS:
            return None
        channels, height, width = shape if len(shape) == 3 else (shape[0], 1, 1)
        self.run.draft.types[node.name] = TensorType((height, width, channels), node.op.dtype)
        scale = Fraction(float(node.op.scale[0]))
        meaning = Meaning.lines([scale] * channels, [-node.op.zero_point * scale] * channels)
        return Value(node.name, (channels, height, width), shape, meaning)


def _input_frame(network: graph.Network) -> Frame:
    """(C, H, W) of the host's integers: the input's shape, or what it is reshaped to after quantizers and joins.

    The second is how 1-D signals (C, L) become frames (C, 1, L).
    """
    alike = {network.input.name}
    shapes, elements = [network.input.shape], math.prod(network.input.shape)
    for node in network.nodes:
        if alike.isdisjoint(node.inputs):
            continue
        if isinstance(node.op, KEEPS_FRAME):
            alike.add(node.name)
        elif isinstance(node.op, ops.Reshape):
            shapes.append(network.shapes[node.name])
    for height, width in (shape[1:] for shape in shapes if len(shape) == 3):
        if elements % (height * width) == 0:
            return elements // (height * width), height, width
    return elements, 1, 1


def _host_output(run: Run, name: str, shape: ops.Shape, x: Value) -> HostOutput:
    x = summed(run, name, settled(run, name, x))
    tensor = integers(name, x)
    if not run.clips_nothing(x, tensor):
        raise UnsupportedError(f"{name}: the network ends with an activation that no quantizer follows; "
                               "add a quantizer (QuantReLU) or remove the activation")
    scale, offset = (np.asarray(each(float, part), np.float64) for part in (x.meaning.scales, x.meaning.offsets))
    return HostOutput(shape, scale, offset)


def streamline_traced(network: graph.Network) -> Streamlined:
    """`streamline`, and where each quantizer went."""
    if (count := math.prod(network.input.shape)) > MAX_INPUT_ELEMENTS:
        raise UnsupportedError(f"the input has {count} elements and at most {MAX_INPUT_ELEMENTS} are possible; "
                               "use smaller images")
    viewed = input_views(network)
    viewed = replace(viewed, network=with_moves(viewed.network))
    body, tail = split_tail(viewed.network)
    walk = _Streamliner(viewed, network.input.shape)
    for node in body:
        walk.visit(node)
    name = tail[0].inputs[0] if tail else network.output
    last = walk.values[name]
    if last is not None and not walk.failures:
        output = with_tail(tail, _host_output(walk.run, name, viewed.network.shapes[name], last))
        assert walk.run.host_input is not None  # a value of integers exists, so the host made the input
        integer = IntegerNetwork(walk.run.host_input, walk.run.draft.needed(), output)
        return Streamlined(integer, tuple(walk.run.quantizers))
    raise UnsupportedError(_report(walk.failures))


def _report(failures: list[str]) -> str:
    """One sentence, or all of them under a heading."""
    if len(failures) == 1:
        return failures[0]
    return "\n  ".join([f"{len(failures)} nodes have no exact streaming form:", *failures])


def streamline(network: graph.Network) -> IntegerNetwork:
    """The exact integer network of a Network.

    Raises UnsupportedError, naming every node that has no exact integer form, and the way out.
    """
    return streamline_traced(network).network
