import numpy as np
import pytest

from headrace.datatypes import BIPOLAR, int_type, uint_type
from headrace.errors import HeadraceError
from headrace.layers import ChannelMap
from headrace.layers.spec import layer_from_spec
from tests.layer_battery import LayerBattery


class TestChannelMap(LayerBattery):
    specs = tuple(
        {"kind": "channel_map", "channels": channels, "sources": sources, "simd": simd, "pe": pe, "element": element,
         "pixels": pixels, "constant": constant}
        for channels, sources, simd, pe, element, pixels, constant in (
            # Filters: a slice, a step, pads on both sides, repeats, everything at once.
            (8, [2, 3, 4, 5], 2, 2, "int3", 5, 0), (6, [0, 2, 4], 1, 1, "uint4", 4, 0),
            (3, [-1, -1, 0, 1, 2, -1], 1, 1, "int8", 3, -5), (4, [0, 1, 0, 1, 2, 3, 2, 3], 2, 2, "bipolar", 3, 1),
            (6, [-1, 1, 1, -1, 3, 5, 5], 1, 1, "ternary", 4, 1), (1, [0, -1, 0], 1, 1, "uint8", 2, 200),
            (6, [0, 1, 2], 3, 3, "int16", 1, 0), (1, [0], 1, 1, "int4", 3, 0),
            # Buffers: reversed, shuffled, repeated and constant, whole words, more words out than in, one pixel.
            (6, [5, 4, 3, 2, 1, 0], 1, 1, "int4", 4, 0), (8, [0, 4, 1, 5, 2, 6, 3, 7], 1, 1, "uint3", 3, 0),
            (5, [4, -1, 0, 0, 2, -1], 1, 1, "int5", 4, -16), (8, [4, 5, 6, 7, 0, 1, 2, 3], 2, 2, "bipolar", 3, 0),
            (9, [8, 3], 1, 1, "uint8", 5, 0), (2, [1, 0, 1, 0, 1, 0, 1], 1, 1, "ternary", 3, 0),
            (3, [2, 0, 1], 1, 1, "int16", 1, 0), (2, [1, 0], 1, 1, "int3", 6, 0),
            (70, list(range(69, -1, -1)), 1, 1, "uint2", 2, 0),
            # Wires.
            (6, [0, 3, 1, 4, 2, 5], 6, 6, "int3", 4, 0), (5, [4, -1, 2], 5, 3, "bipolar", 3, -1),
            (3, [-1, 0, 1, 2, 2, -1, 0], 3, 7, "int7", 2, -64), (18, list(range(17, -1, -1)), 18, 18, "uint5", 1, 0),
            (1, [0, 0, -1], 1, 3, "uint6", 2, 63),
        )
    )


def test_channels_come_from_their_sources() -> None:
    layer = ChannelMap("m", 3, (2, -1, 0, 0), int_type(4), 2, constant=-3)
    assert layer.golden(np.array([[1, 2, 3, 4, 5, 6]])).tolist() == [[3, -3, 1, 1, 6, -3, 4, 4]]


def test_the_cpp_keeps_the_pace_in_any_order() -> None:
    reverse = ChannelMap("m", 6, tuple(range(5, -1, -1)), int_type(4), 50)
    assert (reverse.cycles, reverse.hls.iterations) == (300, 309)


@pytest.mark.parametrize(("sources", "folds", "mode"), [
    ((2, 3, 6, 7), (2, 2), "filter"), ((2, 3, 6, 7), (8, 4), "wires"), ((6, 7, 2, 3), (2, 2), "buffer"),
    ((1, 2, -1, 3), (1, 1), "filter"), ((1, -1, 0, 3), (1, 1), "buffer"), ((0, 0, 1, 1), (1, 1), "filter"),
])
def test_the_form_is_the_cheapest(sources: tuple[int, ...], folds: tuple[int, int], mode: str) -> None:
    assert ChannelMap("m", 8, sources, uint_type(4), 3, 0, *folds).mode == mode


def test_a_filter_takes_a_cycle_for_every_word_that_is_read_or_written() -> None:
    assert ChannelMap("m", 8, (2, 3, 4, 5), uint_type(4), 3).cycles == 3 * 8
    assert ChannelMap("m", 8, (2, 3, 4, 5, -1), uint_type(4), 3).cycles == 3 * 9


def test_a_buffer_has_no_bubble() -> None:
    assert ChannelMap("m", 6, (5, 4, 3, 2, 1, 0), uint_type(4), 7).cycles == 7 * 6


@pytest.mark.parametrize(("fields", "sentence"), [
    ({"simd": 3, "pe": 3}, "channel_map0: SIMD=3 and PE=3 would mix the lanes of words; choose the same of [1, 2] for "
                           "both, or SIMD=6 and PE=4"),
    ({"simd": 2}, "channel_map0: SIMD=2 and PE=1 would mix the lanes of words; choose the same of [1, 2] for both, or "
                  "SIMD=6 and PE=4"),
    ({"sources": [0, 6]}, "channel_map0: sources=[0, 6] should be channels from 0 to 5, or -1 for a constant; name one "
                          "at least"),
    ({"sources": []}, "channel_map0: sources=[] should be channels from 0 to 5, or -1 for a constant; name one at "
                      "least"),
    ({"sources": [-1, 0], "constant": 4}, "channel_map0: constant=4 is not a value of uint2; use one that it holds"),
    ({"pixels": 0}, "channel_map0: pixels=0 must be positive; use 1 or more"),
])
def test_illegal_specs(fields: dict[str, object], sentence: str) -> None:
    spec = {"kind": "channel_map", "channels": 6, "sources": [0, 1, 4, 5], "element": "uint2", "pixels": 3}
    with pytest.raises(HeadraceError) as error:
        layer_from_spec(spec | fields)
    assert str(error.value) == sentence


def test_bipolar_constants_are_codes() -> None:
    layer = ChannelMap("m", 1, (0, -1), BIPOLAR, 1, constant=1)
    assert dict(layer.parameters())["CONSTANT"] == 1
    assert dict(ChannelMap("m", 1, (0, -1), BIPOLAR, 1, constant=-1).parameters())["CONSTANT"] == 0
