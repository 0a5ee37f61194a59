"""The routed netlist, as nextpnr writes it, becomes Verilog that computes the same.

Where nextpnr leaves an input open, the chip ties it high; a cell's settings (ports' names with MUX) invert inputs or
tie them. Both become explicit here. A PLL passes its clock on, as the simulation has the clock behind it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from headrace.errors import ToolError

#: Ports that are off where they are open: nothing is connected that could reset.
_OFF_IF_OPEN = frozenset({"LSR"})
#: What a block RAM's port puts out while it writes.
_WRITE_MODES = {"NORMAL": 0, "WRITETHROUGH": 1, "READBEFOREWRITE": 2}
_BUS = re.compile(r"(\D+?)(\d+)")

Connections = Mapping[str, list[int | str]]


@dataclass
class _Cell:
    """A cell of the netlist; parameters and connections as nextpnr writes them."""

    name: str
    kind: str
    parameters: Mapping[str, Any]
    connections: Connections
    directions: Mapping[str, str]

    def text(self, name: str, default: str = "") -> str:
        """A parameter that is a text."""
        return str(self.parameters.get(name, default)).strip()

    def number(self, name: str) -> int:
        """A parameter that is a number."""
        value = self.parameters.get(name, 0)
        return int(value, 2) if isinstance(value, str) else int(value)

    def open(self, port: str) -> bool:
        """True if nothing is connected."""
        return not self.connections.get(port)

    def net(self, port: str) -> str:
        """The wire at an output, "" for none."""
        bits = self.connections.get(port, [])
        return f"n{bits[0]}" if bits else ""

    def given(self, port: str) -> str:
        """What an input sees: a wire, inverted or not, or a constant."""
        mux = self.text(f"{port}MUX")
        if mux in ("0", "1"):
            return f"1'b{mux}"
        bits = self.connections.get(port, [])
        if not bits:
            return "1'b0" if port in _OFF_IF_OPEN or mux == "INV" else "1'b1"
        wire = f"n{bits[0]}" if isinstance(bits[0], int) else f"1'b{bits[0]}"
        return f"!{wire}" if mux == "INV" else wire

    def bus(self, prefix: str, bits: int) -> str:
        """Inputs PREFIX0, PREFIX1 ... in one."""
        return "{" + ", ".join(self.given(f"{prefix}{k}") for k in reversed(range(bits))) + "}"


@dataclass
class _Text:
    """Lines of the module, and whether a wire is driven by an assignment or by a register."""

    registers: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)

    def assign(self, wire: str, expression: str) -> None:
        if wire:
            self.lines.append(f"  assign {wire} = {expression};")


def routed_verilog(routed: Mapping[str, Any], module: str) -> str:
    """nextpnr's JSON -> one Verilog module with the ports of the design; rtl_sim/ecp5/cells.v has the cells beneath.

    module: its name. Raises ToolError for a cell or a setting of one that has no behaviour here.
    """
    (design,) = routed["modules"].values()
    text = _Text()
    for name, cell in design["cells"].items():
        made = _Cell(name, cell["type"], cell["parameters"], cell["connections"], cell["port_directions"])
        if made.kind not in _WRITERS:
            raise ToolError(f"{name}: a cell {made.kind} has no behaviour to be simulated; report this as a defect")
        _WRITERS[made.kind](made, text)
    ports = [f"  {port['direction']} wire [{len(port['bits']) - 1}:0] {name}" for name, port in design["ports"].items()]
    ends = [f"  assign {left} = {right};" for name, port in design["ports"].items()
            for left, right in _ends(name, port)]
    registers = set(text.registers)
    wires = [f"  wire n{bit};" for bit in sorted(_nets(design)) if f"n{bit}" not in registers]
    return "\n".join([
        "/* verilator lint_off WIDTH */", f"module {module} (", ",\n".join(ports), ");", *wires, *ends, *text.lines,
        "endmodule", ""])


def _nets(design: Mapping[str, Any]) -> set[int]:
    """The numbers of all nets."""
    lists = [bits for cell in design["cells"].values() for bits in cell["connections"].values()]
    lists += [port["bits"] for port in design["ports"].values()]
    return {bit for bits in lists for bit in bits if isinstance(bit, int)}


def _ends(name: str, port: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The bits of a port and their nets, in the order of an assignment."""
    for k, bit in enumerate(port["bits"]):
        if isinstance(bit, int):
            pair = (f"n{bit}", f"{name}[{k}]")
            yield pair if port["direction"] == "input" else pair[::-1]


