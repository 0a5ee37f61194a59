"""Parts with one stream in and one out, of chains, branches and branches in branches."""

from __future__ import annotations

import numpy as np

from headrace.dataflow.graph import SOURCE, Dataflow, Placed, Port
from headrace.dataflow.regions import Part, Series, between, series
from headrace.datatypes import uint_type
from headrace.layers import Add, Fork, Lookup
from tests.dataflow.test_insert_fifos import residual

UINT2 = uint_type(2)


def act(name: str) -> Lookup:
    return Lookup(name, np.arange(4).reshape(1, 4), UINT2, UINT2, 1)


def streams(found: Series) -> set[Port]:
    """All streams of a series, those of its branches included."""
    inner = [port for part in found.parts for nested in part.inner for port in streams(nested)]
    return {*found.cuts, *inner, *(port for part in found.parts for port in part.loose)}


def test_a_residual_block_is_one_part_with_two_branches() -> None:
    found = series(residual())
    assert found.cuts == ((SOURCE, 0), ("add1", 0))
    (part,) = found.parts
    assert part.layers == {"input_fork", "conv0_swu", "conv0", "add1"}
    assert part.loose == (("input_fork", 1),)
    (branch,) = part.inner
    assert branch.cuts == (("input_fork", 0), ("conv0_swu", 0), ("conv0", 0))
    assert branch.parts == (Part(frozenset({"conv0_swu"})), Part(frozenset({"conv0"})))
    assert branch.slice(1, 2).cuts == (("conv0_swu", 0), ("conv0", 0)) and branch.slice(1, 2).layers == {"conv0"}


def test_every_stream_is_in_one_place_of_nested_branches() -> None:
    dataflow = nested()
    found = series(dataflow)
    assert streams(found) == set(dataflow.streams)
    outer = found.parts[1]
    assert found.cuts == ((SOURCE, 0), ("a", 0), ("outer_add", 0)) and outer.loose == (("outer", 1),)
    (branch,) = outer.inner
    assert branch.cuts == (("outer", 0), ("inner_add", 0), ("b", 0))
    assert branch.parts[0].loose == (("inner", 0), ("inner", 1))


def test_a_part_is_a_dataflow_of_its_own() -> None:
    dataflow = nested()
    (branch,) = series(dataflow).parts[1].inner
    part = between(dataflow, branch)
    assert [layer.name for layer in part.layers] == ["inner", "inner_add", "b"]
    assert part.placed[0].sources == ((SOURCE, 0),) and part.input == dataflow.streams["outer", 0]


def nested() -> Dataflow:
    """A sum inside of one branch of a sum."""
    inner = Add("inner_add", 1, UINT2, UINT2, 1)
    back = Lookup("b", np.arange(7).reshape(1, 7) // 2, inner.output, UINT2, 1)
    first, forks = act("a"), [Fork(name, 1, UINT2, 1) for name in ("outer", "inner")]
    return Dataflow(first.inputs[0], (
        Placed(first, ((SOURCE, 0),)), Placed(forks[0], (("a", 0),)), Placed(forks[1], (("outer", 0),)),
        Placed(inner, (("inner", 0), ("inner", 1))), Placed(back, (("inner_add", 0),)),
        Placed(Add("outer_add", 1, UINT2, UINT2, 1), (("outer", 1), ("b", 0)))))
