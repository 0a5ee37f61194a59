import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import NamedTuple, TypeVar

import numpy as np
import pytest

from headrace.datatypes import DataType, IntArray, uint_type
from headrace.errors import InputError
from headrace.layers import Swu
from headrace.layers.circular_buffer import execute, frame_phases
from headrace.layers.minimal_buffer_cycles import frame_cycles
from headrace.layers.phases import Step
from headrace.layers.window_geometry import Pair
from headrace.network.ops import Pad
from tests.layer_battery import LayerBattery
from tests.narrow import the

T = TypeVar("T")


def spec(size: tuple[int, int, int], kernel: Pair, element: str, simd: int = 1, **more: object) -> dict[str, object]:
    height, width, channels = size
    return {"kind": "swu", "height": height, "width": width, "channels": channels, "kernel": kernel,
            "element": element, "simd": simd, **more}


SHAPES = (
    spec((4, 5, 2), (3, 3), "uint2", pad=(1, 1, 1, 1)),
    spec((6, 5, 6), (3, 3), "bipolar", 3),
    spec((5, 5, 3), (1, 1), "int4", 3),
    spec((6, 7, 4), (3, 2), "int8", 4, stride=(2, 2)),
    spec((7, 8, 2), (3, 3), "ternary", 2, dilation=(2, 2), pad=(2, 2, 2, 2)),
    spec((5, 6, 1), (2, 3), "int16", pad=(1, 0, 0, 2)),
    spec((6, 9, 5), (1, 1), "uint2", 5, stride=(3, 2)),  # fewer words out than in
    spec((9, 6, 2), (2, 1), "int4", stride=(4, 3), pad=(0, 1, 1, 0)),
    spec((1, 12, 3), (1, 5), "uint8", 3, pad=(0, 2, 0, 2)),
    spec((2, 2, 2), (3, 4), "int4", 2, pad=(1, 1, 1, 2)),  # a kernel wider than the frame
    spec((1, 1, 4), (1, 1), "bipolar", 2),
    spec((3, 4, 1), (2, 2), "uint3", stride=(1, 5), pad=(2, 3, 3, 3)),  # windows wholly in the padding
    spec((4, 3, 7), (4, 3), "int4", 7),  # one window
    spec((1, 1, 2), (1, 1), "uint2", stride=(5, 5), pad=(1, 1, 0, 0)),  # nothing but padding
    spec((5, 5, 2), (3, 3), "uint3", stride=(2, 2), pad=(1, 1, 1, 1)),  # the first stride frees less than the others
    spec((6, 4, 2), (3, 3), "uint3", stride=(2, 1), pad=(1, 0, 1, 0)),
)


class TestOverlapping(LayerBattery):  # the last one: taps apart, of two words each
    specs = (*SHAPES, spec((5, 7, 4), (2, 2), "uint3", 2, dilation=(1, 2), pad=(0, 1, 1, 1)))


class TestMinimal(LayerBattery):
    specs = (*({**shape, "buffer": "minimal"} for shape in SHAPES), {**SHAPES[5], "buffer": "minimal", "uram": True},
             {**SHAPES[1], "uram": True})


class TestDepthwise(LayerBattery):
    specs = tuple({**shape, "depthwise": True, "buffer": buffer}
                  for shape in SHAPES if shape["simd"] != shape["channels"]
                  for buffer in ("overlapping", "minimal"))


class Geometry(NamedTuple):
    """The fields of a sliding window behind its name."""

    height: int
    width: int
    channels: int
    kernel: Pair
    element: DataType
    stride: Pair
    dilation: Pair
    pad: Pad


def random_units(draw: random.Random, count: int, make: Callable[[Geometry], T]) -> Iterator[T]:
    """Small units of any geometry; fewer than `count`, where the kernel does not fit."""
    def pair(most: int) -> Pair:
        return draw.randint(1, most), draw.randint(1, most)

    for _ in range(count):
        kernel, stride, dilation = pair(4), pair(6), pair(3)
        pad = draw.randint(0, 3), draw.randint(0, 3), draw.randint(0, 3), draw.randint(0, 3)
        try:
            unit = make(Geometry(draw.randint(1, 9), draw.randint(1, 9), draw.randint(1, 3), kernel, uint_type(2),
                                 stride, dilation, pad))
        except InputError:
            continue
        yield unit


@pytest.mark.parametrize("seed", range(8))
def test_overlapping_buffer_is_deep_enough_for_a_word_per_cycle(seed: int) -> None:
    draw = random.Random(seed)
    for swu in random_units(draw, 250, lambda shape: Swu("s", *shape, depthwise=draw.random() < 0.5)):
        _, issued = execute(swu.circular_buffer, 6)
        words = swu.outputs[0].words
        assert issued[-1] - issued[-1 - words] == max(swu.inputs[0].words, words) == swu.cycles, swu


@pytest.mark.parametrize("seed", range(4))
def test_cycles_of_a_minimal_buffer_are_those_of_executing_it(seed: int) -> None:
    """Frames high enough that most of their rows are not looked at."""
    draw = random.Random(seed)

    def unit(shape: Geometry) -> Swu:
        high = shape._replace(height=shape.height * draw.choice((1, 4)))
        return Swu("s", *high, buffer="minimal", depthwise=draw.random() < 0.5)

    for swu in random_units(draw, 100, unit):
        assert swu.cycles == sum(the(Step, phase).repeats for phase in frame_phases(swu.circular_buffer)), swu
        latest = np.maximum(swu.needed_words.reshape(swu.windows, -1).max(axis=1), 0) + 1
        np.testing.assert_array_equal(swu.complete_after, np.maximum.accumulate(latest), str(swu))


def test_rows_that_are_alike_are_not_looked_at() -> None:
    seen = []
    frame = Swu("s", 200, 6, 2, (3, 3), uint_type(2), pad=(1, 1, 1, 1), buffer="minimal").window_rows

    def row(number: int) -> tuple[IntArray, IntArray]:
        seen.append(number)
        return frame.row(number)

    frame_cycles(replace(frame, row=row))
    assert seen[0] == 0 and seen[-1] == 199 and len(seen) < 12
