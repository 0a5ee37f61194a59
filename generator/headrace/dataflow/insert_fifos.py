"""FIFOs of given depths between the layers, and depths that are safe whatever the latencies are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from headrace.dataflow.graph import SOURCE, Dataflow, Placed, Port
from headrace.datatypes import IntArray
from headrace.layers import Fifo
from headrace.layers.stream import Stream

#: Words beyond the fill of a branch, which let a join go on while words are on their way through pipelines.
JOIN_MARGIN_WORDS = 32


def fifo_places(dataflow: Dataflow) -> dict[str, Stream]:
    """Names of the FIFOs that there may be and the streams that they are on: `conv0_fifo`, `add3_fifo0`, `add3_fifo1`.

    They are named after their reader, and there is none on the network's input. Where a width converter lies in
    between, the FIFO is on its wide side, whose words come or go in bursts that the narrow side cannot follow.
    """
    layers = {item.layer.name: item.layer for item in dataflow.placed}
    return {name: layers[reader].inputs[index] for (reader, index), name in _places(dataflow).items()}


def place_ports(dataflow: Dataflow) -> dict[str, Port]:
    """For every place the stream that a FIFO there makes deeper."""
    sources = {item.layer.name: item.sources for item in dataflow.placed}
    return {name: sources[reader][index] for (reader, index), name in _places(dataflow).items()}


def join_places(dataflow: Dataflow) -> list[str]:
    """Those of the places that lie in front of joins."""
    names = {place_name(item, index) for item in dataflow.placed if len(item.sources) > 1
             for index in range(len(item.sources))}
    return [name for name in fifo_places(dataflow) if name in names]


def insert_fifos(dataflow: Dataflow, depths: Mapping[str, int]) -> Dataflow:
    """The same graph with a FIFO in every place that `depths` names, unless its depth is 0."""
    names = _places(dataflow)
    placed: list[Placed] = []
    for item in dataflow.placed:
        sources: list[Port] = []
        for index, (port, stream) in enumerate(zip(item.sources, item.layer.inputs, strict=True)):
            name = names.get((item.layer.name, index), "")
            if depth := depths.get(name, 0):
                fifo = Fifo(name, depth, stream.lanes, stream.element, stream.words, prices=item.layer.prices)
                placed.append(Placed(fifo, (port,)))
                port = (name, 0)
            sources.append(port)
        placed.append(replace(item, sources=tuple(sources)))
    return Dataflow(dataflow.input, tuple(placed))


def _places(dataflow: Dataflow) -> dict[tuple[str, int], str]:
    """The FIFOs that there may be, by the layer and the input in front of which they are."""
    layers = {item.layer.name: item.layer for item in dataflow.placed}
    places = {}
    for item in dataflow.placed:
        for index, (source, _) in enumerate(item.sources):
            producer = layers.get(source)
            if producer is None or item.layer.connects:
                continue
            narrows = producer.connects and producer.inputs[0].lanes > producer.outputs[0].lanes
            places[(source, 0) if narrows else (item.layer.name, index)] = place_name(item, index)
    return places


def safe_depths(dataflow: Dataflow) -> dict[str, int]:
    """A burst in front of layers that read in bursts, a whole branch's fill and a margin in front of joins."""
    joins = join_depths(dataflow)
    depths = {place_name(item, index): max(item.layer.burst_words, joins.get(port, 0))
              for item in dataflow.placed for index, port in enumerate(item.sources)}
    return {name: depths[name] for name in fifo_places(dataflow)}


def join_depths(dataflow: Dataflow) -> dict[Port, int]:
    """How many words of each input of each join can wait for its other inputs, within a frame, and a margin.

    Branches of one fork take its words together. When the last other input that the join's n-th word needs can come,
    the network's input has given a certain number of words; what this branch can have made of them by then must fit.
    """
    depths: dict[Port, int] = {}
    arrival: dict[Port, IntArray] = {(SOURCE, 0): np.arange(1, dataflow.input.words + 1)}
    before_joins = _before_joins(dataflow)
    for item in dataflow.placed:
        if len(item.sources) > 1:
            depths |= _join_depths(item, arrival)
        if item.layer.name in before_joins:
            _arrive(item, arrival)
    return depths


def _before_joins(dataflow: Dataflow) -> set[str]:
    """The layers of which an output leads to a join."""
    found: set[str] = set()
    for item in reversed(dataflow.placed):
        if len(item.sources) > 1 or item.layer.name in found:
            found |= {source for source, _ in item.sources}
    return found


def place_name(item: Placed, index: int) -> str:
    """Name of a FIFO at an input of a layer."""
    return f"{item.layer.name}_fifo" + (str(index) if len(item.sources) > 1 else "")


def _join_depths(item: Placed, arrival: Mapping[Port, IntArray]) -> dict[Port, int]:
    schedule = item.layer.schedule()
    needed = [schedule.needed_reads(index) for index in range(len(item.sources))]
    complete = [arrival[port][np.maximum(reads, 1) - 1] for port, reads in zip(item.sources, needed, strict=True)]
    depths = {}
    for index, (port, reads) in enumerate(zip(item.sources, needed, strict=True)):
        others = np.max([when for other, when in enumerate(complete) if other != index], axis=0)
        waiting = np.searchsorted(arrival[port], others, side="right") - np.concatenate([[0], reads[:-1]])
        depths[port] = max(1, int(waiting.max())) + JOIN_MARGIN_WORDS
    return depths


def _arrive(item: Placed, arrival: dict[Port, IntArray]) -> None:
    """Add for every word that a layer puts how many words of the network's input it needs, ascending."""
    schedule = item.layer.schedule()
    needs = [np.concatenate([[0], arrival[port]])[schedule.needed_reads(index)]
             for index, port in enumerate(item.sources)]
    made = np.maximum.accumulate(np.max(needs, axis=0))
    for index in range(len(item.layer.outputs)):
        arrival[item.layer.name, index] = made
