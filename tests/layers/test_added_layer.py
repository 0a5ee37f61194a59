"""A layer of another package, made by CONTRIBUTING's recipe in tests/data/toy_layer and found by its entry point."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "tests" / "data" / "toy_layer"
SPEC = [{"kind": "toy", "lanes": 3, "element": "uint4", "words": 5}]


def headrace_layer(work: Path, *folders: Path) -> subprocess.CompletedProcess[str]:
    """`headrace layer` on SPEC with other packages on the path."""
    (work / "spec.json").write_text(json.dumps(SPEC))
    path = os.pathsep.join([*map(str, folders), *sys.path])
    return subprocess.run([sys.executable, "-m", "headrace", "layer", str(work / "spec.json")], cwd=work,
                          env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True, check=False)


def test_both_back_ends_run_an_added_layer(tmp_path: Path) -> None:
    package = tmp_path / "outside"
    shutil.copytree(FOLDER, package)
    done = headrace_layer(tmp_path, package)
    assert done.returncode == 0, done.stderr
    assert "toy0" in done.stdout


def test_a_wrong_kernel_of_an_added_layer_is_found(tmp_path: Path) -> None:
    package = tmp_path / "outside"
    shutil.copytree(FOLDER, package)
    module = package / "headrace_toy.sv"
    module.write_text(module.read_text().replace("~s_axis_TDATA[BITS-1:0]", "s_axis_TDATA[BITS-1:0]"))
    done = headrace_layer(tmp_path, package)
    assert done.returncode == 1 and "toy0" in done.stderr


#: Builds a network with the layer between two others and compares both back ends with the golden words of every stream.
BUILD = """
from pathlib import Path
from headrace.atomic_files import write_files
from headrace.building import random_frames
from headrace.dataflow.vectors import Vectors
from headrace.layers.spec import layer_from_spec
from headrace.render.hls import render_hls
from headrace.render.rtl import render_rtl
from headrace.simulation.backends import verify_hls, verify_rtl
from tests.small_dataflows import chain

specs = [{"kind": "dwc", "in_lanes": 5, "out_lanes": 3, "element": "uint4", "words": 3},
         {"kind": "toy", "lanes": 3, "element": "uint4", "words": 5},
         {"kind": "fifo", "lanes": 3, "element": "uint4", "words": 5, "depth": 4}]
dataflow = chain([layer_from_spec(spec, k).layer for k, spec in enumerate(specs)])
vectors = Vectors(dataflow, random_frames(dataflow, 4, 1))
write_files(Path("rtl"), render_rtl(dataflow, "a test"))
write_files(Path("hls"), render_hls(dataflow, 5.0, "xczu7ev-ffvc1156-2-e", "a test"))
for name in ("r", "h"):
    Path(name).mkdir()
verify_rtl(Path(), vectors, Path("r"))
verify_hls(Path(), vectors, Path("h"), scheduled=True)
"""


def test_a_network_is_built_with_an_added_layer(tmp_path: Path) -> None:
    package = tmp_path / "outside"
    shutil.copytree(FOLDER, package)
    path = os.pathsep.join([str(package), str(ROOT), *sys.path])
    done = subprocess.run([sys.executable, "-c", BUILD], cwd=tmp_path, env=os.environ | {"PYTHONPATH": path},
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "rtl" / "headrace_toy.sv").is_file() and (tmp_path / "hls" / "include" / "toy.hpp").is_file()
    assert "headrace_toy #(" in (tmp_path / "rtl" / "top.sv").read_text()


@pytest.mark.parametrize(("entry", "sentence"), [
    ("toy = toy:Path", "entry point toy of headrace.layers: toy:Path is not a layer of this kind; name a subclass of "
                       "headrace.layers.base.Layer by its kind"),
    ("other = toy:Toy", "entry point other of headrace.layers: toy:Toy is not a layer of this kind; name a subclass of "
                        "headrace.layers.base.Layer by its kind"),
])
def test_an_entry_point_that_is_no_layer_is_named(tmp_path: Path, entry: str, sentence: str) -> None:
    package = tmp_path / "outside"
    shutil.copytree(FOLDER, package)
    (package / "headrace_toy-1.dist-info" / "entry_points.txt").write_text(f"[headrace.layers]\n{entry}\n")
    done = headrace_layer(tmp_path, package)
    assert done.returncode == 1 and done.stdout == "" and sentence in " ".join(done.stderr.split())
