"""From what a user asks for to a folding and the hardware: rates, boards, weights outside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import ceil, isfinite
from typing import Literal

from numpy.typing import ArrayLike

from headrace.board.board import DEFAULT_BOARD, load_board
from headrace.board.family import find_family
from headrace.dataflow.choose_cores import Cores, choose_cores
from headrace.dataflow.fold import Folding
from headrace.dataflow.graph import Dataflow
from headrace.dataflow.make_external import MAX_EXTERNAL, external_candidates, make_external
from headrace.dataflow.make_writable import Writable
from headrace.design import Design, elaborate, estimated, folded
from headrace.errors import FoldingError, InputError
from headrace.folding.plan import DEFAULT_CYCLES_PER_FRAME, Plan, Terms, folding_target, plan_fastest, plan_folding
from headrace.folding.solver import LAYERS_SHARE
from headrace.layers.cores import AUTO
from headrace.model import Model
from headrace.render.hls import MAX_WORD_BITS

Backend = Literal["rtl", "hls", "both"]

DEFAULT_CLOCK_MHZ = 200.0
DEFAULT_VECTORS = 4
#: Shares of a board that the layers get where with larger ones the FIFOs did not fit any more.
_SMALLER_SHARES = (0.9, 0.8, 0.6)


@dataclass(frozen=True, eq=False)
class Options:
    """What a user can choose about a build; `fps` and `folding` exclude each other.

    A board without either is filled with the fastest folding; no board is the default one at the default pace.
    cores: compute cores by layer name, or "*" for all layers; the others are chosen by cost.
    writable: layers whose weights the processor can write, and where these lie (passes.make_writable).
    external: layers whose weights come from memory outside; weights="external" adds those with the largest weights,
    as many as it takes for the rest to fit the board.
    """

    board: str | None = None
    clock_mhz: float = DEFAULT_CLOCK_MHZ
    fps: float | None = None
    folding: Folding | None = None
    cores: Cores = field(default_factory=dict)
    writable: Writable = field(default_factory=dict)
    external: Sequence[str] = ()
    weights: Literal["on-chip", "external"] = "on-chip"
    backend: Backend = "rtl"
    verify: int = DEFAULT_VECTORS
    verify_input: ArrayLike | None = None


def plan_design(model: Model, options: Options) -> tuple[Plan, Design]:
    """The folding and the hardware; where a board is to be filled, FIFOs included."""
    board = load_board(options.board or DEFAULT_BOARD)
    fills = _fills(options)
    for share in (LAYERS_SHARE, *_SMALLER_SHARES):
        plan = choose_folding(model, options, share)
        design = elaborate(model.integer, plan.folding, options.cores, options.writable, options.external)
        if not fills or all(used <= there for used, there in board.use(estimated(design.dataflow)).values()):
            break
    return plan, design


def choose_folding(model: Model, options: Options, share: float = LAYERS_SHARE) -> Plan:
    """The folding that the options ask for, complete for every layer that folds.

    A board alone asks for the fastest folding whose layers take no more than `share` of it.
    """
    terms = folding_terms(model, options)
    unfolded = _unfolded(model, options)
    if options.folding is not None:
        target = folding_target(unfolded, options.folding)
    elif options.fps is not None:
        target = max(1, int(options.clock_mhz * 1e6 / options.fps))
    elif options.board is not None:
        return plan_fastest(unfolded, terms, share)
    else:
        target = DEFAULT_CYCLES_PER_FRAME
    return plan_folding(unfolded, target, terms, options.folding)


def resolve_external(model: Model, options: Options) -> Options:
    """The same options with the layers of external weights named: those that do not fit are chosen here.

    Raises InputError for layers that cannot have such weights, and where the board is too small even with them;
    FoldingError for a pace that no board reaches, or that the memory outside does not.
    """
    given = list(dict.fromkeys(options.external))
    make_external(model.unfolded, given)
    if options.weights == "on-chip":
        return replace(options, external=given)
    cored = choose_cores(model.unfolded, options.cores)
    more = [layer.name for layer in external_candidates(cored)
            if layer.name not in (*given, *options.writable) and layer.core in (AUTO, "plain")]
    for count in range(min(len(more), MAX_EXTERNAL - len(given)) + 1):
        chosen = replace(options, external=[*given, *more[:count]])
        if _fits(model, chosen):
            return chosen
    raise InputError(f"{options.board or DEFAULT_BOARD}: the accelerator does not fit even with the weights of "
                     f"{chosen.external} outside; choose a larger board or ask for fewer frames per second")


def _fills(options: Options) -> bool:
    """True if the board is to be filled with the fastest folding."""
    return options.board is not None and options.fps is None and options.folding is None


def _fits(model: Model, options: Options) -> bool:
    """True if the layers at the folding that the options ask for fit the board."""
    board = load_board(options.board or DEFAULT_BOARD)
    try:
        folding = choose_folding(model, options).folding
    except FoldingError:
        if not _fills(options):  # it is the pace, which weights outside make no faster
            raise
        return False
    layers = folded(model.integer, folding, options.cores, options.writable, options.external)
    return all(used <= there * LAYERS_SHARE for used, there in board.use(estimated(layers)).values())


def _unfolded(model: Model, options: Options) -> Dataflow:
    """What is to be folded, with PE = SIMD = 1."""
    return make_external(model.unfolded, options.external)


def folding_terms(model: Model, options: Options) -> Terms:
    """What the options demand of any folding. Raises InputError for rates that are none or contradict each other."""
    rates = {"clock_mhz": options.clock_mhz, "fps": options.fps if options.fps is not None else 1.0}
    for name, rate in rates.items():
        if not (isfinite(rate) and rate > 0):
            raise InputError(f"{name}={rate:g} must be a positive number; correct it")
    if options.fps is not None and options.folding is not None:
        raise InputError("fps and a folding were both given but exclude each other; leave one out")
    board = load_board(options.board or DEFAULT_BOARD)
    max_word_bits = 0 if options.backend == "rtl" else MAX_WORD_BITS
    port = find_family(board)
    if options.board is None or port is None:
        return Terms(board, options.clock_mhz, max_word_bits)
    unfolded = _unfolded(model, options)
    sides = {f"the DMA's {way}": stream.elements * stream.element.bits for way, stream in (
        ("input", unfolded.input), ("output", unfolded.streams[unfolded.output_port]))}
    sides["the DMA's weights"] = sum(stream.elements * stream.element.bits for layer in unfolded.layers
                                     if (stream := layer.weight_stream))
    bound = max(sides, key=lambda side: sides[side])
    # A word per cycle of the slower clock.
    cycles = sides[bound] / (8 * port.stream_bytes) * max(1.0, options.clock_mhz / port.bus_mhz)
    return Terms(board, options.clock_mhz, max_word_bits, ceil(cycles), bound)
