"""Recurrences: the slowest circle of carried values, and what an operator adds to it."""

from __future__ import annotations

import pytest

from headrace.hls_lint.arithmetic import computed, is_divider
from headrace.hls_lint.recurrence import carried_operations, slowest_circle
from headrace.hls_lint.values import Key, Path, Value, known

A, B, C = (1, ()), (2, ()), (3, ())
HERE = ("top.cpp", 7)


def path(ns: float, *heavy: str) -> Path:
    return Path(ns, frozenset((what, HERE) for what in heavy))


def carried(bits: int = 32) -> Value:
    return Value(None, bits, {A: path(1.0)})


@pytest.mark.parametrize(("edges", "ns", "circle"), [
    ({}, 0.0, set()),
    ({A: {A: path(0.8)}}, 0.8, {A}),
    ({A: {B: path(3.0)}, B: {A: path(1.0)}}, 2.0, {A, B}),
    ({A: {A: path(2.5), B: path(3.0)}, B: {A: path(1.0)}}, 2.5, {A}),
    ({A: {B: path(9.0)}, B: {B: path(1.0)}}, 1.0, {B}),  # nothing comes back from A
    ({A: {C: path(1.0)}, B: {A: path(2.0)}, C: {B: path(4.5), C: path(0.5)}}, 2.5, {A, B, C}),
    ({A: {(9, ()): path(7.0)}}, 0.0, set()),  # from what the loop leaves alone
])
def test_the_slowest_circle(edges: dict[Key, dict[Key, Path]], ns: float, circle: set[Key]) -> None:
    found, keys = slowest_circle(edges)
    assert found == pytest.approx(ns, abs=1e-4)
    assert set(keys) == circle


def test_heavy_operations_count_on_circles_only() -> None:
    edges: dict[Key, dict[Key, Path]] = {A: {A: path(1.0), B: path(3.0, "multiplication")},
                                         B: {B: path(1.0, "load of x")}}
    assert carried_operations(edges) == [("load of x", HERE)]
    assert carried_operations(edges | {B: {A: path(1.0)}}) == [("multiplication", HERE)]


@pytest.mark.parametrize(("operator", "other", "ns", "bits"), [
    ("+", known(1), 1.8, 32), ("<", known(9), 1.66, 1), ("<", known(0), 1.0, 1), ("*", known(8), 1.0, 32),
    ("*", known(3), 4.0, 32), ("/", known(4), 1.0, 32), ("&", known(15), 1.0, 4), (">>", known(8), 1.0, 24),
])
def test_delay_and_width_of_an_operator(operator: str, other: Value, ns: float, bits: int) -> None:
    result = computed(operator, (carried(), other), 32, HERE)
    assert result.sources[A].ns == pytest.approx(ns)
    assert (result.const, result.bits) == (None, bits)
    heavy = {"*": "multiplication", "/": "division"} if other.const == 3 else {}
    assert {what for what, _ in result.sources[A].heavy} == ({heavy[operator]} if operator in heavy else set())


def test_what_is_known_costs_nothing() -> None:
    assert computed("+", (known(3), known(4)), 32, HERE) == known(7, 32)
    assert computed("/", (known(-7), known(2)), 32, HERE).const == -3
    assert computed("&&", (known(0), carried()), 1, HERE).sources == {}


@pytest.mark.parametrize(("left", "right", "divides"), [
    (carried(), known(3), True), (carried(), known(8), False), (carried(), carried(), True),
    (known(9), known(3), False),
])
def test_dividers(left: Value, right: Value, divides: bool) -> None:
    assert is_divider("%", (left, right)) == divides
