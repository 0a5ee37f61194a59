"""Sums of branches of different scales: integer multipliers that no decision point can tell from the scales."""

from __future__ import annotations

import random
from collections.abc import Sequence
from fractions import Fraction
from itertools import product

import numpy as np
import pytest

from headrace.datatypes import Interval, int_type
from headrace.engines import golden
from headrace.errors import UnsupportedError
from headrace.network import graph, ops, tensor_ops
from headrace.network.activation import Activation
from headrace.network.integer import TensorType
from headrace.streamline.streamline import streamline
from headrace.streamline.sum_requants import _bits, requant_of_grids
from headrace.streamline.sums import Grid, Point, Weighing, ask, weigh
from tests.assert_exact import outputs


def case(seed: int) -> tuple[list[Fraction], list[tuple[int, int]], list[Point]]:
    """Scales of either sign, some 0, code ranges and ascending points with ties."""
    rng = random.Random(seed)
    count = rng.choice([1, 2, 2, 2, 3])
    scales = [Fraction(rng.uniform(-0.5, 0.5)).limit_denominator(rng.choice([7, 50, 10**6])) for _ in range(count)]
    ranges = [(lo := rng.randint(-8, 0), lo + rng.randint(1, 15)) for _ in range(count)]
    points: list[Point] = [(at, rng.random() < 0.5) for at in sorted(
        Fraction(rng.uniform(-3, 3)).limit_denominator(rng.choice([4, 1000])) for _ in range(rng.randint(1, 6)))]
    return scales, ranges, [True, *points, False]


@pytest.mark.parametrize("seed", range(120))
def test_every_combination_lies_on_its_side(seed: int) -> None:
    scales, ranges, points = case(seed)
    found = weigh(scales, ranges, points)
    assert found is not None
    for codes in product(*(range(lo, hi + 1) for lo, hi in ranges)):
        exact = sum(scale * q for scale, q in zip(scales, codes, strict=True))
        total = sum(multiplier * q for multiplier, q in zip(found.multipliers, codes, strict=True))
        for point, threshold in zip(points, found.thresholds, strict=True):
            wanted = point if isinstance(point, bool) else exact >= point[0] if point[1] else exact > point[0]
            assert (total >= threshold) == wanted, codes


def test_the_multipliers_of_two_branches_are_the_smallest() -> None:
    scales, ranges = [Fraction(31, 100), Fraction(47, 100)], [(0, 15), (0, 15)]
    points: list[Point] = [((Fraction(code) - Fraction(1, 2)) * Fraction(2, 5), code % 2 == 0) for code in range(1, 16)]
    found = weigh(scales, ranges, points)
    assert found is not None
    codes = np.stack(np.meshgrid(np.arange(16), np.arange(16), indexing="ij"), -1).reshape(-1, 2)
    exact = [sum(s * int(q) for s, q in zip(scales, pair, strict=True)) for pair in codes]
    reached = np.asarray([sum(x > at or (closed and x == at) for at, closed in points) for x in exact])  # type: ignore[misc]

    def separates(m: tuple[int, int]) -> bool:
        sums = codes @ np.asarray(m)
        return all(sums[reached == k].max() < sums[reached == k + 1].min() for k in range(15)
                   if (reached == k).any() and (reached == k + 1).any())

    assert separates(found.multipliers)  # type: ignore[arg-type]
    smaller = [(a, b) for a in range(found.multipliers[0] + 1) for b in range(found.multipliers[1] + 1)
               if (a, b) != found.multipliers]
    assert not any(separates(m) for m in smaller)


