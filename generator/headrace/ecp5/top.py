"""What is placed and routed: the accelerator by itself between pins, or a board with its clock and its serial line."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import jinja2

from headrace.board.board import Board
from headrace.board.host_words import HostWords
from headrace.dataflow.graph import SOURCE, Dataflow
from headrace.ecp5.tools import run_trellis
from headrace.errors import InputError, ToolError
from headrace.paths import data_folder
from headrace.render.names import identifier
from headrace.render.rtl import TOP, bit_range, top_open_ports, weight_wires, writable_layers
from headrace.render.serial import SERIAL_TOP, render_serial
from headrace.render.templates import load_template
from headrace.version import headrace_version

#: Modules of the accelerator between pins, of a board, and of its clock.
CORE_TOP, BOARD_TOP, PLL = "headrace_core", "headrace_board", "headrace_pll"
LPF = "board.lpf"
_ACHIEVED = re.compile(r"clkout0 frequency: ([\d.]+) MHz")


@dataclass(frozen=True)
class Top:
    """Sources around those of a build, by file name: `slang` are read with them, `plain` by Yosys' own reader.

    module: the top; slang_top: the topmost module of the former; clock_mhz: what the accelerator gets; constraints: the
    places of the pins, "" where they may lie anywhere.
    """

    module: str
    slang_top: str
    clock_mhz: float
    slang: Mapping[str, str]
    plain: Mapping[str, str] = field(default_factory=dict)
    constraints: str = ""


@dataclass(frozen=True)
class _Wire:
    name: str
    range: str


def core_top(dataflow: Dataflow, clock_mhz: float, header: str) -> Top:
    """The accelerator between pins that lie anywhere."""
    sink = dataflow.streams[dataflow.output_port]
    sources = [_Wire(SOURCE, bit_range(8 * dataflow.input.bytes)),
               *(_Wire(wire.name, wire.range) for wire in weight_wires(dataflow))]
    has_load = bool(writable_layers(dataflow))
    unused = [(name, "load_q" if name == "load" else value) for name, value in top_open_ports(dataflow)]
    text = _template("core.sv.j2").render(
        header=header, top=CORE_TOP, core=TOP, has_load=has_load, sources=sources, unused=unused,
        sink=_Wire("m_axis", bit_range(8 * sink.bytes)))
    return Top(CORE_TOP, CORE_TOP, clock_mhz, {f"{CORE_TOP}.sv": text})


def board_top(board: Board, dataflow: Dataflow, words: HostWords, clock_mhz: float, sha256: str, header: str) -> Top:
    """The accelerator on a board behind its serial line, with the clock next to the one that is asked for.

    words: as the driver has them; sha256: of the model. Raises InputError for a board without pins, a clock that is too
    slow for the line, and weights from outside; ToolError where no PLL makes the clock.
    """
    if not (board.clock_pin and board.tx_pin and board.rx_pin and board.oscillator_mhz):
        raise InputError(f"{board.name}: has no pins of an oscillator and of a UART; give clock_pin, oscillator_mhz, "
                         "tx_pin and rx_pin in its file")
    clock_mhz, pll = make_clock(board, clock_mhz)
    serial = render_serial(dataflow, TOP, round(clock_mhz * 1e6), headrace_version(), sha256, header, observe=True,
                           words=words)
    values = {"header": header, "oscillator_mhz": board.oscillator_mhz, "core_mhz": f"{clock_mhz:g}"}
    text = _template("board.v.j2").render(values, top=BOARD_TOP, pll=PLL if pll else "", serial_top=SERIAL_TOP)
    pins = (("clk", board.clock_pin), ("rx", board.rx_pin), ("tx", board.tx_pin))
    plain = {f"{BOARD_TOP}.v": text} | ({f"{PLL}.v": pll} if pll else {})
    return Top(BOARD_TOP, SERIAL_TOP, clock_mhz, serial, plain,
               _template("board.lpf.j2").render(values, pins=pins))


def make_clock(board: Board, clock_mhz: float) -> tuple[float, str]:
    """The clock next to the one that is asked for, in MHz, and the PLL that makes it of the oscillator's, "" for none.

    Raises ToolError where there is no such PLL.
    """
    if clock_mhz == board.oscillator_mhz:
        return clock_mhz, ""
    with tempfile.TemporaryDirectory() as work:
        said = run_trellis("ecppll", ["-i", f"{board.oscillator_mhz}", "-o", f"{clock_mhz:g}", "-f", "pll.v",
                                      "--module", PLL, "--clkin_name", "clkin", "--clkout0_name", "clkout"], Path(work))
        file = Path(work) / "pll.v"
        found = _ACHIEVED.search(said)
        if not found or not file.is_file():
            raise ToolError(f"ecppll makes no {clock_mhz:g} MHz of {board.oscillator_mhz} MHz: {said.strip()}")
        return float(found[1]), file.read_text()


def instances(dataflow: Dataflow) -> dict[str, str]:
    """Names of layers by those of their instances in the accelerator."""
    return {f"u_{identifier(layer.name)}": layer.name for layer in dataflow.layers}


def _template(name: str) -> jinja2.Template:
    return load_template(data_folder("boards") / "ecp5", name)
