"""Rows of a layer get DSP blocks where there are too few for all of it, and a board holds more so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from headrace.area.estimate import estimate
from headrace.board.board import load_board
from headrace.dataflow.lower import lower
from headrace.datatypes import int_type
from headrace.design import Recipe
from headrace.folding import solver as solver_module
from headrace.folding.choices import Choice, Choices
from headrace.folding.plan import Terms, plan_fastest
from headrace.folding.shared_blocks import fill_blocks
from headrace.folding.solver import LAYERS_SHARE, Solver
from headrace.layers.base import Layer
from headrace.layers.mvtu import Mvtu
from headrace.layers.spec import layer_from_spec
from headrace.memory import PRICES
from tests.narrow import the
from tests.small_networks import dense_network

#: Six groups of two rows that share the six multipliers of their columns.
WIDE = {"kind": "mvtu", "mw": 72, "mh": 24, "pe": 12, "simd": 6, "weight": "int8", "input": "uint8", "output": "acc"}
#: Of which a block saves fewer LUTs.
NARROW = WIDE | {"weight": "int4", "input": "uint4", "output": "uint4"}


def ways(**specs: Mapping[str, object]) -> dict[str, tuple[Choice, Choice]]:
    """Every layer in LUTs alone, and in DSP blocks."""
    found = {}
    for name, spec in specs.items():
        layer = the(Mvtu, layer_from_spec(spec).layer)
        few = "halves" if layer.weight.bits > 4 else "pairs"
        built = [replace(layer, core=core) for core in (few, "dsp")]
        found[name] = (Choice({}, built[0], 1, estimate(built[0])),
                       Choice({}, built[1], 1, estimate(built[1]), other=True))
    return found


def cores(chosen: Mapping[str, Choice] | None) -> dict[str, object]:
    assert chosen is not None
    return {name: choice.layer.facts.get("core") for name, choice in chosen.items()}


@pytest.mark.parametrize(("blocks", "core", "taken"), [
    (5, "halves", 0), (6, "mixed:2", 6), (23, "mixed:6", 18), (35, "mixed:10", 30), (36, "dsp", 36), (99, "dsp", 36)])
def test_rows_get_the_blocks_that_there_are(blocks: int, core: str, taken: int) -> None:
    chosen = fill_blocks(ways(fc0=WIDE), blocks)
    assert cores(chosen) == {"fc0": core} and chosen is not None
    assert chosen["fc0"].cost.dsp == taken <= blocks


def test_each_group_of_rows_saves_luts() -> None:
    costs = [found["fc0"].cost.all_luts for blocks in range(0, 42, 6) if (found := fill_blocks(ways(fc0=WIDE), blocks))]
    assert len(costs) == 7 and costs == sorted(costs, reverse=True) and len(set(costs)) == 7


def test_layers_that_save_most_per_block_come_first() -> None:
    """A block saves fewer LUTs of narrow products; what is left over for them is some of their rows."""
    found = ways(fc0=NARROW, fc1=WIDE)
    assert cores(fill_blocks(found, 36)) == {"fc0": "pairs", "fc1": "dsp"}
    assert cores(fill_blocks(found, 42)) == {"fc0": "mixed:4", "fc1": "dsp"}
    assert cores(fill_blocks(found, 36 + 18)) == {"fc0": "dsp", "fc1": "dsp"}


def test_a_dsp_block_of_zynq_7000_holds_less() -> None:
    """It takes two for what an UltraScale+ device takes one for, where several groups of rows share a factor."""
    layer = replace(the(Mvtu, layer_from_spec(WIDE).layer), core="halves", prices=replace(PRICES, primitives=False))
    for blocks in range(6, 60):
        found = layer.with_dsp_blocks(blocks)
        assert found is not None and estimate(found).dsp <= blocks
        more = found.core != "mixed:10" and replace(found, core=f"mixed:{int(found.core[6:]) + 2}")
        assert not more or estimate(more).dsp > blocks


def test_a_layer_that_is_multiplied_by_bits_has_no_such_rows() -> None:
    layer = layer_from_spec(WIDE | {"weight": "bipolar"}).layer
    assert layer.with_dsp_blocks(100) is None


def test_nothing_is_left_where_the_blocks_are_too_few() -> None:
    assert fill_blocks(ways(fc0=WIDE), -1) is None


def other_core(layer: Layer) -> Layer | None:
    return layer.with_other_core()


def test_a_layer_that_neither_blocks_nor_luts_hold_gets_both(monkeypatch: pytest.MonkeyPatch) -> None:
    choices = Choices(lower(dense_network(int_type(8), 64, 64, 8)), {}, other=other_core)
    solvers = [Solver(choices, replace(load_board("kv260"), lut=lut, dsp=150)) for lut in range(24000, 39000, 1500)]
    found = [solver.fastest() for solver in solvers]
    monkeypatch.setattr(solver_module, "fill_blocks", lambda *_: None)
    gains = 0
    for solver, fastest in zip(solvers, found, strict=True):
        before = solver.fastest()
        assert fastest and before and not solver.over(fastest.solution.cost, LAYERS_SHARE)
        mixed = [core for core in cores(fastest.solution.choices).values() if str(core).startswith("mixed:")]
        assert bool(mixed) == (fastest.solution.cycles < before.solution.cycles)
        gains += bool(mixed)
    assert gains


def test_a_core_may_be_asked_for_that_serves_at_some_folds_only() -> None:
    """One row per cycle cannot be split, and what weights take alone is looked at so."""
    terms = Terms(load_board("kv260"), built=Recipe(cores={"fc0": "mixed"}).as_built)
    plan = plan_fastest(lower(dense_network(int_type(8), 64, 64, 8)), terms)
    assert plan.folds["fc0"]["pe"] > 1