def residual(*scales: float, last: float | None = 0.21, activation: tuple[graph.Op, ...] = ()) -> graph.Network:
    """Branches of one quantized input, each quantized with a scale of its own, added and quantized."""
    rng = np.random.default_rng(3)
    nodes = [graph.Node("q", ops.Quantize(np.asarray([0.17]), Interval(-8, 7)), ("x",))]
    for k, scale in enumerate(scales):
        weights = ops.QuantWeight(rng.integers(-3, 4, (4, 3, 1, 1)), np.asarray([0.3]), int_type(3))
        nodes.append(graph.Node(f"c{k}", ops.Conv(weights), ("q",)))
        nodes.append(graph.Node(f"b{k}", ops.Quantize(np.asarray([scale]), Interval(-8, 7), 3 - k), (f"c{k}",)))
    total = "b0"
    for k in range(1, len(scales)):
        nodes.append(graph.Node(f"s{k}", tensor_ops.Add(), (total, f"b{k}")))
        total = f"s{k}"
    for k, op in enumerate((*activation, *([ops.Quantize(np.asarray([last]), Interval(0, 15))] if last else []))):
        nodes.append(graph.Node(f"a{k}", op, (total,)))
        total = f"a{k}"
    return graph.Network((graph.Input("x", (3, 5, 5)),), tuple(nodes), (total,))


@pytest.mark.parametrize("net", [
    residual(0.31, 0.47), residual(0.11, 0.47, 0.293), residual(0.31, 0.47, activation=(ops.RELU,)),
    residual(0.31, 0.47, activation=(ops.Affine(np.asarray([-1.1, 0.9, 0.4, -0.2]), np.asarray([0.3])),)),
    residual(0.31, 0.47, activation=(Activation("leaky_relu", np.asarray([0.1])),)),
    residual(float(np.float32(0.31)), float(np.float32(0.47)), last=None),
    residual(float(np.float32(0.31)), float(np.float32(0.47)), activation=(Activation("sigmoid"),)),
    residual(float(np.float32(0.31)), float(np.float32(0.47)), activation=(Activation("silu"),)),
])
def test_networks_are_exact(net: graph.Network) -> None:
    x = np.random.default_rng(1).uniform(-2, 2, (40, 3, 5, 5)).astype(np.float32)
    np.testing.assert_allclose(outputs(streamline(net), x), net.forward(x.astype(np.float64)), atol=1e-6)


def test_what_cannot_wait_says_so() -> None:
    said = (r"a branch times a whole number of 5\d bits needs \d+ bits and at most 31 are possible; put a quantizer "
            r"behind the sum, or let its branches share one quantizer")
    with pytest.raises(UnsupportedError, match=said):
        streamline(residual(0.31, 0.47, last=None))
    wide = residual(0.31, 0.47, activation=(ops.Quantize(np.asarray([0.001]), int_type(12)),))
    with pytest.raises(UnsupportedError, match=said):
        streamline(wide)
    with pytest.raises(UnsupportedError, match=r"whose common step would need 1\d\d bits and at most 62 are possible"):
        streamline(residual(0.31, 1e-20, last=None))


def test_a_channel_in_which_no_branch_counts_is_exact() -> None:
    """Its codes are one constant, so that there is nothing to weigh."""
    base = residual(0.31, 0.47, activation=(ops.Quantize(np.asarray([0.083]), Interval(0, 255)),), last=None)
    without = tuple(graph.Node(f"z{k}", ops.Affine(np.asarray([1.0, 0.0, 1.0, 1.0]), np.asarray([0.7])), (f"b{k}",))
                    for k in range(2))
    nodes = (*base.nodes[:-2], *without, graph.Node("s1", tensor_ops.Add(), ("z0", "z1")), base.nodes[-1])
    net = graph.Network(base.inputs, nodes, base.outputs)
    x = np.random.default_rng(1).uniform(-2, 2, (9, 3, 5, 5)).astype(np.float32)
    np.testing.assert_allclose(outputs(streamline(net), x), net.forward(x.astype(np.float64)), atol=1e-6)


