"""The serial protocol between registers: five LUT levels at most, on both kinds of LUTs."""

from __future__ import annotations

from pathlib import Path

import pytest

from headrace.render.library import library_texts, used_sources
from headrace.synthesis.target import ECP5, ULTRASCALE, Target
from headrace.synthesis.yosys import Design, synthesize

TOP = "headrace_serial"


@pytest.mark.slow
@pytest.mark.parametrize("target", [ULTRASCALE, ECP5], ids=lambda target: target.command.split()[0])
def test_five_levels_at_most(tmp_path: Path, target: Target) -> None:
    done = synthesize(Design(TOP, used_sources(TOP, library_texts()), target=target), tmp_path)
    assert done.depth <= 5 and done.resources.bram18 == 1 and done.resources.lut < 1400
