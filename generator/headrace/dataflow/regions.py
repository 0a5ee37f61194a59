"""Parts of a dataflow with one stream in and one stream out, nested: what can be looked at on its own.

A stream is a cut of another one if all data of the one passes the other; cuts of each other are in series. Two streams
are in series exactly if the same cycles of the undirected graph pass them, where the network's input and output are
one node (cycle equivalence: Johnson, Pearson and Pingali, The program structure tree, PLDI 1994).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

from headrace.dataflow.graph import SOURCE, Dataflow, Placed, Port


@dataclass(frozen=True)
class Series:
    """Streams that are cuts of each other, in the order of the data, and the parts between each two of them."""

    cuts: tuple[Port, ...]
    parts: tuple[Part, ...]

    def slice(self, first: int, last: int) -> Series:
        """What lies between two of the cuts."""
        return Series(self.cuts[first : last + 1], self.parts[first:last])

    @cached_property
    def layers(self) -> frozenset[str]:
        """The names of all layers between the first cut and the last."""
        return frozenset[str]().union(*(part.layers for part in self.parts))


@dataclass(frozen=True)
class Part:
    """What lies between two cuts without one in between: a layer, or branches.

    inner: the series of at least two streams in it. loose: its other streams, each of which is a branch of its own.
    """

    layers: frozenset[str]
    inner: tuple[Series, ...] = ()
    loose: tuple[Port, ...] = ()


def series(dataflow: Dataflow) -> Series:
    """The whole dataflow, from its input to its output."""
    return _Regions(dataflow).whole()


def between(dataflow: Dataflow, found: Series) -> Dataflow:
    """The layers between the first cut and the last, as a dataflow of their own."""
    first = found.cuts[0]
    placed = [item for item in dataflow.placed if item.layer.name in found.layers]
    inside = [replace(item, sources=tuple((SOURCE, 0) if port == first else port for port in item.sources))
              for item in placed]
    return Dataflow(dataflow.streams[first], tuple(inside))


class _Regions:
    """The graph, as the search for regions needs it."""

    def __init__(self, dataflow: Dataflow) -> None:
        self.readers = {port: item for item in dataflow.placed for port in item.sources}
        self.order = {port: index for index, item in enumerate(dataflow.placed) for port in item.sources}
        self.output = dataflow.output_port
        self.order[self.output] = len(dataflow.placed)
        self.labels = _labels(dataflow)
        self.found: dict[int, Series] = {}

    def whole(self) -> Series:
        """The series of the input."""
        label = self.labels[(SOURCE, 0)]
        return self._series(label, [port for port, other in self.labels.items() if other == label])

    def _series(self, label: int, ports: Iterable[Port]) -> Series:
        if label not in self.found:
            cuts = sorted(ports, key=self.order.__getitem__)
            parts = tuple(self._part(*pair) for pair in pairwise(cuts))
            self.found[label] = Series(tuple(cuts), parts)
        return self.found[label]

    def _part(self, first: Port, last: Port) -> Part:
        """What lies between two cuts that follow each other."""
        ports, layers = self._inside(first, last)
        classes: defaultdict[int, list[Port]] = defaultdict(list)
        for port in ports:
            classes[self.labels[port]].append(port)
        found = [self._series(label, members) for label, members in classes.items() if len(members) > 1]
        inner = [outer for outer in found if not any(outer.layers < other.layers for other in found)]
        covered = {port for outer in inner for port in outer.cuts} | {
            port for outer in inner for port in ports
            if port[0] in outer.layers and self.readers[port].layer.name in outer.layers}
        return Part(layers, tuple(inner), tuple(port for port in ports if port not in covered))

    def _inside(self, first: Port, last: Port) -> tuple[list[Port], frozenset[str]]:
        """The streams and the layers between two cuts, in the order of the data."""
        ports: list[Port] = []
        layers: dict[str, Placed] = {}
        waiting = [first]
        while waiting:
            item = self.readers[waiting.pop()]
            if item.layer.name not in layers:
                layers[item.layer.name] = item
                made = [(item.layer.name, k) for k in range(len(item.layer.outputs))]
                ports += (following := [port for port in made if port != last])
                waiting += following
        return sorted(ports, key=self.order.__getitem__), frozenset(layers)


def _labels(dataflow: Dataflow) -> dict[Port, int]:
    """For every stream the cycles that pass it, a bit each: one for every stream that is not in a spanning tree.

    The first input of every layer is in the tree, the output of the network is not.
    """
    others: Sequence[Port] = [port for item in dataflow.placed for port in item.sources[1:]]
    labels = {port: 1 << bit for bit, port in enumerate([*others, dataflow.output_port])}
    for item in reversed(dataflow.placed):
        labels[item.sources[0]] = _passing(item, labels)
    return labels


def _passing(item: Placed, labels: Mapping[Port, int]) -> int:
    """The cycles that pass the first input of a layer: those that pass one of its other streams and leave by it."""
    cycles = 0
    for port in [*item.sources[1:], *((item.layer.name, k) for k in range(len(item.layer.outputs)))]:
        cycles ^= labels[port]
    return cycles
