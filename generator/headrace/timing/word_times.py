"""When words move where FIFOs are deep enough, without executing cycles: latency and FIFOs for plans of many points.

The k-th word that a layer puts comes in its cycle of the schedule, later by the most that any read up to it had to wait
(sums in the max-plus algebra; F. Baccelli et al., Synchronization and Linearity, 1992). Only back-pressure is left out,
which does not come from FIFOs of these depths if every layer keeps the pace. What the cycle model executes costs
minutes for a large network, and this a second.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from headrace.dataflow.graph import SOURCE, Dataflow, Placed, Port
from headrace.dataflow.insert_fifos import place_ports
from headrace.datatypes import IntArray
from headrace.layers.flow import Ring, Window
from headrace.layers.phases import Moves, Schedule, moves
from headrace.memory import free_depth
from headrace.timing.fifo_sizing import Sizing

#: Words of a FIFO beyond those that wait: in its registers, and the one that comes when another goes.
_MARGIN = 2


def estimated_fifos(dataflow: Dataflow, given: Mapping[str, int] | None = None) -> Sizing:
    """FIFOs that hold what waits, and the latency; given: depths that the user chose, kept as they are.

    The pace is that of the slowest layer. Nothing is executed that would show that it is kept.
    """
    pace, words = dataflow.cycles_per_frame, dataflow.input.words
    steady = _Times(dataflow, np.arange(words) * pace // words, pace)
    latency = int(_Times(dataflow, np.arange(words), 0).of[dataflow.output_port][-1])
    ports, streams = place_ports(dataflow), dataflow.streams
    waiting = {name: steady.waiting[port] + _MARGIN for name, port in ports.items()} | dict(given or {})
    depths = {name: depth if given and name in given else free_depth(depth, streams[ports[name]].bits, dataflow.prices)
              for name, depth in waiting.items()}
    return Sizing(waiting, depths, pace, latency, {}, False)


class _Times:
    """of: (words,) the cycle in which each word of a stream is valid; waiting: most words that wait on a stream.

    arrival: of the words of the network's input. pace: cycles per frame of a dataflow that runs for long; 0: the first
    frame.
    """

    def __init__(self, dataflow: Dataflow, arrival: IntArray, pace: int) -> None:
        self.pace = pace
        self.of: dict[Port, IntArray] = {(SOURCE, 0): arrival}
        self.waiting: dict[Port, int] = {}
        for item in dataflow.placed:
            self._pass(item)

    def _pass(self, item: Placed) -> None:
        schedule, flow = item.layer.schedule(), item.layer.schedule().flow
        # A window of one frame fills while it is read; from frame to frame one with a minimal buffer does not.
        if isinstance(flow, (Ring, Window)) and (schedule.run_ahead_words or not self.pace):
            put = self._window(np.maximum.accumulate(flow.buffer.needed.reshape(-1)), item.sources[0])
        elif schedule.run_ahead_words:
            put = self._window(schedule.needed_reads() - 1, item.sources[0])
        else:
            found = [moves(schedule.phases, source) for source in range(len(item.sources))]
            put = self._lock_step(item, schedule, found)
        self.of |= {(item.layer.name, index): put + schedule.latency_cycles
                    for index in range(len(item.layer.outputs))}

    def _window(self, needed: IntArray, source: Port) -> IntArray:
        """A writer each of whose words waits for the word `needed`, negative for none; words are taken as they come."""
        given = self.of[source]
        self.waiting[source] = 0
        cycles = np.arange(len(needed))
        ready = np.where(needed >= 0, given[np.maximum(needed, 0)], 0)
        return np.asarray(cycles + np.maximum.accumulate(ready - cycles), np.int64)

    def _lock_step(self, item: Placed, schedule: Schedule, found: list[Moves]) -> IntArray:
        """Reads and writes in one order: whatever waits for a word delays all that follows."""
        late = [np.maximum.accumulate(self.of[port] - moved.reads)
                for port, moved in zip(item.sources, found, strict=True)]
        last = max(int(delays[-1]) for delays in late)
        least = schedule.cycles + last - self.pace if self.pace else 0  # the frame before has to be through
        delay: IntArray = np.maximum.reduce([_at(delays, moved.needed, least)
                                             for delays, moved in zip(late, found, strict=True)])
        for port, moved in zip(item.sources, found, strict=True):
            # A read waits for those of all inputs that come before it.
            waits = np.maximum.reduce([_at(delays, np.searchsorted(other.reads, moved.reads, side="right"), least)
                                       for delays, other in zip(late, found, strict=True)])
            self._count(port, moved.reads + waits)
        return np.asarray(found[0].writes + delay, np.int64)

    def _count(self, port: Port, taken: IntArray) -> None:
        """taken: (words,) the cycle in which each word of a stream is taken."""
        given = self.of[port]
        gone = np.searchsorted(taken, given, side="right")
        self.waiting[port] = int((np.arange(1, len(given) + 1) - gone).max())


def _at(delays: IntArray, needed: IntArray, least: int) -> IntArray:
    """The delay after so many reads."""
    known = np.where(needed > 0, delays[np.maximum(needed, 1) - 1], least)
    return np.maximum(known, least)
