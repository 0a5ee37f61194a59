"""The Python driver and the simulated boards, for modules that define `built`, the build of an accelerator."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

from headrace.benches.serial_board import compile_serial_board, serial_board
from headrace.benches.simulated_board import SimulatedBoard, compile_board, simulated_board
from headrace.build_folder import Build

if TYPE_CHECKING:
    from headrace_driver import Accelerator


@pytest.fixture(scope="module", autouse=True)
def always_importable(importable: None) -> None:
    """Modules here import the driver in many places."""


@pytest.fixture(scope="module")
def driver(importable: None) -> ModuleType:
    import headrace_driver

    return headrace_driver


@pytest.fixture(scope="module")
def program(built: Build, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compile_board(built, tmp_path_factory.mktemp("program"))


@pytest.fixture
def board(built: Build, program: Path) -> Iterator[SimulatedBoard]:
    with simulated_board(program, built.folder / "rtl") as board:
        yield board


@pytest.fixture
def accelerator(driver: ModuleType, board: SimulatedBoard, built: Build) -> Accelerator:
    """The accelerator on the board through the Python driver."""
    made: Accelerator = driver.Accelerator(board, built.folder / "driver" / "headrace_driver")
    return made


# A board behind a serial port.


@pytest.fixture(scope="module")
def serial_program(built: Build, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compile_serial_board(built, tmp_path_factory.mktemp("serial_board"))


@pytest.fixture
def simulated(built: Build, serial_program: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Its port and its process."""
    with serial_board(serial_program, built.folder / "rtl") as board:
        yield board


@pytest.fixture
def port(simulated: tuple[str, subprocess.Popen[bytes]]) -> str:
    return simulated[0]


@pytest.fixture
def quick(driver: ModuleType, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module of the serial device, which waits no longer than the simulated board needs."""
    module = sys.modules[f"{driver.__name__}.serial_device"]
    monkeypatch.setattr(module, "_IDLE_S", 0.05)
    monkeypatch.setattr(module, "_RESETS_S", (0.3, 0.5, 1.5))
    return module
