"""The C++ kernels as sources: what they are called with and what they are allowed to use."""

import re
from pathlib import Path

import pytest

from headrace.layers import LAYERS
from headrace.paths import data_folder
from tests.layer_battery import battery

INCLUDE = data_folder("hls_templates") / "include"


@pytest.mark.parametrize("kind", LAYERS)
def test_kernels_use_the_parameters_of_the_layer(kind: str) -> None:
    source = (INCLUDE / f"{kind}.hpp").read_text()
    assert re.search(rf"\nvoid {kind}\(", source)
    wanted = {name for name, _ in battery(kind).layers()[0].parameters()}
    found = set(re.findall(r"\bC::(\w+)", source))
    assert found and found <= wanted


@pytest.mark.parametrize("kind", LAYERS)
def test_kernels_are_inlined_into_the_function_of_their_layer(kind: str) -> None:
    """Else the compiler's report names a layer, and below it a template with its arguments."""
    source = (INCLUDE / f"{kind}.hpp").read_text()
    bodies = re.findall(rf"\nvoid {kind}\([^{{]*\) {{\n(.*)\n", source)
    assert bodies and set(bodies) == {"#pragma HLS INLINE"}


@pytest.mark.parametrize("header", sorted(INCLUDE.glob("*.hpp")), ids=lambda path: path.stem)
def test_kernels_keep_to_what_hls_compilers_accept(header: Path) -> None:
    source = header.read_text()
    assert source.startswith("// ")
    allowed = {"stdint.h", "ap_int.h", "hls_stream.h", "ap_axi_sdata.h", *(path.name for path in INCLUDE.glob("*.hpp"))}
    assert set(re.findall(r'#include [<"](.*)[>"]', source)) <= allowed
    code = re.sub(r"//.*", "", source)
    assert not re.search(r"\b(new|delete|malloc|virtual|while|goto|float|double|std::\w+)\b", code)
    pragmas = set(re.findall(r"#pragma HLS (\w+)", code))
    assert pragmas <= {"PIPELINE", "UNROLL", "ARRAY_PARTITION", "INLINE", "INTERFACE", "DEPENDENCE"}
