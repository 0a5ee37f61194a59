"""Which blocks of pixels a move makes or takes apart, found by where every element comes from."""

from __future__ import annotations

import numpy as np

from headrace.datatypes import IntArray
from headrace.network.blocks import DepthToSpace, SpaceToDepth
from headrace.network.moves import SelectChannels

Frame = tuple[int, int, int]
#: Operations between channels and blocks of pixels.
BLOCKS = (DepthToSpace, SpaceToDepth)
BlockMove = DepthToSpace | SpaceToDepth | SelectChannels


def block_moves(frame: Frame, places: IntArray) -> list[BlockMove] | None:
    """The operations that give the elements `places` (C, H, W) of a frame (channels, height, width), if any do."""
    height, width = frame[1:]
    _, rows, columns = places.shape
    if places.min() < 0:
        return None
    if rows % height == 0 and columns % width == 0 and rows * columns > height * width:
        return _to_space(frame, places, (rows // height, columns // width))
    if height % rows == 0 and width % columns == 0 and rows * columns < height * width:
        return _to_depth(frame, places, (height // rows, width // columns))
    return None


def _to_space(frame: Frame, places: IntArray, block: tuple[int, int]) -> list[BlockMove] | None:
    """Every pixel becomes a block whose channels are some of its own."""
    height, width = frame[1:]
    y, x = np.arange(places.shape[1])[:, None], np.arange(places.shape[2])
    sources, pixels = np.divmod(places, height * width)
    corner = sources[:, : block[0], : block[1]]
    if np.any(pixels != y // block[0] * width + x // block[1]) or np.any(
            sources != corner[:, y % block[0], x % block[1]]):
        return None
    return [*_selected(corner.transpose(1, 2, 0).reshape(-1), frame[0]), DepthToSpace(block)]


def _to_depth(frame: Frame, places: IntArray, block: tuple[int, int]) -> list[BlockMove] | None:
    """Every block becomes a pixel whose channels are some of those of its pixels."""
    channels, height, width = frame
    _, rows, columns = places.shape
    sources, pixels = np.divmod(places, height * width)
    y, x = np.divmod(pixels, width)
    i, j, source = y[:, 0, 0], x[:, 0, 0], sources[:, 0, 0]
    if np.any(sources != source[:, None, None]) or max(i.max() - block[0], j.max() - block[1]) >= 0:
        return None
    if np.any(y != i[:, None, None] + np.arange(rows)[:, None] * block[0]) or np.any(
            x != j[:, None, None] + np.arange(columns) * block[1]):
        return None
    return [SpaceToDepth(block), *_selected((i * block[1] + j) * channels + source, channels * block[0] * block[1])]


def _selected(sources: IntArray, count: int) -> list[BlockMove]:
    """A selection, unless it keeps all channels in their order."""
    return [] if np.array_equal(sources, np.arange(count)) else [SelectChannels(tuple(sources.tolist()))]
