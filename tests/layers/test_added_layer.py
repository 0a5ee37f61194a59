"""A layer of another package, made by CONTRIBUTING's recipe in tests/data/toy_layer and found by its entry point."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "data" / "toy_layer"
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
