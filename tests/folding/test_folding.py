
from __future__ import annotations

import json
import re
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from headrace.area.estimate import estimate
from headrace.area.usage import Resources, total
from headrace.board.board import DEFAULT_BOARD, load_board
from headrace.dataflow.fold import Folding, fold
from headrace.dataflow.graph import SOURCE, Dataflow, Placed
from headrace.dataflow.lower import lower
from headrace.errors import FoldingError, InputError
from headrace.fold_rule import divisors
from headrace.folding.choices import Choices
from headrace.folding.given import load_folding
from headrace.folding.plan import (
    Terms,
    folding_target,
    plan_fastest,
    plan_folding,
    rate,
    solve_folding,
)
from headrace.folding.solver import Solver
from headrace.folding.tables import Rates
from headrace.layers import MaxPool, ParallelSwu, Vvtu
from headrace.layers.spec import layer_from_spec
from headrace.memory import Prices
from headrace.streamline.thresholds_before_pooling import thresholds_before_pooling
from tests.dataflow.test_lower import branching_network
from tests.small_networks import UINT2, random_input, small_network


@pytest.fixture(scope="module")
def dataflow() -> Dataflow:
    return lower(thresholds_before_pooling(small_network()))


def cost(dataflow: Dataflow, folding: Folding) -> float:
    """Share of the default board that layers and converters take together."""
    board = load_board(DEFAULT_BOARD)
    taken = total([estimate(layer) for layer in fold(dataflow, folding).layers])
    return sum(used / max(there, 1) for used, there in board.use(taken).values())


@pytest.mark.parametrize("target", [576, 600, 900, 5000, 100_000])
def test_every_layer_reaches_the_target(dataflow: Dataflow, target: int) -> None:
    folding = solve_folding(dataflow, target)
    assert fold(dataflow, folding).cycles_per_frame <= target


@pytest.mark.parametrize("target", [300, 800, 3000])
def test_no_other_folding_is_cheaper(dataflow: Dataflow, target: int) -> None:
    """Every folding of three neighbours; the other layers are given."""
    given = {"conv0": {"pe": 4, "simd": 9}, "conv0_swu": {"simd": 1, "parallel_window": 1},
             "conv1_swu": {"simd": 2, "parallel_window": int(target < 1000)}, "fc4": {"pe": 1, "simd": 1}}
    best = cost(dataflow, solve_folding(dataflow, target, given))
    legal = []
    for pe, simd, pool, fc_pe, fc_simd in product(*map(divisors, (6, 36, 6, 8, 54))):
        folding = given | {"conv1": {"pe": pe, "simd": simd}, "pool2": {"pe": pool},
                           "fc3": {"pe": fc_pe, "simd": fc_simd}}
        if max(layer.with_folds(folding.get(layer.name, {})).cycles for layer in dataflow.layers) <= target:
            legal.append(folding)
    # The smaller the products, the cheaper: the candidates, and some of the others.
    legal.sort(key=lambda f: f["conv1"]["pe"] * f["conv1"]["simd"] + f["fc3"]["pe"] * f["fc3"]["simd"])
    assert len(legal) > 50
    assert best <= min(cost(dataflow, folding) for folding in [*legal[:100], *legal[100::40]]) + 1e-9


@pytest.mark.parametrize("folds", [{"simd": 4}, {"simd": 2, "parallel_window": 1}, {"simd": 4, "parallel_window": 1},
                                   {"simd": 1, "minimal_buffer": 1}])
def test_windows_of_any_form_feed_the_same_matrix(dataflow: Dataflow, folds: dict[str, int]) -> None:
    x = random_input(small_network(), 2)
    folded = fold(dataflow, {"conv1_swu": folds, "conv1": {"pe": 3, "simd": 12}})
    window = next(layer for layer in folded.layers if layer.name == "conv1_swu")
    assert isinstance(window, ParallelSwu) == bool(folds.get("parallel_window"))
    assert np.array_equal(folded.golden(x)[folded.output_port], dataflow.golden(x)[dataflow.output_port])


def test_the_fastest_that_fits_says_what_stops_it(dataflow: Dataflow) -> None:
    small = replace(load_board(DEFAULT_BOARD), name="small", lut=1500)
    plan = plan_fastest(dataflow, Terms(small))
    folded = fold(dataflow, plan.folding)
    assert total([estimate(layer) for layer in folded.layers]).all_luts <= 1500
    assert re.fullmatch(r"\d+ cycles per frame would take \d+ of 1500 LUT without FIFOs, and layers may take 96%",
                        plan.stopped_by)
    ample = plan_fastest(dataflow, Terms(load_board(DEFAULT_BOARD)))
    assert fold(dataflow, ample.folding).cycles_per_frame < folded.cycles_per_frame
    assert ample.stopped_by.endswith(" cycles per frame") and "cannot take fewer than" in ample.stopped_by


