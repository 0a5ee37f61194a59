"""Plans with padded channels: as a folding names them, and where they clearly pay without one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from headrace.errors import FoldingError, HeadraceError, InputError
from headrace.folding.plan import has_room_for_weights
from headrace.folding.tables import Rates, taken
from headrace.layers.weight_store import RAM
from headrace.model import Model
from headrace.network.integer import IntegerNetwork
from headrace.padding.folds import split_channels, with_channels
from headrace.padding.groups import groups_of, whole_groups
from headrace.padding.pad import padded
from headrace.padding.variants import shrunk, tensors_of, variants
from headrace.planning import Planned, plan_design, with_named_channels
from headrace.request import Options, Request, resolve

#: Padding has to save that share of the cycles, of a board that is to be filled, or of the price of the hardware.
_FEWER_CYCLES, _LESS_COST = 0.02, 0.03


def plan_padded(model: Model, request: Request | None = None, progress: Callable[[str], None] = lambda _: None,
                estimate_fifos: bool = False) -> Planned:
    """See planning.plan_design; channels are padded as the folding says, or where no folding is given and it pays.

    It pays where a board that is to be filled takes clearly fewer cycles, where a pace needs clearly less hardware, or
    where it fits only so. Networks without channels that have few divisors are planned as they are.
    """
    request = request or resolve(Options())
    if request.options.folding is not None:
        return _as_given(model, request, progress, estimate_fifos)
    forms = variants(model.integer, frozenset(request.recipe.writable))
    if forms and (best := _Search(model, request).best(forms)):
        form = _form(model, tuple(best.channels.items()))
        # At first only what is fast enough, which is known; where exact FIFOs do not let that fit, at any pace.
        for wanted in dict.fromkeys((best.request, request)):
            try:
                found = plan_design(form, wanted, progress, estimate_fifos)
            except (FoldingError, InputError):
                continue
            if found.fits or not request.named:
                return _named(found, best.channels, request)
    return plan_design(model, request, progress, estimate_fifos)


def _as_given(model: Model, request: Request, progress: Callable[[str], None], estimate_fifos: bool) -> Planned:
    """The folding of the request, with the channels that it names."""
    assert request.options.folding is not None
    channels, _ = split_channels(request.options.folding)
    if not channels:
        return plan_design(model, request, progress, estimate_fifos)
    _require_not_writable(model.integer, channels, request)
    whole = whole_groups(model.integer, channels)
    try:
        planned = plan_design(*with_named_channels(model, request), progress, estimate_fifos)
    except FoldingError as error:
        raise FoldingError(f"{error}{_also_padded(str(error), channels, whole)}") from None
    return _named(planned, whole, request)


def _also_padded(error: str, asked: Mapping[str, int], whole: Mapping[str, int]) -> str:
    """What an error about the rows of a convolution leaves out that nobody pads but that is padded too."""
    return "".join(f" (its channels are padded to {count} with those that they meet)"
                   for name, count in whole.items() if name not in asked and error.startswith(f"{name}: PE="))


def _require_not_writable(net: IntegerNetwork, channels: Mapping[str, int], request: Request) -> None:
    """Raise InputError where weights would get rows or columns that the user is to write at any time.

    Those in UltraRAM are written once, and as the planner itself may ask for them.
    """
    for name, storage in request.recipe.writable.items():
        if storage != RAM:
            continue
        touched = tensors_of(net, [name])
        for group in groups_of(net):
            padded = [conv for conv in group.convs if channels.get(conv, group.channels) != group.channels]
            if padded and not group.tensors.isdisjoint(touched):
                raise InputError(f"{name}: its weights are writable, so they keep their shape; leave the channels of "
                                 f"{padded[0]} as they are")


@lru_cache(maxsize=8)
def _form(model: Model, channels: tuple[tuple[str, int], ...]) -> Model:
    """A padded form of a model: kept, because many boards and paces are planned with the same."""
    return replace(model, integer=padded(model.integer, dict(channels)))


def _named(planned: Planned, channels: Mapping[str, int], request: Request) -> Planned:
    """A plan of a padded network as one of the network itself: its folding names the channels."""
    plan, recipe = planned.plan, planned.design.recipe
    options = replace(planned.request.options, folding=request.options.folding)
    return replace(planned, request=replace(planned.request, options=options, max_cycles=request.max_cycles),
                   plan=replace(plan, folds=with_channels(plan.folds, channels)),
                   design=replace(planned.design, recipe=replace(
                       recipe, folding=with_channels(recipe.folding, channels))))


@dataclass(frozen=True, eq=False)
class _Form:
    """A padded form: the channels by convolution, the request that it was planned for, and the plan."""

    channels: Mapping[str, int]
    request: Request
    planned: Planned


@dataclass(frozen=True)
class _Search:
    """Plans of one request, with estimated FIFOs."""

    model: Model
    request: Request

    def best(self, forms: Sequence[Mapping[str, int]]) -> _Form | None:
        """The best padded form; None where none is clearly better than the network as it is.

        Of a board that is to be filled, foldings are looked at that are faster than what is known.
        """
        plain = self._planned({}, self.request)
        if plain is None or self._is_settled(plain):
            return None
        enough = plain.design.cycles_per_frame * (1 - _FEWER_CYCLES) if self._is_filled(plain) else None
        best: _Form | None = None
        for channels in forms:
            found = self._form(channels, enough)
            if found and (best is None or self._worth(found.planned) < self._worth(best.planned)):
                best, enough = found, found.planned.design.cycles_per_frame if self._is_filled(found.planned) else None
        if best is None:
            return None
        if fewer := shrunk(self.model.integer, best.channels, best.planned.plan.folds):
            leaner = self._form(fewer, enough)
            best = leaner if leaner and self._worth(leaner.planned) <= self._worth(best.planned) else best
        return best if self._is_better(best.planned, plain) else None

    def _is_filled(self, planned: Planned) -> bool:
        """True for a plan of a board that is to be filled, if it holds it: then slower plans are of no interest."""
        return self.request.fills and (planned.fits or not self.request.named)

    def _form(self, channels: Mapping[str, int], enough: float | None) -> _Form | None:
        """A padded form that fits; None where there is none, or none that takes at most so many cycles."""
        request = self.request if enough is None else replace(self.request, max_cycles=int(enough))
        planned = self._planned(channels, request)
        fits = planned is not None and (planned.fits or not self.request.named)
        return _Form(channels, request, planned) if planned and fits else None

    def _is_settled(self, plain: Planned) -> bool:
        """True where padding cannot help: what stands around the layers is slower, or their weights are too large."""
        if plain.fits or not self.request.named:
            return self.request.fills and plain.board_bound is not None
        return not has_room_for_weights(self.model.unfolded, plain.terms)

    def _planned(self, channels: Mapping[str, int], request: Request) -> Planned | None:
        """None where there is no plan."""
        form = _form(self.model, tuple(channels.items())) if channels else self.model
        try:
            return plan_design(form, request, estimate_fifos=True)
        except HeadraceError:
            return None

    def _is_better(self, found: Planned, plain: Planned) -> bool:
        if self.request.named and not plain.fits:
            return found.fits
        cycles, cost = self._worth(found)
        cycles_before, cost_before = self._worth(plain)
        if self.request.fills:
            return cycles <= cycles_before * (1 - _FEWER_CYCLES)
        return cost <= cost_before * (1 - _LESS_COST)

    def _worth(self, planned: Planned) -> tuple[float, float]:
        """What is to be small: the cycles of a board that is to be filled, and the price of the hardware."""
        board = self.request.board
        rates = Rates.of(board, self.request.recipe.prices, {})
        cost = float(rates.price(np.array(taken(board, planned.resources))))
        return float(planned.design.cycles_per_frame if self.request.fills else 0), cost
