"""What the shell around a network takes on a board: the parts that the network's own words and rate ask for."""

from __future__ import annotations

from headrace.area.estimate import estimate
from headrace.area.shell import ShellPart, between
from headrace.area.usage import Resources, total
from headrace.board.board import Board
from headrace.board.family import find_processor
from headrace.board.host_words import host_words
from headrace.dataflow.external import external_layers
from headrace.dataflow.graph import Dataflow

#: What counts the frames of a transfer and the words of a frame, and joins the parts.
_BETWEEN = Resources(lut=45, ff=40)


def shell_area(dataflow: Dataflow, board: Board, clock_mhz: float) -> Resources:
    """Registers, and what makes words of the network of those of the DMAs and back, as estimated.

    Nothing for a board without a processor: what its family takes around a network holds the shell.
    """
    if (family := find_processor(board)) is None:
        return Resources()
    words, dma = host_words(dataflow, family, clock_mhz), family.stream_bytes
    parts = [ShellPart("registers", words.input, words.output), between(dma, words.input)]
    if words.output != dma:
        parts.append(between(words.output, dma))
    parts += [between(dma, -(-layer.pe * layer.simd * layer.weight.bits // 8))
              for layer in external_layers(dataflow).values()]
    return total([_BETWEEN, *(estimate(part.priced(family.prices)) for part in parts)])
