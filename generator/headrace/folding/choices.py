"""What can be chosen for every layer of an unfolded dataflow: folds, the cycles that they take and what they cost."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from itertools import product

from headrace.area.estimate import estimate
from headrace.area.usage import Resources
from headrace.dataflow.graph import SOURCE, Dataflow, Placed
from headrace.errors import FoldingError, InputError
from headrace.fold_rule import divisors
from headrace.folding.minimal_buffers import branch_stores
from headrace.layers import Dwc
from headrace.layers.base import Layer
from headrace.layers.stream import Stream


@dataclass(frozen=True, eq=False)
class Choice:
    """Folds of one layer, and what they cost. layer: folded; its name may be that of a layer that is alike."""

    folds: Mapping[str, int]
    layer: Layer
    cycles: int
    cost: Resources
    #: True if the layer is built in its other way.
    other: bool = False

    @cached_property
    def lanes_in(self) -> int:
        """Elements per word of every input."""
        return self.layer.inputs[0].lanes

    @cached_property
    def lanes_out(self) -> int:
        """Elements per word of every output."""
        return self.layer.outputs[0].lanes

    @cached_property
    def multiplies(self) -> bool:
        """True for a layer with weights; all others move data, or take words one by one."""
        return self.layer.macs > 0

    @property
    def waits(self) -> bool:
        """True for a window with the minimal buffer, in front of which words wait."""
        return bool(self.folds.get("minimal_buffer"))


@dataclass(frozen=True, eq=False)
class Known:
    """What was found out of layers that are built in one way, by name and folds: their choices, and their cycles."""

    choices: dict[Hashable, Choice] = field(default_factory=dict)
    cycles: dict[Hashable, int] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Choices:
    """All legal choices of a dataflow with PE = SIMD = 1. given: folds that stay; max_word_bits: 0 is no limit.

    max_cycles: what takes more is left out, but for a layer that has nothing else; 0 is no limit.
    built: what becomes of a folded layer before it is built, its compute core and its memories; layers that are equal
    but for their names become equal. It raises InputError where that cannot be. other: another way to build a layer
    that is built so, which may be chosen instead; None for a layer that has none. known: without other ways and limits,
    for all who ask for the same but for those.
    """

    dataflow: Dataflow
    given: Mapping[str, Mapping[str, int]]
    max_word_bits: int = 0
    max_cycles: int = 0
    built: Callable[[Layer], Layer] = lambda layer: layer
    other: Callable[[Layer], Layer | None] = lambda layer: None
    known: Known = field(default_factory=Known)

    @cached_property
    def of_layer(self) -> dict[str, tuple[Choice, ...]]:
        """By layer, the same tuple for layers that are alike; raises FoldingError where none is legal."""
        found: dict[str, tuple[Choice, ...]] = {}
        alike: dict[Hashable, tuple[Choice, ...]] = {}
        for item in self.dataflow.placed:
            name, key = item.layer.name, self._alike(item)
            if key not in alike:
                alike[key] = tuple(self._legal(item))
            if not alike[key]:
                raise FoldingError(f"{name}: no folding keeps its words within {self.max_word_bits} bits; use the rtl "
                                   "back end alone")
            found[name] = alike[key]
        return found

    def _alike(self, item: Placed) -> Hashable:
        """What the choices of a layer depend on, but for its name; a layer with arrays is like itself alone."""
        name = item.layer.name
        unnamed = replace(item.layer, name="")
        forms = tuple(tuple(form.items()) for form in self._flags_to_try(item))
        return unnamed, tuple(self.given.get(name, {}).items()), forms

    @cached_property
    def edges(self) -> tuple[tuple[str, str], ...]:
        """Producer and reader of every stream inside."""
        return tuple((source, item.layer.name) for item in self.dataflow.placed for source, _ in item.sources
                     if source != SOURCE)

    @cached_property
    def reads_input(self) -> set[str]:
        """The layers that take the network's input."""
        return {item.layer.name for item in self.dataflow.placed if (SOURCE, 0) in item.sources}

    def _legal(self, item: Placed) -> list[Choice]:
        """The choices of a layer. Raises the error where it cannot be built as it should be at any fold."""
        folds = list(self._folds(item))
        fast = [each for each in folds if self._is_fast(item.layer, each)] if self.max_cycles else folds
        found, refused = self._built(item.layer, fast)
        if not found and len(fast) < len(folds):
            found, refused = self._built(item.layer, folds)
        if refused and not found:
            raise refused
        return found

    def _is_fast(self, layer: Layer, folds: Mapping[str, int]) -> bool:
        """True within the limit of cycles, which neither a core nor a memory changes."""
        key, known = (layer.name, *folds.items()), self.known.cycles
        try:
            if key not in known:
                known[key] = layer.with_folds(folds).cycles
        except (InputError, FoldingError):  # which is told where it is built
            return False
        return known[key] <= self.max_cycles

    def _built(self, layer: Layer, among: Sequence[dict[str, int]]) -> tuple[list[Choice], Exception | None]:
        """The choices of a layer among some folds, and what the last of those raises that it cannot have."""
        found: list[Choice] = []
        refused: InputError | FoldingError | None = None
        for folds in among:
            try:
                found += self._choice(layer, folds)
            except (InputError, FoldingError) as error:  # a core or a channel map may need other lanes
                refused = error
        return found, refused

    def _choice(self, layer: Layer, folds: dict[str, int]) -> list[Choice]:
        """A layer in each of its ways, if its words are narrow enough."""
        key, known = (layer.name, *folds.items()), self.known.choices
        if key not in known:
            known[key] = _choice_of(self.built(layer.with_folds(folds)), folds)
        first = known[key]
        other = self.other(first.layer)
        ways = [first] if other is None else [first, _choice_of(other, folds, other=True)]
        return [way for way in ways if not self.max_word_bits
                or max(stream.bits for stream in way.layer.streams) <= self.max_word_bits]

    def _folds(self, item: Placed) -> Iterator[dict[str, int]]:
        layer, fixed = item.layer, self.given.get(item.layer.name, {})
        sizes = layer.fold_sizes
        options = [[fixed[name]] if name in fixed else divisors(size) for name, size in sizes.items()]
        flags = {name: value for name, value in fixed.items() if name not in sizes}
        forms = self._flags_to_try(item)
        for values in product(*options):
            folds = dict(zip(sizes, values, strict=True))
            yield from (folds | flags | form for form in forms
                        if "minimal_buffer" not in form or _saves_memory(layer, folds))

    def _flags_to_try(self, item: Placed) -> list[dict[str, int]]:
        """What a layer may be beside what its flags say; where they say nothing, first the form without any."""
        layer, fixed = item.layer, self.given.get(item.layer.name, {})
        if not layer.fold_flags:
            return [{}]
        flags = {name: value for name, value in fixed.items() if name not in layer.fold_sizes}
        reader = self._readers[layer.name]
        forms = layer.flags_to_try(flags, reader, self.given.get(reader.name, {}))
        return [form for form in forms if "minimal_buffer" not in form or layer.name not in self._stores]

    @cached_property
    def _readers(self) -> dict[str, Layer]:
        """The layer behind each layer's first output."""
        return {name: item.layer for item in self.dataflow.placed for name, index in item.sources if index == 0}

    @cached_property
    def _stores(self) -> set[str]:
        return branch_stores(self.dataflow)


def with_dsp_blocks(choice: Choice, blocks: int) -> Choice | None:
    """The choice with as many of its layer's rows in DSP blocks as so many hold; None where it has no such form."""
    layer = choice.layer.with_dsp_blocks(blocks)
    return _choice_of(layer, choice.folds, other=True) if layer else None


def _choice_of(layer: Layer, folds: Mapping[str, int], *, other: bool = False) -> Choice:
    return Choice(folds, layer, layer.cycles, estimate(layer), other)


@cache
def converter(given: Stream, lanes: int) -> Resources:
    """The width converter from a stream to so many lanes."""
    if given.lanes == lanes:
        return Resources()
    return estimate(Dwc("dwc", given.lanes, lanes, given.element, given.words))


def _saves_memory(window: Layer, folds: Mapping[str, int]) -> bool:
    """Does the minimal buffer of a window take less memory than the overlapping one?"""
    overlapping, minimal = (estimate(window.with_folds({**folds, "minimal_buffer": flag})) for flag in (0, 1))
    return minimal.bram18 < overlapping.bram18 or minimal.lutram < overlapping.lutram
