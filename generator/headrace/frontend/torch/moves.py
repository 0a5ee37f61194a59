"""Operations that choose elements: slices, pieces, gathers, flips, rolls and shuffles of channels."""

from __future__ import annotations

import operator
from itertools import pairwise
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from headrace.errors import UnsupportedError
from headrace.frontend.onnx.values import Value
from headrace.frontend.torch.rows import Row
from headrace.frontend.torch.site import Site, feature

#: An end behind every axis.
_OPEN = 1 << 31


def _pieces(site: Site, input: Any, *args: Any, dim: int = 0, **kwargs: Any) -> tuple[Value, ...]:
    """chunk and split: one slice per piece."""
    axis = args[1] if len(args) > 1 else dim
    ends = [0, *torch.tensor([_plain(piece).shape[axis] for piece in site.value]).cumsum(0).tolist()]
    return tuple(_narrow(site.inner(str(place)), input, axis, start, end - start)
                 for place, (start, end) in enumerate(pairwise(ends)))


def _unbound(site: Site, input: object, dim: int = 0) -> tuple[Value, ...]:
    """One piece per index, without the axis."""
    return tuple(_select(site.inner(str(place)), input, dim, place) for place in range(len(site.value)))


def _plain(value: object) -> Any:
    return getattr(value, "value", value)


def _item(site: Site, input: Any, index: Any) -> Any:
    """One of several results, or slices of a tensor, one of which may be a list."""
    if isinstance(input, tuple):
        return input[index]
    made = feature(input)
    given = list(index) if isinstance(index, tuple) else [index]
    parts = _whole([part for part in given if part is not None], len(made.shape) + 1)
    lists = [axis for axis, part in enumerate(parts) if isinstance(part, list | torch.Tensor)]
    reshapes = None in given or any(isinstance(part, int) for part in parts)
    if any(not isinstance(part, int | slice | list | torch.Tensor) for part in parts) or len(lists) > (not reshapes):
        raise UnsupportedError("is indexed by several lists, or by one beside numbers or None; use slices and one list "
                               "of indices")
    cuts = [(axis, *_cut(part)) for axis, part in enumerate(parts) if axis not in lists and part != slice(None)]
    if cuts:
        axes, starts, ends, steps = (torch.tensor(column) for column in zip(*cuts, strict=True))
        made = site.inner("slice").node("Slice", made, starts, ends, axes, steps)
    if lists:
        return _index_select(site, made, lists[0], parts[lists[0]])
    return site.inner("reshape").node("Reshape", made, torch.tensor(site.shape)) if reshapes else made


def _whole(parts: list[Any], rank: int) -> list[Any]:
    """Parts of an index with the axes that an ellipsis stands for."""
    place = next((place for place, part in enumerate(parts) if part is Ellipsis), None)
    if place is None:
        return parts
    return [*parts[:place], *[slice(None)] * (rank + 1 - len(parts)), *parts[place + 1 :]]


def _cut(part: int | slice) -> tuple[int, int, int]:
    """Start, end and step."""
    if isinstance(part, int):
        return part, part + 1 if part != -1 else _OPEN, 1
    return part.start or 0, _OPEN if part.stop is None else part.stop, part.step or 1


def _narrow(site: Site, input: object, dim: int, start: int, length: int) -> Value:
    made: Value = site.node("Slice", feature(input), *(torch.tensor([n]) for n in (start, start + length, dim, 1)))
    return made


def _select(site: Site, input: object, dim: int, index: int) -> Value:
    made: Value = site.node("Gather", feature(input), torch.tensor(index), axis=dim)
    return made


def _index_select(site: Site, input: object, dim: int, index: object) -> Value:
    """Elements by constant indices, or where a constant mask is true."""
    if not isinstance(index, torch.Tensor | list):
        raise UnsupportedError("is indexed by a computed tensor; use constant indices")
    places = torch.as_tensor(index)
    if places.dtype == torch.bool:
        places = places.nonzero()[:, 0]
    made: Value = site.node("Gather", feature(input), places.to(torch.int64), axis=dim)
    return made


def _flip(site: Site, input: object, *dims: object) -> Value:
    axes = torch.tensor(dims[0] if len(dims) == 1 and not isinstance(dims[0], int) else dims)
    made: Value = site.node("Slice", feature(input), torch.full_like(axes, -1), torch.full_like(axes, -_OPEN), axes,
                            torch.full_like(axes, -1))
    return made


def _roll(site: Site, input: object, shifts: object, dims: object = None) -> Value:
    """Elements move on along axes, the last ones to the front."""
    by, axes = (list(value) if isinstance(value, tuple | list) else [value] for value in (shifts, dims))
    if None in axes or len(by) != len(axes):
        raise UnsupportedError("rolls a flattened tensor; name the axes in dims")
    made: Value = feature(input)
    for place, (shift, axis) in enumerate(zip(by, axes, strict=True)):
        size = site.value.shape[axis]
        order = torch.tensor([(n - shift) % size for n in range(size)])
        made = (site if place == len(axes) - 1 else site.inner(str(place))).node("Gather", made, order, axis=axis)
    return made


def _channel_shuffle(site: Site, input: object, groups: int) -> Value:
    """Channel j of group i goes to place j * groups + i."""
    count = feature(input).shape[0]
    order = torch.arange(count).reshape(groups, -1).T.reshape(-1)
    made: Value = site.node("Gather", feature(input), order, axis=1)
    return made


ROWS: tuple[Row, ...] = (
    Row("Pieces", _pieces, functions=(torch.chunk, torch.split, torch.tensor_split),
        methods=("chunk", "split", "tensor_split"), needs="Slice", calibrated=False),
    Row("Pieces", _unbound, functions=(torch.unbind,), methods=("unbind",), needs="Gather", calibrated=False),
    Row("Slices", _item, functions=(operator.getitem,), methods=("__getitem__",),
        note="of constant bounds, one list of indices or one constant mask; rows and columns in their order",
        needs="Slice", calibrated=False),
    Row("Slices", _narrow, functions=(torch.narrow,), methods=("narrow",), needs="Slice", calibrated=False),
    Row("Slices", _select, functions=(torch.select,), methods=("select",), needs="Gather", calibrated=False),
    Row("Chosen channels", _index_select, functions=(torch.index_select,), methods=("index_select",), needs="Gather",
        note="by constant indices", calibrated=False),
    Row("Reversed channels", _flip, functions=(torch.flip,), methods=("flip",), needs="Slice",
        note="rows and columns at the input and the output only", calibrated=False),
    Row("Rolled channels", _roll, functions=(torch.roll,), methods=("roll",), needs="Gather",
        note="rows and columns at the input and the output only", calibrated=False),
    Row("Shuffled channels", _channel_shuffle, (nn.ChannelShuffle,), (functional.channel_shuffle,),
        attributes=("groups",), needs="Gather", calibrated=False),
)
