"""Design: the hardware of an integer network at a folding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from headrace.area.estimate import estimate
from headrace.area.usage import Resources, total
from headrace.dataflow.choose_cores import Cores, choose_cores
from headrace.dataflow.fold import Folding, fold
from headrace.dataflow.graph import Dataflow
from headrace.dataflow.insert_fifos import insert_fifos
from headrace.dataflow.lower import lower
from headrace.dataflow.make_external import make_external
from headrace.dataflow.make_writable import Writable, make_writable
from headrace.folding.plan import given_depths
from headrace.network.integer import IntegerNetwork
from headrace.timing.fifo_sizing import Sizing, size_fifos


@dataclass(frozen=True, eq=False)
class Design:
    """The hardware of a network, and how deep its FIFOs are and why."""

    dataflow: Dataflow
    sizing: Sizing


def elaborate(net: IntegerNetwork, folding: Folding, cores: Cores, writable: Writable | None = None,
              external: Sequence[str] = ()) -> Design:
    """The hardware of an integer network at a folding: layers with their compute cores, width converters and FIFOs.

    Depths of FIFOs that the folding gives are kept, the others sized. Raises FoldingError if they let it stop,
    InputError for a core that does not serve its layer, or a layer whose weights cannot be writable or external.
    """
    layers = folded(net, folding, cores, writable or {}, external)
    sizing = size_fifos(layers, given_depths(folding))
    return Design(insert_fifos(layers, sizing.depths), sizing)


def folded(net: IntegerNetwork, folding: Folding, cores: Cores, writable: Writable,
           external: Sequence[str]) -> Dataflow:
    """The hardware of an integer network without FIFOs."""
    return make_external(make_writable(choose_cores(fold(lower(net), folding), cores), writable), external)


def estimated(dataflow: Dataflow) -> Resources:
    """The estimate of all layers together."""
    return total([estimate(layer) for layer in dataflow.layers])
