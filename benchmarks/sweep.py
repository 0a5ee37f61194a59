"""The layers that the resource estimator is fitted to: all kinds and compute cores, drawn over their legal parameters.

A seed per layer makes the list the same everywhere. Sizes reach from a few LUTs to the layers of small networks, types
over what networks use. Layers whose weights are all constants (one word) are left out: what is left of them depends on
the values.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import product
from random import Random

import numpy as np

from benchmarks.drawn_layers import (
    Spec,
    acc_pool,
    add,
    channel_map,
    concat,
    crop,
    depth_to_space,
    dwc,
    fifo,
    fork,
    label_select,
    lookup,
    max_pool,
    parallel_swu,
    requant,
    swu,
    take,
    threshold,
    upsample,
)
from headrace.area.shell import ShellPart
from headrace.errors import HeadraceError
from headrace.layers import Threshold
from headrace.layers.base import Layer
from headrace.layers.spec import layer_from_spec

#: Products times their bits that a drawn layer may have at most: larger ones take Yosys too long.
_MOST_WORK = 700
#: How the kinds of parts of the shell begin.
SHELL = "shell_"
#: Layers of either core that is never the cheapest.
_HALVES, _MIXED = 6, 8
#: Attempts to draw a legal layer.
_ATTEMPTS = 1000


def specs() -> list[Spec]:
    """All layers of the sweep, each once."""
    found: list[Spec] = []
    for name, (count, draw) in _KINDS.items():
        for index in range(count):
            found.append(_drawn(Random(f"{name} {index}"), draw, found))
    halves = [_drawn(Random(f"halves {index}"), _halves, found) for index in range(_HALVES)]
    mixed = [_drawn(Random(f"mixed {index}"), _mixed, found) for index in range(_MIXED)]
    return [*found, *_NETWORK_LAYERS, *_type_pairs(), *halves, *mixed]


def shell_specs() -> list[Spec]:
    """The parts of the shell, by the bytes of words on both sides; of the registers those of frames."""
    narrow = [(16, 1), (16, 2), (16, 4), (16, 8), (8, 1), (8, 2), (8, 4)]
    widen = [(1, 16), (2, 16), (4, 16), (8, 16), (16, 16), (16, 32), (16, 112), (1, 8), (2, 8), (8, 8), (8, 32)]
    gearbox = [(16, 3), (16, 14), (5, 16), (8, 3), (3, 8), (49, 16), (16, 98)]
    parts = {"narrow": narrow, "widen": widen, "gearbox": gearbox, "registers": [(4096, 10)]}
    return [{"kind": f"{SHELL}{kind}", "in_bytes": in_bytes, "out_bytes": out_bytes}
            for kind, sizes in parts.items() for in_bytes, out_bytes in sizes]


def part_of(spec: Spec) -> ShellPart | None:
    """The part of the shell that a spec is of, None for one of a layer."""
    if not spec["kind"].startswith(SHELL):
        return None
    return ShellPart(spec["kind"].removeprefix(SHELL), spec["in_bytes"], spec["out_bytes"])


def layer_of(spec: Spec) -> Layer:
    """The layer of a spec; stand-alone thresholds lie within the range of the input, as trained ones do."""
    layer = layer_from_spec(spec).layer
    if not isinstance(layer, Threshold):
        return layer
    rng = np.random.default_rng(spec.get("seed", 0))
    rows, quarter = 1 if spec.get("shared") else layer.channels, (layer.input.hi - layer.input.lo) // 4
    middle = (layer.input.hi + layer.input.lo) // 2
    drawn = np.sort(middle + rng.integers(-quarter, quarter + 1, (rows, layer.output.steps)), axis=1)
    return replace(layer, thresholds=np.broadcast_to(drawn, layer.thresholds.shape))


def _drawn(rng: Random, draw: Callable[[Random], Spec], known: list[Spec]) -> Spec:
    for _ in range(_ATTEMPTS):
        spec = draw(rng)
        if spec not in known and _legal(spec):
            return spec
    raise AssertionError("no legal layer was drawn; widen the parameters of the kind")


def _legal(spec: Spec) -> bool:
    try:
        layer = layer_of(spec)
    except HeadraceError:
        return False
    core = spec.get("core")
    return core is None or getattr(layer, "chosen_core", core) == core


def _matrix(rng: Random, types: list[str], outputs: list[str], words: range = range(4, 2049), **more: object) -> Spec:
    """A matrix unit. words: of weights."""
    weight, element = rng.choice(types).split()
    while True:
        pe, simd = rng.choice((1, 2, 2, 4, 4, 8, 16)), rng.choice((1, 2, 3, 4, 6, 8, 9, 12, 16, 18, 32, 36))
        sf, nf = rng.choice((1, 2, 4, 9, 16, 36, 64)), rng.choice((1, 2, 4, 8, 16, 32))
        work = pe * simd * _bits(weight) * _bits(element)
        if (8 <= work <= _MOST_WORK and sf * simd >= 8 and sf * nf in words
                and sf * nf * pe * simd * _bits(weight) <= 60000):
            break
    return {"kind": "mvtu", "mw": sf * simd, "mh": nf * pe, "pe": pe, "simd": simd, "weight": weight, "input": element,
            "output": rng.choice(outputs), "seed": rng.randrange(1000), **more}


def _bits(dtype: str) -> int:
    return {"bipolar": 1, "ternary": 2}.get(dtype) or int(dtype.removeprefix("u").removeprefix("int"))


def _parity(rng: Random) -> Spec:
    return _matrix(rng, ["bipolar bipolar"], ["bipolar", "bipolar", "bipolar", "uint2", "acc"], core="parity")


def _pairs(rng: Random) -> Spec:
    types = ["bipolar int8", "bipolar uint4", "bipolar uint2", "ternary uint2", "ternary int8", "int2 uint2",
             "int2 uint4", "int3 uint3", "int4 uint4", "int4 uint4", "int4 int4", "int4 uint8",
             "int3 bipolar"]
    return _matrix(rng, types, ["acc", "bipolar", "uint2", "uint4", "int4"], core="pairs")


def _planes(rng: Random) -> Spec:
    types = ["bipolar uint2", "bipolar uint4", "int2 bipolar", "ternary uint2", "int2 uint2", "int3 uint3", "int2 int2",
             "int4 uint2"]
    return _matrix(rng, types, ["bipolar", "uint2", "uint2", "uint4", "int3"], core="planes")


def _dsp(rng: Random) -> Spec:
    return _matrix(rng, ["int4 uint4", "int8 uint8", "int8 int8", "int4 int8", "int6 uint6", "uint4 uint4"],
                   ["acc", "uint4", "int8"], core="dsp")


def _halves(rng: Random) -> Spec:
    return _matrix(rng, ["int8 uint8", "int8 int8", "int6 uint6", "int5 uint4"], ["acc", "uint4", "int8"],
                   core="halves")


def _mixed(rng: Random) -> Spec:
    types = ["int4 uint4", "int4 int4", "int8 uint8", "int8 int8", "int6 uint6", "int2 uint2", "int3 uint4"]
    return _matrix(rng, types, ["acc", "uint4", "int4"], core="mixed")


def _tables(rng: Random) -> Spec:
    types = ["ternary uint2", "ternary uint2", "int2 uint2", "int4 uint4", "int4 int4", "int3 uint4", "ternary uint8",
             "bipolar uint4", "bipolar bipolar", "int8 uint4"]
    return _matrix(rng, types, ["bipolar", "uint2", "uint4", "int4"], range(2, 33), core="tables")


def _plain(rng: Random) -> Spec:
    types = ["bipolar bipolar", "bipolar int8", "bipolar uint4", "ternary uint4", "int2 uint2", "int4 uint2",
             "int4 uint4", "int8 uint8", "int8 int8", "int6 bipolar", "int5 uint5"]
    return _matrix(rng, types, ["acc", "bipolar", "uint2", "uint4"], core="plain")


def _scaled(rng: Random) -> Spec:
    spec = _matrix(rng, ["bipolar uint4", "ternary uint4", "ternary int8", "int2 uint2", "bipolar bipolar"],
                   ["acc", "uint4", "uint2"], scale=rng.choice(("uint4", "uint8")),
                   shared_scales=rng.random() < 0.5)
    return spec | {"mw": spec["simd"] * (groups := rng.choice((3, 9))) * rng.choice((1, 2, 4)), "groups": groups}


def _writable(rng: Random) -> Spec:
    types = ["bipolar bipolar", "int2 uint2", "int4 uint4", "int8 uint8", "ternary uint4"]
    return _matrix(rng, types, ["acc", "bipolar", "uint2", "uint4"], storage=rng.choice(("ram", "ram", "uram")))


def _external(rng: Random) -> Spec:
    return _matrix(rng, ["int2 uint2", "int4 uint4", "int8 uint8"], ["acc", "uint2"], external=True)


def _vvtu(rng: Random) -> Spec:
    weight, element = rng.choice(["bipolar bipolar", "int4 uint4", "int8 uint8", "ternary uint4", "int2 uint2",
                                  "int4 int8"]).split()
    pe, simd = rng.choice((1, 2, 4, 8)), rng.choice((1, 3, 9))
    return {"kind": "vvtu", "channels": pe * rng.choice((2, 4, 8, 16)), "kernel": [3, 3], "height": 4, "width": 4,
            "pe": pe, "simd": simd, "weight": weight, "input": element,
            "output": rng.choice(("acc", "uint4", "bipolar")), "seed": rng.randrange(1000)}


def _many_groups(rng: Random) -> Spec:
    spec = _vvtu(rng) | {"output": "uint4"} if rng.random() < 0.5 else threshold(rng) | {"shared": False}
    return spec | {"channels": spec["pe"] * rng.choice((72, 128, 256))}


#: A type of every class that the compute cores treat alike.
WEIGHT_TYPES = ("bipolar", "ternary", "int4", "int8", "uint1", "uint3", "uint8")
INPUT_TYPES = ("bipolar", "ternary", "int3", "int8", "uint1", "uint4", "uint8", "int16")


def _type_pairs() -> list[Spec]:
    """Every pair of types with core plain, and with another one that serves it, which these take in turn."""
    found: list[Spec] = []
    for weight, element in product(WEIGHT_TYPES, INPUT_TYPES):
        size = Random(f"{weight} {element}").choice((((16, 8), (2, 2)), ((36, 4), (1, 9)), ((24, 12), (4, 3))))
        spec = _mvtu(*size, f"{weight} {element} uint2")
        others = [core for core in ("parity", "pairs", "dsp", "planes") if _legal(spec | {"core": core})]
        found.append(spec | {"core": "plain"})
        found += [spec | {"core": others[len(found) % len(others)]}] if others else []
    return found


#: How many layers of each kind, and how one is drawn; writable ones by their memories.
_KINDS: dict[str, tuple[int, Callable[[Random], Spec]]] = {
    "parity": (16, _parity), "pairs": (18, _pairs), "planes": (11, _planes), "dsp": (9, _dsp), "plain": (11, _plain),
    "tables": (24, _tables), "scaled": (8, _scaled), "writable": (9, _writable), "external": (5, _external),
    "vvtu": (10, _vvtu), "swu": (14, swu), "parallel_swu": (9, parallel_swu), "threshold": (13, threshold),
    "many groups": (8, _many_groups), "max_pool": (8, max_pool), "acc_pool": (8, acc_pool), "add": (6, add),
    "requant": (8, requant), "fork": (5, fork), "concat": (6, concat), "upsample": (6, upsample),
    "depth_to_space": (6, depth_to_space), "take": (5, take),
    "label_select": (9, label_select), "dwc": (10, dwc), "fifo": (9, fifo), "lookup": (8, lookup),
    "channel_map": (9, channel_map), "crop": (5, crop),
}


def _mvtu(size: tuple[int, int], fold: tuple[int, int], types: str, **more: object) -> Spec:
    weight, element, output = types.split()
    return {"kind": "mvtu", "mw": size[0], "mh": size[1], "pe": fold[0], "simd": fold[1], "weight": weight,
            "input": element, "output": output, **more}


#: What the public networks consist of at about a hundred thousand cycles per frame.
_NETWORK_LAYERS: tuple[Spec, ...] = (
    _mvtu((144, 16), (2, 12), "int4 uint4 uint4"),
    _mvtu((288, 32), (4, 12), "int4 uint4 acc"),
    _mvtu((27, 16), (2, 3), "int8 int8 uint4"),
    _mvtu((576, 64), (16, 36), "bipolar bipolar bipolar"),
    _mvtu((1152, 128), (8, 36), "bipolar bipolar bipolar"),
    _mvtu((784, 64), (1, 7), "bipolar bipolar bipolar"),
    _mvtu((27, 64), (2, 9), "bipolar int8 bipolar"),
    {"kind": "swu", "height": 32, "width": 32, "channels": 3, "kernel": [3, 3], "pad": [1, 1, 1, 1], "element": "int8",
     "simd": 3},
    {"kind": "swu", "parallel_window": True, "height": 30, "width": 30, "channels": 64, "kernel": [3, 3],
     "element": "bipolar", "simd": 4},
    {"kind": "max_pool", "height": 28, "width": 28, "channels": 64, "kernel": [2, 2], "element": "bipolar", "pe": 16},
    {"kind": "max_pool", "height": 8, "width": 8, "channels": 64, "kernel": [8, 8], "stride": [1, 1],
     "element": "uint4"},
    {"kind": "threshold", "channels": 32, "input": "int14", "output": "uint4", "pixels": 256},
    {"kind": "requant", "channels": 32, "input": "int11", "output": "int8", "rounding": "half_even", "pixels": 256},
    {"kind": "dwc", "in_lanes": 9, "out_lanes": 12, "element": "uint4", "words": 1024},
    {"kind": "fifo", "depth": 2048, "lanes": 1, "element": "uint8", "words": 16384},
)
