"""The constants of headrace_pkg.sv are those of Python."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from itertools import product
from pathlib import Path

import pytest

from headrace.area.thresholds import block_stage, read_cycles
from headrace.datatypes import BIPOLAR_KIND, SIGNED, UNSIGNED
from headrace.layers.cores import CORES
from headrace.memory import PRICES, ram_bram18, ram_luts, ram_multiplexer
from headrace.render.instances import CONSTANTS
from headrace.render.library import library_path
from headrace.tools import verilator

_CONSTANT = re.compile(r"^  localparam int (\w+) += (\d+);", re.MULTILINE)


def constants() -> dict[str, int]:
    return {name: int(value) for name, value in _CONSTANT.findall(library_path("headrace_pkg").read_text())}


def test_python_names_them_alike() -> None:
    named = {name: number for names in CONSTANTS.values() for number, name in enumerate(names)}
    assert named == constants()


def test_kinds_have_their_numbers() -> None:
    found = constants()
    assert (found["UNSIGNED"], found["SIGNED"], found["BIPOLAR"]) == (UNSIGNED, SIGNED, BIPOLAR_KIND)


def test_cores_have_their_numbers() -> None:
    found = constants()
    assert {name: core.number for name, core in CORES.items()} == {name: found[name.upper()] for name in CORES}


@pytest.mark.parametrize("name", CORES)
def test_a_core_is_a_module_that_its_number_chooses(name: str) -> None:
    branch = f"if (CORE == {name.upper()}) begin : gen_{name}\n    headrace_dot_{name} #("
    assert library_path(f"headrace_dot_{name}").exists()
    assert branch in library_path("headrace_dot_product").read_text()


def test_searches_have_their_stages_and_cycles(tmp_path: Path) -> None:
    """Where bounds come out of blocks, and how long each stage waits for them, as the elaborated package says."""
    checks = []
    for groups, stages, bits, less in product((1, 3, 4, 16, 60, 64, 65, 300), (1, 2, 5, 8, 9), (9, 17, 24), (0, 1)):
        root = block_stage(groups, stages, bits, PRICES)
        checks.append((f"block_stage({groups}, {stages}, {bits}, 0)", root))
        for stage, cycles in enumerate(read_cycles(groups, stages, bits - less, False, root)):
            checks.append((f"bound_cycles({groups}, {stages}, {stage}, {bits}, {bits - less}, 0)", cycles))
        waits = read_cycles(groups, stages, bits - less, True, stages)
        checks.append((f"search_cycles({groups}, {stages}, {bits}, {bits - less}, 1)", stages - 1 + sum(waits)))
    require(checks, tmp_path)


def test_memories_that_are_written_take_as_much(tmp_path: Path) -> None:
    """LUTs, those that choose between them, and blocks, on both sides of every border."""
    borders = sorted({border + step for border in (3, 32, 64, 512, 1024, 2304, 16384, 20000) for step in (-1, 0, 1)})
    sizes = [(depth, bits) for depth, bits in product(borders, (1, 4, 7, 8, 9, 14, 36, 73))]
    require([(f"{name}({depth}, {bits})", rule(depth, bits)) for depth, bits in sizes for name, rule in (
        ("ram_luts", ram_luts), ("ram_choice_luts", ram_multiplexer), ("ram_blocks", ram_bram18))], tmp_path)


def require(checks: Sequence[tuple[str, int]], folder: Path) -> None:
    """Assert that calls of functions of the package have these values, as Verilator elaborates them."""
    text = "".join(f'  if ({call} != {value}) $error("{call} is not {value}");\n' for call, value in checks)
    source = folder / "checks.sv"
    source.write_text(f"module checks import headrace_pkg::*; ();\n{text}endmodule\n")
    command = [str(part) for part in (verilator(), "--lint-only", library_path("headrace_pkg"), source)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
