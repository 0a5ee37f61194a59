"""headrace: a trained CNN becomes a streaming FPGA accelerator that is proved bit-exact.

    import generator as hr
    net = hr.load("model.py:trained")
    build = hr.build(net, out="build", fps=30_000)
    build.predict(x, engine="rtl")
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from generator import compile as _compile
from generator import plan as _plan
from generator.build import Build
from generator.errors import (
    FoldingError,
    HeadraceError,
    InputError,
    MismatchError,
    ToolError,
    UnsupportedError,
)
from generator.load import save_qonnx
from generator.model import Model, load

__all__ = [
    "Build", "FoldingError", "HeadraceError", "InputError", "MismatchError", "Model", "ToolError", "UnsupportedError",
    "build", "load", "save_qonnx",
]  # fmt: skip


def build(model: Model, out: str | Path, progress: Callable[[str], None] = lambda _: None, **options: Any) -> Build:
    """Build `model` into the directory `out`; options are the fields of generator.plan.Options.

    `progress` is told what goes on.

    Raises a HeadraceError, and leaves `out` untouched, if anything is illegal, missing or not bit-exact.
    """
    return _compile.build(model, out, _plan.Options(**options), progress)
