"""The Network under construction while an ONNX graph is read, and the one node that is being read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from headrace.errors import InputError, UnsupportedError
from headrace.frontend.onnx.graph import Array, OnnxGraph, OnnxNode, require_elements
from headrace.frontend.onnx.values import Codes, Constant, Feature, Value, Windows
from headrace.network import ops, tensor_ops
from headrace.network.graph import Node, Op, free_name
from headrace.network.moves import SelectChannels
from headrace.network.ops import FloatArray, Shape

#: Axes of a sample that are channel, height and width; None for an axis that a 1-D tensor lacks.
Frame = tuple[int | None, int | None, int | None]


class Builder:
    """Nodes made so far. `scope` is the name of the ONNX node that is being read, `weight` how weights are read."""

    def __init__(self, graph: OnnxGraph, weight: Callable[[Constant], ops.QuantWeight] = Constant.weight) -> None:
        self.graph, self.weight = graph, weight
        self.scope = next(iter(graph.inputs))
        self.nodes: dict[str, Node] = {}
        self.shapes: dict[str, Shape] = {name: shape[1:] for name, shape in graph.inputs.items()}
        self._arranged: dict[tuple[str, Op], str] = {}
        self._quantized: dict[tuple[object, ...], str] = {}

    def emit(self, op: Op, *sources: str, suffix: str = "") -> str:
        """Append a node and name its tensor. Raises InputError where the shapes do not fit."""
        shape = op.infer(*(self.shapes[source] for source in sources))
        require_elements("its output", shape)
        name = free_name(self.scope + suffix, self.shapes)
        self.nodes[name] = Node(name, op, sources)
        self.shapes[name] = shape
        return name

    def _once(self, op: ops.Reshape | tensor_ops.Transpose, source: str, suffix: str) -> str:
        """The rearranged tensor, made at its first use."""
        if (source, op) not in self._arranged:
            self._arranged[source, op] = self.emit(op, source, suffix=suffix)
        return self._arranged[source, op]

    def reshaped(self, name: str, shape: Shape) -> str:
        """The tensor in another shape; a reshape of a reshape starts from the first one's source."""
        while name in self.nodes and self.shapes[name] != shape and isinstance(self.nodes[name].op, ops.Reshape):
            name = self.nodes[name].inputs[0]
        return name if self.shapes[name] == shape else self._once(ops.Reshape(shape), name, ".reshape")

    def arranged(self, x: Feature, target: tuple[int | None, ...]) -> str:
        """A tensor of the Network whose axis i is axis target[i] of x, or of size 1 for None.

        Raises UnsupportedError for a vector whose elements are in another order.
        """
        if x.order is not None:
            raise UnsupportedError("reads a channels-last feature map after a flatten, where only a dense layer can "
                                   "follow; move the flatten in front of the MatMul")
        frame, name = self.shapes[x.name], x.name
        sources = [None if axis is None else x.axes[axis] for axis in target]
        wide = [axis for axis in sources if axis is not None]
        if wide != sorted(wide):
            if len(frame) == len(target):
                spare = iter([axis for axis in range(len(frame)) if axis not in wide])
                order = tuple(next(spare) if axis is None else axis for axis in sources)
            else:
                name = self.reshaped(name, tuple(size for size in frame if size > 1))
                order = tuple(sorted(wide).index(axis) for axis in wide)
            name = self._once(tensor_ops.Transpose(order), name, ".transpose")
        return self.reshaped(name, tuple(1 if axis is None else x.shape[axis] for axis in target))

    def _pixel(self, name: str, count: int) -> str | None:
        """The tensor of one pixel with so many channels that a reshaped one is; None where it is none."""
        while name in self.nodes and isinstance(self.nodes[name].op, ops.Reshape):
            name = self.nodes[name].inputs[0]
        return name if self.shapes[name][0] == count else None

    def exact(self, x: Feature) -> str:
        """A tensor of the Network that is x itself."""
        return self.arranged(x, tuple(range(len(x.shape))))

    def vector(self, x: Feature) -> str:
        """A tensor (features,) of the Network with the elements of x, which has one wide axis at most."""
        return self.reshaped(x.name, (int(np.prod(x.shape)),))

    def channel_first(self, x: Feature, axis: int) -> Feature:
        """x as a view of a tensor whose first axis is `axis` of x."""
        if x.axes[axis] == 0:
            return x
        target = (axis, *(other for other in range(len(x.shape)) if other != axis))
        name = self.arranged(x, target)
        return Feature(name, x.shape, tuple(target.index(a) if size > 1 else None for a, size in enumerate(x.shape)))

    def per_channel(self, x: Feature, *arrays: Array) -> tuple[Feature, list[FloatArray]]:
        """Constants that broadcast over x as (1,) or (C,) each, with the view of x that has those channels first.

        Raises UnsupportedError for constants that enlarge x or differ along more than one axis.
        """
        full = [_aligned(x, np.asarray(values, np.float64)) for values in arrays]
        varying = sorted({axis for values in full for axis in x.wide_axes
                          if values.shape[axis] > 1 and np.any(values != values.take([0], axis))})
        if not varying:
            return x, [values.reshape(-1)[:1] for values in full]
        if len(varying) > 1:
            raise UnsupportedError(f"its constant differs along {len(varying)} axes of a tensor of shape {x.shape}; "
                                   "use one value or one per channel")
        x = self.channel_first(x, varying[0])
        rows = [np.moveaxis(values, varying[0], 0).reshape(values.shape[varying[0]], -1)[:, 0] for values in full]
        rows = [np.broadcast_to(row, x.shape[varying[0]]) for row in rows]
        return x, [np.ascontiguousarray(row if x.order is None else row[np.argsort(x.order)]) for row in rows]

    def quantize(self, x: Feature, scale: Array, make: Callable[[FloatArray], Op], suffix: str = "") -> Feature:
        """Append the operation that `make` builds from the scale per channel; a quantizer that is there is taken."""
        ops.require_finite(scale=np.asarray(scale, np.float64))
        x, (scales,) = self.per_channel(x, scale)
        op = make(scales)
        if not isinstance(op, ops.Quantize):
            return x.renamed(self.emit(op, x.name, suffix=suffix))
        key = (x.name, op.scale.tobytes(), op.dtype, op.zero_point, op.rounding, op.stored)
        if key not in self._quantized:
            self._quantized[key] = self.emit(op, x.name, suffix=suffix)
        return x.renamed(self._quantized[key])

    def affine(self, x: Feature, scale: Array | float, offset: Array | float, suffix: str = "") -> Feature:
        """Append scale * x + offset, both broadcasting over x."""
        x, (scales, offsets) = self.per_channel(x, np.asarray(scale), np.asarray(offset))
        return x.renamed(self.emit(ops.Affine(scales, offsets), x.name, suffix=suffix))

    def flattened(self, x: Feature, shape: Shape) -> Feature:
        """x in another shape, its elements in the order of x."""
        wide = [x.axes[axis] for axis in x.wide_axes]
        if x.order is None and wide == sorted(axis for axis in wide if axis is not None):
            return Feature.whole(self.reshaped(x.name, shape), shape)
        if x.order is None and sum(size > 1 for size in shape) == 1:
            count, frame = int(np.prod(shape)), self.shapes[x.name]
            elements = np.arange(count).reshape(tuple(size for size in frame if size > 1))
            ranks = sorted(axis for axis in wide if axis is not None)
            order = elements.transpose([ranks.index(axis) for axis in wide if axis is not None]).reshape(-1)
            axes = tuple(0 if size > 1 else None for size in shape)
            if pixel := self._pixel(x.name, count):
                chosen = self.emit(SelectChannels(tuple(order.tolist())), pixel, suffix=".order")
                return Feature(self.reshaped(chosen, (count,)), shape, axes)
            return Feature(self.reshaped(x.name, (count,)), shape, axes, order)
        return Feature.whole(self.reshaped(self.exact(x), shape), shape)

    def placed(self, name: str, x: Feature, target: Frame) -> Feature:
        """The tensor (C, H, W) `name` as a view with its axes where `target` has them in x."""
        frame = self.shapes[name]
        shape, axes = list(x.shape), list(x.axes)
        for place, axis in enumerate(target):
            if axis is not None:
                shape[axis], axes[axis] = frame[place], place if frame[place] > 1 else None
        return Feature(name, tuple(shape), tuple(axes))


