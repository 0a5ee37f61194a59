"""Give every layer its folds and put width converters where neighbours then differ in lanes."""

from __future__ import annotations

from collections.abc import Mapping

from headrace.dataflow.graph import SOURCE, Dataflow, Placed, Port
from headrace.fold_rule import require_keys
from headrace.layers import Dwc
from headrace.layers.base import Layer
from headrace.layers.stream import Stream

#: Folds by layer name, and depths by FIFO name: {"conv0": {"pe": 4, "simd": 9}, "add4_fifo1": {"depth": 200}}.
Folding = Mapping[str, Mapping[str, int]]


def fold(dataflow: Dataflow, folding: Folding) -> Dataflow:
    """The same layers with the folds of `folding`; the network's input takes the lanes of its reader.

    Converters are named after their reader: `conv0_dwc`, and `add3_dwc0`, `add3_dwc1` at a join.
    """
    streams: dict[Port, Stream] = {}
    renamed: dict[Port, Port] = {(SOURCE, 0): (SOURCE, 0)}
    folded: dict[str, Layer] = {}
    placed: list[Placed] = []
    for item in dataflow.placed:
        layer = _with_folds(item.layer, folding.get(item.layer.name, {}))
        for maker, _ in item.sources:
            layer = layer.behind(folded[maker]) if maker in folded else layer
        folded[layer.name] = layer
        sources: list[Port] = []
        for index, (port, wanted) in enumerate(zip(item.sources, layer.inputs, strict=True)):
            source = renamed[port]
            given = streams.setdefault(source, wanted)  # only the network's input is not there yet
            if given.lanes != wanted.lanes:
                suffix = "_dwc" if len(item.sources) == 1 else f"_dwc{index}"
                converter = Dwc(f"{layer.name}{suffix}", given.lanes, wanted.lanes, given.element, given.words)
                placed.append(Placed(converter, (source,)))
                source = (converter.name, 0)
            sources.append(source)
        placed.append(Placed(layer, tuple(sources)))
        streams |= {(layer.name, k): stream for k, stream in enumerate(layer.outputs)}
        renamed |= {(layer.name, k): (layer.name, k) for k in range(len(layer.outputs))}
    return Dataflow(streams.get((SOURCE, 0), dataflow.input), tuple(placed))


def _with_folds(layer: Layer, folds: Mapping[str, int]) -> Layer:
    require_keys(layer.name, folds, [*layer.fold_sizes, *layer.fold_flags])
    return layer.with_folds(folds)
