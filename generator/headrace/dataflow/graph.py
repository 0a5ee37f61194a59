"""Dataflow: the graph of streaming layers that both back ends render, every edge a typed Stream."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from headrace.datatypes import IntArray
from headrace.errors import InputError
from headrace.layers.base import Layer
from headrace.layers.stream import Stream
from headrace.memory import PRICES, Prices

#: A stream by its producer: (layer name, output index); the network's input is (SOURCE, 0).
Port = tuple[str, int]
SOURCE = "s_axis"


@dataclass(frozen=True, eq=False)
class Placed:
    """A layer and the streams that it reads."""

    layer: Layer
    sources: tuple[Port, ...]


@dataclass(frozen=True, eq=False)
class Dataflow:
    """Layers in topological order; one input stream, one output stream (the last layer's only output).

    Verified on construction: types, lanes and words agree on every edge, every stream has exactly one reader, and
    hardware can count what there is.
    """

    input: Stream
    placed: tuple[Placed, ...]

    def __post_init__(self) -> None:
        open_ports: dict[Port, Stream] = {(SOURCE, 0): self.input}
        for item in self.placed:
            name = item.layer.name
            item.layer.require_native()
            if any(port[0] == name for port in open_ports):
                raise InputError(f"{name}: two layers have this name; rename one")
            for port, wanted in zip(item.sources, item.layer.inputs, strict=True):
                stream = open_ports.pop(port, None)
                if stream is None:
                    raise InputError(f"{name}: reads {port}, which does not exist or already has a reader")
                if stream != wanted:
                    raise InputError(f"{name}: wants {wanted} but {port[0]} gives {stream}")
            open_ports |= {(name, k): stream for k, stream in enumerate(item.layer.outputs)}
        if set(open_ports) != {self.output_port}:
            raise InputError(f"streams {sorted(set(open_ports) - {self.output_port})} have no reader")

    @property
    def prices(self) -> Prices:
        """Of the device: all layers have the same."""
        return self.placed[0].layer.prices if self.placed else PRICES

    @cached_property
    def layers(self) -> tuple[Layer, ...]:
        """The layers in topological order."""
        return tuple(item.layer for item in self.placed)

    @property
    def fifos(self) -> tuple[Placed, ...]:
        """The layers that only make their streams deeper, in the order of the port fifo_marks."""
        return tuple(item for item in self.placed if item.layer.stream_depth is not None)

    def with_layers(self, layers: Iterable[Layer]) -> Dataflow:
        """The same graph with some layers replaced by those of the same name."""
        changed = {layer.name: layer for layer in layers}
        placed = tuple(Placed(changed.get(item.layer.name, item.layer), item.sources) for item in self.placed)
        return Dataflow(self.input, placed)

    @property
    def output_port(self) -> Port:
        """The port that leaves the network."""
        return (self.placed[-1].layer.name, 0) if self.placed else (SOURCE, 0)

    @cached_property
    def streams(self) -> Mapping[Port, Stream]:
        """Every stream by its producer, the network's input first."""
        made = {(item.layer.name, k): s for item in self.placed for k, s in enumerate(item.layer.outputs)}
        return {(SOURCE, 0): self.input, **made}

    def golden(self, x: IntArray) -> dict[Port, IntArray]:
        """Values on every stream, layer by layer. x: (frames, elements) -> port: (frames, elements)."""
        values: dict[Port, IntArray] = {(SOURCE, 0): x}
        for item in self.placed:
            y = item.layer.golden(*(values[port] for port in item.sources))
            values |= {(item.layer.name, k): y for k in range(len(item.layer.outputs))}
        return values

    @property
    def cycles_per_frame(self) -> int:
        """Steady-state cycles per frame of the slowest layer."""
        return max(layer.cycles for layer in self.layers)
