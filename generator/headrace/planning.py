"""From a request to a folding and the hardware: rates, boards, weights outside."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from math import ceil
from typing import Any

from headrace.area.usage import Resources
from headrace.board.board import Board, board_names, load_board
from headrace.board.room import room
from headrace.dataflow.choose_cores import ALL, require_weighted
from headrace.dataflow.graph import Dataflow
from headrace.dataflow.make_external import MAX_EXTERNAL, external_candidates, make_external
from headrace.dataflow.make_writable import make_writable
from headrace.design import Design, Recipe, elaborate, estimated, folded
from headrace.errors import FoldingError, InputError
from headrace.folding.plan import Plan, Terms, folding_target, least_cost, plan_fastest, plan_folding
from headrace.folding.solver import LAYERS_SHARE
from headrace.layers.cores.choice import AUTO
from headrace.model import Model
from headrace.render.hls import MAX_WORD_BITS
from headrace.request import Options, Request, resolve

#: Shares of a board that the layers get where with larger ones the FIFOs did not fit any more.
_SMALLER_SHARES = (0.9, 0.8, 0.6)


@dataclass(frozen=True, eq=False)
class Planned:
    """A request with the layers of external weights named, the folding that it asks for, and the hardware."""

    request: Request
    plan: Plan
    design: Design
    terms: Terms

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


def overfull(board: Board, taken: Resources, share: float = 1.0) -> str:
    """The resources of which more is taken than the share of the board, "" where it fits."""
    return ", ".join(f"{used} of {there} {name.upper()}" for name, (used, there) in board.use(taken).items()
                     if used > there * share)


def plan_design(model: Model, request: Request | None = None, progress: Callable[[str], None] = lambda _: None
                ) -> Planned:
    """The folding and the hardware; where a board is to be filled, FIFOs included.

    Raises InputError for layers that cannot be as asked, and where a board is too small even with weights outside;
    FoldingError for a pace that no folding, no board or the memory outside reaches.
    """
    request = resolve_external(model, request or resolve(Options()))
    stopped_by = ""
    terms = folding_terms(model, request)
    for share in (LAYERS_SHARE, *_SMALLER_SHARES):
        plan, design = _at_pace(model, request, terms, share, progress)
        planned = Planned(request, replace(plan, stopped_by=stopped_by or plan.stopped_by), design, terms)
        if not request.fills or planned.fits:
            break
        stopped_by = stopped_by or (f"{planned.design.sizing.cycles_per_frame} cycles per frame would take "
                                    f"{overfull(request.room, planned.resources)} with FIFOs")
    return planned


def _at_pace(model: Model, request: Request, terms: Terms, share: float, progress: Callable[[str], None]
             ) -> tuple[Plan, Design]:
    """The folding and the hardware; where the C++ is slower than the RTL, a faster folding keeps its pace too."""
    asked = request.cycles
    hls = "hls" in request.engines
    while True:
        plan = _folding(model, request, terms, share)
        recipe = replace(request.recipe, folding=plan.folds, depths=plan.depths)
        design = elaborate(model.integer, recipe, hls, progress)
        excess = design.cycles_per_frame - asked if hls and asked is not None else 0
        if excess <= 0 or not request.cycles or asked is None or request.cycles - excess < 3 * asked // 4:
            return plan, design
        request = replace(request, cycles=request.cycles - excess)


def require_fit(model: Model, planned: Planned) -> None:
    """Raise InputError with what would fit if the user named a board that is too small, unless it shall be overfull."""
    request = planned.request
    taken = overfull(request.room, planned.resources)
    if not taken or not request.named or request.options.overfull:
        return
    ways = [f"{names[0]} would hold it"] if (names := _boards_that_hold(planned)) else []
    if fastest := _fastest(model, request):
        ways.append(f"{fastest} would fit {request.board.name}")
    if request.options.weights == "on-chip" and _keeps_pace_outside(model, request):
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


def choose_folding(model: Model, request: Request, share: float = LAYERS_SHARE) -> Plan:
    """The folding that is asked for, complete for every layer that folds, of the layers as they will be built.

    A board that is to be filled gets the fastest folding whose layers take no more than `share` of it.
    """
    return _folding(model, request, folding_terms(model, request), share)


def _folding(model: Model, request: Request, terms: Terms, share: float) -> Plan:
    if request.fills:
        return plan_fastest(model.unfolded, terms, share)
    given, cycles = request.options.folding, request.cycles
    target = folding_target(model.unfolded, given) if cycles is None and given is not None else cycles
    assert target is not None  # nothing is filled
    return plan_folding(model.unfolded, target, terms, given)


def resolve_external(model: Model, request: Request) -> Request:
    """The same request with the layers of external weights named: those that do not fit are chosen here.

    Raises InputError for layers that cannot be as asked, and where the board is too small even with weights outside;
    FoldingError for a pace that no board reaches, or that the memory outside does not.
    """
    _require_layers(model, request.recipe)
    if request.options.weights == "on-chip":
        return request
    given, more = request.recipe.external, _candidates(model, request)
    for count in range(len(more) + 1):
        chosen = _with_external(request, (*given, *more[:count]))
        if _fits(model, chosen):
            return chosen
    raise InputError(f"{request.board.name}: the accelerator does not fit even with the weights of "
                     f"{list(chosen.recipe.external)} outside; choose a larger board or ask for fewer frames per "
                     "second")


def _require_layers(model: Model, recipe: Recipe) -> None:
    """Raise InputError for the first layer that is not there or cannot be as the recipe says."""
    for name in recipe.external:
        make_external(model.unfolded, [name])
    make_external(model.unfolded, recipe.external)
    make_writable(model.unfolded, recipe.writable)
    require_weighted(model.unfolded, recipe.cores)


def _candidates(model: Model, request: Request) -> tuple[str, ...]:
    """Layers whose weights may also come from outside, the largest first."""
    cores, given = request.recipe.cores, (*request.recipe.external, *request.recipe.writable)
    found = [layer.name for layer in external_candidates(model.unfolded)
             if layer.name not in given and cores.get(layer.name, cores.get(ALL, AUTO)) in (AUTO, "plain")]
    return tuple(found[: MAX_EXTERNAL - len(request.recipe.external)])


def _with_external(request: Request, names: tuple[str, ...]) -> Request:
    return replace(request, recipe=replace(request.recipe, external=names))


def _fits(model: Model, request: Request) -> bool:
    """True if the layers at the folding that is asked for fit the board."""
    try:
        plan = choose_folding(model, request)
    except FoldingError:
        if not request.fills:  # it is the pace, which weights outside make no faster
            raise
        return False
    layers = folded(model.integer, replace(request.recipe, folding=plan.folds))
    return not overfull(request.room, estimated(layers), LAYERS_SHARE)


def _keeps_pace_outside(model: Model, request: Request) -> bool:
    """True if the board holds what is asked for at its pace with as many weights outside as can be."""
    more = _candidates(model, request)
    try:
        return bool(more) and _fits(model, _with_external(request, (*request.recipe.external, *more)))
    except FoldingError:  # the memory outside is too slow
        return False


def _fits_outside(model: Model, request: Request) -> bool:
    """True if the board holds the smallest folding with as many weights outside as can be, but not with them inside."""
    if not (more := _candidates(model, request)):
        return False
    outside = _with_external(request, (*request.recipe.external, *more))
    return not overfull(request.room, least_cost(model.unfolded, folding_terms(model, outside)), LAYERS_SHARE)


def folding_terms(model: Model, request: Request) -> Terms:
    """What the request demands of any folding."""
    options, recipe = request.options, request.recipe

    def way_out() -> str:
        helps = options.weights == "on-chip" and _fits_outside(model, request)
        return "choose a larger board" + " or --weights external" * helps

    terms = Terms(request.room, options.clock_mhz, 0 if options.backend == "rtl" else MAX_WORD_BITS,
                  built=recipe.as_built, way_out=way_out)
    if not request.named or request.family is None:
        return terms
    sides = _bits_per_frame(make_external(model.unfolded, recipe.external))
    bound = max(sides, key=lambda side: sides[side])
    # A word per cycle of the slower clock.
    slower = max(1.0, options.clock_mhz / request.family.bus_mhz)
    return replace(terms, min_cycles=ceil(sides[bound] / (8 * request.family.stream_bytes) * slower), bound=bound)


def _bits_per_frame(dataflow: Dataflow) -> dict[str, int]:
    """What a frame takes through each of the DMA's ports."""
    output = dataflow.streams[dataflow.output_port]
    sides = {f"the DMA's {way}": stream.elements * stream.element.bits
             for way, stream in (("input", dataflow.input), ("output", output))}
    sides["the DMA's weights"] = sum(stream.elements * stream.element.bits for layer in dataflow.layers
                                     if (stream := layer.weight_stream))
    return sides
