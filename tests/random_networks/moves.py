"""Elements of a frame in other places, copied or left out; borders and views."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from tests.random_networks.descriptions import Layer
from tests.random_networks.emitted import Emitter, Tensor


def _slice(e: Emitter, x: Tensor, axis: int, start: int, end: int, step: int = 1) -> Tensor:
    names = [e.constant([v], np.int64) for v in (start, end, axis, step)]
    size = len(range(*slice(start, None if end < -(1 << 30) else end, step).indices(x.shape[axis - 1])))
    return replace(e.node("Slice", [x.name, *names], x),
                   shape=(*x.shape[: axis - 1], size, *x.shape[axis:]))


def _half(e: Emitter, x: Tensor, _: int) -> Tensor:
    return _slice(e, x, 1, x.channels // 2, x.channels)


def _reversed(e: Emitter, x: Tensor, _: int) -> Tensor:
    return _slice(e, x, 1, -1, -(1 << 31), -1)


def _crop(e: Emitter, x: Tensor, amount: int) -> Tensor:
    axis = 2 + amount % 2
    size = x.shape[axis - 1]
    return _slice(e, x, axis, min(amount, size - 1), size, 1 + amount % 2)


def _gather(e: Emitter, x: Tensor, amount: int) -> Tensor:
    picked = e.rng.integers(0, x.channels, amount + 1)
    return replace(e.node("Gather", [x.name, e.constant(picked, np.int64)], x, axis=1),
                   shape=(amount + 1, *x.shape[1:]))


def _swapped(e: Emitter, x: Tensor, _: int) -> Tensor:
    """The halves of the channels the other way round."""
    if x.channels < 2:
        return x
    first = x.channels // 2
    halves = [f"t{len(e.nodes)}_{k}" for k in (0, 1)]
    made = e.node("Split", [x.name, e.constant([first, x.channels - first], np.int64)], x, axis=1)
    e.nodes[-1].output[:] = halves
    return e.node("Concat", halves[::-1], made, axis=1)


def _shuffled(e: Emitter, x: Tensor, _: int) -> Tensor:
    if x.channels % 2:
        return x
    c, h, w = x.shape
    split = e.node("Reshape", [x.name, e.constant([1, 2, c // 2, h, w], np.int64)], x)
    turned = e.node("Transpose", [split.name], x, perm=[0, 2, 1, 3, 4])
    return e.node("Reshape", [turned.name, e.constant([1, c, h, w], np.int64)], x)


def _padded(e: Emitter, x: Tensor, amount: int) -> Tensor:
    """Channels of zeros behind the others."""
    more = amount % 3
    pads = e.constant([0, 0, 0, 0, 0, more, 0, 0], np.int64)
    return replace(e.node("Pad", [x.name, pads], x), shape=(x.channels + more, *x.shape[1:]))


def _enlarged(e: Emitter, x: Tensor, amount: int) -> Tensor:
    if max(x.shape[1:]) > 5:
        return x
    up = (1 + amount % 2, 2)
    settings = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    made = e.node("Resize", [x.name, "", e.constant([1, 1, *up])], x, **settings)
    return replace(made, shape=(x.channels, x.shape[1] * up[0], x.shape[2] * up[1]))


def _to_space(e: Emitter, x: Tensor, amount: int) -> Tensor:
    if x.channels % 4 or max(x.shape[1:]) > 5:
        return x
    made = e.node("DepthToSpace", [x.name], x, blocksize=2, mode="DCR" if amount % 2 else "CRD")
    return replace(made, shape=(x.channels // 4, 2 * x.shape[1], 2 * x.shape[2]))


def _to_depth(e: Emitter, x: Tensor, _: int) -> Tensor:
    if x.shape[1] % 2 or x.shape[2] % 2 or x.channels > 3:
        return x
    return replace(e.node("SpaceToDepth", [x.name], x, blocksize=2),
                   shape=(4 * x.channels, x.shape[1] // 2, x.shape[2] // 2))


def _blocks(e: Emitter, x: Tensor, amount: int) -> Tensor:
    """Every second pixel from each of four places, joined: Focus."""
    if x.shape[1] % 2 or x.shape[2] % 2 or x.channels > 3:
        return x
    parts = []
    for k in range(4):
        row, column = divmod(k, 2) if amount % 2 else divmod(k, 2)[::-1]
        part = _slice(e, _slice(e, x, 2, row, x.shape[1], 2), 3, column, x.shape[2], 2)
        parts.append(part.name)
    return replace(e.node("Concat", parts, x, axis=1), shape=(4 * x.channels, x.shape[1] // 2, x.shape[2] // 2))


def _row(e: Emitter, x: Tensor, amount: int) -> Tensor:
    """One row, by its number."""
    place = e.constant(amount % x.shape[1], np.int64)
    made = e.node("Gather", [x.name, place], x, axis=2)
    made = e.node("Unsqueeze", [made.name, e.constant([2], np.int64)], made)
    return replace(made, shape=(x.channels, 1, x.shape[2]))


def _cut(e: Emitter, x: Tensor, amount: int) -> Tensor:
    """Negative pads."""
    rows, columns = min(amount % 3, x.shape[1] - 1), min(amount // 2, x.shape[2] - 1)
    pads = e.constant([0, 0, -rows, 0, 0, 0, 0, -columns], np.int64)
    return replace(e.node("Pad", [x.name, pads], x), shape=(x.channels, x.shape[1] - rows, x.shape[2] - columns))


def _bordered(e: Emitter, x: Tensor, amount: int) -> Tensor:
    if x.bipolar or max(x.shape[1:]) > 5:
        return x
    pads = e.constant([0, 0, amount % 2, 1, 0, 0, 1, amount // 2], np.int64)
    return replace(e.node("Pad", [x.name, pads], x),
                   shape=(x.channels, x.shape[1] + amount % 2 + 1, x.shape[2] + amount // 2 + 1))


def _upsampled(e: Emitter, x: Tensor, amount: int) -> Tensor:
    if max(x.shape[1:]) > 5:
        return x
    up = (2, 1 + amount % 3)
    made = e.node("Upsample", [x.name, e.constant([1, 1, *up])], x, mode="nearest")
    return replace(made, shape=(x.channels, x.shape[1] * up[0], x.shape[2] * up[1]))


def _views(e: Emitter, x: Tensor, amount: int) -> Tensor:
    """Nodes that leave everything as it is."""
    x = e.node("Identity", [x.name], x)
    if amount % 2:
        x = e.node("Cast", [e.node("Dropout", [x.name], x).name], x, to=1)
    if amount > 2:
        shape = e.node("Shape", [x.name], x)
        x = e.node("Reshape", [e.node("Flatten", [x.name], x).name, shape.name], x)
    axes = e.constant([2], np.int64)
    return e.node("Squeeze", [e.node("Unsqueeze", [x.name, axes], x).name, axes], x)


MOVES: dict[str, Callable[[Emitter, Tensor, int], Tensor]] = {
    "half": _half, "reversed": _reversed, "crop": _crop, "gather": _gather, "swapped": _swapped, "shuffled": _shuffled,
    "padded": _padded, "enlarged": _enlarged, "to_space": _to_space, "to_depth": _to_depth,
    "blocks": _blocks, "row": _row, "cut": _cut, "bordered": _bordered, "upsampled": _upsampled, "views": _views,
}


def moved(e: Emitter, x: Tensor, layer: Layer) -> Tensor:
    """Elements of a frame in other places, copied or left out."""
    return MOVES[layer["form"]](e, x, layer["amount"]) if x.spatial else x
