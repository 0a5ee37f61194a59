"""Give every layer its PE and SIMD and put width converters where neighbours then differ in lanes."""

from __future__ import annotations

from dataclasses import replace

from generator.dataflow.folding import Folding, replace_folds
from generator.dataflow.graph import SOURCE, Dataflow, Placed, Port
from generator.layers import Dwc, Fifo, Mvtu
from generator.layers.base import Layer, Stream


def fold(dataflow: Dataflow, folding: Folding) -> Dataflow:
    """The same layers with the folds of `folding`; the network's input takes the lanes of its reader.

    Converters are named after their reader: `conv0_dwc`.
    """
    streams: dict[Port, Stream] = {}
    renamed: dict[Port, Port] = {(SOURCE, 0): (SOURCE, 0)}
    placed: list[Placed] = []
    for item in dataflow.placed:
        layer = replace_folds(item.layer, folding.get(item.layer.name, {}))
        sources: list[Port] = []
        for port, wanted in zip(item.sources, layer.inputs, strict=True):
            source = renamed[port]
            given = streams.setdefault(source, wanted)  # only the network's input is not there yet
            if given.lanes != wanted.lanes:
                converter = Dwc(f"{layer.name}_dwc", given.lanes, wanted.lanes, given.element, given.words)
                placed.append(Placed(converter, (source,)))
                source = (converter.name, 0)
            sources.append(source)
        placed.append(Placed(layer, tuple(sources)))
        streams |= {(layer.name, k): stream for k, stream in enumerate(layer.outputs)}
        renamed |= {(layer.name, k): (layer.name, k) for k in range(len(layer.outputs))}
    return Dataflow(streams.get((SOURCE, 0), dataflow.input), tuple(placed))


def insert_fifos(dataflow: Dataflow) -> Dataflow:
    """A FIFO in front of every layer that takes its input in bursts, as deep as a burst: `conv0_fifo`.

    A layer alternates between cycles that read and cycles that do not; a FIFO of one burst lets its producer work on.
    """
    placed: list[Placed] = []
    for item in dataflow.placed:
        sources: list[Port] = []
        for index, (port, stream) in enumerate(zip(item.sources, item.layer.inputs, strict=True)):
            depth = _burst_words(item.layer)
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
