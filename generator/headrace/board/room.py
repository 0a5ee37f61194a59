"""What of a board a network may take where it is to be filled: shares of it, less what stands around the network."""

from __future__ import annotations

from dataclasses import replace

from headrace.area.usage import Resources
from headrace.board.board import Board
from headrace.board.family import find_family

#: Percent of the LUTs and flip-flops of a board that are filled unless the user says otherwise: with more of them tools
#: fail to route, or miss the timing.
DEFAULT_SHARE = 75.0
#: Percent more of block RAMs, UltraRAMs and DSP blocks.
_MORE_BLOCKS = 10.0
_NO_SHELL = Resources()


def room(board: Board, share: float = DEFAULT_SHARE, shell: Resources = _NO_SHELL) -> Board:
    """A board with what a network may take of this one.

    share: percent of LUTs and flip-flops; of memories and DSP blocks 10 more. In them count DMA, interconnect and clock
    crossings, where the family is known, and the shell (board/shell_area.py).
    """
    family = find_family(board)
    around = (family.around if family else Resources()) + shell
    blocks = min(100.0, share + _MORE_BLOCKS)

    def left(count: int, percent: float, taken: int) -> int:
        return max(0, int(count * percent / 100) - taken)

    return replace(
        board, lut=left(board.lut, share, around.all_luts), ff=left(board.ff, share, around.ff),
        bram36=left(board.bram36, blocks, around.bram36), uram=left(board.uram, blocks, 0),
        dsp=left(board.dsp, blocks, 0))
