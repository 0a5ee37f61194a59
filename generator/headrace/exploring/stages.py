"""The stages through which points are taken, and the tools that take part in each."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from headrace.ecp5.tools import PACKAGE as NEXTPNR
from headrace.errors import InputError
from headrace.suggest import did_you_mean
from headrace.synthesis.yosys import PACKAGE as YOSYS

STAGES = ("plan", "build", "sim", "synth", "bitstream")
_VERILATOR, _VIVADO = "verilator", "vivado"
_TOOLS = {"build": (_VERILATOR,), "sim": (_VERILATOR,), "synth": (YOSYS,), "bitstream": (YOSYS, NEXTPNR, _VIVADO)}
#: By stage the version of every tool that takes part, "" for one that is missing.
Versions = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Stage:
    """A stage that is done, the tools that did it, and what it measured."""

    name: str
    tools: Mapping[str, str]
    measured: Mapping[str, Any]


def require_stages(stages: Sequence[str]) -> tuple[str, ...]:
    """The stages in their order; a plan comes first, a build before what needs one. Raises InputError for others."""
    for stage in stages:
        if stage not in STAGES:
            raise InputError(f"stage {stage!r} is unknown; {did_you_mean(stage, STAGES)}choose from {list(STAGES)}")
    if set(stages) - {"plan"} and "build" not in stages:
        raise InputError(f"stage {stages[-1]} works on a build; add the stage build")
    return tuple(stage for stage in STAGES if stage in stages or stage == "plan")


def stage_versions(stages: Sequence[str]) -> dict[str, dict[str, str]]:
    """The versions that are installed here of what takes part in stages."""
    return {stage: {tool: _version(tool) for tool in _TOOLS[stage]} for stage in stages}


def _version(tool: str) -> str:
    """Of its Python package, else what a program says; that of Vivado, which is slow to start, is in its path."""
    try:
        return version(tool)
    except PackageNotFoundError:
        found = shutil.which(tool)
    if found is None or tool == _VIVADO:
        return str(Path(found).resolve()) if found else ""
    return subprocess.run([found, "--version"], capture_output=True, text=True, check=False).stdout.strip()
