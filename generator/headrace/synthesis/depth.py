"""Logic depth: the most LUT levels between any two registers (or ports) of a mapped netlist.

A LUT is one level, a carry chain one level per 8 bits that a signal passes, the wide multiplexers behind LUTs none. The
read of a LUT memory is one level; block memories and their outputs are registers. An unregistered multiplier of a DSP
counts as four levels and its adder as two.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from typing import Any, NamedTuple

# Delays count in eighths of a level: one bit of a carry chain.
_LEVEL = 8
_MULTIPLIER, _ADDER = 4 * _LEVEL, 2 * _LEVEL
_CARRY = frozenset({"CARRY4", "CARRY8"})
_LUT = re.compile(r"LUT\d(_2)?|INV")
_WIRE = frozenset({"MUXF7", "MUXF8", "MUXF9", "BUFG"})
_CLOCKS = frozenset({"C", "CLK", "WCLK", "CLKARDCLK", "CLKBWRCLK", "WCK", "CLKA", "CLKB"})
#: Cells of an ECP5 that take no level of their own, and one with products of which no register is used.
_TRELLIS_WIRE, _TRELLIS_PRODUCT = frozenset({"PFUMX", "L6MUX21"}), "MULT18X18D"

#: A net bit, or a place inside of a cell.
Node = int | str


class _Arc(NamedTuple):
    """A combinational path into a node: `delay` in eighths; `rounds` where a carry chain is left before it."""

    source: Node
    delay: int
    rounds: bool = True


class _Graph:
    """Combinational arcs by the node that they lead to, and the nodes where paths end; all else starts at 0."""

    def __init__(self) -> None:
        self.arcs: defaultdict[Node, list[_Arc]] = defaultdict(list)
        self.ends: list[Node] = []

    def arrival(self) -> int:
        """The latest arrival at any end, in eighths of a level."""
        done: dict[Node, int] = {}
        latest = 0
        for end in self.ends:
            latest = max(latest, _whole(self._at(end, done)))
        return latest

    def _at(self, node: Node, done: dict[Node, int]) -> int:
        # Depth first with a stack of its own: paths are longer than Python's.
        stack = [node]
        while stack:
            top = stack[-1]
            arcs = self.arcs.get(top, []) if top not in done else []
            if waiting := [arc.source for arc in arcs if arc.source not in done]:
                stack += waiting
                continue
            if top not in done:
                done[top] = max((_reached(arc, done) for arc in arcs), default=0)
            stack.pop()
        return done[node]


def _whole(time: int) -> int:
    """The end of the level that a carry chain is left in."""
    return -(-time // _LEVEL) * _LEVEL


def _reached(arc: _Arc, done: Mapping[Node, int]) -> int:
    before = done[arc.source]
    return (_whole(before) if arc.rounds else before) + arc.delay


def logic_depth(module: Mapping[str, Any]) -> int:
    """Levels of the longest path between registers or ports of a flat module without combinational loops."""
    graph = _Graph()
    for name, cell in module["cells"].items():
        _add_cell(graph, name, cell)
    for port in module["ports"].values():
        if port["direction"] == "output":
            graph.ends += _nets(port["bits"])
    return graph.arrival() // _LEVEL


def _nets(bits: list[int | str]) -> list[Node]:
    """The nets among bits: constants are texts."""
    return [bit for bit in bits if isinstance(bit, int)]


def _add_cell(graph: _Graph, name: str, cell: Mapping[str, Any]) -> None:
    kind: str = cell["type"]
    inputs = {port: bits for port, bits in cell["connections"].items() if cell["port_directions"][port] == "input"}
    outputs = {port: bits for port, bits in cell["connections"].items() if cell["port_directions"][port] == "output"}
    if kind in _CARRY:
        _add_carry(graph, name, inputs, outputs)
    elif kind == "LUT6_2":
        _add_double_lut(graph, cell["parameters"]["INIT"], inputs, outputs)
    elif kind in _WIRE | _TRELLIS_WIRE or _LUT.fullmatch(kind):
        _add_gate(graph, inputs, outputs, _LEVEL if _LUT.fullmatch(kind) else 0)
    elif kind == "CCU2C":
        _add_two_carries(graph, name, inputs, outputs)
    elif kind == "TRELLIS_DPR16X4":
        _add_gate(graph, {"RAD": inputs["RAD"]}, outputs, _LEVEL)
        graph.ends += [net for port in ("DI", "WAD", "WRE") for net in _nets(inputs.get(port, []))]
    elif kind == _TRELLIS_PRODUCT:
        factors = {port: bits for port, bits in inputs.items() if port[0] in "AB"}
        _add_gate(graph, factors, outputs, _MULTIPLIER)
    elif kind.startswith(("RAM32", "RAM64", "RAM128", "RAM256", "RAM512", "SRL")):
        _add_lut_memory(graph, inputs, outputs)
    elif kind == "DSP48E2":
        _add_dsp(graph, name, cell["parameters"], inputs, outputs)
    else:
        graph.ends += [net for port, bits in inputs.items() if port not in _CLOCKS for net in _nets(bits)]


def _add_gate(graph: _Graph, inputs: Mapping[str, Any], outputs: Mapping[str, Any], delay: int) -> None:
    arcs = [_Arc(net, delay) for bits in inputs.values() for net in _nets(bits)]
    for bits in outputs.values():
        for net in _nets(bits):
            graph.arcs[net] += arcs


def _add_double_lut(graph: _Graph, init: str, inputs: Mapping[str, Any], outputs: Mapping[str, Any]) -> None:
    """O6 is a table of six inputs and O5 its low half; an output depends only on inputs that change its table.

    A carry-save adder wires an O5 to the LUT of the next bit, whose O5 does not look at it: no chain arises.
    """
    table = int(init, 2)
    for port, width in (("O5", 5), ("O6", 6)):
        used = [k for k in range(width) if _depends(table, width, k)]
        chosen = {f"I{k}": inputs[f"I{k}"] for k in used}
        _add_gate(graph, chosen, {port: outputs.get(port, [])}, _LEVEL)


def _depends(table: int, width: int, place: int) -> bool:
    """True if the low 2^width bits of a LUT's table change with input `place`."""
    return any((table >> n & 1) != (table >> (n ^ 1 << place) & 1) for n in range(2**width))


