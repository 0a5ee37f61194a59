"""`headrace bitstream` with mock tools on PATH, with failing ones and with none."""

from __future__ import annotations

import json
import os
import shutil
import stat
from collections.abc import Callable
from html import escape
from pathlib import Path

import pytest

from headrace.__main__ import main
from headrace.board.board import load_board
from headrace.board.family import family_of
from headrace.build_folder import Build
from headrace.dataflow.hls_graph import hls_graph
from headrace.errors import InputError, ToolError
from headrace.render.hls_views import process_name
from headrace.vivado.reports import read_hierarchy, read_timing, read_utilization
from tests.small_networks import small_network
from tests.unverified_build import write_unverified

#: Puts tools on PATH by their names.
Install = Callable[..., None]
MOCKS = Path(__file__).resolve().parents[1] / "mock_tools"


@pytest.fixture
def built(tmp_path: Path) -> Path:
    return write_unverified(tmp_path / "b", small_network()).folder


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Put some of the mock tools, and the system's own programs, on PATH."""

    def only(*names: str) -> None:
        folder = tmp_path / "tools"
        folder.mkdir()
        for name in (*names, "hls_report"):
            shutil.copy(MOCKS / name, folder / name)
            (folder / name).chmod(stat.S_IRWXU)
        for name in ("sh", "cat", "mkdir", "echo"):
            (folder / name).symlink_to(shutil.which(name) or "")
        monkeypatch.setenv("PATH", str(folder))

    return only


def run(*arguments: str | Path) -> int:
    return main(["bitstream", *map(str, arguments)])


def test_rtl(built: Path, install: Install, capsys: pytest.CaptureFixture[str]) -> None:
    install("vivado")
    assert run(built, "--board", "kv260", "--jobs", "3", "--json") == 0
    assert (built / "vivado" / "accelerator.bit").is_file() and (built / "vivado" / "accelerator.hwh").is_file()
    result = json.loads(capsys.readouterr().out)
    assert result == json.loads((built / "build.json").read_text())["bitstream"]
    assert (result["board"], result["part"], result["backend"]) == ("kv260", "xck26-sfvc784-2LV-c", "rtl")
    assert result["timing"] == {"wns_ns": 0.412, "tns_ns": 0.0, "whs_ns": 0.01, "ths_ns": 0.0, "met": True}
    assert result["utilization"] == {"lut": 9123, "ff": 8001, "bram36": 12.5, "uram": 2, "dsp": 7}
    assert result["layers"] == [{"name": "conv0", "lut": 1200, "ff": 900, "bram36": 4.5, "uram": 0, "dsp": 5},
                                {"name": "fc3", "lut": 300, "ff": 200, "bram36": 1, "uram": 2, "dsp": 0}]
    assert (built / "vivado" / "mock.log").read_text() == (
        "vivado -mode batch -nojournal -nolog -source bitstream.tcl -tclargs 3\n")
    assert not (built / "hls" / "mock.log").exists()


@pytest.mark.parametrize(("tool", "line"), [
    ("vitis_hls", "vitis_hls -f csynth.tcl\n"), ("v++", "v++ -c --mode hls --config hls.cfg --work_dir project\n"),
])
def test_hls_by_either_compiler(built: Path, install: Install, tool: str, line: str) -> None:
    install("vivado", tool)
    assert run(built, "--board", "zcu102", "--backend", "hls") == 0
    assert (built / "hls" / "mock.log").read_text() == line
    assert "set part   xczu9eg-ffvb1156-2-e" in (built / "hls" / "csynth.tcl").read_text()
    record = json.loads((built / "build.json").read_text())
    result = record["bitstream"]
    assert result["backend"] == "hls" and result["hls"]["warnings"] == []
    assert result["hls"]["interval_cycles"] == 109 and result["hls"]["latency_cycles"] is None
    assert result["hls"]["estimated_clock_ns"] == 3.65
    assert [(layer["name"], layer["lut"]) for layer in result["layers"]] == [("conv0", 1234)]
    processes = {process_name(item): item.layer.kind for item in hls_graph(Build.open(built).dataflow).processes}
    assert result["hls"]["processes"] == [
        {"name": name, "ii": 1, "depth": 7, "source": f"include/{kind}.hpp:9", "latency_cycles": 59,
         "interval_cycles": 59} for name, kind in processes.items()]


