"""Activations that fall and rise between codes: thresholds find the interval, a table its code."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import pytest

from headrace.datatypes import BIPOLAR, DataType, Interval, int_type, uint_type
from headrace.engines import fast, golden
from headrace.engines.host import from_stream, to_stream
from headrace.errors import UnsupportedError
from headrace.network import graph, ops
from headrace.network.activation import Activation
from headrace.network.graph import Input, Network
from headrace.network.integer import IntegerNetwork, Lookup, Threshold
from headrace.streamline.intervals import Intervals
from headrace.streamline.meaning import Channel
from headrace.streamline.pieces import Piece, passing, pieces
from headrace.streamline.requantize import requantize
from headrace.streamline.streamline import streamline
from headrace.streamline.thresholds_before_pooling import thresholds_before_pooling
from tests.narrow import the

CROOKED = (0.0213, 0.0317, 0.0109, 0.0531)
ROOT_HALF = np.asarray([0.7071067811865476])
TURNING = {
    "silu": Activation("silu"), "quick gelu": Activation("swish", np.asarray([1.702])),
    "gelu": Activation("gelu", ROOT_HALF), "gelu by tanh": Activation("swish", np.asarray([1.595769]), 0.0713548),
    "mish": Activation("mish"), "hard swish": Activation("hard_swish", np.asarray([1 / 6])),
    "magnitude": Activation("leaky_relu", np.asarray([-1.0])), "square": Activation("power", np.asarray([2.0])),
    "negative slope": Activation("leaky_relu", np.asarray([-0.3])),
    "slopes of both signs": Activation("leaky_relu", np.asarray([-0.3, 0.2, -1.0, 0.0])),
}


def network(*steps: graph.Op, shape: ops.Shape = (3, 6, 6)) -> Network:
    nodes = [graph.Node(f"n{k}", op, (f"n{k - 1}" if k else "x",)) for k, op in enumerate(steps)]
    return Network((Input("x", shape),), tuple(nodes), (nodes[-1].name,))


def quantizer(scale: float | Sequence[float], dtype: DataType, zero: int = 0) -> ops.Quantize:
    return ops.Quantize(np.atleast_1d(np.asarray(scale, np.float64)), dtype, zero)


def before(scales: Sequence[float] = (0.31, 0.17, 0.113, 0.71), c_out: int = 4) -> tuple[graph.Op, ...]:
    """A quantized input, a convolution, a batch norm."""
    codes = np.random.default_rng(0).integers(-3, 4, (c_out, 3, 3, 3))
    conv = ops.Conv(ops.QuantWeight(codes, np.asarray([0.083]), int_type(3)))
    return quantizer(0.25, int_type(4)), conv, ops.Affine(np.asarray(scales), np.asarray([0.1037]))


def assert_exact(net: Network, frames: int = 12) -> IntegerNetwork:
    integer = streamline(net)
    x = np.random.default_rng(1).uniform(-2, 2, (frames, *net.input.shape)).astype(np.float32)
    stream = to_stream(integer.host_input, x)
    q = golden.run(integer, stream)[integer.output]
    want = net.forward(x.astype(np.float64))
    assert len(np.unique(want)) > 1
    np.testing.assert_allclose(from_stream(integer.host_outputs[0], q.reshape(frames, -1)).reshape(want.shape), want,
                               rtol=1e-6, atol=1e-6)
    assert np.array_equal(fast.run(integer, stream)[integer.output], q)
    moved = requantize(thresholds_before_pooling(integer))
    assert np.array_equal(golden.run(moved, stream)[moved.output], q)
    return integer


def kinds(integer: IntegerNetwork) -> list[str]:
    return [type(node.op).__name__ for node in integer.nodes]


@pytest.mark.parametrize("scales", [(0.31, 0.17, 0.113, 0.71), (0.3137, -0.2011, 0.1127, -0.7013)])
@pytest.mark.parametrize("output", [quantizer(0.021, int_type(8)), quantizer(0.0112, uint_type(8), 30),
                                    quantizer(0.06, int_type(3)), quantizer(CROOKED, int_type(6))])
@pytest.mark.parametrize("name", TURNING)
def test_codes_are_those_of_the_curve(name: str, output: ops.Quantize, scales: tuple[float, ...]) -> None:
    integer = assert_exact(network(*before(scales), TURNING[name], output))
    assert kinds(integer)[-1] in ("Lookup", "Threshold")


def test_what_the_codes_do_not_see_needs_no_table() -> None:
    integer = assert_exact(network(*before(), TURNING["silu"], quantizer(0.1, uint_type(4))))
    assert kinds(integer) == ["Conv", "Threshold"]


def test_channels_share_a_table() -> None:
    scales = (0.3137, -0.2011, 0.1127, -0.7013)
    integer = assert_exact(network(*before(scales), TURNING["gelu"], quantizer(0.021, int_type(8))))
    assert kinds(integer) == ["Conv", "Threshold", "Lookup"]
    table = integer.nodes[-1].op
    assert isinstance(table, Lookup) and np.all(table.table == table.table[:1])


def test_behind_narrow_codes_a_table_is_enough() -> None:
    steps = (quantizer(0.031, int_type(8)), TURNING["silu"], quantizer(0.021, int_type(8)))
    assert kinds(assert_exact(network(*steps))) == ["Lookup"]


def test_a_line_behind_the_curve_and_a_sign_behind_it() -> None:
    line = ops.Affine(np.asarray([-1.3, 0.4, 2.1, -0.2]), np.asarray([0.3, 0.1, -0.2, 0.0]))
    steps = (TURNING["silu"], line, ops.Clip(-0.4, 0.7), quantizer(0.0071, int_type(8)))
    integer = assert_exact(network(*before(), *steps))
    assert "Lookup" in kinds(integer)
    sign = quantizer(1.0, BIPOLAR)
    assert_exact(network(*before(), TURNING["silu"], ops.Affine(np.ones(1), np.asarray([0.2])), sign))


def test_curves_behind_curves() -> None:
    steps = (*before(), TURNING["negative slope"], ops.Affine(np.asarray([1.1]), np.asarray([-0.8])), TURNING["mish"])
    assert_exact(network(*steps, quantizer(0.013, int_type(8))))
    assert_exact(network(*before(), TURNING["square"], ops.Affine(np.ones(1), -np.ones(1)), TURNING["magnitude"],
                         quantizer(0.05, uint_type(6))))


def test_what_follows_reads_the_codes() -> None:
    codes = np.random.default_rng(3).integers(-3, 4, (2, 4, 1, 1))
    conv = ops.Conv(ops.QuantWeight(codes, np.asarray([0.5]), int_type(3)))
    assert_exact(network(*before(), TURNING["silu"], quantizer(0.021, int_type(8)), ops.MaxPool((2, 2), (2, 2)), conv))


def test_the_largest_of_curves_that_turn() -> None:
    pool = ops.MaxPool((2, 2), (2, 2))
    assert_exact(network(*before(), TURNING["silu"], pool, quantizer(0.1, uint_type(4))))
    assert_exact(network(*before(), pool, TURNING["silu"], quantizer(0.021, int_type(8))))
    for step in ((), (TURNING["magnitude"],)):
        net = network(*before(), TURNING["magnitude"], pool, *step, quantizer(0.1, uint_type(4)))
        with pytest.raises(UnsupportedError, match=r"quantizes the largest values of an activation that falls and "
                           r"rises, which need not be those of its largest inputs; put the quantizer in front of the "
                           r"pooling"):
            streamline(net)


def test_more_intervals_than_a_search_has() -> None:
    up = ops.Affine(np.ones(1), np.asarray([-3.0]))
    net = network(*before(), TURNING["magnitude"], up, TURNING["magnitude"], quantizer(0.01, uint_type(8)))
    with pytest.raises(UnsupportedError, match=r"falls and rises through \d+ codes and at most 512 are possible; "
                       "use fewer bits"):
        streamline(net)


def test_every_integer_is_on_a_piece_and_every_point_where_it_is_passed() -> None:
    line = Channel(Fraction(1, 7), Fraction(-2, 3))
    for name in ("silu", "magnitude", "hard swish"):
        for channel in (line, line.negated()):
            bent = channel.bend(TURNING[name].curves[0])
            found = pieces(bent, -90, 100)
            assert [q for piece in found for q in range(piece.start, piece.stop)] == list(range(-90, 101))
            for piece in found:
                values = [float(bent.value(q)) for q in range(piece.start, piece.stop)]
                assert values == sorted(values, reverse=not piece.rises)
    at = [(Fraction(1, 3), True), (Fraction(10), True)]
    assert passing(line, Piece(-90, 101, True), at).tolist() == [7, 75]
    assert passing(line.negated(), Piece(-90, 101, False), [(Fraction(1, 3), True)]).tolist() == [-6]


def test_thresholds_are_found_at_both_ends() -> None:
    integer = streamline(network(*before(), Activation("tanh"), quantizer(0.9, Interval(-9, 9))))
    threshold = integer.nodes[-1].op
    assert isinstance(threshold, Threshold) and threshold.thresholds.shape == (4, 18)


def test_counts_that_do_not_fall_are_thresholds() -> None:
    """Also where a channel has fewer intervals than another, and the last one is repeated."""
    lows, highs = np.asarray([-4, -4]), np.asarray([8, 8])
    found = Intervals(np.asarray([[0, 5], [3, 9]]), np.asarray([[0, 1, 2], [0, 1, 1]]))
    assert the(np.ndarray, found.thresholds(2, lows, highs)).tolist() == [[0, 5], [3, 9]]
    assert Intervals(found.bounds, np.asarray([[0, 1, 2], [1, 0, 1]])).thresholds(2, lows, highs) is None


def test_levels_beyond_a_clip_are_crossed_always_or_never() -> None:
    curve = Activation("leaky_relu", np.asarray([0.1])).curves[0]
    channel = Channel(Fraction(1), Fraction(0)).bend(curve).clip(Fraction(0), Fraction(6))
    assert channel.crossing(Fraction(7), True) is False and channel.crossing(Fraction(-1), True) is True
    assert channel.crossing(Fraction(3), True) == 3
    flat = Channel(Fraction(1), Fraction(0)).bend(Activation("leaky_relu", np.asarray([0.0])).curves[0])
    assert [flat.crossing(Fraction(at), True) for at in (-1, 0, 2)] == [True, True, Fraction(2)]
    steep = Channel(Fraction(1), Fraction(0)).bend(Activation("sigmoid").curves[0])
    assert steep.crossing(Fraction(1, 3), True) is None
