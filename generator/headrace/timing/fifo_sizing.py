"""FIFO sizing: the smallest depths at which a dataflow runs as fast as with FIFOs of any depth.

The cycle model decides (fifo_search.py). What a memory gives for free above the smallest depth is then taken, unless it
costs throughput. More room may do so in two ways: a FIFO adds its own latency to a branch, for which the other branches
of a join need room; and a branch that runs ahead has its words spread out in a pipeline behind one enable, where the
gaps stay while the oldest word is blocked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil

from headrace.dataflow.graph import Dataflow
from headrace.dataflow.insert_fifos import join_places
from headrace.errors import FoldingError
from headrace.timing.cycle_model import MAX_FRAMES, CycleModel, Deadlock, Outcome
from headrace.timing.fifo_search import DepthSearch
from headrace.timing.paces import Paces

#: Cycles of streams in a run up to which FIFOs are tried one by one.
_MOST_TRIED = 10**8


@dataclass(frozen=True)
class Sizing:
    """Depths by name of FIFO, 0 where there is none.

    smallest: what the search found, the smallest unless a run takes seconds, and proved to keep the pace if it was
    `exact`; otherwise large enough ones. depths: as built. cycles_per_frame
    (rounded up where frames differ), latency_cycles and occupancy: what the cycle model says of the latter.
    """

    smallest: Mapping[str, int]
    depths: Mapping[str, int]
    cycles_per_frame: int
    latency_cycles: int
    occupancy: Mapping[str, int]
    exact: bool


def size_fifos(dataflow: Dataflow, given: Mapping[str, int] | None = None, exact: bool = True,
               progress: Callable[[str], None] = lambda _: None) -> Sizing:
    """FIFOs for a dataflow that has none. given: depths that the user chose, kept as they are.

    exact: find the smallest; otherwise the depths are as large as a FIFO can need them, from a single run. A network
    whose search would take minutes gets these too.
    Raises FoldingError naming the FIFOs if the given depths let the dataflow stop.
    """
    given = given or {}
    search = _Search(dataflow, given)
    smallest = search.run(exact, progress)
    depths = search.without_deadlock(search.rounded(smallest) if search.exact else search.free(smallest))
    depths = search.as_fast(depths) if search.exact else depths
    outcome = search.steady(depths)
    assert outcome.cycles_per_frame is not None and outcome.latency_cycles is not None  # checked by the search
    return Sizing(smallest, depths, ceil(outcome.cycles_per_frame), outcome.latency_cycles, outcome.occupancy,
                  search.exact)


class _Search:
    """The state of one sizing."""

    def __init__(self, dataflow: Dataflow, given: Mapping[str, int]) -> None:
        self.given = given
        self.paces = Paces(dataflow, given)
        self.joins = join_places(dataflow)
        self.model = self.paces.whole
        self.bare = CycleModel(self.paces.everywhere, bare=True)
        self.exact = False
        self._known: dict[tuple[int, ...], Outcome] = {}

    def run(self, exact: bool, progress: Callable[[str], None]) -> dict[str, int]:
        """The smallest depths, or large enough ones."""
        safe = self.paces.safe
        first = self.model.steady(safe, 2)
        if first.deadlock is not None:  # other FIFOs do not make up for what the user chose
            raise self._deadlock(first.deadlock, safe)
        assert first.latency_cycles is not None
        fill = self.paces.start(first.latency_cycles)
        if exact and (found := DepthSearch(self.paces, fill, progress).run()) is not None:
            self.exact = True
            return found
        return fill | dict(self.given)

    def free(self, depths: Mapping[str, int]) -> dict[str, int]:
        """The depths that memories give for free."""
        return {name: depth if name in self.given else self.paces.free_depth(name, depth)
                for name, depth in depths.items()}

    def rounded(self, smallest: Mapping[str, int]) -> dict[str, int]:
        """The depths, larger where a memory gives more for free and the dataflow stays as fast."""
        free = self.free(smallest)
        if self.model.streams * self.paces.target * MAX_FRAMES > _MOST_TRIED:  # each trial takes seconds
            return free if self._stays_as_fast(free) else dict(smallest)
        return self._changed([name for name in free if free[name] > smallest[name]], free, smallest)

    def _changed(self, names: Sequence[str], others: Mapping[str, int], depths: Mapping[str, int]) -> dict[str, int]:
        """The depths, the other ones at those of the places where the dataflow stays as fast, found by halves."""
        changed = {**depths, **{name: others[name] for name in names}}
        if not names or self._stays_as_fast(changed):
            return changed
        if len(names) == 1:
            return dict(depths)
        half = len(names) // 2
        return self._changed(names[half:], others, self._changed(names[:half], others, depths))

    def without_deadlock(self, depths: Mapping[str, int]) -> dict[str, int]:
        """The depths, larger where a dataflow whose pipelines hold no word would stop.

        A pipeline behind one enable may be blocked while it is mostly empty, after stalls of the source. The capacity
        of slices and memories alone then decides whether words can go on, whatever the stalls were.
        """
        grown = dict(depths)
        while stuck := self.bare.steady(grown, self.paces.frames).deadlock:
            full = [name for name in stuck.full_fifos(self.joins) if name not in self.given]
            if not full:
                raise self._deadlock(stuck, grown)
            grown |= {name: self.paces.free_depth(name, 2 * max(grown[name], 1)) for name in full}
        return grown

    def as_fast(self, depths: Mapping[str, int]) -> dict[str, int]:
        """The depths, larger in front of joins where a FIFO against a deadlock costs throughput: it adds its latency to
        its branch, so that the others need room.
        """
        raised = dict(depths)
        while not self._stays_as_fast(raised):
            low = [name for name in self.joins if name not in self.given and raised[name] < self.paces.safe[name]]
            if not low:
                return dict(depths)
            raised |= {name: self.paces.free_depth(name, 2 * max(raised[name], 1)) for name in low}
        return self._changed([name for name in self.joins if raised[name] > depths[name]], depths, raised)

    def _deadlock(self, deadlock: Deadlock, depths: Mapping[str, int]) -> FoldingError:
        """Who waits for whom; only depths that the user gave can be too small."""
        full = [name for name in deadlock.full_fifos(self.paces.places) if name in self.given or depths[name]]
        full.sort(key=lambda name: name not in self.given)
        joins = {name.rpartition("_fifo")[0] for name in full}
        empty = [name for name in deadlock.empty_fifos(self.joins) if name.rpartition("_fifo")[0] in joins]
        states = [*(f"{name} (depth {depths[name]}) is full" for name in full), *(f"{name} is empty" for name in empty)]
        return FoldingError(f"{full[0]}: with a depth of {depths[full[0]]} the dataflow stops for good: "
                            f"{', '.join(states)}; give it a larger depth, or leave it out of the folding to have it "
                            "sized")

    def _stays_as_fast(self, depths: Mapping[str, int]) -> bool:
        """True if the pace of the search is kept until the dataflow repeats itself."""
        pace = self.steady(depths).cycles_per_frame
        return pace is not None and pace <= self.paces.target

    def steady(self, depths: Mapping[str, int]) -> Outcome:
        """The dataflow until it repeats itself, or for some frames where FIFOs were not sized one by one."""
        key = tuple(depths[name] for name in self.model.fifos)
        if key not in self._known:
            few = self.paces.long or not self.exact
            self._known[key] = self.model.steady(depths, self.paces.frames if few else MAX_FRAMES)
        return self._known[key]
