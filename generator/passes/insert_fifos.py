"""FIFOs of given depths between the layers, and depths that are safe whatever the latencies are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from generator.dataflow.graph import SOURCE, Dataflow, Placed, Port
from generator.datatypes import IntArray
from generator.layers import Dwc, Fifo, Mvtu
from generator.layers.base import Layer, Stream

#: Words beyond the fill of a branch, which let a join go on while words are on their way through pipelines.
JOIN_MARGIN_WORDS = 32


def fifo_places(dataflow: Dataflow) -> dict[str, Stream]:
    """Names of the FIFOs that there may be and the streams that they are on: `conv0_fifo`, `add3_fifo0`, `add3_fifo1`.

    Behind every width converter, and in front of those to fewer lanes: `conv0_dwc_fifo`. Such a converter slows down
    what comes in bursts, like the rows of a pooling, so the words have to wait in front of it. None is on the network's
    input, and none in front of other converters, as there is one behind them.
    """
    return {place_name(item, index): item.layer.inputs[index]
            for item in dataflow.placed if not (isinstance(item.layer, Fifo) or _widens(item.layer))
            for index, (source, _) in enumerate(item.sources) if source != SOURCE}  # fmt: skip


def join_places(dataflow: Dataflow) -> list[str]:
    """Those of the places that lie in front of joins."""
    places = fifo_places(dataflow)
    names = [place_name(item, index) for item in dataflow.placed if len(item.sources) > 1
             for index in range(len(item.sources))]  # fmt: skip
    return [name for name in names if name in places]


def insert_fifos(dataflow: Dataflow, depths: Mapping[str, int]) -> Dataflow:
    """The same graph with a FIFO in every place that `depths` names, unless its depth is 0."""
    placed: list[Placed] = []
    for item in dataflow.placed:
        sources: list[Port] = []
        for index, (port, stream) in enumerate(zip(item.sources, item.layer.inputs, strict=True)):
            if depth := depths.get(place_name(item, index), 0):
                fifo = Fifo(place_name(item, index), depth, stream.lanes, stream.element, stream.words)
                placed.append(Placed(fifo, (port,)))
                port = (fifo.name, 0)
            sources.append(port)
        placed.append(replace(item, sources=tuple(sources)))
    return Dataflow(dataflow.input, tuple(placed))


def safe_depths(dataflow: Dataflow) -> dict[str, int]:
    """A burst in front of layers that read in bursts, a whole branch's fill and a margin in front of joins."""
    joins = join_depths(dataflow)
    depths = {place_name(item, index): max(_burst_words(item.layer), joins.get(port, 0))
              for item in dataflow.placed for index, port in enumerate(item.sources)}
    return {name: depths[name] for name in fifo_places(dataflow)}


def join_depths(dataflow: Dataflow) -> dict[Port, int]:
    """How many words of each input of each join can wait for its other inputs, within a frame, and a margin.

    Branches of one fork take its words together. When the last other input that the join's n-th word needs can come,
    the network's input has given a certain number of words; what this branch can have made of them by then must fit.
    """
    depths: dict[Port, int] = {}
    arrival: dict[Port, IntArray] = {(SOURCE, 0): np.arange(1, dataflow.input.words + 1)}
    for item in dataflow.placed:
        if len(item.sources) > 1:
            depths |= _join_depths(item, arrival)
        _arrive(item, arrival)
    return depths


def place_name(item: Placed, index: int) -> str:
    """Name of a FIFO at an input of a layer."""
    return f"{item.layer.name}_fifo" + (str(index) if len(item.sources) > 1 else "")


def _widens(layer: Layer) -> bool:
    return isinstance(layer, Dwc) and layer.in_lanes < layer.out_lanes


def _burst_words(layer: Layer) -> int:
    """Words that the layer takes one per cycle before it pauses; 0 if it never pauses."""
    return layer.sf if isinstance(layer, Mvtu) and layer.nf > 1 else 0


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