def test_a_board_that_is_too_small(dataflow: Dataflow) -> None:
    tiny = replace(load_board(DEFAULT_BOARD), name="tiny", lut=10)
    with pytest.raises(FoldingError, match=r"tiny: even the smallest folding takes \d+ of 10 LUT; choose a larger"):
        plan_fastest(dataflow, Terms(tiny))


def test_what_is_too_slow_is_not_looked_at(dataflow: Dataflow) -> None:
    """But for a layer that has nothing else, which then says how fast it can be."""
    every = Choices(dataflow, {}).of_layer
    for limit in (64, 200, 10**9):
        found = Choices(dataflow, {}, max_cycles=limit).of_layer
        for name, choices in every.items():
            fast = [choice for choice in choices if choice.cycles <= limit] or choices
            assert [choice.folds for choice in found[name]] == [choice.folds for choice in fast]


def test_a_rate_that_is_told_may_be_asked_for() -> None:
    """Rounded up, it would ask for a cycle less."""
    for clock, cycles in ((200.0, 14_400), (200.0, 3), (187.5, 7), (1.0, 3_000_000), (100.0, 10**10 + 1), (200.0, 1)):
        told = float(rate(clock, cycles))
        assert cycles <= clock * 1e6 / told and told > 0.999 * clock * 1e6 / cycles


@pytest.mark.parametrize("cycles", [64, 200, 1000])
def test_a_limit_of_cycles_leaves_the_folding_of_a_pace_as_it_is(dataflow: Dataflow, cycles: int) -> None:
    board = load_board(DEFAULT_BOARD)
    bounded, free = (plan_folding(dataflow, cycles, Terms(board, max_cycles=limit)) for limit in (cycles, 0))
    assert bounded.folds == free.folds and bounded.bottleneck == free.bottleneck


def test_a_pace_that_is_too_fast_is_told_what_fits_of_all_foldings(dataflow: Dataflow) -> None:
    errors = []
    for limit in (10, 0):
        with pytest.raises(FoldingError, match="10 cycles per frame are asked for") as error:
            plan_folding(dataflow, 10, Terms(load_board(DEFAULT_BOARD), max_cycles=limit))
        errors.append(str(error.value))
    assert errors[0] == errors[1]


