from headrace.layers import Mvtu
from headrace.layers.spec import layer_from_spec
from headrace.memory import PRICES, rom_layout
from tests.layer_battery import LayerBattery
from tests.narrow import the


def spec(mh: int, mw: int, pe: int, simd: int, types: str, vectors: int = 1,
         **more: object) -> dict[str, object]:
    weight, element, output = types.split()
    return {"kind": "mvtu", "mh": mh, "mw": mw, "pe": pe, "simd": simd, "weight": weight, "input": element,
            "output": output, "vectors": vectors, **more}


def scaled(groups: int, scale: str, mh: int, mw: int, pe: int, simd: int, types: str,
           vectors: int = 1) -> dict[str, object]:
    return {**spec(mh, mw, pe, simd, types, vectors), "groups": groups, "scale": scale}


class TestMvtu(LayerBattery):
    specs = (
        spec(8, 12, 2, 4, "int4 uint2 uint2", 3),
        spec(10, 7, 1, 7, "bipolar bipolar bipolar", 3),
        spec(4, 70, 2, 35, "bipolar bipolar bipolar", 2),
        spec(8, 100, 4, 100, "bipolar bipolar uint3"),
        spec(6, 20, 3, 5, "bipolar bipolar acc", 2),
        spec(4, 9, 2, 9, "bipolar int4 bipolar", 2),
        spec(3, 10, 1, 5, "uint2 bipolar uint1", 2),
        spec(4, 16, 2, 16, "int2 uint1 [-7,7]", 2),
        spec(4, 8, 2, 2, "uint3 uint3 [0,4]", 2),
        spec(3, 1, 3, 1, "int4 uint8 uint8", 4),
        spec(1, 5, 1, 1, "int3 int3 [3,9]", 2),
        spec(3, 18, 1, 9, "int8 int16 uint8", 2),
        spec(2, 8, 1, 4, "bipolar int16 int6", 2),
        spec(2, 17, 2, 17, "int5 int5 acc", 6),  # three levels of adders
        scaled(9, "uint8", 6, 36, 2, 2, "ternary int4 uint2", 3),  # pixel scales, two words per group
        scaled(9, "uint8", 4, 27, 2, 3, "bipolar uint2 uint4", 4),  # one word per group
        scaled(3, "uint4", 6, 18, 3, 1, "bipolar bipolar int4", 2),
        scaled(3, "uint4", 4, 24, 4, 8, "bipolar bipolar acc", 5),
        scaled(4, "uint6", 3, 16, 1, 2, "int4 int8 acc", 2),
        scaled(9, "uint1", 8, 9, 4, 1, "ternary uint1 bipolar"),
        {**scaled(9, "uint8", 6, 36, 2, 4, "ternary uint4 uint3", 3), "shared_scales": True},
        {**scaled(5, "uint7", 3, 10, 1, 1, "bipolar bipolar acc", 2), "shared_scales": True},
    )


class TestSerialSearch(LayerBattery):
    """Rows that share a comparator, one after the other, and rows of a ROM that hold several words."""

    specs = (
        spec(64, 36, 4, 1, "int4 uint4 uint4"),
        spec(64, 96, 4, 3, "int4 uint4 uint4", 2),  # a search takes as long as a result
        spec(126, 74, 6, 2, "int4 int4 [-3,2]"),  # 5 thresholds in 3 steps
        spec(8, 16, 1, 1, "int4 uint3 uint8", 2),  # a row by itself, at the same pace
        {**scaled(9, "uint8", 96, 72, 6, 2, "ternary uint4 uint3"), "shared_scales": True},
        spec(64, 93, 4, 3, "int4 uint4 uint4"),  # a cycle too short for one comparator
        spec(2, 2304, 1, 4, "int8 uint1 acc"),  # 1152 words in 512 rows
        spec(2, 2750, 1, 5, "int8 uint1 acc"),  # 1100 words of 40 bits
    )

    def test_rows_share_a_comparator(self) -> None:
        layers = [layer_from_spec(item).layer for item in self.specs]
        assert [the(Mvtu, layer).searches_in_turn for layer in layers] == [True] * 5 + [False] * 3
        layouts = [rom_layout(m.depth, m.word_bits, PRICES) for layer in layers[-2:] for m in layer.memories()]
        assert [(layout.rows, layout.slots) for layout in layouts] == [(512, 3), (512, 3)]


