"""Nodes that choose elements of a computed tensor: Slice, Split, Gather, and the channels and cuts of Pad."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import accumulate, pairwise

from headrace.errors import InputError, UnsupportedError
from headrace.frontend.onnx.builder import Call, Handler
from headrace.frontend.onnx.graph import require_elements
from headrace.frontend.onnx.values import Codes, Feature, Value
from headrace.network.moves import Crop, SelectChannels

#: Elements that a node takes along an axis, in their order; -1 for a constant.
Places = Sequence[int]


def taken(call: Call, x: Feature, axis: int, places: Places, value: float = 0.0) -> Feature:
    """x with the elements `places` along an axis of a sample, `value` for -1."""
    if list(places) == list(range(x.shape[axis])):
        return x
    if not places:
        raise InputError(f"takes nothing of a tensor of shape {x.shape}; keep one element at least")
    require_elements("its output", (*x.shape[:axis], len(places), *x.shape[axis + 1 :]))
    step = places[1] - places[0] if len(places) > 1 else 1
    even = -1 not in places and step > 0 and list(places) == list(range(places[0], places[-1] + 1, step))
    place = x.axes[axis]
    if even and place and len(call.build.shapes[x.name]) == 3:
        return _cropped(call, x, axis, (places[0], places[-1] + 1, step))
    if place is None:
        return _enlarged(call, x, axis, places, value)
    x = call.build.channel_first(x, axis)
    return _resized(x, call.emit(SelectChannels(tuple(places), value), x.name), axis, len(places))


def _resized(x: Feature, name: str, axis: int, size: int) -> Feature:
    """The view with a tensor whose size differs along one axis."""
    shape, axes = list(x.shape), list(x.axes)
    shape[axis], axes[axis] = size, axes[axis] if size > 1 else None
    return Feature(name, tuple(shape), tuple(axes), x.order)


def _cropped(call: Call, x: Feature, axis: int, cut: tuple[int, int, int]) -> Feature:
    """Every step-th row or column from a start to a stop."""
    _, height, width = call.build.shapes[x.name]
    whole = (0, height, 1), (0, width, 1)
    (top, bottom, down), (left, right, across) = (cut, whole[1]) if x.axes[axis] == 1 else (whole[0], cut)
    name = call.emit(Crop((top, left), (bottom, right), (down, across)), x.name)
    return _resized(x, name, axis, len(range(*cut)))


def _enlarged(call: Call, x: Feature, axis: int, places: Places, value: float) -> Feature:
    """Copies of an axis of size 1, and constants beside it: the axis comes first."""
    target = (axis, *(other for other in range(len(x.shape)) if other != axis))
    name = call.emit(SelectChannels(tuple(places), value), call.build.arranged(x, target))
    back = tuple(target.index(other) for other in range(len(target)))
    return Feature.whole(name, call.build.shapes[name]).permuted(back)


def _of_codes(call: Call, move: Callable[[Feature], Feature]) -> Value:
    """A move of a tensor, or of the integer codes of one."""
    value = call.values[0]
    return value.of(move(value.source)) if isinstance(value, Codes) else move(call.feature())


def _rank(call: Call) -> int:
    value = call.values[0]
    return len(value.shape if isinstance(value, Codes) else call.feature().shape)


def _slice(call: Call) -> Value:
    """Slices along axes; an axis that is not named stays whole."""
    node, rank = call.node, _rank(call)
    if call.has(1):
        starts, ends = call.integers(1, "starts"), call.integers(2, "ends")
    else:
        starts, ends = node.integers("starts") or (), node.integers("ends") or ()
    axes = call.integers(3, "axes") if call.has(3) else node.integers("axes") or tuple(range(len(starts)))
    steps = call.integers(4, "steps") if call.has(4) else (1,) * len(starts)
    if len({len(starts), len(ends), len(axes), len(steps)}) != 1 or 0 in steps:
        raise InputError(f"its starts {starts}, ends {ends}, axes {axes} and steps {steps} should be equally many, and "
                         "no step 0; export the model again")

    def move(x: Feature) -> Feature:
        for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
            if axis % (rank + 1) == 0 and step == 1 and start == 0 and end >= call.build.graph.batch:
                continue  # the batch whole
            place = call.axis(axis, rank)
            x = taken(call, x, place, _between(start, end, step, x.shape[place]))
        return x
    return _of_codes(call, move)


def _between(start: int, end: int, step: int, size: int) -> Places:
    """What a slice of an axis takes, as ONNX clamps it: an end far below 0 is in front of the first element."""
    if step < 0:
        first = min(start + size if start < 0 else start, size - 1)
        last = max(end + size if end < 0 else end, -1)
    else:
        first = max(start + size if start < 0 else start, 0)
        last = min(end + size if end < 0 else end, size)
    return range(first, last, step)


def _split(call: Call) -> tuple[Value, ...]:
    """Pieces along an axis: of the sizes that the node gives, or equal but for a smaller last one."""
    value, count = call.values[0], len(call.node.outputs)
    axis = call.axis(call.node.integer("axis", 0), _rank(call))
    size = (value.shape if isinstance(value, Codes) else call.feature().shape)[axis]
    given = call.integers(1, "split") if call.has(1) else call.node.integers("split")
    sizes = given or tuple(min(-(-size // count), size - k * -(-size // count)) for k in range(count))
    if len(sizes) != count or sum(sizes) != size or min(sizes) < 1:
        raise InputError(f"splits an axis of size {size} into {count} pieces of {list(sizes)}; their sum should be the "
                         "size, and none empty")
    return tuple(_of_codes(call, lambda x, piece=range(*ends): taken(call, x, axis, piece))  # type: ignore[misc]
                 for ends in pairwise([0, *accumulate(sizes)]))


def _gather(call: Call) -> Value:
    """Elements along an axis by constant indices; a single index drops the axis."""
    indices = call.constant(1, "list of indices").values
    axis = call.axis(call.node.integer("axis", 0), _rank(call))
    if indices.ndim > 1:
        raise UnsupportedError(f"gathers by indices of shape {indices.shape}, which adds axes; use a list of indices")
    places = call.integers(1, "list of indices")

    def move(x: Feature) -> Feature:
        size = x.shape[axis]
        if any(not -size <= place < size for place in places):
            raise InputError(f"gathers elements {list(places)} of an axis of size {size}; use those from 0 to "
                             f"{size - 1}")
        made = taken(call, x, axis, [place % size for place in places])
        dropped = made.with_units((*made.shape[:axis], *made.shape[axis + 1 :])) if indices.ndim == 0 else made
        assert dropped is not None  # the axis has size 1
        return dropped
    return _of_codes(call, move)


HANDLERS: dict[str, Handler] = {"Slice": _slice, "Split": _split, "Gather": _gather}
