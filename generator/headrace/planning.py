"""From a request to the hardware: the folding, filled boards, what fits."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from headrace.area.usage import Resources
from headrace.board.board import board_names, load_board
from headrace.board.room import room
from headrace.dataflow.graph import Dataflow
from headrace.design import Design, Recipe, elaborate, estimated
from headrace.errors import FoldingError, InputError
from headrace.folding.plan import Plan, Terms
from headrace.folding.solver import LAYERS_SHARE
from headrace.model import Model
from headrace.network.integer import IntegerNetwork
from headrace.placement import folding_at, folding_terms, keeps_pace_outside, overfull, place_weights, recipe_of
from headrace.request import Options, Request, resolve

#: Shares of a board that the layers get where with larger ones the FIFOs did not fit any more.
_SMALLER_SHARES = (0.9, 0.8, 0.6)


@dataclass(frozen=True, eq=False)
class Planned:
    """A request with the layers of external weights named, the folding that it asks for, and the hardware.

    share: of the board that the layers got where it is filled; less than LAYERS_SHARE where FIFOs did not fit.
    """

    request: Request
    plan: Plan
    design: Design
    terms: Terms
    share: float

    @property
    def dataflow(self) -> Dataflow:
        """The hardware."""
        return self.design.dataflow

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
    def fits(self) -> bool:
        """True if the board holds the hardware, as estimated; one that is filled: in the share that is asked for."""
        return not overfull(self.request.room, self.resources)


def plan_design(model: Model, request: Request | None = None, progress: Callable[[str], None] = lambda _: None,
                estimate_fifos: bool = False) -> Planned:
    """The folding and the hardware; where a board is to be filled, FIFOs included. estimate_fifos: see elaborate.

    Raises InputError for layers that cannot be as asked, and where a board is too small even with weights outside;
    FoldingError for a pace that no folding, no board or the memory outside reaches.
    """
    request = place_weights(model, request or resolve(Options()))
    stopped_by = ""
    terms = folding_terms(model, request)
    for share in (LAYERS_SHARE, *_SMALLER_SHARES):
        plan, design = _at_pace(model, request, terms, share, progress, estimate_fifos)
        planned = Planned(request, replace(plan, stopped_by=stopped_by or plan.stopped_by), design, terms, share)
        if not request.fills or planned.fits:
            break
        stopped_by = stopped_by or (f"{planned.design.sizing.cycles_per_frame} cycles per frame would take "
                                    f"{overfull(request.room, planned.resources)} with FIFOs")
    return planned


def _at_pace(model: Model, request: Request, terms: Terms, share: float, progress: Callable[[str], None],
             estimate_fifos: bool) -> tuple[Plan, Design]:
    """The folding and the hardware; where the C++ is slower than the RTL, a faster folding keeps its pace too."""
    asked = request.cycles
    hls = "hls" in request.engines
    while True:
        plan = folding_at(model, request, terms, share)
        design = _elaborated(_Wanted.of(model, recipe_of(request, plan), hls, estimate_fifos, progress))
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


def require_fit(model: Model, planned: Planned) -> None:
    """Raise InputError with what would fit if the user named a board that is too small, unless it shall be overfull."""
    request = planned.request
    taken = overfull(request.room, planned.resources)
    if not taken or not request.named or request.options.overfull:
        return
    ways = [f"{names[0]} would hold it"] if (names := _boards_that_hold(planned)) else []
    if fastest := _fastest(model, request):
        ways.append(f"{fastest} would fit {request.board.name}")
    if request.options.weights == "on-chip" and keeps_pace_outside(model, request):
        ways.append("--weights external makes room")
    advice = "; ".join([*ways, "--overfull builds it all the same"])
    raise InputError(f"{request.board.name}: the accelerator does not fit, it would take {taken}; {advice}")


def _boards_that_hold(planned: Planned) -> list[str]:
    """The boards that come with headrace and hold the hardware, the smallest first."""
    boards = [load_board(name) for name in board_names()]
    return [board.name for board in sorted(boards, key=lambda board: (board.lut, board.name))
            if not overfull(room(board, 100.0), planned.resources)]


def _fastest(model: Model, request: Request) -> str:
    """The pace of the fastest folding that fits the board with its FIFOs, "" where none does."""
    fastest = replace(request, cycles=None, options=replace(request.options, fps=None, folding=None))
    try:
        planned = plan_design(model, fastest)
    except (FoldingError, InputError):
        return ""
    cycles = planned.design.sizing.cycles_per_frame
    return f"{request.options.clock_mhz * 1e6 / cycles:.0f} fps ({cycles} cycles per frame)" if planned.fits else ""
