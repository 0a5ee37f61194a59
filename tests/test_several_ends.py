"""Models of several inputs and outputs, from the graph to verified hardware."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

import headrace as hr
from headrace.archive import npz_bytes
from headrace.building import random_frames
from headrace.dataflow.fold import fold
from headrace.dataflow.insert_fifos import insert_fifos
from headrace.dataflow.lower import lower
from headrace.datatypes import uint_type
from headrace.engines import golden
from headrace.errors import InputError, UnsupportedError
from headrace.layers import Concat, Take
from headrace.model import load
from headrace.network.graph import Network
from headrace.network.ops import RELU
from headrace.samples import GivenSamples, read_samples
from headrace.serialize import digest, save
from headrace.serialize import load as load_saved
from headrace.streamline.streamline import streamline
from headrace.timing.cycle_model import CycleModel
from headrace.timing.fifo_sizing import size_fifos
from tests.several_ends import NETWORKS, conv, named, quantizer, samples

KINDS = list(NETWORKS)


def given(network: Network, x: dict[str, np.ndarray]) -> np.ndarray | dict[str, np.ndarray]:
    return x if len(network.inputs) > 1 else next(iter(x.values()))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("engine", ["fast", "golden"])
def test_outputs_are_those_of_the_graph(kind: str, engine: str) -> None:
    network = NETWORKS[kind]
    x = samples(network, 5)
    y = load(network).predict(given(network, x), engine=engine)
    wanted = network.forward_by_name(x)
    if len(wanted) == 1:
        np.testing.assert_array_equal(y, network.forward(x).astype(np.float32))
        return
    assert list(y) == list(network.output_names) == list(wanted)
    for name, values in wanted.items():
        if name == "classes":  # the only one that is not a sum of powers of two
            np.testing.assert_allclose(y[name], values, rtol=1e-6)
        else:
            np.testing.assert_array_equal(y[name], values.astype(np.float32))


@pytest.mark.parametrize("kind", KINDS)
def test_the_dataflow_gives_the_integers_of_the_network(kind: str) -> None:
    net = load(NETWORKS[kind]).integer
    dataflow = lower(net)
    q = random_frames(dataflow, 3, seed=2)
    wanted = golden.run(net, q)[net.output].reshape(3, -1)
    np.testing.assert_array_equal(dataflow.golden(q)[dataflow.output_port], wanted)


def test_raw_integers_have_the_names_of_the_outputs() -> None:
    network = NETWORKS["detector"]
    raw = load(network).predict(samples(network, 2)["image"], raw=True)
    assert {name: values.shape for name, values in raw.items()} == {
        "fine": (2, 192), "coarse": (2, 96), "codes": (2, 256), "classes": (2, 5), "again": (2, 96), "label": (2, 5)}
    assert raw["codes"].dtype == np.int64
    np.testing.assert_array_equal(raw["coarse"], raw["again"])


def test_one_output_stays_an_array() -> None:
    network = NETWORKS["image_and_vector"]
    assert load(network).predict(samples(network, 2)).shape == (2, 4)


def test_layers_that_follow_one_another_on_the_stream() -> None:
    dataflow = lower(load(NETWORKS["detector"]).integer)
    (join,) = Concat.among(dataflow.layers)
    assert (join.name, join.pixels, join.channels) == ("outputs", 1, (192, 96, 256, 5, 96, 5))
    assert join.elements[2] == uint_type(2)  # it is widened where it joins the others, not before
    parts = Take.among(lower(load(NETWORKS["two_images"]).integer).layers)
    assert [(part.name, part.first, part.count, str(part.output)) for part in parts] == [
        ("input0", 0, 72, "int4"), ("input1", 72, 108, "uint7")]


@pytest.mark.parametrize("kind", KINDS)
def test_fifos_hold_what_is_early_at_the_pace_of_the_slowest_layer(kind: str) -> None:
    """An early head waits, and so does the first of two inputs that meet; the smallest FIFOs that do not stop it."""
    dataflow = fold(lower(load(NETWORKS[kind]).integer), {})
    sizing = size_fifos(dataflow)
    assert sizing.cycles_per_frame == dataflow.cycles_per_frame
    built = insert_fifos(dataflow, sizing.depths)
    assert CycleModel(built).steady().deadlock is None
    assert CycleModel(built, bare=True).steady().deadlock is None


def test_an_early_head_waits_for_a_whole_frame() -> None:
    dataflow = fold(lower(load(NETWORKS["detector"]).integer), {})
    smallest = size_fifos(dataflow).smallest
    assert smallest["outputs_fifo2"] > 64  # the inner codes, which are there before the heads in front of them


@pytest.mark.parametrize("kind", KINDS)
def test_saved_networks_are_the_same(kind: str, tmp_path: Path) -> None:
    net = load(NETWORKS[kind]).integer
    save(net, tmp_path / "net")
    assert digest(load_saved(tmp_path / "net")) == digest(net)
    save(NETWORKS[kind], tmp_path / "graph")
    assert digest(load_saved(tmp_path / "graph")) == digest(NETWORKS[kind])


@pytest.mark.parametrize("kind", ["detector", "two_images"])
def test_both_back_ends_build_and_verify(kind: str, tmp_path: Path) -> None:
    network = NETWORKS[kind]
    build = hr.build(load(network), out=tmp_path / "b", backend="both", verify=2, fps=100_000)
    assert build.record["verified"]
    record = json.loads((tmp_path / "b" / "build.json").read_text())
    assert [item["name"] for item in record["outputs"]] == list(network.output_names)
    assert [tuple(item["shape"]) for item in record["inputs"]] == [item.shape for item in network.inputs]
    x = given(network, samples(network, 2))
    wanted = build.model.predict(x)
    for name, values in build.predict(x, engine="rtl").items():
        np.testing.assert_array_equal(values, wanted[name])


def test_samples_to_verify_with_are_named(tmp_path: Path) -> None:
    network = NETWORKS["image_and_vector"]
    build = hr.build(load(network), out=tmp_path / "b", verify=2, verify_input=samples(network, 3))
    assert build.record["vectors"] == 2


@pytest.mark.parametrize(("x", "sentence"), [
    (np.zeros((2, 2, 6, 6)), "the model takes several inputs, left and right; give a dict of arrays, or an .npz file, "
                             "by these names"),
    ({"left": np.zeros((2, 2, 6, 6))}, "the input right is missing; the model takes left and right"),
    ({"left": np.zeros((2, 2, 6, 6)), "centre": np.zeros((2, 3, 6, 6))},
     "the model has no input centre; it takes left and right"),
    ({"left": np.zeros((2, 2, 6, 6)), "right": np.zeros((2, 2, 6, 6))},
     "the input right has shape (2, 2, 6, 6) but the model takes (N, 3, 6, 6); reshape it"),
    ({"left": np.zeros((2, 2, 6, 6)), "right": np.zeros((1, 3, 6, 6))},
     "the numbers of samples differ: 2 of left, 1 of right; give equally many of each"),
    ({"left": np.zeros((1, 2, 6, 6)), "right": np.full((1, 3, 6, 6), np.nan)},
     "the input right holds values that are not finite; remove them"),
])
def test_samples_that_do_not_fit_are_one_sentence(x: GivenSamples, sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        load(NETWORKS["two_images"]).predict(x)
    assert str(caught.value) == sentence


def test_an_input_that_nothing_reads_is_named() -> None:
    network = named({"x": (1, 3, 3), "unread": (2,)}, {"y": "c"}, q=(quantizer(uint_type(2)), "x"), r=(RELU, "q"),
                    c=(conv(0, 1, 1), "r"))
    with pytest.raises(UnsupportedError) as caught:
        streamline(network)
    assert str(caught.value) == "the input unread reaches no output; take it out of the model"


def test_more_outputs_than_a_layer_joins() -> None:
    nodes = {f"c{k}": (conv(k, 1 + k % 3, 1), "q") for k in range(20)}
    network = named({"x": (1, 4, 4)}, {f"y{k}": f"c{k}" for k in range(20)}, q=(quantizer(uint_type(2)), "x"), **nodes)
    net = load(network).integer
    dataflow = lower(net)
    q = random_frames(dataflow, 2, seed=3)
    wanted = golden.run(net, q)[net.output].reshape(2, -1)
    np.testing.assert_array_equal(dataflow.golden(q)[dataflow.output_port], wanted)
    assert Counter(len(join.channels) for join in Concat.among(dataflow.layers))[8] == 1


def test_files_of_samples(tmp_path: Path) -> None:
    network = NETWORKS["two_images"]
    x = samples(network, 2)
    (tmp_path / "x.npz").write_bytes(npz_bytes(x))
    save(network, tmp_path / "net")
    command = ["predict", str(tmp_path / "net.json"), "--input", str(tmp_path / "x.npz"), "--output"]
    from headrace.cli.main import run

    assert run([*command, str(tmp_path / "y.npz")]) == 0
    y = read_samples(tmp_path / "y.npz")
    wanted = load(network).predict(x)
    assert list(y) == ["y", "map"]
    for name in wanted:
        np.testing.assert_array_equal(y[name], wanted[name])
    with pytest.raises(InputError) as caught:
        run([*command, str(tmp_path / "y.npy")])
    assert str(caught.value) == (f"{tmp_path / 'y.npy'}: the model has the outputs y, map, which one array does not "
                                 "hold; give --output NAME.npz")
