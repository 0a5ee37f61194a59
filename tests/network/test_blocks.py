"""Blocks of pixels: formulas, engines, sentences, and the layers that they become."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from headrace.dataflow.fold import fold
from headrace.dataflow.lower import lower
from headrace.datatypes import int_type, uint_type
from headrace.engines import fast, golden
from headrace.errors import FoldingError, InputError
from headrace.layers.random_values import random_values
from headrace.network import blocks, integer
from headrace.network.integer import IntegerNetwork, Node, Op
from tests.small_networks import host_input

BLOCKS = [(1, 1), (2, 2), (3, 1), (1, 4), (2, 3)]


def network(*ops: Op, shape: tuple[int, int, int]) -> IntegerNetwork:
    """A chain of operations; the host's output is left as it is."""
    names = ["input", *(f"n{place}" for place in range(len(ops)))]
    nodes = tuple(Node(names[place + 1], op, (names[place],)) for place, op in enumerate(ops))
    return IntegerNetwork(host_input(*shape, int_type(5)), nodes, integer.HostOutput((1,), np.ones(1), np.zeros(1)))


@pytest.mark.parametrize("block", BLOCKS)
def test_every_engine_follows_the_formula(block: tuple[int, int]) -> None:
    rows, columns = block
    rng = np.random.default_rng(rows)
    small, large = (4, 3, 2 * rows * columns), (4 * rows, 3 * columns, 2)
    x = random_values(rng, int_type(5), (2, *small))
    wanted = np.empty((2, *large), np.int64)
    for r, c, k in np.ndindex(large):
        place = r % rows * columns + c % columns
        wanted[:, r, c, k] = x[:, r // rows, c // columns, place * 2 + k]
    for op, start, end, shape in ((integer.DepthToSpace(block), x, wanted, small),
                                  (integer.SpaceToDepth(block), wanted, x, large)):
        net = network(op, shape=shape)
        np.testing.assert_array_equal(golden.run(net, start)["n0"], end)
        np.testing.assert_array_equal(fast.run(net, start)["n0"], end)
        dataflow = lower(network(integer.Reframe(*shape[:2]), op, integer.Crop((0, 0), net.types["n0"].shape[:2]),
                                 shape=shape))
        np.testing.assert_array_equal(dataflow.golden(start)[dataflow.output_port].reshape(end.shape), end)
        float_op = getattr(blocks, type(op).__name__)(block)
        np.testing.assert_array_equal(float_op.forward(start.transpose(0, 3, 1, 2).astype(float)),
                                      end.transpose(0, 3, 1, 2))


@pytest.mark.parametrize(("op", "shape", "kinds"), [
    (integer.DepthToSpace((2, 2)), (4, 3, 8), ["depth_to_space"]), (integer.DepthToSpace((1, 2)), (4, 3, 8), []),
    (integer.DepthToSpace((2, 2)), (4, 1, 8), []), (integer.SpaceToDepth((2, 2)), (4, 6, 8), ["swu"]),
    (integer.SpaceToDepth((1, 2)), (4, 6, 8), []), (integer.SpaceToDepth((2, 2)), (4, 2, 8), []),
])
def test_pixels_that_follow_one_another_anyway_need_no_layer(op: integer.DepthToSpace | integer.SpaceToDepth,
                                                             shape: tuple[int, int, int],
                                                             kinds: list[str]) -> None:
    conv = integer.Conv(np.ones((3, 1, 1, op.infer(integer.TensorType(shape, int_type(5))).shape[2]), np.int64),
                        int_type(2))
    assert [layer.kind for layer in lower(network(op, conv, shape=shape)).layers] == [*kinds, "mvtu"]


def test_blocks_in_parallel_need_a_reader_that_knows_their_order() -> None:
    shape = (4, 6, 2)
    whole = network(integer.SpaceToDepth((2, 2)), integer.Conv(np.ones((3, 2, 3, 8), np.int64), int_type(2)),
                    shape=shape)
    pooled = network(integer.SpaceToDepth((2, 2)), integer.MaxPool((2, 2), (1, 1)), shape=shape)
    for net in (whole, pooled):
        with pytest.raises(FoldingError) as error:
            fold(lower(net), {"n0": {"parallel_window": 1}})
        assert str(error.value) == "n0: parallel_window would change the order of what n1 reads; use parallel_window 0"
    rng = np.random.default_rng(0)
    pointwise = network(integer.SpaceToDepth((2, 2)), integer.Conv(random_values(rng, int_type(3), (3, 1, 1, 8)),
                                                                   int_type(3)), shape=shape)
    x = random_values(rng, int_type(5), (2, *shape))
    dataflow = fold(lower(pointwise), {"n0": {"parallel_window": 1, "simd": 1}, "n1": {"simd": 4}})
    np.testing.assert_array_equal(dataflow.golden(x)[dataflow.output_port].reshape(2, 2, 3, 3),
                                  golden.run(pointwise, x)["n1"])


@pytest.mark.parametrize(("make", "sentence"), [
    (lambda: blocks.DepthToSpace((0, 1)), "a block of (0, 1) pixels has none; use sides of 1 or more"),
    (lambda: blocks.SpaceToDepth((1, 1)).infer((4,)),
     "blocks of pixels need (channels, height, width), not (4,); move them before the flatten"),
    (lambda: blocks.DepthToSpace((2, 2)).infer((6, 1, 1)),
     "6 channels do not fill blocks of 2x2 pixels; use a multiple of 4"),
    (lambda: integer.SpaceToDepth((2, 2)).infer(integer.TensorType((3, 2, 1), uint_type(2))),
     "3x2 pixels are not made of blocks of 2x2; pad or crop them"),
])
def test_what_is_not_a_block(make: Callable[[], object], sentence: str) -> None:
    with pytest.raises(InputError) as error:
        make()
    assert str(error.value) == sentence
