"""Some layers of a build against their golden words: a unit of work, here or on another machine.

A task can be pickled and holds no path: whoever runs it says where the files of the build are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from headrace.dataflow.external import replayed_weights
from headrace.dataflow.graph import Placed, Port
from headrace.dataflow.vectors import Vectors
from headrace.errors import MismatchError
from headrace.layers.base import Layer
from headrace.packing import Bytes
from headrace.simulation import csim, rtl
from headrace.simulation.compare import first_difference, passed_difference
from headrace.simulation.harness import Passed

#: A layer by its place in the network, and what is wrong with it; None where nothing is.
Verdict = tuple[int, str | None]


@dataclass(frozen=True, eq=False)
class Task:
    """Layers that are compared together.

    groups: places of layers; those of a group differ in nothing but what their memories hold. items: the layers by
    their places. words: the golden words (frames * words, bytes) of their streams.
    """

    engine: Literal["rtl", "hls"]
    groups: tuple[tuple[int, ...], ...]
    items: Mapping[int, Placed]
    words: Mapping[Port, Bytes]
    frames: int

    @classmethod
    def of(cls, engine: Literal["rtl", "hls"], groups: Sequence[Sequence[int]], vectors: Vectors) -> Task:
        """The task of groups of layers of a network."""
        items = {index: vectors.dataflow.placed[index] for group in groups for index in group}
        ports = {port for item in items.values() for port in (*item.sources, *_outputs(item.layer))}
        return cls(engine, tuple(map(tuple, groups)), items, {port: vectors.words[port] for port in ports},
                   len(vectors))

    def files(self, sources: Path) -> list[Path]:
        """What it reads of the folder `sources`: a build's rtl; C++ is compiled from what is known of the layers."""
        return rtl.layer_files(sources, [item.layer for item in self.items.values()]) if self.engine == "rtl" else []

    def run(self, sources: Path, work: Path) -> Iterator[Verdict]:
        """Compare the layers. sources: a folder with `files`; work: an empty one. Raises ToolError as the engines."""
        work.mkdir(parents=True, exist_ok=True)
        return _Models(self, sources, work).verdicts() if self.engine == "rtl" else self._run_programs(work)

    def difference(self, index: int, outputs: Sequence[Passed]) -> str | None:
        """What differs first in what passed the outputs of a layer."""
        layer = self.items[index].layer
        found = (passed_difference(port, stream, self.words[port], passed) for port, stream, passed
                 in zip(_outputs(layer), layer.outputs, outputs, strict=True))
        return next((difference for difference in found if difference), None)

    def _run_programs(self, work: Path) -> Iterator[Verdict]:
        programs = csim.compile_layers([item.layer for item in self.items.values()], work)
        for place, (index, item) in enumerate(self.items.items()):
            yield index, self._program_complaint(programs, place, item)

    def _program_complaint(self, programs: csim.LayersCSim, place: int, item: Placed) -> str | None:
        layer = item.layer
        inputs: list[Bytes] = [self.words[port] for port in item.sources]
        try:
            written = programs.run(place, (*inputs, replayed_weights(layer, self.frames)), self.frames)
        except MismatchError as error:
            return f"{layer.name} by itself: {error}"
        for port, stream, got in zip(_outputs(layer), layer.outputs, written, strict=True):
            if self.words[port].tobytes() != got.tobytes():
                return first_difference(port, stream, self.words[port], got)
        return None


def _outputs(layer: Layer) -> list[Port]:
    return [(layer.name, k) for k in range(len(layer.outputs))]


class _Models:
    """One model of different layers side by side, and for each the layers of the network that are like it."""

    def __init__(self, task: Task, sources: Path, work: Path) -> None:
        self.task, self.sources, self.work = task, sources, work
        self.model = rtl.compile_built_layers(sources, [self._layer(group[0]) for group in task.groups], work)

    def verdicts(self) -> Iterator[Verdict]:
        """What is wrong with every layer."""
        groups = self.task.groups
        for turn in range(max(map(len, groups))):
            chosen = [group[min(turn, len(group) - 1)] for group in groups]
            folder = self.work / f"run{turn}"
            rtl.link_memories(self.sources, [self._layer(index) for index in chosen], folder)
            model = replace(self.model, folder=folder)
            runs = {place: index for place, index in enumerate(chosen) if turn < len(groups[place])}
            try:
                yield from self._run(model, runs)
            except MismatchError:  # one of them stops or breaks a rule: which one?
                for place, index in runs.items():
                    yield from self._run_alone(model, place, index)

    def _run_alone(self, model: rtl.RtlModel, place: int, index: int) -> list[Verdict]:
        try:
            return self._run(model, {place: index})
        except MismatchError as error:
            name = self._layer(index).name
            return [(index, f"{name} by itself: "
                            f"{str(error).removeprefix('RTL: ').replace(f'layer{place}_', f'{name}_')}")]

    def _run(self, model: rtl.RtlModel, runs: Mapping[int, int]) -> list[Verdict]:
        """Run layers at their places in the model at once."""
        inputs: dict[str, Bytes] = {}
        expected: dict[str, Bytes] = {}
        for place, index in runs.items():
            item = self.task.items[index]
            inputs |= {rtl.layer_source(place, k): self.task.words[port] for k, port in enumerate(item.sources)}
            if item.layer.weight_stream:
                inputs[rtl.layer_weights(place)] = replayed_weights(item.layer, self.task.frames)
            expected |= {rtl.layer_sink(place, k): self.task.words[port] for k, port in enumerate(_outputs(item.layer))}
        passed = model.compare(inputs, expected)
        return [(index, self.task.difference(index, [passed[rtl.layer_sink(place, k)] for k in range(
            len(self._layer(index).outputs))])) for place, index in runs.items()]

    def _layer(self, index: int) -> Layer:
        return self.task.items[index].layer