def test_combinations_that_spoke_against_a_trial_are_asked_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """So few trials look at all combinations; whatever is asked first, the same multipliers are found."""
    scales = [Fraction(31, 100), Fraction(47, 101), Fraction(29, 103)]
    points: list[Point] = [(Fraction(code) / 5, True) for code in range(1, 30)]
    looked, whole = [0], Grid.thresholds

    def thresholds(grid: Grid, multipliers: Sequence[int]) -> Weighing | None:
        looked[0] += 1
        return whole(grid, multipliers)

    monkeypatch.setattr(Grid, "thresholds", thresholds)
    asked = ask(scales, [(0, 15)] * 3, points)
    assert asked is not None and asked.grid.margins([1, 1, 1]) is None
    found, few = asked.smallest(), looked[0]
    monkeypatch.setattr(Grid, "against", lambda *_: set())
    assert asked.smallest() == found and found is not None
    assert few <= 12 and looked[0] - few > 4 * few


def test_the_branch_with_most_codes_is_the_one_that_is_not_walked_through() -> None:
    asked = ask([Fraction(1, 3), Fraction(1, 5), Fraction(1, 7)], [(-100, 100), (0, 3), (5, 7)], [(Fraction(1), True)])
    assert asked is not None and asked.present == [2, 1, 0] and len(asked.grid.codes) == 12


def test_codes_are_counted_in_the_mean_distance_of_points() -> None:
    points: list[Point] = [True, (Fraction(0), True), (Fraction(10), True), (Fraction(12), True), False]
    asked = ask([Fraction(1, 2), Fraction(-3)], [(0, 3), (0, 9)], points)
    assert asked is not None and asked.codes == [Fraction(1, 12), Fraction(1, 2)]
    fews: tuple[list[Point], ...] = [True, (Fraction(4), True)], [(Fraction(4), True), (Fraction(4), False)]
    for few in fews:
        one = ask([Fraction(1, 2)], [(0, 3)], few)
        assert one is not None and one.codes == [Fraction(1, 2)]


@pytest.mark.parametrize(("multipliers", "bits"), [((1, 1), 4), ((3, 1), 5), ((-3, 100), 10), ((0, 0), 0)])
def test_bits_of_the_widest_branch(multipliers: tuple[int, int], bits: int) -> None:
    asked = ask([Fraction(1), Fraction(1)], [(-8, 7), (0, 8)], [(Fraction(1), True)])
    assert asked is not None
    assert _bits(asked.grid, multipliers) == bits


def test_more_combinations_than_can_be_looked_at_are_left_alone() -> None:
    points: list[Point] = [(Fraction(k), True) for k in range(255)]
    assert weigh([Fraction(1, 3)] * 4, [(0, 255)] * 4, points) is None


@pytest.mark.parametrize("seed", range(6))
def test_sums_of_codes_of_8_bits_get_a_requantizer_that_is_right_for_every_pair(seed: int) -> None:
    rng = np.random.default_rng(seed)
    left, right, last = (int(part) for part in rng.integers(1 << 23, 1 << 24, 3))  # scales in steps of 2^-28
    zero = int(rng.integers(0, 256))
    points: list[Point] = [((Fraction(code - zero) - Fraction(1, 2)) * last, (code - zero) % 2 == 0)
                           for code in range(1, 256)]
    asked = ask([Fraction(left), Fraction(-right)], [(-128, 127), (0, 255)], points)
    assert asked is not None
    found = requant_of_grids([asked.grid], [asked.codes], None, Interval(0, 255))
    assert found is not None
    m_left, m_right = asked.whole(found[0][0])
    a, b = np.meshgrid(np.arange(-128, 128), np.arange(256), indexing="ij")
    total = (a * m_left + b * m_right).reshape(-1, 1, 1, 1)
    exact = left * a - right * b
    floor, rest = exact // last, exact % last
    up = (2 * rest > last) | ((2 * rest == last) & (floor % 2 == 1))
    made = golden.apply(found[1], TensorType((1, 1, 1), Interval(0, 255)), total)
    np.testing.assert_array_equal(made.reshape(256, 256), np.clip(floor + up + zero, 0, 255))


def test_a_sum_that_8_bits_quantize_has_no_thresholds() -> None:
    net = residual(0.31, 0.47, activation=(ops.Quantize(np.asarray([0.083]), Interval(0, 255)),), last=None)
    kinds = [type(node.op).__name__ for node in streamline(net).nodes]
    assert kinds[-2:] == ["Add", "Requant"]
