"""What a board behind a serial port says of packets: codes of what it refuses and of what was lost."""

from __future__ import annotations

import shutil
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import pytest
import serial

import headrace as hr
from headrace.benches.serial_board import compile_serial_board, serial_board
from headrace.board.shell_registers import MAGIC
from headrace.paths import data_folder
from tests.small_networks import small_network
from tests.unverified_build import write_unverified

if TYPE_CHECKING:
    from headrace_driver.packets import Packet

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> hr.Build:
    return write_unverified(tmp_path_factory.mktemp("serial") / "b", small_network(), "rtl", writable={"conv0": "ram"})


class Line:
    """Packets as bytes, to a board and from it."""

    def __init__(self, packets: ModuleType, port: str) -> None:
        self.packets, self.serial = packets, serial.Serial(port, timeout=0.01)
        self.parser = packets.Parser()

    def send(self, command: int, payload: bytes = b"", info: int = 0, tag: int = 9) -> None:
        self.serial.write(self.packets.Packet(command, tag, info, payload).bytes())

    def next(self) -> tuple[int, int, int]:
        """Command, tag and info of the next packet."""
        packet = self.packet()
        return packet.command, packet.tag, packet.info

    def packet(self) -> Packet:
        """What comes within some seconds."""
        end = time.monotonic() + 5
        while (packet := self.parser.packet()) is None:
            assert time.monotonic() < end, bytes(self.parser._bytes)
            self.parser.push(self.serial.read(256))
        found: Packet = packet
        return found


@pytest.fixture
def line(driver: ModuleType, port: str) -> Iterator[Line]:
    line = Line(sys.modules[f"{driver.__name__}.packets"], port)
    yield line
    line.serial.close()


def test_identity(line: Line, built: hr.Build) -> None:
    """Protocol, buffer, both words, then registers: magic, sizes of frames, hash."""
    line.send(1)
    payload = line.packet().payload
    source, sink = built.dataflow.input, built.dataflow.streams[built.dataflow.output_port]
    host = built.host_words
    assert struct.unpack("<BBHBHHBH", payload[:12]) == (
        1, 11, source.lanes, source.element.bits, host.input, sink.lanes, sink.element.bits, host.output)
    registers = struct.unpack("<16I", payload[12:])
    assert registers[0] == MAGIC
    assert registers[5:7] == (source.words * host.input, sink.words * host.output)
    assert "".join(f"{word:08x}" for word in registers[8:]) == built.record["source_sha256"]


def test_codes_of_refused_commands(line: Line) -> None:
    for command, payload, code in [
        (7, b"123", 3), (0x85, b"", 3), (2, b"\0\0", 2), (3, b"\0\0\0\0\0", 2), (3, b"\0\0", 2), (1, b"1", 2),
        (5, b"1", 2), (4, b"", 2), (6, b"", 0),
    ]:
        line.send(command, payload)
        assert line.next() == (command | 0x80, 9, code), (command, payload)


def test_codes_of_lost_packets(line: Line, simulated: tuple[str, subprocess.Popen[bytes]]) -> None:
    good = line.packets.Packet(6, 9, 0, b"payload").bytes()
    for bad, code in [(good[:8] + b"!" + good[9:], 1), (good[:-1] + b"!", 1), (b"\xa5\6\1\0\xf9\3", 2), (good[:-2], 5),
                      (good[:6], 5)]:
        line.serial.write(b"noise" + bad)
        assert line.next() == (0xC1, 0, code), bad
        line.serial.write(good)
        assert line.next() == (0x86, 9, 0)
    simulated[1].send_signal(signal.SIGUSR2)
    line.serial.write(good[:7])
    assert line.next() == (0xC1, 0, 6)
    line.serial.write(good)
    assert line.next() == (0x86, 9, 0)


