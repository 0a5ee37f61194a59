"""Let the processor write the weights of the layers that the user names: memories, and widths for any weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from headrace.dataflow.graph import Dataflow
from headrace.errors import InputError
from headrace.layers.base import Layer
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

    A layer that takes raw sums gets ready for all that any weights lead to. Raises InputError for an unknown layer,
    and for one whose raw sums go where that would change the results.
    """
    found = {layer.name: layer for layer in writable_candidates(dataflow)}
    for name in writable:
        if name not in found:
            raise InputError(f"{name}: is not a layer whose weights can be writable; {did_you_mean(name, found)}"
                             f"choose from {list(found)}")
    if len(writable) > MAX_LAYERS:
        raise InputError(f"{len(writable)} layers have writable weights but at most {MAX_LAYERS} can; leave some out")
    written = [found[name].written_to(storage) for name, storage in writable.items()]
    return dataflow.with_layers([*written, *(reader for layer in written for reader in _readers(dataflow, layer))])


def writable_candidates(dataflow: Dataflow) -> list[WeightedLayer]:
    """The layers whose weights can be writable."""
    return [layer for layer in WeightedLayer.among(dataflow.layers) if _can_be_written(dataflow, layer)]


def _can_be_written(dataflow: Dataflow, layer: WeightedLayer) -> bool:
    if layer.has_scales:
        return False
    last = (layer.name, 0) == dataflow.output_port
    return last or layer.thresholds is not None or bool(_readers(dataflow, layer.written_to(RAM)))


def _readers(dataflow: Dataflow, written: WeightedLayer) -> list[Layer]:
    """The reader of the sums of a layer with writable weights, as it takes them; none where it cannot."""
    if written.thresholds is not None:
        return []
    readers = [item.layer.taking(written.output) for item in dataflow.placed if (written.name, 0) in item.sources]
    return [reader for reader in readers if reader is not None]
