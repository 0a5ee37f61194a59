"""FINN's and PYNQ's names in the Python driver: shapes, types, throughput, accuracy, awaited interrupts."""

from __future__ import annotations

import asyncio
import runpy
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

import headrace as hr
from headrace.paths import data_folder
from tests.drivers.on_pynq import pynq_calls
from tests.small_networks import small_network
from tests.unverified_build import write_unverified

if TYPE_CHECKING:
    from headrace_driver import Accelerator


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> hr.Build:
    return write_unverified(tmp_path_factory.mktemp("driver") / "b", small_network(), "rtl")


def samples(count: int) -> np.ndarray:
    return np.random.default_rng(2).integers(0, 16, (count, 1, 8, 8)).astype(np.float32)


def test_the_names_of_finn(accelerator: Accelerator, built: hr.Build) -> None:
    accelerator.batch_size = 3
    assert accelerator.ishape_normal() == (3, 1, 8, 8) and accelerator.oshape_normal() == (3, 5)
    assert (accelerator.idt(), accelerator.odt()) == ("UINT4", "INT6")
    x = samples(3)
    wanted = built.predict(x, engine="golden")
    assert np.array_equal(accelerator.execute(x), wanted) and np.array_equal(accelerator.execute([x]), wanted)
    found = accelerator.throughput_test()
    assert found["batch_size"] == 3 and found["throughput[images/s]"] > 0
    assert built.cycles < found["cycles_per_frame"] < 3 * built.cycles
    assert {"runtime[ms]", "DRAM_in_bandwidth[MB/s]", "DRAM_out_bandwidth[MB/s]"} <= set(found)


def test_a_prediction_is_awaited(accelerator: Accelerator, built: hr.Build, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(accelerator), "frames_per_transfer", 2)
    x = samples(5)
    assert np.array_equal(asyncio.run(accelerator.predict_async(x, raw=True)),
                          built.predict(x, engine="golden", raw=True))


@pytest.mark.parametrize("interrupts", [True, False])
def test_pynq_waits_by_its_interrupt(built: hr.Build, tmp_path: Path, interrupts: bool) -> None:
    program = f"""
import asyncio
import numpy as np
from headrace_driver import Accelerator
from pynq import Channel, note


async def wait_async(self):
    note("awaited")

Channel._interrupt = {interrupts or None}
Channel.wait_async = wait_async
accelerator = Accelerator.on_pynq("accelerator.bit")
with np.load("headrace_driver/vectors.npz") as vectors:
    count = len(vectors["output"])
asyncio.run(accelerator.predict_async(np.zeros((count, 1, 8, 8), np.float32)))
print("self-test:", accelerator.self_test())
"""
    assert pynq_calls(built, tmp_path, program).count("awaited") == interrupts


def test_an_interrupt_that_does_not_come(built: hr.Build, tmp_path: Path) -> None:
    program = """
import asyncio
from pathlib import Path
import numpy as np
from headrace_driver import Accelerator, AcceleratorError

accelerator = Accelerator.on_pynq("accelerator.bit")
accelerator.device.patience_s = 0.2
Path("stuck").touch()
try:
    asyncio.run(accelerator.predict_async(np.zeros((4, 1, 8, 8), np.float32)))
except AcceleratorError as error:
    assert str(error) == "a transfer from the accelerator does not end", error
    print("self-test:", accelerator.self_test())
"""
    pynq_calls(built, tmp_path, program)


def test_validate_prints_the_accuracy(accelerator: Accelerator, built: hr.Build, tmp_path: Path,
                                      monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    x = samples(5)
    labels = built.predict(x, engine="golden").argmax(1)
    labels[0] = (labels[0] + 1) % 5
    np.save(tmp_path / "x.npy", x)
    np.save(tmp_path / "y.npy", labels)
    monkeypatch.setattr(type(accelerator), "on_pynq", classmethod(lambda *_: accelerator))
    arguments = ["validate.py", "a.bit", str(tmp_path / "x.npy"), str(tmp_path / "y.npy"), "--batchsize", "2"]
    monkeypatch.setattr(sys, "argv", arguments)
    with pytest.raises(SystemExit) as stopped:
        runpy.run_path(str(data_folder("boards") / "driver" / "validate.py"), run_name="__main__")
    assert stopped.value.code == 0
    assert capsys.readouterr().out.splitlines()[-2:] == ["5 of 5: 80.00%", "accuracy: 80.00%"]
    np.save(tmp_path / "y.npy", labels[:3])
    with pytest.raises(SystemExit) as stopped:
        runpy.run_path(str(data_folder("boards") / "driver" / "validate.py"), run_name="__main__")
    assert stopped.value.code == 2 and "give one class for each sample" in capsys.readouterr().err
