"""Where a sliding window can do with the minimal buffer, and what that asks of the layers around it.

With the minimal buffer a window takes no word between the last word of a frame and the last window that shows it: words
wait in front of it, and behind it the next frame's first window waits for the fill. Both cost nothing as long as the
window and its reader have time to make up for them, which they have far from the bottleneck.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from headrace.area.estimate import estimate
from headrace.area.usage import Resources
from headrace.dataflow.graph import SOURCE, Dataflow, Port
from headrace.datatypes import IntArray
from headrace.layers import Fifo
from headrace.layers.base import Layer
from headrace.layers.stream import Stream
from headrace.memory import LUT_WORDS, Prices, free_depth

Floats = NDArray[np.float64]

#: Words that find room in the register slice of the layer before.
REGISTERED_WORDS = 2
#: What WaitingWords gives where the pace is not kept.
TOO_SLOW = -1


@dataclass(frozen=True, eq=False)
class Readers:
    """Choices for the layer behind a window, each (readers,): cycles per frame, passes over a window, latency."""

    cycles: IntArray
    passes: IntArray
    latency: IntArray

    @classmethod
    def of(cls, layers: Sequence[Layer]) -> Readers:
        """What layers say of themselves."""
        facts = ([layer.cycles, layer.passes, layer.latency_cycles] for layer in layers)
        return cls(*np.array(list(facts), np.int64).reshape(-1, 3).T)

    def some(self, indices: IntArray) -> Readers:
        """Some of them."""
        return Readers(self.cycles[indices], self.passes[indices], self.latency[indices])


class WaitingWords:
    """Most words that wait in front of a window with the minimal buffer."""

    def __init__(self, window: Layer) -> None:
        latest = window.complete_after
        self.windows, self.words_in = len(latest), window.inputs[0].words
        self.words = window.outputs[0].words // self.windows
        self.latency = window.latency_cycles
        left = np.arange(self.windows, 0, -1)
        # A sum of multiples of both is largest at a corner of the hull.
        corners = _hull(left, latest)
        self.left, self.latest = left[corners, None], latest[corners, None]

    def of(self, readers: Readers, pace: int, input_cycles: int = 0) -> IntArray:
        """(readers,): the words, TOO_SLOW where the window does not keep the pace.

        In steady state at `pace` cycles per frame, with words in and windows out at even distances. input_cycles: where
        the words are the network's input, in how many cycles that can give a frame; they wait outside then.
        """
        each = np.maximum(self.words, readers.cycles / self.windows)
        # A reader that passes over a window several times needs it only while it takes it.
        held = np.maximum(self.words, each / readers.passes)
        # From the start of a window until the last one is taken.
        left = np.asarray(each * self.left + held - each, np.float64)
        on_the_way = self.latency + readers.latency
        first = self._last(max(1.0, input_cycles / self.words_in), left)
        late = np.maximum(first, self.windows * each) + on_the_way > pace
        waiting = np.ceil((self._last(pace / self.words_in, left) - pace) * self.words_in / pace)
        words = np.zeros(len(each)) if input_cycles else np.maximum(0, waiting)
        return np.where(late, TOO_SLOW, words).astype(np.int64)

    def _last(self, word_cycles: float, left: Floats) -> Floats:
        """When the last window of a frame is taken, if every window begins as soon as its words have come."""
        return np.asarray((self.latest * word_cycles + left).max(axis=0), np.float64)


def _hull(x: IntArray, y: IntArray) -> IntArray:
    """Indices of the points that are largest in some direction between those of both axes. x descends."""
    corners, spans = {0, len(x) - 1}, [(0, len(x) - 1)]
    while spans:
        first, last = spans.pop()
        across = x[first] - x[last], y[last] - y[first]
        height = across[1] * (x[first : last + 1] - x[first]) + across[0] * (y[first : last + 1] - y[first])
        top = first + int(height.argmax())
        if height[top - first] > 0:
            corners.add(top)
            spans += [(first, top), (top, last)]
    return np.array(sorted(corners))


@cache
def waiting_cost(words: int, stream: Stream, prices: Prices) -> Resources:
    """What the FIFO for the words takes that wait in front of a window."""
    if words <= REGISTERED_WORDS:
        return Resources()
    # No memory holds fewer words: those up to the next multiple cost the same.
    depth = LUT_WORDS // 2 if words <= LUT_WORDS // 2 else -(-words // LUT_WORDS) * LUT_WORDS
    return _fifo_cost(free_depth(depth, stream.bits, prices), stream, prices)


@cache
def _fifo_cost(depth: int, stream: Stream, prices: Prices) -> Resources:
    return estimate(Fifo("fifo", depth, stream.lanes, stream.element, stream.words, prices=prices))


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
