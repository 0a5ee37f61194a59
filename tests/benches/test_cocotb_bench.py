"""The bench of a build: right under all stalls, alone without headrace, and able to find what is wrong."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from headrace.benches.cocotb_bench import run_bench
from headrace.dataflow.vectors import Vectors
from headrace.errors import InputError, MismatchError, ToolError
from headrace.render.rtl import render_rtl
from headrace.render.sim import render_sim, write_vectors
from headrace.simulation.frames import Stalls
from tests.small_dataflow import small_dataflow, small_frames

FRAMES = 4


def write_build(folder: Path) -> Path:
    """rtl/ and sim/ of the small dataflow."""
    dataflow = small_dataflow()
    for name, files in (("rtl", render_rtl(dataflow, "test")), ("sim", render_sim(dataflow, "test"))):
        (folder / name).mkdir(parents=True)
        for path, text in files.items():
            (folder / name / path).write_text(text)
    write_vectors(folder / "sim", Vectors(dataflow, small_frames(dataflow, 3)))
    return folder


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_build(tmp_path_factory.mktemp("bench") / "build")


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Compiled models: the sources are the same in most tests, so that one compilation serves them.

    The name of the folder is one that make, shells and Verilator take apart.
    """
    return tmp_path_factory.mktemp("work") / "ä $HOME 'x' (y)"


@pytest.mark.parametrize("stalls", Stalls)
def test_every_word_is_right(build: Path, work: Path, stalls: Stalls) -> None:
    result = run_bench(build, FRAMES, stalls, seed=7, work=work)
    assert (result["bit_exact"], result["mismatch"], result["frames"]) == (True, None, FRAMES)
    assert (result["stalls"], result["seed"]) == (stalls.value, 7)
    # Ends of frames that were held up lie closer together than any steady state allows.
    assert (result["cycles_per_frame"] is None) == (stalls is not Stalls.NONE)


def test_measures_cycles_latency_and_occupancy(build: Path, work: Path) -> None:
    dataflow = small_dataflow()
    result = run_bench(build, FRAMES, work=work)
    assert result["cycles_per_frame"] == dataflow.cycles_per_frame
    assert dataflow.input.words < result["latency_cycles"] < 2 * dataflow.cycles_per_frame
    assert 8 <= result["fifo_max_occupancy"]["fifo0"] < dataflow.input.words  # the slow fc1 holds it full


def test_nothing_is_written_beside_the_sources(build: Path, work: Path) -> None:
    before = sorted(build.rglob("*"))
    run_bench(build, 1, work=work)
    assert sorted(build.rglob("*")) == before


def test_a_wrong_weight_names_its_layer(tmp_path: Path, work: Path) -> None:
    broken = write_build(tmp_path / "broken")
    memory = broken / "rtl" / "fc0_weights.mem"
    first, *rest = memory.read_text().split()
    memory.write_text("\n".join([f"{int(first, 16) ^ 0x400:03x}", *rest]) + "\n")
    with pytest.raises(MismatchError) as error:
        run_bench(broken, FRAMES, work=work)
    pattern = r"fc0, frame \d, pixel \d, channel 1 \(word \d+, lane 1\): the simulation gives \d, the golden model \d"
    assert re.fullmatch(pattern, str(error.value))


def test_a_wrong_last_weight_is_found_under_stalls(tmp_path: Path, work: Path) -> None:
    broken = write_build(tmp_path / "broken")
    memory = broken / "rtl" / "fc1_weights.mem"
    *rest, last = memory.read_text().split()
    memory.write_text("\n".join([*rest, f"{int(last, 16) ^ 1:x}"]) + "\n")
    with pytest.raises(MismatchError, match=r"^fc1, frame 0, pixel \d, channel 4 \(word \d+, lane 0\): "):
        run_bench(broken, FRAMES, Stalls.RANDOM, work=work)


# Assignments at the end of top.sv, each wrong in its own way while fault[0] has its number.
GATE = "(fault[0] != 2 || words_left_q > 3)"
FAULTS = {
    "m_axis_TLAST": "words_left_q == 0 || (fault[0] == 1 && words_left_q == 1)",
    "m_axis_TVALID": f"fc1_TVALID && {GATE}",
    "fc1_TREADY": f"m_axis_TREADY && {GATE}",
    # The data are right whenever they are taken, so that only the rule is broken.
    "m_axis_TDATA": "m_axis_TREADY || fault[0] != 3 ? fc1_TDATA : {8{s_axis_TVALID && s_axis_TREADY}}",
}


