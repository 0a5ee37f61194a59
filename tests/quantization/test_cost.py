"""FINN's cost functions and the roofline."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from headrace.errors import FoldingError, QuantizationError
from headrace.quantization import cost


@pytest.mark.parametrize(("mw", "mh", "simd", "pe", "pixels", "cycles"), [
    (27, 64, 3, 16, 900, 32400), (1152, 128, 32, 16, 100, 28800), (4608, 512, 64, 8, 1, 4608)])
def test_mvtu(mw: int, mh: int, simd: int, pe: int, pixels: int, cycles: int) -> None:
    assert cost.finn_mvtu_cycles(mw, mh, pe, simd, pixels) == cycles
    assert cost.finn_weight_words(mw, mh, pe, simd) * pixels == cycles


@pytest.mark.parametrize(("shape", "cycles"), [
    ((32, 32, 3, 3, 1, 3), (8196, 8167)), ((12, 12, 128, 3, 2, 16), (2088, 2016)),
    ((28, 28, 1, 5, 1, 1), (14540, 14517)), ((8, 8, 4, 1, 2, 2), (144, 130))])
def test_swu(shape: tuple[int, int, int, int, int, int], cycles: tuple[int, int]) -> None:
    assert cost.finn_swu_cycles(*shape) == cycles


@pytest.mark.parametrize(("mw", "mh", "simd", "pe", "bits", "brams"), [
    (576, 64, 32, 32, 1, 29), (1152, 256, 8, 4, 8, 135), (27, 64, 3, 16, 1, 2),
    (16384, 1, 1, 1, 1, 1), (16384, 2, 1, 1, 1, 2), (8192, 1, 1, 1, 2, 1), (4096, 1, 1, 1, 3, 1), (4096, 3, 1, 1, 4, 3),
    (2048, 1, 1, 1, 5, 1), (1024, 1, 1, 1, 18, 1), (512, 1, 1, 1, 36, 1), (513, 1, 1, 1, 36, 2),
    (512, 1, 1, 1, 40, 2), (513, 1, 1, 1, 40, 3)])
def test_weight_memory(mw: int, mh: int, simd: int, pe: int, bits: int, brams: int) -> None:
    assert cost.finn_weight_bram18(mw, mh, pe, simd, bits) == brams


def test_luts() -> None:
    assert cost.finn_mvtu_luts(576, 64, 32, 32, 1, 1, 11, 1) == 8149
    assert cost.finn_mvtu_luts(4608, 512, 8, 64, 1, 2, 15, 2) == 6266
    assert cost.finn_mvtu_luts(576, 64, 32, 32, 1, 1, 11, 1, dsp=True) == 8149 - 11 * 32 * 64 // 10 - 1
    assert cost.finn_mvtu_luts(576, 64, 32, 32, 1, 1, 11, 1, weights_in_luts=True) == 8149 + 1024
    assert cost.finn_threshold_entries(64, 4) == 960


@pytest.mark.parametrize(("interval", "fps"), [(16, 12.3e6), (133, 1.5e6), (9132, 21.9e3)])
def test_published_rates(interval: int, fps: float) -> None:
    pipeline = cost.finn_pipeline([interval, interval // 2, 1], 200e6)
    assert pipeline.initiation_interval == interval
    assert pipeline.fps == pytest.approx(fps, rel=0.02)
    assert pipeline.latency_bound_cycles == interval + interval // 2 + 1


def test_roofline() -> None:
    ridges = [ceiling.tera_ops * 1e12 / 19.2e9 for ceiling in cost.ZU19EG.values()]
    assert ridges == pytest.approx([3437.5, 208.33, 52.08, 15.625], rel=1e-4)
    for (bits, ceiling), ridge in zip(cost.ZU19EG.items(), ridges, strict=True):
        line = cost.roofline(ceiling.tera_ops * 1e12, 19.2e9, 1.2e9, 1.2e9 / (ridge * 2))
        assert (line.bound, line.attainable) == ("compute", ceiling.tera_ops * 1e12)
        assert cost.roofline(ceiling.tera_ops * 1e12, 19.2e9, 1e9, 1e9).attainable == 19.2e9
        assert ceiling.on_chip_weights * bits == pytest.approx(70.6 * 2**20, rel=0.15)


@pytest.mark.parametrize(("call", "error", "sentence"), [
    (lambda: cost.finn_mvtu_cycles(27, 64, 16, 4, 1), FoldingError, "SIMD=4 must divide MW=27; choose one of"),
    (lambda: cost.finn_mvtu_cycles(27, 64, 3, 3, 1), FoldingError, "PE=3 must divide MH=64"),
    (lambda: cost.finn_swu_cycles(8, 8, 3, 3, 1, 2), FoldingError, "SIMD=2 must divide C=3"),
    (lambda: cost.finn_swu_cycles(8, 4, 3, 5, 1, 3), QuantizationError, "a kernel of 5 has no window in 8 x 4; pad"),
    (lambda: cost.finn_pipeline([], 1e6), QuantizationError, "a pipeline of no units"),
    (lambda: cost.roofline(1e12, 0, 1, 1), QuantizationError, "all must be above 0"),
])
def test_errors(call: Callable[[], object], error: type[Exception], sentence: str) -> None:
    with pytest.raises(error, match=sentence):
        call()
