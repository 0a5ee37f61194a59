"""The scripts for Vivado under tclsh, for all boards and both back ends: do all their calls fit together?"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from headrace.atomic_files import write_files
from headrace.board.board import board_names, load_board
from headrace.board.family import find_processor
from headrace.build_folder import Build
from headrace.render.vivado import FATAL, Backend, render_vivado
from tests.small_networks import small_network
from tests.tcl import Call, TclError, run_tcl
from tests.unverified_build import SHA256, write_unverified
from tests.vivado.block_design import COMMANDS, STUBS, Design, DesignError

BACKENDS = ("rtl", "hls")
#: Those with a block design; the others are to plan for.
BOARDS = [name for name in board_names() if find_processor(load_board(name))]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Build:
    return write_unverified(tmp_path_factory.mktemp("built") / "b", small_network())


def rendered(built: Build, board: str, backend: Backend) -> dict[str, str]:
    return render_vivado(built.dataflow, load_board(board), backend, built.record["clock_mhz"], SHA256)


def record(built: Build, board: str, backend: Backend, folder: Path, script: str = "bitstream.tcl",
           changes: Sequence[tuple[str, str]] = ()) -> list[Call]:
    """Run a script with its outputs in place, after changes of the text of the block design."""
    files = rendered(built, board, backend)
    for old, new in changes:
        assert files["system.tcl"].count(old) == 1, old
        files["system.tcl"] = files["system.tcl"].replace(old, new)
    write_files(folder / "vivado", files)
    outputs = ("system.runs/impl_1/system_wrapper.bit", "system.gen/sources_1/bd/system/hw_handoff/system.hwh")
    write_files(folder / "vivado", {f"work/system/{name}": "mock" for name in outputs})
    write_files(folder, {"hls/project/solution/syn/verilog/accelerator.v": "", "rtl/top.sv": "", "rtl/fc.mem": ""})
    calls = run_tcl(files[script], STUBS, folder / "vivado", allowed=("source", "file", "glob"))
    for call in calls:
        unknown = {word for word in call.arguments if word.startswith("-")} - set(COMMANDS[call.command][1].split())
        assert not unknown, (call, unknown)
    return calls


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("board", BOARDS)
def test_block_design(built: Build, tmp_path: Path, board: str, backend: Backend) -> None:
    calls = record(built, board, backend, tmp_path)
    facts = load_board(board)
    Design(calls).check()
    parts = {call.option("-part") for call in calls if call.command == "create_project"}
    assert parts == {facts.part}
    properties = [call.arguments for call in calls if call.command == "set_property"]
    assert ("board_part", facts.board_part, "system") in properties
    assert (("board_connections", facts.board_connections, "system") in properties) == bool(facts.board_connections)
    automation = next(call for call in calls if call.command == "apply_bd_automation")
    assert 'apply_board_preset "1"' in automation.option("-config")
    commands = [call.command for call in calls]
    for earlier, later in (("ipx::save_core", "create_bd_design"), ("validate_bd_design", "make_wrapper"),
                           ("make_wrapper", "launch_runs"), ("launch_runs", "report_timing_summary")):
        assert commands.index(earlier) < commands.index(later)
    assert (tmp_path / "vivado" / "accelerator.bit").is_file() and (tmp_path / "vivado" / "accelerator.hwh").is_file()


@pytest.mark.parametrize(("board", "processor", "base", "width"), [
    ("zcu104", "zynq_ultra_ps_e", 0xA0000000, "128"), ("pynq-z2", "processing_system7", 0x40000000, "64"),
])
def test_families(built: Build, tmp_path: Path, board: str, processor: str, base: int, width: str) -> None:
    design = Design(record(built, board, "rtl", tmp_path))
    assert design.kinds["ps"] == f"xilinx.com:ip:{processor}"
    assert design.addresses["accelerator/s_axi_control/reg0"] == (base, 0x10000)
    dma = design.properties["dma"]
    assert dma["CONFIG.c_mm2s_burst_size"] == dma["CONFIG.c_s2mm_burst_size"] == ("64" if width == "128" else "16")
    assert {"dma/mm2s_introut", "dma/s2mm_introut"} <= set(design.drivers.values())
    assert dma["CONFIG.c_sg_length_width"] == "26" and dma["CONFIG.c_include_sg"] == "0"
    assert dma["CONFIG.c_m_axis_mm2s_tdata_width"] == dma["CONFIG.c_s_axis_s2mm_tdata_width"] == width
    assert design.properties["core_clock"]["CONFIG.CLKOUT1_REQUESTED_OUT_FREQ"] == "200"
    assert not [vlnv for vlnv in design.kinds.values() if vlnv.count(":") != 2]  # no versions


@pytest.fixture(scope="module")
def external(tmp_path_factory: pytest.TempPathFactory) -> Build:
    return write_unverified(tmp_path_factory.mktemp("external") / "b", small_network(), external=["conv1", "fc4"])


@pytest.mark.parametrize(("board", "port", "width"), [
    ("zcu104", "ps/S_AXI_HP1_FPD", "128"), ("pynq-z2", "ps/S_AXI_HP1", "64"),
])
@pytest.mark.parametrize("backend", BACKENDS)
def test_dmas_of_weights(external: Build, tmp_path: Path, board: str, port: str, width: str, backend: Backend) -> None:
    calls = record(external, board, backend, tmp_path)
    design = Design(calls)
    design.check()
    base = design.addresses["accelerator/s_axi_control/reg0"][0]
    for k in (0, 1):
        assert design.properties[f"weights{k}"]["CONFIG.c_m_axis_mm2s_tdata_width"] == width
        assert design.addresses[f"weights{k}/S_AXI_LITE/Reg"] == (base + (2 + k) * 0x10000, 0x10000)
        assert (f"w{k}_to_core/M_AXIS", f"accelerator/w{k}_axis") in design.links
    assert ("weight_memory/M00_AXI", port) in design.links
    packaged = {call.option("-busif") for call in calls if call.command == "ipx::associate_bus_interfaces"}
    assert packaged == {"s_axis", "m_axis", "s_axi_control", "w0_axis", "w1_axis"}
    ports = {line.split()[-1].rstrip(",") for line in rendered(external, board, backend)["shell/headrace_shell.v"]
             .splitlines() if line.startswith("  input")}
    assert {"w0_axis_TDATA", "w1_axis_TDATA"} <= ports and "w2_axis_TDATA" not in ports


@pytest.mark.parametrize(("old", "new", "sentence"), [
    ("    weights1/axi_resetn w1_to_core/s_axis_aresetn\n", "", "not driven"),
    ("    w0_to_core/m_axis_aclk\n", "", "not driven"),
    ("  CONFIG.PSU__USE__S_AXI_GP3 {1} \\\n", "", "no such pins"),
    ("  weights0/M_AXIS_MM2S w0_to_core/S_AXIS\n", "", "not connected once"),
    ("-offset 0xa0030000", "-offset 0xa0020000", "addresses overlap"),
])
def test_mistakes_with_the_dmas_of_weights(external: Build, tmp_path: Path, old: str, new: str, sentence: str) -> None:
    with pytest.raises(DesignError, match=sentence):
        Design(record(external, "zcu104", "rtl", tmp_path, changes=[(old, new)])).check()


@pytest.mark.parametrize("backend", BACKENDS)
def test_sources_of_both_back_ends(built: Build, tmp_path: Path, backend: Backend) -> None:
    calls = record(built, "zcu104", backend, tmp_path, "ooc.tcl")
    sources = next(call for call in calls if call.command == "add_files").arguments[-1].split()
    assert "shell/headrace_shell.v" in sources
    own = ["../rtl/top.sv", "../rtl/fc.mem"] if backend == "rtl" else [
        "../hls/project/solution/syn/verilog/accelerator.v", "shell/hls_adapter.sv",
        "shell/headrace_shell_registers.sv"]
    assert set(own) <= set(sources)
    synthesis = next(call for call in calls if call.command == "synth_design")
    assert synthesis.option("-mode") == "out_of_context"
    commands = [call.command for call in calls]
    assert commands.index("read_xdc") < commands.index("synth_design") < commands.index("route_design")
    constraints = rendered(built, "zcu104", backend)["ooc.xdc"]
    assert "create_clock -period 5.000 -name ap_clk [get_ports ap_clk]" in constraints.splitlines()


@pytest.mark.parametrize(("old", "new", "message"), [
    ("validate_bd_design", "validate_bd_desing", 'invalid command name "validate_bd_desing"'),
    ("_OUT_FREQ $core_mhz", "_OUT_FREQ $core_hmz", 'can\'t read "core_hmz": no such variable'),
    ("create_bd_design system\n", "exec touch file\n", 'invalid command name "exec"'),
])
def test_mistakes_that_tcl_finds(built: Build, tmp_path: Path, old: str, new: str, message: str) -> None:
    with pytest.raises(TclError, match=message):
        record(built, "zcu104", "rtl", tmp_path, changes=[(old, new)])


@pytest.mark.parametrize(("old", "new", "sentence"), [
    (" accelerator/ap_clk\n", "\n", r"not driven: \['accelerator/ap_clk'\]"),
    (" accelerator/ap_rst_n\n", "\n", r"not driven: \['accelerator/ap_rst_n'\]"),
    (" control/aclk1", " control/aclk2", r"not driven: \['control/aclk1'\]"),
    ("core_reset/slowest_sync_clk", "", "not driven"),
    ("bus_reset/slowest_sync_clk", "bus_reset/slowest_sync_clk core_reset/slowest_sync_clk", "driven twice"),
    ("to_core/m_axis_aclk from", "from", "not driven"),
    ("memory/aresetn to_core/s_axis_aresetn", "memory/aresetn to_core/m_axis_aresetn", "driven twice"),
    ("  dma/M_AXIS_MM2S to_core/S_AXIS\n", "", "not connected once"),
    ("  dma/s2mm_introut interrupt_lines/In1\n", "", r"not driven: \['interrupt_lines/In1'\]"),
    (" interrupts/s_axi_aresetn", "", r"not driven: \['interrupts/s_axi_aresetn'\]"),
    ("  dma/M_AXIS_MM2S to_core/S_AXIS\n  to_core/M_AXIS accelerator/s_axis\n",
     "  dma/M_AXIS_MM2S accelerator/s_axis\n", "not connected once"),
    ("control/M00_AXI dma/S_AXI_LITE", "control/M00_AXI dma/S_AXI_LITE\n  control/M00_AXI dma/S_AXI_LITE",
     "not connected once"),
    ("create_bd_cell -type ip -vlnv xilinx.com:ip:axis_clock_converter to_core\n", "", "before to_core is created"),
    ("\nassign_bd_address\n", "\n", "the memory has no address"),
    ("-offset 0xa0010000", "-offset 0xa0000000", "addresses overlap"),
])
def test_mistakes_that_the_record_shows(built: Build, tmp_path: Path, old: str, new: str, sentence: str) -> None:
    with pytest.raises(DesignError, match=sentence):
        Design(record(built, "zcu104", "rtl", tmp_path, changes=[(old, new)])).check()


def test_swapped_clock_domains_are_found(built: Build, tmp_path: Path) -> None:
    changes = [("dma/m_axi_mm2s_aclk", "dma/m_axi_x"), (" accelerator/ap_clk\n", " dma/m_axi_mm2s_aclk\n"),
               ("dma/m_axi_x", "accelerator/ap_clk")]
    with pytest.raises(DesignError, match=r"is not of its clock|different clocks"):
        Design(record(built, "zcu104", "rtl", tmp_path, changes=changes)).check()


def test_missing_verilog_is_said(built: Build, tmp_path: Path) -> None:
    files = rendered(built, "zcu104", "hls")
    write_files(tmp_path / "vivado", files)
    with pytest.raises(TclError, match=r"no Verilog in ../hls/project: run ../hls/csynth.tcl first"):
        run_tcl(files["ooc.tcl"], STUBS, tmp_path / "vivado", allowed=("source", "file", "glob"))


def test_a_failed_run_is_an_error(built: Build, tmp_path: Path) -> None:
    record(built, "zcu104", "rtl", tmp_path)
    stubs = STUBS | {"get_property": "return 45%"}
    script = (tmp_path / "vivado" / "bitstream.tcl").read_text()
    with pytest.raises(TclError, match="ERROR: synthesis failed"):
        run_tcl(script, stubs, tmp_path / "vivado", allowed=("source", "file", "glob"))


def test_boards_that_are_not_installed_are_said(built: Build, tmp_path: Path) -> None:
    record(built, "pynq-z2", "rtl", tmp_path)
    script = (tmp_path / "vivado" / "bitstream.tcl").read_text()
    stubs = STUBS | {"get_board_parts": 'return ""'}
    with pytest.raises(TclError, match=r"ERROR: this Vivado has no board tul\.com\.tw:pynq-z2:part0:1\.0; install its "
                                       r"board files, or give the --board of one that get_board_parts lists"):
        run_tcl(script, stubs, tmp_path / "vivado", allowed=("source", "file", "glob"))


def test_messages_that_are_errors(built: Build, tmp_path: Path) -> None:
    """In every project, for they belong to the one that is open."""
    calls = record(built, "zcu104", "rtl", tmp_path)
    begins = [index for index, call in enumerate(calls) if call.command == "create_project"]
    assert len(begins) == 2
    for begin in begins:
        rules = calls[begin + 1 : begin + 1 + len(FATAL)]
        assert {(call.command, call.option("-id"), call.option("-new_severity")) for call in rules} == {
            ("set_msg_config", message, "ERROR") for message in FATAL}


@pytest.mark.parametrize(("clock_mhz", "settings"), [
    (249.0, {"STEPS.PHYS_OPT_DESIGN.IS_ENABLED": "true", "STEPS.POST_ROUTE_PHYS_OPT_DESIGN.IS_ENABLED": "true"}),
    (250.0, {"strategy": "Performance_ExplorePostRoutePhysOpt"}),
])
def test_strategies(built: Build, clock_mhz: float, settings: dict[str, str]) -> None:
    script = render_vivado(built.dataflow, load_board("zcu104"), "rtl", clock_mhz, SHA256)["bitstream.tcl"]
    lines = [line.split() for line in script.splitlines() if line.endswith("[get_runs impl_1]")]
    assert {words[1]: words[2] for words in lines if words[0] == "set_property"} == settings


def test_rendering_is_deterministic(built: Build) -> None:
    assert rendered(built, "kv260", "hls") == rendered(built, "kv260", "hls")
