"""Matrix units as an ECP5 has them, whose block RAMs answer late: weights are read a word ahead where a multiplexer
follows. Searches of one row after the other at its prices.
"""

from __future__ import annotations

from headrace.board.family import ECP5
from headrace.layers.base import Layer
from headrace.layers.weighted import WeightedLayer
from headrace.memory import rom_layout
from tests.layer_battery import LayerBattery


class TestLateBlocks(LayerBattery):
    specs = (
        # Weights in three slots, the last of which is full, or not.
        {"kind": "mvtu", "mh": 16, "mw": 288, "pe": 1, "simd": 3, "weight": "int4", "input": "uint4",
         "output": "uint2"},
        {"kind": "mvtu", "mh": 44, "mw": 200, "pe": 1, "simd": 8, "weight": "int4", "input": "uint4", "output": "acc"},
        {"kind": "vvtu", "channels": 130, "kernel": (3, 3), "height": 1, "width": 2, "pe": 1, "simd": 1,
         "weight": "int12", "input": "uint4", "output": "acc"},
        # Searches that end as the next one begins, of one row and of four; one that waits for the next.
        {"kind": "mvtu", "mh": 128, "mw": 12, "pe": 1, "simd": 2, "weight": "int4", "input": "uint4",
         "output": "uint3"},
        {"kind": "mvtu", "mh": 64, "mw": 96, "pe": 4, "simd": 3, "weight": "int4", "input": "uint4", "output": "uint4"},
        {"kind": "vvtu", "channels": 130, "kernel": (3, 3), "height": 1, "width": 2, "pe": 1, "simd": 1,
         "weight": "int4", "input": "uint4", "output": "uint4"},
    )
    test_hls_equals_golden = None  # type: ignore[assignment]  # its kernels know no prices

    @classmethod
    def layers(cls) -> list[Layer]:
        return [layer.priced(ECP5.prices) for layer in super().layers()]


def test_the_layers_are_what_the_battery_is_for() -> None:
    layers = WeightedLayer.among(TestLateBlocks.layers())
    slots = [rom_layout(layer.nf * layer.sf, layer.pe * layer.simd * layer.weight.bits, layer.prices).slots
             for layer in layers]
    assert [slot > 1 for slot in slots] == [True] * 3 + [False] * 3
    assert [layer.searches_in_turn for layer in layers] == [False] * 3 + [True] * 3
    spare = [layer.sf - 2 * layer.pe * layer.output.steps.bit_length() for layer in layers[3:] if layer.output]
    assert spare == [0, 0, 1]
