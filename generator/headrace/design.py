"""Recipe and Design: all that decides which hardware an integer network becomes, and that hardware."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from headrace.area.estimate import estimate
from headrace.area.usage import Resources, total
from headrace.board.board import Board
from headrace.dataflow.buffers import buffers_in_uram, buffers_to_move
from headrace.dataflow.choose_cores import Cores, choose_cores, with_core
from headrace.dataflow.fold import Folding, fold
from headrace.dataflow.graph import Dataflow
from headrace.dataflow.insert_fifos import insert_fifos
from headrace.dataflow.lower import lower
from headrace.dataflow.make_external import from_outside, make_external
from headrace.dataflow.make_writable import Writable, make_writable
from headrace.dataflow.resets import reset_registers
from headrace.layers import Fifo
from headrace.layers.base import Layer
from headrace.layers.mvtu import Mvtu
from headrace.layers.weighted import WeightedLayer
from headrace.memory import PRICES, Prices
from headrace.network.integer import IntegerNetwork
from headrace.padding.folds import padded_for
from headrace.progress import Step
from headrace.timing.fifo_sizing import Sizing, size_fifos
from headrace.timing.hls_fifo_sizing import HlsSizing
from headrace.timing.word_times import estimated_fifos

Fifos = Literal["exact", "safe"]
#: Those of a plan may also be estimated.
PlannedFifos = Literal["exact", "safe", "estimated"]

#: Seconds that the streams of a layer's C++ take to be sized.
_STREAM_S = 0.1


@dataclass(frozen=True)
class AsBuilt:
    """Gives a layer the core and the memories that it is built with.

    A value: requests that ask for the same share what is found for it.
    """

    cores: tuple[tuple[str, str], ...]
    writable: tuple[tuple[str, str], ...]
    external: frozenset[str]
    prices: Prices

    def __call__(self, layer: Layer) -> Layer:
        """The layer as it is built. Raises InputError where core and memories contradict each other."""
        layer = layer.priced(self.prices)
        writable = dict(self.writable)
        for weighted in WeightedLayer.among([layer]):
            cored = with_core(weighted, dict(self.cores))
            layer = cored.written_to(writable[layer.name]) if layer.name in writable else cored
        for unit in Mvtu.among([layer]):
            layer = from_outside(unit) if layer.name in self.external else layer
        return layer


@dataclass(frozen=True, eq=False)
class Recipe:
    """Folds by layer, compute cores, layers whose weights are writable or come from outside, depths of FIFOs by name.

    cores: by layer name, or "*" for all; the others are chosen by cost. depths: those that are not given are sized.
    prices: of the device, for what is chosen by cost. fifos: "exact" for the smallest depths, "safe" for large ones,
    known at once. buffers: windows and FIFOs whose words lie in UltraRAM.
    """

    folding: Folding = field(default_factory=dict)
    cores: Cores = field(default_factory=dict)
    writable: Writable = field(default_factory=dict)
    external: tuple[str, ...] = ()
    depths: Mapping[str, int] = field(default_factory=dict)
    prices: Prices = PRICES
    fifos: Fifos = "exact"
    buffers: tuple[str, ...] = ()

    def record(self) -> dict[str, Any]:
        """The recipe as build.json holds it."""
        return {"folding": {name: dict(folds) for name, folds in self.folding.items()}, "cores": dict(self.cores),
                "writable": dict(self.writable), "external": list(self.external), "depths": dict(self.depths),
                "prices": asdict(self.prices), "fifos": self.fifos,
                **({"buffers": list(self.buffers)} if self.buffers else {})}

    @classmethod
    def of_record(cls, record: Mapping[str, Any]) -> Recipe:
        """What `record` gave. Raises KeyError or TypeError for anything else."""
        return cls(record["folding"], record["cores"], record["writable"], tuple(record["external"]), record["depths"],
                   Prices(**record.get("prices", {})), record.get("fifos", "exact"), tuple(record.get("buffers", ())))

    @property
    def as_built(self) -> AsBuilt:
        """What becomes of a layer before it is built."""
        return AsBuilt(tuple(sorted(self.cores.items())), tuple(sorted(self.writable.items())),
                       frozenset(self.external), self.prices)


@dataclass(frozen=True, eq=False)
class Design:
    """The hardware of a network, how deep its FIFOs are and why, and the recipe with the depths of all of them."""

    dataflow: Dataflow
    sizing: Sizing
    recipe: Recipe
    #: The streams of the C++, where that is built.
    hls: HlsSizing | None = None

    @property
    def cycles_per_frame(self) -> int:
        """Cycles per frame of the slower of the back ends that are built."""
        return max(self.sizing.cycles_per_frame, self.hls.cycles_per_frame if self.hls else 0)

    def within(self, room: Board) -> Design:
        """The design with words of windows and FIFOs in UltraRAM where block RAM is short and that helps."""
        if not (moved := buffers_to_move(self.dataflow, room.bram36, room.uram)):
            return self
        recipe = replace(self.recipe, buffers=(*self.recipe.buffers, *moved))
        return replace(self, dataflow=buffers_in_uram(self.dataflow, moved), recipe=recipe)


def elaborate(net: IntegerNetwork, recipe: Recipe, hls: bool = False,
              progress: Callable[[str], None] = lambda _: None, estimate_fifos: bool = False) -> Design:
    """The hardware of an integer network: layers with their compute cores, width converters and FIFOs.

    hls: size the streams of the C++ too. progress is told how the sizing of FIFOs goes on. estimate_fifos: of what is
    planned, not built.
    Depths of FIFOs that the recipe gives are kept, the others sized. Raises FoldingError if they let it stop,
    InputError for a core that does not serve its layer, or a layer whose weights cannot be writable or external.
    """
    layers = folded(net, recipe)
    exact = recipe.fifos == "exact"
    depths = dict(recipe.depths)
    sizing = estimated_fifos(layers, depths) if estimate_fifos else size_fifos(layers, depths, exact, progress)
    dataflow = buffers_in_uram(insert_fifos(layers, sizing.depths), recipe.buffers)
    depths = {layer.name: layer.depth for layer in Fifo.among(dataflow.layers)}
    if hls:
        progress(Step("sizing the streams of the C++", seconds=_STREAM_S * len(dataflow.layers)))
    streams = HlsSizing.of(layers, recipe.depths, exact) if hls else None
    found: Fifos = "exact" if sizing.exact else "safe"  # a search that would take minutes ends with safe ones
    return Design(dataflow, sizing, replace(recipe, depths=depths, fifos=found), streams)


def folded(net: IntegerNetwork, recipe: Recipe) -> Dataflow:
    """The hardware of an integer network without FIFOs, with the channels that its folding names."""
    net, folding = padded_for(net, recipe.folding)
    layers = fold(make_writable(lower(net), recipe.writable), folding)
    layers = choose_cores(layers.with_layers(layer.priced(recipe.prices) for layer in layers.layers), recipe.cores)
    return buffers_in_uram(make_external(layers, recipe.external), recipe.buffers)


def with_fifos(net: IntegerNetwork, recipe: Recipe) -> Dataflow:
    """The hardware of an integer network by the recipe of a Design, which has the depths of all FIFOs."""
    return buffers_in_uram(insert_fifos(folded(net, recipe), recipe.depths), recipe.buffers)


def estimated(dataflow: Dataflow) -> Resources:
    """The estimate of all layers together, with their resets."""
    return total([*(estimate(layer) for layer in dataflow.layers), reset_registers(dataflow)])
