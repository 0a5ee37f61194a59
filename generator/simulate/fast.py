"""Exact integers through BLAS, for accuracy runs: floats hold the integers, and no product or sum can round.

Tensors stay in float32 while every sum is below 2^24, else in float64 below 2^53. Batches run side by side on all
cores, each with one thread of BLAS: threads of BLAS wait for one another after every product, which batches do not.
"""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from threadpoolctl import threadpool_limits

from generator.datatypes import IntArray
from generator.errors import UnsupportedError
from generator.network.integer import INPUT, Conv, DepthwiseConv, IntegerNetwork
from generator.simulate.fast_ops import Floats, apply, exact_float, largest, weighted_bound

#: Frames that are computed at once are at most this many, and their largest tensor is about this large.
BATCH = 256
TENSOR_BYTES = 16 << 20


def _require_exact(net: IntegerNetwork) -> None:
    """Raise UnsupportedError where a tensor leaves the range in which floats are exact."""
    for node in net.nodes:
        bound = largest(net.types[node.name].dtype)
        if isinstance(node.op, Conv | DepthwiseConv):
            bound = weighted_bound(node.op.weights, net.types[node.inputs[0]].dtype)
        if exact_float(bound) is None:
            raise UnsupportedError(f"{node.name}: sums reach {bound}, beyond the exact range 2^53 of the fast engine; "
                                   "use the golden engine")


def _frames_at_once(net: IntegerNetwork, frames: int, cores: int) -> int:
    """As many frames as keep the largest tensor near TENSOR_BYTES, and every core at work."""
    largest_tensor = max(math.prod(tensor.shape) for tensor in net.types.values())
    fitting = min(max(1, TENSOR_BYTES // (4 * largest_tensor)), BATCH)
    return max(1, min(fitting, -(-frames // cores)))


def _run_batch(net: IntegerNetwork, x: IntArray, kept: Collection[str]) -> dict[str, IntArray]:
    """The kept tensors of a batch; the others are dropped after their last reader."""
    values: dict[str, Floats] = {INPUT: x.astype(np.float32 if largest(net.types[INPUT].dtype) < 1 << 24
                                                 else np.float64)}
    results: dict[str, IntArray] = {INPUT: x} if INPUT in kept else {}
    readers = Counter(source for node in net.nodes for source in node.inputs)
    for node in net.nodes:
        sources = [values[source] for source in node.inputs]
        values[node.name] = apply(node.op, net.types[node.name],
                                  tuple(net.types[source] for source in node.inputs), *sources)
        if node.name in kept:
            results[node.name] = values[node.name].astype(np.int64)
        readers.subtract(node.inputs)
        for source in {*node.inputs, node.name}:
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
    cores = os.cpu_count() or 1
    step = _frames_at_once(net, len(frames), cores)
    batches = [frames[start : start + step] for start in range(0, len(frames), step)] or [frames]
    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(cores) as pool:
        parts = list(pool.map(lambda batch: _run_batch(net, batch, kept), batches))
    return {name: np.concatenate([part[name] for part in parts]) for name in kept}
