"""From a request to the hardware: the folding, filled boards, what fits."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from headrace.area.estimate import estimate
from headrace.area.usage import Resources, total
from headrace.board.board import Board
from headrace.dataflow.graph import Dataflow
from headrace.design import Design, Recipe, elaborate, estimated
from headrace.errors import FoldingError, InputError
from headrace.folding.plan import Plan, Terms, require_room_for_weights
from headrace.folding.solver import LAYERS_SHARE
from headrace.model import Model
from headrace.network.integer import IntegerNetwork
from headrace.padding.folds import padded_for
from headrace.placement import (
    folding_at,
    folding_terms,
    keeps_pace_filled,
    overfull,
    placements,
    recipe_of,
)
from headrace.request import Options, Request, resolve

#: Shares of a board that the layers get where with larger ones the FIFOs did not fit any more.
_SMALLER_SHARES = (0.9, 0.8, 0.6)


@dataclass(frozen=True, eq=False)
class Planned:
    """A request with the layers of external weights named, the folding that it asks for, and the hardware.

    share: of the board that the layers got; less than LAYERS_SHARE where FIFOs did not fit. first: False where FIFOs
    kept what was looked at first from fitting.
    """

    request: Request
    plan: Plan
    design: Design
    terms: Terms
    share: float
    first: bool = True

    @property
    def dataflow(self) -> Dataflow:
        """The hardware."""
        return self.design.dataflow

    @property
    def room(self) -> Board:
        """What of the board there is for the hardware."""
        return self.request.room(self.dataflow)

    @property
    def resources(self) -> Resources:
        """The estimate of the hardware."""
        return estimated(self.dataflow)

    @property
    def board_bound(self) -> Mapping[str, Any] | None:
        """What on the board is slower than the hardware, and its cycles per frame; None where nothing is."""
        slow = self.terms.min_cycles > self.design.sizing.cycles_per_frame
        return {"name": self.terms.bound, "cycles_per_frame": self.terms.min_cycles} if slow else None

    @property
    def layers_fit(self) -> bool:
        """True if the board holds the layers without FIFOs."""
        layers = [estimate(layer) for layer in self.dataflow.layers if layer.stream_depth is None]
        return not overfull(self.room, total(layers))

    @property
    def fits(self) -> bool:
        """True if the board holds the hardware, as estimated; one that is filled: in the share that is asked for."""
        return not overfull(self.room, self.resources)


def plan_design(model: Model, request: Request | None = None, progress: Callable[[str], None] = lambda _: None,
                estimate_fifos: bool = False) -> Planned:
    """The folding and the hardware, with its FIFOs within the board where that can be. estimate_fifos: see elaborate.

    Raises InputError for layers that cannot be as asked, and where a board is too small even with weights outside;
    FoldingError for a pace that no folding, no board or the memory outside reaches.
    """
    request, refused = request or resolve(Options()), None
    how = (progress, estimate_fifos)
    try:
        for placed in placements(model, request):
            planned = _within_shares(model, placed, *how)
            if planned.fits or not request.named:
                return replace(planned, first=planned.first and refused is None)
            refused = refused or planned
    except (FoldingError, InputError):  # of what else there is
        if refused is None:
            raise
    assert refused is not None  # there is a placement at least
    return _filled(model, request, refused.layers_fit, *how) or refused


def _within_shares(model: Model, request: Request, progress: Callable[[str], None], estimate_fifos: bool) -> Planned:
    """The first design that fits, of such where layers take ever less; where none does, what was asked for.

    Of a board that is to be filled that is the smallest.
    """
    terms, stopped_by = folding_terms(model, request), ""
    if request.named and not request.options.overfull:
        require_room_for_weights(model.unfolded, terms, 1.0)
    refused: Planned | None = None
    for share in (LAYERS_SHARE, *_SMALLER_SHARES):
        try:
            plan, design = _at_pace(model, request, terms, share, progress, estimate_fifos)
        except FoldingError:  # the layers alone need more
            if refused is None:
                raise
            break
        planned = Planned(request, replace(plan, stopped_by=stopped_by or plan.stopped_by), design, terms, share,
                          first=refused is None)
        if planned.fits or not request.named:
            return planned
        if request.fills:
            stopped_by = stopped_by or (f"{planned.design.sizing.cycles_per_frame} cycles per frame would take "
                                        f"{overfull(planned.room, planned.resources)} with FIFOs")
        refused = planned if request.fills or refused is None else refused
    assert refused is not None  # there are shares
    return refused


def _filled(model: Model, request: Request, layers_fit: bool, progress: Callable[[str], None], estimate_fifos: bool
            ) -> Planned | None:
    """What fills the board, if that has the pace that is asked for; None where none is asked for, or nothing has it.

    layers_fit: without being filled; only then layers take DSP blocks for LUTs, or the reverse.
    """
    if request.cycles is None:
        return None
    fast = replace(_filling(request), max_cycles=request.cycles)
    if not (layers_fit or keeps_pace_filled(model, fast, request.cycles)):
        return None
    try:
        found = plan_design(model, fast, progress, estimate_fifos)
    except (FoldingError, InputError):
        return None
    if not found.fits or found.design.cycles_per_frame > request.cycles:
        return None
    asked = replace(found.request, cycles=request.cycles, max_cycles=0, options=request.options)
    return replace(found, request=asked, plan=replace(found.plan, stopped_by=""), first=False)


def _filling(request: Request) -> Request:
    """The request for the fastest that fits the board."""
    return replace(request, cycles=None, options=replace(request.options, fps=None, folding=None))


def _at_pace(model: Model, request: Request, terms: Terms, share: float, progress: Callable[[str], None],
             estimate_fifos: bool) -> tuple[Plan, Design]:
    """The folding and the hardware; where the C++ is slower than the RTL, a faster folding keeps its pace too."""
    asked = request.cycles
    hls = "hls" in request.engines
    while True:
        plan = folding_at(model, request, terms, share)
        design = _elaborated(_Wanted.of(model, recipe_of(request, plan), hls, estimate_fifos, progress))
        design = design.within(request.room(design.dataflow)) if request.named else design
        excess = design.cycles_per_frame - asked if hls and asked is not None else 0
        if excess <= 0 or not request.cycles or asked is None or request.cycles - excess < 3 * asked // 4:
            return plan, design
        request = replace(request, cycles=request.cycles - excess)


@dataclass(frozen=True)
class _Wanted:
    """A design by what it depends on; whoever wants the same gets the same."""

    net: IntegerNetwork
    record: str
    hls: bool
    estimate_fifos: bool
    recipe: Recipe = field(compare=False)
    progress: Callable[[str], None] = field(compare=False)

    @classmethod
    def of(cls, model: Model, recipe: Recipe, hls: bool, estimate_fifos: bool, progress: Callable[[str], None]
           ) -> _Wanted:
        """What a recipe makes of a model."""
        return cls(model.integer, json.dumps(recipe.record(), sort_keys=True), hls, estimate_fifos, recipe,
                   progress)


@lru_cache(maxsize=8)
def _elaborated(wanted: _Wanted) -> Design:
    """Kept, because boards of one family often get the same folding."""
    return elaborate(wanted.net, wanted.recipe, wanted.hls, wanted.progress, wanted.estimate_fifos)


def with_named_channels(model: Model, request: Request) -> tuple[Model, Request]:
    """The model with the channels that the folding of a request names, and the request without them."""
    if request.options.folding is None:
        return model, request
    net, folding = padded_for(model.integer, request.options.folding)
    bare = replace(request, options=replace(request.options, folding=folding),
                   recipe=replace(request.recipe, folding=folding))
    return model if net is model.integer else replace(model, integer=net), bare
