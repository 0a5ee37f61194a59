"""headrace: a trained CNN becomes a streaming FPGA accelerator that is proved bit-exact.

    import headrace as hr
    net = hr.load("model.py:trained")
    build = hr.build(net, out="build", fps=30_000)
    build.predict(x, engine="rtl")
"""

from __future__ import annotations

from headrace.api import (
    boards,
    build,
    check,
    compare,
    example,
    explore,
    plan,
    precision,
    quantize,
    report,
    simulate,
    synth,
)
from headrace.build_folder import Build
from headrace.errors import (
    FoldingError,
    HeadraceError,
    InputError,
    MismatchError,
    QuantizationError,
    ToolError,
    UnsupportedError,
)
from headrace.exploring.points import Point
from headrace.model import Model, load
from headrace.sources import save_qonnx
from headrace.version import headrace_version

__version__ = headrace_version()

__all__ = [
    "Build", "FoldingError", "HeadraceError", "InputError", "MismatchError", "Model", "Point", "QuantizationError",
    "ToolError", "UnsupportedError", "__version__", "boards", "build", "check", "compare", "example", "explore", "load",
    "plan", "precision", "quantize", "report", "save_qonnx", "simulate", "synth",
]
