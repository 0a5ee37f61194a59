
import pytest

from headrace.area.usage import Resources
from headrace.errors import ToolError
from headrace.synthesis.netlist import measure

IN, OUT = "input", "output"
_OUTPUTS = {"O", "O5", "O6", "Q", "CO", "P", "DOA"}


def cell(kind: str, parameters: dict[str, str] | None = None, **connections: list[int | str]) -> dict[str, object]:
    return {"type": kind, "parameters": parameters or {}, "connections": connections,
            "port_directions": {port: OUT if port in _OUTPUTS else IN for port in connections}}


def module(*cells: dict[str, object], outputs: tuple[int, ...] = ()) -> dict[str, object]:
    return {"cells": {f"c{index}": item for index, item in enumerate(cells)},
            "ports": {"y": {"direction": OUT, "bits": list(outputs)}}}


def depth(*cells: dict[str, object], outputs: tuple[int, ...] = ()) -> int:
    return measure(module(*cells, outputs=outputs))[1]


def test_cells_are_counted() -> None:
    cells = ["LUT6", "LUT6_2", "INV", "LUT1", "FDRE", "FDSE", "RAMB36E2", "RAMB18E2", "URAM288", "DSP48E2", "RAM32M16",
             "SRL16E", "CARRY8", "MUXF7", "BUFG"]
    counted, _ = measure(module(*(cell(kind, {"INIT": "0"}, S=[], O=[]) for kind in cells)))
    assert counted == Resources(lut=4, ff=2, bram18=3, uram=1, dsp=1, lutram=9)


def test_a_cell_that_is_not_mapped_is_an_error_unless_it_is_a_black_box() -> None:
    with pytest.raises(ToolError, match=r"not cells of UltraScale\+ or Zynq-7000: \['\$add', 'headrace_weight_rom'\]"):
        measure(module(cell("$add"), cell("headrace_weight_rom")))
    boxes = frozenset({"headrace_weight_rom"})
    assert measure(module(cell("headrace_weight_rom", data=[2])), boxes) == (Resources(), 0)


def test_luts_between_registers() -> None:
    first, second = cell("LUT2", I0=[2], I1=[3], O=[4]), cell("LUT1", I0=[4], O=[5])
    assert depth(first, second, cell("FDRE", D=[5], Q=[6])) == 2
    assert depth(first, cell("FDRE", D=[4], Q=[6]), cell("LUT1", I0=[6], O=[7]), outputs=(7,)) == 1
    assert depth(first, second, outputs=(4,)) == 1
    assert depth(first, cell("MUXF7", S=[9], I0=[4], I1=["0"], O=[5]), outputs=(5,)) == 1


def test_an_output_of_a_double_lut_depends_on_what_changes_its_table() -> None:
    # O5: majority of I0 to I2; O6: XOR of I0 to I3.
    init = format(0x69966996_E8E8E8E8, "064b")
    first, second = (cell("LUT6_2", {"INIT": init}, I0=[2], I1=[2], I2=[2], I3=[below], I4=["0"], I5=["1"],
                          O5=[low], O6=[high])
                     for below, low, high in ((2, 3, 4), (3, 5, 6)))
    assert depth(first, second, outputs=(5,)) == 1
    assert depth(first, second, outputs=(6,)) == 2


def carry(first: int, width: int, into: int | str) -> dict[str, object]:
    """Bit i selects by net first + i and gives sum 100 + first + i and carry 200 + first + i."""
    return cell(f"CARRY{width}", CI=[into], DI=["0"] * width, S=[first + i for i in range(width)],
                O=[100 + first + i for i in range(width)], CO=[200 + first + i for i in range(width)])


@pytest.mark.parametrize(("bits", "levels"), [(4, 1), (8, 1), (12, 2), (16, 2), (20, 3)])
def test_a_carry_chain_takes_a_level_per_eight_bits(bits: int, levels: int) -> None:
    chain = [carry(2 + i, 4, "0" if i == 0 else 201 + i) for i in range(0, bits, 4)]
    assert depth(*chain, outputs=(101 + bits,)) == levels
    lut = cell("LUT1", I0=[300], O=[2])
    assert depth(lut, *chain, outputs=(101 + bits,)) == levels + 1
    late = cell("LUT1", I0=[300], O=[1 + bits])  # enters at the last bit
    assert depth(late, *chain, outputs=(101 + bits,)) == max(levels, 2)
    assert depth(*chain, cell("LUT1", I0=[101 + bits], O=[400]), outputs=(400,)) == levels + 1


def test_a_carry_chain_that_feeds_its_own_select_is_no_loop() -> None:
    assert depth(carry(2, 8, "0"), cell("LUT1", I0=[102], O=[9]), outputs=(109,)) == 3


def test_reading_a_lut_memory_is_logic_and_writing_it_is_not() -> None:
    lut = cell("LUT1", I0=[2], O=[3])
    assert depth(lut, cell("RAM64X1D", A0=[3], DPRA0=[4], D=[5], WE=[6], O=[7]), outputs=(7,)) == 2
    assert depth(lut, cell("RAM64X1D", A0=[2], D=[3], WE=[6], O=[7]), outputs=(7,)) == 1
    assert depth(lut, cell("RAMB18E2", ADDRARDADDR=[3], DOA=[7]), outputs=(7,)) == 1


@pytest.mark.parametrize(("registers", "levels"), [
    ({}, 2),  # the LUTs before C
    ({"AREG": "0"}, 5),
    ({"AREG": "0", "MREG": "0"}, 7),
    ({"MREG": "0"}, 2),
    ({"MREG": "0", "PREG": "0"}, 6),
    ({"PREG": "0"}, 2),
    ({"AREG": "0", "MREG": "0", "PREG": "0"}, 7),
    ({"CREG": "0"}, 4),
])
def test_dsp_with_and_without_registers(registers: dict[str, str], levels: int) -> None:
    """A comes from one LUT and C from two; the path inside of a DSP counts only where it leaves without a register."""
    used = dict.fromkeys(("AREG", "CREG", "MREG", "PREG"), "1") | registers
    cells = (cell("LUT1", I0=[2], O=[3]), cell("LUT1", I0=[3], O=[5]), cell("DSP48E2", used, A=[3], C=[5], P=[4]))
    assert depth(*cells, outputs=(4,)) == levels
