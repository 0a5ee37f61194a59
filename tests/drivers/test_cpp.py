"""The C++ driver: the same packing as the streams, and inference through the simulated board."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

import headrace as hr
from headrace.benches.simulated_board import compile_board
from headrace.board.host_words import pad_words
from headrace.datatypes import uint_type
from headrace.packing import pack_stream
from tests.drivers.test_python_host import WIDTHS
from tests.small_networks import ODD_FOLDING, odd_words_network
from tests.unverified_build import write_unverified

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> hr.Build:
    return write_unverified(tmp_path_factory.mktemp("driver") / "b", odd_words_network(), "rtl", folding=ODD_FOLDING)


def compiler(source: Path, program: Path, cpp: Path) -> subprocess.CompletedProcess[str]:
    options = ["-std=c++17", "-O1", "-pthread", "-Wall", "-Wextra", "-Werror"]
    command: list[str | Path] = ["g++", *options, f"-I{cpp}", str(source), "-o", str(program)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def compiled(source: Path, folder: Path, built: hr.Build) -> Path:
    program = folder / source.stem
    done = compiler(source, program, built.folder / "driver" / "cpp")
    assert done.returncode == 0, done.stderr
    return program


def test_packing_is_that_of_the_streams(built: hr.Build, tmp_path: Path) -> None:
    program = compiled(HERE / "packing.cpp", tmp_path, built)
    for lanes, bits in WIDTHS:
        values = np.random.default_rng(bits).integers(0, 1 << bits, 6 * lanes)
        size = -(-lanes * bits // 8) + lanes % 3  # some are padded
        words = np.concatenate([[lanes, bits, len(values), size], values]).astype("<u4")
        done = subprocess.run([program], input=words.tobytes(), capture_output=True, check=False)
        assert done.returncode == 0, (lanes, bits)
        wanted = pad_words(pack_stream(values, lanes, uint_type(bits)), size)
        assert done.stdout == wanted.tobytes(), (lanes, bits)


def test_inference_on_the_simulated_board(built: hr.Build, tmp_path: Path) -> None:
    (tmp_path / "board").mkdir()
    board = compile_board(built, tmp_path / "board", dma_bytes=8)
    program = compiled(HERE / "sim_driver.cpp", tmp_path, built)
    x = np.random.default_rng(0).integers(-5, 262, (50, 3, 3, 3)).astype(np.float32)
    (tmp_path / "samples").write_bytes(x.tobytes())
    cpp = built.folder / "driver" / "cpp"

    def run(rtl: Path) -> list[str]:
        command: list[str | Path] = [program, board, rtl, tmp_path / "samples", "50", cpp / "input.bin",
                                     cpp / "golden.bin"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()

    verdict, integers, best, refusal, again = run(built.folder / "rtl")
    assert (verdict, again) == ("exact", "exact")
    assert refusal.startswith("a transfer ended inside a word, a frame or a matrix of weights, so that what comes out ")
    wanted = built.predict(x, engine="golden", raw=True)
    assert np.array_equal(np.array(integers.split(), np.int64), wanted.reshape(-1))
    y = built.predict(x, engine="golden").reshape(50, -1)
    order = np.argsort(-y, axis=1, kind="stable")[:, :2]
    assert np.array_equal(np.array(best.split(), np.int64).reshape(50, 2), order)

    rtl = Path(shutil.copytree(built.folder / "rtl", tmp_path / "rtl"))
    first, *rest = (rtl / "conv2_weights.mem").read_text().split()
    (rtl / "conv2_weights.mem").write_text("\n".join([f"{int(first, 16) ^ 8:0{len(first)}x}", *rest]) + "\n")
    verdict = run(rtl)[0]
    assert verdict.startswith("frame 0, pixel 0, channel 0: the board gives ") and ", the golden model " in verdict


@pytest.mark.parametrize(("words", "said"), [
    (["24", "24", "2"], "24 1"), (["4099", "4099", "2"], "4099 1"), (["1", "1", "2"], "1 1"),
    (["24", "19", "2"], "19 1"),  # TLAST came early
    (["24", "24", str(0x4011)], "the DMA stopped with status 16401"),
    (["24", "24", "0"], "a transfer does not end within 1 seconds; check the clock and the bitstream of the board"),
    (["70000", "1", "2"], "udmabuf0 is too small; load it with more bytes"),
])
def test_the_device_of_a_board_with_linux(mapped: Path, words: list[str], said: str) -> None:
    """Its copies and its checks, with a DMA that a thread plays."""
    done = subprocess.run([mapped, *words], capture_output=True, text=True, check=True, timeout=20)
    assert done.stdout == said + "\n"


@pytest.fixture(scope="module")
def mapped(built: hr.Build, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compiled(HERE / "mapped_driver.cpp", tmp_path_factory.mktemp("mapped"), built)


def test_the_program_for_the_board_compiles(built: hr.Build, tmp_path: Path) -> None:
    program = compiled(built.folder / "driver" / "cpp" / "self_test.cpp", tmp_path, built)
    done = subprocess.run([program], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and done.stderr.startswith("self_test: /")
