"""Mixed precision and training: what is ranked, what is chosen, and what it costs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch")

from headrace.errors import InputError, QuantizationError  # noqa: E402
from headrace.frontend.torch.float_module import from_float_module  # noqa: E402
from headrace.quantization.ristretto import wq  # noqa: E402
from headrace.quantizing.methods import METHODS  # noqa: E402
from headrace.quantizing.mixed import Item, Mixture, choose_widths  # noqa: E402
from headrace.quantizing.problem import Problem, pose  # noqa: E402
from headrace.quantizing.runner import Runner  # noqa: E402
from headrace.quantizing.settings import Settings  # noqa: E402
from headrace.quantizing.train import Training, quantization_aware, train_cycles  # noqa: E402
from tests.quantizing.tiny import tiny_chain, tiny_data, tiny_net  # noqa: E402

MODULE = tiny_net()
DATA = tiny_data(MODULE)
NAMES = ("first", "second", "left", "right", "last")


MIXED = Settings("wq", 8, 8, mixed=(2, 8), learning_rate=0.001)


@pytest.fixture(scope="module")
def problem() -> Problem:
    return pose(from_float_module(MODULE, DATA[0][0]), DATA, 64)


def choose(problem: Problem, settings: Settings = MIXED) -> Mixture:
    return choose_widths(problem, METHODS["wq"].at, settings, DATA)


def names(items: tuple[Item, ...]) -> tuple[str, ...]:
    return tuple(item.names[0] for item in items)


def test_rankings(problem: Problem) -> None:
    ranges = {name: np.ptp(op.weights) for name, op in problem.net.layers.items()}
    by_range = names(choose(problem, replace(MIXED, select="range")).order)
    assert [ranges[name] for name in by_range] == sorted(ranges.values())
    sqnr = {name: -wq(op.weights, 2, 4).errors[wq(op.weights, 2, 4).candidates.index(wq(op.weights, 2, 4).frac_bits)]
            / np.square(op.weights).sum() for name, op in problem.net.layers.items()}
    by_sqnr = names(choose(problem, replace(MIXED, select="sqnr")).order)
    assert by_sqnr == tuple(sorted(sqnr, key=lambda name: -sqnr[name]))
    assert sorted(names(choose(problem, replace(MIXED, select="weight-difference")).order)) == sorted(NAMES)


def test_a_search_takes_what_the_allowed_loss_permits(problem: Problem) -> None:
    all_low = choose(problem, replace(MIXED, select="range", accuracy_drop=100.0))
    assert len(all_low.low) == 5 and set(all_low.widths.weights.values()) == {2}
    allowed = dict(all_low.trace)[5] - 1 / 64  # one sample less than all layers lose
    some = choose(problem, replace(MIXED, select="range", accuracy_drop=100 * allowed))
    assert len(some.low) < 5 and names(some.low) == names(some.order)[: len(some.low)]
    for count, loss in some.trace:
        assert (loss <= allowed) == (count <= len(some.low))
    assert {name: some.widths.weights[name] for name in names(some.low)} == dict.fromkeys(names(some.low), 2)
    counted = choose(problem, replace(MIXED, select="range", search="count", count=2))
    assert len(counted.low) == 2 and counted.evaluations == 0


def test_one_at_a_time_spends_an_evaluation_per_layer(problem: Problem) -> None:
    alone = choose(problem, replace(MIXED, select="one-at-a-time"))
    cheap = choose(problem, replace(MIXED, select="weight-difference"))
    assert alone.evaluations >= 5 > cheap.evaluations and (alone.cycles, cheap.cycles) == (0, 1)


def test_training_ranks_from_the_high_width_too(problem: Problem) -> None:
    high = choose(problem, replace(MIXED, select="weight-difference", start="high", search="halving", cycles=2))
    assert high.cycles == 2 and len(high.low) <= 2 and sorted(names(high.order)) == sorted(NAMES)


@pytest.mark.parametrize("mixed_maps", [False, True])
def test_an_sqnr_threshold_moves_more_the_higher_it_is(problem: Problem, mixed_maps: bool) -> None:
    low = [len(choose(problem, replace(MIXED, sqnr_threshold_db=db, mixed_maps=mixed_maps)).low)
           for db in (-np.inf, 6.0, 9.0, np.inf)]
    assert low[0] == (11 if mixed_maps else 5) and low[-1] == 0 and low == sorted(low, reverse=True)
    assert low[0] > low[1] or low[1] > low[2]
    assert choose(problem, replace(MIXED, sqnr_threshold_db=6.0)).evaluations == 0


def test_branches_of_a_concatenation_keep_one_width(problem: Problem) -> None:
    widths = choose(problem, replace(MIXED, mixed_maps=True, accuracy_drop=3.0)).widths
    assert widths.tensors["relu_3"] == widths.tensors["relu_4"]


def test_selection_needs_labels_and_a_legal_count() -> None:
    bare = pose(from_float_module(MODULE, DATA[0][0]), [x for x, _ in DATA], 64)
    with pytest.raises(InputError, match="mixed precision within an accuracy drop needs labels"):
        choose(bare)
    with pytest.raises(QuantizationError, match="count=9 low-precision layers cannot be taken from 5"):
        choose(bare, replace(MIXED, search="count", count=9))


def test_training_is_deterministic_and_leaves_the_network_alone() -> None:
    runner = Runner(from_float_module(MODULE, DATA[0][0]))
    before = {name: weight.clone() for name, (weight, _) in runner.parameters.items()}
    one, other = ([cycle["first"][0] for cycle in train_cycles(runner, DATA, Training(2, 0.01))] for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(one, other, strict=True)) and not torch.equal(one[0], one[1])
    assert all(torch.equal(before[name], weight) for name, (weight, _) in runner.parameters.items())
    with pytest.raises(QuantizationError, match=r"training: the loss is .*; use a smaller learning rate"):
        list(train_cycles(runner, DATA, Training(40, 1e30)))


def test_training_through_quantizers_helps_the_quantized_network() -> None:
    module = tiny_chain()
    data = tiny_data(module, batches=8)
    problem = pose(from_float_module(module, data[0][0]), data, 128, join_sums=True)
    x, labels = problem.kept.x, problem.kept.require_labels("this")
    before = METHODS["affine"].at(problem, problem.widths(2, 3, 8), Settings("affine"))
    after = quantization_aware(before, data, Training(20, 0.02))
    assert after.accuracy(x, labels) > before.accuracy(x, labels)
    assert any(not np.array_equal(weight.codes, before.plan.weights[name].codes)
               for name, weight in after.plan.weights.items())
    for name, weight in after.plan.weights.items():
        assert np.array_equal(weight.scale, before.plan.weights[name].scale) and weight.dtype.contains(weight.codes)