def test_a_slow_loop_is_a_warning_that_names_the_layer(built: Path, install: Install,
                                                       capsys: pytest.CaptureFixture[str]) -> None:
    install("vivado", "vitis_hls")
    (built / "hls" / "hls.mode").write_text("slow")
    assert run(built, "--board", "zcu102", "--backend", "hls") == 0
    warnings = json.loads((built / "build.json").read_text())["bitstream"]["hls"]["warnings"]
    slow = "Vitis HLS made its loop at include/mvtu.hpp:9 with II=2 instead of 1; "
    assert warnings == [
        f"conv0: {slow}its log names include/mvtu.hpp:91 and include/mvtu.hpp:88",
        *(f"{name}: {slow}look for its name in hls/vitis_hls.log or hls/v++.log" for name in ("conv1", "fc3", "fc4"))]
    assert capsys.readouterr().err.splitlines()[-4:] == [f"headrace: warning: {warning}" for warning in warnings]


def test_the_report_shows_what_the_compiler_made_beside_the_plan(built: Path, install: Install) -> None:
    install("vivado", "vitis_hls")
    (built / "hls" / "hls.mode").write_text("slow")
    assert run(built, "--board", "zcu102", "--backend", "hls") == 0
    assert main(["report", str(built)]) == 0
    compiled = json.loads((built / "report.json").read_text())["hls"]
    cycles = {layer.name: layer.cycles for layer in Build.open(built).dataflow.layers}
    made = {layer["name"]: (layer["planned_ii"], layer["ii"], layer["planned_cycles"], layer["cycles"])
            for layer in compiled["layers"]}
    assert made["conv0"] == (1, 2, cycles["conv0"], 2 * cycles["conv0"])
    pool = next(layer.name for layer in Build.open(built).dataflow.layers if layer.kind == "max_pool")
    assert made[pool] == (1, 1, cycles[pool], cycles[pool])
    page = (built / "report.html").read_text()
    assert '<tr class="differs"><td>conv0</td>' in page and "<td>include/mvtu.hpp:9</td>" in page
    assert all(escape(warning) in page for warning in compiled["warnings"]) and compiled["warnings"]


@pytest.mark.parametrize(("tool", "commands"), [
    (["vitis_hls"], ["vitis_hls -f csynth.tcl", "vitis_hls -f cosim.tcl"]),
    (["v++", "vitis-run"], ["v++ -c --mode hls --config hls.cfg --work_dir project",
                            "vitis-run --mode hls --cosim --config hls.cfg --work_dir project"]),
])
def test_cosimulation_and_uncertainty(built: Path, install: Install, tool: list[str], commands: list[str]) -> None:
    install("vivado", *tool)
    assert run(built, "--board", "zcu102", "--backend", "hls", "--cosim", "--clock-uncertainty", "0.8") == 0
    assert (built / "hls" / "mock.log").read_text().splitlines() == commands
    assert "set uncertainty 0.8\n" in (built / "hls" / "csynth.tcl").read_text()
    assert "cosim.random_stall=true\n" in (built / "hls" / "hls.cfg").read_text()


def test_a_cosimulation_that_differs(built: Path, install: Install, capsys: pytest.CaptureFixture[str]) -> None:
    install("vivado", "vitis_hls")
    (built / "hls" / "hls.mode").write_text("differs")
    assert failing(capsys, built, "--board", "zcu102", "--backend", "hls", "--cosim").endswith(
        "hls/cosim.log:\nERROR: [COSIM 212-359] Aborting co-simulation: C TB post check failed")


def test_a_report_of_an_earlier_run_is_not_taken(built: Path, install: Install,
                                                 capsys: pytest.CaptureFixture[str]) -> None:
    install("vivado", "vitis_hls")
    assert run(built, "--board", "zcu102", "--backend", "hls") == 0
    (built.parent / "tools" / "hls_report").write_text("#!/bin/sh\n")
    assert failing(capsys, built, "--board", "zcu102", "--backend", "hls") == (
        f"{built}/hls/project/solution/syn/report/csynth.xml: was not written; look into the log of the HLS compiler")


def test_out_of_context(built: Path, install: Install) -> None:
    install("vivado")
    assert run(built, "--board", "zcu104", "--ooc") == 0
    record = json.loads((built / "build.json").read_text())
    assert record["out_of_context"]["utilization"]["lut"] == 9123 and "bitstream" not in record
    assert not (built / "vivado" / "accelerator.bit").exists()


