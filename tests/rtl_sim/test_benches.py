"""The cocotb bench of every streaming layer."""

from __future__ import annotations

import subprocess
import sys

import pytest

from generator.layers import LAYERS
from generator.paths import data_folder


@pytest.mark.parametrize("kind", LAYERS)
def test_bench_of_layer(kind: str) -> None:
    script = data_folder("rtl_sim") / "tb" / "run_layer.py"
    done = subprocess.run([sys.executable, str(script), kind], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{kind}: 5 of 5 tests passed" in done.stdout