def _buffer(inputs: str, output: str) -> Callable[[_Cell, _Text], None]:
    def write(cell: _Cell, text: _Text) -> None:
        text.assign(cell.net(output), cell.given(inputs))

    return write


def _pin(cell: _Cell, text: _Text) -> None:
    if cell.text("DIR") == "INPUT":
        text.assign(cell.net("O"), cell.given("B"))
    elif cell.text("DIR") == "OUTPUT":
        text.assign(cell.net("B"), cell.given("I"))
    else:
        raise ToolError(f"{cell.name}: a pin of both directions is not simulated; report this as a defect")


def _lut(cell: _Cell, text: _Text) -> None:
    """A LUT, half a carry, or a memory of 16 bits; behind it a multiplexer of two of them."""
    mode, inputs = cell.text("MODE", "LOGIC"), [cell.given(port) for port in "DCBA"]
    init = f"16'h{cell.number('INITVAL'):04x}"
    table = f"{init} >> {{{', '.join(inputs)}}}"
    output = cell.net("F") or f"f_{len(text.lines)}"
    if output.startswith("f_"):
        text.lines.append(f"  wire {output};")
    if mode == "LOGIC":
        text.assign(output, table)
    elif mode == "CCU2":
        _carry(cell, text, table, output)
    elif mode == "DPRAM":
        _memory(cell, text, init, output)
    elif mode != "RAMW_BLOCK":
        raise ToolError(f"{cell.name}: a LUT in mode {mode} is not simulated; report this as a defect")
    if cell.net("OFX"):
        wide = not (cell.open("FXA") and cell.open("FXB"))
        high, low = (cell.given("FXB"), cell.given("FXA")) if wide else (cell.given("F1"), output)
        text.assign(cell.net("OFX"), f"{cell.given('M')} ? {high} : {low}")


def _carry(cell: _Cell, text: _Text, table: str, output: str) -> None:
    """A bit of a carry chain: the low quarter of its table generates."""
    injects = cell.text("CCU2_INJECT1") == "YES"
    whole, into = f"c_{len(text.lines)}", cell.given("FCI")
    low = f"16'h{cell.number('INITVAL') & 15:04x} >> {{{cell.given('B')}, {cell.given('A')}}}"
    text.lines.append(f"  wire {whole} = {table};")
    text.assign(output, whole if injects else f"{whole} ^ {into}")
    if cell.net("FCO"):
        generate = "1'b0" if injects else f"{whole}g"
        if not injects:
            text.lines.append(f"  wire {whole}g = {low};")
        text.assign(cell.net("FCO"), f"{whole} ? {into} : {generate}")


def _memory(cell: _Cell, text: _Text, init: str, output: str) -> None:
    """16 words of a bit, which lie in the table as the inputs D, C, B, A choose them; addresses go to A, C, B, D."""
    words = f"m_{len(text.lines)}"
    address = ", ".join(cell.given(f"WAD{k}") for k in (0, 2, 1, 3))
    text.lines += [f"  reg [15:0] {words} = {init};",
                   f"  always @(posedge {cell.given('WCK')}) if ({cell.given('WRE')}) "
                   f"{words}[{{{address}}}] <= {cell.given('WD')};"]
    text.assign(output, f"{words}[{{{', '.join(cell.given(port) for port in 'DCBA')}}}]")


def _write_inputs(cell: _Cell, text: _Text) -> None:
    """How address and data get to memories of LUTs."""
    for k, (address, data) in enumerate(zip("DBCA", "CADB", strict=True)):
        text.assign(cell.net(f"WADO{k}"), cell.given(f"{address}0"))
        text.assign(cell.net(f"WDO{k}"), cell.given(f"{data}1"))


