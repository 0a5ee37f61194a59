"""FIFOs of a safe depth: a burst in front of layers that read in bursts, a whole branch's fill in front of joins."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from generator.dataflow.graph import SOURCE, Dataflow, Placed, Port
from generator.datatypes import IntArray
from generator.layers import Fifo, Mvtu
from generator.layers.base import Layer

#: Words beyond the fill of a branch, which let a join go on while words are on their way through pipelines.
JOIN_MARGIN_WORDS = 32


def insert_fifos(dataflow: Dataflow) -> Dataflow:
    """The same graph with FIFOs named after their reader: `conv0_fifo`, and `add3_fifo0`, `add3_fifo1` at a join."""
    depths = {port: depth for item in dataflow.placed for port, depth in _join_depths(dataflow, item).items()}
    placed: list[Placed] = []
    for item in dataflow.placed:
        sources: list[Port] = []
        for index, (port, stream) in enumerate(zip(item.sources, item.layer.inputs, strict=True)):
            depth = max(_burst_words(item.layer), depths.get(port, 1))
            if depth > 1:
                suffix = "_fifo" if len(item.sources) == 1 else f"_fifo{index}"
                fifo = Fifo(f"{item.layer.name}{suffix}", depth, stream.lanes, stream.element, stream.words)
                placed.append(Placed(fifo, (port,)))
                port = (fifo.name, 0)
            sources.append(port)
        placed.append(replace(item, sources=tuple(sources)))
    return Dataflow(dataflow.input, tuple(placed))


def _burst_words(layer: Layer) -> int:
    """Words that the layer takes one per cycle before it pauses; 1 if it never pauses."""
    return layer.sf if isinstance(layer, Mvtu) and layer.nf > 1 else 1


def _join_depths(dataflow: Dataflow, item: Placed) -> dict[Port, int]:
    """How many words of each input of a join can wait for the other inputs, within a frame.

    Branches of one fork take its words together. When the last other input that the join's n-th word needs can come,
    the network's input has given a certain number of words; what this branch can have made of them by then must fit.
    """
    if len(item.sources) < 2:
        return {}
    arrival = _arrival_words(dataflow, item)
    needed = [item.layer.schedule().needed_reads(index) for index in range(len(item.sources))]
    complete = [arrival[port][np.maximum(reads, 1) - 1] for port, reads in zip(item.sources, needed, strict=True)]
    depths = {}
    for index, (port, reads) in enumerate(zip(item.sources, needed, strict=True)):
        others = np.max([when for other, when in enumerate(complete) if other != index], axis=0)
        waiting = np.searchsorted(arrival[port], others, side="right") - np.concatenate([[0], reads[:-1]])
        depths[port] = max(1, int(waiting.max())) + JOIN_MARGIN_WORDS
    return depths


def _arrival_words(dataflow: Dataflow, until: Placed) -> dict[Port, IntArray]:
    """For every word of every stream before a layer: how many words of the network's input it needs, ascending."""
    arrival: dict[Port, IntArray] = {(SOURCE, 0): np.arange(1, dataflow.input.words + 1)}
    for item in dataflow.placed:
        if item is until:
            break
        schedule = item.layer.schedule()
        needs = [np.concatenate([[0], arrival[port]])[schedule.needed_reads(index)]
                 for index, port in enumerate(item.sources)]
        made = np.maximum.accumulate(np.max(needs, axis=0))
        arrival |= {(item.layer.name, k): made for k in range(len(item.layer.outputs))}
    return arrival
