"""Folding: PE and SIMD of every layer, from a target rate or from the user's file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from math import floor, log10

from headrace.area.estimate import estimate
from headrace.area.usage import Resources, total
from headrace.board.board import DEFAULT_BOARD, Board, load_board
from headrace.dataflow.fold import Folding
from headrace.dataflow.graph import Dataflow
from headrace.errors import FoldingError, InputError
from headrace.folding.choices import Choices, Known
from headrace.folding.given import given_depths, require_known
from headrace.folding.solver import LAYERS_SHARE, Solution, Solver
from headrace.folding.weights_alone import weights_too_large
from headrace.layers.base import Layer

DEFAULT_CYCLES_PER_FRAME = 100_000
#: Digits of a rate that is told.
_DIGITS = 4


def solve_folding(dataflow: Dataflow, cycles_per_frame: int, given: Folding | None = None) -> Folding:
    """The cheapest folding at no more than `cycles_per_frame` on the default board; see plan_folding."""
    return plan_folding(dataflow, cycles_per_frame, Terms(load_board(DEFAULT_BOARD)), given).folding


def _as_it_is(layer: Layer) -> Layer:
    return layer


def _none(_: Layer) -> Layer | None:
    return None


def rate(clock_mhz: float, cycles: int) -> str:
    """Frames per second that may be asked for where a frame takes so many cycles: rounded down.

    >>> rate(200.0, 14_400), rate(200.0, 12_800), rate(1.0, 3_000_000)
    ('13888', '15625', '0.3333')
    """
    exact = clock_mhz * 1e6 / cycles
    if exact >= 10 ** (_DIGITS - 1):
        return f"{floor(exact)}"
    unit = 10.0 ** (floor(log10(exact)) + 1 - _DIGITS)
    return f"{floor(exact / unit) * unit:.{_DIGITS}g}"


@dataclass(frozen=True, eq=False)
class Terms:
    """What a folding has to respect beside its pace.

    board: whose resources are the cost. clock_mhz: to tell rates. max_word_bits: of a stream's word, 0 for no limit.
    max_cycles: slower foldings are of no interest; 0 where any is.
    min_cycles: a bound on the pace from outside the layers, and what it is. built, other: see choices.Choices, the
    latter as a part of a sentence in `with_other`; equal ones share the choices. way_out: what to do where the board
    is too small.
    """

    board: Board
    clock_mhz: float = 200.0
    max_word_bits: int = 0
    max_cycles: int = 0
    min_cycles: int = 1
    bound: str = ""
    built: Callable[[Layer], Layer] = _as_it_is
    other: Callable[[Layer], Layer | None] = _none
    with_other: str = ""
    way_out: Callable[[], str] = lambda: "choose a larger board"

    def pace(self, cycles: int) -> str:
        """Cycles per frame and the rate that they are."""
        return f"{cycles} cycles per frame, {rate(self.clock_mhz, cycles)} fps at {self.clock_mhz:g} MHz"


@dataclass(frozen=True, eq=False)
class Plan:
    """Folds by layer and the depths of FIFOs that were given, by name.

    bottleneck: the first of the slowest layers. stopped_by: what keeps it from being faster, "" where nobody asked.
    others: the layers that are built in their other way, by name; one may have that of a layer that is alike.
    """

    folds: Folding
    depths: Mapping[str, int]
    bottleneck: str
    stopped_by: str = ""
    others: Mapping[str, Layer] = field(default_factory=dict)

    @property
    def folding(self) -> Folding:
        """All of it, as a folding file has it."""
        return {**self.folds, **{name: {"depth": depth} for name, depth in self.depths.items()}}


def plan_folding(dataflow: Dataflow, cycles_per_frame: int, terms: Terms, given: Folding | None = None,
                 share: float = LAYERS_SHARE) -> Plan:
    """The least cost at no more than `cycles_per_frame`, within the board where that can be; folds in `given` are kept.

    dataflow: as lowered, PE = SIMD = 1. Raises FoldingError naming what cannot reach the target, for unknown layers,
    folds and illegal values, and where the layers do not fit a share of the board that is smaller than usual.
    """
    solver, depths = _solver(dataflow, terms, given)
    if cycles_per_frame < solver.least_cycles:
        fastest = _with_folds(dataflow, replace(terms, max_cycles=0), solver.choices.given).fastest()
        fits, way_out = "not even the slowest folding fits", terms.way_out()
        if fastest:  # of these layers: padded ones may be faster still
            cycles = max(fastest.solution.cycles, terms.min_cycles)
            fits = f"a folding of {terms.pace(cycles)}, fits without FIFOs"
            way_out = f"ask for {rate(terms.clock_mhz, cycles)} fps or less"
        raise FoldingError(f"{solver.limit}: {_at_most(cycles_per_frame)} asked for but it needs at least "
                           f"{solver.least_cycles}, and on {terms.board.name} {fits}; {way_out}")
    solution = solver.fitting(cycles_per_frame, share)
    if solution is None and share < LAYERS_SHARE:
        raise FoldingError(f"{terms.board.name}: no folding of {terms.pace(cycles_per_frame)} takes only {share:.0%} "
                           f"of it; {terms.way_out()}")
    return _plan(solution or solver.cheapest(cycles_per_frame), depths, "")


def _at_most(cycles: int) -> str:
    """Cycles per frame as the subject of a sentence."""
    if not cycles:
        return "less than 1 cycle per frame is"
    return f"{cycles} cycles per frame are" if cycles > 1 else "1 cycle per frame is"


def has_room_for_weights(dataflow: Dataflow, terms: Terms) -> bool:
    """False where the weights alone take more than the layers' share of the board at a folding of any pace."""
    return _too_large(dataflow, terms, LAYERS_SHARE) is None


