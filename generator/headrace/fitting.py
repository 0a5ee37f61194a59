"""Whether what is planned fits the board that the user named, and what would where it does not."""

from __future__ import annotations

from dataclasses import replace

from headrace.board.board import Board, board_names, load_board
from headrace.board.room import room
from headrace.board.shell_area import shell_area
from headrace.errors import FoldingError, InputError
from headrace.folding.plan import rate
from headrace.model import Model
from headrace.padded_planning import plan_padded
from headrace.placement import keeps_pace_outside, overfull
from headrace.planning import Planned, with_named_channels
from headrace.request import Request, resolve


def require_fit(model: Model, planned: Planned) -> None:
    """Raise InputError with what would fit if the user named a board that is too small, unless it shall be overfull."""
    request = planned.request
    taken = overfull(planned.room, planned.resources)
    if not taken or not request.named or request.options.overfull:
        return
    ways = [f"{names[0]} would hold it"] if (names := _boards_that_hold(planned)) else []
    if fastest := _fastest(model, request):
        ways.append(f"{fastest} would fit {request.board.name}")
    if request.options.weights == "on-chip" and keeps_pace_outside(*with_named_channels(model, request)):
        ways.append("--weights external makes room")
    advice = "; ".join([*ways, "--overfull builds it all the same"])
    raise InputError(f"{request.board.name}: the accelerator does not fit, it would take {taken}; {advice}")


def _boards_that_hold(planned: Planned) -> list[str]:
    """The boards that come with headrace and hold the hardware, the smallest first."""
    boards = [load_board(name) for name in board_names()]
    return [board.name for board in sorted(boards, key=lambda board: (board.lut, board.name))
            if not overfull(_left(board, planned), planned.resources)]


def _left(board: Board, planned: Planned) -> Board:
    """What another board leaves to what is planned."""
    return room(board, 100.0, shell_area(planned.dataflow, board, planned.request.options.clock_mhz))


def _fastest(model: Model, request: Request) -> str:
    """The pace of the fastest build that fits the board, as it is planned without a rate and a folding; "" without one.

    None that is asked for is faster than what stands around the layers.
    """
    try:
        planned = plan_padded(model, resolve(replace(request.options, fps=None, folding=None)))
    except (FoldingError, InputError):
        return ""
    cycles = max(planned.design.cycles_per_frame, planned.terms.min_cycles)
    return f"{rate(request.options.clock_mhz, cycles)} fps ({cycles} cycles per frame)" if planned.fits else ""
