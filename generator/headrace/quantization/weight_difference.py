"""Low-precision layers chosen by how far training moves their weights.

Source: US 12,393,828 B2, "Method and apparatus for neural network quantization". The method is the subject of this
granted US patent.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from headrace.errors import QuantizationError
from headrace.quantization.primitives import FloatArray, finite

Statistic = Literal["mean_square", "mean", "variance", "std"]
Method = Literal["halving", "bisect", "count"]
#: Layers at low precision -> loss of accuracy against the first network.
LossFunction = Callable[[list[int]], float]


@dataclass(frozen=True)
class Selection:
    """Low-precision layers in rank order, and the (count, loss) pairs that were measured, in order."""

    layers: tuple[int, ...]
    trace: tuple[tuple[int, float], ...]

    def bits(self, layers: int, low_bits: int, high_bits: int) -> dict[int, int]:
        """Width of each of the layers 0..layers-1.

        >>> Selection((1,), ()).bits(3, 4, 8)
        {0: 8, 1: 4, 2: 8}
        """
        return {layer: low_bits if layer in self.layers else high_bits for layer in range(layers)}


_STATISTICS: dict[str, Callable[[FloatArray], float]] = {
    "mean_square": lambda d: float(np.mean(np.square(d))),
    "mean": lambda d: abs(float(np.mean(d))),
    "variance": lambda d: float(np.var(d)),
    "std": lambda d: float(np.std(d)),
}


def record_cycles(run_cycle: Callable[[int], Sequence[ArrayLike]], cycles: int) -> list[list[FloatArray]]:
    """Weights of all layers after each cycle: run_cycle(k) trains on and returns the weights, which are copied.

    Raises QuantizationError for fewer than one cycle and for weights that are nan or inf.
    Source: US 12,393,828 B2, FIG. 13 and 14.

    >>> record_cycles(lambda k: [[0.5 + k]], 2)
    [[array([0.5])], [array([1.5])]]
    """
    if cycles < 1:
        raise QuantizationError(f"{cycles} training cycles show no difference of weights; run 1 or more")
    return [[finite(f"layer {layer}", w).copy() for layer, w in enumerate(run_cycle(k))] for k in range(cycles)]


def weight_diff_stats(w0: Sequence[ArrayLike], snapshots: Sequence[Sequence[ArrayLike]],
                      kind: Statistic = "mean_square") -> list[float]:
    """One statistic per layer of d(k) = W(k) - W(0), over all elements and cycles.

    mean_square: mean d^2; mean: |mean d|; variance and std of the population. The initial weights are the reference,
    not the previous cycle, and means over elements keep the size of a layer without influence.
    w0: (layers,) arrays, the initial weights; snapshots: (cycles, layers) arrays of the same shapes.
    Source: US 12,393,828 B2, phase of learning and statistics.
    Raises QuantizationError for no cycle, an unknown kind, unequal shapes, empty layers, nan and inf.

    >>> weight_diff_stats([[1.0, 2.0]], [[[1.5, 2.0]], [[1.0, 1.0]]])
    [0.3125]
    """
    if kind not in _STATISTICS:
        raise QuantizationError(f"statistic {kind!r} is unknown; choose one of {list(_STATISTICS)}")
    if not snapshots or any(len(cycle) != len(w0) for cycle in snapshots):
        raise QuantizationError(f"weight differences of {len(w0)} layers need 1 or more cycles of as many arrays")
    return [_STATISTICS[kind](_differences(layer, w0[layer], [cycle[layer] for cycle in snapshots]))
            for layer in range(len(w0))]


def _differences(layer: int, initial: ArrayLike, snapshots: Sequence[ArrayLike]) -> FloatArray:
    """W(k) - W(0) of one layer, (cycles, ...)."""
    start = finite(f"layer {layer}", initial)
    after = [finite(f"layer {layer}", weights) for weights in snapshots]
    if start.size == 0 or any(weights.shape != start.shape for weights in after):
        raise QuantizationError(f"layer {layer}: weights of shapes {[start.shape, *(w.shape for w in after)]} cannot "
                                "be compared; give equal shapes with 1 or more elements")
    return np.stack(after) - start


def rank_layers(stats: Sequence[float]) -> list[int]:
    """Layers by ascending statistic, ties by index.

    Source: US 12,393,828 B2, phase of ranking. Raises QuantizationError for nan and inf.

    >>> rank_layers([0.5, 0.1, 0.5])
    [1, 0, 2]
    """
    finite("statistics", stats)
    return sorted(range(len(stats)), key=lambda layer: (stats[layer], layer))


class _Trial:
    """Measures the loss of the first `count` layers of the pool and remembers what it measured."""

    def __init__(self, pool: Sequence[int], loss_fn: LossFunction) -> None:
        self.pool, self.loss_fn = pool, loss_fn
        self.trace: list[tuple[int, float]] = []

    def loss(self, count: int) -> float:
        loss = self.loss_fn(list(self.pool[:count]))
        if math.isnan(loss):
            raise QuantizationError(f"the loss with {count} low-precision layers is nan; return a number")
        self.trace.append((count, loss))
        return loss


def _halve(trial: _Trial, threshold: float, n_stop: int | None) -> int:
    """Count after halving the pool until the loss is acceptable or few enough layers are left; FIG. 11."""
    count = len(trial.pool)
    while count := count // 2:
        if trial.loss(count) <= threshold or (n_stop is not None and count <= n_stop):
            break
    return count


def _bisect(trial: _Trial, threshold: float) -> int:
    """Largest count with an acceptable loss, by binary search on a loss that grows with the count."""
    low, high = 0, len(trial.pool)
    while low < high:
        middle = (low + high + 1) // 2
        if trial.loss(middle) <= threshold:
            low = middle
        else:
            high = middle - 1
    return low


def select_layers(order: Sequence[int], loss_fn: LossFunction | None = None, threshold: float = 0.01,
                  method: Method = "halving", skip_smallest: bool = False, n_stop: int | None = None,
                  count: int | None = None) -> Selection:
    """Choose the layers that get the low precision from the head of the ranking.

    halving (FIG. 11): halve the pool until its loss is <= threshold, or until n_stop layers or fewer are left, which
    are taken in spite of their loss. bisect (an extension): the most layers with loss <= threshold, assuming that the
    loss grows with the count. count (FIG. 12): the first `count` layers, nothing is measured.
    order: from `rank_layers`; skip_smallest leaves its first layer out. loss_fn is called at most ceil(log2(n)) + 1
    times for a pool of n layers. Source: US 12,393,828 B2, FIG. 11 and 12.
    Raises QuantizationError for an unknown method, a missing loss_fn, a count outside the pool and a threshold
    or loss of nan.

    >>> select_layers([2, 0, 1, 3], lambda low: 0.004 * len(low), method="bisect")
    Selection(layers=(2, 0), trace=((2, 0.008), (3, 0.012)))
    """
    pool = list(order[1:] if skip_smallest else order)
    if method == "count":
        if count is None or not 0 <= count <= len(pool):
            raise QuantizationError(f"count={count} low-precision layers cannot be taken from {len(pool)}; "
                                    f"use 0 to {len(pool)}")
        return Selection(tuple(pool[:count]), ())
    if method not in ("halving", "bisect") or loss_fn is None:
        raise QuantizationError(f"method {method!r} with loss function {loss_fn} cannot select layers; use halving or "
                                "bisect with a loss function, or count")
    if math.isnan(threshold):
        raise QuantizationError("a threshold of nan accepts no loss; give a number")
    trial = _Trial(pool, loss_fn)
    chosen = _halve(trial, threshold, n_stop) if method == "halving" else _bisect(trial, threshold)
    return Selection(tuple(pool[:chosen]), tuple(trial.trace))
