"""Every layer of a build against its golden words by itself: no model of the whole network, no frame through all of it.

What joins the layers is not looked at: the wires between them, the depths of FIFOs, who waits for whom.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from headrace.area.estimate import estimate
from headrace.dataflow.external import replayed_weights
from headrace.dataflow.graph import Placed
from headrace.dataflow.vectors import Vectors
from headrace.errors import MismatchError
from headrace.packing import Bytes
from headrace.simulation import csim, rtl
from headrace.simulation.compare import first_difference, passed_difference
from headrace.simulation.harness import Passed
from headrace.simulation.memories import require_hls_memories
from headrace.simulation.remaining import Progress, remaining

#: Complaints by the place of a layer in the network; empty ones too.
_Found = dict[int, str | None]
_Item = TypeVar("_Item")
#: Estimated LUTs of the layers in one model: it is compiled in seconds.
_BATCH_LUTS = 4000


def verify_rtl_layers(folder: Path, vectors: Vectors, work: Path, progress: Progress = lambda _: None) -> None:
    """Compare every layer in the SystemVerilog of `folder`/rtl on the frames of `vectors`.

    Layers that differ in nothing but the contents of their memories are compiled once, small ones in one model.
    work: an empty folder. Raises MismatchError at the first layer that differs, stops or breaks a rule of its streams.
    """
    placed = vectors.dataflow.placed
    alike: dict[object, list[int]] = {}
    for index, item in enumerate(placed):
        alike.setdefault(rtl.hardware_of(item.layer), []).append(index)
    batches = _batches(list(alike.values()), placed)
    done = _counted(len(placed), f"verifying {len(placed)} layers of RTL, {len(alike)} different ones", progress)

    def verify(number: int) -> _Found:
        batch = _Batch(folder / "rtl", vectors, batches[number], work / f"batch{number}")
        return {index: done(complaint) for index, complaint in batch.complaints()}

    _raise_first("RTL", _in_parallel(verify, range(len(batches))))


def _batches(alike: Sequence[Sequence[int]], placed: Sequence[Placed]) -> list[list[Sequence[int]]]:
    """Groups of layers that are alike, put together where they are small."""
    batches: list[list[Sequence[int]]] = []
    luts = float("inf")
    for group in alike:
        own = estimate(placed[group[0]].layer).all_luts
        if luts + own > _BATCH_LUTS:
            batches.append([])
            luts = 0
        batches[-1].append(group)
        luts += own
    return batches


def verify_hls_layers(folder: Path, vectors: Vectors, work: Path, progress: Progress = lambda _: None) -> None:
    """Compare every layer's C++, and the memories in `folder`/hls with the network's.

    work: an empty folder. Raises MismatchError as verify_rtl_layers does.
    """
    dataflow = vectors.dataflow
    require_hls_memories(folder / "hls", dataflow)
    placed = dict(enumerate(dataflow.placed))
    programs = csim.compile_layers(dataflow.layers, work, progress)
    done = _counted(len(placed), f"verifying {len(placed)} layers of HLS", progress)

    def verify(index: int) -> _Found:
        return {index: done(_hls_complaint(programs, vectors, placed[index], index))}

    _raise_first("HLS", _in_parallel(verify, list(placed)))


class _Batch:
    """One model of different layers side by side, and for each the layers of the network that are like it."""

    def __init__(self, sources: Path, vectors: Vectors, groups: Sequence[Sequence[int]], work: Path) -> None:
        work.mkdir(parents=True)
        self.sources, self.vectors, self.groups, self.work = sources, vectors, groups, work
        self.model = rtl.compile_built_layers(sources, [self._item(group[0]).layer for group in groups], work)

    def complaints(self) -> Iterator[tuple[int, str | None]]:
        """What is wrong with every layer, by its place; None where nothing is."""
        for turn in range(max(map(len, self.groups))):
            chosen = [group[min(turn, len(group) - 1)] for group in self.groups]
            folder = self.work / f"run{turn}"
            rtl.link_memories(self.sources, [self._item(index).layer for index in chosen], folder)
            model = replace(self.model, folder=folder)
            runs = {place: index for place, index in enumerate(chosen) if turn < len(self.groups[place])}
            try:
                yield from self._run(model, runs)
            except MismatchError:  # one of them stops or breaks a rule: which one?
                for place, index in runs.items():
                    yield from self._run_alone(model, place, index)

    def _run_alone(self, model: rtl.RtlModel, place: int, index: int) -> list[tuple[int, str | None]]:
        try:
            return self._run(model, {place: index})
        except MismatchError as error:
            name = self._item(index).layer.name
            return [(index, f"{name} by itself: "
                            f"{str(error).removeprefix('RTL: ').replace(f'layer{place}_', f'{name}_')}")]

    def _run(self, model: rtl.RtlModel, runs: Mapping[int, int]) -> list[tuple[int, str | None]]:
        """Run layers at their places in the model at once."""
        inputs: dict[str, Bytes] = {}
        expected: dict[str, Bytes] = {}
        words = self.vectors.words
        for place, index in runs.items():
            item = self._item(index)
            inputs |= {rtl.layer_source(place, k): words[port] for k, port in enumerate(item.sources)}
            if item.layer.weight_stream:
                inputs[rtl.layer_weights(place)] = replayed_weights(item.layer, len(self.vectors))
            expected |= {rtl.layer_sink(place, k): words[item.layer.name, k] for k in range(len(item.layer.outputs))}
        passed = model.compare(inputs, expected)
        return [(index, self._difference(place, index, passed)) for place, index in runs.items()]

    def _difference(self, place: int, index: int, passed: Mapping[str, Passed]) -> str | None:
        layer = self._item(index).layer
        found = (passed_difference((layer.name, k), stream, self.vectors.words[layer.name, k],
                                   passed[rtl.layer_sink(place, k)]) for k, stream in enumerate(layer.outputs))
        return next((difference for difference in found if difference), None)

    def _item(self, index: int) -> Placed:
        return self.vectors.dataflow.placed[index]


def _hls_complaint(programs: csim.LayersCSim, vectors: Vectors, item: Placed, index: int) -> str | None:
    layer, frames = item.layer, len(vectors)
    inputs: list[Bytes] = [vectors.words[port] for port in item.sources]
    try:
        written = programs.run(index, (*inputs, replayed_weights(layer, frames)), frames)
    except MismatchError as error:
        return f"{layer.name} by itself: {error}"
    for k, (stream, got) in enumerate(zip(layer.outputs, written, strict=True)):
        want = vectors.words[layer.name, k]
        if want.tobytes() != got.tobytes():
            return first_difference((layer.name, k), stream, want, got)
    return None


def _counted(total: int, what: str, progress: Progress) -> Callable[[str | None], str | None]:
    """Hands on what is said of each of so many layers, and tells how many there were."""
    done, count = remaining(what, progress), 0

    def counted(complaint: str | None) -> str | None:
        nonlocal count
        count += 1
        done(count / total)
        return complaint

    return counted


def _in_parallel(verify: Callable[[_Item], _Found], items: Sequence[_Item]) -> _Found:
    found: _Found = {}
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        running = [pool.submit(verify, item) for item in items]
        try:
            for result in running:
                found |= result.result()
        except BaseException:  # a failure or a signal: what has not begun does not begin
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return found


def _raise_first(engine: str, found: _Found) -> None:
    """Raise MismatchError with the complaint about the layer that comes first in the network, if there is one."""
    complaints = [complaint for _, complaint in sorted(found.items()) if complaint]
    if complaints:
        raise MismatchError(f"{engine}: {complaints[0]}")
