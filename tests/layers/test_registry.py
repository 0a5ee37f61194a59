
from __future__ import annotations

from pathlib import Path

import pytest

from headrace.layers import LAYERS
from headrace.layers.registry import known_layers
from headrace.layers.spec import example_layer

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("kind", LAYERS)
def test_every_layer_has_its_four_files(kind: str) -> None:
    for path in (f"generator/headrace/layers/{kind}.py", f"hls_templates/include/{kind}.hpp",
                 f"rtl_sim/rtl/layers/headrace_{kind}.sv", f"tests/layers/test_{kind}.py"):
        assert (ROOT / path).is_file(), path


@pytest.mark.parametrize("kind", LAYERS)
def test_every_layer_has_an_example(kind: str) -> None:
    layer = example_layer(kind)
    assert layer.kind == kind and layer.cycles < 500  # a bench of all of them takes seconds


def test_without_entry_points_the_layers_are_those_that_come_with_headrace() -> None:
    assert known_layers() == LAYERS
