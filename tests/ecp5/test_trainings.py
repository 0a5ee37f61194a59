"""Two trainings of the digits: the second one's weights in the bitstream of the first one, on a board, pin to pin."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import headrace as hr
from headrace.benches.serial_board import compile_routed_board, serial_board
from headrace.build_folder import Build
from headrace.ecp5.flow import FOLDER, SWAPPED, Options, make_routed, make_swapped
from headrace.sources import function_from_file

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
BOARD = "ulx3s-85f"


def trained(folder: Path, seed: int, epochs: int) -> Build:
    """A build of the example, trained with another seed: all weights and thresholds are contents of memories."""
    path = folder / "examples" / "digits" / "model.py"
    path.parent.mkdir(parents=True)
    text = (ROOT / "examples" / "digits" / "model.py").read_text()
    assert "SEED = 3\nEPOCHS = 60\n" in text
    path.write_text(text.replace("SEED = 3\nEPOCHS = 60\n", f"SEED = {seed}\nEPOCHS = {epochs}\n"))
    model = hr.load(f"{path}:trained")
    layers = {layer.name: "ram" for layer in model.unfolded.layers if layer.kind == "mvtu"}
    return hr.build(model, folder / "accelerator", board=BOARD, fps=2000, clock_mhz=25, writable=layers)


def test_another_training_on_the_board(tmp_path: Path, importable: None) -> None:
    from headrace_driver import Accelerator, AcceleratorError

    first, second = (trained(tmp_path / str(seed), seed, epochs=3) for seed in (3, 4))
    assert first.record["source_sha256"] != second.record["source_sha256"]
    make_routed(first, BOARD, Options(clock_mhz=30))  # by a PLL; the swap does not ask for the clock
    first = Build.open(first.folder)
    swapped = make_swapped(first, second, BOARD, Options())
    assert swapped["read_back"] and swapped["weights_from"] == second.record["source_sha256"]

    images, _ = function_from_file(tmp_path / "3" / "examples" / "digits" / "model.py", "held_out")()
    golden = [build.predict(images[:50], engine="golden") for build in (first, second)]
    assert not np.array_equal(*golden)
    program = compile_routed_board(first, tmp_path, first.folder / FOLDER / SWAPPED)
    drivers = [build.folder / "driver" / "headrace_driver" for build in (first, second)]
    refusal = pytest.raises(AcceleratorError, match=r"the board holds model [0-9a-f]+ but this driver is for")
    with serial_board(program, tmp_path) as (port, _), refusal:
        Accelerator.on_serial(port, drivers[0])
    with serial_board(program, tmp_path) as (port, _):
        accelerator = Accelerator.on_serial(port, drivers[1])
        assert accelerator.self_test() == "exact"
        np.testing.assert_array_equal(accelerator.predict(images[:50]), golden[1])
