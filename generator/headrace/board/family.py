"""Families of devices: what their logic is like, and what a block design needs to know of their processors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from headrace.area.usage import Resources
from headrace.board.board import Board
from headrace.errors import InputError
from headrace.memory import PRICES, Prices


@dataclass(frozen=True, kw_only=True)
class Family:
    """Devices with the same logic.

    part_prefixes: of the names of its parts; around: a guess of what DMA, interconnect and clock crossings take, where
    there is no processor with the shell;
    prices: of a block RAM and a DSP block, and which cells the estimate counts.
    """

    title: str
    part_prefixes: tuple[str, ...]
    around: Resources
    prices: Prices = PRICES


@dataclass(frozen=True, kw_only=True)
class ProcessorFamily(Family):
    """Devices with a processor, and its ports towards the programmable logic.

    bootgen: what bootgen calls it; stream_bytes: width of the memory port and of the DMA's streams; burst_words:
    the most of them that the memory port takes in one burst, as far as the DMA makes them; interrupt: the
    processor's pin; linux_clock: `clock` in Linux' device tree; bus_mhz: what its ports stand on every speed grade,
    as processor_config asks for it; weight_port, weight_config: a second memory port for weights from memory, and
    what the processor needs for it beside processor_config; control_base: first address of the control port.
    """

    vivado_families: tuple[str, ...]
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
    bootgen: str
    stream_bytes: int
    burst_words: int
    address_bits: int
    bus_mhz: int
    control_base: int


@dataclass(frozen=True, kw_only=True)
class RoutedFamily(Family):
    """Devices without a processor that open tools place and route (headrace.ecp5).

    devices: the name of a part's device, and what nextpnr calls it; packages: the letters of a part's package, and what
    nextpnr calls it; speeds: grades, the slowest first.
    """

    devices: Mapping[str, str]
    packages: Mapping[str, str]
    speeds: tuple[str, ...]


ZYNQ_ULTRASCALE = ProcessorFamily(
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
    bootgen="zynqmp",
    stream_bytes=16,
    burst_words=64,
    address_bits=40,
    bus_mhz=200,
    control_base=0xA000_0000,
    around=Resources(lut=7000, ff=9500, bram18=12),
)

ZYNQ_7000 = ProcessorFamily(
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
    bootgen="zynq",
    stream_bytes=8,
    burst_words=16,
    address_bits=32,
    bus_mhz=100,
    control_base=0x4000_0000,
    around=Resources(lut=5000, ff=6500, bram18=8),
    prices=Prices(primitives=False),
)

#: A device has about 400 LUT4 for each block RAM and 540 for each DSP block. The library counts words in LUTs in LUT6:
#: a bit of 64 words that are read only takes four LUT4, and words that can be written six LUT4 for four bits of 16.
ECP5 = RoutedFamily(
    title="ECP5",
    part_prefixes=("LFE5U-", "LFE5UM-", "LFE5UM5G-"),
    around=Resources(lut=1500, ff=1200, bram18=2),
    prices=Prices(block=100, ram_block=80, dsp=400, lut_inputs=4, primitives=False),
    devices={"LFE5U-12F": "12k", "LFE5U-25F": "25k", "LFE5U-45F": "45k", "LFE5U-85F": "85k", "LFE5UM-25F": "um-25k",
             "LFE5UM-45F": "um-45k", "LFE5UM-85F": "um-85k", "LFE5UM5G-25F": "um5g-25k", "LFE5UM5G-45F": "um5g-45k",
             "LFE5UM5G-85F": "um5g-85k"},
    packages={"BG256": "CABGA256", "MG285": "CSFBGA285", "BG381": "CABGA381", "BG554": "CABGA554",
              "BG756": "CABGA756"},
    speeds=("6", "7", "8"),
)

FAMILIES: tuple[Family, ...] = (ZYNQ_ULTRASCALE, ZYNQ_7000, ECP5)


def find_family(board: Board) -> Family | None:
    """The family of a board's part, None for a part that is not known."""
    return next((family for family in FAMILIES if board.part.startswith(family.part_prefixes)), None)


def find_processor(board: Board) -> ProcessorFamily | None:
    """The same for a part with a processor, None for any other."""
    family = find_family(board)
    return family if isinstance(family, ProcessorFamily) else None


def family_of(board: Board) -> ProcessorFamily:
    """The family of a board's part. Raises InputError for a part that no block design is known for."""
    if family := find_processor(board):
        return family
    known = ", ".join(f"{family.title} ({'*, '.join(family.part_prefixes)}*)" for family in FAMILIES
                      if isinstance(family, ProcessorFamily))
    raise InputError(f"{board.name}: no block design is known for part {board.part}; choose a board of {known}")
