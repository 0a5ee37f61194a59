"""Families of devices: what a block design needs to know of their processors."""

from __future__ import annotations

from dataclasses import dataclass

from headrace.area.usage import Resources
from headrace.board.board import Board
from headrace.errors import InputError
from headrace.memory import PRICES, Prices


@dataclass(frozen=True)
class Family:
    """A processor and its ports towards the programmable logic.

    stream_bytes: width of the memory port and of the DMA's streams; burst_words: the most of them that the memory port
    takes in one burst, as far as the DMA makes them; interrupt: the processor's pin; linux_clock: `clock` in Linux'
    device tree; bus_mhz: what its ports stand on every speed grade, as processor_config asks for it; weight_port,
    weight_config: a second memory port for weights from memory, and what the processor needs for it beside
    processor_config; control_base: first address of the control port; primitives: whether there are the cells, CARRY8
    among them, of which leaf modules are made; around: a guess of what shell, DMA, interconnect and clock crossings
    take; luts_per_estimated: the estimate counts the leaf modules that are made of cells, and what takes their place
    was measured at 1.4 (4 bits) to 1.6 (1 bit) times their LUTs; prices: of a block RAM and a DSP block.
    """

    title: str
    vivado_families: tuple[str, ...]
    part_prefixes: tuple[str, ...]
    processor: str
    automation: str
    processor_config: tuple[tuple[str, str], ...]
    control_port: str
    control_clock: str
    memory_port: str
    memory_clock: str
    weight_config: tuple[tuple[str, str], ...]
    weight_port: str
    weight_clock: str
    clock: str
    linux_clock: str
    reset: str
    interrupt: str
    stream_bytes: int
    burst_words: int
    address_bits: int
    bus_mhz: int
    control_base: int
    primitives: bool
    around: Resources
    luts_per_estimated: float = 1.0
    prices: Prices = PRICES


ZYNQ_ULTRASCALE = Family(
    title="Zynq UltraScale+",
    vivado_families=("zynquplus", "zynquplusRFSOC"),
    part_prefixes=("xczu", "xck24", "xck26"),
    processor="zynq_ultra_ps_e",
    automation='apply_board_preset "1"',
    processor_config=(
        ("PSU__USE__M_AXI_GP0", "1"),
        ("PSU__USE__M_AXI_GP1", "0"),
        ("PSU__USE__M_AXI_GP2", "0"),
        ("PSU__USE__IRQ0", "1"),
        ("PSU__USE__S_AXI_GP2", "1"),  # S_AXI_HP0_FPD
        ("PSU__SAXIGP2__DATA_WIDTH", "128"),
        ("PSU__FPGA_PL0_ENABLE", "1"),
        ("PSU__CRL_APB__PL0_REF_CTRL__FREQMHZ", "200"),
    ),
    control_port="M_AXI_HPM0_FPD",
    control_clock="maxihpm0_fpd_aclk",
    memory_port="S_AXI_HP0_FPD",
    memory_clock="saxihp0_fpd_aclk",
    weight_config=(("PSU__USE__S_AXI_GP3", "1"), ("PSU__SAXIGP3__DATA_WIDTH", "128")),  # S_AXI_HP1_FPD
    weight_port="S_AXI_HP1_FPD",
    weight_clock="saxihp1_fpd_aclk",
    clock="pl_clk0",
    linux_clock="zynqmp_clk 71",
    reset="pl_resetn0",
    interrupt="pl_ps_irq0",
    stream_bytes=16,
    burst_words=64,
    address_bits=40,
    bus_mhz=200,
    control_base=0xA000_0000,
    primitives=True,
    around=Resources(lut=9000, ff=12000, bram18=12),
)

ZYNQ_7000 = Family(
    title="Zynq-7000",
    vivado_families=("zynq",),
    part_prefixes=("xc7z",),
    processor="processing_system7",
    automation='make_external "FIXED_IO, DDR" apply_board_preset "1" Master "Disable" Slave "Disable"',
    processor_config=(
        ("PCW_USE_M_AXI_GP0", "1"),
        ("PCW_USE_S_AXI_HP0", "1"),
        ("PCW_S_AXI_HP0_DATA_WIDTH", "64"),
        ("PCW_USE_FABRIC_INTERRUPT", "1"),
        ("PCW_IRQ_F2P_INTR", "1"),
        ("PCW_EN_CLK0_PORT", "1"),
        ("PCW_EN_RST0_PORT", "1"),
        ("PCW_FPGA0_PERIPHERAL_FREQMHZ", "100"),
    ),
    control_port="M_AXI_GP0",
    control_clock="M_AXI_GP0_ACLK",
    memory_port="S_AXI_HP0",
    memory_clock="S_AXI_HP0_ACLK",
    weight_config=(("PCW_USE_S_AXI_HP1", "1"), ("PCW_S_AXI_HP1_DATA_WIDTH", "64")),
    weight_port="S_AXI_HP1",
    weight_clock="S_AXI_HP1_ACLK",
    clock="FCLK_CLK0",
    linux_clock="clkc 15",
    reset="FCLK_RESET0_N",
    interrupt="IRQ_F2P",
    stream_bytes=8,
    burst_words=16,
    address_bits=32,
    bus_mhz=100,
    control_base=0x4000_0000,
    primitives=False,
    around=Resources(lut=6500, ff=8500, bram18=8),
    luts_per_estimated=1.5,
)

FAMILIES = (ZYNQ_ULTRASCALE, ZYNQ_7000)


def find_family(board: Board) -> Family | None:
    """The family of a board's part, None for a part that no block design is known for."""
    return next((family for family in FAMILIES if board.part.startswith(family.part_prefixes)), None)


def family_of(board: Board) -> Family:
    """The family of a board's part. Raises InputError for a part that no block design is known for."""
    if family := find_family(board):
        return family
    known = ", ".join(f"{family.title} ({'*, '.join(family.part_prefixes)}*)" for family in FAMILIES)
    raise InputError(f"{board.name}: no block design is known for part {board.part}; choose a board of {known}")
