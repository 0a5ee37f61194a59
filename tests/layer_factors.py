"""What the specs of every kind of layer are made of: foldings, types, shapes and windows.

A type such as "int2|int3|int4" is a class of types that a layer treats alike; the specs take its members in turn.
"""

from __future__ import annotations

from tests.pairwise import Factor, Factors

BITS = range(2, 9)
INT = "|".join(f"int{bits}" for bits in BITS)
UINT = "|".join(f"uint{bits}" for bits in (1, *BITS))
#: The same, so that a few rows of one layer and a few of another meet all of them.
INT_DOWN, UINT_DOWN = ("|".join(reversed(types.split("|"))) for types in (INT, UINT))
NARROW_INT, WIDE_INT = "int2|int3|int4", "int5|int6|int7|int8"
NARROW_UINT, WIDE_UINT = "uint1|uint2|uint3|uint4", "uint5|uint6|uint7|uint8"
WORD = "int16|uint16"
ANY = f"bipolar|ternary|{NARROW_INT}|{NARROW_UINT}|{WORD}|{WIDE_INT}|{WIDE_UINT}"


def typed(key: str, *types: str) -> Factor:
    return [{key: dtype} for dtype in types]


def fold(names: str, *rows: tuple[object, ...]) -> Factor:
    return [dict(zip(names.split(), row, strict=True)) for row in rows]


# Matrix units. The foldings: PE = SIMD = 1, one of them 1, both odd, fully unfolded.
MATRICES = fold("mh mw pe simd vectors", (4, 6, 1, 1, 2), (3, 5, 3, 5, 2), (6, 14, 3, 7, 1), (2, 18, 2, 18, 3),
                (7, 3, 7, 1, 1), (3, 10, 1, 5, 3))
KERNELS = fold("channels kernel pe simd height width", (6, [3, 3], 1, 1, 1, 2), (3, [3, 3], 3, 9, 2, 3),
               (5, [1, 3], 5, 1, 3, 1), (7, [2, 3], 1, 6, 1, 3), (2, [3, 6], 1, 18, 1, 2))
WEIGHTS = typed("weight", "bipolar", "ternary", NARROW_INT, WIDE_INT, UINT)
INPUTS = typed("input", "bipolar", "ternary", NARROW_INT, WIDE_INT, NARROW_UINT, WIDE_UINT, WORD)
OUTPUTS = typed("output", "bipolar", "ternary", NARROW_INT, NARROW_UINT, f"{WIDE_INT}|{WIDE_UINT}", "acc")
#: The arithmetic that suits the types, and the plain one.
CORES: Factor = [{}, {"core": "plain"}]
WEIGHT_KINDS = typed("weight", "bipolar", "ternary", INT_DOWN, UINT_DOWN)
INPUT_KINDS = typed("input", "bipolar", f"ternary|{INT}", UINT, WORD)
OUTPUT_KINDS = typed("output", f"bipolar|ternary|{NARROW_INT}|{NARROW_UINT}", f"{WIDE_INT}|{WIDE_UINT}", "acc")

# Windows: every frame holds its kernel at every dilation. 1x1, 1-D both ways, square and not, a frame of one pixel.
FRAMES = fold("height width kernel pad", (5, 5, [1, 1], [0, 0, 0, 0]), (6, 6, [3, 3], [1, 1, 1, 1]),
              (5, 8, [2, 3], [0, 2, 1, 0]), (1, 12, [1, 3], [0, 0, 0, 1]), (9, 1, [3, 1], [0, 0, 0, 0]),
              (7, 5, [3, 3], [0, 0, 0, 0]), (1, 1, [1, 1], [0, 0, 0, 0]))
STRIDES = [{"stride": [1, 1]}, {"stride": [2, 2]}, {"stride": [1, 3]}]
DILATIONS = [{"dilation": [1, 1]}, {"dilation": [2, 2]}, {"dilation": [1, 2]}]
LANES = fold("channels simd", (6, 3), (5, 5), (2, 1), (18, 18))
ORDERS: Factor = [{}, {"buffer": "minimal"}, {"depthwise": True}, {"depthwise": True, "buffer": "minimal"}]
POOLS = fold("height width kernel", (4, 4, [1, 1]), (6, 6, [3, 3]), (5, 7, [2, 3]), (1, 9, [1, 4]), (3, 2, [3, 2]))
CHANNELS = fold("channels pe", (6, 2), (5, 5), (7, 1))
ELEMENTS = typed("element", "bipolar", f"ternary|{INT}", UINT, WORD)

# Pixel by pixel.
POINTS = fold("channels pe pixels", (6, 1, 3), (14, 7, 1), (5, 5, 4), (18, 18, 1))
#: The thresholds of many PEs are large; 18 of them say nothing that 5 do not.
THRESHOLDS = fold("channels pe pixels", (6, 1, 3), (6, 3, 1), (5, 5, 2), (18, 2, 1))
WIDE_INPUTS = typed("input", "int5|int7", "uint8|uint9", "int12", WORD)
ACTIVATIONS = typed("output", "bipolar", "ternary", NARROW_INT, NARROW_UINT, "int5|uint6|uint7|int8|uint8")
KINDS = ("bipolar", f"ternary|{INT_DOWN}", UINT_DOWN, WORD)

