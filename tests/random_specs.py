"""Legal specs drawn at random over all layers; `python -m tests.random_specs COUNT SEED` prints them as JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np

from headrace.fold_rule import divisors
from headrace.layers import LAYERS

T = TypeVar("T")

Spec = dict[str, object]

TYPES = ("bipolar", "ternary", "int2", "int3", "int4", "int8", "uint1", "uint2", "uint3", "uint4", "uint7", "uint8")
OUTPUTS = ("bipolar", "ternary", "int2", "int4", "uint1", "uint2", "uint3", "uint4", "uint6", "acc")
CHANNELS = (1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 16, 18)


class Draw:
    """A seeded source of choices."""

    def __init__(self, seed: int) -> None:
        self._rng = np.random.default_rng(seed)

    def of(self, choices: Sequence[T]) -> T:
        return choices[int(self._rng.integers(len(choices)))]

    def between(self, lo: int, hi: int) -> int:
        return int(self._rng.integers(lo, hi + 1))

    def fold(self, size: int) -> int:
        return self.of(divisors(size))


def _unit(draw: Draw) -> Spec:
    return {"weight": draw.of(TYPES), "input": draw.of((*TYPES, "int16", "uint16")), "output": draw.of(OUTPUTS)}


def mvtu(draw: Draw) -> Spec:
    mh, mw = draw.of(CHANNELS), draw.of((*CHANNELS, 27, 35, 48, 64))
    return {"mh": mh, "mw": mw, "pe": draw.fold(mh), "simd": draw.fold(mw), "vectors": draw.between(1, 4),
            **_unit(draw)}


def vvtu(draw: Draw) -> Spec:
    channels, kernel = draw.of(CHANNELS), [draw.between(1, 4), draw.between(1, 4)]
    return {"channels": channels, "kernel": kernel, "height": draw.between(1, 3), "width": draw.between(1, 3),
            "pe": draw.fold(channels), "simd": draw.fold(kernel[0] * kernel[1]), **_unit(draw)}


def _axis(draw: Draw) -> tuple[int, int, int, int, int, int]:
    """Size, kernel, stride, dilation, pad before and after of an axis on which at least one window fits."""
    kernel, stride, dilation = draw.between(1, 4), draw.between(1, 3), draw.between(1, 2)
    before, after = draw.between(0, 2), draw.between(0, 2)
    reach = (kernel - 1) * dilation + 1
    return draw.between(max(1, reach - before - after), reach + 5), kernel, stride, dilation, before, after


def window(draw: Draw) -> Spec:
    channels = draw.of((1, 2, 3, 4, 6, 8))
    vertical, horizontal = _axis(draw), _axis(draw)
    names = ("kernel", "stride", "dilation")
    return {"height": vertical[0], "width": horizontal[0], "channels": channels, "simd": draw.fold(channels),
            **{name: [vertical[k], horizontal[k]] for k, name in enumerate(names, 1)},
            "pad": [vertical[4], horizontal[4], vertical[5], horizontal[5]], "element": draw.of(TYPES)}


def swu(draw: Draw) -> Spec:
    return {**window(draw), **draw.of(({}, {}, {"buffer": "minimal"}, {"depthwise": True}, {"parallel_window": True}))}


def parallel_swu(draw: Draw) -> Spec:
    return window(draw)


def pool(draw: Draw) -> Spec:
    channels, kernel = draw.of(CHANNELS), [draw.between(1, 4), draw.between(1, 4)]
    return {"height": kernel[0] + draw.between(0, 5), "width": kernel[1] + draw.between(0, 5), "channels": channels,
            "kernel": kernel, "stride": [draw.between(1, 4), draw.between(1, 4)], "pe": draw.fold(channels),
            "element": draw.of(TYPES)}


def pointwise(draw: Draw) -> Spec:
    channels = draw.of(CHANNELS)
    return {"channels": channels, "pe": draw.fold(channels), "pixels": draw.between(1, 5)}


def threshold(draw: Draw) -> Spec:
    return {**pointwise(draw), "input": draw.of(("int5", "int9", "uint8", "int16")), "output": draw.of(OUTPUTS[:-1]),
            **draw.of(({}, {"inverted": True}))}


def requant(draw: Draw) -> Spec:
    return {**pointwise(draw), "input": draw.of(("int6", "int12", "uint9", "int16")),
            "output": draw.of(("int4", "int8", "uint5", "uint8")), "rounding": draw.of(("half_up", "half_even"))}


def lookup(draw: Draw) -> Spec:
    return {**pointwise(draw), "input": draw.of(("int5", "uint8", "[-3,9]")), "output": draw.of(OUTPUTS[:-1]),
            **draw.of(({}, {"shared": True}))}


def fork(draw: Draw) -> Spec:
    return {**pointwise(draw), "element": draw.of(TYPES), "outputs": draw.between(2, 4)}


def add(draw: Draw) -> Spec:
    return {**pointwise(draw), "left": draw.of(TYPES), "right": draw.of((*TYPES, "int16"))}


def concat(draw: Draw) -> Spec:
    pe = draw.between(1, 4)
    return {"channels": [pe * draw.between(1, 3) for _ in range(draw.between(2, 4))], "pe": pe,
            "element": draw.of(TYPES), "pixels": draw.between(1, 5)}


def channel_map(draw: Draw) -> Spec:
    """Whole words of the pixel in any order, or its channels as wires."""
    lanes, folds, count = draw.between(1, 3), draw.between(1, 4), draw.between(1, 6)
    words = [draw.between(0, folds - 1) for _ in range(count)]
    sources = [lanes * word + lane for word in draw.of((words, sorted(words))) for lane in range(lanes)]
    channels, wires = lanes * folds, draw.of((False, False, True))
    return {"channels": channels, "sources": sources, "simd": channels if wires else lanes,
            "pe": len(sources) if wires else lanes, "element": draw.of(TYPES), "pixels": draw.between(1, 5)}


def crop(draw: Draw) -> Spec:
    channels, size = draw.of(CHANNELS), [draw.between(1, 6), draw.between(1, 6)]
    start = [draw.between(0, end - 1) for end in size]
    return {"height": size[0], "width": size[1], "channels": channels, "start": start,
            "stop": [draw.between(first + 1, end) for first, end in zip(start, size, strict=True)],
            "step": [draw.between(1, 3), draw.between(1, 3)], "simd": draw.fold(channels), "element": draw.of(TYPES)}


def take(draw: Draw) -> Spec:
    pe, before, count, behind = draw.between(1, 4), draw.between(0, 3), draw.between(1, 4), draw.between(0, 3)
    narrow, wide = draw.of((("int4", "int9"), ("bipolar", "ternary"), ("uint3", "int5"), ("uint8", "uint8")))
    return {"elements": pe * (before + count + behind), "first": pe * before, "count": pe * count, "pe": pe,
            "input": wide, "output": narrow}


def upsample(draw: Draw) -> Spec:
    channels = draw.of(CHANNELS)
    return {"height": draw.between(1, 4), "width": draw.between(1, 4), "channels": channels,
            "scale": [draw.between(1, 3), draw.between(1, 3)], "simd": draw.fold(channels), "element": draw.of(TYPES)}


def depth_to_space(draw: Draw) -> Spec:
    channels, block = draw.of(CHANNELS), [draw.between(1, 4), draw.between(1, 3)]
    return {"height": draw.between(1, 4), "width": draw.between(1, 5), "channels": channels, "block": block,
            "simd": draw.fold(channels * block[1]), "element": draw.of(TYPES)}


def dwc(draw: Draw) -> Spec:
    lanes = draw.between(1, 9), draw.between(1, 9)
    return {"in_lanes": lanes[0], "out_lanes": lanes[1], "words": lanes[1] * draw.between(1, 5),
            "element": draw.of(TYPES)}


def fifo(draw: Draw) -> Spec:
    return {"depth": draw.between(1, 70), "lanes": draw.between(1, 5), "words": draw.between(1, 60),
            "element": draw.of((*TYPES, "int16"))}


def label_select(draw: Draw) -> Spec:
    labels = draw.of((2, 3, 5, 8, 10, 12))
    return {"labels": labels, "k": draw.between(1, min(labels, 4)), "pe": draw.fold(labels), "element": draw.of(TYPES)}


DRAWN: dict[str, Callable[[Draw], Spec]] = {
    "mvtu": mvtu, "vvtu": vvtu, "swu": swu, "parallel_swu": parallel_swu, "threshold": threshold, "requant": requant,
    "lookup": lookup, "max_pool": pool, "acc_pool": pool, "fork": fork, "add": add, "concat": concat, "take": take,
    "channel_map": channel_map, "crop": crop, "upsample": upsample, "depth_to_space": depth_to_space, "dwc": dwc,
    "fifo": fifo,
    "label_select": label_select,
}


def random_specs(count: int, seed: int) -> list[Spec]:
    """The same specs for the same seed; a third of them are matrix units and windows, where most can go wrong."""
    draw = Draw(seed)
    kinds = [*LAYERS, "mvtu", "mvtu", "mvtu", "swu", "swu"]
    drawn = [draw.of(kinds) for _ in range(count)]
    return [{"kind": kind, **DRAWN[kind](draw), "seed": index} for index, kind in enumerate(drawn)]


if __name__ == "__main__":
    rows = random_specs(int(sys.argv[1]), int(sys.argv[2]))
    print("[\n" + ",\n".join(" " + json.dumps(row) for row in rows) + "\n]")
