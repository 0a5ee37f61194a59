"""Where the weights of the layers lie, and the folding that there is room for then."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from math import ceil

from headrace.area.usage import Resources
from headrace.board.board import Board
from headrace.board.room import DEFAULT_SHARE
from headrace.dataflow.choose_cores import ALL, named_cores, require_weighted
from headrace.dataflow.graph import Dataflow
from headrace.dataflow.make_external import MAX_EXTERNAL, external_candidates, make_external
from headrace.dataflow.make_writable import MAX_LAYERS, make_writable, writable_candidates
from headrace.design import AsBuilt, Recipe, estimated, folded
from headrace.errors import FoldingError, InputError
from headrace.folding.given import require_known
from headrace.folding.plan import (
    Plan,
    Terms,
    folding_target,
    has_room,
    has_room_for_weights,
    keeps_pace,
    plan_fastest,
    plan_folding,
)
from headrace.folding.solver import LAYERS_SHARE
from headrace.layers.base import Layer
from headrace.layers.cores import core_named
from headrace.layers.cores.choice import AUTO
from headrace.layers.weight_store import URAM
from headrace.model import Model
from headrace.padding.groups import groups_of
from headrace.render.hls import MAX_WORD_BITS
from headrace.request import Request


def overfull(board: Board, taken: Resources, share: float = 1.0) -> str:
    """The resources of which more is taken than the share of the board, "" where it fits."""
    return ", ".join(f"{used} of {there} {name.upper()}" for name, (used, there) in board.use(taken).items()
                     if used > there * share)


def choose_folding(model: Model, request: Request, share: float = LAYERS_SHARE) -> Plan:
    """The folding that is asked for, complete for every layer that folds, of the layers as they will be built.

    A board that is to be filled gets the fastest folding whose layers take no more than `share` of it.
    """
    return folding_at(model, request, folding_terms(model, request), share)


def folding_at(model: Model, request: Request, terms: Terms, share: float) -> Plan:
    """That on terms that are known."""
    if request.fills:
        return plan_fastest(model.unfolded, terms, share)
    given, cycles = request.options.folding, request.cycles
    target = folding_target(model.unfolded, given) if cycles is None and given is not None else cycles
    assert target is not None  # nothing is filled
    return plan_folding(model.unfolded, target, terms, given, share)


def recipe_of(request: Request, plan: Plan) -> Recipe:
    """What is given, with the folding and the memories that were planned."""
    recipe = replace(request.recipe, folding=plan.folds, depths=plan.depths)
    if request.spills:
        weights = [name for name, layer in plan.others.items() if layer.writable]
        return replace(recipe, writable={**recipe.writable, **dict.fromkeys(weights, URAM)},
                       buffers=tuple(name for name in plan.others if name not in weights))
    return replace(recipe, cores={**recipe.cores, **named_cores(plan.others)})


def placements(model: Model, request: Request) -> Iterator[Request]:
    """The same request with ever more elsewhere, where the layers fit so: in UltraRAM, then from memory outside.

    It lets the folding choose the layers with weights or buffers in UltraRAM (`spills`), and names those of external
    weights. There is always one: where nothing fits, that with most in UltraRAM.
    Raises InputError for layers that cannot be as asked, and where the board is too small even with weights outside;
    FoldingError for a pace that no board reaches, or that the memory outside does not.
    """
    _require_layers(model, request)
    found = False
    for chosen in _places(model, request):
        if _fits(model, chosen):
            found = True
            yield chosen
    if found:
        return
    if request.options.weights == "on-chip":
        yield chosen
        return
    raise InputError(f"{request.board.name}: the accelerator does not fit even with the weights of "
                     f"{list(chosen.recipe.external)} outside; choose a larger board or ask for fewer frames per "
                     "second")


def _places(model: Model, request: Request) -> Iterator[Request]:
    """The request with ever more elsewhere."""
    yield request
    spilled = replace(request, spills=_can_spill(model, request))
    if spilled.spills:
        yield spilled
    more = _candidates(model, request) if request.options.weights == "external" else ()
    for count in range(1, len(more) + 1):
        yield _with_external(spilled, (*request.recipe.external, *more[:count]))


def _for_uram(model: Model, request: Request) -> frozenset[str]:
    """Layers whose weights may lie in UltraRAM too; none for a board that nobody named or that has no such memory."""
    recipe = request.recipe
    if not (request.named and request.board.uram and request.options.backend == "rtl"):
        return frozenset()
    found = [layer.name for layer in writable_candidates(model.unfolded) if _is_free(recipe, layer.name)]
    return frozenset(found[: MAX_LAYERS - len(recipe.writable)])


def _can_spill(model: Model, request: Request) -> bool:
    """True if anything may lie in UltraRAM that does not yet."""
    buffers = request.named and request.board.uram and any(layer.in_uram() for layer in model.unfolded.layers)
    return bool(buffers or _for_uram(model, request))


def _is_free(recipe: Recipe, name: str) -> bool:
    """True if nothing is asked for that keeps the layer's weights from lying elsewhere."""
    elsewhere = name in recipe.external or name in recipe.writable
    core = recipe.cores.get(name, recipe.cores.get(ALL, AUTO))
    named = core_named(core)
    return not elsewhere and (named is None or named.takes_any_weights)