def _aligned(x: Feature, values: FloatArray) -> FloatArray:
    """Values that broadcast over x, with as many axes as x has."""
    ops.require_finite(constant=values)
    try:
        np.broadcast_to(values, (1, *x.shape))
        return np.asarray(values.reshape((1,) * (len(x.shape) + 1 - values.ndim) + values.shape)[0])
    except ValueError:
        raise UnsupportedError(f"its constant of shape {values.shape} meets a tensor of shape {x.shape}; use one value "
                               "or one per channel") from None


@dataclass(frozen=True, eq=False)
class Call:
    """One node of the file with the values that it reads."""

    node: OnnxNode
    values: tuple[Value | None, ...]
    build: Builder

    def has(self, place: int) -> bool:
        """True if the input is there."""
        return place < len(self.values) and self.values[place] is not None

    def feature(self, place: int = 0) -> Feature:
        """The input as a tensor of the network. Raises UnsupportedError where it is anything else."""
        value = self.values[place] if self.has(place) else None
        if isinstance(value, Feature):
            return value
        if isinstance(value, Codes):
            raise UnsupportedError("reads the integer codes of a QuantizeLinear; put a DequantizeLinear before it")
        if isinstance(value, Windows):
            raise UnsupportedError("reads the windows of an Im2Col; only a MatMul with constant weights can")
        raise UnsupportedError(f"its input {place} is a constant where a computed tensor is needed; fold it")

    def constant(self, place: int, what: str) -> Constant:
        """The input as a constant. Raises UnsupportedError where it is computed from the network's input."""
        value = self.values[place] if self.has(place) else None
        if value is None:
            raise InputError(f"lacks its input {place}, the {what}; export the model again")
        if not isinstance(value, Constant):
            raise UnsupportedError(f"its {what} is computed at run time; make it a constant")
        return value

    def floats(self, place: int, what: str) -> FloatArray:
        """A constant input as float64."""
        return np.asarray(self.constant(place, what).values, np.float64)

    def number(self, place: int, what: str) -> float:
        """A constant input that is one number. Raises InputError where it is none or several."""
        values = self.floats(place, what).reshape(-1)
        if len(values) != 1 or np.isnan(values[0]):
            raise InputError(f"its {what} should be one number, not {values.tolist()}; export the model again")
        return float(values[0])

    def integers(self, place: int, what: str) -> tuple[int, ...]:
        """A constant input as a flat tuple of integers."""
        values = self.constant(place, what).values
        if values.dtype.kind not in "iu":
            raise InputError(f"its {what} is made of {values.dtype}, not integers; export the model again")
        return tuple(int(n) for n in np.asarray(values, np.int64).reshape(-1))

    def axis(self, axis: int, rank: int) -> int:
        """An axis of a sample of `rank` axes, from an axis of ONNX that counts the batch."""
        place = axis + rank + 1 if axis < 0 else axis
        if place == 0:
            raise UnsupportedError("works along the batch, which a stream of samples cannot; leave axis 0 alone")
        if not 0 < place <= rank:
            raise InputError(f"its axis {axis} does not exist in a tensor of {rank + 1} axes; export the model again")
        return place - 1

    def emit(self, op: Op, *sources: str, suffix: str = "") -> str:
        """Append a node of the Network named after this one."""
        return self.build.emit(op, *sources, suffix=suffix)

    def elementwise(self, op: Op, x: Feature) -> Feature:
        """Append an operation that treats all elements alike."""
        return x.renamed(self.emit(op, x.name))


Handler = Callable[[Call], Value | tuple[Value, ...]]


def selected(values: Array, what: str, limit: int) -> int:
    """The only integer of a constant, within 1 and `limit`. Raises InputError otherwise."""
    if values.size != 1 or values.dtype.kind not in "iu" or not 1 <= int(values.reshape(-1)[0]) <= limit:
        raise InputError(f"its {what} {values.tolist()} should be one integer from 1 to {limit}")
    return int(values.reshape(-1)[0])
