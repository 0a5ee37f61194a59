"""The scripts for Vivado under tclsh, for all boards and both back ends: do all their calls fit together?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import pytest

from headrace.board.board import board_names, load_board
from headrace.build_folder import Build
from headrace.render.vivado import render_vivado
from headrace.staging import write_files
from tests.small_networks import small_network
from tests.tcl import Call, TclError, run_tcl
from tests.unverified_build import SHA256, write_unverified

BACKENDS = ("rtl", "hls")
#: Commands of Vivado that the scripts may call, what they give back, and their options.
COMMANDS = {
    "create_project": ("", "-force -part"),
    "close_project": ("", ""),
    "current_project": ("return system", ""),
    "current_fileset": ("return sources_1", ""),
    "add_files": ("", "-norecurse"),
    "set_property": ("", "-dict"),
    "get_property": ('return [expr {[lindex $args 0] eq "PROGRESS" ? "100%" : "work/system/system.runs/impl_1"}]', ""),
    "update_compile_order": ("", "-fileset"),
    "update_ip_catalog": ("", ""),
    "ipx::package_project": ("", "-root_dir -vendor -library -taxonomy -import_files -force"),
    "ipx::current_core": ("return core", ""),
    "ipx::associate_bus_interfaces": ("", "-busif -clock"),
    "ipx::update_checksums": ("", ""),
    "ipx::check_integrity": ("", ""),
    "ipx::save_core": ("", ""),
    "create_bd_design": ("", ""),
    "create_bd_cell": ("return [lindex $args end]", "-type -vlnv"),
    "apply_bd_automation": ("", "-rule -config"),
    "get_bd_cells": ("return [lindex $args end]", ""),
    "get_bd_pins": ("return [lindex $args end]", ""),
    "get_bd_intf_pins": ("return [lindex $args end]", ""),
    "get_bd_addr_segs": ("return [lindex $args end]", ""),
    "connect_bd_net": ("", ""),
    "connect_bd_intf_net": ("", ""),
    "assign_bd_address": ("", "-offset -range"),
    "validate_bd_design": ("", ""),
    "save_bd_design": ("", ""),
    "make_wrapper": ("", "-files -top -import"),
    "get_files": ("return [lindex $args end]", ""),
    "get_runs": ("return [lindex $args end]", ""),
    "get_ports": ("return [lindex $args end]", ""),
    "launch_runs": ("", "-jobs -to_step"),
    "wait_on_run": ("", ""),
    "open_run": ("", ""),
    "synth_design": ("", "-top -part -mode"),
    "create_clock": ("", "-period -name"),
    "report_timing_summary": ("", "-file"),
    "report_utilization": ("", "-file -hierarchical -hierarchical_depth"),
}
STUBS = {name: body for name, (body, _) in COMMANDS.items()}


@dataclass(frozen=True)
class Core:
    """An IP core: interfaces as master or slave and the clocks that they may run on; what drives and what is driven."""

    masters: dict[str, str]
    slaves: dict[str, str]
    driven: tuple[str, ...]
    drives: tuple[str, ...] = ()


#: The cores by their name in the catalogue of IP: ports that must be connected, as their data sheets name them.
CATALOGUE = {
    "xilinx.com:ip:zynq_ultra_ps_e": Core(
        {"M_AXI_HPM0_FPD": "maxihpm0_fpd_aclk"}, {"S_AXI_HP0_FPD": "saxihp0_fpd_aclk"},
        ("maxihpm0_fpd_aclk", "saxihp0_fpd_aclk"), ("pl_clk0", "pl_resetn0")),
    "xilinx.com:ip:processing_system7": Core(
        {"M_AXI_GP0": "M_AXI_GP0_ACLK"}, {"S_AXI_HP0": "S_AXI_HP0_ACLK"},
        ("M_AXI_GP0_ACLK", "S_AXI_HP0_ACLK"), ("FCLK_CLK0", "FCLK_RESET0_N")),
    "xilinx.com:ip:axi_dma": Core(
        {"M_AXI_MM2S": "m_axi_mm2s_aclk", "M_AXI_S2MM": "m_axi_s2mm_aclk", "M_AXIS_MM2S": "m_axi_mm2s_aclk"},
        {"S_AXI_LITE": "s_axi_lite_aclk", "S_AXIS_S2MM": "m_axi_s2mm_aclk"},
        ("s_axi_lite_aclk", "m_axi_mm2s_aclk", "m_axi_s2mm_aclk", "axi_resetn")),
    "xilinx.com:ip:clk_wiz": Core({}, {}, ("clk_in1",), ("clk_out1", "locked")),
    "xilinx.com:ip:proc_sys_reset": Core({}, {}, ("slowest_sync_clk", "ext_reset_in"), ("peripheral_aresetn",)),
    "xilinx.com:ip:axis_clock_converter": Core(
        {"M_AXIS": "m_axis_aclk"}, {"S_AXIS": "s_axis_aclk"},
        ("s_axis_aclk", "s_axis_aresetn", "m_axis_aclk", "m_axis_aresetn")),
    "headrace:user:headrace_shell": Core(
        {"m_axis": "ap_clk"}, {"s_axis": "ap_clk", "s_axi_control": "ap_clk"}, ("ap_clk", "ap_rst_n")),
}


def dma(properties: dict[str, str]) -> Core:
    """A DMA, maybe in one direction only."""
    core = CATALOGUE["xilinx.com:ip:axi_dma"]
    if properties.get("CONFIG.c_include_s2mm", "1") == "1":
        return core
    return Core({name: clock for name, clock in core.masters.items() if "S2MM" not in name},
                {"S_AXI_LITE": "s_axi_lite_aclk"}, ("s_axi_lite_aclk", "m_axi_mm2s_aclk", "axi_resetn"))


def processor(core: Core, properties: dict[str, str]) -> Core:
    """A processor, maybe with its second memory port."""
    for switch, port, clock in (("PSU__USE__S_AXI_GP3", "S_AXI_HP1_FPD", "saxihp1_fpd_aclk"),
                                ("PCW_USE_S_AXI_HP1", "S_AXI_HP1", "S_AXI_HP1_ACLK")):
        if properties.get(f"CONFIG.{switch}") == "1":
            return Core(core.masters, core.slaves | {port: clock}, (*core.driven, clock), core.drives)
    return core


def interconnect(properties: dict[str, str]) -> Core:
    """A SmartConnect; it crosses between its clocks, so that a port may run on any of them."""
    clocks = ("aclk", *(f"aclk{k}" for k in range(1, int(properties["CONFIG.NUM_CLKS"]))))
    masters = {f"M{k:02}_AXI": " ".join(clocks) for k in range(int(properties["CONFIG.NUM_MI"]))}
    slaves = {f"S{k:02}_AXI": " ".join(clocks) for k in range(int(properties["CONFIG.NUM_SI"]))}
    return Core(masters, slaves, (*clocks, "aresetn"))


#: Which reset belongs to which clock, where a core has several.
RESET_CLOCKS = {"axi_resetn": "s_axi_lite_aclk", "aresetn": "aclk", "s_axis_aresetn": "s_axis_aclk",
                "m_axis_aresetn": "m_axis_aclk", "ap_rst_n": "ap_clk"}


class DesignError(Exception):
    """The record shows a design that cannot work."""


def require(condition: bool, sentence: str) -> None:
    if not condition:
        raise DesignError(sentence)


class Design:
    """A block design, put together from the record."""

    def __init__(self, calls: Sequence[Call]) -> None:
        self.kinds: dict[str, str] = {}
        self.properties: dict[str, dict[str, str]] = {}
        self.drivers: dict[str, str] = {}
        self.links: list[tuple[str, str]] = []
        self.addresses: dict[str, tuple[int, int]] = {}
        self.others_assigned = False
        for call in calls:
            self._follow(call)

    def _follow(self, call: Call) -> None:
        words = call.arguments
        if call.command == "create_bd_cell":
            require(words[-1] not in self.kinds, f"{words[-1]} is created twice")
            self.kinds[words[-1]] = call.option("-vlnv")
        elif call.command in ("get_bd_cells", "get_bd_pins", "get_bd_intf_pins", "get_bd_addr_segs"):
            cell = words[-1].split("/")[0]
            require(cell in self.kinds, f"{words[-1]} is used before {cell} is created")
        elif call.command == "connect_bd_net":
            source, sink = words
            require(sink not in self.drivers, f"{sink} is driven twice")
            self.drivers[sink] = source
        elif call.command == "connect_bd_intf_net":
            self.links.append((words[0], words[1]))
        elif call.command == "set_property" and words[0] == "-dict":
            values = words[1].split()
            pairs = zip(values[::2], values[1::2], strict=True)
            self.properties[words[2]] = {key: value.strip("{}") for key, value in pairs}
        elif call.command == "assign_bd_address":
            if words:
                self.addresses[words[-1]] = int(call.option("-offset"), 0), int(call.option("-range"), 0)
            else:
                self.others_assigned = True

    def core(self, cell: str) -> Core:
        kind = self.kinds[cell]
        properties = self.properties.get(cell, {})
        if kind.endswith(":smartconnect"):
            return interconnect(properties)
        if kind.endswith(":axi_dma"):
            return dma(properties)
        if kind.endswith(":headrace_shell"):
            ports = {end.split("/")[1] for link in self.links for end in link if end.startswith(f"{cell}/w")}
            return replace(CATALOGUE[kind], slaves=CATALOGUE[kind].slaves | dict.fromkeys(ports, "ap_clk"))
        return processor(CATALOGUE[kind], properties) if cell == "ps" else CATALOGUE[kind]

    def check(self) -> None:
        """Raise DesignError for what is open, connected twice, or in the wrong clock domain."""
        self._check_nets()
        self._check_interfaces()
        self._check_addresses()

    def _check_nets(self) -> None:
        driven = {f"{cell}/{pin}" for cell in self.kinds for pin in self.core(cell).driven}
        sources = {f"{cell}/{pin}" for cell in self.kinds for pin in self.core(cell).drives}
        optional = {f"{cell}/dcm_locked" for cell, kind in self.kinds.items() if kind.endswith(":proc_sys_reset")}
        require(driven <= set(self.drivers), f"not driven: {sorted(driven - set(self.drivers))}")
        unknown = sorted(set(self.drivers) - driven - optional)
        require(not unknown, f"no such pins: {unknown}")
        require(set(self.drivers.values()) <= sources, f"no sources: {sorted(set(self.drivers.values()) - sources)}")
        for pin, source in self.drivers.items():
            cell, name = pin.split("/")
            if name in RESET_CLOCKS:  # released in step with the clock that it serves
                resetter = source.split("/")[0]
                clock = self.drivers[f"{cell}/{RESET_CLOCKS[name]}"]
                require(self.drivers[f"{resetter}/slowest_sync_clk"] == clock, f"{pin} is not of its clock")

    def _check_interfaces(self) -> None:
        ends = [end for link in self.links for end in link]
        existing = [f"{cell}/{name}" for cell in self.kinds
                    for name in (*self.core(cell).masters, *self.core(cell).slaves)]
        difference = sorted(set(existing) ^ set(ends))
        require(sorted(ends) == sorted(existing), f"not connected once: {difference}, {len(ends)} ends")
        for master, slave in self.links:
            ours, theirs = self._clocks(master, "masters"), self._clocks(slave, "slaves")
            require(bool(ours & theirs), f"{master} and {slave} run on different clocks")

    def _clocks(self, end: str, side: str) -> set[str]:
        cell, name = end.split("/")
        interfaces = getattr(self.core(cell), side)
        require(name in interfaces, f"{end} is none of the {side}")
        return {self.drivers[f"{cell}/{clock}"] for clock in interfaces[name].split()}

    def _check_addresses(self) -> None:
        require(self.others_assigned, "the memory has no address for the DMA")
        dmas = [cell for cell, kind in self.kinds.items() if kind.endswith(":axi_dma")]
        segments = {"accelerator/s_axi_control/reg0", *(f"{cell}/S_AXI_LITE/Reg" for cell in dmas)}
        require(set(self.addresses) == segments, f"addresses of {sorted(self.addresses)}")
        for (low, size), (high, _) in pairwise(sorted(self.addresses.values())):
            require(low + size <= high, "addresses overlap")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Build:
    return write_unverified(tmp_path_factory.mktemp("built") / "b", small_network())


def rendered(built: Build, board: str, backend: str) -> dict[str, str]:
    return render_vivado(built.dataflow, load_board(board), backend, built.record["clock_mhz"], SHA256)


def record(built: Build, board: str, backend: str, folder: Path, script: str = "bitstream.tcl",
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
@pytest.mark.parametrize("board", board_names())
def test_block_design(built: Build, tmp_path: Path, board: str, backend: str) -> None:
    calls = record(built, board, backend, tmp_path)
    facts = load_board(board)
    Design(calls).check()
    parts = {call.option("-part") for call in calls if call.command == "create_project"}
    assert parts == {facts.part}
    properties = [call.arguments for call in calls if call.command == "set_property"]
    assert ("board_part", facts.board_part, "system") in properties
    assert (("board_connections", facts.board_connections, "system") in properties) == (board == "kv260")
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
def test_dmas_of_weights(external: Build, tmp_path: Path, board: str, port: str, width: str, backend: str) -> None:
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
def test_sources_of_both_back_ends(built: Build, tmp_path: Path, backend: str) -> None:
    calls = record(built, "zcu104", backend, tmp_path, "ooc.tcl")
    sources = next(call for call in calls if call.command == "add_files").arguments[-1].split()
    assert "shell/headrace_shell.v" in sources
    own = ["../rtl/top.sv", "../rtl/fc.mem"] if backend == "rtl" else [
        "../hls/project/solution/syn/verilog/accelerator.v", "shell/hls_adapter.sv",
        "shell/headrace_shell_registers.sv"]
    assert set(own) <= set(sources)
    synthesis = next(call for call in calls if call.command == "synth_design")
    assert synthesis.option("-mode") == "out_of_context"
    clock = next(call for call in calls if call.command == "create_clock")
    assert clock.option("-period") == "5.0"


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


def test_rendering_is_deterministic(built: Build) -> None:
    assert rendered(built, "kv260", "hls") == rendered(built, "kv260", "hls")