def _add_carry(graph: _Graph, name: str, inputs: Mapping[str, Any], outputs: Mapping[str, Any]) -> None:
    """Bit i: O = S ^ carry in, carry out = S ? carry in : DI. A chain goes on from CO to the next CI without a LUT."""
    width = len(inputs["S"])
    into = [_Arc(net, 0, rounds=False) for port in ("CI", "CYINIT") for net in _nets(inputs.get(port, [])[:1])]
    for i in range(width):
        select, data = ([_Arc(net, 1) for net in _nets(inputs.get(port, [])[i : i + 1])] for port in ("S", "DI"))
        chain = [arc._replace(delay=1) for arc in into]
        for net in _nets(outputs.get("O", [])[i : i + 1]):
            graph.arcs[net] += select + chain
        out: Node = f"{name}.{i}"
        graph.arcs[out] += select + data + chain
        for net in _nets(outputs.get("CO", [])[i : i + 1]):
            graph.arcs[net].append(_Arc(out, 0, rounds=False))
        into = [_Arc(out, 0, rounds=False)]


def _add_two_carries(graph: _Graph, name: str, inputs: Mapping[str, Any], outputs: Mapping[str, Any]) -> None:
    """Two bits of a carry chain of an ECP5, each a LUT of four inputs with the carry behind it."""
    into = [_Arc(net, 0, rounds=False) for net in _nets(inputs.get("CIN", []))]
    for i in "01":
        own = [_Arc(net, _LEVEL) for port in "ABCD" for net in _nets(inputs.get(port + i, []))]
        chain = [arc._replace(delay=1) for arc in into]
        for net in _nets(outputs.get(f"S{i}", [])):
            graph.arcs[net] += own + chain
        out: Node = f"{name}.{i}"
        graph.arcs[out] += own + chain
        into = [_Arc(out, 0, rounds=False)]
    for net in _nets(outputs.get("COUT", [])):
        graph.arcs[net] += into


def _add_lut_memory(graph: _Graph, inputs: Mapping[str, Any], outputs: Mapping[str, Any]) -> None:
    """Reads are combinational from the addresses, writes are not: address ports are A..., ADDR... and DPRA..."""
    addresses = {port: bits for port, bits in inputs.items() if port.startswith(("A", "DPRA"))}
    _add_gate(graph, addresses, outputs, _LEVEL)
    graph.ends += [net for port, bits in inputs.items() if port not in addresses and port not in _CLOCKS
                   for net in _nets(bits)]


def _add_dsp(graph: _Graph, name: str, parameters: Mapping[str, Any], inputs: Mapping[str, Any],
             outputs: Mapping[str, Any]) -> None:
    """A, B, D -> multiplier -> M -> adder with C -> P, each with or without a register; paths inside do not count."""
    product, result = f"{name}.M", f"{name}.P"
    stages = {"A": (product, "AREG"), "B": (product, "BREG"), "D": (product, "DREG"), "C": (result, "CREG")}
    for port, (stage, register) in stages.items():
        nets = _nets(inputs.get(port, []))
        if _registered(parameters, register):
            graph.ends += nets
        else:
            graph.arcs[stage] += [_Arc(net, _MULTIPLIER if stage == product else _ADDER) for net in nets]
    inside = _ADDER
    if _registered(parameters, "MREG"):
        graph.ends.append(product)
    else:
        inside += _MULTIPLIER
        graph.arcs[result].append(_Arc(product, _ADDER))
    if _registered(parameters, "PREG"):
        graph.ends.append(result)
    else:
        for net in _nets(outputs.get("P", [])):
            graph.arcs[net] += [_Arc(result, 0), _Arc(f"{name}.registers", inside)]
    graph.ends += [net for port, bits in inputs.items() if port.startswith(("CE", "RST")) for net in _nets(bits)]


def _registered(parameters: Mapping[str, Any], register: str) -> bool:
    """True if a DSP's register is used; Yosys writes numbers as binary text, and leaves defaults of one out."""
    value = parameters.get(register, "1")
    return int(value, 2) != 0 if isinstance(value, str) else bool(value)