def _flip_flop(cell: _Cell, text: _Text) -> None:
    if not (out := cell.net("Q")):
        return
    text.registers.append(out)
    value = "1'b1" if cell.text("REGSET") == "SET" else "1'b0"
    clock, reset, enable = (cell.given(port) for port in ("CLK", "LSR", "CE"))
    data = cell.given("M" if cell.text("SD") == "0" else "DI")
    edge = f" or posedge {reset}" if cell.text("SRMODE") == "ASYNC" else ""
    first = "" if cell.text("SRMODE") == "ASYNC" or cell.text("SRMODE") != "CE_OVER_LSR" else f"{enable} && "
    text.lines += [f"  reg {out} = {value};",
                   f"  always @(posedge {clock}{edge}) if ({first}{reset}) {out} <= {value}; "
                   f"else if ({enable}) {out} <= {data};"]


def _block_ram(cell: _Cell, text: _Text) -> None:
    for side in "AB":
        if cell.text(f"REGMODE_{side}", "NOREG") != "NOREG" or cell.text(f"CSDECODE_{side}") not in ("0b000", ""):
            raise ToolError(f"{cell.name}: a block RAM with output registers or a decoder is not simulated; report "
                            "this as a defect")
        if cell.text("RESETMODE") == "ASYNC" and cell.given(f"RST{side}") != "1'b0":
            raise ToolError(f"{cell.name}: a block RAM with a reset without a clock is not simulated; report this as a "
                            "defect")
    rows = (cell.parameters.get(f"INITVAL_{row:02X}", "0") for row in range(64))
    words = [int(row, 2) >> 20 * k & 0x3FFFF for row in rows for k in range(16)]
    init = sum(word << 18 * k for k, word in enumerate(words))
    sides = [f".WIDTH_{side}({cell.number(f'DATA_WIDTH_{side}')}), "
             f".MODE_{side}({_WRITE_MODES[cell.text(f'WRITEMODE_{side}', 'NORMAL')]})" for side in "AB"]
    ports = []
    for side in "AB":
        selected = " && ".join(f"!{cell.given(f'CS{side}{k}')}" for k in range(3))
        ports += [f".CLK{side}({cell.given(f'CLK{side}')})", f".CE{side}({cell.given(f'CE{side}')} && {selected})",
                  f".WE{side}({cell.given(f'WE{side}')})", f".RST{side}({cell.given(f'RST{side}')})",
                  f".AD{side}({cell.bus(f'AD{side}', 14)})", f".DI{side}({cell.bus(f'DI{side}', 18)})",
                  f".DO{side}({_outputs(cell, f'DO{side}', 18, text)})"]
    name = f"u_{len(text.lines)}"
    text.lines.append(f"  DP16KD #(.INIT(18432'h{init:x}), {', '.join(sides)}) {name} ({', '.join(ports)});")


def _multiplier(cell: _Cell, text: _Text) -> None:
    if used := sorted(name for name, value in cell.parameters.items()
                      if name.startswith("REG_") and name.endswith("_CLK") and str(value).strip() != "NONE"):
        raise ToolError(f"{cell.name}: the register {used[0]} of a multiplier is not simulated; report this as a "
                        "defect")
    name = f"u_{len(text.lines)}"
    text.lines.append(f"  MULT18X18D {name} (.A({cell.bus('A', 18)}), .B({cell.bus('B', 18)}), "
                      f".SIGNEDA({cell.given('SIGNEDA')}), .SIGNEDB({cell.given('SIGNEDB')}), "
                      f".P({_outputs(cell, 'P', 36, text)}));")


def _outputs(cell: _Cell, prefix: str, bits: int, text: _Text) -> str:
    """Outputs PREFIX0, PREFIX1 ... in one; what nobody reads goes to wires of their own."""
    found = []
    for k in reversed(range(bits)):
        wire = cell.net(f"{prefix}{k}")
        if not wire:
            wire = f"o_{len(text.lines)}"
            text.lines.append(f"  wire {wire};")
        found.append(wire)
    return "{" + ", ".join(found) + "}"


def _pll(cell: _Cell, text: _Text) -> None:
    text.assign(cell.net("CLKOP"), cell.given("CLKI"))
    text.assign(cell.net("LOCK"), "1'b1")


_WRITERS: dict[str, Callable[[_Cell, _Text], None]] = {
    "TRELLIS_IO": _pin, "DCCA": _buffer("CLKI", "CLKO"), "EHXPLLL": _pll, "TRELLIS_COMB": _lut,
    "TRELLIS_RAMW": _write_inputs, "TRELLIS_FF": _flip_flop, "DP16KD": _block_ram, "MULT18X18D": _multiplier,
}