class TestManyRowGroups(LayerBattery):
    """Thresholds of more than 64 row groups: all of a group out of one ROM."""

    specs = (
        spec(260, 8, 2, 8, "int2 uint2 uint3", 2),
        spec(67, 6, 1, 6, "bipolar uint2 [-3,2]", 2),  # 5 thresholds in 3 steps
        spec(80, 9, 1, 9, "int4 uint2 bipolar"),
        spec(80, 8, 1, 8, "bipolar uint2 uint2", 2, core="planes"),
        spec(512, 12, 1, 12, "int4 uint4 uint4"),  # in blocks
    )

    def test_a_group_is_a_word(self) -> None:
        memories = [layer_from_spec(item).layer.memories()[1] for item in self.specs]
        assert [(m.rom, m.depth) for m in memories] == [(PRICES, n) for n in (130, 67, 80, 80, 512)]
        assert rom_layout(memories[-1].depth, memories[-1].word_bits, PRICES).blocks


class TestBinaryCores(LayerBattery):
    """XNOR matches by free parity, with thresholds folded in and not, beside the plain popcount."""

    specs = (
        spec(6, 12, 2, 4, "bipolar bipolar bipolar", 3, core="plain"),
        spec(4, 70, 2, 35, "bipolar bipolar uint3", 2, core="plain"),
        spec(6, 12, 2, 4, "bipolar bipolar bipolar", 3),
        spec(6, 7, 3, 1, "bipolar bipolar bipolar", 2),
        spec(4, 6, 4, 2, "bipolar bipolar uint1", 5),
        spec(4, 6, 1, 6, "bipolar bipolar [-1,0]", 3),  # one word a row
        spec(3, 15, 3, 15, "bipolar bipolar bipolar", 4),  # one word a vector
        spec(4, 128, 2, 32, "bipolar bipolar bipolar"),
        spec(2, 260, 1, 130, "bipolar bipolar bipolar", 2),
        spec(4, 6, 2, 3, "bipolar bipolar uint4", 2),
        spec(4, 74, 2, 37, "bipolar bipolar acc", 2),
        spec(3, 9, 1, 1, "bipolar bipolar acc", 2),
        spec(4, 18, 2, 3, "bipolar bipolar bipolar", 2, groups=3, scale="uint3"),
    )


class TestHalves(LayerBattery):
    """Weights of five to eight bits, low and high halves as sums of pairs."""

    specs = (
        spec(4, 18, 2, 9, "int8 uint8 acc", 2, core="halves"),
        spec(4, 8, 4, 4, "int7 int4 uint4", 3, core="halves"),
        spec(2, 6, 1, 2, "int6 uint8 int8", 2, core="halves"),
        spec(4, 5, 2, 5, "int5 int8 acc", 2, core="halves"),
        spec(3, 12, 3, 12, "uint5 uint4 acc", 2, core="halves"),
        spec(2, 8, 2, 1, "uint8 int8 uint2", 2, core="halves"),
    )


