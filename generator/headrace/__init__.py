"""headrace: a trained CNN becomes a streaming FPGA accelerator that is proved bit-exact.

    import headrace as hr
    net = hr.load("model.py:trained")
    build = hr.build(net, out="build", fps=30_000)
    build.predict(x, engine="rtl")
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Never

from headrace.build_folder import Build
from headrace.building import build as _build
from headrace.design import Fifos
from headrace.errors import (
    FoldingError,
    HeadraceError,
    InputError,
    MismatchError,
    QuantizationError,
    ToolError,
    UnsupportedError,
)
from headrace.exploring.points import Point, Space, plan_points
from headrace.model import Model, load
from headrace.request import Backend, Options, Weights
from headrace.samples import GivenSamples
from headrace.sources import save_qonnx
from headrace.suggest import did_you_mean
from headrace.version import headrace_version

__version__ = headrace_version()

__all__ = [
    "Build", "FoldingError", "HeadraceError", "InputError", "MismatchError", "Model", "Point", "QuantizationError",
    "ToolError", "UnsupportedError", "__version__", "build", "load", "plan", "save_qonnx",
]


def build(model: Model, out: str | Path, progress: Callable[[str], None] = lambda _: None, *,
          board: str | None = None, clock_mhz: float = Options.clock_mhz, fps: float | None = None,
          folding: Mapping[str, Mapping[str, int]] | None = None, cores: Mapping[str, str] | None = None,
          writable: Mapping[str, str] | None = None, external: Sequence[str] = (), weights: Weights = "on-chip",
          backend: Backend = "rtl", verify: int = Options.verify, verify_input: GivenSamples | None = None,
          overfull: bool = False, verify_layers: bool = False, fifos: Fifos = "exact",
          share: float = Options.share, **unknown: Never) -> Build:
    """Build `model` into the directory `out`, whose parents are made. See headrace.request.Options for the options.

    `progress` is told what goes on. verify_input: samples (N, ...) as the model takes them, of which `verify` are used.

    Raises a HeadraceError, and leaves `out` untouched, if anything is illegal, missing or not bit-exact.
    """
    if not isinstance(model, Model):
        raise InputError(f"build takes what headrace.load returns, not a {type(model).__name__}; load the model first")
    for name in unknown:
        known = [field.name for field in fields(Options)]
        raise InputError(f"{name} is not an option of build; {did_you_mean(name, known)}choose from {known}")
    options = Options(board, clock_mhz, fps, folding, cores or {}, writable or {}, external, weights, backend, verify,
                      verify_input, overfull, verify_layers, fifos, share)
    return _build(model, out, options, progress)


def plan(model: Model, *, boards: Sequence[str] = (), fps: Sequence[float] = (),
         clock_mhz: Sequence[float] = (Options.clock_mhz,), cores: Mapping[str, str] | None = None,
         weights: Weights = "on-chip", backend: Backend = "rtl",
         progress: Callable[[str], None] = lambda _: None) -> list[Point]:
    """What every board at every clock and every rate would take, estimated, without building anything.

    boards: names or .toml files, filled where no rate is given; none is the default board. A point that cannot be says
    why. Raises InputError for a board that is not known and for options that cannot be.
    """
    others = Options(cores=cores or {}, weights=weights, backend=backend)
    return list(plan_points(model, Space(boards, clock_mhz, fps), others, progress))
