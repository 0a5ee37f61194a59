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
from itertools import accumulate

import numpy as np

from headrace.errors import InputError, UnsupportedError
from headrace.network import blocks, graph, moves, ops, tensor_ops
from headrace.network.activation import Activation
from headrace.network.integer import (
    INPUT,
    HostInputs,
    HostOutput,
    HostOutputs,
    IntegerNetwork,
    Node,
    Part,
    Sequence,
    TensorType,
)
from headrace.network.integer_ops import MAX_CHANNELS, require_channels
from headrace.network.reciprocals import exact
from headrace.streamline.blocks import depth_to_space, handled, settled, space_to_depth
from headrace.streamline.ends import Tail, Viewed, head_of, input_views, with_tail
from headrace.streamline.frames import avg_pool, max_pool, reshape, transpose, upsample
from headrace.streamline.host_joins import joined_output, split_tails
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
    scales = [exact(scale) for scale in channel_values(name, x, op.scale)]
    return replace(x, meaning=x.meaning.affine(scales, channel_values(name, x, op.offset)))


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

    def __init__(self, viewed: Viewed, model_inputs: tuple[graph.Input, ...]) -> None:
        network = viewed.network
        self.network = network
        self.run = Run(network, model_inputs, viewed.orders)
        self.failures: list[str] = []
        self.values: dict[str, Value | None] = {}
        for item in network.inputs:
            frame = _input_frame(network, item)
            require_channels(frame[0])
            self.values[item.name] = Value(None, frame, item.shape, Meaning.identity(frame[0]), origin=item.name)
        self.readers = Counter(source for node in network.nodes for source in node.inputs)
        self.readers.update(network.outputs)

    def visit(self, node: graph.Node) -> None:
        """Note the value of a node, or why there is none."""
        sources = [value for source in node.inputs if (value := self.values[source]) is not None]
        value = None
        if type(node.op) not in HANDLERS:
            self.failures.append(f"{node.name} ({type(node.op).__name__}): {self._without_layer(node)}")
        elif len(sources) == len(node.inputs):
            value = self._handled(node, sources)
        self.values[node.name] = value or self._assumed(node)
        if value is not None and self.readers[node.name] > 1:
            self.run.draft.shared.update(term.tensor for term in value.terms)
            self.run.draft.shared.update([value.tensor] if value.tensor is not None else [])

    def _without_layer(self, node: graph.Node) -> str:
        """Why no layer does what a node says."""
        if head_of(node.op) is None:
            return "no streaming layer does this; replace it in the model"
        after = ", ".join(other.name for other in self.network.nodes if node.name in other.inputs)
        return (f"the host does this behind the last layer, but {after or 'a second output'} reads it; end the model "
                "with it (quantize_static of onnxruntime: name it in nodes_to_exclude)")

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


def _input_frame(network: graph.Network, item: graph.Input) -> Frame:
    """(C, H, W) of the host's integers: an input's shape, or what it is reshaped to after quantizers and joins.

    The second is how 1-D signals (C, L) become frames (C, 1, L).
    """
    alike = {item.name}
    shapes, elements = [item.shape], math.prod(item.shape)
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


def _host_output(run: Run, tail: Tail, values: dict[str, Value]) -> HostOutput:
    parts = {name: _numbers(run, tail, name, values[name]) for name in tail.tensors}
    if any(isinstance(node.op, tensor_ops.Concat) for node in tail.nodes):
        return joined_output(tail, parts, {name: values[name].frame for name in parts})
    return with_tail(tail.nodes, parts[tail.tensors[0]])


def _numbers(run: Run, tail: Tail, name: str, x: Value) -> HostOutput:
    """What the integers of one tensor at the network's end mean."""
    tensor = integers(name, x)
    if not run.clips_nothing(x, tensor):
        raise UnsupportedError(f"{name}: the network ends with an activation that no quantizer follows; "
                               "add a quantizer (QuantReLU) or remove the activation")
    scale, offset = (np.asarray(each(float, part), np.float64) for part in (x.meaning.scales, x.meaning.offsets))
    return HostOutput(run.network.shapes[name], scale, offset, name=tail.name)


def streamline_traced(network: graph.Network) -> Streamlined:
    """`streamline`, and where each quantizer went."""
    for item in network.inputs:
        if (count := math.prod(item.shape)) > MAX_INPUT_ELEMENTS:
            raise UnsupportedError(f"the input has {count} elements and at most {MAX_INPUT_ELEMENTS} are possible; "
                                   "use smaller images")
    viewed = input_views(network)
    viewed = input_views(with_moves(viewed.network)).behind(viewed)  # blocks may be views of the input
    body, tails = split_tails(viewed.network)
    walk = _Streamliner(viewed, network.inputs)
    for node in body:
        walk.visit(node)
    names = [name for tail in tails for name in tail.tensors]
    values = {name: value for name in names if (value := walk.values[name]) is not None}
    if walk.failures or len(values) < len(set(names)):
        raise UnsupportedError(_report(walk.failures))
    last = {name: summed(walk.run, name, settled(walk.run, name, value)) for name, value in values.items()}
    outputs = [_host_output(walk.run, tail, last) for tail in tails]
    if len(names) > 1:
        walk.run.draft.add_named("outputs", Sequence(), *(str(last[name].tensor) for name in names))
    return Streamlined(_integer_network(walk.run, tuple(outputs)), tuple(walk.run.quantizers))


def _integer_network(run: Run, outputs: tuple[HostOutput, ...]) -> IntegerNetwork:
    """The network of a run; several inputs are parts of its one."""
    if unread := [name for name in run.model_inputs if name not in run.host_inputs]:
        raise UnsupportedError(f"the input {unread[0]} reaches no output; take it out of the model")
    inputs = tuple(run.host_inputs[name] for name in run.model_inputs)
    nodes = run.draft.needed()
    host_output = outputs[0] if len(outputs) == 1 else HostOutputs(outputs)
    if len(inputs) == 1:
        return IntegerNetwork(inputs[0], nodes, host_output)
    firsts = accumulate((math.prod(item.tensor.shape) for item in inputs), initial=0)
    parts = tuple(Node(run.input_tensor(item.name), Part(first, item.tensor.shape, item.tensor.dtype), (INPUT,))
                  for item, first in zip(inputs, firsts, strict=False))
    return IntegerNetwork(HostInputs(inputs), (*parts, *nodes), host_output)


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
