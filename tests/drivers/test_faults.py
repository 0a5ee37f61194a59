"""Resets and broken transfers, with clock crossings in between: the next result is exact or an error, never wrong."""

from __future__ import annotations

import subprocess
from pathlib import Path
from types import ModuleType

import pytest

from headrace.build_folder import Build
from tests.drivers.faults import PausingBoard, after_a_broken_transfer, after_a_reset, verdicts
from tests.small_networks import small_network
from tests.unverified_build import write_unverified


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Build:
    return write_unverified(tmp_path_factory.mktemp("driver") / "b", small_network(), "rtl")


@pytest.mark.parametrize("seed", [0, 1])
def test_after_resets_at_random_moments(program: Path, built: Build, seed: int) -> None:
    assert set(verdicts(program, built, after_a_reset, 10, seed)) == {"exact"}


@pytest.mark.parametrize("seed", [0, 1])
def test_after_broken_transfers(program: Path, built: Build, seed: int) -> None:
    assert set(verdicts(program, built, after_a_broken_transfer, 10, seed)) == {"exact"}


@pytest.mark.slow
@pytest.mark.parametrize("seed", [2, 3])
def test_many_times(program: Path, built: Build, seed: int) -> None:
    """In all 200 resets and 100 broken transfers."""
    assert set(verdicts(program, built, after_a_reset, 100, seed)) == {"exact"}
    assert set(verdicts(program, built, after_a_broken_transfer, 50, seed)) == {"exact"}


@pytest.fixture(scope="module")
def compiled(built: Build, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same trials in the C++ driver."""
    made = tmp_path_factory.mktemp("cpp") / "faults_driver"
    source = Path(__file__).with_name("faults_driver.cpp")
    subprocess.run(["g++", "-std=c++17", "-O1", f"-I{built.folder / 'driver' / 'cpp'}", source, "-o", made], check=True)
    return made


def said(compiled: Path, program: Path, built: Build, seed: int, resets: int, broken: int) -> str:
    cpp = built.folder / "driver" / "cpp"
    command: list[str | Path] = [compiled, program, built.folder / "rtl", cpp / "input.bin", cpp / "golden.bin"]
    return subprocess.run([*command, str(seed), str(resets), str(broken)], capture_output=True, text=True,
                          check=True).stdout


@pytest.mark.parametrize("seed", [0, 1])
def test_in_cpp(compiled: Path, program: Path, built: Build, seed: int) -> None:
    assert said(compiled, program, built, seed, resets=10, broken=10) == "exact: 20\n"


@pytest.mark.slow
def test_many_times_in_cpp(compiled: Path, program: Path, built: Build) -> None:
    assert said(compiled, program, built, seed=2, resets=200, broken=100) == "exact: 300\n"


@pytest.mark.parametrize("method", ["collect", "_require_whole_transfers"])
def test_the_trials_find_faults(driver: ModuleType, program: Path, built: Build, monkeypatch: pytest.MonkeyPatch,
                                method: str) -> None:
    """Without what empties the crossing, and without the check of what passed, they fail."""
    owner = PausingBoard if method == "collect" else driver.Accelerator
    monkeypatch.setattr(owner, method, lambda *_: False)
    assert set(verdicts(program, built, after_a_broken_transfer, 40)) != {"exact"}
