"""The constants of headrace_pkg.sv are those of Python."""

from __future__ import annotations

import re

import pytest

from headrace.datatypes import BIPOLAR_KIND, SIGNED, UNSIGNED
from headrace.layers.cores import CORES
from headrace.render.instances import CONSTANTS
from headrace.render.library import library_path

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
