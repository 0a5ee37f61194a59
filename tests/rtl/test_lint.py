"""Every module of the library, found by looking, passes Verilator's lint alone and checks its parameters."""

import re
import subprocess
from pathlib import Path

import pytest

from headrace.layers import LAYERS
from headrace.render.library import library_folders, library_path, library_paths
from headrace.render.names import module_name
from headrace.tools import verilator
from tests.layer_battery import battery

PACKAGE, *MODULES = library_paths()
FOLDERS = [option for folder in library_folders() for option in ("-y", folder)]


def lint(module: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [verilator(), "--lint-only", "-Wall", *options, *FOLDERS, PACKAGE, module]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.stem)
def test_module_lints_alone(module: Path) -> None:
    done = lint(module)
    assert done.returncode == 0, done.stderr


def test_registers_with_their_hash_in_a_block() -> None:
    done = lint(library_path("headrace_shell_registers"), "-GHASH_BLOCK=1")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("kind", LAYERS)
def test_parameters_are_those_of_the_layer(kind: str) -> None:
    source = library_path(module_name(kind)).read_text()
    found = re.findall(r"^  parameter (int|string) +(\w+) +=", source, re.MULTILINE)
    for layer in battery(kind).layers():
        assert [name for sort, name in found if sort == "int"] == [name for name, _ in layer.parameters()]
        files = [name for sort, name in found if sort == "string"]
        assert {f"{memory.name}_FILE" for memory in layer.memories()} <= set(files)


@pytest.mark.parametrize(
    ("kind", "options", "sentence"),
    [
        ("mvtu", ["-GSIMD=3"], "SIMD=3 must divide MW=8"),
        ("mvtu", ["-GPE=3"], "PE=3 must divide MH=4"),
        ("mvtu", ["-GN=4"], "N=4 thresholds do not fit into O_BITS=2"),
        ("vvtu", ["-GSIMD=2"], "SIMD=2 must divide TAPS=9"),
        ("vvtu", ["-GPE=3"], "PE=3 must divide CHANNELS=4"),
        ("threshold", ["-GGROUPS=4"], "GROUPS=4 must be 1 or 2"),
        ("threshold", ["-GN=4"], "N=4 thresholds do not fit into O_BITS=2"),
        ("requant", ["-GSHIFT=14"], "SHIFT=14 must be less than SUM_BITS=14"),
        ("requant", ["-GLO=32"], "LO=32 must not exceed HI=31"),
        ("parallel_swu", ["-GBANKS_W=2"], "must be at least the kernel, 3x3"),
        ("parallel_swu", ["-GSLOTS=3"], "SLOTS=3 must be a power of two"),
        ("swu", ["-GDEPTH=24"], "DEPTH=24 must be a power of two"),
        ("swu", ["-GDEPTH=16"], "DEPTH=16 must be a power of two that holds a window of 22 words"),
        ("max_pool", ["-GKERNEL_W=5"], "does not fit into 4x4"),
        ("acc_pool", ["-GPE=3"], "PE=3 must divide CHANNELS=4"),
        ("acc_pool", ["-GO_BITS=3"], "TO_BITS=3 at least FROM_BITS=4"),
        ("fork", ["-GOUTPUTS=9"], "OUTPUTS=9 must lie between 2 and 8"),
        ("add", ["-GO_BITS=3"], "TO_BITS=3 at least FROM_BITS=4"),
        ("concat", ["-GINPUTS=1"], "INPUTS=1 must lie between 2 and 8"),
        ("concat", ["-GPE=4"], "PE=4 must divide the channels of every input"),
        ("channel_map", ["-GFORM=3"], "FORM=3 must be 0, 1 or 2"),
        ("channel_map", ["-GPE=1"], "SIMD=2 and PE=1 must be equal and divide CHANNELS=4"),
        ("channel_map", ["-GSTEPS=1"], "STEPS=1 are too few for 2 words out"),
        ("channel_map", ["-GFORM=1", "-GDEPTH=2"], "DEPTH=2 must be a power of two that holds two pixels of 2 words"),
        ("crop", ["-GSIMD=3"], "SIMD=3 must divide CHANNELS=4"),
        ("crop", ["-GSTOP_W=5"], "1x1 to 4x5 in steps of 1x2 must leave a part of 4x4"),
        ("upsample", ["-GSIMD=3"], "SIMD=3 must divide CHANNELS=4"),
        ("depth_to_space", ["-GSIMD=3"], "SIMD=3 must divide BLOCK_W*CHANNELS=8"),
        ("depth_to_space", ["-GDEPTH=48"], "DEPTH=48 must be a power of two that holds 20 words"),
        ("depth_to_space", ["-GDEPTH=16"], "DEPTH=16 must be a power of two that holds 20 words"),
        ("label_select", ["-GK=7"], "LABELS=6, which must be at least K=7 and at most 2^3"),
        ("dwc", ["-GWORDS=3"], "WORDS=3 of IN_LANES=3 do not fill words of OUT_LANES=2"),
        ("fifo", ["-GDEPTH=0"], "DEPTH=0"),
    ],
)
def test_illegal_parameters_stop_the_elaboration(kind: str, options: list[str], sentence: str) -> None:
    done = lint(library_path(module_name(kind)), *options)
    assert done.returncode != 0
    assert sentence in done.stderr
