"""Exact minimum of a sum of costs over discrete choices, of which each cost depends on a few: variable elimination.

A choice is eliminated by minimizing over it all costs that depend on it, which leaves one cost on its neighbours
(nonserial dynamic programming; U. Bertele and F. Brioschi, 1972). A chain takes time linear in its length; so do graphs
of forks and joins, whose neighbours stay few.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Costs = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Factor:
    """A cost that depends on the choices `names`; costs has one axis for each."""

    names: tuple[str, ...]
    costs: Costs


def minimize(sizes: Mapping[str, int], factors: Sequence[Factor]) -> tuple[dict[str, int], float]:
    """The choice of every name, below its size, with the least sum of all factors, and that sum.

    Among equals the lowest choice of the name that is decided first. The sum is infinite where nothing is legal.
    """
    factors, left = list(factors), dict(sizes)
    decided: list[tuple[str, tuple[str, ...], NDArray[np.int64]]] = []
    least = 0.0
    while left:
        name = min(left, key=lambda name: _table_size(name, factors, sizes))
        touching = [factor for factor in factors if name in factor.names]
        factors = [factor for factor in factors if name not in factor.names]
        others = tuple(dict.fromkeys(other for factor in touching for other in factor.names if other != name))
        table = _sum(touching, (*others, name), [sizes[other] for other in (*others, name)])
        decided.append((name, others, table.argmin(axis=-1)))
        if others:
            factors.append(Factor(others, table.min(axis=-1)))
        else:
            least += float(table.min())
        del left[name]
    chosen: dict[str, int] = {}
    for name, others, best in reversed(decided):
        chosen[name] = int(best[tuple(chosen[other] for other in others)])
    return chosen, least


def _table_size(name: str, factors: Sequence[Factor], sizes: Mapping[str, int]) -> int:
    """Entries of the table that eliminating a name makes."""
    names = {other for factor in factors if name in factor.names for other in factor.names}
    return int(np.prod([sizes[other] for other in names | {name}]))


def _sum(factors: Sequence[Factor], names: tuple[str, ...], shape: Sequence[int]) -> Costs:
    """The factors added up over all their names."""
    table = np.zeros(shape)
    for factor in factors:
        order = sorted(range(len(factor.names)), key=lambda axis: names.index(factor.names[axis]))
        axes = [shape[k] if name in factor.names else 1 for k, name in enumerate(names)]
        table += factor.costs.transpose(order).reshape(axes)
    return table
