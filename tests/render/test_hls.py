"""What a build's hls/ folder holds."""

import re
import subprocess
from pathlib import Path

import pytest

from headrace.atomic_files import write_files
from headrace.building import random_frames
from headrace.dataflow.graph import SOURCE, Dataflow, Placed
from headrace.dataflow.hls_graph import carriers, hls_graph
from headrace.dataflow.vectors import Vectors
from headrace.errors import FoldingError
from headrace.layers.spec import layer_from_spec
from headrace.packing import Memory
from headrace.render.hls import frames_of_a_call, render_hls, write_hls_vectors
from headrace.render.hls_views import graph_views
from headrace.render.rtl import TOP
from headrace.simulation.csim import ap_int_folder
from tests.small_dataflows import small_cnn
from tests.tcl import TclError, run_tcl

FILES = render_hls(small_cnn(), 5.0, "xczu7ev-ffvc1156-2-e", "headrace 1.2.3\nsource 0123")
#: The commands of Vitis HLS that the Tcl uses, all of them.
TCL_COMMANDS = ("open_project", "set_top", "add_files", "open_solution", "set_part", "create_clock", "config_rtl",
                "csynth_design", "cosim_design", "export_design", "set_clock_uncertainty", "config_compile",
                "set_param")


def test_rendering_is_deterministic() -> None:
    assert render_hls(small_cnn(), 5.0, "xczu7ev-ffvc1156-2-e", "headrace 1.2.3\nsource 0123") == FILES


def test_rendered_files_begin_with_the_header_as_one_line() -> None:
    for name in ("config.hpp", "weights.hpp", "top.cpp"):
        assert FILES[name].startswith("// headrace 1.2.3 source 0123\n")
    assert FILES["csynth.tcl"].startswith("# headrace 1.2.3 source 0123\n")


def test_every_line_fits() -> None:
    assert max(len(line) for text in FILES.values() for line in text.splitlines()) <= 120


def test_a_fifo_deepens_its_stream_instead_of_being_a_process() -> None:
    carried = carriers(small_cnn())
    assert carried["fifo2", 0] == carried["fifo1", 0] == carried["pool0", 0] == ("pool0", 0)
    files = render_hls(small_cnn(), 5.0, "part", "header", depths={("pool0", 0): 14})
    assert "#pragma HLS STREAM variable=pool0_words depth=14\n" in files["top.cpp"]
    assert "headrace::fifo" not in FILES["top.cpp"]


def test_every_stream_has_one_producer_and_one_consumer_in_forward_order() -> None:
    body = FILES["top.cpp"].split("#pragma HLS DATAFLOW")[1]
    for view in graph_views(small_cnn(), hls_graph(small_cnn()), {}).values():
        declared, written, read = (i for i, line in enumerate(body.splitlines())
                                   if view.name in line and "#pragma" not in line)
        assert declared < written < read


def test_weights_are_the_one_memory_image() -> None:
    conv = next(layer for layer in small_cnn().layers if layer.name == "conv0")
    memory = conv.memories()[0]
    assert isinstance(memory, Memory)
    text = FILES["weights.hpp"].split("conv0_weights[2][12][1] = {")[1].split(";")[0]
    numbers = [int(token, 16) for token in text.replace("{", " ").replace("}", " ").replace(",", " ").split()]
    assert numbers == memory.chunks(memory.words).reshape(-1).tolist()


def commands(name: str, folder: Path) -> list[str]:
    """What a script calls, a command and its words on a line."""
    return [" ".join((call.command, *call.arguments))
            for call in run_tcl(FILES[name], dict.fromkeys(TCL_COMMANDS, ""), folder)]


def test_synthesis_script_runs_with_nothing_but_known_commands(tmp_path: Path) -> None:
    lines = commands("csynth.tcl", tmp_path)
    assert f"set_top {TOP}" in lines
    assert "set_part xczu7ev-ffvc1156-2-e" in lines
    assert "create_clock -period 5.000 -name ap_clk" in lines
    assert {line.split()[0] for line in lines} == set(TCL_COMMANDS) - {"cosim_design"}
    assert lines.index("csynth_design") < next(i for i, line in enumerate(lines) if line.startswith("export_design"))