class TestPairSums(LayerBattery):
    """Sums of pairs shared by all rows, for every kind of weights and activations, beside the plain products."""

    specs = (
        spec(4, 9, 2, 9, "int4 uint4 acc", 2, core="plain"),
        spec(4, 9, 4, 3, "bipolar uint2 uint4", 2, core="plain"),
        spec(4, 18, 2, 9, "int8 uint8 acc", 2, core="plain"),
        spec(4, 16, 2, 8, "int2 uint2 acc", 3, core="pairs"),
        spec(4, 64, 2, 32, "int4 uint4 uint4", core="pairs"),
        spec(6, 13, 3, 13, "int3 int4 acc", 3, core="pairs"),
        spec(4, 5, 2, 1, "uint4 uint3 uint2", 2, core="pairs"),
        spec(4, 6, 2, 2, "uint1 uint4 acc", 2, core="pairs"),
        spec(4, 6, 2, 3, "uint3 bipolar acc", 2, core="pairs"),
        spec(4, 21, 2, 7, "bipolar int8 bipolar", 2, core="pairs"),
        spec(3, 10, 3, 10, "bipolar uint8 uint8", 2, core="pairs"),
        spec(4, 12, 2, 4, "int4 int7 uint4", 2, core="pairs"),  # sums of pairs in a cycle of their own
        spec(4, 6, 2, 2, "ternary uint8 acc", 2, core="pairs"),  # and where there are no quads
        spec(4, 24, 4, 12, "ternary ternary ternary", 2, core="pairs"),
        spec(4, 12, 2, 6, "int4 bipolar int4", 2, core="pairs"),
        spec(4, 18, 2, 3, "int4 uint4 acc", 2, groups=3, scale="uint3", core="pairs"),
    )


class TestDspPacking(LayerBattery):
    """Rows that share a multiplier: apart, overlapping by a bit, with borrows, and groups that are not full."""

    specs = (
        spec(4, 16, 4, 8, "int4 uint4 acc", 2, core="dsp"),  # four lanes overlap
        spec(6, 36, 6, 18, "int4 uint4 uint4", 2, core="dsp"),
        spec(4, 9, 4, 3, "uint4 uint4 acc", 2, core="dsp"),  # an odd number of columns: three lanes apart
        spec(5, 8, 5, 4, "int4 int4 acc", 3, core="dsp"),
        spec(3, 12, 3, 6, "int8 uint8 acc", 2, core="dsp"),
        spec(4, 10, 2, 5, "int8 int8 int8", 2, core="dsp"),
        spec(7, 6, 7, 2, "int2 uint2 uint2", 2, core="dsp"),
        spec(3, 4, 3, 2, "int4 uint8 acc", 3, core="dsp"),
        spec(2, 3, 1, 1, "int4 uint3 uint3", 2, core="dsp"),
        spec(3, 20, 3, 20, "uint3 int5 acc", 3, core="dsp"),
        spec(4, 12, 4, 6, "[-7,7] [0,15] acc", 2, core="dsp"),
    )


class TestMixed(LayerBattery):
    """Some rows in DSP blocks, the others in LUTs, which wait for none to three cycles."""

    specs = (
        spec(8, 8, 8, 4, "int4 uint4 acc", 2, core="mixed"),  # lanes overlap; three cycles
        spec(10, 24, 5, 12, "int4 uint4 uint4", 2, core="mixed:4"),
        spec(6, 9, 6, 3, "int4 int4 acc", 3, core="mixed:3"),  # borrows; two cycles
        spec(12, 6, 6, 2, "int2 uint2 uint2", 2, core="mixed:3"),
        spec(4, 5, 4, 1, "uint4 uint3 uint2", 2, core="mixed:2"),  # one cycle
        spec(4, 14, 4, 7, "int3 int5 int4", 2, core="mixed:2"),  # one addend of the rows in LUTs
        spec(5, 12, 5, 6, "uint3 uint8 acc", 2, core="mixed:2"),  # pair sums in a cycle of their own
        spec(8, 6, 4, 2, "[-7,7] [0,15] uint4", 3, core="mixed"),
        spec(6, 18, 3, 9, "int8 uint8 acc", 2, core="mixed:2"),  # halves, as late as the products
        spec(4, 20, 4, 10, "int8 int8 int8", 2, core="mixed"),  # a cycle earlier
        spec(5, 8, 5, 4, "uint5 uint4 acc", 2, core="mixed:4"),
        spec(6, 4, 6, 2, "int6 int3 int6", 2, core="mixed:5"),
    )

    def test_so_many_rows_share_the_blocks(self) -> None:
        layers = [the(Mvtu, layer_from_spec(item).layer) for item in self.specs]
        assert [dict(layer.rtl_parameters())["DSP_ROWS"] for layer in layers] == [4, 4, 3, 3, 2, 2, 2, 2, 2, 2, 4, 5]


