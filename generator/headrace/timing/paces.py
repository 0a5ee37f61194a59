"""How fast a dataflow and its parts are with FIFOs of given depths."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from math import ceil

from headrace.dataflow.graph import Dataflow, Port
from headrace.dataflow.insert_fifos import fifo_places, insert_fifos, place_ports, safe_depths
from headrace.dataflow.regions import Series, between
from headrace.memory import free_depth
from headrace.timing.cycle_model import CycleModel, Limits, Outcome
from headrace.timing.graph import Components

#: Frames that are watched once the first ones have left.
WATCHED_FRAMES = 2
#: Frames that are run beyond those that are under way at once.
_MORE_FRAMES = 1 + WATCHED_FRAMES
#: What the pace is multiplied with that is nearly kept.
_NEARLY = Fraction(65, 64)
#: Cycles of streams in a frame of a network that runs for long: fewer runs are made for it.
_LONG = 4 * 10**7
#: Words of a FIFO that is never full.
_ENDLESS = 1 << 40
#: Cycles of streams that a search runs, some 2 ns each.
_MOST_WORK = 40 * 10**9


class TooLargeError(Exception):
    """A search has run for as long as it may; never leaves this package."""


class Paces:
    """A dataflow with a FIFO in every place, and its parts.

    target: cycles per frame that are kept if FIFOs are deep enough. frames: the most that are run. safe: depths with
    which the dataflow does not stop; given: those of them that the user chose. long: a run takes seconds. everywhere:
    the dataflow with these FIFOs, a word deep.
    """

    def __init__(self, dataflow: Dataflow, given: Mapping[str, int]) -> None:
        self.dataflow, self.given = dataflow, given
        self.places, self.ports = fifo_places(dataflow), place_ports(dataflow)
        self.safe = safe_depths(dataflow) | dict(given)
        self._components = Components()
        self.everywhere = insert_fifos(dataflow, dict.fromkeys(self.places, 1))
        self.whole = CycleModel(self.everywhere, components=self._components)
        self.target = self.slowest = dataflow.cycles_per_frame
        self.frames = 2
        self.long = self.whole.streams * self.target > _LONG
        self._work = 0
        self._parts: dict[tuple[Port, ...], CycleModel] = {}
        self._known: dict[tuple[bytes, tuple[int, ...]], Outcome] = {}

    def start(self, latency_cycles: int) -> dict[str, int]:
        """Find the target. latency_cycles: of the first frame.

        Returns what the FIFOs hold where none is ever full, and the source gives its words at the target: with one word
        more than that, for those that come when another goes, all words can pass when they do here.
        """
        self.frames = latency_cycles // self.slowest + _MORE_FRAMES
        endless = dict.fromkeys(self.places, _ENDLESS) | dict(self.given)
        while True:
            outcome = self._run(self.whole, endless, self.target)
            assert outcome.cycles_per_frame is not None  # not even the safe depths let it stop
            if outcome.cycles_per_frame <= self.target:
                return {name: most + 1 for name, most in outcome.occupancy.items()}
            self.target = ceil(outcome.cycles_per_frame)  # given depths allow no more

    def held(self, model: CycleModel, depths: Mapping[str, int], name: str) -> int | None:
        """The most words of a FIFO that is never full, None where the target is not kept even so."""
        outcome = self._run(model, {**depths, name: _ENDLESS}, self.target)
        pace = outcome.cycles_per_frame
        return outcome.occupancy[name] if pace is not None and pace <= self.target else None

    def part(self, found: Series) -> CycleModel:
        """What lies between two cuts, run on its own."""
        if found.cuts not in self._parts:
            fifos = dict.fromkeys(self.inside(found), 1)
            model = CycleModel(insert_fifos(between(self.dataflow, found), fifos), components=self._components)
            self._parts[found.cuts] = model
        return self._parts[found.cuts]

    def inside(self, found: Series) -> list[str]:
        """The places between two cuts."""
        ports, layers = {found.cuts[0], found.cuts[-1]}, found.layers
        return [name for name, port in self.ports.items() if port[0] in layers and port not in ports]

    def free_depth(self, name: str, words: int) -> int:
        """The most words of a FIFO that take no more memory than so many."""
        return free_depth(words, self.places[name].bits, self.dataflow.prices)

    def fits(self, model: CycleModel, depths: Mapping[str, int]) -> bool:
        """True if a part keeps the target."""
        pace = self.of(model, depths)
        return pace is not None and pace <= self.target

    def _count(self, model: CycleModel, cycles: int) -> None:
        self._work += model.streams * cycles
        if self._work > _MOST_WORK:
            raise TooLargeError

    def _run(self, model: CycleModel, depths: Mapping[str, int], source: int) -> Outcome:
        """source: cycles per frame at which it gives its words evenly, 0 for one in every cycle.

        With an even source FIFOs hold only what they need to, and the state repeats as soon as the first frames have
        left if the pace can be kept.
        """
        limits = Limits(self.slowest, _MORE_FRAMES, self.target, source, self.long)
        return model.watch(self.frames, WATCHED_FRAMES, depths, limits)

    def of(self, model: CycleModel, depths: Mapping[str, int]) -> Fraction | None:
        """Cycles per frame; None in a deadlock. Raises TooLargeError where all runs together take too long."""
        return self.outcome(model, depths).cycles_per_frame

    def outcome(self, model: CycleModel, depths: Mapping[str, int]) -> Outcome:
        """Like `of`, with what FIFOs hold. Parts that are equal but for their names are run once."""
        key = model.content, tuple(depths[name] for name in model.fifos)
        if key not in self._known:
            self._known[key] = self._found(model, depths)
        found = self._known[key]
        return replace(found, occupancy=dict(zip(model.fifos, found.occupancy.values(), strict=True)), deadlock=None)

    def _found(self, model: CycleModel, depths: Mapping[str, int]) -> Outcome:
        """What nearly keeps the pace with an even source, which may let a pipeline run empty for a cycle, is run with
        one that does not; in a network that runs for long it is too slow.
        """
        outcome = self._run(model, depths, self.target)
        self._count(model, (outcome.latency_cycles or 0) + WATCHED_FRAMES * self.target)
        even = outcome.cycles_per_frame
        if even is None or not self.target < even < self.target * _NEARLY or self.long:
            return outcome
        return self._run(model, depths, 0)
