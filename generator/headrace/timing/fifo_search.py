"""The search for the smallest depths of FIFOs at which a dataflow keeps its pace.

A part between two streams that all data passes is run on its own, with a source that always has a word in time and a
sink that always takes one: what is too slow there is too slow in the whole. So a chain that needs no FIFO costs one
run, and only what needs one is searched, by halves of the chain, inside branches first. Each part is run again with the
depths of its parts together, the whole network last; where these do not do together, they are raised together. Depths
in front of joins stay large until all others are known.

Where one run of the whole takes seconds, fewer are made: depths that take the same memory are equal, and those of large
parts that do not do together stay large enough. The last run shows of the whole that it keeps its pace.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from time import monotonic

from headrace.dataflow.graph import Port
from headrace.dataflow.insert_fifos import join_places
from headrace.dataflow.regions import Part, Series, series
from headrace.progress import Step
from headrace.timing.cycle_model import CycleModel
from headrace.timing.descent import Descent
from headrace.timing.paces import Paces, TooLargeError

#: Words above which a depth is decided as soon as none that is smaller takes less memory, unless runs take long.
_EXACT = 2048
#: Streams of a part above which depths stay large enough, where runs take long.
_MANY = 50
#: Layers on either side of a stream among which its depth is looked for first.
_NEAR = 4


class DepthSearch:
    """The depths that are decided, and large enough ones of those that are not.

    fill: words that are enough for each FIFO while all others have more. progress: is told how many are decided, and
    how long the others would take at that rate.
    """

    def __init__(self, paces: Paces, fill: Mapping[str, int], progress: Callable[[str], None] = lambda _: None
                 ) -> None:
        self.paces, self.fill, self.progress = paces, fill, progress
        self.started, self.decided = monotonic(), set[str]()
        self.exact = 2 if paces.long else _EXACT
        self.joins = join_places(paces.dataflow)
        more = {name: max(words + words // 4, paces.safe[name]) for name, words in fill.items()}
        self.enough = more | dict(paces.given)
        self.depths = dict(self.enough)
        self.branches: list[tuple[CycleModel, list[str]]] = []

    def run(self) -> dict[str, int] | None:
        """The depths with which the whole keeps its pace; None where finding them would take minutes."""
        try:
            return self._run()
        except TooLargeError:
            return None

    def _run(self) -> dict[str, int] | None:
        self._series(series(self.paces.dataflow))
        for model, names in self.branches:
            self._settle_joins(model, names)
            self._tell(names)
        if not self.paces.fits(self.paces.whole, self.depths):
            self._again(self.paces.whole)
        return self._proved() if self.paces.long else self.depths

    def _proved(self) -> dict[str, int] | None:
        """The depths, or those that are large enough if they take fewer bits; None if the whole keeps its pace with
        neither: where runs take long, what was raised together has not been lowered one by one.
        """
        choices = sorted((self.depths, {**self.fill, **self.paces.given}), key=self._bits)
        return next((depths for depths in choices if self.paces.fits(self.paces.whole, depths)), None)

    def _series(self, found: Series) -> None:
        """Decide the depths between the first cut and the last."""
        names = self._free(self.paces.inside(found))
        if not names:
            return
        model = self.paces.part(found)
        if not set(names) & set(self.joins) and self._take(model, dict.fromkeys(names, 0)):
            self._tell(names)
            return
        if len(found.parts) == 1:
            self._branches(found.parts[0], model)
            return
        middle = self._middle(found)
        self._series(found.slice(0, middle))
        self._series(found.slice(middle, len(found.parts)))
        self._join(found, middle, model)
        self._tell(name for name in names if name not in self.joins)

    def _tell(self, names: Iterable[str]) -> None:
        """Tell that places are decided."""
        self.decided.update(names)
        done, places = len(self.decided), len(self.paces.places)
        left = (monotonic() - self.started) * (places - done) / max(done, 1)
        text = f"sizing FIFOs: {done} of {places} places, about {left:.0f} s left"
        self.progress(Step(text, "sizing FIFOs", done / max(places, 1)))

    def _join(self, found: Series, middle: int, model: CycleModel) -> None:
        """Decide the depth between two halves of a series, and those near it where it is needed."""
        cut = self._at([found.cuts[middle]])
        near = self._near(found, middle)
        few = bool(cut) and len(near.layers) <= 4 * _NEAR
        too_slow = few and not self._bare_among(near, cut)
        if cut and not too_slow and self._take(model, dict.fromkeys(cut, 0)):
            return
        if few:
            self._join_near(near, cut)
            if self.paces.fits(model, self.depths) or (self.paces.long and self._deepen(model, cut[0])):
                return
        self._settle(model, cut)

    def _bare_among(self, near: Series, cut: Sequence[str]) -> bool:
        """False if a cut without a FIFO is too slow among its neighbours already, and so in the whole."""
        return self.paces.fits(self.paces.part(near), {**self.depths, **dict.fromkeys(cut, 0)})

    def _deepen(self, model: CycleModel, name: str) -> bool:
        """Decide a depth that has been too small while others keep theirs: what it holds if it is never full."""
        held = self.paces.held(model, self.depths, name)
        if held is not None:
            self.depths[name] = held + 1
        return held is not None

    @staticmethod
    def _near(found: Series, middle: int) -> Series:
        """The neighbours of a cut: few layers, but one part on either side at least."""
        first, last = middle - 1, middle + 1
        while first > 0 and len(found.slice(first - 1, middle).layers) <= _NEAR:
            first -= 1
        while last < len(found.parts) and len(found.slice(middle, last + 1).layers) <= _NEAR:
            last += 1
        return found.slice(first, last)

    def _join_near(self, near: Series, cut: Sequence[str]) -> None:
        """Decide a depth among its neighbours: it alone, or theirs with it, whichever takes fewer bits.

        Theirs may become too small for those further away, so they keep them where it would take long to find out.
        """
        model, before = self.paces.part(near), dict(self.depths)
        self._settle(model, cut)
        if self.paces.long:
            return
        alone = self.depths
        names = self._at(near.cuts[1:-1])
        self.depths = before | {name: self.enough[name] for name in names}
        self._settle(model, names)
        self.depths = min(alone, self.depths, key=self._bits)

    def _branches(self, part: Part, model: CycleModel) -> None:
        """Decide the depths of branches, then those behind the fork; those at the join when all others are known."""
        for inner in part.inner:
            self._series(inner)
        ends = [port for inner in part.inner for port in (inner.cuts[0], inner.cuts[-1])]
        names = self._at([*ends, *part.loose])
        others = [name for name in names if name not in self.joins]
        self._settle(model, others)
        self._tell(others)
        self.branches.append((model, [name for name in names if name in self.joins]))

    def _settle(self, model: CycleModel, names: Sequence[str]) -> None:
        """Decide the depths of places, those of all others in the model being decided; all again if these do not do."""
        if not self.paces.fits(model, self.depths):
            self._again(model)
            return
        self._lower(model, names, dict.fromkeys(names, 0))
        for name in names:
            self.depths[name] = self._smallest(model, name)

    def _settle_joins(self, model: CycleModel, names: Sequence[str]) -> None:
        """Decide the depths in front of a join, that of the longest branch last: a FIFO less makes a branch faster, so
        that less may do on the others.
        """
        if self.paces.fits(model, self.depths):
            for name in sorted(names, key=self.fill.__getitem__):
                self.depths[name] = self._smallest(model, name)

    def _again(self, model: CycleModel) -> None:
        """Decide depths in the model again, none smaller than it is: those in front of joins, or all if need be. They
        stay large enough in a large part of a network that runs for long.
        """
        names, decided = self._free(model.fifos), dict(self.depths)
        joins = [name for name in names if name in self.joins]
        high = self.fill if self.paces.long else self.enough
        for places, depths in ((joins, high), (names, high), (names, self.enough)):
            lower = {name: decided[name] for name in places}
            self.depths = decided | {name: max(depths[name], decided[name]) for name in places}
            if places and self.paces.fits(model, self.depths):
                break
        if self.paces.long and model.streams > _MANY:
            return
        self._lower(model, places, lower)
        for name in places:
            if self.depths[name] > lower[name]:
                self.depths[name] = self._smallest(model, name, lower[name])

    def _lower(self, model: CycleModel, names: Sequence[str], lower: Mapping[str, int]) -> None:
        """Lower the depths of those of the places that do with less, found by halves."""
        names = [name for name in names if self.depths[name] > lower[name]]
        if not names or self._take(model, {name: lower[name] for name in names}) or len(names) == 1:
            return
        half = len(names) // 2
        self._lower(model, names[:half], lower)
        self._lower(model, names[half:], lower)

    def _smallest(self, model: CycleModel, name: str, least: int = 0) -> int:
        """The smallest depth of one FIFO while the others keep theirs; less than `least` has been too small."""
        enough = self.depths[name]
        small = [depth for depth in sorted({least, 0, 2, self.fill[name]}) if least <= depth < enough]
        search = Descent(Fraction(self.paces.target), least - 1, enough)
        for depth in small:
            self._try(search, model, name, depth)
            if search.enough <= depth:
                break
        while search.open:
            least = search.too_small + 1
            if least > self.exact and search.enough <= self.paces.free_depth(name, least):
                break
            self._try(search, model, name, search.next())
        return search.enough

    def _try(self, search: Descent, model: CycleModel, name: str, depth: int) -> None:
        """Run with one depth. A FIFO that was never full does with the words that it held."""
        outcome = self.paces.outcome(model, {**self.depths, name: depth})
        search.tried(depth, outcome.cycles_per_frame)
        if search.enough == depth and depth > 2:
            search.enough = min(depth, max(outcome.occupancy[name] + 1, search.too_small + 1, 3))

    def _take(self, model: CycleModel, depths: Mapping[str, int]) -> bool:
        """Decide depths if they do."""
        trial = {**self.depths, **depths}
        if fits := self.paces.fits(model, trial):
            self.depths = trial
        return fits

    def _at(self, ports: Iterable[Port]) -> list[str]:
        """The places on streams whose depths are not given."""
        wanted = set(ports)
        return self._free(name for name, port in self.paces.ports.items() if port in wanted)

    def _bits(self, depths: Mapping[str, int]) -> tuple[int, int]:
        """Bits as they are built, and as they are needed."""
        bits = {name: self.paces.places[name].bits for name in depths}
        return (sum(self.paces.free_depth(name, depth) * bits[name] for name, depth in depths.items()),
                sum(depth * bits[name] for name, depth in depths.items()))

    def _free(self, names: Iterable[str]) -> list[str]:
        return [name for name in names if name not in self.paces.given]

    def _middle(self, found: Series) -> int:
        """The cut with a place that is nearest to the middle; any if there is none."""
        cuts = range(1, len(found.parts))
        return min(cuts, key=lambda k: (not self._at([found.cuts[k]]), abs(2 * k - len(found.parts))))
