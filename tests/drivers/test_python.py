"""The Python driver: inference through the simulated board, resets, damaged files."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np
import pytest

import headrace as hr
from headrace import serialize
from headrace.benches.simulated_board import SimulatedBoard, simulated_board
from headrace.board import dma
from tests.drivers.interrupted import begin_and_reset
from tests.drivers.on_pynq import pynq_calls
from tests.narrow import the
from tests.small_networks import small_network
from tests.unverified_build import write_unverified

if TYPE_CHECKING:
    from headrace_driver import Accelerator


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> hr.Build:
    return write_unverified(tmp_path_factory.mktemp("driver") / "b", small_network(), "rtl")


@pytest.fixture
def board(board: SimulatedBoard) -> SimulatedBoard:
    board.stalls = True
    return board


def samples(count: int) -> np.ndarray:
    return np.random.default_rng(2).integers(-2, 20, (count, 1, 8, 8)).astype(np.float32)


def test_fifty_samples_are_exact(accelerator: Accelerator, built: hr.Build) -> None:
    x = samples(50)
    assert np.array_equal(accelerator.predict(x, raw=True), built.predict(x, engine="golden", raw=True))
    y, wanted = accelerator.predict(x), built.predict(x, engine="golden")
    assert y.dtype == wanted.dtype and np.array_equal(y, wanted)
    counters = accelerator.counters()
    assert counters["frames_out"] == 100 and counters["cycles"] > 50 * built.cycles
    assert all(counters[f"fifo_{name}"] > 0 for name in accelerator.model["fifos"])
    accelerator.clear_counters()
    assert accelerator.counters()["frames_out"] == 0


def test_queued_batches_are_exact(accelerator: Accelerator, built: hr.Build, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(accelerator), "frames_per_transfer", 4)
    batches = [samples(count) for count in (3, 4, 9, 1)]
    results = list(accelerator.predict_queued(batches))
    assert [len(result) for result in results] == [3, 4, 9, 1]
    for x, y in zip(batches, results, strict=True):
        assert np.array_equal(y, built.predict(x, engine="fast"))


def test_a_refused_batch_leaves_the_accelerator_at_rest(accelerator: Accelerator, built: hr.Build) -> None:
    x = samples(3)
    bad = np.full((1, 1, 8, 8), np.inf, np.float32)
    with pytest.raises(ValueError, match="not finite"):
        list(accelerator.predict_queued([x, bad]))
    assert np.array_equal(accelerator.predict(x), built.predict(x, engine="fast"))
    with pytest.raises(ValueError, match="a batch has no samples"):
        accelerator.predict(x[:0])


def test_self_test_and_measurement(accelerator: Accelerator) -> None:
    assert accelerator.self_test() == "exact"
    accelerator.reset()
    assert accelerator.self_test() == "exact"
    measured = accelerator.measure(samples(4), repeats=1)
    assert measured["frames_per_second"] > 0 and measured["latency_ms"] > 0


@pytest.mark.parametrize("accesses", [2, 20, 100])
def test_a_reset_ends_a_running_transfer(accelerator: Accelerator, built: hr.Build, accesses: int) -> None:
    """Neither the rest of the transfer nor what is inside comes out with the frames that follow."""
    begin_and_reset(accelerator, samples(30), accesses)
    assert accelerator.counters()["frames_out"] == 0 and accelerator.read("status") == 0
    x = samples(5)
    assert np.array_equal(accelerator.predict(x, raw=True), built.predict(x, engine="golden", raw=True))


def transfer_of(accelerator: Accelerator, in_bytes: int, out_frames: int = 1) -> None:
    """What a program of its own might send, beside the driver."""
    accelerator.write("frames", 1)
    the(SimulatedBoard, accelerator.device).transfer(bytes(in_bytes), out_frames * accelerator.sink["frame_bytes"])


@pytest.mark.parametrize(("frames", "more", "cut"), [
    (0.5, 0, "inside a frame"), (1, -1, "inside a frame"), (2, 5, "inside a frame"),
])
def test_cut_transfers_do_not_pass_unseen(driver: ModuleType, accelerator: Accelerator, built: hr.Build, frames: float,
                                          more: int, cut: str) -> None:
    """A transfer beside the driver that leaves a part of a frame inside: not a wrong number, but a sentence."""
    x = samples(3)
    with suppress(hr.HeadraceError):
        transfer_of(accelerator, int(frames * accelerator.source["frame_bytes"]) + more)
    for _ in range(2):
        with pytest.raises(driver.AcceleratorError, match=f"a transfer ended {cut}, so that what comes out belongs to "
                                                          r"no frame; call reset\(\)"):
            accelerator.predict(x)
    with pytest.raises(driver.AcceleratorError, match="a transfer ended"):
        accelerator.clear_counters()  # which would clear the sign of it
    accelerator.reset()
    assert np.array_equal(accelerator.predict(x), built.predict(x, engine="fast"))


@pytest.mark.parametrize("received", [True, False])
def test_whole_frames_of_another_program_show(driver: ModuleType, accelerator: Accelerator, built: hr.Build,
                                              received: bool) -> None:
    """Neither what it received nor what still waits in the clock crossing passes for a result."""
    if received:
        transfer_of(accelerator, accelerator.source["frame_bytes"])
    else:
        accelerator.device.buffer(0, 64)
        accelerator.write("frames", 1)
        accelerator.device.start(0, 64, 64)
        the(SimulatedBoard, accelerator.device).wait(5 * built.cycles)
        accelerator.device.reset()
    with pytest.raises(driver.AcceleratorError, match=r"1 frames entered and 1 left, but this driver sent 0, so that "
                                                      r"what comes out belongs to other frames; call reset\(\)"):
        accelerator.predict(samples(1))
    accelerator.reset()
    assert np.array_equal(accelerator.predict(samples(1)), built.predict(samples(1), engine="fast"))


def test_counters_are_not_cleared_in_a_transfer(driver: ModuleType, accelerator: Accelerator) -> None:
    accelerator.device.buffer(0, 64)
    accelerator._start(0, 1)
    with pytest.raises(driver.AcceleratorError, match="a transfer is under way; clear the counters when its results"):
        accelerator.clear_counters()


def test_a_program_that_died_leaves_nothing(driver: ModuleType, accelerator: Accelerator, built: hr.Build) -> None:
    with suppress(hr.HeadraceError):
        transfer_of(accelerator, 70)
    again = driver.Accelerator(accelerator.device, accelerator.folder)
    assert np.array_equal(again.predict(samples(3)), built.predict(samples(3), engine="fast"))


@pytest.mark.parametrize(("more", "sentence"), [
    (1, "a transfer from the accelerator ended after 15 of 18 bytes"),
    (-1, "simulated DMA: TLAST did not come with the last byte"),
])
def test_after_a_transfer_that_failed_the_next_one_is_right(driver: ModuleType, accelerator: Accelerator,
                                                            built: hr.Build, more: int, sentence: str) -> None:
    x = samples(3)
    accelerator.sink["frame_bytes"] += more  # the DMA is told of more bytes than come, or of fewer
    with pytest.raises((hr.HeadraceError, driver.AcceleratorError), match=sentence):
        accelerator.predict(x)
    accelerator.sink["frame_bytes"] -= more
    assert np.array_equal(accelerator.predict(x), built.predict(x, engine="fast"))


def test_a_transfer_that_is_not_waited_for_stays(accelerator: Accelerator) -> None:
    device, size = accelerator.device, accelerator.source["frame_bytes"]
    device.buffer(0, size)
    device.start(0, size, accelerator.sink["frame_bytes"])
    calls: list[Callable[[], object]] = [lambda: device.finish(1), lambda: device.start(1, size, 1)]
    for call in calls:
        with pytest.raises(hr.HeadraceError, match="simulated DMA: "):
            call()
    assert len(device.finish(0)) == accelerator.sink["frame_bytes"]


@pytest.mark.parametrize(("x", "sentence"), [
    (np.float32(3), r"the input has shape \(\) but the model takes \(N, 1, 8, 8\)"),
    (np.ones((2, 1, 8, 8), complex), "the input holds values of type complex128; give real numbers, best float32"),
    (np.full((2, 1, 8, 8), "1"), "the input holds values of type <U1; give real numbers"),
    (np.full((2, 1, 8, 8), None), "the input holds values of type object; give real numbers"),
    ([], r"the input has shape \(0,\) but the model takes"),
    (np.ones((0, 1, 8, 8)), "a batch has no samples"),
])
def test_inputs_that_are_not_samples(accelerator: Accelerator, x: object, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        accelerator.predict(x)
    assert accelerator.self_test() == "exact"


def test_names_that_do_not_exist(accelerator: Accelerator) -> None:
    for call in (accelerator.read, lambda name: accelerator.write(name, 1)):
        with pytest.raises(ValueError, match=r"there is no register nope; choose from \['control', "):
            call("nope")
    with pytest.raises(ValueError, match="nope: its weights cannot be written"):
        accelerator.restore_weights("nope")


def damaged_json(path: Path) -> None:
    path.write_text(path.read_text()[:100])


@pytest.mark.parametrize(("name", "damage"), [
    ("model.json", lambda path: path.write_text("")), ("model.json", damaged_json),
    ("model.json", lambda path: path.write_text("{}")), ("model.json", lambda path: path.write_text("[1]")),
    ("model.npz", lambda path: path.write_bytes(path.read_bytes()[:50])), ("weights.npz", Path.unlink),
    ("external.npz", lambda path: path.write_bytes(b"")),
])
def test_damaged_files(driver: ModuleType, board: SimulatedBoard, built: hr.Build, tmp_path: Path, name: str,
                       damage: Callable[[Path], object]) -> None:
    folder = Path(shutil.copytree(built.folder / "driver" / "headrace_driver", tmp_path / "d"))
    damage(folder / name)
    with pytest.raises(driver.AcceleratorError, match=r"is missing or damaged .*; copy the build.s folder driver"):
        driver.Accelerator(board, folder)


def test_vectors_that_are_gone(driver: ModuleType, accelerator: Accelerator, tmp_path: Path) -> None:
    accelerator.folder = tmp_path
    with pytest.raises(driver.AcceleratorError, match=r"vectors.npz is missing or damaged"):
        accelerator.self_test()


def test_a_board_without_a_clock_is_not_waited_for(driver: ModuleType, accelerator: Accelerator,
                                                   monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accelerator.device, "read", lambda offset: 17)  # quiet, in reset for ever
    monkeypatch.setattr(sys.modules[f"{driver.__name__}.accelerator"], "_RESET_S", 0.05)
    with pytest.raises(driver.AcceleratorError, match=r"the accelerator does not leave its reset within 0\.05 seconds; "
                                                      r"check the clock and the bitstream of the board"):
        accelerator.reset()


def test_self_test_finds_a_flipped_weight(driver: ModuleType, program: Path, built: hr.Build, tmp_path: Path) -> None:
    rtl = Path(shutil.copytree(built.folder / "rtl", tmp_path / "rtl"))
    first, *rest = (rtl / "fc4_weights.mem").read_text().split()
    (rtl / "fc4_weights.mem").write_text("\n".join([f"{int(first, 16) ^ 1:x}", *rest]) + "\n")
    with simulated_board(program, rtl) as broken:
        verdict = driver.Accelerator(broken, built.folder / "driver" / "headrace_driver").self_test()
    assert verdict.startswith("frame 0, pixel 0, channel 0: the board gives ")
    assert ", the golden model " in verdict and verdict.endswith(" values differ")


def test_another_model_on_the_board(driver: ModuleType, board: SimulatedBoard, built: hr.Build, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(built.folder / "driver" / "headrace_driver", tmp_path / "other"))
    model = json.loads((folder / "model.json").read_text())
    (folder / "model.json").write_text(json.dumps(model | {"sha256": "f" * 64}))
    with pytest.raises(driver.AcceleratorError, match="the board holds model 0123456789abcdef but this driver is"):
        driver.Accelerator(board, folder)
    (folder / "model.json").write_text(json.dumps(model | {"magic": 1}))
    with pytest.raises(driver.AcceleratorError, match="there is no headrace accelerator: its magic is 0x48445243"):
        driver.Accelerator(board, folder)


def test_the_package_on_a_board(built: hr.Build, tmp_path: Path) -> None:
    frames = 4
    assert pynq_calls(built, tmp_path) == [
        "Overlay accelerator.bit", "write 0xc 4", "write dma 0x0 4", "start send", "start receive", "receive 4096",
        "write dma 0x0 4", "start send", "start receive", "write 0xc 1",
        f"write 0x10 {frames}", "flush", f"receive {frames * 5}", f"send {frames * 64}", "invalidate"]


@pytest.mark.parametrize(("trouble", "sentence"), [
    ("short", "a transfer from the accelerator ended after 19 of 20 bytes"),
    ("broken", "the DMA to the accelerator stopped with status 0x00004012"),
])
def test_trouble_on_a_board(built: hr.Build, tmp_path: Path, trouble: str, sentence: str) -> None:
    """What the DMA says of a transfer is an error; the next transfer begins with a reset."""
    program = f"""
