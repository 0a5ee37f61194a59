"""Which channels a product reads with weights of its own, because their scales differ by more than powers of two."""

from __future__ import annotations

from fractions import Fraction
from itertools import accumulate, pairwise
from typing import NamedTuple

import numpy as np

from headrace.datatypes import IntArray
from headrace.errors import UnsupportedError
from headrace.network import integer as ints
from headrace.streamline.meaning import distinct, each
from headrace.streamline.values import Run, Value, is_power_of_two

#: Most scales of the channels that one product reads.
MAX_SCALES = 4


class Part(NamedTuple):
    """The channels `columns` of what a product reads, which are those of `tensor`.

    The powers of two `multipliers` of either sign bring every channel's scale to `unit`; 0 leaves a channel out.
    source: what the Network calls them.
    """

    tensor: str
    columns: slice
    unit: Fraction
    multipliers: IntArray
    source: str


def parts_of_one_scale(run: Run, name: str, x: Value, tensor: str, pad_code: int) -> list[Part]:
    """The parts of a value's channels, each of one scale but for powers of two.

    They are the branches that a concatenation joins, where each has one scale and a value for `pad_code`, else the
    channels of each scale. Raises UnsupportedError for more than MAX_SCALES scales.
    """
    scales = x.meaning.scales
    units = _units(scales)
    if not units:
        raise UnsupportedError(f"{name}: its input is constant; remove the layer")
    if len(units) > MAX_SCALES:
        _refuse(run, name, scales)
    if len(units) > 1 and (branches := _branches(run, name, tensor, scales, pad_code)):
        return branches
    return [Part(tensor, slice(None), unit, _multipliers(scales, unit), f"channels of scale {float(unit):.9g}")
            for unit in units]


def _units(scales: tuple[Fraction, ...]) -> list[Fraction]:
    """The smallest of all scales that differ by powers of two, for each of these groups."""
    units: list[Fraction] = []
    for scale in sorted((scale for scale in distinct(scales) if scale), key=abs):
        if not any(is_power_of_two(scale / unit) for unit in units):
            units.append(scale)
    return units


def _multipliers(scales: tuple[Fraction, ...], unit: Fraction) -> IntArray:
    """Of the channels whose scales are powers of two of the unit, 0 for others."""
    return np.asarray(each(lambda scale: int(scale / unit) if is_power_of_two(scale / unit) else 0, scales), np.int64)


def _branches(run: Run, name: str, tensor: str, scales: tuple[Fraction, ...], pad_code: int) -> list[Part]:
    """The branches of a concatenation as parts; none where they are not of one scale each."""
    node, join = run.draft.nodes.get(tensor), run.joined_by(name)
    if node is None or join is None or not isinstance(node.op, ints.Concat):
        return []
    parts = []
    types = [run.draft.types[source] for source in node.inputs]
    ends = pairwise(accumulate((found.shape[2] for found in types), initial=0))
    for place, (source, found, (start, stop)) in enumerate(zip(node.inputs, types, ends, strict=True)):
        units = _units(scales[start:stop])
        if len(units) != 1 or not found.dtype.contains(np.asarray([pad_code])):
            return []
        label = join.inputs[place] if len(join.inputs) == len(types) else source
        parts.append(Part(source, slice(start, stop), units[0], _multipliers(scales[start:stop], units[0]), label))
    run.draft.shared.update(node.inputs)
    return parts if len(parts) <= MAX_SCALES else []


def _refuse(run: Run, name: str, scales: tuple[Fraction, ...]) -> None:
    """The error of too many scales, which names the concatenation that they come from."""
    found = f"{len(distinct(scales))} different scales from {float(min(scales)):g} to {float(max(scales)):g}"
    most = f"at most {MAX_SCALES} that are not powers of two of each other are possible"
    if join := run.joined_by(name):
        raise UnsupportedError(f"{join.name}: joins {', '.join(join.inputs)} with {found}, which {name} reads as "
                               f"one tensor, and {most}; let the branches share one quantizer, or put one behind "
                               f"{join.name}")
    raise UnsupportedError(f"{name}: its input channels have {found}, and {most}; quantize its input per tensor")
