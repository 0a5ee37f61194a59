"""FIFO sizing: the smallest depths at which a dataflow runs as fast as with FIFOs of any depth.

The cycle model decides. Each depth is found by bisection while the others keep theirs; afterwards one word less in any
FIFO lowers the throughput or lets the dataflow stop. What a memory gives for free above the smallest depth is then
taken, unless it costs throughput. More room may do so in two ways: a FIFO adds its own latency to a branch, for which
the other branches of a join need room; and a branch that runs ahead has its words spread out in a pipeline behind one
enable, where the gaps stay while the oldest word is blocked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil

from headrace.dataflow.graph import Dataflow
from headrace.dataflow.insert_fifos import fifo_places, insert_fifos, join_places, safe_depths
from headrace.errors import FoldingError
from headrace.memory import SMALLEST_MEMORY, free_depth
from headrace.timing.cycle_model import CycleModel, Deadlock

#: Frames that are watched once the first ones have left.
_WATCHED_FRAMES = 2


@dataclass(frozen=True)
class Sizing:
    """Depths by name of FIFO, 0 where there is none.

    smallest: as proven. depths: as built. cycles_per_frame (rounded up where frames differ), latency_cycles and
    occupancy: what the cycle model says of the latter.
    """

    smallest: Mapping[str, int]
    depths: Mapping[str, int]
    cycles_per_frame: int
    latency_cycles: int
    occupancy: Mapping[str, int]


def size_fifos(dataflow: Dataflow, given: Mapping[str, int] | None = None) -> Sizing:
    """FIFOs for a dataflow that has none. given: depths that the user chose, kept as they are.

    Raises FoldingError naming the FIFOs if the given depths let the dataflow stop.
    """
    given = given or {}
    search = _Search(dataflow, given)
    smallest = search.run()
    depths = search.without_deadlock(search.rounded(smallest))
    outcome = search.model.steady(depths)
    assert outcome.cycles_per_frame is not None and outcome.latency_cycles is not None  # checked by the search
    return Sizing(smallest, depths, ceil(outcome.cycles_per_frame), outcome.latency_cycles, outcome.occupancy)


class _Search:
    """The state of one sizing."""

    def __init__(self, dataflow: Dataflow, given: Mapping[str, int]) -> None:
        self.given = given
        self.places = fifo_places(dataflow)
        self.prices = dataflow.prices
        self.joins = join_places(dataflow)
        self.safe = safe_depths(dataflow) | dict(given)
        everywhere = insert_fifos(dataflow, dict.fromkeys(self.places, 1))
        self.model = CycleModel(everywhere)
        self.bare = CycleModel(everywhere, bare=True)
        self.slowest = dataflow.cycles_per_frame
        self.frames = 2
        self.target = Fraction(0)

    def run(self) -> dict[str, int]:
        """The smallest depths."""
        depths = self._start()
        free = [name for name in self.places if name not in self.given]
        others = [name for name in free if name not in self.joins]
        depths |= self._drop(others, depths)
        for name in sorted(free, key=lambda name: name in others):  # the large ones, at joins, first
            if depths[name]:
                depths[name] = self._smallest(name, depths)
        for name in free:  # a branch whose FIFO went is faster, so that less may do on the others
            while depths[name] >= SMALLEST_MEMORY and self._fits({**depths, name: depths[name] - 1}):
                depths[name] -= 1
        return depths

    def rounded(self, smallest: Mapping[str, int]) -> dict[str, int]:
        """The depths, larger where a memory gives more for free and the dataflow stays as fast."""
        free = {name: depth if name in self.given else free_depth(depth, self.places[name].bits, self.prices)
                for name, depth in smallest.items()}
        if self._stays_as_fast(free):
            return free
        depths = dict(smallest)
        for name, depth in free.items():
            if depth > depths[name] and self._stays_as_fast({**depths, name: depth}):
                depths[name] = depth
        return depths

    def without_deadlock(self, depths: Mapping[str, int]) -> dict[str, int]:
        """The depths, larger where a dataflow whose pipelines hold no word would stop.

        A pipeline behind one enable may be blocked while it is mostly empty, after stalls of the source. The capacity
        of slices and memories alone then decides whether words can go on, whatever the stalls were.
        """
        grown = dict(depths)
        while stuck := self.bare.steady(grown, self.frames).deadlock:
            full = [name for name in stuck.full_fifos(self.joins) if name not in self.given]
            if not full:
                raise self._deadlock(stuck, grown)
            grown |= {name: free_depth(2 * max(grown[name], 1), self.places[name].bits, self.prices) for name in full}
        return grown

    def _start(self) -> dict[str, int]:
        """Depths that are large enough, and the pace that they allow."""
        first = self.model.steady(self.safe, 2)
        if first.deadlock is not None:  # other FIFOs do not make up for what the user chose
            raise self._deadlock(first.deadlock, self.safe)
        assert first.latency_cycles is not None
        self.frames = first.latency_cycles // self.slowest + 1 + _WATCHED_FRAMES
        ample = {name: max(depth, self.places[name].words) for name, depth in self.safe.items()} | dict(self.given)
        paces = [(pace, depths) for depths in (self.safe, ample) if (pace := self._pace(depths)) is not None]
        self.target, depths = min(paces, key=lambda pair: pair[0], default=(Fraction(0), ample))
        return dict(depths)

    def _deadlock(self, deadlock: Deadlock, depths: Mapping[str, int]) -> FoldingError:
        """Who waits for whom; only depths that the user gave can be too small."""
        full = [name for name in deadlock.full_fifos(self.places) if name in self.given or depths[name]]
        full.sort(key=lambda name: name not in self.given)
        joins = {name.rpartition("_fifo")[0] for name in full}
        empty = [name for name in deadlock.empty_fifos(self.joins) if name.rpartition("_fifo")[0] in joins]
        states = [*(f"{name} (depth {depths[name]}) is full" for name in full), *(f"{name} is empty" for name in empty)]
        return FoldingError(f"{full[0]}: with a depth of {depths[full[0]]} the dataflow stops for good: "
                            f"{', '.join(states)}; give it a larger depth, or leave it out of the folding to have it "
                            "sized")

    def _pace(self, depths: Mapping[str, int]) -> Fraction | None:
        return self.model.pace(self.frames, _WATCHED_FRAMES, depths)

    def _fits(self, depths: Mapping[str, int]) -> bool:
        pace = self._pace(depths)
        return pace is not None and pace <= self.target

    def _stays_as_fast(self, depths: Mapping[str, int]) -> bool:
        """True if the pace of the search is kept until the dataflow repeats itself."""
        pace = self.model.steady(depths).cycles_per_frame
        return pace is not None and pace <= self.target

    def _drop(self, names: Sequence[str], depths: Mapping[str, int]) -> dict[str, int]:
        """The FIFOs of `names` that can go, found by halves."""
        present = [name for name in names if depths[name]]
        if not present:
            return {}
        dropped = dict.fromkeys(present, 0)
        if self._fits({**depths, **dropped}):
            return dropped
        if len(present) == 1:
            return {}
        half = len(present) // 2
        first = self._drop(present[:half], depths)
        return {**first, **self._drop(present[half:], {**depths, **first})}

    def _smallest(self, name: str, depths: Mapping[str, int]) -> int:
        """The smallest depth of one FIFO while the others keep theirs."""

        def fits(depth: int) -> bool:
            return self._fits({**depths, name: depth})

        if fits(0):
            return 0
        return 2 if fits(2) else _bisect(fits, 2, depths[name])


def _bisect(fits: Callable[[int], bool], too_small: int, enough: int) -> int:
    """The smallest number that fits, given one that does not and one that does."""
    while enough - too_small > 1:
        middle = (too_small + enough) // 2
        if fits(middle):
            enough = middle
        else:
            too_small = middle
    return enough
