"""Exact minimum of a sum of costs over discrete choices, of which each cost depends on a few: variable elimination.

A choice is eliminated by minimizing over it all costs that depend on it, which leaves one cost on its neighbours
(nonserial dynamic programming; U. Bertele and F. Brioschi, 1972). A chain takes time linear in its length; so do graphs
of forks and joins, whose neighbours stay few.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from math import prod

import numpy as np
from numpy.typing import NDArray

Costs = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Factor:
    """A cost that depends on the choices `names`; costs has one axis for each."""

    names: tuple[str, ...]
    costs: Costs


class _Left:
    """The names that are not yet decided, and the factors on them; the name with the smallest table comes first."""

    def __init__(self, sizes: Mapping[str, int], factors: Sequence[Factor]) -> None:
        self.sizes, self.place = sizes, {name: place for place, name in enumerate(sizes)}
        self.factors: dict[str, dict[int, Factor]] = {name: {} for name in sizes}
        self.added = 0
        for factor in factors:
            self.add(factor)
        self.order = [(self.table_size(name), place, name) for name, place in self.place.items()]
        heapify(self.order)

    def add(self, factor: Factor) -> None:
        """One more factor, behind all others."""
        for name in factor.names:
            self.factors[name][self.added] = factor
        self.added += 1

    def neighbours(self, name: str) -> tuple[str, ...]:
        """The other names of the factors on a name, in their order."""
        return tuple(dict.fromkeys(other for factor in self.factors[name].values() for other in factor.names
                                   if other != name))

    def table_size(self, name: str) -> int:
        """Entries of the table that eliminating a name makes."""
        return prod(self.sizes[other] for other in (name, *self.neighbours(name)))

    def next(self) -> str | None:
        """The name to decide next; None where none is left."""
        while self.order:
            size, _, name = heappop(self.order)
            if name in self.factors and size == self.table_size(name):  # else the entry is of an earlier step
                return name
        return None

    def eliminate(self, name: str) -> tuple[tuple[str, ...], Costs]:
        """Decide a name: its neighbours, and the costs of its choices over theirs, the last axis its own."""
        others, touching = self.neighbours(name), self.factors.pop(name)
        for number, factor in touching.items():
            for other in factor.names:
                if other != name:
                    del self.factors[other][number]
        table = _sum(list(touching.values()), (*others, name), [self.sizes[other] for other in (*others, name)])
        if others:
            self.add(Factor(others, table.min(axis=-1)))
        for other in others:
            heappush(self.order, (self.table_size(other), self.place[other], other))
        return others, table


def minimize(sizes: Mapping[str, int], factors: Sequence[Factor]) -> tuple[dict[str, int], float]:
    """The choice of every name, below its size, with the least sum of all factors, and that sum.

    Among equals the lowest choice of the name that is decided first. The sum is infinite where nothing is legal.
    """
    left = _Left(sizes, factors)
    decided: list[tuple[str, tuple[str, ...], NDArray[np.int64]]] = []
    least = 0.0
    while (name := left.next()) is not None:
        others, table = left.eliminate(name)
        decided.append((name, others, table.argmin(axis=-1)))
        if not others:
            least += float(table.min())
    chosen: dict[str, int] = {}
    for name, others, best in reversed(decided):
        chosen[name] = int(best[tuple(chosen[other] for other in others)])
    return chosen, least


def _sum(factors: Sequence[Factor], names: tuple[str, ...], shape: Sequence[int]) -> Costs:
    """The factors added up over all their names."""
    table = np.zeros(shape)
    for factor in factors:
        order = sorted(range(len(factor.names)), key=lambda axis: names.index(factor.names[axis]))
        axes = [shape[k] if name in factor.names else 1 for k, name in enumerate(names)]
        table += factor.costs.transpose(order).reshape(axes)
    return table