def failing(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> str:
    assert run(*arguments) == 1
    error = capsys.readouterr().err
    return error[error.index("headrace: ") + len("headrace: ") :].strip()


@pytest.mark.parametrize(("tools", "backend", "sentence"), [
    ((), "rtl", "vivado is not on PATH; the scripts are written, so run them where it is installed: "
                "cd {b}/vivado && vivado -mode batch -nojournal -nolog -source bitstream.tcl -tclargs 2"),
    (("vivado",), "hls", "vitis_hls is not on PATH; the scripts are written, so run them where it is installed: "
                         "cd {b}/hls && vitis_hls -f csynth.tcl && "
                         "cd {b}/vivado && vivado -mode batch -nojournal -nolog -source bitstream.tcl -tclargs 2"),
])
def test_missing_tools(built: Path, install: Install, capsys: pytest.CaptureFixture[str], tools: tuple[str, ...],
                       backend: str, sentence: str) -> None:
    install(*tools)
    (built / "vivado" / "accelerator.bit").write_text("made elsewhere")
    assert failing(capsys, built, "--board", "zcu104", "--backend", backend) == sentence.format(b=built)
    assert (built / "vivado" / "accelerator.bit").is_file()
    assert (built / "vivado" / "bitstream.tcl").is_file()
    assert "bitstream" not in json.loads((built / "build.json").read_text())


def test_failing_vivado_shows_its_errors(built: Path, install: Install, capsys: pytest.CaptureFixture[str]) -> None:
    install("vivado")
    (built / "vivado" / "vivado.mode").write_text("fail")
    assert failing(capsys, built, "--board", "zcu104") == (
        f"vivado failed with exit status 1, see {built}/vivado/vivado.log:\n"
        "ERROR: [BD 41-1273] Error running validate_bd_design: no clock")


def test_a_run_without_a_bitstream(built: Path, install: Install, capsys: pytest.CaptureFixture[str]) -> None:
    install("vivado")
    (built / "vivado" / "accelerator.bit").write_text("of an earlier run")
    (built / "vivado" / "vivado.mode").write_text("silent")
    assert failing(capsys, built, "--board", "zcu104") == (
        f"vivado ended without accelerator.bit, see {built}/vivado/vivado.log:\n"
        "CRITICAL WARNING: [Common 17-1] nothing was written")


def test_memories_that_vivado_does_not_find_are_an_error(built: Path, install: Install,
                                                         capsys: pytest.CaptureFixture[str]) -> None:
    install("vivado")
    (built / "vivado" / "vivado.mode").write_text("unread")
    assert failing(capsys, built, "--board", "zcu104") == (
        "vivado ended well, but what it made would compute something else, see "
        f"{built}/vivado/work/system.runs/synth_1/runme.log:\nCRITICAL WARNING: [Synth 8-4445] could not open $readmem "
        "data file 'fc4_weights.mem'; please make sure the file is added to project")
    assert "bitstream" not in json.loads((built / "build.json").read_text())


def test_failing_hls_shows_its_errors(built: Path, install: Install, capsys: pytest.CaptureFixture[str]) -> None:
    install("vivado", "vitis_hls")
    (built / "hls" / "hls.mode").write_text("fail")
    assert "ERROR: [HLS 200-70] Compilation errors found" in failing(capsys, built, "--board", "zcu104",
                                                                     "--backend", "hls")
    assert not (built / "vivado" / "mock.log").exists()


def test_missed_timing_is_recorded_and_said(built: Path, install: Install, capsys: pytest.CaptureFixture[str]) -> None:
    install("vivado")
    (built / "vivado" / "vivado.mode").write_text("late")
    assert failing(capsys, built, "--board", "zcu104") == (
        "the design misses its timing by 0.733 ns at 200 MHz; build with a lower --clock-mhz")
    assert json.loads((built / "build.json").read_text())["bitstream"]["timing"]["met"] is False


def test_marks_of_fifos_are_an_option(tmp_path: Path, install: Install) -> None:
    built = write_unverified(tmp_path / "deep", small_network(), "rtl", folding={"conv1_fifo": {"depth": 8}})
    install("vivado")
    shells = []
    for options in ([], ["--observe"]):
        assert run(built.folder, "--board", "zcu104", *options) == 0
        shells.append((built.folder / "vivado" / "shell" / "headrace_shell.v").read_text())
    assert ["fifo_marks" in shell for shell in shells] == [False, True]
    assert ["OBSERVE(1'b1)" in shell for shell in shells] == [False, True]
    assert [".OBSERVE(1)\n" in shell for shell in shells] == [False, True]


def test_users_mistakes(built: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "board 'zcu1' is unknown" in failing(capsys, built, "--board", "zcu1")
    assert failing(capsys, built, "--board", "zcu104", "--jobs", "0") == "jobs=0 must be positive; use 1 or more"
    assert failing(capsys, built, "--board", "zcu104", "--cosim") == (
        "clock uncertainty and co-simulation belong to the HLS compiler, which the rtl back end does not need; give "
        "--backend hls too")
    assert failing(capsys, built, "--board", "zcu104", "--backend", "hls", "--clock-uncertainty", "5.5") == (
        "clock uncertainty of 5.5 ns leaves nothing of the clock period of 5 ns; use less, or a percentage such as 27%")
    assert failing(capsys, built, "--board", "zcu104", "--backend", "hls", "--observe") == (
        "the hls back end does not tell how full its FIFOs are; leave --observe out, or give --backend rtl")
    shutil.rmtree(built / "hls")
    assert failing(capsys, built, "--board", "zcu104", "--backend", "hls") == (
        f"{built}: was built without the hls back end; build with --backend hls or both")
    assert not (built / "vivado" / "accelerator.bit").exists()


def test_a_board_of_the_users(built: Path, install: Install, tmp_path: Path) -> None:
    install("vivado")
    mine = tmp_path / "mine.toml"
    text = (MOCKS.parents[1] / "docs" / "boards.md").read_text()
    mine.write_text("".join(line[4:] for line in text.split("## A board of your own")[1].splitlines(keepends=True)
                            if line.startswith("    ")))
    assert run(built, "--board", mine) == 0
    assert "xczu4ev-sfvc784-1-e" in (built / "vivado" / "settings.tcl").read_text()


def test_a_part_of_no_known_family(tmp_path: Path) -> None:
    path = tmp_path / "kintex.toml"
    path.write_text('title = "K"\npart = "xcku5p"\nboard_part = "b"\nlut = 1\nff = 1\nbram36 = 1\nuram = 0\ndsp = 1\n')
    with pytest.raises(InputError) as error:
        family_of(load_board(str(path)))
    assert str(error.value) == ("kintex: no block design is known for part xcku5p; choose a board of Zynq UltraScale+ "
                                "(xczu*, xck24*, xck26*), Zynq-7000 (xc7z*)")


def test_reports_that_hold_nothing(tmp_path: Path) -> None:
    (tmp_path / "empty.rpt").write_text("nothing\n")
    for read in (read_timing, read_utilization, lambda path: read_hierarchy(path, {})):
        with pytest.raises(ToolError, match=r"empty.rpt: holds no (timing|table|utilization)"):
            read(tmp_path / "empty.rpt")
        with pytest.raises(ToolError, match=r"none.rpt: was not written; look into vivado.log"):
            read(tmp_path / "none.rpt")


def test_a_seven_series_part_has_other_columns(tmp_path: Path) -> None:
    (tmp_path / "h.rpt").write_text("""
+------------+--------+------------+------+--------+--------+--------------+
|  Instance  | Module | Total LUTs |  FFs | RAMB36 | RAMB18 | DSP48 Blocks |
+------------+--------+------------+------+--------+--------+--------------+
| u_core     |      a |         50 |   40 |      0 |      3 |            2 |
|   u_fc0    |      b |         30 |   20 |      0 |      3 |            1 |
| u_other    |      a |         50 |   40 |      0 |      3 |            2 |
|   u_fc0    |      b |          9 |    9 |      9 |      9 |            9 |
""")
    assert read_hierarchy(tmp_path / "h.rpt", {("u_core", "u_fc0"): "fc.0"}) == [
        {"name": "fc.0", "lut": 30, "ff": 20, "bram36": 1.5, "uram": 0, "dsp": 1}]


def test_mocks_are_executable() -> None:
    assert all(os.access(path, os.X_OK) for path in MOCKS.iterdir())
