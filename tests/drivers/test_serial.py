"""A board behind a serial port: the rendered top from pin to pin, and the Python driver that talks to it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np
import pytest

import headrace as hr
from headrace.benches.serial_board import compile_serial_board, serial_board
from tests.small_networks import small_network
from tests.unverified_build import write_unverified

if TYPE_CHECKING:
    from headrace_driver import Accelerator


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> hr.Build:
    return write_unverified(tmp_path_factory.mktemp("serial") / "b", small_network(), "rtl")


@pytest.fixture(scope="module")
def serial_program(built: hr.Build, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compile_serial_board(built, tmp_path_factory.mktemp("serial_board"))


@pytest.fixture
def port(built: hr.Build, serial_program: Path) -> Iterator[str]:
    with serial_board(serial_program, built.folder / "rtl") as (name, _):
        yield name


@pytest.fixture
def accelerator(driver: ModuleType, port: str, built: hr.Build) -> Accelerator:
    made: Accelerator = driver.Accelerator.on_serial(port, built.folder / "driver" / "headrace_driver")
    return made


def samples(count: int) -> np.ndarray:
    return np.random.default_rng(2).integers(-2, 20, (count, 1, 8, 8)).astype(np.float32)


def test_fifty_samples_are_exact(accelerator: Accelerator, built: hr.Build) -> None:
    x = samples(50)
    assert np.array_equal(accelerator.predict(x, raw=True), built.predict(x, engine="golden", raw=True))
    assert accelerator.self_test() == "exact"
