"""Which tensors of a network can have more channels, and which of them only together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from headrace.errors import FoldingError
from headrace.network.integer import INPUT, ChannelMap, Concat, Conv, IntegerNetwork, SpaceToDepth
from headrace.padding.operations import takes_padding
from headrace.suggest import did_you_mean

#: Most channels after padding, as a multiple of those before: more are no padding any more.
MOST = 2
#: Operations whose output has other channels than their inputs.
_MAKES_OTHERS = (Conv, ChannelMap, Concat, SpaceToDepth)


@dataclass(frozen=True)
class Group:
    """Convolutions whose results meet channel by channel, so that they have equally many.

    tensors: all that have these channels. stays: why they stay as they are, "" where they may be padded.
    """

    convs: tuple[str, ...]
    channels: int
    tensors: frozenset[str]
    stays: str


def groups_of(net: IntegerNetwork) -> tuple[Group, ...]:
    """The groups of a network, in the order of their first convolutions."""
    return _Groups(net).found()


def whole_groups(net: IntegerNetwork, asked: Mapping[str, int]) -> dict[str, int]:
    """Channels by convolution, of all that go with those in `asked`.

    Raises FoldingError for what is no convolution, and for channels that cannot be.
    """
    by_conv = {conv: group for group in groups_of(net) for conv in group.convs}
    found: dict[str, int] = {}
    for name, channels in asked.items():
        if name not in by_conv:
            free = [conv for conv, group in by_conv.items() if not group.stays]
            raise FoldingError(f"folding: channels of {name} cannot be padded; {did_you_mean(name, free)}"
                               f"{f'name one of the convolutions {free}' if free else 'leave them as they are'}")
        group = by_conv[name]
        _require_legal(name, channels, group)
        if found.get(name, channels) != channels:
            other = next(conv for conv in group.convs if conv in asked)
            raise FoldingError(f"{name}: channels={channels} contradict the {found[name]} of {other}, which it meets "
                               "channel by channel; give both the same")
        found |= dict.fromkeys(group.convs, channels)
    return {conv: found[conv] for conv in by_conv if conv in found}


def _require_legal(name: str, channels: int, group: Group) -> None:
    if group.stays and channels != group.channels:
        raise FoldingError(f"{name}: channels={channels} cannot be, {group.stays}; leave its {group.channels} channels "
                           "as they are")
    if not group.channels <= channels <= MOST * group.channels:
        raise FoldingError(f"{name}: channels={channels} should be {group.channels}, or more and at most "
                           f"{MOST * group.channels}; correct it")


class _Groups:
    """Tensors joined to sets while the nodes are gone through."""

    def __init__(self, net: IntegerNetwork) -> None:
        self.net = net
        self.parent = {name: name for name in net.types}
        self.stays: dict[str, str] = {}
        for node in net.nodes:
            if not isinstance(node.op, _MAKES_OTHERS):
                for source in node.inputs if takes_padding(node.op) else ():
                    self._join(node.name, source)
        self._keep(INPUT, "the input keeps its channels")
        self._keep(net.output, "the output keeps its channels")
        for name, why in self._unpadded():
            self._keep(name, why)
        while self._pass_back():
            pass

    def found(self) -> tuple[Group, ...]:
        convs: dict[str, list[str]] = {}
        for node in self.net.nodes:
            if isinstance(node.op, Conv):
                convs.setdefault(self._root(node.name), []).append(node.name)
        return tuple(Group(tuple(names), self.net.types[names[0]].shape[2], self._members(root),
                           self.stays.get(root, "")) for root, names in convs.items())

    def _members(self, root: str) -> frozenset[str]:
        return frozenset(name for name in self.parent if self._root(name) == root)

    def _root(self, name: str) -> str:
        while self.parent[name] != name:
            name = self.parent[name]
        return name

    def _join(self, name: str, other: str) -> None:
        self.parent[self._root(name)] = self._root(other)

    def _keep(self, name: str, why: str) -> None:
        """Say that a tensor stays as it is."""
        self.stays.setdefault(self._root(name), why)

    def _unpadded(self) -> Iterator[tuple[str, str]]:
        """Tensors that stay as they are for what makes or reads them, and why."""
        for node in self.net.nodes:
            if isinstance(node.op, ChannelMap) or not takes_padding(node.op):
                yield node.name, f"{node.name} gives channels as they are"
            if not takes_padding(node.op):
                for source in node.inputs:
                    yield source, f"{node.name} takes channels as they are"

    def _pass_back(self) -> bool:
        """Keep what is laid into tensors that stay, or that meet channels of other places; False where nothing is."""
        made = {self._root(node.name) for node in self.net.nodes if isinstance(node.op, Conv)}
        laid = [node for node in self.net.nodes if isinstance(node.op, Concat | SpaceToDepth)]
        roots = [self._root(node.name) for node in laid]
        news = False
        for node, root in zip(laid, roots, strict=True):
            if root in self.stays or root in made or roots.count(root) > 1:
                for name in (node.name, *node.inputs):
                    if self._root(name) not in self.stays:
                        self._keep(name, f"{node.name} lays them among others that stay")
                        news = True
        return news
