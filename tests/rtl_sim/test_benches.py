"""The cocotb bench of the streaming layers, with every one of them."""

from __future__ import annotations

import subprocess
import sys

import pytest

from headrace.layers import LAYERS
from headrace.paths import data_folder


@pytest.fixture(scope="module")
def output() -> str:
    """What the benches of all layers print; they share one compiled model, which takes most of the time."""
    script = data_folder("rtl_sim") / "tb" / "run_layer.py"
    done = subprocess.run([sys.executable, str(script), *LAYERS], capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


@pytest.mark.parametrize("kind", LAYERS)
def test_bench_of_layer(output: str, kind: str) -> None:
    assert f"{kind}: 5 of 5 tests passed" in output.splitlines(), output
