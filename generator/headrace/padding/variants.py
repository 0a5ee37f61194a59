"""Padded forms of a network that are worth a plan."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import lru_cache, partial

from headrace.dataflow.fold import Folding, fold
from headrace.dataflow.lower import lower
from headrace.errors import FoldingError, InputError
from headrace.fold_rule import divisors
from headrace.network.integer import Conv, IntegerNetwork
from headrace.padding.groups import Group, groups_of
from headrace.padding.pad import padded

#: Powers of two that numbers of channels are made multiples of, and the one whose multiples have divisors enough.
_MULTIPLES, _ENOUGH = (32, 16, 8, 4, 2), 8


def most_divisors(channels: int, share: float) -> int:
    """The number with most divisors that is at most so much more, the least of those that have as many.

    >>> [most_divisors(37, 0.1), most_divisors(150, 0.1), most_divisors(53, 0.06), most_divisors(60, 0.1)]
    [40, 150, 54, 60]
    """
    return max(range(channels, int(channels * (1 + share)) + 1), key=lambda count: (len(divisors(count)), -count))


def even(channels: int, share: float) -> int:
    """The multiple of the largest power of two that is at most so much more.

    >>> [even(37, 0.06), even(37, 0.1), even(150, 0.1), even(85, 0.1), even(64, 0.2)]
    [38, 40, 160, 88, 64]
    """
    for multiple in _MULTIPLES:
        if (rounded := -(-channels // multiple) * multiple) <= channels * (1 + share):
            return rounded
    return channels


#: How the channels of all groups are padded together: a form of the network each, the most promising first.
_FORMS: tuple[Callable[[int], int], ...] = (partial(most_divisors, share=0.1), partial(even, share=0.06),
                                            partial(most_divisors, share=0.06))
#: Networks of more convolutions, which take long to plan, are padded in the first way only.
_MANY = 24


@lru_cache(maxsize=4)
def variants(net: IntegerNetwork, fixed: frozenset[str] = frozenset()) -> tuple[dict[str, int], ...]:
    """Padded forms of a network as channels by convolution; none where all channels have divisors enough.

    fixed: layers whose weights stay as they are, rows and columns.
    """
    groups = [group for group in groups_of(net) if _is_candidate(net, group, fixed)]
    convs = sum(isinstance(node.op, Conv) for node in net.nodes)
    found: dict[tuple[int, ...], dict[str, int]] = {}
    for form in _FORMS[:1] if convs > _MANY else _FORMS:
        wanted = [form(group.channels) for group in groups]
        found.setdefault(tuple(wanted), _by_conv(groups, wanted))
    return tuple(channels for channels in found.values() if channels and _tried(net, channels))


def _is_candidate(net: IntegerNetwork, group: Group, fixed: Collection[str]) -> bool:
    """True if a group may be padded and would gain divisors by it."""
    if group.stays or not group.channels % _ENOUGH or not group.tensors.isdisjoint(tensors_of(net, fixed)):
        return False
    wanted = {count for form in _FORMS if (count := form(group.channels)) != group.channels}
    return bool(wanted) and all(_tried(net, dict.fromkeys(group.convs, count)) for count in wanted)


def tensors_of(net: IntegerNetwork, layers: Collection[str]) -> set[str]:
    """The tensors that layers read and make."""
    return {name for node in net.nodes if node.name in layers for name in (node.name, *node.inputs)}


def _by_conv(groups: list[Group], channels: list[int]) -> dict[str, int]:
    return {conv: count for group, count in zip(groups, channels, strict=True) if count != group.channels
            for conv in group.convs}


def _tried(net: IntegerNetwork, channels: Mapping[str, int]) -> IntegerNetwork | None:
    try:
        return padded(net, channels)
    except InputError:
        return None


def shrunk(net: IntegerNetwork, channels: Mapping[str, int], folding: Folding) -> dict[str, int]:
    """As few channels as the folding of a padded form takes, by convolution; none that a group needs no more."""
    found = dict(channels)
    for group in groups_of(net):
        rows = [folding.get(conv, {}).get("pe", 1) for conv in group.convs]
        for count in range(group.channels, found.get(group.convs[0], group.channels)):
            fewer = found | dict.fromkeys(group.convs, count)
            if not any(count % pe for pe in rows) and _is_legal(net, fewer, folding):
                found = fewer
                break
    return {name: count for name, count in found.items() if count != net.types[name].shape[2]}


def _is_legal(net: IntegerNetwork, channels: Mapping[str, int], folding: Folding) -> bool:
    form = _tried(net, channels)
    try:
        return form is not None and bool(fold(lower(form), folding))
    except (FoldingError, InputError):
        return False
