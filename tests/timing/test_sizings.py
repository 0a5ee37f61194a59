"""What the searches for depths find in networks of many shapes, and how much they run for it: as it was.

Other tests tell that depths do, and that few are too large. Here every depth is compared with the one that was found
before, as it is a promise that the same network gives the same hardware, and the work of the searches with the work
that they needed. Who changes them on purpose writes the file anew and reads the difference:

    python -m tests.timing.test_sizings
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from headrace.dataflow.fold import fold
from headrace.dataflow.graph import Dataflow
from headrace.dataflow.insert_fifos import fifo_places, insert_fifos
from headrace.dataflow.lower import lower
from headrace.datatypes import int_type, uint_type
from headrace.folding.plan import solve_folding
from headrace.layers import Mvtu
from headrace.network.integer import Add, Concat, HostOutput, IntegerNetwork, MaxPool, Node, Op, Upsample
from headrace.timing import fifo_search, fifo_sizing, hls_fifo_sizing, paces
from headrace.timing.cycle_model import CycleModel
from headrace.timing.fifo_sizing import Sizing, size_fifos
from headrace.timing.hls_model import HlsModel
from headrace.timing.word_times import estimated_fifos
from tests.small_networks import host_input, random_conv, random_threshold

FILE = Path(__file__).with_name("sizings.json")
UINT2 = uint_type(2)
SIDE = 6


class Drawn:
    """A network in the making; every tensor has 2 or 4 channels of codes of two bits."""

    def __init__(self, seed: int) -> None:
        self.rng, self.nodes = np.random.default_rng(seed), list[Node]()
        self.channels, self.side = {"input": 2}, SIDE

    def add(self, op: Op, *sources: str, channels: int) -> str:
        name = f"n{len(self.nodes)}"
        self.nodes.append(Node(name, op, sources))
        self.channels[name] = channels
        return name

    def conv(self, source: str, channels: int, kernel: int) -> str:
        pad = (kernel // 2,) * 4
        made = self.add(random_conv(self.rng, (channels, kernel, kernel, self.channels[source]), int_type(2), pad),
                        source, channels=channels)
        return self.add(random_threshold(self.rng, channels, UINT2, 6), made, channels=channels)

    def branch(self, source: str, channels: int) -> str:
        for _ in range(self.rng.integers(1, 4)):
            source = self.conv(source, channels, int(self.rng.choice([1, 3, 3, 5])))
        return source

    def block(self, source: str) -> str:
        """A chain, a sum around one or of two, a concatenation, or a pooling and its reverse."""
        channels, kind = self.channels[source], int(self.rng.integers(5))
        if kind == 0:
            return self.branch(source, int(self.rng.choice([2, 4])))
        if kind == 4:
            small = self.add(MaxPool((2, 2), (2, 2)), source, channels=channels)
            return self.add(Upsample((2, 2)), self.conv(small, channels, 3), channels=channels)
        left, right = self.branch(source, channels), source if kind == 1 else self.branch(source, channels)
        if kind == 3:
            total = self.add(Concat(), left, right, channels=2 * channels)
            return self.conv(total, 2, 1)
        total = self.add(Add(), left, right, channels=channels)
        return self.add(random_threshold(self.rng, channels, UINT2, 4), total, channels=channels)


def drawn(seed: int, blocks: int, cycles: int) -> Dataflow:
    """So many blocks in a row; their convolutions are folded at random to about so many cycles per frame."""
    network, last = Drawn(seed), "input"
    for _ in range(blocks):
        last = network.block(last)
    shape = network.channels[last], SIDE, SIDE
    dataflow = lower(IntegerNetwork(host_input(SIDE, SIDE, 2, UINT2), tuple(network.nodes),
                                    HostOutput(shape, np.ones(shape[0]), np.zeros(shape[0]))))
    return fold(dataflow, {**solve_folding(dataflow, cycles), **{
        layer.name: folding(network.rng, layer, cycles) for layer in dataflow.layers if isinstance(layer, Mvtu)}})


def folding(rng: np.random.Generator, layer: Mvtu, cycles: int) -> dict[str, int]:
    """Any that takes no more than so many cycles, but more than half of them if there is one."""
    found = [(layer.vectors * layer.mh // pe * layer.mw // simd, pe, simd)
             for pe in divisors(layer.mh) for simd in divisors(layer.mw)]
    most = max((one for one, *_ in found if one <= cycles), default=min(found)[0])
    near = [(pe, simd) for one, pe, simd in found if most // 2 < one <= most]
    pe, simd = near[int(rng.integers(len(near)))]
    return {"pe": pe, "simd": simd}


def divisors(number: int) -> list[int]:
    return [k for k in range(1, number + 1) if number % k == 0]


#: Seed, blocks and cycles.
NETWORKS = [(2, 3, 80), (3, 3, 80), (5, 6, 324), (6, 3, 80), (7, 6, 80), (8, 6, 150)]
SMALL = [(6, 1, 80), (6, 1, 324), (7, 1, 150), (8, 1, 150)]
#: Bounds of effort that make a small network a large one.
LARGE = {paces: {"_LONG": 0}, fifo_search: {"_MANY": 25}, fifo_sizing: {"_MOST_TRIED": 0}}
TOO_LARGE = {**LARGE, paces: {"_LONG": 0, "_MOST_WORK": 60_000}}
LARGE_HLS = {hls_fifo_sizing: {"_LARGE": 0, "_MOST_TRIED": 0, "_MOST_MOVES": 60_000}}


@contextmanager
def runs(kind: type) -> Iterator[list[int]]:
    """One number, how often a model is run."""
    found, whole = [0], kind._simulate  # type: ignore[attr-defined]

    def simulate(self: object, *arguments: Any, **more: Any) -> Any:
        found[0] += 1
        return whole(self, *arguments, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kind, "_simulate", simulate)
        yield found


def some_given(dataflow: Dataflow) -> dict[str, int]:
    """Every third FIFO as the user may choose it: as deep as it need be, and a word more."""
    found = size_fifos(dataflow, exact=False).smallest
    return {name: found[name] + 1 for name in list(found)[::3]}


def sizing(dataflow: Dataflow, given: bool = False, exact: bool = True) -> dict[str, Any]:
    chosen = some_given(dataflow) if given else {}
    with runs(CycleModel) as count:
        found = size_fifos(dataflow, chosen, exact)
    return {**_of(found), "runs": count[0]}


def estimate(dataflow: Dataflow) -> dict[str, Any]:
    return _of(estimated_fifos(dataflow, some_given(dataflow)))


def bare(dataflow: Dataflow) -> dict[str, Any]:
    """Which FIFOs stop pipelines without words, where all FIFOs have few words."""
    places = fifo_places(dataflow)
    model = CycleModel(insert_fifos(dataflow, dict.fromkeys(places, 1)), bare=True)
    stuck = {depth: model.steady(dict.fromkeys(places, depth), 4).deadlock for depth in (0, 2, 5, 11, 23)}
    return {str(depth): lock and [lock.full_fifos(places), lock.empty_fifos(places)] for depth, lock in stuck.items()}


def _of(found: Sizing) -> dict[str, Any]:
    return {"smallest": list(found.smallest.values()), "depths": list(found.depths.values()),
            "occupancy": list(found.occupancy.values()), "cycles": found.cycles_per_frame,
            "latency": found.latency_cycles, "exact": found.exact}


def hls_sizing(dataflow: Dataflow, given: bool = False, exact: bool = True) -> dict[str, Any]:
    chosen = some_given(dataflow) if given else {}
    with runs(HlsModel) as count:
        found = hls_fifo_sizing.HlsSizing.of(dataflow, chosen, exact)
    return {"depths": list(found.depths.values()), "cycles": found.cycles_per_frame, "latency": found.latency_cycles,
            "runs": count[0]}


#: What is found, and under which bounds.
SEARCHES: dict[str, tuple[Callable[[Dataflow], dict[str, Any]], dict[ModuleType, dict[str, int]]]] = {
    "smallest": (sizing, {}), "given": (partial(sizing, given=True), {}), "safe": (partial(sizing, exact=False), {}),
    "large": (sizing, LARGE), "large, given": (partial(sizing, given=True), LARGE), "too large": (sizing, TOO_LARGE),
    "estimate": (estimate, {}), "bare": (bare, {}),
    "HLS": (hls_sizing, {}), "HLS, given": (partial(hls_sizing, given=True), {}),
    "HLS, safe": (partial(hls_sizing, exact=False), {}), "HLS, large": (hls_sizing, LARGE_HLS)}

dataflow_of = cache(lambda network: drawn(*network))


def found(network: tuple[int, int, int], name: str) -> dict[str, Any]:
    search, bounds = SEARCHES[name]
    with pytest.MonkeyPatch.context() as patch:
        for module, own in bounds.items():
            for constant, value in own.items():
                patch.setattr(module, constant, value)
        return search(dataflow_of(network))


def require_as_it_was(networks: list[tuple[int, int, int]], *names: str) -> None:
    for network in networks:
        for name in names:
            assert found(network, name) == json.loads(FILE.read_text())[f"{network} {name}"], (network, name)


def test_the_smallest_depths() -> None:
    require_as_it_was(NETWORKS, "smallest", "safe")


def test_depths_beside_given_ones() -> None:
    require_as_it_was(NETWORKS, "given", "estimate")


def test_depths_of_networks_that_run_for_long() -> None:
    require_as_it_was(NETWORKS, "large", "large, given", "too large")


def test_what_stops_when_pipelines_hold_no_word() -> None:
    require_as_it_was(NETWORKS, "bare")


def test_depths_of_streams_of_hls() -> None:
    require_as_it_was(SMALL, "HLS", "HLS, given")


def test_depths_of_streams_of_hls_without_a_search() -> None:
    require_as_it_was(SMALL, "HLS, safe", "HLS, large")


if __name__ == "__main__":
    lines = [f"{json.dumps(f'{network} {name}')}: {json.dumps(found(network, name))}"
             for name in SEARCHES for network in (SMALL if name.startswith("HLS") else NETWORKS)]
    FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n")
