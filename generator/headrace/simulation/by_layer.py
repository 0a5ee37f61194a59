"""Every layer of a build against its golden words by itself: no model of the whole network, no frame through all of it.

What joins the layers is not looked at: the wires between them, the depths of FIFOs, who waits for whom.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from headrace.area.estimate import estimate
from headrace.dataflow.graph import Placed
from headrace.dataflow.vectors import Vectors
from headrace.errors import MismatchError
from headrace.simulation import csim, rtl
from headrace.simulation.layer_task import Task, Verdict
from headrace.simulation.memories import require_hls_memories
from headrace.simulation.remaining import Progress, remaining

#: Estimated LUTs of the layers in one model: it is compiled in seconds.
_BATCH_LUTS = 4000


@dataclass(frozen=True)
class Spread:
    """Who runs the tasks. run: takes them, the folder of their files and an empty one, and gives verdicts as they come.

    where: what build.json says of it, "" for this machine.
    """

    run: Callable[[Sequence[Task], Path, Path], Iterator[Verdict]]
    where: str = ""


def _in_threads(tasks: Sequence[Task], sources: Path, work: Path) -> Iterator[Verdict]:
    """Tasks side by side, one for every processor."""
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        running = [pool.submit(lambda number: list(tasks[number].run(sources, work / f"task{number}")), number)
                   for number in range(len(tasks))]
        try:
            for result in as_completed(running):
                yield from result.result()
        except BaseException:  # a failure or a signal: what has not begun does not begin
            pool.shutdown(wait=False, cancel_futures=True)
            raise


HERE = Spread(_in_threads)


def verify_rtl_layers(folder: Path, vectors: Vectors, work: Path, progress: Progress = lambda _: None,
                      spread: Spread = HERE) -> None:
    """Compare every layer in the SystemVerilog of `folder`/rtl on the frames of `vectors`.

    Layers that differ in nothing but the contents of their memories are compiled once, small ones in one model.
    work: an empty folder. Raises MismatchError at the first layer that differs, stops or breaks a rule of its streams.
    """
    placed = vectors.dataflow.placed
    alike: dict[object, list[int]] = {}
    for index, item in enumerate(placed):
        alike.setdefault(rtl.hardware_of(item.layer), []).append(index)
    tasks = [Task.of("rtl", groups, vectors) for groups in _batches(list(alike.values()), placed)]
    what = f"verifying {len(placed)} layers of RTL, {len(alike)} different ones"
    _require("RTL", spread.run(tasks, folder / "rtl", work), len(placed), what, progress)


def verify_hls_layers(folder: Path, vectors: Vectors, work: Path, progress: Progress = lambda _: None,
                      spread: Spread = HERE) -> None:
    """Compare every layer's C++, and the memories in `folder`/hls with the network's.

    work: an empty folder. Raises MismatchError as verify_rtl_layers does.
    """
    require_hls_memories(folder / "hls", vectors.dataflow)
    count = len(vectors.dataflow.placed)
    programs = -(-count // csim.LAYERS_PER_UNIT)
    tasks = [Task.of("hls", [[place] for place in range(first, count, programs)], vectors) for first in range(programs)]
    _require("HLS", spread.run(tasks, folder / "hls", work), count, f"verifying {count} layers of HLS", progress)


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


def _require(engine: str, verdicts: Iterator[Verdict], total: int, what: str, progress: Progress) -> None:
    """Raise MismatchError with the complaint about the layer that comes first in the network, if there is one."""
    done, found = remaining(what, progress), dict[int, str | None]()
    for index, complaint in verdicts:
        found[index] = complaint
        done(len(found) / total)
    if len(found) != total:
        raise MismatchError(f"{engine}: {total - len(found)} layers were not compared; report this as a defect")
    complaints = [complaint for _, complaint in sorted(found.items()) if complaint]
    if complaints:
        raise MismatchError(f"{engine}: {complaints[0]}")
