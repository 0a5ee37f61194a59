"""headrace: a trained CNN becomes a streaming FPGA accelerator that is proved bit-exact.

    import headrace as hr
    net = hr.load("model.py:trained")
    build = hr.build(net, out="build", fps=30_000)
    build.predict(x, engine="rtl")
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from headrace import building as _compile
from headrace import request as _plan
from headrace.build_folder import Build
from headrace.errors import (
    FoldingError,
    HeadraceError,
    InputError,
    MismatchError,
    ToolError,
    UnsupportedError,
)
from headrace.model import Model, load
from headrace.sources import save_qonnx

__all__ = [
    "Build", "FoldingError", "HeadraceError", "InputError", "MismatchError", "Model", "ToolError", "UnsupportedError",
    "build", "load", "save_qonnx",
]


def build(model: Model, out: str | Path, progress: Callable[[str], None] = lambda _: None, **options: Any) -> Build:
    """Build `model` into the directory `out`; options are the fields of headrace.request.Options.

    `progress` is told what goes on.

    Raises a HeadraceError, and leaves `out` untouched, if anything is illegal, missing or not bit-exact.
    """
    return _compile.build(model, out, _plan.Options(**options), progress)