PAIRED: dict[str, Factors] = {
    "mvtu": [MATRICES, WEIGHTS, INPUTS, OUTPUTS, CORES],
    "vvtu": [KERNELS, WEIGHT_KINDS, typed("input", "bipolar", "ternary", INT, UINT, WORD), OUTPUTS, CORES],
    "swu": [FRAMES, STRIDES, DILATIONS, LANES, ORDERS, ELEMENTS],
    "parallel_swu": [FRAMES, STRIDES, DILATIONS, LANES, typed("element", "bipolar|ternary", INT, UINT, WORD)],
    "max_pool": [POOLS, STRIDES, CHANNELS, ELEMENTS,
                 [{}, {"minimum": True}]],
    "acc_pool": [POOLS, STRIDES, CHANNELS, ELEMENTS],
    "threshold": [THRESHOLDS, WIDE_INPUTS, ACTIVATIONS, [{}, {"inverted": True}], [{}, {"shared": True}]],
    "requant": [POINTS, WIDE_INPUTS, typed("output", NARROW_INT, WIDE_INT, WIDE_UINT, "int16"),
                [{"rounding": "half_up"}, {"rounding": "half_even"}], [{}, {"shared": True}]],
    "lookup": [POINTS, typed("input", "ternary", "int5|uint6", "[0,300]", "[-9,22]"), ACTIVATIONS,
               [{}, {"shared": True}]],
    "add": [POINTS, typed("left", *KINDS), typed("right", *KINDS)],
    "fork": [POINTS, typed("element", *KINDS), [{"outputs": 2}, {"outputs": 3}, {"outputs": 4}]],
    "concat": [fold("channels pe", ([3, 5], 1), ([6, 3, 9], 3), ([5, 5], 5), ([7, 14, 7, 7], 7)),
               typed("element", *KINDS), [{"pixels": 1}, {"pixels": 4}]],
    "channel_map": [fold("channels sources simd pe", (6, [2, 3, -1, -1, 4, 5], 2, 2), (5, [4, -1, 0, 0], 1, 1),
                         (4, [2, -1, 1], 4, 3), (18, list(range(18))[::-1], 1, 1), (7, [-1, 1, 1, 6], 1, 1)),
                    typed("element", *KINDS), [{"pixels": 1, "constant": 1}, {"pixels": 4, "constant": 1}]],
    "take": [fold("elements first count pe", (12, 3, 6, 3), (5, 0, 5, 5), (7, 6, 1, 1), (18, 0, 9, 9)),
             typed("input", "int9", "[-40,60]"), typed("output", "bipolar", "uint3", "int4")],
    "crop": [fold("height width start stop", (1, 1, [0, 0], [1, 1]), (3, 3, [0, 1], [3, 2]), (1, 7, [0, 2], [1, 7]),
                  (4, 2, [1, 0], [4, 2])), [{"step": [1, 1]}, {"step": [2, 2]}, {"step": [3, 1]}, {"step": [1, 2]}],
             LANES, typed("element", *KINDS)],
    "upsample": [fold("height width", (1, 1), (3, 3), (1, 7), (4, 2)), [{"scale": [1, 1]}, {"scale": [2, 2]},
                 {"scale": [3, 1]}, {"scale": [1, 2]}], LANES, typed("element", *KINDS)],
    "depth_to_space": [fold("height width", (1, 1), (3, 3), (1, 7), (4, 2)), [{"block": [1, 1]}, {"block": [2, 2]},
                       {"block": [3, 1]}, {"block": [1, 2]}], LANES, typed("element", *KINDS)],
    "dwc": [fold("in_lanes out_lanes words", (1, 1, 5), (1, 7, 21), (5, 1, 3), (3, 5, 10), (18, 3, 2), (4, 18, 9)),
            typed("element", *KINDS)],
    "fifo": [[{"depth": depth} for depth in (1, 2, 3, 18, 70)], [{"lanes": 1}, {"lanes": 5}, {"lanes": 18}],
             typed("element", *KINDS), [{"words": 1}, {"words": 7}, {"words": 60}]],
    "label_select": [fold("labels pe", (2, 1), (6, 3), (5, 5), (18, 1)), [{"k": 1}, {"k": 2}],
                     typed("element", *KINDS)],
}

#: Coarser classes of types where the product of the fine ones would take hours.
MULTIPLIED: dict[str, Factors] = PAIRED | {
    "mvtu": [MATRICES, WEIGHT_KINDS, INPUT_KINDS, OUTPUT_KINDS],
    "vvtu": [KERNELS, WEIGHT_KINDS, INPUT_KINDS, OUTPUT_KINDS],
    "swu": [FRAMES, STRIDES, DILATIONS, LANES, ORDERS, typed("element", ANY)],
    "parallel_swu": [FRAMES, STRIDES, DILATIONS, LANES, typed("element", ANY)],
    "threshold": [THRESHOLDS, WIDE_INPUTS, OUTPUT_KINDS[:2], [{}, {"inverted": True}], [{}, {"shared": True}]],
    "max_pool": [POOLS, STRIDES, CHANNELS, typed("element", "bipolar", ANY), [{}, {"minimum": True}]],
    "acc_pool": [POOLS, STRIDES, CHANNELS, typed("element", "bipolar", ANY)],
}
