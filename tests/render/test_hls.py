"""What a build's hls/ folder holds."""

import shutil
import subprocess
from pathlib import Path

import pytest

from generator.packing import Memory
from generator.render.hls import render_hls, stream_views
from generator.render.rtl import TOP
from tests.small_dataflows import small_cnn

FILES = render_hls(small_cnn(), 5.0, "xczu7ev-ffvc1156-2-e", "headrace 1.2.3\nsource 0123")
#: The commands of Vitis HLS that the Tcl uses, all of them.
TCL_COMMANDS = ("open_project", "set_top", "add_files", "open_solution", "set_part", "create_clock", "config_rtl",
                "csynth_design", "export_design")  # fmt: skip


def test_rendering_is_deterministic() -> None:
    assert render_hls(small_cnn(), 5.0, "xczu7ev-ffvc1156-2-e", "headrace 1.2.3\nsource 0123") == FILES


def test_rendered_files_begin_with_the_header_as_one_line() -> None:
    for name in ("config.hpp", "weights.hpp", "top.cpp"):
        assert FILES[name].startswith("// headrace 1.2.3 source 0123\n")
    assert FILES["csynth.tcl"].startswith("# headrace 1.2.3 source 0123\n")


def test_every_line_fits() -> None:
    assert max(len(line) for text in FILES.values() for line in text.splitlines()) <= 120


def test_a_fifo_deepens_its_stream_instead_of_being_a_process() -> None:
    views = stream_views(small_cnn())
    assert views["fifo2", 0] is views["fifo1", 0] is views["pool0", 0]
    assert "#pragma HLS STREAM variable=conv0_words depth=10\n" in FILES["top.cpp"]
    assert "#pragma HLS STREAM variable=pool0_words depth=14\n" in FILES["top.cpp"]
    assert "headrace::fifo" not in FILES["top.cpp"]


def test_every_stream_has_one_producer_and_one_consumer_in_forward_order() -> None:
    body = FILES["top.cpp"].split("#pragma HLS DATAFLOW")[1]
    for view in stream_views(small_cnn()).values():
        declared, written, read = (i for i, line in enumerate(body.splitlines())
                                   if view.name in line and "#pragma" not in line)  # fmt: skip
        assert declared < written < read


def test_weights_are_the_one_memory_image() -> None:
    conv = next(layer for layer in small_cnn().layers if layer.name == "conv0")
    memory = conv.memories()[0]
    assert isinstance(memory, Memory)
    text = FILES["weights.hpp"].split("conv0_weights[2][12][1] = {")[1].split(";")[0]
    numbers = [int(token, 16) for token in text.replace("{", " ").replace("}", " ").replace(",", " ").split()]
    assert numbers == memory.chunks().reshape(-1).tolist()


def test_tcl_runs_with_nothing_but_known_commands(tmp_path: Path) -> None:
    tclsh = shutil.which("tclsh")
    if not tclsh:
        pytest.skip("tclsh is not installed")
    stubs = "".join(f"proc {name} args {{ puts \"{name} $args\" }}\n" for name in TCL_COMMANDS)
    script = tmp_path / "run.tcl"
    script.write_text(stubs + FILES["csynth.tcl"])
    result = subprocess.run([tclsh, str(script)], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    lines = result.stdout.splitlines()
    assert f"set_top {TOP}" in lines
    assert "set_part xczu7ev-ffvc1156-2-e" in lines
    assert "create_clock -period 5.000 -name ap_clk" in lines
    assert {line.split()[0] for line in lines} == set(TCL_COMMANDS)
