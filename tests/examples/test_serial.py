"""The example of a board behind a serial port, on a simulated board."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import headrace as hr
from headrace.sources import function_from_file
from tests.small_networks import small_network
from tests.unverified_build import write_unverified

ROOT = Path(__file__).parents[2]


def on_serial(build: Path, *options: str) -> str:
    command = [sys.executable, str(ROOT / "examples" / "serial" / "on_serial.py"), str(build), *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_small_network(tmp_path: Path) -> None:
    built = write_unverified(tmp_path / "b", small_network(), "rtl")
    assert on_serial(built.folder) == "self-test: exact; 50 samples: exact\n"


@pytest.mark.slow
def test_digits_on_a_board_without_a_processor(tmp_path: Path) -> None:
    """A whole build for such a board: 50 digits through the driver that it holds."""
    example = ROOT / "examples" / "digits" / "model.py"
    images, _ = function_from_file(example, "held_out")()
    np.save(tmp_path / "digits.npy", images[:50])
    model = hr.load(f"{example}:trained")
    hr.build(model, out=tmp_path / "b", fps=20_000, backend="rtl", board="ulx3s-85f", clock_mhz=25)
    printed = on_serial(tmp_path / "b", "--samples", str(tmp_path / "digits.npy"))
    assert printed == "self-test: exact; 50 samples: exact\n"
    page = (tmp_path / "b" / "driver" / "README.md").read_text()
    assert 'Accelerator.on_serial("/dev/ttyUSB0")' in page and "bootgen" not in page
    assert "by the commands READ and WRITE" in (tmp_path / "b" / "driver" / "registers.md").read_text()