def has_room(dataflow: Dataflow, terms: Terms, share: float = LAYERS_SHARE) -> bool:
    """True if the layers take no more than `share` of every resource of the board at a folding of any pace."""
    if _too_large(dataflow, terms, share):
        return False
    if terms.max_cycles and _smallest_fits(dataflow, terms, share):
        return True
    solver = _free_solver(dataflow, terms)
    return solver.fitting(solver.slowest_cycles, share) is not None


def _smallest_fits(dataflow: Dataflow, terms: Terms, share: float) -> bool:
    """True if the board holds the layers at PE = SIMD = 1, which counting all of their other folds would show too."""
    try:
        least = total([estimate(terms.built(layer)) for layer in dataflow.layers])
    except InputError:  # a core may need other folds
        return False
    return all(used <= there * share for used, there in terms.board.use(least).values())


def keeps_pace(dataflow: Dataflow, terms: Terms, cycles: int) -> bool:
    """True if the board holds the layers at a folding of that pace."""
    solver = _free_solver(dataflow, terms)
    return cycles >= solver.least_cycles and solver.fitting(cycles) is not None


def require_room_for_weights(dataflow: Dataflow, terms: Terms, share: float = LAYERS_SHARE) -> None:
    """Raise FoldingError where the weights alone take more than `share` of the board at a folding of any pace."""
    if weights := _too_large(dataflow, terms, share):
        raise _refusal(weights, terms, share, " for its weights alone")


def _too_large(dataflow: Dataflow, terms: Terms, share: float) -> Resources | None:
    def built(layer: Layer) -> Layer | None:
        try:
            return terms.built(layer)
        except InputError:  # a core may need other folds
            return None

    def other(layer: Layer) -> Layer | None:
        first = built(layer)
        return terms.other(first) if first else None

    return weights_too_large(dataflow, (built, other), terms.board, share)


def _slowest(solver: Solver) -> Solution:
    return solver.cheapest(solver.slowest_cycles)


def plan_fastest(dataflow: Dataflow, terms: Terms, share: float = LAYERS_SHARE) -> Plan:
    """The fastest folding whose layers take no more than `share` of every resource of the board.

    Raises FoldingError where not even the smallest does, or none that is fast enough.
    """
    require_room_for_weights(dataflow, terms, share)
    solver = _free_solver(dataflow, terms)
    fastest = solver.fastest(share)
    if terms.max_cycles and (fastest is None or fastest.solution.cycles > terms.max_cycles):
        raise FoldingError(f"{terms.board.name}: no folding of {terms.pace(terms.max_cycles)}, takes only {share:.0%} "
                           "of it; allow more cycles")
    if fastest is None:
        raise _refusal(_slowest(solver).cost, terms, share, "")
    return _plan(fastest.solution, {}, fastest.stopped_by)


def _refusal(least: Resources, terms: Terms, share: float, what_for: str) -> FoldingError:
    taken = ", ".join(f"{used} of {there} {name.upper()}" for name, (used, there) in terms.board.use(least).items()
                      if used > there * share)
    return FoldingError(f"{terms.board.name}: even the smallest folding{terms.with_other} takes {taken}{what_for}; "
                        f"{terms.way_out()}")


def _plan(solution: Solution, depths: Mapping[str, int], stopped_by: str) -> Plan:
    others = {name: choice.layer for name, choice in solution.choices.items() if choice.other}
    return Plan(solution.folding, depths, solution.bottleneck, stopped_by, others)


@lru_cache(maxsize=1)
def _free_solver(dataflow: Dataflow, terms: Terms) -> Solver:
    """Where nothing is given: kept, because a board is filled to one share after the other."""
    return _with_folds(dataflow, terms, {})


def _solver(dataflow: Dataflow, terms: Terms, given: Folding | None) -> tuple[Solver, dict[str, int]]:
    """The solver, and the depths of FIFOs that the folding gives."""
    if not given:
        return _free_solver(dataflow, terms), {}
    depths = given_depths(given)
    require_known(dataflow, given)
    folds = {name: folds for name, folds in given.items() if name not in depths}
    return _with_folds(dataflow, terms, folds), depths


def _with_folds(dataflow: Dataflow, terms: Terms, given: Folding) -> Solver:
    kept = tuple((name, tuple(folds.items())) for name, folds in given.items())
    choices = _choices(dataflow, kept, terms.max_word_bits, terms.max_cycles, terms.built, terms.other)
    return Solver(choices, terms.board, terms.min_cycles, terms.bound)


@lru_cache(maxsize=8)
def _choices(dataflow: Dataflow, given: tuple[tuple[str, tuple[tuple[str, int], ...]], ...], max_word_bits: int,
             max_cycles: int, built: Callable[[Layer], Layer], other: Callable[[Layer], Layer | None]) -> Choices:
    """Kept for the next board, clock and rate: to count what layers take is most of the work."""
    return Choices(dataflow, {name: dict(folds) for name, folds in given}, max_word_bits, max_cycles, built, other,
                   _known(dataflow, built))


@lru_cache(maxsize=8)
def _known(_: Dataflow, __: Callable[[Layer], Layer]) -> Known:
    """What is known of layers that are built so."""
    return Known()


def folding_target(dataflow: Dataflow, given: Folding) -> int:
    """Cycles per frame of the slowest layer that `given` folds: the pace that the others need not beat."""
    require_known(dataflow, given)
    return max((layer.with_folds(given[layer.name]).cycles for layer in dataflow.layers if layer.name in given),
               default=DEFAULT_CYCLES_PER_FRAME)
