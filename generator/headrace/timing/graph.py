"""A dataflow as the cycle model's C++ reads it: whole numbers, and the header that says what they mean.

The header is made of the dataclasses of layers/flow.py: their order numbers the kinds, their fields are those of the
structs. A field that is renamed there and not in the C++ does not compile; one that moves, moves on both sides.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from typing import NamedTuple, get_args

import numpy as np

from headrace.dataflow.graph import SOURCE, Dataflow, Placed, Port
from headrace.datatypes import IntArray
from headrace.layers.base import Layer
from headrace.layers.flow import Buffer, Flow, Pipeline, Queue, Ring, Selection, Window
from headrace.layers.phases import Phases, Step

_KINDS: tuple[type, ...] = get_args(Flow)
#: What the header leaves out: arrays follow the numbers, and the model needs no release_cycles.
_BUFFER = ("words", "depth", "overlaps")


class Row(NamedTuple):
    """A step of a program, or a loop: `repeats` times what lies before the row `end`. source: -1 for all inputs."""

    repeats: int
    reads: int
    writes: int
    source: int
    end: int


def flow_header() -> str:
    """The C++ header `flow.hpp`: the enumeration of the kinds and a struct for each that has numbers."""
    kinds = ", ".join(f"k{kind.__name__}" for kind in _KINDS)
    structs = {kind.__name__: _scalars(kind) for kind in _KINDS} | {"Buffer": _BUFFER, "Row": Row._fields}
    lines = [f"struct {name}Fields {{ int64_t {', '.join(names)}; }};" for name, names in structs.items() if names]
    return "\n".join(["#pragma once", "#include <cstdint>", "namespace cycles {",
                      f"enum Kind : int64_t {{ {kinds} }};", *lines, "}", ""])


class Components:
    """The numbers of layers' components, each found once for all graphs. bare: pipelines hold no word."""

    def __init__(self, bare: bool = False) -> None:
        self._bare = bare
        self._known: dict[str, tuple[int, IntArray]] = {}

    def of(self, layer: Layer) -> tuple[int, IntArray]:
        """The number of a layer's kind, and its own numbers."""
        if layer.name not in self._known:
            kind = _KINDS.index(type(layer.schedule().control))
            self._known[layer.name] = kind, _component(layer, self._bare)
        return self._known[layer.name]


def graph(dataflow: Dataflow, edges: Mapping[Port, int], components: Components) -> IntArray:
    """The numbers of a dataflow whose streams have the numbers `edges`.

    Number of streams, words per frame of the first stream, index of the last one and its words, number of components;
    then every component: kind, number of inputs and their streams, number of outputs and theirs, its own numbers.
    """
    output = dataflow.output_port
    head = [len(edges), dataflow.input.words, edges[output], dataflow.streams[output].words, len(dataflow.placed)]
    parts = [np.array(head, np.int64)]
    for item in in_chains(dataflow):
        ports = [*_counted(edges[port] for port in item.sources),
                 *_counted(edges[item.layer.name, k] for k in range(len(item.layer.outputs)))]
        kind, numbers = components.of(item.layer)
        parts += [np.array([kind, *ports], np.int64), numbers]
    return np.concatenate(parts)


def in_chains(dataflow: Dataflow) -> list[Placed]:
    """The layers in topological order, each one followed by the reader of its last output wherever that can be.

    So branches do not lie between each other, which makes the model faster.
    """
    readers = {port: item for item in dataflow.placed for port in item.sources}
    missing = {item.layer.name: len(item.sources) for item in dataflow.placed}
    order: list[Placed] = []
    open_ports: list[Port] = [(SOURCE, 0)]
    while open_ports:
        item = readers.get(open_ports.pop())
        if item is None:
            continue
        missing[item.layer.name] -= 1
        if not missing[item.layer.name]:
            order.append(item)
            open_ports += [(item.layer.name, k) for k in range(len(item.layer.outputs))]
    return order


def _scalars(kind: type) -> tuple[str, ...]:
    """Fields that are numbers of the graph; the depths of FIFOs are given beside it."""
    return () if kind is Queue else tuple(field.name for field in fields(kind) if field.name != "buffer")


def _counted(numbers: Iterable[int]) -> list[int]:
    items = list(numbers)
    return [len(items), *items]


def _component(layer: Layer, bare: bool) -> IntArray:
    """The numbers of a layer's component: those of its struct, then rows of steps, a buffer or the words of a frame."""
    schedule = layer.schedule()
    control = schedule.control
    if bare and isinstance(control, Window):
        control = replace(control, stages=0)
    if bare and isinstance(control, Pipeline):  # what a spaced slice lets go on is known one stage before it only
        control = replace(control, stages=0, spaced=False, single=control.single or control.spaced)
    numbers = np.array([int(getattr(control, name)) for name in _scalars(type(control))], np.int64)
    if isinstance(control, Pipeline):
        steps = _steps(schedule.phases)
        return np.concatenate([numbers, np.array([len(steps), *(number for row in steps for number in row)], np.int64)])
    if isinstance(control, Window | Ring):
        return np.concatenate([numbers, _circular_buffer(control.buffer)])
    return np.append(numbers, layer.inputs[0].words) if isinstance(control, Selection) else numbers


def _circular_buffer(buffer: Buffer) -> IntArray:
    """The numbers of its struct, taps and windows; the words that every tap needs, what every window keeps."""
    head = [*(int(getattr(buffer, name)) for name in _BUFFER), buffer.needed.shape[1], len(buffer.kept)]
    needed = np.maximum(buffer.needed, 0).reshape(-1) + 1
    return np.concatenate([np.array(head, np.int64), needed, buffer.kept])


def _steps(phases: Phases, start: int = 0) -> list[Row]:
    """The rows of a frame. start: index of the first one."""
    rows: list[Row] = []
    for phase in phases:
        if isinstance(phase, Step):
            if phase.repeats:
                source = -1 if phase.source is None else phase.source
                rows.append(Row(phase.repeats, phase.reads, phase.writes, source, 0))
        elif body := _steps(phase.body, start + len(rows) + 1) if phase.times else []:
            rows += [Row(phase.times, 0, 0, -1, start + len(rows) + 1 + len(body)), *body]
    return rows
