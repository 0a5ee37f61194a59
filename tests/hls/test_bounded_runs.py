"""The C++ of whole networks with streams of their depth: it never stops, whatever the pipelines, and equals golden."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

import headrace as hr
from headrace.errors import MismatchError
from headrace.network.integer import IntegerNetwork
from headrace.planning import plan_design
from headrace.request import Options, resolve
from tests.hls_networks import joined, planned, random_network, residual, run_bounded
from tests.public_models import MODELS
from tests.small_networks import small_network

#: Stages of the pipelines that stall; those that flush hold no less than streams do without them.
STAGES = range(2, 65)
JOINS = {
    "residual": (residual(6), 700), "residual, faster": (residual(6), 300), "sum": (joined(6, adds=True), 700),
    "sum, faster": (joined(6, adds=True), 60), "larger sum": (joined(12, adds=True), 3000),
    "larger sum, faster": (joined(12, adds=True), 400), "beside": (joined(6, adds=False), 700),
    "beside, faster": (joined(6, adds=False), 80), "no join": (small_network(), 700),
    "no join, faster": (small_network(), 450),
}
#: Cycles per frame at which the public networks run.
PUBLIC = {"tfc_w1a1": 7168, "tfc_w2a2": 392, "finn_tfc_mt": 12544, "kws_mlp_w3a3": 896, "jet_mlp_w6a6": 80,
          "cnv_w1a1_cifar10_mt": 65536, "cnv_w1a1_cifar10_quant": 98304, "resnet8_w4a4": 49152}


@pytest.mark.parametrize("name", ["residual, faster", "beside"])
def test_networks_with_joins(tmp_path: Path, name: str) -> None:
    run_bounded(planned(*JOINS[name]), tmp_path, STAGES)


def test_a_stream_that_only_pipelines_that_stall_need_deeper(tmp_path: Path) -> None:
    design = planned(random_network(1), 3000)
    assert design.hls is not None
    port, depth = max(design.hls.depths.items(), key=lambda item: item[1])
    shallow = replace(design, hls=replace(design.hls, depths={**design.hls.depths, port: depth // 2}))
    run_bounded(shallow, tmp_path, ())
    with pytest.raises(MismatchError, match=rf"stops for good: .*{port[0]}.* \(holds {depth // 2} of {depth // 2}\)"):
        run_bounded(shallow, tmp_path, (64,))


@pytest.mark.slow
@pytest.mark.parametrize("name", JOINS)
def test_all_networks_with_joins(tmp_path: Path, name: str) -> None:
    net, cycles = JOINS[name]
    require_pace_and_run(net, cycles, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(200))
def test_random_networks_with_joins(tmp_path: Path, seed: int) -> None:
    require_pace_and_run(random_network(seed), 600 if seed % 2 else 3000, tmp_path)


def require_pace_and_run(net: IntegerNetwork, cycles: int, work: Path) -> None:
    design = planned(net, cycles)
    assert design.hls is not None and design.hls.cycles_per_frame <= 1.03 * design.sizing.cycles_per_frame
    run_bounded(design, work, STAGES)


@pytest.mark.slow
@pytest.mark.skipif(not MODELS.is_dir(), reason="the public models are not in ../shared/models")
@pytest.mark.parametrize("name", PUBLIC)
def test_public_networks(tmp_path: Path, name: str) -> None:
    request = resolve(Options(fps=200e6 / PUBLIC[name], backend="both"))
    design = plan_design(hr.load(MODELS / f"{name}.onnx"), request).design
    assert design.hls is not None and design.hls.cycles_per_frame <= 1.03 * design.sizing.cycles_per_frame
    run_bounded(design, tmp_path, (2, 8, 64), frames=2)
