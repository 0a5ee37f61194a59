"""A simulated board behind a serial port: the rendered top from pin to pin, Verilated, behind a pseudo terminal."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from headrace.atomic_files import write_files
from headrace.build_folder import Build
from headrace.ecp5.flow import FOLDER
from headrace.ecp5.simulation import write_netlist
from headrace.ecp5.top import BOARD_TOP
from headrace.errors import InputError, ToolError
from headrace.render.library import compile_order
from headrace.render.rtl import TOP
from headrace.render.serial import SERIAL_TOP, render_serial
from headrace.simulation.rtl import require_tools
from headrace.simulation.stream_checks import stream_checks
from headrace.simulation.verilate import verilate
from headrace.version import headrace_version

#: Clock and line of the simulated board: a bit takes eight and a third cycles, as 3 Mbaud do of 25 MHz.
CLOCK_HZ, BAUD = 25_000_000, 3_000_000
#: Cycles without a byte that end a packet, and that the accelerator may take for a byte: less than on a board.
IDLE, PATIENCE = 20_000, 400_000


def compile_serial_board(build: Build, work: Path, clock_hz: int = CLOCK_HZ, baud: int = BAUD,
                         patience: int = PATIENCE) -> Path:
    """Verilate the serial top around the SystemVerilog of a build; returns the program, which `serial_board` runs.

    work: an empty folder; patience: cycles that the accelerator may take for a byte. Raises InputError where the build
    has no SystemVerilog, ToolError where tools are missing.
    """
    if not build.has_rtl:
        raise InputError(f"{build.folder}: was built without the rtl back end; build with --backend rtl or both")
    require_tools()
    work = work.resolve()
    texts = render_serial(build.dataflow, TOP, clock_hz, headrace_version(), build.record["source_sha256"],
                          "simulated board", baud, observe=True, words=build.host_words)
    network = {path.name: path for path in (build.folder / "rtl").resolve().glob("*.sv")}
    around = {name: text for name, text in texts.items() if name not in network}
    write_files(work, around | {"serial_config.hpp": f"constexpr double CYCLES_PER_BIT = {clock_hz / baud!r};\n"})
    modules = compile_order((*network.values(), *(work / name for name in around)))
    options = ("-DEMPTY_URAM", f"-GIDLE={IDLE}", f"-GPATIENCE={patience}", "-LDFLAGS", "-lutil")
    return verilate(SERIAL_TOP, [*modules, *stream_checks(build.dataflow, work)], "serial.cpp", work, options=options)


def compile_routed_board(build: Build, work: Path, folder: Path | None = None) -> Path:
    """The same around what `headrace bitstream` placed and routed for a board with an ECP5, from pin to pin.

    Its clock is the accelerator's, behind the PLL; its time-outs are those of the board. work: an empty folder; folder:
    where other weights were put into what was routed. Raises InputError where nothing was routed, ToolError where tools
    are missing.
    """
    require_tools()
    work = work.resolve()
    sources = write_netlist(folder or build.folder / FOLDER, BOARD_TOP, work)
    per_bit = build.record["bitstream"]["clock_mhz"] * 1e6 / BAUD
    write_files(work, {
        f"{SERIAL_TOP}.v": f"module {SERIAL_TOP} (input wire clk, rst, rx, output wire tx);\n"
                           f"  {BOARD_TOP} u_board (.clk(clk), .rx(rx), .tx(tx));\nendmodule\n",
        "serial_config.hpp": f"constexpr double CYCLES_PER_BIT = {per_bit!r};\n"})
    return verilate(SERIAL_TOP, [*sources, work / f"{SERIAL_TOP}.v"], "serial.cpp", work,
                    options=("-Wno-lint", "-LDFLAGS", "-lutil"))


@contextmanager
def serial_board(program: Path, rtl: Path, seed: int = 1) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Power up what `compile_serial_board` made: the name of its port, and the process.

    rtl: the folder of the memories, which are read then; seed: of what registers without a reset power up with. The
    signal SIGUSR1 pulls the cable or puts it in, SIGUSR2 disturbs the line. Raises ToolError where there is no pseudo
    terminal.
    """
    with subprocess.Popen([program, str(seed)], cwd=rtl, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            name = process.stdout.readline().decode().strip()
            if not name:
                raise ToolError(f"the simulated board ended with exit status {process.wait()}")
            yield name, process
        finally:
            process.kill()
