"""Layers without weights, drawn over their legal parameters."""

from __future__ import annotations

from random import Random
from typing import Any

Spec = dict[str, Any]


def any_image(rng: Random) -> Spec:
    size, lanes = rng.choice((5, 8, 12, 16, 32)), rng.choice((1, 2, 4, 8, 16))
    return {"height": size, "width": size, "channels": lanes * rng.choice((1, 2, 4, 8, 16)), "lanes": lanes}


def any_element(rng: Random) -> str:
    return rng.choice(("bipolar", "uint2", "uint4", "int4", "uint8", "int8"))


def swu(rng: Random) -> Spec:
    image = any_image(rng)
    kernel, pad = rng.choice(((3, 0), (3, 1), (3, 1), (5, 2), (1, 0), (5, 0)))
    return {"kind": "swu", "kernel": [kernel, kernel], "stride": [stride := rng.choice((1, 1, 2)), stride],
            "pad": [pad, pad, pad, pad], "element": any_element(rng), "simd": image.pop("lanes"),
            "buffer": rng.choice(("overlapping", "overlapping", "minimal")), "depthwise": rng.random() < 0.25,
            **image}


def parallel_swu(rng: Random) -> Spec:
    image = any_image(rng)
    pad = rng.choice((0, 1))
    return {"kind": "swu", "parallel_window": True, "kernel": [3, 3],
            "stride": [stride := rng.choice((1, 1, 2)), stride], "pad": [pad, pad, pad, pad],
            "element": rng.choice(("bipolar", "uint2", "uint4", "int8")),
            "simd": min(4, image.pop("lanes")), **image}


def any_pool(kind: str, rng: Random) -> Spec:
    image = any_image(rng)
    kernel, stride = rng.choice(((2, 2), (2, 2), (3, 2), (3, 3), (4, 4), (image["height"], 1)))
    return {"kind": kind, "kernel": [kernel, kernel], "stride": [stride, stride], "element": any_element(rng),
            "pe": image.pop("lanes"), **image}


def max_pool(rng: Random) -> Spec:
    return any_pool("max_pool", rng) | {"minimum": rng.random() < 0.2}


def acc_pool(rng: Random) -> Spec:
    return any_pool("acc_pool", rng)


def any_channels(rng: Random) -> Spec:
    pe = rng.choice((1, 2, 4, 8, 16))
    return {"channels": pe * rng.choice((2, 4, 8, 16)), "pe": pe, "pixels": rng.choice((4, 16, 64, 256)),
            "seed": rng.randrange(1000)}


def threshold(rng: Random) -> Spec:
    channels = any_channels(rng)
    return {"kind": "threshold", "input": rng.choice(("int6", "uint8", "int10", "int12", "int14", "int16")),
            "output": rng.choice(("bipolar", "uint2", "uint3", "uint4", "int4")), "shared": rng.random() < 0.2,
            "inverted": rng.random() < 0.2, **channels, "pe": min(8, channels["pe"])}


def requant(rng: Random) -> Spec:
    channels = any_channels(rng)
    return {"kind": "requant", "input": rng.choice(("uint4", "int8", "int11", "int14", "int20")),
            "output": rng.choice(("uint6", "int8", "uint8", "int9")), "rounding": rng.choice(("half_up", "half_even")),
            "shared": rng.random() < 0.4, **channels, "pe": min(4, channels["pe"])}


def lookup(rng: Random) -> Spec:
    channels = any_channels(rng)
    return {"kind": "lookup", "input": rng.choice(("uint4", "int6", "uint8", "uint9")),
            "output": rng.choice(("uint4", "int8", "uint8")), "shared": rng.random() < 0.7, **channels,
            "pe": min(4, channels["pe"])}


def add(rng: Random) -> Spec:
    types = ("uint2", "int4", "uint4", "int8", "int13", "bipolar", "int16")
    return {"kind": "add", "left": rng.choice(types), "right": rng.choice(types), **any_channels(rng)}


