"""A build -> its vivado/ folder: the shell, and the scripts from sources to a bitstream."""

from __future__ import annotations

from typing import Any, Literal

import jinja2

from headrace.board.board import Board
from headrace.board.dma import LENGTH_BITS
from headrace.board.family import ProcessorFamily, family_of
from headrace.board.host_words import host_words
from headrace.board.shell_registers import WINDOW_BYTES
from headrace.dataflow.external import external_layers
from headrace.dataflow.graph import Dataflow
from headrace.errors import InputError
from headrace.paths import data_folder
from headrace.render.external import external_json
from headrace.render.rtl import ADAPTER, MACROS, TOP, primitive_sources, render_adapter, rtl_modules
from headrace.render.shell import SHELL, render_shell, shell_modules
from headrace.render.templates import load_template
from headrace.version import file_header, headrace_version

Backend = Literal["rtl", "hls"]

#: Scripts by name; bitstream.tcl and ooc.tcl are run, the others are sourced by them.
SCRIPTS = ("settings.tcl", "package.tcl", "system.tcl", "bitstream.tcl", "ooc.tcl", "ooc.xdc")
#: Messages of Vivado that have to be errors: a file of $readmemh that is not found or not read, a net with two drivers.
FATAL = ("Synth 8-4445", "Synth 8-2898", "Synth 8-6859", "Synth 8-3352")
#: Clocks from which on the tools are to take the time that they need.
_FAST_MHZ = 250.0
#: Name of the .bit and the .hwh.
NAME = "accelerator"


def render_vivado(dataflow: Dataflow, board: Board, backend: Backend, clock_mhz: float, sha256: str,
                  observe: bool = False) -> dict[str, str]:
    """All files of vivado/ by their path in it; sha256: of the model; observe: as of `render_shell`.

    Raises InputError where the board or the network does not fit.
    """
    family = family_of(board)
    _require_short_frames(dataflow)
    words = host_words(dataflow, family, clock_mhz)
    header = f"{file_header(sha256)}, board {board.name}"
    core = TOP if backend == "rtl" else ADAPTER
    shell = render_shell(dataflow, core, family.stream_bytes, headrace_version(), sha256, header,
                         observe=observe, words=words)
    there = rtl_modules(dataflow) if backend == "rtl" else {}
    around = {name: text for name, text in shell_modules(shell).items() if name not in there}
    files = {f"shell/{name}": text for name, text in ({f"{SHELL}.v": shell} | around).items()}
    if backend == "hls":
        files[f"shell/{ADAPTER}.sv"] = render_adapter(dataflow, header)
    else:
        cells = primitive_sources(dataflow, MACROS[family.prices.cells])
        files |= {f"primitives/{name}": text for name, text in cells.items()}
    values = _values(board, family, backend, clock_mhz) | _weight_values(dataflow, family) | {"header": header}
    return files | {name: _template(f"{name}.j2").render(values) for name in SCRIPTS}


def _require_short_frames(dataflow: Dataflow) -> None:
    sink = dataflow.streams[dataflow.output_port]
    for title, stream in (("input", dataflow.input), ("output", sink)):
        if (size := stream.words * stream.bytes) >= 1 << LENGTH_BITS:
            raise InputError(f"the {title} has {size} bytes a frame but a transfer of the DMA has fewer than "
                             f"{1 << LENGTH_BITS}; reduce its size")
    for layer in external_layers(dataflow).values():
        if (size := layer.weight_image().size) >= 1 << LENGTH_BITS:
            raise InputError(f"{layer.name}: its weights have {size} bytes but a transfer of the DMA has fewer than "
                             f"{1 << LENGTH_BITS}; use narrower weights")


def _weight_values(dataflow: Dataflow, family: ProcessorFamily) -> dict[str, Any]:
    """What the templates need for the DMAs of the weights that come from memory."""
    addresses = [entry["dma_address"] for entry in external_json(dataflow, family.control_base)]
    interrupts = family.control_base + (2 + len(addresses)) * WINDOW_BYTES
    return {"weights": len(addresses), "interrupt_base": f"{interrupts:#010x}",
            "weight_bases": [f"{address:#010x}" for address in addresses],
            "processor_config": family.processor_config + (family.weight_config if addresses else ())}


def _values(board: Board, family: ProcessorFamily, backend: Backend, clock_mhz: float) -> dict[str, Any]:
    return {
        "fatal": FATAL, "name": NAME, "top": SHELL, "board": board, "family": family, "backend": backend,
        "core_mhz": f"{clock_mhz:g}",
        "period_ns": f"{1e3 / clock_mhz:.3f}", "fast": clock_mhz >= _FAST_MHZ, "length_bits": LENGTH_BITS,
        "accelerator_base": f"{family.control_base:#010x}", "dma_base": f"{family.control_base + WINDOW_BYTES:#010x}",
        "register_bytes": f"{WINDOW_BYTES:#x}",
    }


def _template(name: str) -> jinja2.Template:
    return load_template(data_folder("boards") / "vivado", name)