class TestBitPlanes(LayerBattery):
    """Compared bit planes in front of one threshold and of several, for every kind of weights and activations."""

    specs = (
        spec(4, 16, 2, 8, "int2 uint2 uint2", 3, core="planes"),
        spec(4, 64, 2, 32, "int4 uint4 uint4", core="planes"),
        spec(6, 13, 3, 13, "int3 int4 int3", 3, core="planes"),
        spec(4, 6, 2, 1, "uint4 uint3 uint2", 2, core="planes"),
        spec(4, 6, 2, 2, "uint1 uint1 bipolar", 2, core="planes"),
        spec(4, 6, 2, 3, "uint3 bipolar uint3", 2, core="planes"),
        spec(4, 21, 2, 7, "bipolar int4 bipolar", 2, core="planes"),
        spec(3, 10, 3, 10, "bipolar uint4 uint8", 2, core="planes"),
        spec(4, 24, 4, 12, "ternary ternary ternary", 2, core="planes"),
        spec(4, 80, 2, 40, "int2 bipolar int4", 2, core="planes"),
        spec(4, 60, 2, 20, "[-1,0] int2 uint1", 2, core="planes"),
    )


class TestTables(LayerBattery):
    """Tables of constants: one word of weights to 32, every kind of weights and activations, odd numbers of columns."""

    specs = (
        spec(4, 12, 4, 12, "ternary uint2 uint2", 3, core="tables"),  # one word: six columns of a plane
        spec(4, 20, 2, 20, "ternary uint2 uint2", 2, core="tables"),
        spec(4, 11, 2, 11, "int3 bipolar int3", 2, core="tables"),
        spec(4, 16, 2, 8, "int2 uint2 uint2", 3, core="tables"),
        spec(4, 18, 4, 6, "int3 uint4 uint4", 2, core="tables"),
        spec(8, 16, 2, 8, "int4 int4 int3", 2, core="tables"),
        spec(8, 12, 1, 6, "ternary ternary ternary", 2, core="tables"),
        spec(8, 8, 1, 2, "uint1 uint3 uint2", 2, core="tables"),  # 32 words: a bit of one column
        spec(4, 6, 2, 3, "int8 uint4 uint4", 2, core="tables"),
        spec(6, 20, 2, 10, "bipolar bipolar uint3", 3, core="tables"),
        spec(4, 21, 2, 7, "bipolar bipolar bipolar", 2, core="tables"),
        spec(4, 21, 2, 7, "bipolar int4 bipolar", 2, core="tables"),
        spec(3, 10, 3, 10, "bipolar uint1 uint8", 2, core="tables"),
        spec(4, 9, 2, 9, "[-1,0] int2 uint1", 2, core="tables"),
        spec(3, 4, 3, 4, "uint3 int3 int2", core="tables"),
        spec(4, 27, 4, 27, "ternary uint8 uint2", 2, core="tables"),  # planes by fours
        spec(4, 18, 4, 9, "int4 int8 int4", 2, core="tables"),
        spec(4, 10, 2, 5, "int2 uint5 uint3", 2, core="tables"),
        spec(3, 8, 3, 8, "bipolar int7 uint2", 2, core="tables"),
    )


class TestExternalWeights(LayerBattery):
    """Weights from a stream: replayed vectors and direct ones, with thresholds, raw sums and matches."""

    specs = (
        spec(8, 12, 2, 4, "int4 uint2 uint2", 3, external=True),
        spec(6, 20, 3, 5, "bipolar bipolar acc", 2, external=True),
        spec(4, 9, 4, 3, "int3 int4 acc", 2, external=True),  # no replay
        spec(4, 6, 1, 6, "bipolar bipolar bipolar", 3, external=True),  # one word a row
        spec(5, 8, 5, 8, "ternary uint4 int3", 4, external=True),  # one word a vector
        spec(6, 20, 3, 5, "int4 uint4 acc", 2, external=True, core="pairs"),
    )
