"""Plans pad channels where that clearly pays, and leave all other networks as they are."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from unittest import mock

import numpy as np
import pytest

from headrace import padded_planning, serialize
from headrace.__main__ import main
from headrace.datatypes import Interval, uint_type
from headrace.errors import FoldingError, InputError
from headrace.fitting import require_fit
from headrace.model import Model
from headrace.network.integer import HostOutput, IntegerNetwork, MaxPool, Node
from headrace.padded_planning import plan_padded
from headrace.padding.folds import split_channels, with_channels
from headrace.padding.variants import shrunk, variants
from headrace.planning import Planned, plan_design
from headrace.request import Options, Request, resolve
from tests.padding.networks import bipolar_network, residual_network
from tests.small_networks import host_input, random_conv, random_threshold
from tests.test_planning import board

INT4 = Interval(-7, 7)


def pruned(*channels: int) -> IntegerNetwork:
    """3x3 convolutions to so many channels each, a maximum behind the second, and 10 classes."""
    rng = np.random.default_rng(0)
    nodes: list[Node] = []
    source, before = "input", 3
    for k, count in enumerate(channels):
        nodes += [Node(f"conv{k}", random_conv(rng, (count, 3, 3, before), INT4, pad=(1, 1, 1, 1)), (source,)),
                  Node(f"act{k}", random_threshold(rng, count, uint_type(4), 400), (f"conv{k}",))]
        source, before = f"act{k}", count
        if k == 1:
            nodes.append(Node("pool1", MaxPool((2, 2), (2, 2)), (source,)))
            source = "pool1"
    nodes.append(Node("fc", random_conv(rng, (10, 8, 8, before), INT4), (source,)))
    output = HostOutput((10,), np.ones(10), np.zeros(10))
    return IntegerNetwork(host_input(16, 16, 3, uint_type(8)), tuple(nodes), output)


@pytest.fixture(scope="module")
def model() -> Model:
    return Model(pruned(37, 37, 74), "0" * 64)


def price(planned: Planned) -> float:
    used = planned.request.board.use(planned.resources)
    return sum(planned.request.recipe.prices.each[name] * count for name, (count, _) in used.items())


def channels_of(planned: Planned) -> Mapping[str, int]:
    return split_channels(planned.design.recipe.folding)[0]


def test_a_board_is_filled_with_fewer_cycles(model: Model) -> None:
    request = resolve(Options(board="ultra96v2"))
    plain, found = plan_design(model, request), plan_padded(model, request)
    assert found.fits and channels_of(found)
    assert found.design.cycles_per_frame < 0.95 * plain.design.cycles_per_frame


def test_of_padded_forms_only_faster_plans_are_looked_at(model: Model) -> None:
    """Slower folds of their layers are most of what could be counted."""
    request = resolve(Options(board="ultra96v2"))
    with mock.patch.object(padded_planning, "plan_design", side_effect=plan_design) as planned:
        found = plan_padded(model, request)
    plain, *forms = [call.args[1].max_cycles for call in planned.call_args_list]
    assert plain == 0 and len(forms) >= 2
    assert 0 < max(forms) < 0.98 * plan_design(model, request).design.cycles_per_frame + 1
    assert forms == sorted(forms, reverse=True) and forms[-1] >= found.design.cycles_per_frame
    assert found.request.max_cycles == 0


def test_where_exact_fifos_do_not_fit_at_the_pace_slower_plans_are_looked_at(model: Model) -> None:
    request = resolve(Options(board="ultra96v2"))

    def plan(form: Model, wanted: Request, progress: object = None, estimate_fifos: bool = False) -> Planned:
        if wanted.max_cycles and not estimate_fifos:
            raise FoldingError("the exact FIFOs alone do not fit")
        return plan_design(form, wanted, estimate_fifos=estimate_fifos)

    with mock.patch.object(padded_planning, "plan_design", plan):
        assert channels_of(plan_padded(model, request))


def test_a_pace_takes_less_hardware(model: Model) -> None:
    request = resolve(Options(board="kv260", fps=20_000))
    plain, found = plan_design(model, request), plan_padded(model, request)
    assert found.fits and channels_of(found)
    assert found.design.cycles_per_frame <= request.cycles  # type: ignore[operator]
    assert price(found) < 0.97 * price(plain)


def test_the_plan_is_that_of_its_folding(model: Model) -> None:
    found = plan_padded(model, resolve(Options(board="kv260", fps=20_000)))
    given = plan_padded(model, resolve(Options(board="kv260", folding=found.plan.folding)))
    assert given.design.recipe.record() == found.design.recipe.record()
    assert given.resources == found.resources


def test_channels_with_divisors_enough_are_planned_as_they_are() -> None:
    model = Model(pruned(16, 24, 88), "0" * 64)
    assert variants(model.integer) == ()
    with mock.patch.object(padded_planning, "_Search") as search:
        for request in (resolve(Options()), resolve(Options(board="kv260")), resolve(Options(fps=1000))):
            assert plan_padded(model, request).design.recipe.record() == (
                plan_design(model, request).design.recipe.record())
    assert not search.called


def test_what_gains_nothing_is_not_padded(model: Model) -> None:
    """At a pace that PE = SIMD = 1 has, more channels only cost."""
    assert not channels_of(plan_padded(model, resolve(Options(fps=1))))
    assert not channels_of(plan_padded(Model(residual_network(), "0" * 64)))


def test_padding_is_not_tried_where_it_cannot_be() -> None:
    """The border of the frame, other than the channels; the output; few channels; weights that the user writes."""
    assert all("conv0" not in form for form in variants(bipolar_network(pad_value=1)))
    assert all("conv0" in form for form in variants(bipolar_network()))
    net = pruned(37, 37, 5)
    assert all(set(form) == {"conv0", "conv1"} for form in variants(net))
    assert variants(net, frozenset({"conv1"})) == ()
    assert all(set(form) == {"conv1"} for form in variants(net, frozenset({"conv0"})))


def test_no_more_is_padded_than_the_folding_takes() -> None:
    net = pruned(37, 37, 74)
    channels = {"conv0": 40, "conv1": 40, "conv2": 80}
    assert shrunk(net, channels, {"conv0": {"pe": 8}, "conv1": {"pe": 37}}) == {"conv0": 40}
    assert shrunk(net, channels, {"conv0": {"pe": 3}, "conv2": {"pe": 4}}) == {"conv0": 39, "conv2": 76}
    assert shrunk(net, channels, {}) == {}


def test_the_command_says_what_is_padded(model: Model, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    serialize.save(model.integer, tmp_path / "pruned")
    path = str(tmp_path / "pruned.json")
    assert main(["plan", path, "--board", "kv260", "--fps", "20000", "--json"]) == 0
    point = json.loads(capsys.readouterr().out)[0]
    assert point["padded"] and all(point["folding"][name]["channels"] == after
                                   for name, (_, after) in point["padded"].items())
    assert main(["plan", path, "--board", "kv260", "--fps", "20000"]) == 0
    name, (before, after) = next(iter(point["padded"].items()))
    assert f"padded channels: {name} {before} to {after}" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("name", ["ultra96v2", "pynq-z2"])
def test_the_rate_that_would_fit_is_that_of_the_filled_board(model: Model, name: str) -> None:
    """With padded channels, and as it may be asked for."""
    filled, plain = (plan(model, resolve(Options(board=name))) for plan in (plan_padded, plan_design))
    cycles = filled.design.cycles_per_frame
    assert channels_of(filled) and cycles < plain.design.cycles_per_frame
    with pytest.raises(InputError, match=rf"; (\d+) fps \({cycles} cycles per frame\) would fit {name}; ") as error:
        require_fit(model, plan_padded(model, resolve(Options(board=name, fps=600_000))))
    advised = re.search(r"(\d+) fps", str(error.value))
    assert advised is not None
    found = plan_padded(model, resolve(Options(board=name, fps=float(advised[1]))))
    assert found.fits and found.design.cycles_per_frame <= cycles


def test_weights_outside_are_advised_where_they_make_room(model: Model, tmp_path: Path) -> None:
    """Nine block RAMs do not hold the weights of padded layers either, but what else these have."""
    convs = ("conv0", "conv1", "conv2")
    for padding in ({}, {"conv0": 40, "conv1": 40, "conv2": 80}):
        folding = with_channels({name: {"pe": 1, "simd": 1} for name in convs}, padding)
        request = resolve(Options(board=board(tmp_path, 60000, uram=0, bram36=9, dsp=300), folding=folding))
        with pytest.raises(InputError, match="--weights external makes room; --overfull"):
            require_fit(model, plan_padded(model, request))
        outside = replace(request, options=replace(request.options, weights="external"))
        assert plan_padded(model, outside).fits