@dataclass(frozen=True)
class _InUram:
    """Gives a layer that is built its weights or its buffer in UltraRAM, None for one that has none to move.

    names: of those whose weights may lie there, where `built` puts them.
    """

    names: frozenset[str]
    built: AsBuilt

    def __call__(self, layer: Layer) -> Layer | None:
        return self.built(layer) if layer.name in self.names else layer.in_uram()


def _in_other_core(layer: Layer) -> Layer | None:
    """A layer that is built with a core that takes LUTs for DSP blocks, or the reverse; None where none does."""
    return layer.with_other_core()


def _in_uram(model: Model, request: Request) -> _InUram:
    names = _for_uram(model, request)
    return _InUram(names, replace(request.recipe, writable=dict.fromkeys(names, URAM)).as_built)


def _require_layers(model: Model, request: Request) -> None:
    """Raise InputError or FoldingError for the first layer that is not there or cannot be as the request says."""
    recipe = request.recipe
    for name in recipe.external:
        make_external(model.unfolded, [name])
    make_external(model.unfolded, recipe.external)
    make_writable(model.unfolded, recipe.writable)
    require_weighted(model.unfolded, recipe.cores)
    if request.options.folding:
        padable = {conv for group in groups_of(model.integer) if not group.stays for conv in group.convs}
        require_known(model.unfolded, request.options.folding, padable)


def _candidates(model: Model, request: Request) -> tuple[str, ...]:
    """Layers whose weights may also come from outside, the largest first."""
    found = [layer.name for layer in external_candidates(model.unfolded) if _is_free(request.recipe, layer.name)]
    return tuple(found[: MAX_EXTERNAL - len(request.recipe.external)])


def _with_external(request: Request, names: tuple[str, ...]) -> Request:
    return replace(request, recipe=replace(request.recipe, external=names))


def _fits(model: Model, request: Request) -> bool:
    """True if the layers at the folding that is asked for fit the board; at any folding, for one that is filled."""
    terms = folding_terms(model, request)
    if request.fills:
        return has_room(model.unfolded, terms)
    if request.named and not has_room_for_weights(model.unfolded, terms):
        return False
    plan = folding_at(model, request, terms, LAYERS_SHARE)
    layers = folded(model.integer, recipe_of(request, plan))
    return not overfull(request.room(layers), estimated(layers), LAYERS_SHARE)


def keeps_pace_filled(model: Model, request: Request, cycles: int) -> bool:
    """True if the board holds the layers at a pace where it is to be filled."""
    return keeps_pace(model.unfolded, folding_terms(model, request), cycles)


def keeps_pace_outside(model: Model, request: Request) -> bool:
    """True if the board holds what is asked for at its pace with as many weights outside as can be."""
    more = _candidates(model, request)
    try:
        return bool(more) and _fits(model, _with_external(request, (*request.recipe.external, *more)))
    except FoldingError:  # the memory outside is too slow
        return False


def _fits_outside(model: Model, request: Request) -> bool:
    """True if the board holds all layers at PE = SIMD = 1 with as many weights outside as can be."""
    if not (more := _candidates(model, request)):
        return False
    layers = folded(model.integer, _with_external(request, (*request.recipe.external, *more)).recipe)
    return not overfull(request.room(layers), estimated(layers), LAYERS_SHARE)


def _fits_usual_share(model: Model, request: Request) -> bool:
    """True if the share of the board that is filled where nobody says otherwise holds the layers."""
    usual = replace(request, options=replace(request.options, share=DEFAULT_SHARE))
    return has_room(model.unfolded, folding_terms(model, usual))


@lru_cache(maxsize=1)
def folding_terms(model: Model, request: Request) -> Terms:
    """What the request demands of any folding."""
    options, recipe = request.options, request.recipe

    def way_out() -> str:
        more = request.fills and options.share < DEFAULT_SHARE and _fits_usual_share(model, request)
        helps = options.weights == "on-chip" and _fits_outside(model, request)
        return ("choose a larger board" + f" or a --share above {options.share:g}" * more
                + " or --weights external" * helps)

    terms = Terms(request.room(model.unfolded), options.clock_mhz, 0 if options.backend == "rtl" else MAX_WORD_BITS,
                  request.max_cycles if request.fills else request.cycles or 0, built=recipe.as_built, way_out=way_out)
    if request.spills:
        other = _in_uram(model, request)
        what = "weights" if other.names else "buffers"
        terms = replace(terms, other=other, with_other=f" with {what} in UltraRAM")
    elif request.fills:
        terms = replace(terms, other=_in_other_core)
    if not request.named or (processor := request.processor) is None:
        return terms
    sides = _bits_per_frame(make_external(model.unfolded, recipe.external))
    bound = max(sides, key=lambda side: sides[side])
    # A word per cycle of the slower clock.
    slower = max(1.0, options.clock_mhz / processor.bus_mhz)
    return replace(terms, min_cycles=ceil(sides[bound] / (8 * processor.stream_bytes) * slower), bound=bound)


def _bits_per_frame(dataflow: Dataflow) -> dict[str, int]:
    """What a frame takes through each of the DMA's ports."""
    output = dataflow.streams[dataflow.output_port]
    sides = {f"the DMA's {way}": stream.elements * stream.element.bits
             for way, stream in (("input", dataflow.input), ("output", output))}
    sides["the DMA's weights"] = sum(stream.elements * stream.element.bits for layer in dataflow.layers
                                     if (stream := layer.weight_stream))
    return sides
