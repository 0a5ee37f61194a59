"""The C++ kernels as sources: what they are called with and what they are allowed to use."""

import re
from pathlib import Path

import pytest

from generator.datatypes import uint_type
from generator.layers import LAYERS, Dwc, Fifo, MaxPool, Swu
from generator.layers.base import Layer
from generator.layers.spec import layer_from_spec
from generator.paths import data_folder

INCLUDE = data_folder("hls_templates") / "include"
SAMPLES: dict[str, Layer] = {
    "mvtu": layer_from_spec({"kind": "mvtu", "mw": 4, "mh": 2, "weight": "int4", "input": "uint2",
                             "output": "uint2"}).layer,
    "swu": Swu("s", 4, 4, 1, (3, 3), uint_type(2)),
    "max_pool": MaxPool("p", 4, 4, 1, (2, 2), (2, 2), uint_type(2)),
    "dwc": Dwc("d", 1, 2, uint_type(2), 4),
    "fifo": Fifo("f", 4, 1, uint_type(2), 4),
}  # fmt: skip


@pytest.mark.parametrize("kind", LAYERS)
def test_template_parameters_are_those_of_the_layer(kind: str) -> None:
    source = (INCLUDE / f"{kind}.hpp").read_text()
    found = re.findall(rf"template <([^>]*)>\s*void {kind}\(", source)
    wanted = [name for name, _ in SAMPLES[kind].parameters()]
    assert found
    for parameters in found:
        assert re.findall(r"int (\w+)", parameters) == wanted


@pytest.mark.parametrize("header", sorted(INCLUDE.glob("*.hpp")), ids=lambda path: path.stem)
def test_kernels_keep_to_what_hls_compilers_accept(header: Path) -> None:
    source = header.read_text()
    assert source.startswith("// ")
    allowed = {"stdint.h", "ap_int.h", "hls_stream.h", "ap_axi_sdata.h", *(path.name for path in INCLUDE.glob("*.hpp"))}
    assert set(re.findall(r'#include [<"](.*)[>"]', source)) <= allowed
    code = re.sub(r"//.*", "", source)
    assert not re.search(r"\b(new|delete|malloc|virtual|while|goto|float|double|std::\w+)\b", code)
    pragmas = set(re.findall(r"#pragma HLS (\w+)", code))
    assert pragmas <= {"PIPELINE", "UNROLL", "ARRAY_PARTITION", "INLINE", "INTERFACE"}
