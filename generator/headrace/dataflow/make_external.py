"""Let the weights of the layers that the user names come from outside, as streams."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from headrace.dataflow.graph import Dataflow
from headrace.errors import InputError
from headrace.layers.mvtu import Mvtu
from headrace.layers.weight_store import EXTERNAL, ROM
from headrace.suggest import did_you_mean

#: Streams of weights that the block design has DMAs for.
MAX_EXTERNAL = 8


def make_external(dataflow: Dataflow, names: Sequence[str]) -> Dataflow:
    """The same layers, those of `names` with weights from outside.

    Raises InputError for a layer that cannot have such, that has writable weights, and for too many of them.
    """
    possible = [layer.name for layer in external_candidates(dataflow)]
    for name in names:
        if name not in possible:
            raise InputError(f"{name}: is not a layer whose weights can be external; {did_you_mean(name, possible)}"
                             f"choose from {possible}")
    if len(set(names)) > MAX_EXTERNAL:
        raise InputError(f"{len(set(names))} layers have external weights but there are DMAs for at most "
                         f"{MAX_EXTERNAL}; leave some out of --external")
    return dataflow.with_layers(from_outside(layer) for layer in Mvtu.among(dataflow.layers) if layer.name in names)


def external_candidates(dataflow: Dataflow) -> list[Mvtu]:
    """The layers whose weights may come from outside, those with the most weight bits first."""
    found = [layer for layer in Mvtu.among(dataflow.layers) if layer.scales is None]
    return sorted(found, key=lambda layer: -layer.weights.size * layer.weight.bits)


def from_outside(layer: Mvtu) -> Mvtu:
    """The layer with its weights from outside. Raises InputError where they are writable."""
    if layer.storage != ROM:
        raise InputError(f"{layer.name}: its weights cannot be both writable and external; leave it out of one of them")
    return replace(layer, storage=EXTERNAL)
