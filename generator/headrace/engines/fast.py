"""Exact integers through BLAS, for accuracy runs: floats hold the integers, and no product or sum can round.

Tensors stay in float32 while every sum is below 2^24, else in float64 below 2^53. Batches run side by side on all
cores, each with one thread of BLAS: threads of BLAS wait for one another after every product, which batches do not.
"""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
from threadpoolctl import threadpool_limits

from headrace.datatypes import IntArray
from headrace.engines.fast_conv import COMPARE_UP_TO, Numbers, convolve, exact_float, largest, weighted_bound
from headrace.engines.fast_ops import apply
from headrace.errors import UnsupportedError
from headrace.network.integer import INPUT, Conv, DepthwiseConv, IntegerNetwork, Threshold

#: Frames that are computed at once are at most this many, and their largest tensor is about this large.
BATCH = 256
TENSOR_BYTES = 8 << 20


def _require_exact(net: IntegerNetwork) -> None:
    """Raise UnsupportedError where a tensor leaves the range in which floats are exact."""
    for node in net.nodes:
        bound = largest(net.types[node.name].dtype)
        if isinstance(node.op, Conv | DepthwiseConv):
            bound = weighted_bound(node.op.effective_weights, net.types[node.inputs[0]].dtype)
        if exact_float(bound) is None:
            raise UnsupportedError(f"{node.name}: sums reach {bound}, beyond the exact range 2^53 of the fast engine; "
                                   "use the golden engine")


def _batches(net: IntegerNetwork, frames: IntArray, cores: int) -> list[IntArray]:
    """Equally many for every core, and of equal sizes that keep the largest tensor near TENSOR_BYTES."""
    largest_tensor = max(math.prod(tensor.shape) for tensor in net.types.values())
    fitting = min(max(1, TENSOR_BYTES // (4 * largest_tensor)), BATCH)
    rounds = -(-len(frames) // (fitting * cores))
    return np.array_split(frames, max(1, min(rounds * cores, len(frames))))


@dataclass(frozen=True, eq=False)
class _Step:
    """What computes the tensor of a name from those of its sources."""

    name: str
    sources: tuple[str, ...]
    compute: Callable[..., Numbers]


def _steps(net: IntegerNetwork, kept: Collection[str]) -> list[_Step]:
    """The operations in order; thresholds on sums that nothing else reads are one step with their convolution."""
    producers = {node.name: node for node in net.nodes}
    readers = Counter(source for node in net.nodes for source in node.inputs)
    steps: dict[str, _Step] = {}
    for node in net.nodes:
        types = tuple(net.types[name] for name in node.inputs)
        source = producers.get(node.inputs[0])
        if (source is not None and isinstance(source.op, Conv) and source.name not in kept
                and readers[source.name] == 1 and isinstance(node.op, Threshold)
                and node.op.output.steps <= COMPARE_UP_TO):
            del steps[source.name]
            compute = partial(convolve, source.op, net.types[source.inputs[0]], types[0], node.op)
            steps[node.name] = _Step(node.name, source.inputs, compute)
        else:
            steps[node.name] = _Step(node.name, node.inputs, partial(apply, node.op, net.types[node.name], types))
    return list(steps.values())


def _run_batch(steps: list[_Step], x: IntArray, kept: Collection[str]) -> dict[str, IntArray]:
    """The kept tensors of a batch; the others are dropped after their last reader."""
    values: dict[str, Numbers] = {INPUT: x.transpose(1, 2, 0, 3)}
    results: dict[str, IntArray] = {INPUT: x} if INPUT in kept else {}
    readers = Counter(source for step in steps for source in step.sources)
    for step in steps:
        values[step.name] = step.compute(*(values[source] for source in step.sources))
        if step.name in kept:
            results[step.name] = values[step.name].transpose(2, 0, 1, 3).astype(np.int64, order="C")
        readers.subtract(step.sources)
        for source in {*step.sources, step.name}:
            if readers[source] <= 0:
                values.pop(source, None)
    return results


def run(net: IntegerNetwork, x: IntArray, keep: Collection[str] | None = None) -> dict[str, IntArray]:
    """The integers of every tensor, or of those named in `keep`.

    x: (N, H, W, C) or (N, H*W*C) -> tensor name: (N, height, width, channels). Raises UnsupportedError where a sum
    could leave the range in which floats are exact.
    """
    _require_exact(net)
    frames = x.reshape(-1, *net.types[INPUT].shape)
    kept = tuple(net.types) if keep is None else tuple(keep)
    steps = _steps(net, kept)
    cores = os.cpu_count() or 1
    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(cores) as pool:
        parts = list(pool.map(lambda batch: _run_batch(steps, batch, kept), _batches(net, frames, cores)))
    return {name: np.concatenate([part[name] for part in parts]) for name in kept}
