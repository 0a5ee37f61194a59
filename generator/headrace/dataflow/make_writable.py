"""Let the processor write the weights of the layers that the user names: memories, and widths for any weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from headrace.dataflow.graph import Dataflow
from headrace.errors import InputError
from headrace.layers.weight_store import RAM, URAM
from headrace.layers.weighted import WeightedLayer
from headrace.suggest import did_you_mean

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
    found = {layer.name: layer for layer in WeightedLayer.among(dataflow.layers) if _can_be_written(dataflow, layer)}
    for name in writable:
        if name not in found:
            raise InputError(f"{name}: is not a layer whose weights can be writable; {did_you_mean(name, found)}"
                             f"choose from {list(found)}")
    if len(writable) > MAX_LAYERS:
        raise InputError(f"{len(writable)} layers have writable weights but at most {MAX_LAYERS} can; leave some out")
    return dataflow.with_layers(found[name].written_to(storage) for name, storage in writable.items())


def _can_be_written(dataflow: Dataflow, layer: WeightedLayer) -> bool:
    last = (layer.name, 0) == dataflow.output_port
    return not layer.has_scales and (last or layer.thresholds is not None)
