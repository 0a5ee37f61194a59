"""Builds with padded channels: RTL and C++ give the integers of the network as it was, and their folding gives them
again."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import headrace as hr
from headrace.benches.network import Simulation, simulate_build
from headrace.build_folder import Build
from headrace.building import build
from headrace.dataflow.fold import Folding
from headrace.engines import golden
from headrace.errors import FoldingError, InputError
from headrace.model import Model
from headrace.network.integer import IntegerNetwork
from headrace.padded_planning import plan_padded
from headrace.request import Options, resolve
from headrace.simulation.frames import Stalls
from tests.padding.networks import bipolar_network, joined_network, residual_network
from tests.small_networks import random_input

CASES: dict[str, tuple[IntegerNetwork, Folding]] = {
    "residual": (residual_network(), {"conv0": {"channels": 20, "pe": 4}, "conv2": {"pe": 10, "simd": 5},
                                      "dw1": {"pe": 10}, "conv4": {"channels": 36, "pe": 6, "simd": 20}}),
    "joined": (joined_network(), {"conv0": {"channels": 18, "pe": 9}, "conv1": {"channels": 36, "pe": 12, "simd": 18},
                                  "conv3": {"simd": 27}}),
    "bipolar": (bipolar_network(), {"conv0": {"channels": 20, "pe": 10}, "fc3": {"simd": 72},
                                    "conv1": {"channels": 36, "pe": 18, "simd": 20}}),
}


def model_of(net: IntegerNetwork) -> Model:
    return Model(net, "0" * 64)


@pytest.fixture(scope="module", params=list(CASES))
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Build, IntegerNetwork]:
    net, folding = CASES[request.param]
    out = tmp_path_factory.mktemp("padded") / request.param
    return build(model_of(net), out, Options(folding=folding, backend="both")), net


def test_rtl_and_cpp_give_the_integers_of_the_network(made: tuple[Build, IntegerNetwork]) -> None:
    found, net = made
    assert found.record["verified"] and set(found.record["verified_by"]) == {"rtl", "hls"}
    x = random_input(net, 3, seed=5)
    wanted = golden.run(net, x)[net.output].reshape(3, -1)
    for engine in ("golden", "fast", "hls", "rtl"):
        assert np.array_equal(found.engines[engine](x), wanted), engine
    assert simulate_build(found, Simulation(frames=3, stalls=Stalls.RANDOM))["bit_exact"]


def test_the_record_says_what_is_padded(made: tuple[Build, IntegerNetwork]) -> None:
    found, net = made
    padded = found.record["padded"]
    sizes = {layer["name"]: layer["mh"] for layer in json.loads((found.folder / "build.json").read_text())["layers"]
             if "mh" in layer}
    assert padded and all([net.types[name].shape[2], sizes[name]] == counts for name, counts in padded.items())
    text = ", ".join(f"{name} {before} to {after}" for name, (before, after) in padded.items())
    assert f"padded channels: {text}" in found.summary()
    assert found.report()["padded"] == padded
    assert "<dt>padded channels</dt>" in (found.folder / "report.html").read_text()


def test_the_folding_of_a_build_gives_it_again(made: tuple[Build, IntegerNetwork], tmp_path: Path) -> None:
    found, net = made
    again = build(model_of(net), tmp_path / "again", Options(folding=found.record["folding"], backend="both"))
    assert again.record == found.record
    for path in sorted(found.folder.rglob("*.sv")) + sorted(found.folder.rglob("*.mem")):
        assert path.read_bytes() == (again.folder / path.relative_to(found.folder)).read_bytes()
    assert [layer.name for layer in Build.open(again.folder).dataflow.layers] == [
        layer["name"] for layer in found.record["layers"]]


def test_weights_from_outside_may_be_padded(tmp_path: Path) -> None:
    net, folding = CASES["residual"]
    found = build(model_of(net), tmp_path / "b", Options(board="zcu104", folding=folding, external=["conv2"]))
    assert found.record["verified"] and found.recipe.external == ("conv2",)
    assert found.record["padded"]["conv2"] == [17, 20]


def test_weights_that_the_user_writes_keep_their_shape(tmp_path: Path) -> None:
    net, folding = CASES["residual"]
    with pytest.raises(InputError, match=r"^conv4: its weights are writable, so they keep their shape; leave the "
                                         r"channels of conv0 as they are$"):
        build(model_of(net), tmp_path / "b", Options(folding=folding, writable={"conv4": "ram"}))


def test_weights_in_ultraram_may_be_padded() -> None:
    """The planner itself may put them there, and its folding is to be taken again."""
    net, folding = CASES["residual"]
    request = resolve(Options(board="zcu104", folding=folding, backend="rtl", writable={"conv2": "uram"}))
    assert plan_padded(model_of(net), request).design.recipe.writable == {"conv2": "uram"}


@pytest.mark.parametrize(("folding", "sentence"), [
    ({"conv9": {"channels": 20}}, r"^folding: channels of conv9 cannot be padded; name one of the convolutions"),
    ({"conv0": {"channels": 20, "pe": 17}}, r"^conv0: PE=17 must divide MH=20; choose one of \[1, 2, 4, 5, 10, 20\]$"),
    ({"conv0": {"channels": 2000}}, r"^conv0: channels=2000 should be 17, or more and at most 34; correct it$"),
    ({"conv0": {"channels": 20}, "conv2": {"pe": 17}}, r"^conv2: PE=17 must divide MH=20; choose one of \[1, 2, 4, 5, "
                                                       r"10, 20\] \(its channels are padded to 20 with those that they "
                                                       r"meet\)$"),
    ({"conv0": {"chanels": 20}}, r"^conv0: chanels cannot be folded; did you mean 'channels'\? choose one of \['pe', "
                                 r"'simd', 'channels'\]$"),
    ({"conv0": {"channels": 20}, "conv2": {"paralel": 1}}, r"choose one of \['pe', 'simd', 'channels'\]$"),
    ({"dw1": {"channls": 20}}, r"^dw1: channls cannot be folded; choose one of \['pe', 'simd'\]$"),
    ({"fc6": {"channls": 20}}, r"^fc6: channls cannot be folded; choose one of \['pe', 'simd'\]$"),
    ({"fc6": {"channels": 6}}, r"^fc6: channels=6 cannot be, the output keeps its channels; leave its 5"),
])
def test_a_mistake_in_a_folding_is_one_sentence(folding: Folding, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(FoldingError, match=sentence):
        hr.build(model_of(CASES["residual"][0]), tmp_path / "b", folding=folding)
