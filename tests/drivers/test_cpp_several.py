"""The C++ driver of models with several inputs and outputs: maps by name, through the simulated board."""

from __future__ import annotations

import re
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import headrace as hr
from headrace.board.board import load_board
from headrace.dataflow.lower import lower
from headrace.dataflow.vectors import Vectors
from headrace.datatypes import BIPOLAR, int_type
from headrace.drivers.render import render_driver, write_driver
from headrace.engines.host import from_stream
from headrace.model import load
from headrace.network.integer import HostOutput, HostOutputs, IntegerNetwork
from tests.drivers.test_cpp import HERE, compiled, compiler
from tests.several_ends import NETWORKS, dense, named, quantizer, samples
from tests.small_networks import random_input
from tests.unverified_build import write_unverified

FRAMES = 5
#: An input of too many codes for decision points beside signs, which are numbers among them.
WIDE = named({"wide": (4,), "signs": (3,)}, {"y": "y", "z": "z"},
             qw=(quantizer(int_type(20), 2.0**-16), "wide"), y=(dense(2, 4, 4), "qw"),
             qs=(quantizer(BIPOLAR, 1.0), "signs"), z=(dense(3, 2, 3), "qs"))
DRIVEN = NETWORKS | {"wide_and_signs": WIDE}
REFUSALS = {
    "detector": ["the model takes image; give a map of samples by these names",
                 "image has 511 values but a sample 128; give one or more whole samples"],
    "two_images": ["the model takes left and right; give a map of samples by these names",
                   "the inputs have different numbers of samples; give equally many of each",
                   "right has 431 values but a sample 108; give one or more whole samples"],
    "image_and_vector": ["the model takes image and state; give a map of samples by these names",
                         "the inputs have different numbers of samples; give equally many of each",
                         "state has 11 values but a sample 3; give one or more whole samples"],
    "wide_and_signs": ["the model takes wide and signs; give a map of samples by these names",
                       "the inputs have different numbers of samples; give equally many of each",
                       "signs has 11 values but a sample 3; give one or more whole samples"],
}


@pytest.fixture(scope="module", params=list(REFUSALS))
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def built(kind: str, tmp_path_factory: pytest.TempPathFactory) -> hr.Build:
    net = load(DRIVEN[kind]).integer
    return write_unverified(tmp_path_factory.mktemp("driver") / "b", net, "rtl", cycles=3000)


def headless(output: HostOutput) -> HostOutput:
    """The output without the operation at its end, which C++ leaves to its user."""
    return replace(output, head="none", result=None)


def test_outputs_and_integers_by_name(built: hr.Build, kind: str, program: Path, tmp_path: Path) -> None:
    cpp = built.folder / "driver" / "cpp"
    driver = compiled(HERE / "several_driver.cpp", tmp_path, built)
    x = samples(DRIVEN[kind], FRAMES)
    command = [driver, program, built.folder / "rtl", cpp / "input.bin", cpp / "golden.bin"]
    for name, values in x.items():
        (tmp_path / name).write_bytes(values.tobytes())
        command += [Path(name), tmp_path / name]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    verdict, difference, *lines = done.stdout.splitlines()
    assert verdict == "exact"
    given = built.predict(x if len(x) > 1 else x["image"], engine="golden", raw=True)
    outputs = built.model.integer.host_outputs
    last = f"output {outputs[-1].name}, " if len(outputs) > 1 else ""
    assert re.match(rf"frame \d+, {last}pixel \d+, channel \d: the board gives", difference)
    integers = given if isinstance(given, dict) else {outputs[0].name: given}
    for output, line in zip(outputs, lines, strict=False):
        assert np.array_equal(np.array(line.split(), np.int64), integers[output.name].reshape(-1)), output.name
    for output, line in zip(outputs, lines[len(outputs) :], strict=False):
        wanted = from_stream(headless(output), integers[output.name])
        assert np.array_equal(np.array(line.split(), np.float32), np.asarray(wanted).reshape(-1)), output.name
    assert lines[2 * len(outputs) :] == REFUSALS[kind]


def folder_of(net: IntegerNetwork, folder: Path) -> Path:
    write_driver(folder, render_driver(net, Vectors(lower(net), random_input(net, 1)), load_board("zcu104"), "0" * 64))
    return folder / "cpp"


def test_one_array_does_not_compile_and_any_name_does(tmp_path: Path) -> None:
    net = load(NETWORKS["two_dense"]).integer
    assert isinstance(net.host_output, HostOutputs)
    parts = tuple(replace(part, name=f'{part.name}"/\\\n\u00e9') for part in net.host_output.parts)
    cpp = folder_of(replace(net, host_output=HostOutputs(parts)), tmp_path / "driver")
    done = compiler(HERE / "packing.cpp", tmp_path / "packing", cpp)
    assert done.returncode == 0, done.stderr
    done = compiler(HERE / "sim_driver.cpp", tmp_path / "sim_driver", cpp)
    assert done.returncode and "the model has several inputs or outputs: give a map of samples by their" in done.stderr
