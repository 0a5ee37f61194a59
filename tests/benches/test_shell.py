"""The shell around an accelerator, driven by a cocotb bench as the processor would, and as a simulated board."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from headrace.benches.shell_job import shell_job
from headrace.benches.simulated_board import compile_board, simulated_board
from headrace.board.board import load_board
from headrace.board.family import family_of
from headrace.board.host_words import HostWords, exact_words, host_words, pad_words
from headrace.board.shell_registers import BITS, REGISTERS
from headrace.build_folder import RECORD, Build
from headrace.building import random_frames
from headrace.errors import InputError, ToolError
from headrace.packing import pack_stream
from headrace.paths import data_folder
from headrace.render.library import library_path
from headrace.render.shell import version_word
from tests.simulation.test_external import EXTERNAL
from tests.small_networks import ODD_FOLDING, odd_words_network, small_network
from tests.unverified_build import write_unverified

OFFSET = {register.name: register.offset for register in REGISTERS}
#: Of every shell, of one with writable weights, of one with weights from outside.
TESTS, WRITABLE_TESTS, EXTERNAL_TESTS = 8, 1, 2
WRITABLE = {"conv0": "ram", "conv1": "ram"}


def bench(folder: Path, dma_bytes: int) -> str:
    script = data_folder("rtl_sim") / "tb" / "run_shell.py"
    command = [sys.executable, str(script), str(folder), "--dma-bytes", str(dma_bytes)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def all_pass(output: str, tests: int = TESTS + WRITABLE_TESTS) -> bool:
    return f"shell: {tests} of {tests} tests passed" in output.splitlines()


def write_odd(folder: Path) -> Build:
    return write_unverified(folder, odd_words_network(), "rtl", folding=ODD_FOLDING, writable=WRITABLE)


def without_padding(built: Build) -> Build:
    """The same build for a DMA that has no room."""
    exact = asdict(exact_words(built.dataflow))
    assert exact != built.record["host_words"]
    (built.folder / RECORD).write_text(json.dumps(dict(built.record) | {"host_words": exact}))
    return Build.open(built.folder)


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Build:
    """Words of three bytes in and of two out."""
    built = write_odd(tmp_path_factory.mktemp("odd") / "b")
    assert exact_words(built.dataflow) == HostWords(3, 2) and built.host_words == HostWords(4, 2)
    assert shell_job(built)["depths"]  # there are FIFOs whose marks the bench reads
    return built


@pytest.fixture(scope="module")
def tight(tmp_path_factory: pytest.TempPathFactory) -> Build:
    return without_padding(write_odd(tmp_path_factory.mktemp("tight") / "b"))


def test_bench(odd: Build) -> None:
    output = bench(odd.folder, 16)
    assert all_pass(output), output


@pytest.mark.slow
def test_bench_of_bytes_at_any_place(tight: Build) -> None:
    output = bench(tight.folder, 16)
    assert all_pass(output), output


@pytest.mark.slow
@pytest.mark.parametrize("dma_bytes", [2, 4, 8])
def test_bench_with_other_widths(tmp_path: Path, odd: Build, tight: Build, dma_bytes: int) -> None:
    for build in (odd, tight):
        output = bench(build.folder, dma_bytes)
        assert all_pass(output), output
    small = write_unverified(tmp_path / "small", small_network(), "rtl", external=EXTERNAL)
    output = bench(small.folder, dma_bytes)
    assert all_pass(output, TESTS + EXTERNAL_TESTS), output


@pytest.mark.slow
@pytest.mark.parametrize(("module", "old", "new"), [
    ("shell_frames", "27'd3", "27'd2"),
    ("shell_frames", "frames[25:1] == '0", "frames == '0"),
    ("shell_narrow", "place_q == final_q", "place_q >= final_q - 1'b1"),
    ("shell_narrow", "last_q && final_part", "last_q"),
    ("shell_narrow", "PLACE_BITS'(free)", "PLACE_BITS'(1)"),
    ("shell_widen", "s_axis_TLAST || place_q", "place_q"),
    ("shell_widen", "keep_q[IN_BYTES*i +: IN_BYTES] <= '0;", ""),
    ("shell_widen", "(!valid_q || m_axis_TREADY)", "1'b1"),
    ("shell_gearbox", "place_q + PLACE_BITS'(OUT);", "place_q + PLACE_BITS'(OUT - 1);"),
    ("shell_gearbox", "done_q ? !take : move && final_word", "done_q && !take"),
    ("shell_gearbox", "comes || waited ? unit[KEEP +: UNIT] : '0", "unit[KEEP +: UNIT]"),
    ("shell_registers", "frames_out_q + 32'(leaves_q)", "frames_out_q + 32'(enters_q)"),
    ("shell_stalls", "out_valid && !out_ready", "out_valid && out_ready"),
    ("shell_mark", "- BITS'(pop)", ""),
    ("shell_weights", "moves && last && !matrix_end", "1'b0"),
    ("memory_port", "assign write   = write_q;", "assign write   = write_q && address_q != '0;"),  # a word not written
])
def test_the_bench_finds_faults(tmp_path: Path, module: str, old: str, new: str) -> None:
    external = module == "shell_weights"
    built = write_unverified(tmp_path / "b", small_network(), "rtl", external=EXTERNAL) if external else write_odd(
        tmp_path / "b")
    broken = (without_padding(built) if module == "shell_gearbox" else built).folder
    source = broken / "rtl" / f"headrace_{module}.sv"
    text = library_path(source.stem).read_text()
    assert old in text
    source.write_text(text.replace(old, new))
    tests = TESTS + (EXTERNAL_TESTS if external else WRITABLE_TESTS)
    widths = (16, 2) if module == "shell_gearbox" else (16,)  # of the DMA: to narrower words and to wider ones
    assert not all(all_pass(bench(broken, width), tests) for width in widths)


@pytest.fixture(scope="module")
def program(odd: Build, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compile_board(odd, tmp_path_factory.mktemp("board"))


def test_which_words_are_padded(odd: Build) -> None:
    """A frame is 9 words of 3 bytes in."""
    frame, family = odd.dataflow, family_of(load_board("zcu104"))
    assert host_words(frame, family, 200.0) == HostWords(4, 2)
    assert host_words(frame, family, 1e6) == HostWords(3, 2)  # a cycle of the DMA is many of the network
    assert host_words(frame, replace(family, stream_bytes=1, bus_mhz=100), 100.0).input == (
        4 if frame.input.words * 4 <= frame.cycles_per_frame else 3)


def transfers(built: Build, frames: int) -> tuple[bytes, bytes]:
    """Bytes of random frames in, and what they must give."""
    dataflow = built.dataflow
    x = random_frames(dataflow, frames, 9)
    sink = dataflow.streams[dataflow.output_port]
    given = pack_stream(x, dataflow.input.lanes, dataflow.input.element)
    wanted = pack_stream(dataflow.golden(x)[dataflow.output_port], sink.lanes, sink.element)
    host = built.host_words
    return pad_words(given, host.input).tobytes(), pad_words(wanted, host.output).tobytes()


@pytest.mark.parametrize("stalls", [False, True])
def test_simulated_board(odd: Build, program: Path, stalls: bool) -> None:
    given, wanted = transfers(odd, 20)
    with simulated_board(program, odd.folder / "rtl") as board:
        board.stalls = stalls
        board.write(OFFSET["frames"], 20)
        for _ in range(2):
            assert np.array_equal(list(board.transfer(given, len(wanted))), list(wanted))
        assert board.read(OFFSET["frames_out"]) == 40
        if not stalls:
            assert board.cycles < 20 * odd.dataflow.cycles_per_frame + 400


def test_a_stream_that_breaks_the_rules_ends_the_simulated_board(tmp_path: Path,
                                                                 capfd: pytest.CaptureFixture[str]) -> None:
    broken = write_odd(tmp_path / "b")
    source = broken.folder / "rtl" / "headrace_fifo.sv"
    assert ".read(pop)" in source.read_text()
    source.write_text(source.read_text().replace(".read(pop)", ".read(1'b1)"))
    program = compile_board(broken, tmp_path)
    given, wanted = transfers(broken, 20)
    with simulated_board(program, broken.folder / "rtl") as board:
        board.write(OFFSET["frames"], 20)
        with pytest.raises(ToolError, match="the simulated board ended with exit status"):
            board.transfer(given, len(wanted))
    assert "sum_fifo0: TDATA changed before TREADY came" in capfd.readouterr().err


def test_transfers_that_the_dma_would_refuse(odd: Build, program: Path) -> None:
    given, wanted = transfers(odd, 2)
    refusal = pytest.raises(ToolError, match="simulated DMA: TLAST came before the last byte, after 24 of 48 bytes")
    with simulated_board(program, odd.folder / "rtl") as board, refusal:
        board.transfer(given, len(wanted))
    with simulated_board(program, odd.folder / "rtl") as board:
        board.write(OFFSET["frames"], 2)
        with pytest.raises(ToolError, match=r"simulated DMA: TLAST did not come with the last byte"):
            board.transfer(given, len(wanted) - 17)


def test_the_module_has_the_bits_of_the_table() -> None:
    text = library_path("headrace_shell_registers").read_text()
    found = {(register.lower(), name.lower(), int(number))
             for register, name, number in re.findall(r"\b(CONTROL|STATUS)_(\w+) += (\d+)[,;]", text)}
    assert found == {(bit.register, bit.name, bit.number) for bit in BITS}
    read = {int(index, 16) * 4 for index in re.findall(r"5'h([0-9a-f]{2}):", text)}
    assert read == {register.offset for register in REGISTERS if "r" in register.access}


def test_no_rtl(tmp_path: Path) -> None:
    hls = write_unverified(tmp_path / "b", small_network(), "hls")
    with pytest.raises(InputError, match="was built without the rtl back end; build with --backend rtl or both"):
        compile_board(hls, tmp_path)


def test_version_word() -> None:
    assert [version_word(text) for text in ("0.1.0", "2.13.255", "1.0", "1.2.3rc1")] == [
        "00000100", "00020dff", "00010000", "00010203"]
