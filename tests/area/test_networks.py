"""Estimates of whole networks against the flattened counts of Yosys."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from headrace.atomic_files import write_files
from headrace.board.board import load_board
from headrace.board.family import family_of
from headrace.board.host_words import host_words
from headrace.board.shell_area import shell_area
from headrace.datatypes import Interval, int_type
from headrace.design import estimated
from headrace.layers.mvtu import Mvtu
from headrace.model import load
from headrace.planning import plan_design
from headrace.render.rtl import TOP, render_rtl
from headrace.render.shell import render_shell
from headrace.synthesis.designs import network_design, shell_design
from headrace.synthesis.yosys import synthesize
from tests.public_models import MODELS
from tests.small_dataflow import chain


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


@pytest.mark.slow
def test_luts_of_a_shell_are_estimated_within_a_tenth(tmp_path: Path) -> None:
    """Of one whose words are padded, and of one whose words are not, for there the DMA has no time."""
    board, int8 = load_board("zcu104"), Interval(-127, 127)
    weights = np.random.default_rng(0).integers(-127, 128, (4, 12))
    dataflow, family = chain(Mvtu("fc0", weights, None, int8, int8, int_type(21), 16, simd=3)), family_of(board)
    write_files(tmp_path / "rtl", render_rtl(dataflow, "estimate"))
    core = synthesize(network_design(tmp_path / "rtl"), tmp_path / "cache").resources
    for clock_mhz in (200.0, 1e6):
        words = host_words(dataflow, family, clock_mhz)
        shell = render_shell(dataflow, TOP, family.stream_bytes, "1.2.3", "0", "estimate", words=words)
        found = synthesize(shell_design(tmp_path / "rtl", shell), tmp_path / "cache").resources.less(core)
        ours = shell_area(dataflow, board, clock_mhz)
        assert ours.all_luts == pytest.approx(found.all_luts, rel=0.1), words
        assert ours.ff == pytest.approx(found.ff, rel=0.2), words
