"""Folding solver: the cheapest folds at a pace, and the fastest pace that fits a board; exact, not greedy.

Once the pace is fixed every layer can be chosen alone, but for the width converters between neighbours; their costs
depend on two layers each, and variable elimination finds the least sum. Cost is in LUTs, at the prices by which cores
and memories are chosen too; where a board is to be filled, what it is short of is dearer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from headrace.area.usage import Resources, total
from headrace.board.board import Board
from headrace.datatypes import IntArray
from headrace.folding.choices import Choice, Choices, converter
from headrace.folding.elimination import Costs, Factor, minimize
from headrace.folding.shared_blocks import fill_blocks, share_blocks
from headrace.folding.tables import EdgeTable, LayerTable, Rates
from headrace.memory import Prices

#: Share of a board that layers may take; the rest is for the FIFOs between them.
LAYERS_SHARE = 0.96
#: How often, and by how much, a resource that overflows is made dearer before a pace counts as impossible.
_ATTEMPTS, _DEARER = 6, 3.0
#: By so much a sum of shares may be wrong.
_ROUNDING = 1e-9


@dataclass(frozen=True, eq=False)
class Solution:
    """A choice for every layer, in the order of the dataflow. cost: of layers and width converters."""

    choices: Mapping[str, Choice]
    cost: Resources

    @property
    def folding(self) -> dict[str, dict[str, int]]:
        """Folds by layer name."""
        return {name: dict(choice.folds) for name, choice in self.choices.items() if choice.folds}

    @property
    def cycles(self) -> int:
        """Cycles per frame of the slowest layer."""
        return max(choice.cycles for choice in self.choices.values())

    @property
    def bottleneck(self) -> str:
        """The first of the slowest layers."""
        return max(self.choices, key=lambda name: self.choices[name].cycles)


@dataclass(frozen=True, eq=False)
class Fastest:
    """The fastest solution that fits; `stopped_by` says what the next faster one is stopped by."""

    solution: Solution
    stopped_by: str


class Solver:
    """The choices of a dataflow and a board to spend.

    min_cycles: a bound on the pace from outside the layers, and its name.
    """

    def __init__(self, choices: Choices, board: Board, min_cycles: int = 1, bound: str = "") -> None:
        self.choices, self.board = choices, board
        self.min_cycles, self.bound = min_cycles, bound

    @cached_property
    def prices(self) -> Prices:
        """Those by which cores and memories of the layers are chosen."""
        return next(iter(self.choices.of_layer.values()))[0].layer.prices

    @cached_property
    def limits(self) -> dict[str, int]:
        """The cycles that every layer takes at its fastest folding."""
        return {name: min(choice.cycles for choice in options) for name, options in self.choices.of_layer.items()}

    @property
    def slowest_cycles(self) -> int:
        """The pace at which every choice is fast enough."""
        return max(choice.cycles for options in self.choices.of_layer.values() for choice in options)

    @property
    def least_cycles(self) -> int:
        """The fastest pace of any size."""
        return max(self.min_cycles, *self.limits.values())

    @property
    def limit(self) -> str:
        """What stands behind least_cycles, as the start of a sentence."""
        slowest = max(self.limits, key=lambda name: self.limits[name])
        return slowest if self.limits[slowest] >= self.min_cycles else self.bound

    def cheapest(self, cycles: int, dearer: Mapping[str, float] | None = None) -> Solution:
        """The least cost at no more than `cycles` per frame, which are least_cycles or more.

        Layers that only move data take no more cycles than the slowest one that multiplies, unless they cannot do
        better; at that pace windows are judged that have a minimal buffer, with the FIFOs that it takes. dearer: by
        resource, how often its price it costs; once where not given.
        """
        limit = cycles
        while True:
            solution = self._cheapest(cycles, limit, dearer or {})
            multiplying = [choice.cycles for choice in solution.choices.values() if choice.multiplies]
            pace = max(*multiplying, self._least_of_movers) if multiplying else limit
            hindered = any(choice.cycles > pace or self._chosen_to_wait(name, choice)
                           for name, choice in solution.choices.items())
            if pace >= limit or not hindered:
                return solution
            limit = pace

    @cached_property
    def _least_of_movers(self) -> int:
        """Cycles of the slowest layer that moves data at its fastest folding."""
        return max((self.limits[name] for name, options in self.choices.of_layer.items()
                    if not options[0].multiplies), default=1)

    def _cheapest(self, cycles: int, movers: int, dearer: Mapping[str, float]) -> Solution:
        """The least cost where layers that multiply take at most `cycles`, the others at most `movers`.

        The latter is also the pace that windows with a minimal buffer have to keep.
        """
        rates, tables = Rates.of(self.board, self.prices, dearer), self._tables
        options = {name: table.distinct(cycles if table.multiplies else movers, rates)
                   for name, table in tables.items()}
        factors = [Factor((name,), rates.price(tables[name].taken[found])) for name, found in options.items()]
        factors += [Factor(edge, self._between(edge, options, rates, movers)) for edge in self.choices.edges]
        chosen, _ = minimize({name: len(found) for name, found in options.items()}, factors)
        picked = {name: table.choices[options[name][chosen[name]]] for name, table in tables.items()}
        return self._of(picked)

    def _of(self, picked: Mapping[str, Choice]) -> Solution:
        between = [converter(picked[a].layer.outputs[0], picked[b].lanes_in) for a, b in self.choices.edges]
        return Solution(picked, total([choice.cost for choice in picked.values()]) + total(between))

    def _between(self, edge: tuple[str, str], options: Mapping[str, IntArray], rates: Rates, pace: int) -> Costs:
        """(choices of the producer, choices of the reader): price of what is between them, infinite where illegal."""
        producer, reader = edge
        table, both = self._edge_tables[edge], (options[producer], options[reader])
        costs = table.converters(*both, rates)
        if "minimal_buffer" in self.choices.given.get(producer, {}):
            return costs
        input_cycles = self.min_cycles if producer in self.choices.reads_input else 0
        return costs + table.waiting(*both, rates, pace, input_cycles)

    @cached_property
    def _tables(self) -> dict[str, LayerTable]:
        """The choices of every layer; layers that are alike share them."""
        known: dict[int, LayerTable] = {}
        for choices in self.choices.of_layer.values():
            if id(choices) not in known:
                known[id(choices)] = LayerTable(choices, self.board)
        return {name: known[id(choices)] for name, choices in self.choices.of_layer.items()}

    @cached_property
    def _edge_tables(self) -> dict[tuple[str, str], EdgeTable]:
        return {(a, b): EdgeTable(self._tables[a], self._tables[b]) for a, b in self.choices.edges}

    def fitting(self, cycles: int, share: float = LAYERS_SHARE) -> Solution | None:
        """A cheapest solution whose every resource is within the board's; None where prices do not lead to one."""
        dearer: dict[str, float] = {}
        for _ in range(_ATTEMPTS):
            if self._cannot_fit(cycles, share, dearer):
                return None
            solution = self._within_uram(self.cheapest(cycles, dearer), share)
            over = self.over(solution.cost, share)
            if not over:
                return solution
            if balanced := self._balanced(solution, share):
                return balanced
            dearer |= {name: dearer.get(name, 1.0) * _DEARER for name in over}
        return None

    def _balanced(self, solution: Solution, share: float) -> Solution | None:
        """The solution with DSP blocks in those layers where they save most, where it fits so; None where it does not.

        Layers that are alike all go by the same prices, which alone would give blocks to all of them or none.
        """
        ways = {name: (solution.choices[name], twin) for name, twin in self._twins(solution).items()}
        others = total([choice.cost for name, choice in solution.choices.items() if name not in ways])
        between = solution.cost.less(total([choice.cost for choice in solution.choices.values()]))
        there = {name: int(count * share) for name, (_, count) in self.board.use(Resources()).items()}
        blocks, luts = there["dsp"] - others.dsp, there["lut"] - (others + between).all_luts
        whole = share_blocks(ways, blocks, luts, self.prices.dsp)
        return (self._changed(solution, whole, share)
                or self._changed(solution, fill_blocks(ways, blocks), share))

    def _changed(self, solution: Solution, chosen: Mapping[str, Choice] | None, share: float) -> Solution | None:
        """The solution with other choices of some layers; None where there are none or it does not fit so."""
        found = self._of({**solution.choices, **chosen}) if chosen else None
        return found if found and not self.over(found.cost, share) else None

    def _twins(self, solution: Solution) -> dict[str, Choice]:
        """The layers that have another way at the same folds, out of UltraRAM, and that."""
        found = {name: [twin for twin in self.choices.of_layer[name]
                        if twin.folds == choice.folds and twin.other != choice.other
                        and not twin.cost.uram + choice.cost.uram]
                 for name, choice in solution.choices.items()}
        return {name: twins[0] for name, twins in found.items() if twins}

    def _within_uram(self, solution: Solution, share: float) -> Solution:
        """The solution, layers out of UltraRAM where that is not enough: those first that need least BRAM for theirs.

        Layers that are alike all go by the same prices, which alone would move all of them or none.
        """
        excess = solution.cost.uram - int(self.board.uram * share)
        moved = {name: next(first for first in self.choices.of_layer[name]
                            if first.folds == choice.folds and not first.other)
                 for name, choice in solution.choices.items() if choice.other and choice.cost.uram and excess > 0}
        picked = dict(solution.choices)
        for name in sorted(moved, key=lambda name: moved[name].cost.bram18 / picked[name].cost.uram):
            if excess > 0:
                excess -= picked[name].cost.uram
                picked[name] = moved[name]
        return self._of(picked) if moved else solution

    def _cannot_fit(self, cycles: int, share: float, dearer: Mapping[str, float]) -> bool:
        """True if the layers at their least cost more than all that they may take: then no others fit either.

        So at these prices, or of one resource alone.
        """
        budget = np.array([there for _, there in self.board.use(Resources()).values()], np.float64) * share
        rates, tables = Rates.of(self.board, self.prices, dearer), self._tables.values()
        if sum(table.least(cycles, rates) for table in tables) > float(rates.price(budget)) * (1 + _ROUNDING):
            return True
        least = np.sum([table.least_of_each(cycles) for table in tables], axis=0)
        return bool((least > budget * (1 + _ROUNDING)).any())

    def fastest(self, share: float = LAYERS_SHARE) -> Fastest | None:
        """The fastest pace that fits; None where nothing does, which the slowest pace shows."""
        paces = sorted({choice.cycles for options in self.choices.of_layer.values() for choice in options})
        paces = [self.least_cycles, *(pace for pace in paces if pace > self.least_cycles)]
        low, high = 0, len(paces) - 1
        best = self.fitting(paces[high], share)
        if best is None:
            return None
        while low < high:
            middle = (low + high) // 2
            if found := self.fitting(paces[middle], share):
                best, high = found, middle
            else:
                low = middle + 1
        return Fastest(best, self._stopped_by(paces[high - 1] if high else 0, share))

    def over(self, cost: Resources, share: float = 1.0) -> list[str]:
        """Names of the resources of which more is taken than the share of the board."""
        return [name for name, (used, there) in self.board.use(cost).items() if used > there * share]

    def _stopped_by(self, faster: int, share: float) -> str:
        if not faster:
            least = self.least_cycles
            return f"{self.limit} cannot take fewer than {least} cycles per frame"
        cost = self.cheapest(faster).cost
        use = self.board.use(cost)
        taken = ", ".join(f"{use[name][0]} of {use[name][1]} {name.upper()}" for name in self.over(cost, share))
        return f"{faster} cycles per frame would take {taken} without FIFOs, and layers may take {share:.0%}"

    def _chosen_to_wait(self, name: str, choice: Choice) -> bool:
        """True for a window with the minimal buffer, if that is a choice and not the user's wish."""
        return choice.waits and "minimal_buffer" not in self.choices.given.get(name, {})
