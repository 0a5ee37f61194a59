"""Rows of a large matrix unit have copies of its enable, which synthesis keeps, as many as the estimate counts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from headrace.atomic_files import write_files
from headrace.layers.spec import layer_from_spec
from headrace.layers.weighted import enable_copies
from headrace.synthesis.designs import layer_design, library
from headrace.synthesis.yosys import run_yosys


@pytest.mark.parametrize(("words", "copies"), [(2, 3), (1, 3), (8, 0)])
def test_each_copy_moves_rows_of_its_own(words: int, copies: int, tmp_path: Path) -> None:
    columns = 8
    layer = layer_from_spec({"kind": "mvtu", "mw": columns, "mh": 3, "pe": 3, "simd": columns // words, "vectors": 1,
                             "weight": "int8", "input": "uint16", "output": "acc", "core": "plain"}, 0).layer
    assert enable_copies(3, columns // words * 8 * 16) == copies
    design = layer_design(layer, library())
    write_files(tmp_path, {**design.files, **design.target.files()})
    run_yosys(design.script, tmp_path)
    cells = json.loads((tmp_path / "netlist.json").read_text())["modules"]["harness"]["cells"]
    enables = [cell["connections"]["Q"][0] for name, cell in cells.items() if "u_copies." in name]
    moved = [sum(cell["connections"].get("CE") == [enable] for cell in cells.values()) for enable in enables]
    assert len(enables) == copies
    assert all(moved), moved
