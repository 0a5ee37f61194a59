"""What streamlining knows about a tensor, the state of a run, and the questions that every handler asks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from headrace.datatypes import IntArray
from headrace.errors import UnsupportedError
from headrace.network import graph, ops
from headrace.network.integer import INPUT, HostInput, PixelMove
from headrace.network.integer_ops import Reframe
from headrace.network.tensor_ops import AvgPool, Concat, MultiThreshold, PadFrame, Transpose, Upsample
from headrace.streamline.draft import Draft
from headrace.streamline.meaning import Channel, Meaning, each, fractions

Frame = tuple[int, int, int]
#: Operations that leave channels with scales of their own.
KEEPS_SCALES = (ops.Affine, ops.Clip, ops.MaxPool, ops.Reshape, AvgPool, PadFrame, Transpose, Upsample)
#: The largest power of two that integers are multiplied by to bring them to a common scale.
MAX_RATIO = 1 << 30


class Term(NamedTuple):
    """A tensor of integers in a sum, what one of them counts there, per channel, and what the Network calls it."""

    tensor: str
    scales: tuple[Fraction, ...]
    source: str


@dataclass(frozen=True)
class QuantizerTrace:
    """Where a quantizer of the Network went: its codes are the integers of `tensor`.

    `meaning` is that of what it reads: the integers of `source`, the sum of `terms` where there are some, or for the
    first quantizer (source None) the model's own floating-point input. `moves` lie between the thresholds on these and
    `tensor`. `scales` are the steps that decision points are measured in, one per channel; `codes` says what the codes
    mean. `origin` is the input of a first quantizer.
    """

    name: str
    tensor: str
    source: str | None
    meaning: Meaning
    op: ops.Quantize | MultiThreshold
    scales: tuple[Fraction, ...]
    codes: Meaning
    terms: tuple[Term, ...] = ()
    moves: tuple[PixelMove, ...] = ()
    origin: str = ""


@dataclass(frozen=True)
class Value:
    """A tensor of the Network: the integers `tensor` (None: still floats on the host) and what they mean.

    `frame` is (C, H, W) of the integers, `shape` the tensor's own shape; they differ after a flatten. A sum of branches
    without a common step has no integers yet but `terms`, and `meaning` is that of their sum. `moves` of pixels are
    still to come: all else is what it is in front of them, so that a quantizer behind them can be done there. `origin`
    is the input of the model that floats come from.
    """

    tensor: str | None
    frame: Frame
    shape: ops.Shape
    meaning: Meaning
    terms: tuple[Term, ...] = ()
    moves: tuple[PixelMove, ...] = ()
    origin: str = ""


class Run:
    """State of one run: the nodes made so far, the host's inputs by name, and what became of the quantizers.

    `model_inputs` are those of the model, `orders` where the elements of the network's inputs are in them.
    """

    def __init__(self, network: graph.Network, model_inputs: tuple[graph.Input, ...],
                 orders: Mapping[str, IntArray | None]) -> None:
        self.network = network
        self.model_inputs, self.orders = {item.name: item for item in model_inputs}, orders
        self.draft = Draft()
        self.host_inputs: dict[str, HostInput] = {}
        self.quantizers: list[QuantizerTrace] = []

    def input_tensor(self, name: str) -> str:
        """The tensor of the integers of an input of the model."""
        return INPUT if len(self.model_inputs) == 1 else f"{INPUT}{list(self.model_inputs).index(name)}"

    def is_input(self, tensor: str) -> bool:
        """True for the integers of an input of the model."""
        return any(self.input_tensor(name) == tensor for name in self.model_inputs)

    def sources(self, name: str) -> tuple[str, ...]:
        """Names of the tensors that a node of the Network reads."""
        return next(node.inputs for node in self.network.nodes if node.name == name)

    def joined_by(self, name: str) -> graph.Node | None:
        """The concatenation whose channels a node reads, whatever treats them one by one in between."""
        nodes = {node.name: node for node in self.network.nodes}
        node = nodes.get(self.sources(name)[0])
        while node is not None and isinstance(node.op, KEEPS_SCALES):
            node = nodes.get(node.inputs[0])
        return node if node is not None and isinstance(node.op, Concat) else None

    def made(self, tensor: str, meaning: Meaning) -> Value:
        """The value of a new tensor."""
        height, width, channels = self.draft.types[tensor].shape
        return Value(tensor, (channels, height, width), (channels, height, width), meaning)

    def clips_nothing(self, x: Value, tensor: str) -> bool:
        """True if the meaning is scale * q + offset for every q that can occur."""
        return all(each(Channel.clips_nothing, x.meaning.channels, *self.draft.channel_range(tensor)))


def channel_values(name: str, x: Value, values: ops.FloatArray) -> tuple[Fraction, ...]:
    """Exact values per channel of the frame; those of a flattened tensor must not differ inside a channel."""
    channels, height, width = x.frame
    if len(values) not in (1, channels):
        if values.size != channels * height * width:
            raise UnsupportedError(f"{name}: its {values.size} parameters do not belong to the {channels} channels of "
                                   "the stream; apply it before the reshape")
        rows = values.reshape(channels, height * width)
        if np.any(rows != rows[:, :1]):
            raise UnsupportedError(f"{name}: its parameters differ between the {height}x{width} positions of a "
                                   "channel; place it before the flatten or after the dense layer")
        values = rows[:, 0]
    return fractions(values, channels)


def branches(x: Value) -> str:
    """The terms of a sum in words."""
    return " and ".join(f"{term.source} with {float(term.scales[0]):.9g}" for term in x.terms)


def integers(name: str, x: Value) -> str:
    """The tensor of integers behind a value, or an error where it is not quantized yet."""
    if x.tensor is None:
        raise UnsupportedError(f"{name}: its input is not quantized; put a quantizer (QuantIdentity) at the start "
                               "of the network")
    return x.tensor


def plain_integers(run: Run, name: str, x: Value) -> str:
    """The tensor of integers behind a value that is a plain line of them: no activation waits for its quantizer."""
    tensor = integers(name, x)
    if not run.clips_nothing(x, tensor):
        raise UnsupportedError(f"{name}: its input is not quantized after {tensor}; put a quantizer "
                               "(QuantReLU, QuantIdentity) before it")
    return tensor


def own_frame(run: Run, name: str, x: Value) -> Value:
    """A value whose stream has the frame that its shape says, which whatever looks at rows and columns needs."""
    if x.shape == x.frame:
        return x
    if x.tensor is None or x.moves or len(x.shape) != 3 or x.shape[0] != x.frame[0]:
        raise UnsupportedError(f"{name}: reads a tensor of shape {x.shape} that streams as {x.frame}; reshape it only "
                               "in front of a dense layer or at the input")
    return run.made(run.draft.add("reframe", Reframe(x.shape[1], x.shape[2]), x.tensor), x.meaning)


def is_power_of_two(ratio: Fraction) -> bool:
    """True for ..., 1/4, 1/2, 1, 2, 4, ... of either sign, as far as integers are multiplied by them."""
    n, d = abs(ratio.numerator), ratio.denominator
    return 0 < n <= MAX_RATIO and d <= MAX_RATIO and n & (n - 1) == 0 and d & (d - 1) == 0