def build_with_fault(folder: Path, number: int) -> Path:
    """A build with one fault in its top. A memory file chooses it, so that one compilation serves them all."""
    write_build(folder)
    top = folder / "rtl" / "top.sv"
    text = top.read_text()
    for signal, expression in FAULTS.items():
        text, count = re.subn(rf"(assign {signal} *= ).*;", rf"\g<1>{expression};", text)
        assert count == 1
    declaration = '  logic [1:0] fault [1];\n  initial $readmemh("fault.mem", fault);\n'
    top.write_text(text.replace("  // Words of the frame", declaration + "  // Words of the frame"))
    (folder / "rtl" / "fault.mem").write_text(f"{number}\n")
    return folder


@pytest.mark.parametrize(
    ("number", "stalls", "sentence"),
    [
        (1, Stalls.NONE, "fc1, frame 0, word 18: TLAST is 1 where it must be 0"),
        (2, Stalls.NONE, r"no word moved for \d+ cycles, after 16 words of output; "
                         "not taken: s_axis, fifo0, dwc0, fc0; waited for: fc1"),
        (3, Stalls.SINK, "fc1: TDATA changed before TREADY came"),
    ],
)
def test_faults_in_the_top_are_found(tmp_path: Path, work: Path, number: int, stalls: Stalls, sentence: str) -> None:
    with pytest.raises(MismatchError) as error:
        run_bench(build_with_fault(tmp_path / "broken", number), FRAMES, stalls, work=work)
    assert re.fullmatch(sentence, str(error.value))


def test_a_top_without_its_fault_is_right(tmp_path: Path, work: Path) -> None:
    assert run_bench(build_with_fault(tmp_path / "build", 0), FRAMES, Stalls.SINK, work=work)["bit_exact"]


def test_other_vectors_are_taken(build: Path, work: Path, tmp_path: Path) -> None:
    dataflow = small_dataflow()
    other = write_vectors(tmp_path, Vectors(dataflow, small_frames(dataflow, 5)[3:]))
    assert run_bench(build, 2, work=work, vectors=other)["bit_exact"]


def test_vectors_are_byte_identical(tmp_path: Path) -> None:
    dataflow = small_dataflow()
    first = write_vectors(tmp_path, Vectors(dataflow, small_frames(dataflow, 2))).read_bytes()
    assert write_vectors(tmp_path, Vectors(dataflow, small_frames(dataflow, 2))).read_bytes() == first


def test_waves_are_written(tmp_path: Path, work: Path) -> None:
    build = write_build(tmp_path / "build")
    run_bench(build, 1, waves=True, work=work)
    assert "fc0_TVALID" in (build / "sim" / "waves.vcd").read_text()


def test_sim_folder_runs_without_headrace(build: Path, work: Path, tmp_path: Path) -> None:
    python = tmp_path / "python3"
    # -I: neither the current folder nor PYTHONPATH; a finder that refuses the package stands for its absence.
    python.write_text(f'#!/bin/sh\nexec {sys.executable} -I "$@"\n')
    python.chmod(0o755)
    refuse = tmp_path / "refuse.py"
    refuse.write_text("import runpy, sys\nsys.modules['headrace'] = None\nsys.argv = sys.argv[1:]\n"
                      "runpy.run_path(sys.argv[0], run_name='__main__')\n")
    (tmp_path / "my work").symlink_to(work)
    variables = [f"PYTHON={python} {refuse}", f"BUILD={tmp_path}/my work", "FRAMES=2", "STALLS=random"]
    command = ["make", "-C", str(build / "sim"), *variables]
    done = subprocess.run(command, cwd="/", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert '"bit_exact": true' in done.stdout
    imports = re.compile(r"^\s*(import|from) headrace\b", re.MULTILINE)
    assert not [path.name for path in (build / "sim").glob("*.py") if imports.search(path.read_text())]


def test_no_build_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError) as error:
        run_bench(tmp_path)
    assert str(error.value) == (
        f"{tmp_path}: there is no sim/run.py in it; give a directory that `headrace build` wrote"
    )


def test_sources_that_do_not_compile_are_a_tool_error(tmp_path: Path) -> None:
    broken = write_build(tmp_path / "broken")
    (broken / "rtl" / "headrace_dwc.sv").write_text("module headrace_dwc; nonsense endmodule\n")
    with pytest.raises(ToolError, match="Verilator or the C\\+\\+ compiler failed") as error:
        run_bench(broken)
    assert "headrace_dwc.sv" in str(error.value)


@pytest.mark.parametrize(("text", "reason"), [
    ("", "it said nothing, left no result and ended with exit status 0"), ("raise SystemExit(3)", "exit status 3"),
    ("raise SystemExit('no idea')", "no idea"), ("x = (", "SyntaxError"),
])
def test_a_damaged_bench_says_why(tmp_path: Path, text: str, reason: str) -> None:
    (tmp_path / "sim").mkdir()
    (tmp_path / "sim" / "run.py").write_text(text)
    with pytest.raises(ToolError, match=rf"sim/run\.py of .* failed: (.|\n)*{reason}"):
        run_bench(tmp_path)
