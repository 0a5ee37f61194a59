"""The kernels of all layers: no rule is broken, and no recurrence is slower than a build counts on."""

from __future__ import annotations

from pathlib import Path

import pytest

from headrace.dataflow.graph import SOURCE, Dataflow, Placed
from headrace.layers import LAYERS
from headrace.layers.base import Layer
from headrace.lint.hls import inspect_hls, precompile
from headrace.render.hls import render_hls
from headrace.render.hls_project import SLOWEST_RECURRENCE_NS
from headrace.staging import write_files
from tests.layer_battery import battery

#: Layers of a kind that are looked at; the slow test takes all.
_FEW = 3
_KINDS = sorted(set(LAYERS) - {"fifo", "fork", "add", "concat"})  # branches: test_hls.py


def check(layers: list[Layer], folder: Path, headers: Path) -> None:
    for layer in layers:
        dataflow = Dataflow(layer.inputs[0], (Placed(layer, ((SOURCE, 0),)),))
        write_files(folder / layer.name, render_hls(dataflow, 5.0, "xc7z020clg400-1", "test"))
        seen = inspect_hls(folder / layer.name, headers)
        assert seen.findings == (), layer
        assert len(seen.loops) >= 3  # both ends and the layer
        assert max(loop.recurrence_ns for loop in seen.loops) <= SLOWEST_RECURRENCE_NS, layer


@pytest.fixture(scope="module")
def headers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return precompile(tmp_path_factory.mktemp("headers"))


@pytest.mark.parametrize("kind", _KINDS)
def test_kernels_of_a_layer(tmp_path: Path, headers: Path, kind: str) -> None:
    layers = battery(kind).layers()
    check(layers[:: max(1, len(layers) // _FEW)], tmp_path, headers)


@pytest.mark.slow
@pytest.mark.parametrize("kind", _KINDS)
def test_kernels_of_all_layers(tmp_path: Path, headers: Path, kind: str) -> None:
    check(battery(kind).layers(), tmp_path, headers)
