"""Foldings, types, shapes and windows of every layer in pairs, under every pattern of stalls and resets."""

from __future__ import annotations

from itertools import combinations

import pytest

from headrace.layers import LAYERS
from tests.exact_layers import require_exact, run_exact
from tests.layer_factors import PAIRED
from tests.pairwise import full_product, pairwise, specs

#: Kinds that are compiled into one model.
GROUPS = (("mvtu",), ("vvtu", "threshold"), ("swu", "parallel_swu"), ("max_pool", "acc_pool"),
          ("requant", "lookup", "add", "fork", "concat", "channel_map", "crop", "upsample", "depth_to_space", "dwc",
           "fifo", "label_select", "take"))


def test_every_kind_has_factors_and_a_group() -> None:
    assert set(PAIRED) == set(LAYERS)
    assert sorted(kind for group in GROUPS for kind in group) == sorted(LAYERS)


@pytest.mark.parametrize("kind", PAIRED)
def test_every_pair_of_values_meets(kind: str) -> None:
    rows = pairwise(PAIRED[kind])
    for one, other in combinations(PAIRED[kind], 2):
        for left in one:
            for right in other:
                wanted = {**left, **right}
                assert any(row.items() >= wanted.items() for row in rows), wanted
    assert len(rows) <= len(full_product(PAIRED[kind]))


@pytest.mark.parametrize("keys", [("weight",), ("input",), ("output",), ("element",), ("left", "right")], ids="-".join)
def test_every_type_occurs(keys: tuple[str, ...]) -> None:
    signed, unsigned = {f"int{bits}" for bits in range(2, 9)}, {f"uint{bits}" for bits in range(1, 9)}
    wide = set() if keys[0] in ("weight", "output") else {"int16", "uint16"}
    types = {spec[key] for kind in PAIRED for spec in specs(kind, pairwise(PAIRED[kind]))
             for key in keys if key in spec}
    missing = {"bipolar", "ternary"} | signed | unsigned | wide
    assert missing <= types, missing - types


@pytest.mark.parametrize("group", GROUPS, ids="-".join)
def test_pairs_are_exact(group: tuple[str, ...]) -> None:
    require_exact(run_exact([spec for kind in group for spec in specs(kind, pairwise(PAIRED[kind]))], seed=2))
