"""Moves of blocks are found by where every element comes from, and nothing else is taken for one."""

from __future__ import annotations

from math import prod

import numpy as np
import pytest

from headrace.datatypes import IntArray
from headrace.network.blocks import DepthToSpace, SpaceToDepth
from headrace.network.moves import SelectChannels
from headrace.streamline.block_moves import BlockMove, Frame, block_moves
from headrace.streamline.moves import _steps

#: A frame (channels, height, width) and what is done to it.
CASES: list[tuple[Frame, list[BlockMove]]] = [
    ((4, 2, 3), [DepthToSpace((2, 2))]), ((6, 1, 4), [DepthToSpace((1, 2))]), ((6, 4, 2), [DepthToSpace((3, 1))]),
    ((5, 2, 3), [SelectChannels((4, 0, 2, 2)), DepthToSpace((2, 1))]),
    ((2, 1, 1), [DepthToSpace((1, 2))]), ((1, 6, 6), [SpaceToDepth((2, 1))]),
    ((2, 4, 6), [SpaceToDepth((2, 3))]), ((3, 1, 6), [SpaceToDepth((1, 2))]), ((1, 6, 5), [SpaceToDepth((3, 1))]),
    ((2, 4, 6), [SpaceToDepth((2, 2)), SelectChannels((7, 0, 5, 3, 3))]),
]


def places_of(frame: Frame, moves: list[BlockMove]) -> IntArray:
    places = np.arange(prod(frame), dtype=np.float64).reshape(1, *frame)
    for move in moves:
        places = move.forward(places)
    return np.asarray(places[0], np.int64)


@pytest.mark.parametrize(("frame", "moves"), CASES)
def test_the_moves_are_found_as_they_were(frame: Frame, moves: list[BlockMove]) -> None:
    assert block_moves(frame, places_of(frame, moves)) == moves


@pytest.mark.parametrize(("frame", "moves"), CASES)
def test_elements_in_another_place_are_no_move_of_blocks(frame: Frame, moves: list[BlockMove]) -> None:
    """One element is one of another pixel, or of another channel; or a constant."""
    area = frame[1] * frame[2]
    for at in range(places_of(frame, moves).size):
        for other in (1, area, area + 1, -1):
            places = places_of(frame, moves)
            flat = places.reshape(-1)
            flat[at] = (flat[at] + other) % prod(frame) if other > 0 else -1
            found = block_moves(frame, places)
            assert found is None or np.array_equal(places_of(frame, found), places)


def test_frames_of_other_pixels_are_no_blocks() -> None:
    assert block_moves((1, 2, 3), np.zeros((1, 3, 3), np.int64)) is None
    assert block_moves((1, 2, 3), np.arange(6).reshape(1, 2, 3)) is None


@pytest.mark.parametrize(("values", "wanted"), [
    ([3], (3, 4, 1)), ([0, 1], (0, 2, 1)), ([1, 2, 3], (1, 4, 1)), ([1, 3, 5], (1, 6, 2)), ([2, 5], (2, 6, 3)),
    ([2, 1], None), ([1, 1], None), ([0, 1, 3], None),
])
def test_rows_that_rise_evenly_are_a_crop(values: list[int], wanted: tuple[int, int, int] | None) -> None:
    assert _steps(np.asarray(values)) == wanted
