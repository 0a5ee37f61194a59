"""Streamlining of what only chooses and orders elements: slices, gathers, shuffles, constant channels, crops.

Reshapes, transposes and slices that follow one another are one move in the end. `with_moves` finds what that move is
by where every element comes from: channels in another order, pixels left out, blocks of pixels as channels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import prod

import numpy as np

from headrace.datatypes import IntArray
from headrace.network import graph, ops
from headrace.network import integer as ints
from headrace.network.graph import free_name, needed
from headrace.network.moves import Crop, SelectChannels
from headrace.network.tensor_ops import Concat, Transpose
from headrace.streamline.block_moves import BLOCKS, BlockMove, block_moves
from headrace.streamline.meaning import Channel, Meaning, distinct
from headrace.streamline.values import Run, Value, integers, own_frame

Move = ops.Reshape | Transpose | SelectChannels | Crop
_Made = ops.Reshape | Crop | BlockMove
_CONSTANT = -1


def select_channels(run: Run, name: str, op: SelectChannels, x: Value) -> Value:
    """Channels with their meanings; a constant has a code of its own."""
    if len(x.shape) > 1 or x.frame[1:] != (1, 1):
        x = own_frame(run, name, x)
    tensor = integers(name, x)
    constant, code = _constant(run, x, tensor, op)
    channels = tuple(x.meaning.channels[source] if source >= 0 else constant for source in op.sources)
    made = run.made(run.draft.add("channels", ints.ChannelMap(op.sources, code), tensor), Meaning(channels))
    return replace(made, shape=op.infer(x.shape))


def _constant(run: Run, x: Value, tensor: str, op: SelectChannels) -> tuple[Channel, int]:
    """What stands for the constant of a selection, and its code: in the step of the other channels where that can be.

    Then a sum or a quantizer behind it treats all channels alike.
    """
    dtype, value = run.draft.types[tensor].dtype, Fraction(op.value)
    kept = distinct(x.meaning.channels[source] for source in op.sources if source >= 0)
    if kept and kept[0].scale and len({(channel.scale, channel.offset) for channel in kept}) == 1:
        code = (value - kept[0].offset) / kept[0].scale
        if code.denominator == 1 and dtype.contains(np.asarray([int(code)])) and kept[0].value(code) == value:
            return kept[0], int(code)
    return Channel(Fraction(0), value), 0 if dtype.contains(np.asarray([0])) else dtype.lo


def crop(run: Run, name: str, op: Crop, x: Value) -> Value:
    """Pixels that stay."""
    tensor = integers(name, own_frame(run, name, x))
    return run.made(run.draft.add("crop", ints.Crop(op.start, op.stop, op.step), tensor), x.meaning)


@dataclass(frozen=True, eq=False)
class _Places:
    """Where the elements of a tensor are in `root`, which no move made; _CONSTANT for `value`.

    pixels: height and width when they were last to be seen, before a flatten.
    """

    root: str
    places: IntArray
    value: float = 0.0
    pixels: tuple[int, ...] = ()

    def moved(self, op: Move) -> _Places | None:
        """The places behind a move; None where two constants would meet."""
        value = self.value
        if isinstance(op, SelectChannels):
            if _CONSTANT in op.sources and np.any(self.places == _CONSTANT) and op.value != value:
                return None
            value, op = op.value if _CONSTANT in op.sources else value, replace(op, value=_CONSTANT)
        places = np.asarray(op.forward(self.places[None].astype(np.float64))[0], np.int64)
        return _Places(self.root, places, value, places.shape[1:] if places.ndim == 3 else self.pixels)


def with_moves(network: graph.Network) -> graph.Network:
    """The same network with every chain of moves that chooses channels and pixels as those two operations."""
    found: dict[str, _Places | None] = {}
    nodes: list[graph.Node] = []
    names = {*(item.name for item in network.inputs), *(node.name for node in network.nodes)}
    for node in network.nodes:
        places = _places(network, node, found)
        made = _as_moves(network, node, places, names) if places else None
        if isinstance(node.op, Move | Concat):
            # Blocks are where the next move starts from: what they are is not asked of several moves together.
            found[node.name] = None if any(isinstance(item.op, BLOCKS) for item in made or ()) else places
        nodes += made or [node]
        names.update(item.name for item in made or ())
    return replace(network, nodes=needed(nodes, network.outputs))


def _places(network: graph.Network, node: graph.Node, found: dict[str, _Places | None]) -> _Places | None:
    """Where the elements of a move, or of parts of one tensor that are joined, come from; None for anything else."""
    if isinstance(node.op, Move):
        before = found.get(node.inputs[0]) or _start(network, node.inputs[0])
        return before.moved(node.op)
    parts = [found.get(source) for source in node.inputs]
    known = [part for part in parts if part is not None]
    if not isinstance(node.op, Concat) or len(known) < len(parts) or len({(p.root, p.value) for p in known}) > 1:
        return None
    return _Places(known[0].root, np.concatenate([part.places for part in known]), known[0].value)


def _start(network: graph.Network, root: str) -> _Places:
    shape = network.shapes[root]
    return _Places(root, np.arange(prod(shape)).reshape(shape))


def _frame(shape: ops.Shape) -> tuple[int, int, int] | None:
    """Channels, height and width of a tensor, which may have axes of size 1 in front."""
    if prod(shape[:-3]) != 1:
        return None
    shape = shape[-3:]
    channels, height, width = (shape[0], *(1, 1, *shape[1:])[-2:])
    return channels, height, width


def _as_moves(network: graph.Network, node: graph.Node, found: _Places, names: set[str]) -> list[graph.Node] | None:
    """The nodes that make the tensor of `node` out of the root; None where they are not needed or not enough."""
    root, shape = network.shapes[found.root], network.shapes[node.name]
    frame = _frame(root)
    if frame is None or (isinstance(node.op, ops.Reshape) and node.inputs[0] == found.root):
        return None
    moves: Sequence[_Made] | None = _moves(frame, found, shape)
    if moves is None:
        moves = _blocks(frame, found, shape)
    if moves is None:
        return None
    wanted: Sequence[_Made] = [ops.Reshape(frame), *moves] if root != frame and len(root) > 1 else moves
    made: list[graph.Node] = []
    name, left = found.root, root
    for op in wanted:
        made.append(graph.Node(free_name(f"{node.name}.move", names | {item.name for item in made}), op, (name,)))
        name, left = made[-1].name, op.infer(left)
    if left != shape or not made:
        made.append(graph.Node(node.name, ops.Reshape(shape), (name,)))
    made[-1] = replace(made[-1], name=node.name)
    return made


def _moves(frame: tuple[int, int, int], found: _Places,
           shape: ops.Shape) -> list[ops.Reshape | Crop | SelectChannels] | None:
    """A crop and a selection that give a tensor of `shape` out of a frame; None where nothing does."""
    area = frame[1] * frame[2]
    target = _frame(shape)
    height, width = found.pixels or frame[1:]
    if len(shape) == 1 and found.places.size % (height * width) == 0:
        target = (found.places.size // (height * width), height, width)
    if target is None:
        return None
    places = found.places.reshape(target[0], -1)
    constant = np.all(places == _CONSTANT, axis=1)
    if constant.all():
        return None
    sources = np.where(constant, _CONSTANT, places[:, 0] // area)
    pixels = places[~constant] % area
    if np.any(places[~constant] // area != sources[~constant][:, None]) or np.any(pixels != pixels[:1]):
        return None
    rows, columns = (_steps(values) for values in (pixels[0].reshape(target[1:])[:, 0] // frame[2],
                                                   pixels[0].reshape(target[1:])[0] % frame[2]))
    if rows is None or columns is None or not np.array_equal(
            pixels[0].reshape(target[1:]), np.arange(*rows)[:, None] * frame[2] + np.arange(*columns)):
        return None
    crop = Crop((rows[0], columns[0]), (rows[1], columns[1]), (rows[2], columns[2]))
    select = SelectChannels(tuple(sources.tolist()), found.value)
    return [*([] if target[1:] == frame[1:] else [crop]), *([] if select.permutes(frame) and np.array_equal(
        sources, np.arange(frame[0])) else [select])]


def _blocks(frame: tuple[int, int, int], found: _Places, shape: ops.Shape) -> Sequence[BlockMove] | None:
    """Blocks of pixels as channels, or the reverse."""
    target = _frame(shape) if len(shape) > 1 else None
    return None if target is None else block_moves(frame, found.places.reshape(target))


def _steps(values: IntArray) -> tuple[int, int, int] | None:
    """Start, end and step of numbers that rise evenly."""
    step = int(values[1] - values[0]) if len(values) > 1 else 1
    if step < 1 or np.any(np.diff(values) != step):
        return None
    return int(values[0]), int(values[-1]) + 1, step