def test_a_board_that_no_fast_folding_fits_is_not_filled_slowly(dataflow: Dataflow) -> None:
    small = replace(load_board(DEFAULT_BOARD), name="small", lut=2500, uram=0)
    cycles = fold(dataflow, plan_fastest(dataflow, Terms(small)).folds).cycles_per_frame
    assert plan_fastest(dataflow, Terms(small, max_cycles=cycles)).folds
    with pytest.raises(FoldingError, match=rf"^small: no folding of {cycles // 2} cycles per frame, .* takes only 96%"):
        plan_fastest(dataflow, Terms(small, max_cycles=cycles // 2))


def test_a_bound_from_outside_is_named(dataflow: Dataflow) -> None:
    terms = Terms(load_board(DEFAULT_BOARD), min_cycles=70, bound="the DMA's input")
    with pytest.raises(FoldingError, match=r"^the DMA's input: 64 cycles per frame are asked for but it needs at least "
                                           r"70, and on zcu104 a folding of \d+ cycles per frame, .*, fits without "
                                           r"FIFOs; ask"):
        plan_folding(dataflow, 64, terms)


def test_words_that_hls_cannot_hold_are_not_chosen(dataflow: Dataflow) -> None:
    folding = plan_folding(dataflow, 200, Terms(load_board(DEFAULT_BOARD), max_word_bits=64)).folding
    assert max(stream.bits for stream in fold(dataflow, folding).streams.values()) <= 64


def test_given_folds_are_kept_and_set_the_pace(dataflow: Dataflow) -> None:
    given = {"conv1": {"pe": 2, "simd": 4}}
    target = folding_target(dataflow, given)
    folding = solve_folding(dataflow, target, given)
    assert folding["conv1"] == {"pe": 2, "simd": 4}
    assert fold(dataflow, folding).cycles_per_frame == target


@pytest.mark.parametrize(("given", "sentence"), [
    ({"conv1": {"pe": 4}}, "conv1: PE=4 must divide MH=6; choose one of [1, 2, 3, 6]"),
    ({"fc3": {"simd": 5}}, "fc3: SIMD=5 must divide MW=54; choose one of [1, 2, 3, 6, 9, 18, 27, 54]"),
    ({"conv9": {"pe": 1}}, "folding: there is no layer conv9; choose one of "
                           "['conv0_swu', 'conv0', 'conv1_swu', 'conv1', 'pool2', 'fc3', 'fc4']"),
    ({"pool2": {"simd": 1}}, "pool2: simd cannot be folded; choose one of ['pe']"),
    ({"conv1_swu": {"minimal_bufer": 1}}, "conv1_swu: minimal_bufer cannot be folded; did you mean 'minimal_buffer'? "
                                          "choose one of ['simd', 'parallel_window', 'minimal_buffer']"),
    ({"conv1": {"channels": 8}}, "conv1: channels cannot be folded; choose one of ['pe', 'simd']"),
    ({"conv1_fido": {"depth": 8}}, "folding: there is no FIFO conv1_fido; did you mean 'conv1_fifo'? choose one of "
                                   "['conv0_fifo', 'conv1_swu_fifo', 'conv1_fifo', 'pool2_fifo', 'fc3_fifo', "
                                   "'fc4_fifo']"),
    ({"conv1_fifo": {"depth": 1 << 64}}, "conv1_fifo: a depth of 18446744073709551616 words is more than a FIFO may "
                                         "have; give at most 16777216"),
])
def test_illegal_foldings(dataflow: Dataflow, given: dict[str, dict[str, int]], sentence: str) -> None:
    with pytest.raises(FoldingError) as error:
        folding_target(dataflow, given)
    assert str(error.value) == sentence


def test_a_rate_that_no_folding_reaches(dataflow: Dataflow) -> None:
    with pytest.raises(FoldingError, match=r"^\w+: 10 cycles per frame are asked for but it needs at least \d+, and"):
        solve_folding(dataflow, 10)


def test_a_layer_or_a_fold_that_comes_twice_in_a_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "folding.json"
    for content in ('{"pe": {"simd": 1}, "pe": {"pe": 2}}', '{"conv0": {"pe": 1, "pe": 2}}'):
        path.write_text(content)
        with pytest.raises(InputError, match=r"folding.json: 'pe' comes twice in an object of the folding file; leave "
                                             r"one out$"):
            load_folding(path)


@pytest.mark.parametrize("content", ["[1]", '{"conv0": 3}', '{"conv0": {"pe": 1.5}}', "{", '{"c": {"pe": true}}'])
def test_bad_folding_files(tmp_path: Path, content: str) -> None:
    path = tmp_path / "folding.json"
    path.write_text(content)
    with pytest.raises(InputError, match="folding file"):
        load_folding(path)


def test_missing_folding_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"folding.json: the folding file cannot be read; check the path"):
        load_folding(tmp_path / "folding.json")


def test_good_folding_file(tmp_path: Path) -> None:
    path = tmp_path / "folding.json"
    path.write_text(json.dumps({"conv0": {"pe": 2}}))
    assert load_folding(path) == {"conv0": {"pe": 2}}


@pytest.mark.parametrize("simd", [1, 2, 4])
def test_a_depthwise_layer_takes_the_channels_that_its_window_gives(simd: int) -> None:
    """Fewer would be cheaper, but the words of the window hold its channels in another order."""
    folding = solve_folding(lower(branching_network()), 1000, {"dw1_swu": {"simd": simd}})
    assert folding["dw1"]["pe"] == folding["dw1_swu"]["simd"] == simd


def test_layers_that_differ_in_name_only_share_their_choices() -> None:
    """Pools in a row: what the one may be the other may be too, unless the user folds it."""
    pools = [Placed(MaxPool(f"pool{k}", 8, 8, 4, (1, 1), (1, 1), UINT2), ((f"pool{k - 1}", 0) if k else (SOURCE, 0),))
             for k in range(3)]
    twice = Dataflow(pools[0].layer.inputs[0], tuple(pools))
    choices = Choices(twice, {"pool2": {"pe": 2}}).of_layer
    assert choices["pool0"] is choices["pool1"] and len(choices["pool0"]) == 3
    assert [choice.folds for choice in choices["pool2"]] == [{"pe": 2}]


def test_a_board_that_no_prices_fill_is_refused_at_once(dataflow: Dataflow, monkeypatch: pytest.MonkeyPatch) -> None:
    tiny = replace(load_board(DEFAULT_BOARD), name="tiny", lut=10)
    solver = Solver(Choices(dataflow, {}), tiny)
    monkeypatch.setattr(solver, "cheapest", None)  # nothing is solved
    assert solver.fitting(solver.least_cycles) is None and solver.fastest() is None


def test_the_solver_goes_by_the_prices_of_the_layers(dataflow: Dataflow) -> None:
    prices, board = Prices(block=50, dsp=7), replace(load_board(DEFAULT_BOARD), lut=1000, uram=0)
    solver = Solver(Choices(dataflow, {}, built=lambda layer: layer.priced(prices)), board)
    each = dict(zip(board.use(Resources()), Rates.of(board, solver.prices, {"dsp": 3.0}).each, strict=True))
    assert each == {"lut": 1, "ff": 0.5, "bram36": 100, "uram": 1000, "dsp": 21}


def test_windows_of_other_lanes_than_the_depthwise_unit_behind_them_are_refused() -> None:
    window = layer_from_spec({"kind": "swu", "height": 4, "width": 4, "channels": 6, "kernel": [3, 2], "simd": 3,
                              "depthwise": True, "element": "int3"}, 0).layer
    unit = layer_from_spec({"kind": "vvtu", **Vvtu.example}, 1).layer
    with pytest.raises(FoldingError) as error:
        unit.behind(window)
    assert str(error.value) == (f"{unit.name}: pe=2 needs windows of as many channels at a time, and {window.name} has "
                                "simd=3; give both one number, or leave one of them out")