def test_every_added_file_exists(tmp_path: Path) -> None:
    added = [line.split() for line in commands("csynth.tcl", tmp_path) if line.startswith("add_files")]
    names = [words[2] if words[1] == "-tb" else words[1] for words in added]
    config = re.findall(r"^(?:syn|tb)\.file=(.*)$", FILES["hls.cfg"], re.MULTILINE)
    assert sorted(names) == sorted(config) == ["golden.bin", "input.bin", "testbench.cpp", "top.cpp"]
    dataflow = small_cnn()
    write_hls_vectors(tmp_path, Vectors(dataflow, random_frames(dataflow, 2, 1)))
    assert all(name in FILES or (tmp_path / name).is_file() for name in names)


def test_cosimulation_compares_with_the_golden_words(tmp_path: Path) -> None:
    assert commands("cosim.tcl", tmp_path) == [
        "open_project project", "open_solution solution",
        "cosim_design -rtl verilog -random_stall -enable_dataflow_profiling -argv 1 input.bin output.bin golden.bin",
    ]


@pytest.mark.parametrize(("old", "new", "message"), [
    ("csynth_design", "csynth_desing", 'invalid command name "csynth_desing"'),
    ("$part", "$prat", 'can\'t read "prat": no such variable'),
])
def test_a_mistake_in_the_script_is_found(tmp_path: Path, old: str, new: str, message: str) -> None:
    with pytest.raises(TclError, match=re.escape(message)):
        run_tcl(FILES["csynth.tcl"].replace(old, new), dict.fromkeys(TCL_COMMANDS, ""), tmp_path)


def test_both_projects_say_the_same() -> None:
    config = dict(line.split("=", 1) for line in FILES["hls.cfg"].splitlines() if "=" in line and line[0] != "#")
    assert (config["part"], config["clock"], config["syn.top"]) == ("xczu7ev-ffvc1156-2-e", "5.000ns", TOP)
    assert config["cosim.argv"] == "1 input.bin output.bin golden.bin"
    flags, frames = config["syn.cflags"].rsplit(" ", 1)
    assert f'set cflags "{flags}"' in FILES["csynth.tcl"] and f'append cflags " {frames}"' in FILES["csynth.tcl"]
    assert frames == f"-DHEADRACE_FRAMES={frames_of_a_call(hls_graph(small_cnn()))}"


def test_the_testbench_compares_with_golden_words(tmp_path: Path) -> None:
    dataflow = small_cnn()
    write_files(tmp_path, FILES)
    write_hls_vectors(tmp_path, Vectors(dataflow, random_frames(dataflow, 3, 1)))
    folders = ["-I.", "-Iinclude", "-Isim", f"-isystem{ap_int_folder()}"]
    compiler = ["g++", "-std=c++14", "-O1", *folders, "top.cpp", "testbench.cpp", "-o", "tb"]
    subprocess.run(compiler, cwd=tmp_path, check=True)
    command = ["./tb", "3", "input.bin", "output.bin", "golden.bin"]
    assert subprocess.run(command, cwd=tmp_path, check=False).returncode == 0
    golden = bytearray((tmp_path / "golden.bin").read_bytes())
    golden[-1] ^= 1
    (tmp_path / "golden.bin").write_bytes(golden)
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == f"output.bin differs from golden.bin at byte {len(golden) - 1}\n"


def test_a_loop_that_an_int_does_not_count() -> None:
    layer = layer_from_spec({"kind": "mvtu", "mw": 2048, "mh": 256, "vectors": 1 << 13, "weight": "int4",
                             "input": "uint4", "output": "acc"}).layer
    dataflow = Dataflow(layer.inputs[0], (Placed(layer, ((SOURCE, 0),)),))
    with pytest.raises(FoldingError) as error:
        render_hls(dataflow, 5.0, "part", "header", depths={})
    assert str(error.value) == ("mvtu0: its C++ would take 4294967296 iterations per frame, and an int counts to "
                                "2147483647; give it more lanes (pe, simd), or build with --backend rtl")


def test_calls_are_long_but_their_counters_are_not() -> None:
    graph = hls_graph(small_cnn())
    longest = max(item.process.loop.iterations for item in graph.processes)
    frames = frames_of_a_call(graph)
    assert longest * frames < 1 << 24 <= 4 * longest * frames
