"""Resets and broken transfers, with clock crossings in between: the next result is exact or an error, never wrong."""

from __future__ import annotations

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


@pytest.mark.parametrize("method", ["collect", "_require_whole_transfers"])
def test_the_trials_find_faults(driver: ModuleType, program: Path, built: Build, monkeypatch: pytest.MonkeyPatch,
                                method: str) -> None:
    """Without what empties the crossing, and without the check of what passed, they fail."""
    owner = PausingBoard if method == "collect" else driver.Accelerator
    monkeypatch.setattr(owner, method, lambda *_: False)
    assert set(verdicts(program, built, after_a_broken_transfer, 40)) != {"exact"}
