"""Matrix units whose activations are read again from block RAM with its output register, an enabled cycle later: every
core, and every place from which weights come.

Blocks are nearly free here, so that small buffers are in them; one is so at the usual prices.
"""

from __future__ import annotations

from dataclasses import replace

from headrace.board.family import ECP5
from headrace.layers.base import Layer
from headrace.layers.weighted import WeightedLayer
from headrace.memory import PRICES, Prices, rom_layout
from tests.layer_battery import LayerBattery


def spec(mh: int, mw: int, pe: int, simd: int, types: str, **more: object) -> dict[str, object]:
    weight, element, output = types.split()
    return {"kind": "mvtu", "mh": mh, "mw": mw, "pe": pe, "simd": simd, "weight": weight, "input": element,
            "output": output, "vectors": 2, **more}


class TestLateReplay(LayerBattery):
    specs = (
        spec(8, 12, 2, 4, "int4 uint2 uint2"),
        spec(6, 15, 2, 3, "int8 int16 acc", core="plain"),
        spec(6, 20, 3, 5, "bipolar bipolar acc", core="plain"),
        spec(6, 12, 2, 4, "bipolar bipolar bipolar"),  # parity, its threshold in the accumulator
        spec(4, 70, 2, 35, "bipolar bipolar uint3"),
        spec(4, 16, 2, 8, "int2 uint2 uint2", core="pairs"),
        spec(4, 18, 2, 9, "int8 uint8 acc", core="halves"),
        spec(6, 36, 3, 18, "int4 uint4 uint4", core="dsp"),
        spec(10, 24, 5, 12, "int4 uint4 uint4", core="mixed:4"),
        spec(4, 21, 2, 7, "bipolar int4 bipolar", core="planes"),
        spec(8, 16, 2, 8, "int4 int4 int3", core="tables"),
        spec(8, 12, 1, 6, "ternary ternary ternary", core="tables"),
        spec(6, 36, 2, 2, "ternary int4 uint2", groups=9, scale="uint8"),
        spec(64, 36, 4, 1, "int4 uint4 uint4"),  # a search of one row after the other
        spec(8, 12, 2, 4, "int4 uint2 uint2", external=True),
        spec(6, 20, 3, 5, "int4 uint4 acc", external=True, core="pairs"),
        spec(8, 12, 2, 4, "int4 uint2 uint2", storage="ram"),
        spec(8, 12, 2, 4, "int4 uint2 acc", storage="uram"),
        spec(2, 2304, 1, 4, "int8 uint1 acc"),  # weights that stand side by side in their blocks
        spec(3, 585, 1, 9, "int2 uint4 uint3"),
    )
    test_hls_equals_golden = None  # type: ignore[assignment]  # its kernels know no prices

    @classmethod
    def layers(cls) -> list[Layer]:
        return [layer.priced(Prices(ram_block=1)) for layer in super().layers()]


def test_all_are_late_and_the_last_one_at_the_usual_prices() -> None:
    late = WeightedLayer.among(TestLateReplay.layers())
    usual = WeightedLayer.among([layer.priced(PRICES) for layer in late])
    assert all(layer.replays_late for layer in late)
    assert [layer.latency_cycles - other.latency_cycles for layer, other in zip(late, usual, strict=True)] == (
        [1] * (len(late) - 1) + [0])
    assert usual[-1].replays_late


class TestLateReplayBesideLateBlocks(LayerBattery):
    """Weights of an ECP5 that are read a word ahead."""

    specs = (spec(2, 2304, 1, 4, "int8 uint1 acc"), spec(16, 288, 1, 3, "int4 uint4 uint2"))
    test_hls_equals_golden = None  # type: ignore[assignment]  # its kernels know no prices

    @classmethod
    def layers(cls) -> list[Layer]:
        return [layer.priced(replace(ECP5.prices, ram_block=1)) for layer in super().layers()]

    def test_they_are_both(self) -> None:
        layers = WeightedLayer.among(self.layers())
        slots = [rom_layout(layer.nf * layer.sf, layer.pe * layer.simd * layer.weight.bits, layer.prices).slots
                 for layer in layers]
        assert [(layer.replays_late, slot > 1) for layer, slot in zip(layers, slots, strict=True)] == [(True, True)] * 2
