"""A dataflow as the C++ has it: processes with one loop each, and the streams between them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from headrace.dataflow.graph import SOURCE, Dataflow, Placed, Port
from headrace.layers.base import Layer
from headrace.layers.hls import HlsProcess
from headrace.layers.stream import Stream


@dataclass(frozen=True, eq=False)
class PlacedProcess:
    """A process of a layer, and the streams that it reads and writes, in the order of its masks."""

    layer: Layer
    process: HlsProcess
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]


@dataclass(frozen=True, eq=False)
class HlsGraph:
    """Streams in the order in which they are declared, and processes in that of the data.

    A stream has the port of its producer in the dataflow; those between the processes of a layer are its ports -1, -2
    and so on, called as in `inner`.
    """

    streams: Mapping[Port, Stream]
    inner: Mapping[Port, str]
    processes: tuple[PlacedProcess, ...]
    source: Port
    sink: Port

    @property
    def words(self) -> int:
        """Words per frame on all streams."""
        return sum(stream.words for stream in self.streams.values())


def carriers(dataflow: Dataflow) -> dict[Port, Port]:
    """For every stream of the dataflow the one that carries it in C++: a FIFO is not a process but a deeper stream."""
    found: dict[Port, Port] = {(SOURCE, 0): (SOURCE, 0)}
    for item in dataflow.placed:
        ports = [(item.layer.name, k) for k in range(len(item.layer.outputs))]
        found |= {port: port if item.layer.stream_depth is None else found[item.sources[0]] for port in ports}
    return found


def hls_graph(dataflow: Dataflow) -> HlsGraph:
    """The processes and streams of a dataflow."""
    carried = carriers(dataflow)
    streams = {port: dataflow.streams[port] for port in dict.fromkeys(carried.values())}
    inner: dict[Port, str] = {}
    processes: list[PlacedProcess] = []
    for item in dataflow.placed:
        if item.layer.stream_depth is None:
            names = _ports(item, carried)
            form = item.layer.hls
            inner |= {names[name]: name for name in form.streams}
            streams |= {names[name]: stream for name, stream in form.streams.items()}
            processes += [PlacedProcess(item.layer, process, tuple(names[name] for name in process.inputs),
                                        tuple(names[name] for name in process.outputs)) for process in form.processes]
    return HlsGraph(streams, inner, tuple(processes), (SOURCE, 0), carried[dataflow.output_port])


def _ports(item: Placed, carried: Mapping[Port, Port]) -> dict[str, Port]:
    """The ports of a layer by the names that its processes call them."""
    return dict(_named(item, carried))


def _named(item: Placed, carried: Mapping[Port, Port]) -> Iterator[tuple[str, Port]]:
    name = item.layer.name
    for k, source in enumerate(item.sources):
        yield f"in{k}", carried[source]
    for k in range(len(item.layer.outputs)):
        yield f"out{k}", (name, k)
    for k, stream in enumerate(item.layer.hls.streams):
        yield stream, (name, -1 - k)
