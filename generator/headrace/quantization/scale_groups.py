"""One scale q for all tensors that meet in residual sums and concatenations.

Source: US 12,014,273 B2; see coarse_to_fine.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal

from headrace.errors import QuantizationError
from headrace.quantization.coarse_to_fine import TensorScale, fixed_q_scale, pool_factor, scale_factor


@dataclass(frozen=True)
class TensorRange:
    """Calibrated maximum magnitude of a tensor and the codes that it is stored in."""

    max_v: float
    bits: int
    signed: bool = True


@dataclass(frozen=True)
class Meeting:
    """An operation that ties the scales of its tensors.

    join (add, concat): all tensors have one q. pass (ReLU, max pooling, flatten): the output is stored as its input.
    average_pool: as pass, with q * elements / 2^ceil_log2(elements).
    """

    kind: Literal["join", "pass", "average_pool"]
    inputs: tuple[str, ...]
    output: str
    elements: int = 1


class _Groups:
    """Union-find on tensors; every tensor knows its q relative to the root of its group."""

    def __init__(self) -> None:
        self.parent: dict[str, tuple[str, Fraction]] = {}

    def find(self, tensor: str) -> tuple[str, Fraction]:
        """(root, q of the tensor / q of the root)."""
        parent, factor = self.parent.setdefault(tensor, (tensor, Fraction(1)))
        if parent == tensor:
            return tensor, Fraction(1)
        root, rest = self.find(parent)
        self.parent[tensor] = (root, factor * rest)
        return self.parent[tensor]

    def unite(self, tensor: str, other: str, factor: Fraction) -> None:
        """State that q(other) = q(tensor) * factor."""
        (root, a), (other_root, b) = self.find(tensor), self.find(other)
        if root != other_root:
            self.parent[other_root] = (root, a * factor / b)
        elif a * factor != b:
            raise QuantizationError(f"{tensor} and {other} meet with scales {a} and {b}, which no common q can give; "
                                    "average over a power of two of elements on the way to the join")

    def all(self) -> list[dict[str, Fraction]]:
        """Tensors of every group with their factors, in the order of first mention."""
        groups: dict[str, dict[str, Fraction]] = {}
        for tensor in list(self.parent):
            root, factor = self.find(tensor)
            groups.setdefault(root, {})[tensor] = factor
        return list(groups.values())


def equalise(ranges: Mapping[str, TensorRange], fixed_q: float | Fraction | None = None,
             factors: Mapping[str, Fraction] | None = None) -> tuple[float, dict[str, TensorScale]]:
    """The common q of tensors that meet, and the scale of each: n = floor_log2((2^(p-1) - 1) / (q * max_v)).

    Candidates for q are 1 and what each tensor would have alone; the least sum of log2((2^(p-1) - 1) / (q max_v 2^n))
    wins, i.e. the least unused range, a tie takes the larger q. fixed_q, of a network input, leaves no choice.
    factors: q of a tensor relative to the common one (1 where absent).
    Source: US 12,014,273 B2, residual and concatenation layers. Raises as `scale_factor`.

    >>> q, scales = equalise({"a": TensorRange(4.0, 8), "b": TensorRange(3.0, 8)})
    >>> q, scales["a"].n, scales["b"].n
    (0.9921875, 5, 5)
    """
    relative = {name: (factors or {}).get(name, Fraction(1)) for name in ranges}
    alone = {name: scale_factor(r.max_v, r.bits, r.signed) for name, r in ranges.items()}
    own = {Fraction(alone[name].q) / relative[name] for name in ranges}
    candidates = own | {Fraction(1)} if fixed_q is None else {Fraction(fixed_q)}

    def scales(q: Fraction) -> dict[str, TensorScale]:
        return {name: fixed_q_scale(r.max_v, r.bits, r.signed, float(q * relative[name])) for name, r in ranges.items()}

    def unused(q: Fraction) -> Fraction:
        product = Fraction(1)
        for name, scale in scales(q).items():
            if ranges[name].max_v:
                ratio = Fraction(alone[name].q) / Fraction(scale.q)
                product *= ratio * Fraction(2) ** (alone[name].n - scale.n)
        return product

    q = min(candidates, key=lambda q: (unused(q), -q))
    return float(q), scales(q)


def assign_scales(ranges: Mapping[str, TensorRange], meetings: Sequence[Meeting],
                  fixed_q: Mapping[str, float]) -> dict[str, TensorScale]:
    """The scale of every tensor of a network.

    A tensor that meets no other has its own `scale_factor`; tensors of a group share one q; what passes through ReLU or
    pooling is stored as its input. ranges: every tensor that a layer writes, and the input. meetings: in topological
    order. fixed_q: q of tensors that must keep it, such as 1 for the network's input and for logits in true units.
    Raises QuantizationError for a tensor without range, two fixed q in one group and scales that cannot meet.
    Source: US 12,014,273 B2, residual and concatenation layers.

    >>> ranges = {"a": TensorRange(4.0, 8), "b": TensorRange(3.0, 8), "sum": TensorRange(6.0, 8)}
    >>> meetings = [Meeting("join", ("a", "b"), "sum"), Meeting("pass", ("sum",), "relu")]
    >>> [(name, round(s.q, 4), s.n) for name, s in assign_scales(ranges, meetings, {}).items()]
    [('a', 0.6615, 5), ('b', 0.6615, 6), ('sum', 0.6615, 5), ('relu', 0.6615, 5)]
    """
    groups, stored_as = _Groups(), {}
    for name in ranges:
        groups.find(name)
    for meeting in meetings:
        factor = Fraction(pool_factor(meeting.elements)) if meeting.kind == "average_pool" else Fraction(1)
        for source in meeting.inputs:
            groups.unite(source, meeting.output, factor)
        if meeting.kind != "join":
            stored_as[meeting.output] = (meeting.inputs[0], float(factor))
    result: dict[str, TensorScale] = {}
    for group in groups.all():
        if missing := [name for name in group if name not in ranges and name not in stored_as]:
            raise QuantizationError(f"tensor {missing[0]!r} has no calibrated range; give one for all of {list(group)}")
        free = {name: ranges[name] for name in group if name not in stored_as}
        result |= _group_scales(free, group, {name: q for name, q in fixed_q.items() if name in group})
    for output, (source, ratio) in stored_as.items():
        result[output] = replace(result[source], q=result[source].q * ratio)
    return result


def _group_scales(free: Mapping[str, TensorRange], factors: Mapping[str, Fraction],
                  fixed: Mapping[str, float]) -> dict[str, TensorScale]:
    """Scales of the tensors of one group that layers write."""
    wanted = {Fraction(q) / factors[name] for name, q in fixed.items()}
    if len(wanted) > 1:
        raise QuantizationError(f"tensors {sorted(fixed)} meet but their q are fixed to {sorted(fixed.values())}; "
                                "fix one of them")
    if len(free) == 1 and not fixed:
        return {name: scale_factor(r.max_v, r.bits, r.signed) for name, r in free.items()}
    return equalise(free, wanted.pop() if wanted else None, factors)[1]
