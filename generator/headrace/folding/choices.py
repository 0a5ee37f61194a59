"""What can be chosen for every layer of an unfolded dataflow: folds, the cycles that they take and what they cost."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import product

from headrace.area.estimate import estimate
from headrace.area.usage import Resources
from headrace.dataflow.graph import SOURCE, Dataflow, Placed
from headrace.errors import FoldingError, InputError
from headrace.folding.minimal_buffers import branch_stores
from headrace.layers import Dwc
from headrace.layers.base import Layer
from headrace.legal_folds import divisors


@dataclass(frozen=True, eq=False)
class Choice:
    """Folds of one layer, and what they cost."""

    folds: Mapping[str, int]
    layer: Layer
    cycles: int
    cost: Resources

    @property
    def lanes_in(self) -> int:
        """Elements per word of every input."""
        return self.layer.inputs[0].lanes

    @property
    def lanes_out(self) -> int:
        """Elements per word of every output."""
        return self.layer.outputs[0].lanes

    @property
    def multiplies(self) -> bool:
        """True for a layer with weights; all others move data, or take words one by one."""
        return self.layer.macs > 0

    @property
    def waits(self) -> bool:
        """True for a window with the minimal buffer, in front of which words wait."""
        return bool(self.folds.get("minimal_buffer"))


@dataclass(frozen=True, eq=False)
class Choices:
    """All legal choices of a dataflow with PE = SIMD = 1. given: folds that stay; max_word_bits: 0 is no limit.

    built: what becomes of a folded layer before it is built, its compute core and its memories; it raises InputError
    where that cannot be.
    """

    dataflow: Dataflow
    given: Mapping[str, Mapping[str, int]]
    max_word_bits: int = 0
    built: Callable[[Layer], Layer] = lambda layer: layer

    @cached_property
    def of_layer(self) -> dict[str, list[Choice]]:
        """By layer; raises FoldingError where none is legal."""
        found = {}
        for item in self.dataflow.placed:
            name = item.layer.name
            found[name] = list(self._legal(item))
            if not found[name]:
                raise FoldingError(f"{name}: no folding keeps its words within {self.max_word_bits} bits; use the rtl "
                                   "back end alone")
        return found

    @cached_property
    def edges(self) -> tuple[tuple[str, str], ...]:
        """Producer and reader of every stream inside."""
        return tuple((source, item.layer.name) for item in self.dataflow.placed for source, _ in item.sources
                     if source != SOURCE)

    def converter(self, producer: Choice, reader: Choice) -> Resources:
        """The width converter between two choices."""
        given, wanted = producer.layer.outputs[0], reader.lanes_in
        if given.lanes == wanted:
            return Resources()
        return estimate(Dwc("dwc", given.lanes, wanted, given.element, given.words))

    def reads_input(self, name: str) -> bool:
        """Does the layer take the network's input?"""
        return any(item.layer.name == name and (SOURCE, 0) in item.sources for item in self.dataflow.placed)

    def _legal(self, item: Placed) -> Iterator[Choice]:
        """The choices of a layer. Raises the error where it cannot be built as it should be at any fold."""
        refused: InputError | FoldingError | None = None
        chosen = False
        for folds in self._folds(item):
            try:
                choice = self._choice(item.layer, folds)
            except (InputError, FoldingError) as error:  # a core or a channel map may need other lanes
                refused = error
                continue
            chosen = True
            if choice:
                yield choice
        if refused and not chosen:
            raise refused

    def _choice(self, layer: Layer, folds: dict[str, int]) -> Choice | None:
        folded = self.built(layer.with_folds(folds))
        widest = max(stream.bits for stream in folded.streams)
        if self.max_word_bits and widest > self.max_word_bits:
            return None
        return Choice(folds, folded, folded.cycles, estimate(folded))

    def _folds(self, item: Placed) -> Iterator[dict[str, int]]:
        layer, fixed = item.layer, self.given.get(item.layer.name, {})
        sizes = layer.fold_sizes
        options = [[fixed[name]] if name in fixed else divisors(size) for name, size in sizes.items()]
        flags = {name: value for name, value in fixed.items() if name not in sizes}
        for values in product(*options):
            folds = dict(zip(sizes, values, strict=True))
            yield from (folds | flags | forms for forms in self._forms(item, folds, flags))

    def _forms(self, item: Placed, folds: Mapping[str, int], flags: Mapping[str, int]) -> Iterator[dict[str, int]]:
        """What a layer may be beside what its flags say; where they say nothing, first the form without any."""
        layer = item.layer
        if not layer.fold_flags:
            yield {}
            return
        reader = next(other.layer for other in self.dataflow.placed if (layer.name, 0) in other.sources)
        for form in layer.flags_to_try(flags, reader, self.given.get(reader.name, {})):
            if "minimal_buffer" not in form or (layer.name not in self._stores and _saves_memory(layer, folds)):
                yield form

    @cached_property
    def _stores(self) -> set[str]:
        return branch_stores(self.dataflow)


def _saves_memory(window: Layer, folds: Mapping[str, int]) -> bool:
    """Does the minimal buffer of a window take less memory than the overlapping one?"""
    overlapping, minimal = (estimate(window.with_folds({**folds, "minimal_buffer": flag})) for flag in (0, 1))
    return minimal.bram18 < overlapping.bram18 or minimal.lutram < overlapping.lutram