def test_packets_that_do_not_fit(line: Line) -> None:
    """Long answers keep the board from taking more; what it had room for is answered."""
    for tag in range(3):
        line.send(2, b"\0\0\xff", tag=tag)
    for tag in range(3, 6):
        line.send(6, bytes(900), tag=tag)
    assert sorted(line.next() for _ in range(6)) == [
        (0x82, 0, 0), (0x82, 1, 0), (0x82, 2, 0), (0x86, 3, 0), (0x86, 4, 0), (0xC1, 0, 4)]
    line.send(6, b"more", tag=7)
    assert line.next() == (0x86, 7, 0)


@pytest.mark.slow
def test_an_accelerator_that_takes_no_more(driver: ModuleType, built: hr.Build, tmp_path: Path) -> None:
    """Within its patience, here some cycles: what follows is dropped until a reset."""
    program = compile_serial_board(built, tmp_path, patience=20)
    with serial_board(program, built.folder / "rtl") as (port, _):
        line = Line(sys.modules[f"{driver.__name__}.packets"], port)
        line.send(4, bytes(512), info=1)
        while (answer := line.next())[0] == 0xC0:
            pass
        assert answer == (0x84, 9, 5)
        for command, payload, code in [(4, b"1", 5), (5, b"", 0), (4, b"1", 0)]:
            line.send(command, payload)
            while (answer := line.next())[0] == 0xC0:
                pass
            assert answer == (command | 0x80, 9, code)


@pytest.mark.slow
@pytest.mark.parametrize(("module", "old", "new"), [
    ("rx", "{1'b1, (PHASE_BITS - 1)'(0)}", "{PHASE_BITS{1'b0}}"),  # at the edge of bits
    ("rx", "broken_q <= ends && place_q == STOP && !high", "broken_q <= 1'b0"),
    ("tx", "left_q  <= 4'd9", "left_q  <= 4'd8"),  # no stop bit
    ("receive", "!overrun_q && right_q && !byte", "!overrun_q && !byte"),
    ("receive", "!overrun_q && right_q && !byte", "right_q && !byte"),
    ("receive", "if (state_q == HUNT) write_q <= good_q;", "if (1'b0) write_q <= good_q;"),
    ("receive", "byte_broken || over", "byte_broken"),
    ("receive", "valid_q <= !moves && good_q != read_q", "valid_q <= good_q != read_q"),
    ("commands", "DROP:    take = !none_q;", "DROP:    take = 1'b0;"),
    ("commands", "last_q && one_q", "last_q"),
    ("commands", "have_q  <= 3'd4", "have_q  <= 3'd3"),
    ("commands", "left_q[1:0] == 2'd2", "1'b1"),
    ("results", "s_axis_TLAST || count_q", "count_q"),
    ("results", "if (clear) number_q <= '0;\n      else if", "if"),
    ("send", "(!moves_q || m_axis_TREADY)", "1'b1"),
])
def test_the_tests_find_faults(tmp_path: Path, module: str, old: str, new: str) -> None:
    """All that is asked of the board here and of the driver, on a board with a fault."""
    library = Path(shutil.copytree(data_folder("rtl_sim"), tmp_path / "rtl_sim"))
    source = library / "rtl" / "shell" / f"headrace_serial_{module}.sv"
    assert old in source.read_text()
    source.write_text(source.read_text().replace(old, new))
    names = ["codes", "fit", "fifty", "died"]
    program = ("import headrace.paths as p, headrace.render.library as l, headrace.simulation.verilate as v, pathlib, "
               f"pytest, sys; d = lambda name: pathlib.Path({str(library)!r}) if name == 'rtl_sim' else known(name); "
               "known = p.data_folder; p.data_folder = l.data_folder = d; sys.exit(pytest.main(['-q', '-x', '-m', "
               f"'not slow', '-p', 'no:cacheprovider', '-k', {' or '.join(names)!r}, {str(HERE / 'test_serial.py')!r}, "
               f"{__file__!r}]))")
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=300,
                          cwd=HERE.parents[1])
    assert done.returncode == 1, done.stdout
