"""Points of the design space: what a model would become on boards, at clocks and rates, without building any of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import product
from typing import Any

from headrace.area.usage import Resources
from headrace.dataflow.fold import Folding
from headrace.design import PlannedFifos
from headrace.errors import FoldingError, InputError
from headrace.model import Model
from headrace.padded_planning import plan_padded
from headrace.padding.folds import padding_of
from headrace.placement import overfull
from headrace.planning import Planned
from headrace.progress import Step
from headrace.request import Options, Request, resolve


@dataclass(frozen=True, eq=False)
class Hardware:
    """What a point is estimated to become: cycles of the accelerator, frames per second of it on its board.

    fifos: whether the FIFOs in resources and latency are the smallest ("exact"), large ones ("safe") or "estimated".
    padded: convolutions with padded channels, and how many these are before and after.
    """

    fps: float
    cycles_per_frame: int
    latency_cycles: int
    resources: Resources
    bottleneck: str
    folding: Folding
    fifos: PlannedFifos
    padded: Mapping[str, tuple[int, int]] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Point:
    """A board, a clock and a rate, and what comes of them.

    fps_asked: None where the board is filled, or else for the default pace. hardware: None where there is none.
    fits: does the board hold it? stopped_by: what keeps it from being faster, why it does not fit, or why there is
    no hardware.
    """

    board: str
    clock_mhz: float
    fps_asked: float | None
    fills: bool
    hardware: Hardware | None
    fits: bool
    stopped_by: str

    def json(self) -> dict[str, Any]:
        """The point as `headrace plan --json` prints it; null where there is no hardware."""
        found = self.hardware
        return {"board": self.board, "clock_mhz": self.clock_mhz, "fps_asked": self.fps_asked,
                "fps": found.fps if found else None, "cycles_per_frame": found.cycles_per_frame if found else None,
                "latency_cycles": found.latency_cycles if found else None,
                "resources": asdict(found.resources) if found else None, "fits": self.fits,
                "fifos": found.fifos if found else None, "bottleneck": found.bottleneck if found else None,
                "stopped_by": self.stopped_by,
                "folding": {name: dict(folds) for name, folds in found.folding.items()} if found else None,
                **({"padded": {name: list(counts) for name, counts in found.padded.items()}}
                   if found and found.padded else {})}


@dataclass(frozen=True)
class Space:
    """Which points are asked for: every board at every clock and every rate; no rate fills the boards.

    Raises InputError where a value stands twice.
    """

    boards: Sequence[str] = ()
    clocks_mhz: Sequence[float] = (Options.clock_mhz,)
    rates: Sequence[float] = ()

    def __post_init__(self) -> None:
        for what, values in (("board", self.boards), ("clock", self.clocks_mhz), ("rate", self.rates)):
            twice = [value for value in values if list(values).count(value) > 1]
            if twice:
                raise InputError(f"the {what} {twice[0]} is given twice; leave one out")

    def options(self, others: Options) -> list[Options]:
        """What each point asks for; `others`: all that is the same for all of them. Raises InputError as Options."""
        return [replace(others, board=board, clock_mhz=clock, fps=rate) for board, clock, rate
                in product(self.boards or (None,), self.clocks_mhz, self.rates or (None,))]


def plan_points(model: Model, space: Space, others: Options | None = None,
                progress: Callable[[str], None] = lambda _: None, fifos: PlannedFifos = "estimated") -> Iterator[Point]:
    """The points of a space, in the order of its boards, clocks and rates; a point that cannot be says why.

    fifos: estimated ones cost many times less time, and those of points that they keep from fitting are sized exactly.
    Raises InputError, before the first point, for a board that is not known and for options that cannot be.
    """
    requests = [resolve(options) for options in space.options(others or Options())]
    for index, request in enumerate(requests):
        text = (f"point {index + 1} of {len(requests)}: {request.board.name}, {request.options.clock_mhz:g} MHz, "
                f"{request.asked}")
        progress(Step(text, part=index / len(requests)))
        yield plan_point(model, request, fifos)


def plan_point(model: Model, request: Request, fifos: PlannedFifos = "estimated") -> Point:
    """One point."""
    board, options = request.board.name, request.options
    try:
        planned, fifos = _planned(model, request, fifos)
    except (FoldingError, InputError) as error:
        return Point(board, options.clock_mhz, options.fps, request.fills, None, False, str(error))
    stopped_by = planned.plan.stopped_by
    if over := overfull(planned.room, planned.resources):
        stopped_by = f"{board} does not hold it, it would take {over}"
    elif planned.board_bound:
        stopped_by = stopped_by or str(planned.board_bound["name"])
    return Point(board, options.clock_mhz, options.fps, request.fills, _hardware(model, planned, fifos), planned.fits,
                 stopped_by)


def _planned(model: Model, request: Request, fifos: PlannedFifos) -> tuple[Planned, PlannedFifos]:
    """The hardware, and its FIFOs: the smallest where estimated ones alone keep it from fitting."""
    if fifos != "estimated":
        request = replace(request, recipe=replace(request.recipe, fifos=fifos))
        planned = plan_padded(model, request)
        return planned, planned.design.recipe.fifos
    planned = plan_padded(model, request, estimate_fifos=True)
    hopeless = not request.fills and not planned.layers_fit
    if hopeless or (planned.fits and planned.first):
        return planned, "estimated"
    return _planned(model, request, "exact")


def _hardware(model: Model, planned: Planned, fifos: PlannedFifos) -> Hardware:
    cycles = planned.design.cycles_per_frame
    bound: Mapping[str, Any] = planned.board_bound or {"cycles_per_frame": cycles}
    fps = planned.request.options.clock_mhz * 1e6 / max(cycles, bound["cycles_per_frame"])
    return Hardware(fps, cycles, planned.design.sizing.latency_cycles, planned.resources, planned.plan.bottleneck,
                    planned.plan.folding, fifos, padding_of(model.integer, planned.plan.folding))
