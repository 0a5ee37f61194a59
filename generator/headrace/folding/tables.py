"""The choices of layers and of neighbours as arrays: what the solver adds up at every pace it looks at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
from numpy.typing import NDArray

from headrace.area.usage import Resources
from headrace.board.board import Board
from headrace.datatypes import IntArray
from headrace.folding.choices import Choice, converter
from headrace.folding.elimination import Costs
from headrace.folding.minimal_buffers import TOO_SLOW, Readers, WaitingWords, waiting_cost
from headrace.memory import Prices

#: What is taken of a board, the last axis its resources in the order of Board.use.
Taken = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Rates:
    """What one of each of a board's resources costs in LUTs, (resources,)."""

    each: NDArray[np.float64]

    @classmethod
    def of(cls, board: Board, prices: Prices, dearer: Mapping[str, float]) -> Rates:
        """dearer: by resource, how often its price; once where not given. What a board has none of costs all LUTs."""
        return cls(np.array([dearer.get(name, 1.0) * (prices.each[name] if there else max(1, board.lut))
                             for name, (_, there) in board.use(Resources()).items()]))

    def price(self, taken: Taken) -> Costs:
        """(..., resources) -> (...): all resources together."""
        total = np.zeros(taken.shape[:-1])
        for k, price in enumerate(self.each):  # in one order for every row
            total += price * taken[..., k]
        return total


@cache
def taken(board: Board, cost: Resources) -> tuple[float, ...]:
    """What a cost takes of each resource."""
    return tuple(used for used, _ in board.use(cost).values())


class LayerTable:
    """The choices of a layer as arrays (choices, ...)."""

    def __init__(self, choices: Sequence[Choice], board: Board) -> None:
        self.choices, self.board = choices, board
        self.multiplies = choices[0].multiplies
        self.cycles = np.array([choice.cycles for choice in choices], np.int64)
        self.lanes_in = np.array([choice.lanes_in for choice in choices], np.int64)
        self.lanes_out = np.array([choice.lanes_out for choice in choices], np.int64)
        self.waits = np.array([choice.waits for choice in choices], np.bool_)
        self.taken: Taken = np.array([taken(board, choice.cost) for choice in choices], np.float64)
        #: With halves of blocks of 36 Kb: for sums over layers, which fill them up.
        self.halves = self.taken.copy()
        self.halves[:, list(board.use(Resources())).index("bram36")] = [choice.cost.bram18 / 2 for choice in choices]

    @cached_property
    def _kind(self) -> IntArray:
        """Choices with the same number look alike to their neighbours."""
        cycles = self.cycles if self.multiplies else np.zeros_like(self.cycles)
        keys = np.stack([self.lanes_in, self.lanes_out, cycles, self.waits], axis=1)
        return np.asarray(np.unique(keys, axis=0, return_inverse=True)[1].reshape(-1), np.int64)

    def distinct(self, cycles: int, rates: Rates) -> IntArray:
        """Of the choices of at most so many cycles, the first cheapest of those that look alike to their neighbours."""
        legal = np.flatnonzero(self.cycles <= cycles)
        kind, price = self._kind[legal], rates.price(self.taken[legal])
        order = np.lexsort((legal, price, kind))
        _, first, count = np.unique(kind, return_index=True, return_counts=True)
        best = legal[order[np.cumsum(count) - count]]
        return np.asarray(best[np.argsort(first)], np.int64)

    def least(self, cycles: int, rates: Rates) -> float:
        """The least price of the choices of at most so many cycles."""
        return float(rates.price(self.halves[self.cycles <= cycles]).min())

    def least_of_each(self, cycles: int) -> Taken:
        """(resources,): the least that any of these choices takes of each."""
        return np.asarray(self.halves[self.cycles <= cycles].min(axis=0), np.float64)

    @cached_property
    def readers(self) -> Readers:
        """The choices as readers of windows."""
        return Readers.of([choice.layer for choice in self.choices])

    @cached_property
    def follows(self) -> IntArray:
        """Lanes that a choice wants at the input of the layer in front, 0 for any."""
        return np.array([choice.layer.follows_lanes for choice in self.choices], np.int64)

    @cached_property
    def waiting(self) -> dict[int, WaitingWords]:
        """What waits in front of the windows with a minimal buffer, by choice."""
        return {k: WaitingWords(self.choices[k].layer) for k in np.flatnonzero(self.waits).tolist()}


class EdgeTable:
    """What the choices of two neighbours cost together."""

    def __init__(self, producer: LayerTable, reader: LayerTable) -> None:
        self.producer, self.reader = producer, reader
        _, given, self._given = np.unique(producer.lanes_out, return_index=True, return_inverse=True)
        wanted, self._wanted = np.unique(reader.lanes_in, return_inverse=True)
        streams = [producer.choices[k].layer.outputs[0] for k in given.tolist()]
        self._converters: Taken = np.array(
            [[taken(producer.board, converter(stream, int(lanes))) for lanes in wanted] for stream in streams])

    def converters(self, producers: IntArray, readers: IntArray, rates: Rates) -> Costs:
        """(producers, readers): the price of the width converter, infinite where they cannot follow each other."""
        costs = rates.price(self._converters)[self._given[producers]][:, self._wanted[readers]]
        follows = self.reader.follows[readers]
        if not follows.any():
            return costs
        legal = (follows == 0) | (self.producer.lanes_in[producers][:, None] == follows)
        return np.where(legal, costs, np.inf)

    def waiting(self, producers: IntArray, readers: IntArray, rates: Rates, pace: int, input_cycles: int) -> Costs:
        """(producers, readers): the price of the words that wait for a minimal buffer; infinite where it is too slow.

        pace, input_cycles: see WaitingWords.
        """
        costs = np.zeros((len(producers), len(readers)))
        waiting = np.flatnonzero(self.producer.waits[producers])
        behind = self.reader.readers.some(readers) if len(waiting) else None
        for row in waiting.tolist():
            assert behind is not None
            choice = int(producers[row])
            words = self.producer.waiting[choice].of(behind, pace, input_cycles)
            number, place = np.unique(words, return_inverse=True)
            window = self.producer.choices[choice].layer
            cost = [taken(self.producer.board, waiting_cost(max(0, count), window.inputs[0], window.prices))
                    for count in number.tolist()]
            costs[row] = np.where(number == TOO_SLOW, np.inf, rates.price(np.array(cost)))[place]
        return costs