def fork(rng: Random) -> Spec:
    return {"kind": "fork", "outputs": rng.choice((2, 2, 3, 4)), "element": any_element(rng), **any_channels(rng)}


def concat(rng: Random) -> Spec:
    pe = rng.choice((1, 2, 4, 8))
    channels = [pe * rng.choice((1, 2, 4, 8)) for _ in range(rng.choice((2, 3, 4)))]
    return {"kind": "concat", "channels": channels, "pe": pe, "element": any_element(rng), "pixels": 16}


def upsample(rng: Random) -> Spec:
    image = any_image(rng)
    return {"kind": "upsample", "scale": rng.choice(([2, 2], [2, 2], [1, 2], [3, 3], [2, 1])),
            "element": any_element(rng), "simd": image.pop("lanes"), **image}


def channel_map(rng: Random) -> Spec:
    """Whole words: a slice with constants, or any order; or all channels as wires."""
    lanes, words = rng.choice((1, 1, 2, 4, 8)), rng.choice((4, 8, 16, 64))
    first, count = rng.randrange(words // 2), rng.randrange(words // 4, words // 2 + 1)
    kept = list(range(first, first + count))
    chosen = rng.choice((kept, [-1, *kept, -1], [*kept, *kept], rng.sample(range(words), words)))
    sources = [-1 if word < 0 else lanes * word + lane for word in chosen for lane in range(lanes)]
    wires = rng.random() < 0.2
    return {"kind": "channel_map", "channels": lanes * words, "sources": sources, "element": any_element(rng),
            "pixels": 16, "simd": lanes * words if wires else lanes, "pe": len(sources) if wires else lanes}


def crop(rng: Random) -> Spec:
    image = any_image(rng)
    start, stop = [rng.randrange(3), rng.randrange(3)], [image["height"] - rng.randrange(2), image["width"] - 1]
    return {"kind": "crop", "start": start, "stop": stop, "step": rng.choice(([1, 1], [1, 1], [2, 2], [1, 3])),
            "element": any_element(rng), "simd": image.pop("lanes"), **image}


def take(rng: Random) -> Spec:
    """A part of a frame in front, in the middle or behind, of the same type or a narrower one."""
    pe = rng.choice((1, 2, 4, 8))
    first, count, behind = (pe * rng.choice((0, 4, 16)), pe * rng.choice((4, 16, 64)), pe * rng.choice((0, 4, 100)))
    element = rng.choice(("int8 int8", "int8 uint4", "int16 int8", "uint8 uint2")).split()
    return {"kind": "take", "elements": first + count + behind, "first": first, "count": count, "pe": pe,
            "input": element[0], "output": element[1]}


def depth_to_space(rng: Random) -> Spec:
    image = any_image(rng)
    return {"kind": "depth_to_space", "block": rng.choice(([2, 2], [2, 2], [3, 3], [2, 1], [4, 4])),
            "element": any_element(rng), "simd": image.pop("lanes"), **image}


def label_select(rng: Random) -> Spec:
    pe = rng.choice((1, 1, 2, 4))
    return {"kind": "label_select", "labels": pe * rng.choice((5, 10, 25)), "pe": pe, "k": rng.choice((1, 1, 2, 3, 5)),
            "element": rng.choice(("uint4", "int8", "int12", "int16", "int20"))}


def dwc(rng: Random) -> Spec:
    lanes = (1, 2, 3, 4, 6, 8, 9, 12, 16, 32, 36)
    into, out = rng.choice(lanes), rng.choice(lanes)
    if into == out or max(into, out) > 8 * min(into, out) * 4:
        return {}
    return {"kind": "dwc", "in_lanes": into, "out_lanes": out, "element": any_element(rng), "words": 9 * 32 * 8}


def fifo(rng: Random) -> Spec:
    return {"kind": "fifo", "depth": rng.choice((2, 4, 16, 32, 32, 64, 100, 192, 256, 512, 1024, 2048)),
            "lanes": rng.choice((1, 2, 4, 9, 12, 16)), "element": any_element(rng), "words": 4096}
