"""Let the processor write the weights of the layers that the user names: memories, and widths for any weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from headrace.dataflow.graph import Dataflow, Placed
from headrace.errors import InputError
from headrace.layers.base import Layer
from headrace.layers.weighted import RAM, URAM, WeightedLayer

#: Storage of the writable weights by layer name.
Writable = Mapping[str, str]
#: Memories that the bus of the register file tells apart, two in each layer.
MAX_LAYERS = 128


def parse_writable(ram: Sequence[str], uram: Sequence[str]) -> dict[str, str]:
    """The layers that the user names for either storage. Raises InputError if one comes twice."""
    storage: dict[str, str] = {}
    for name, kind in (*((name, RAM) for name in ram), *((name, URAM) for name in uram)):
        if name in storage:
            raise InputError(f"{name}: is named twice as a layer with writable weights; name it once")
        storage[name] = kind
    return storage


def make_writable(dataflow: Dataflow, writable: Writable) -> Dataflow:
    """The same layers, those of `writable` with weights and thresholds in memories that can be written.

    Raises InputError for an unknown layer, and for one whose results other layers take as raw sums: their range would
    depend on the weights.
    """
    names = [item.layer.name for item in dataflow.placed if _can_be_written(dataflow, item.layer)]
    for name in writable:
        if name not in names:
            raise InputError(f"{name}: is no layer whose weights can be writable; choose from {names}")
    if len(writable) > MAX_LAYERS:
        raise InputError(f"{len(writable)} layers have writable weights but at most {MAX_LAYERS} can; leave some out")
    placed = tuple(Placed(_stored(item.layer, writable), item.sources) for item in dataflow.placed)
    return Dataflow(dataflow.input, placed)


def _can_be_written(dataflow: Dataflow, layer: Layer) -> bool:
    last = (layer.name, 0) == dataflow.output_port
    return isinstance(layer, WeightedLayer) and not layer.has_scales and (last or layer.thresholds is not None)


def _stored(layer: Layer, writable: Writable) -> Layer:
    if layer.name not in writable or not isinstance(layer, WeightedLayer):
        return layer
    return layer.written_to(writable[layer.name])
