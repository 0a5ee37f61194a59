"""What there is to synthesize: single layers, the layers of a build, whole accelerators."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping
from pathlib import Path

from headrace.area.shell import ShellPart
from headrace.layers.base import Layer
from headrace.memory import PRICES, Prices
from headrace.paths import data_folder
from headrace.render.library import compile_order, library_texts, used_sources
from headrace.render.rtl import TOP
from headrace.render.shell import SHELL
from headrace.simulation.rtl import render_layers
from headrace.synthesis.target import ULTRASCALE, Target, target_of
from headrace.synthesis.yosys import Design

#: The end of a layer's parameters in top.sv, and its name.
_LAYER = re.compile(r"^  \) (u_\w+) \($", re.MULTILINE)

#: The ports of a module with parameters.
_PORTS = re.compile(r"^\) \(\n(.*?)^\);", re.MULTILINE | re.DOTALL)

#: Instances in the shell that have registers around them.
_SHELL_PARTS = ("u_in", "u_out", "u_registers")


def library(folder: Path | None = None, prices: Prices = PRICES) -> dict[str, str]:
    """The SystemVerilog modules in a folder by file name; those that come with headrace if no folder is given.

    prices: by which the memories of the latter choose. Beside them the declarations of the primitive cells that they
    may instantiate.
    """
    modules = ({path.name: path.read_text() for path in compile_order(folder.glob("*.sv"))} if folder
               else library_texts(prices))
    primitives = data_folder("rtl_sim") / "primitives"
    return modules | {path.name: path.read_text() for path in sorted(primitives.glob("*.sv"))}


def layer_design(layer: Layer, sources: Mapping[str, str], weights: bool = True) -> Design:
    """One layer by itself in a wrapper that sets its parameters, with those of the `sources` that it uses.

    Layers that differ only in their names give equal designs. The bus that loads new weights is a port of the wrapper.
    """
    with tempfile.TemporaryDirectory() as work:
        render_layers([layer], Path(work), layer.writable)
        rendered = {path.name: path.read_text() for path in sorted(Path(work).iterdir())
                    if path.suffix != ".hpp" and path.name != "checks.sv"}  # simulation only
    wrapper = "harness.sv"
    files = rendered | used_sources(rendered[wrapper], sources)
    return Design("harness", files, weights, target=target_of(layer.prices))


def shell_part_design(part: ShellPart, sources: Mapping[str, str]) -> Design:
    """A part of the shell by itself in a wrapper, with those of the `sources` that it uses."""
    module = f"headrace_shell_{part.kind}"
    sizes = {"IN_BYTES": part.in_bytes, "OUT_BYTES": part.out_bytes}
    ports = _PORTS.findall(sources[f"{module}.sv"])[0]
    for name, value in {**sizes, "FIFOS": 0, "load_t": "headrace_pkg::load_t"}.items():
        ports = re.sub(rf"\b{name}\b", str(value), ports)
    parameters = ", ".join(f".{name}({value})" for name, value in sizes.items())
    wrapper = f"module harness ({ports});\n  {module} #({parameters}) dut0 (.*);\nendmodule\n"
    files = {"harness.sv": wrapper} | used_sources(wrapper, sources)
    return Design("harness", files, target=target_of(part.prices))


def network_design(rtl: Path, target: Target = ULTRASCALE) -> Design:
    """The whole accelerator in a build's folder `rtl`."""
    memories = {path.name: path.read_text() for path in sorted(rtl.glob("*.mem"))}
    sources = library(rtl)
    top = sources.pop("top.sv")
    files = {"top.sv": top} | memories | used_sources(top, sources)
    return Design(TOP, files, parts=tuple(_LAYER.findall(top)), target=target)


def shell_design(rtl: Path, shell: str) -> Design:
    """The accelerator in a folder `rtl` in its shell, whose text is given: all of headrace that a board holds."""
    core = network_design(rtl)
    around = {f"{SHELL}.sv": shell} | used_sources(shell, library())
    parts = (*(f"u_core.{name}" for name in core.parts), *_SHELL_PARTS)
    return Design(SHELL, around | dict(core.files), parts=parts)