from pathlib import Path
from headrace_driver import Accelerator, AcceleratorError

accelerator = Accelerator.on_pynq("accelerator.bit")
Path("{trouble}").touch()
try:
    accelerator.self_test()
except AcceleratorError as error:
    assert str(error) == "{sentence}", error
    Path("{trouble}").unlink()
    print(f"self-test: {{accelerator.self_test()}}")
"""
    assert pynq_calls(built, tmp_path, program).count("write 0xc 4") == 2


def test_build_writes_the_driver(tmp_path: Path) -> None:
    serialize.save(small_network(), tmp_path / "small")
    out = tmp_path / "b"
    hr.build(hr.load(tmp_path / "small.json"), out=out, verify=1, fps=200e6 / 800, board="pynq-z2")
    model = json.loads((out / "driver" / "headrace_driver" / "model.json").read_text())
    assert (model["accelerator_address"], model["dma_address"]) == (0x40000000, 0x40010000)
    assert model["dma_registers"]["reset"] == dma.RESET
    assert "| 0x010 | frames | rw |" in (out / "driver" / "registers.md").read_text()
    for paragraph in (out / "driver" / "registers.md").read_text().split("\n\n"):
        for line, after in pairwise(paragraph.splitlines() if paragraph[:1].isalpha() else []):
            assert len(line) <= 120 < len(f"{line} {after.split()[0]}")
    assert {path.name for path in (out / "vivado").iterdir()} == {
        "settings.tcl", "package.tcl", "system.tcl", "bitstream.tcl", "ooc.tcl", "ooc.xdc", "shell", "primitives"}
