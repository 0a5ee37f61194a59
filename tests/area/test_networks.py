"""Estimates of whole networks against the flattened counts of Yosys."""

from __future__ import annotations

from pathlib import Path

import pytest

from headrace.atomic_files import write_files
from headrace.design import estimated
from headrace.model import load
from headrace.planning import plan_design
from headrace.render.rtl import render_rtl
from headrace.synthesis.designs import network_design
from headrace.synthesis.yosys import synthesize
from tests.public_models import MODELS


@pytest.mark.slow
@pytest.mark.skipif(not MODELS.is_dir(), reason="the public models are not in ../shared/models")
@pytest.mark.parametrize("name", ["tfc_w1a1", "resnet8_w4a4", "cnv_w1a1_cifar10_quant"])
def test_luts_of_a_network_are_estimated_within_a_tenth(name: str, tmp_path: Path) -> None:
    model = load(MODELS / f"{name}.onnx")
    dataflow = plan_design(model).dataflow
    write_files(tmp_path / "rtl", render_rtl(dataflow, "estimate"))
    done = synthesize(network_design(tmp_path / "rtl"), tmp_path / "cache")
    assert done.depth <= 8  # levels of logic, for 300 MHz on UltraScale+
    found = done.resources
    ours = estimated(dataflow)
    assert ours.all_luts == pytest.approx(found.all_luts, rel=0.1)
    assert ours.lut == pytest.approx(found.lut, rel=0.1)
    assert (ours.bram18, ours.dsp) == (found.bram18, found.dsp)
