"""Tests of boards that `make coverage` runs for what the batteries of the layers do not instantiate."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from headrace.build_folder import Build
from headrace.paths import data_folder
from tests.benches.test_shell import without_padding, write_odd
from tests.simulation.test_external import EXTERNAL
from tests.small_networks import small_network
from tests.unverified_build import write_unverified

ROOT = Path(__file__).resolve().parent.parent


def _run(command: Sequence[object]) -> None:
    done = subprocess.run([sys.executable, *map(str, command)], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{command[0]} failed:\n{done.stdout}{done.stderr}")


def run_tests(names: Sequence[str], work: Path) -> None:
    """Tests of pytest with benchmarks.covered."""
    _run(["-m", "pytest", "-q", "-p", "benchmarks.covered", "-m", "not slow", f"--basetemp={work / 'tests'}", *names])


def run_shell_bench(write: Callable[[Path], Build], dma_bytes: int, work: Path) -> None:
    """The bench of cocotb that drives the shell as the processor does."""
    script = data_folder("rtl_sim") / "tb" / "run_shell.py"
    _run([script, write(work / "b").folder, "--dma-bytes", dma_bytes, "--coverage", work / "coverage.dat"])


def _tight(folder: Path) -> Build:
    return without_padding(write_odd(folder))


def _external(folder: Path) -> Build:
    return write_unverified(folder, small_network(), "rtl", external=EXTERNAL)


#: By name, what runs in an empty folder and leaves files of coverage in it.
BOARD_RUNS: Mapping[str, Callable[[Path], None]] = {
    "serial": partial(run_tests, [
        "tests/drivers/test_serial.py",
        "tests/drivers/test_serial_packets.py::test_an_accelerator_that_takes_no_more"]),
    "writable": partial(run_tests, ["tests/drivers/test_writable.py"]),
    "external": partial(run_tests, ["tests/drivers/test_external.py"]),
    "shell": partial(run_shell_bench, write_odd, 16),
    "shell_tight": partial(run_shell_bench, _tight, 16),
    "shell_external": partial(run_shell_bench, _external, 4),
}
