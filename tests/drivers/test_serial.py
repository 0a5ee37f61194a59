"""A board behind a serial port: the rendered top from pin to pin, and the drivers that talk to it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np
import pytest
import serial

import headrace as hr
from headrace.benches.serial_board import serial_board
from headrace.errors import InputError
from headrace.render.serial import render_serial
from tests.drivers.noise import NoisyPort
from tests.drivers.test_cpp import compiled
from tests.simulation.test_external import EXTERNAL
from tests.small_networks import small_network
from tests.unverified_build import write_unverified

if TYPE_CHECKING:
    from headrace_driver import Accelerator

HERE = Path(__file__).parent
PACKAGE = Path("driver") / "headrace_driver"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> hr.Build:
    return write_unverified(tmp_path_factory.mktemp("serial") / "b", small_network(), "rtl", writable={"conv0": "ram"})


@pytest.fixture
def accelerator(driver: ModuleType, port: str, built: hr.Build) -> Accelerator:
    made: Accelerator = driver.Accelerator.on_serial(port, built.folder / PACKAGE)
    return made


def serial_device(driver: ModuleType) -> ModuleType:
    return sys.modules[f"{driver.__name__}.serial_device"]


def samples(count: int, seed: int = 2) -> np.ndarray:
    return np.random.default_rng(seed).integers(-2, 20, (count, 1, 8, 8)).astype(np.float32)


def test_fifty_samples_are_exact(driver: ModuleType, accelerator: Accelerator, built: hr.Build) -> None:
    x = samples(50)
    assert np.array_equal(accelerator.predict(x, raw=True), built.predict(x, engine="golden", raw=True))
    assert np.array_equal(accelerator.predict(x), built.predict(x, engine="golden"))
    assert accelerator.self_test() == "exact"
    assert isinstance(accelerator.device, serial_device(driver).SerialDevice)
    accelerator.device.self_test()
    counters = accelerator.counters()
    assert counters["frames_out"] == 104 and all(counters[f"fifo_{name}"] for name in accelerator.model["fifos"])
    accelerator.clear_counters()
    assert accelerator.counters()["frames_out"] == 0
    accelerator.restore_weights("conv0")
    assert np.array_equal(accelerator.predict(x), built.predict(x, engine="golden"))
    accelerator.write_weights("conv0", -accelerator.memories.built("conv0")[0])
    assert accelerator.self_test().startswith("frame 0, ")


@pytest.mark.parametrize("seed", [2, 3])
def test_any_state_at_power_up(driver: ModuleType, built: hr.Build, serial_program: Path, seed: int) -> None:
    with serial_board(serial_program, built.folder / "rtl", seed) as (port, _):
        assert driver.Accelerator.on_serial(port, built.folder / PACKAGE).self_test() == "exact"


def test_a_program_that_died_leaves_nothing(driver: ModuleType, port: str, built: hr.Build, quick: ModuleType) -> None:
    """It died inside of a packet, and inside of a transfer."""
    folder, packets = built.folder / PACKAGE, sys.modules[f"{driver.__name__}.packets"]
    for left in (b"\xa5\x04\x07", packets.Packet(packets.RUN, 1, 0, bytes(100)).bytes()):
        with serial.Serial(port) as line:
            line.write(left)
        x = samples(3)
        with driver.Accelerator.on_serial(port, folder).device._port as line:
            accelerator = driver.Accelerator(quick.SerialDevice(line), folder)
            assert np.array_equal(accelerator.predict(x), built.predict(x, engine="fast"))


# Ports that are not the board's.


@contextmanager
def terminal(echo: bool) -> Iterator[str]:
    """A port with something else behind it: nothing, or what returns all bytes."""
    board, host = os.openpty()
    stop = threading.Event()

    def play() -> None:
        while not stop.is_set():
            data = os.read(board, 4096)
            if echo and data != b"stop":
                os.write(board, data)

    settings = serial.Serial(os.ttyname(host))  # raw
    thread = threading.Thread(target=play)
    thread.start()
    yield os.ttyname(host)
    stop.set()
    settings.write(b"stop")
    thread.join()
    settings.close()
    os.close(host)


@pytest.mark.parametrize("echo", [False, True])
def test_a_port_without_a_board(driver: ModuleType, quick: ModuleType, monkeypatch: pytest.MonkeyPatch,
                                echo: bool) -> None:
    monkeypatch.setattr(quick, "_RESETS_S", (0.05, 0.05))
    with terminal(echo) as name, pytest.raises(driver.AcceleratorError) as error:
        driver.Accelerator.on_serial(name)
    assert str(error.value) == (f"{name}: no headrace board answers; check the port, the cable, the rate and that the "
                                "bitstream is loaded")


def test_a_port_that_does_not_exist(driver: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(driver.AcceleratorError, match=r"/nope cannot be opened at 3000000 baud \(.*\); check name, "
                                                      "permissions and that no other program has it open"):
        driver.Accelerator.on_serial(f"{tmp_path}/nope")


def test_another_model_on_the_board(driver: ModuleType, port: str, built: hr.Build, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(built.folder / PACKAGE, tmp_path / "other"))
    model = json.loads((folder / "model.json").read_text())
    (folder / "model.json").write_text(json.dumps(model | {"sha256": "f" * 64}))
    with pytest.raises(driver.AcceleratorError, match="the board holds model 0123456789abcdef but this driver is for "
                                                      "ffffffffffffffff; load the bitstream of the same build"):
        driver.Accelerator.on_serial(port, folder)


# Lines with faults.


def predict_with_faults(driver: ModuleType, built: hr.Build, port: str, count: int, seed: int) -> dict[str, int]:
    """Transfers with one fault each: how many were right and how many were an error, none of them wrong."""
    device = serial_device(driver)
    noisy = NoisyPort(device.open_port(port, 3_000_000), seed)
    accelerator = driver.Accelerator(device.SerialDevice(noisy, port), built.folder / PACKAGE)
    accelerator.device.patience_s = 0.4
    found = {"right": 0, "error": 0}
    for number in range(count):
        x = samples(1 + number % 4, number)
        noisy.disturb(*[("write", 100 + 64 * len(x)), ("read", 120)][number % 2])
        try:
            y = accelerator.predict(x, raw=True)
            assert np.array_equal(y, built.predict(x, engine="fast", raw=True)), number
            found["right"] += 1
        except driver.AcceleratorError:
            found["error"] += 1
            accelerator.reset()
    assert noisy.faults > 0.9 * count
    accelerator.device.patience_s = 10
    assert accelerator.self_test() == "exact"
    return found


def test_a_disturbed_line_gives_no_wrong_number(driver: ModuleType, built: hr.Build, port: str,
                                                quick: ModuleType) -> None:
    found = predict_with_faults(driver, built, port, 50, 1)
    assert found["error"] > 25 and found["right"] + found["error"] == 50


def test_a_packet_with_a_wrong_crc_is_told(driver: ModuleType, port: str) -> None:
    packets = sys.modules[f"{driver.__name__}.packets"]
    sent, parser = bytearray(packets.Packet(packets.ECHO, 9, 0, b"abcd").bytes()), packets.Parser()
    sent[-1] ^= 1
    with serial.Serial(port, timeout=20) as line:
        line.write(sent)
        while not (answer := parser.packet()) and (came := line.read(1)):
            parser.push(came)
    assert answer and (answer.command, packets.code_text(answer.info)) == (packets.ERROR, "its CRC was wrong")


@pytest.mark.slow
def test_a_line_that_is_disturbed_a_thousand_times(driver: ModuleType, built: hr.Build, port: str,
                                                   quick: ModuleType) -> None:
    found = predict_with_faults(driver, built, port, 1000, 2)
    assert found["error"] > 500 and found["right"] + found["error"] == 1000


def test_a_cable_that_is_pulled(driver: ModuleType, accelerator: Accelerator, built: hr.Build, quick: ModuleType,
                                simulated: tuple[str, subprocess.Popen[bytes]]) -> None:
    x = samples(50)
    assert isinstance(accelerator.device, quick.SerialDevice)
    accelerator.device.patience_s = 0.5
    timer = threading.Timer(0.05, lambda: simulated[1].send_signal(signal.SIGUSR1))
    timer.start()
    with pytest.raises(driver.AcceleratorError, match=r"call reset\(\)$"):
        for _ in range(100):
            accelerator.predict(x)
    with pytest.raises(driver.AcceleratorError, match="no headrace board answers"):
        accelerator.reset()
    simulated[1].send_signal(signal.SIGUSR1)
    accelerator.device.patience_s = 10
    accelerator.reset()
    assert np.array_equal(accelerator.predict(x), built.predict(x, engine="fast"))


# C++.


def test_the_driver_in_cpp(built: hr.Build, port: str, tmp_path: Path) -> None:
    x = samples(50)
    (tmp_path / "samples").write_bytes(x.tobytes())
    cpp = built.folder / "driver" / "cpp"
    program = compiled(HERE / "serial_driver.cpp", tmp_path, built)
    command = [str(part) for part in (program, port, tmp_path / "samples", 50, cpp / "input.bin", cpp / "golden.bin")]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    assert lines[0] == lines[3] == "exact" and lines[2].endswith("bytes of results came within 1 seconds; call reset()")
    wanted = built.predict(x, engine="golden", raw=True).reshape(-1)
    assert np.array_equal(np.array(lines[1].split(), np.int64), wanted)
    with terminal(echo=True) as name:
        done = subprocess.run([program, name], capture_output=True, text=True, check=False)
    assert done.returncode == 1 and f"{name}: no headrace board answers; check the port" in done.stdout
    done = subprocess.run([program, tmp_path / "nope"], capture_output=True, text=True, check=False)
    assert "/nope cannot be opened; check name and permissions" in done.stdout


# What cannot be rendered.


def test_a_line_that_is_too_fast(built: hr.Build) -> None:
    with pytest.raises(InputError, match="a serial line of 3000000 baud does not fit a clock of 12000000 Hz: a bit "
                                         "takes 5 cycles or more; choose 1 to 2400000 baud"):
        render_serial(built.dataflow, "top", 12_000_000, "1.0", "0", "")


def test_weights_from_outside(tmp_path: Path) -> None:
    external = write_unverified(tmp_path / "b", small_network(), "rtl", external=EXTERNAL)
    with pytest.raises(InputError, match="weights from outside cannot come through a serial port; build without"):
        render_serial(external.dataflow, "top", 25_000_000, "1.0", "0", "")
