"""A block design as its Tcl builds it on stubs of the commands: cores, nets, clocks and addresses, and their rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from tests.tcl import Call

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
    "set_msg_config": ("", "-id -new_severity"),
    "get_board_parts": ("return [lindex $args end]", "-quiet"),
    "read_xdc": ("", "-mode"),
    "opt_design": ("", ""),
    "place_design": ("", ""),
    "phys_opt_design": ("", ""),
    "route_design": ("", ""),
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
        ("maxihpm0_fpd_aclk", "saxihp0_fpd_aclk", "pl_ps_irq0"), ("pl_clk0", "pl_resetn0")),
    "xilinx.com:ip:processing_system7": Core(
        {"M_AXI_GP0": "M_AXI_GP0_ACLK"}, {"S_AXI_HP0": "S_AXI_HP0_ACLK"},
        ("M_AXI_GP0_ACLK", "S_AXI_HP0_ACLK", "IRQ_F2P"), ("FCLK_CLK0", "FCLK_RESET0_N")),
    "xilinx.com:ip:axi_dma": Core(
        {"M_AXI_MM2S": "m_axi_mm2s_aclk", "M_AXI_S2MM": "m_axi_s2mm_aclk", "M_AXIS_MM2S": "m_axi_mm2s_aclk"},
        {"S_AXI_LITE": "s_axi_lite_aclk", "S_AXIS_S2MM": "m_axi_s2mm_aclk"},
        ("s_axi_lite_aclk", "m_axi_mm2s_aclk", "m_axi_s2mm_aclk", "axi_resetn"), ("mm2s_introut", "s2mm_introut")),
    "xilinx.com:ip:axi_intc": Core({}, {"s_axi": "s_axi_aclk"}, ("s_axi_aclk", "s_axi_aresetn", "intr"), ("irq",)),
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
                {"S_AXI_LITE": "s_axi_lite_aclk"}, ("s_axi_lite_aclk", "m_axi_mm2s_aclk", "axi_resetn"),
                ("mm2s_introut",))


def concatenation(properties: dict[str, str]) -> Core:
    """A bus made of single lines."""
    return Core({}, {}, tuple(f"In{k}" for k in range(int(properties["CONFIG.NUM_PORTS"]))), ("dout",))


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
RESET_CLOCKS = {"axi_resetn": "s_axi_lite_aclk", "aresetn": "aclk", "s_axi_aresetn": "s_axi_aclk",
                "s_axis_aresetn": "s_axis_aclk", "m_axis_aresetn": "m_axis_aclk", "ap_rst_n": "ap_clk"}


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
        if kind.endswith(":xlconcat"):
            return concatenation(properties)
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
        segments = {"accelerator/s_axi_control/reg0", "interrupts/S_AXI/Reg",
                    *(f"{cell}/S_AXI_LITE/Reg" for cell in dmas)}
        require(set(self.addresses) == segments, f"addresses of {sorted(self.addresses)}")
        for (low, size), (high, _) in pairwise(sorted(self.addresses.values())):
            require(low + size <= high, "addresses overlap")
