"""Where a sliding window can do with the minimal buffer, and what that asks of the layers around it.

With the minimal buffer a window takes no word between the last word of a frame and the last window that shows it: words
wait in front of it, and behind it the next frame's first window waits for the fill. Both cost nothing as long as the
window and its reader have time to make up for them, which they have far from the bottleneck.
"""

from __future__ import annotations

from math import ceil

import numpy as np
from numpy.typing import NDArray

from headrace.area.estimate import estimate
from headrace.area.usage import Resources
from headrace.dataflow.graph import SOURCE, Dataflow, Port
from headrace.datatypes import IntArray
from headrace.layers import Fifo
from headrace.layers.base import Layer
from headrace.memory import free_depth

#: Words that find room in the register slice of the layer before.
REGISTERED_WORDS = 2


def waiting_words(window: Layer, reader: Layer, pace: int, input_cycles: int = 0) -> int | None:
    """Most words that wait in front of a window with the minimal buffer; None where it does not keep the pace.

    In steady state at `pace` cycles per frame, with words in and windows out at even distances. input_cycles: where the
    words are the network's input, in how many cycles that can give a frame; they wait outside then.
    """
    latest, words_in = window.complete_after, window.inputs[0].words
    windows = len(latest)
    words = window.outputs[0].words // windows
    each = max(words, reader.cycles / windows)
    # A reader that passes over a window several times needs it only while it takes it.
    held = max(words, each / reader.passes)
    left = each * np.arange(windows, 0, -1) + held - each  # from the start of a window until the last one is taken
    on_the_way = window.schedule().latency_cycles + reader.schedule().latency_cycles
    frame = max(_last(latest, max(1.0, input_cycles / words_in), left), windows * each) + on_the_way
    if frame > pace:
        return None
    if input_cycles:
        return 0
    return max(0, ceil((_last(latest, pace / words_in, left) - pace) * words_in / pace))


def waiting_cost(window: Layer, reader: Layer, pace: int, input_cycles: int = 0) -> Resources | None:
    """What the FIFO for the waiting words takes; None where the window does not keep the pace, see waiting_words."""
    words = waiting_words(window, reader, pace, input_cycles)
    if words is None or words <= REGISTERED_WORDS:
        return None if words is None else Resources()
    stream, prices = window.inputs[0], window.prices
    depth = free_depth(words, stream.bits, prices)
    return estimate(Fifo("fifo", depth, stream.lanes, stream.element, stream.words, prices=prices))


def _last(latest: IntArray, word_cycles: float, left: NDArray[np.floating]) -> float:
    """When the last window of a frame is taken, if every window begins as soon as its words have come."""
    return float((latest * word_cycles + left).max())


def branch_stores(dataflow: Dataflow) -> set[str]:
    """The sliding windows in those branches of forks whose words wait for a longer branch at a join.

    Their buffers hold words that would otherwise lie in the join's FIFO.
    """
    layers = {item.layer.name: item for item in dataflow.placed}
    fill: dict[Port, float] = {(SOURCE, 0): 0.0}
    found: set[str] = set()
    for item in dataflow.placed:
        fills = [fill[port] for port in item.sources]
        longest = max(fills)
        fill |= {(item.layer.name, k): longest + item.layer.lead for k in range(len(item.layer.outputs))}
        behind = [port for port, share in zip(item.sources, fills, strict=True) if share < longest]
        while behind:  # up to the fork
            name = behind.pop()[0]
            if name == SOURCE or len(layers[name].layer.outputs) > 1:
                continue
            found |= {name} if "minimal_buffer" in layers[name].layer.fold_flags else set()
            behind += layers[name].sources
    return found
