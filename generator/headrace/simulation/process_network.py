"""The top of the C++ as a network of processes: what hls_templates/sim/network.h runs, made from top.cpp as it lies."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headrace.dataflow.graph import Port
from headrace.dataflow.hls_graph import PlacedProcess
from headrace.datatypes import IntArray
from headrace.errors import MismatchError, ToolError

Marks = NDArray[np.uint16]

_BEGIN = "#pragma HLS DATAFLOW"
_STREAM = re.compile(r"^[ \t]*hls::stream<[^;]*> (\w+);", re.MULTILINE)
_DEPTH = re.compile(r"^[ \t]*#pragma HLS STREAM variable=(\w+) depth=(\d+)[ \t]*$", re.MULTILINE)
_CALL = re.compile(r"^[ \t]*((?:layers|headrace)::(\w+)(?:<[^;]*>)?\([^;]*\));", re.MULTILINE)
_LAYERS, _LAYERS_END, _WEIGHTS = "\nnamespace layers {\n", "\n}  // namespace layers", '#include "weights.hpp"'
_FUNCTION = re.compile(r"^(?P<head>void \w+\([^{;]*\)) \{\n.*?^\}\n", re.MULTILINE | re.DOTALL)
_ARRAY = re.compile(r"^static const \S+ (\w+)(?:\[\d+\])+ = \{.*?^\};\n", re.MULTILINE | re.DOTALL)
#: Functions in one piece of C++, which takes a few seconds to compile, half of them for the header of ap_int.
_FUNCTIONS_PER_UNIT = 12
#: A stream's depth where no directive gives it one.
_DEFAULT_DEPTH = 2
_ITERATION, _WRITE = 0xFFFF, 0x8000


@dataclass(frozen=True)
class NetworkSource:
    """C++ that runs the network, and its streams and processes in the order in which they are recorded."""

    text: str
    streams: tuple[str, ...]
    processes: tuple[str, ...]


def network_source(top: str) -> NetworkSource:
    """top.cpp with its calls as processes and its streams as deep as their directives say.

    Raises ToolError where it has no DATAFLOW body, or one that ends with something else.
    """
    head, begin, body = top.partition(_BEGIN)
    body, end, rest = body.rpartition("}")
    if not begin or not end or rest.strip():
        raise ToolError(f"top.cpp: has no function with {_BEGIN} at its end; build again")
    depths = {name: int(depth) for name, depth in _DEPTH.findall(body)}
    streams, processes = _STREAM.findall(body), [name for _, name in _CALL.findall(body)]
    body = _STREAM.sub(lambda found: f'{found[0]} {found[1]}.declare("{found[1]}", '
                                     f'{depths.get(found[1], _DEFAULT_DEPTH)});', body)
    body = _CALL.sub(lambda found: f'hls::sim::process("{found[2]}", [&] {{ {found[1]}; }});', body)
    text = f"{head}{begin}{body}  hls::sim::run();\n  hls::sim::keep();\n}}\n"
    return NetworkSource(text, tuple(streams), tuple(processes))


def units(source: NetworkSource, weights: str) -> dict[str, str]:
    """The C++ in pieces that compile apart, by file name: the functions of the layers, and last what calls them.

    weights: the text of weights.hpp, of which each piece holds what it uses. A top without such functions is one piece.
    """
    head, begin, rest = source.text.partition(_LAYERS)
    body, end, tail = rest.partition(_LAYERS_END)
    functions = list(_FUNCTION.finditer(body))
    if not begin or not end or len(functions) <= _FUNCTIONS_PER_UNIT:
        return {"network.cpp": f'#line 1 "top.cpp"\n{source.text}'}
    count, first_line = -(-len(functions) // _FUNCTIONS_PER_UNIT), (head + begin).count("\n") + 1

    def text(functions: Sequence[re.Match[str]]) -> str:
        lines = [first_line + body.count("\n", 0, one.start()) for one in functions]
        return "".join(f'#line {line} "top.cpp"\n{one[0]}' for line, one in zip(lines, functions, strict=True))

    pieces = {f"layers{k}.cpp": text(functions[k::count]) for k in range(count)}
    made = {name: f'#line 1 "top.cpp"\n{_with_weights(head, weights, piece)}{begin}{piece}{end}\n'
            for name, piece in pieces.items()}
    declared = "".join(f"{one['head']};\n" for one in functions)
    return made | {"network.cpp": f'#line 1 "top.cpp"\n{_with_weights(head, weights, "")}{begin}{declared}{end}{tail}'}


def _with_weights(head: str, weights: str, piece: str) -> str:
    """The top's includes with those arrays of weights.hpp that a piece of it names."""
    used = set(re.findall(r"memories::(\w+)", piece))
    return head.replace(_WEIGHTS, _ARRAY.sub(lambda found: found[0] if found[1] in used else "", weights))


def require_scheduled(names: Mapping[str, PlacedProcess], numbers: Mapping[int, Port],
                      marks: Mapping[str, Marks]) -> None:
    """Raise MismatchError where a process does not read and write as its loop says, iteration by iteration.

    names: of the processes; numbers: of the streams in the marks, those of weights excepted.
    """
    for name, item in names.items():
        loop = item.process.loop
        reads, writes = _moves(item, numbers, marks[name])
        for what, got, body in (("reads", reads, loop.reads), ("writes", writes, loop.writes)):
            wrong = np.flatnonzero(got != np.resize(body, len(got)))
            if wrong.size:
                raise MismatchError(f"{name}: iteration {wrong[0]} of its loop {what} other streams than planned; "
                                    "report this as a defect")


def _moves(item: PlacedProcess, numbers: Mapping[int, Port], marks: Marks) -> tuple[IntArray, IntArray]:
    """Masks of what every complete recorded iteration reads and writes."""
    at = np.cumsum(marks == _ITERATION) - 1
    count = int(at[-1]) if len(at) else 0  # the last one may be cut off
    moves = []
    for ports, written in ((item.inputs, False), (item.outputs, True)):
        mask = np.zeros(count, np.int64)
        for bit, port in enumerate(ports):
            number = next(number for number, other in numbers.items() if other == port)
            hits = at[marks == (number | (_WRITE if written else 0))]
            np.add.at(mask, hits[hits < count], 1 << bit)
        moves.append(mask)
    return moves[0], moves[1]
