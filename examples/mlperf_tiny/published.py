"""Results that FPGA submitters published for MLPerf Tiny: medians of the runner, from MLCommons' repositories."""

from __future__ import annotations

from dataclasses import dataclass

V11 = "[v1.1, fpgaConvNet](https://github.com/mlcommons/tiny_results_v1.1/tree/main/closed/fpgaconvnet/results)"
V07 = "[v0.7, hls4ml-FINN](https://github.com/mlcommons/tiny_results_v0.7/tree/main/open/hls4ml-finn/results)"
ZEDBOARD, ZC706, PYNQ = "ZedBoard (XC7Z020, 100 to 143 MHz)", "ZC706 (XC7Z045)", "Pynq-Z2 (XC7Z020)"


@dataclass(frozen=True)
class Published:
    """A result: the median rate in inferences per second, and the quality that the runner measured."""

    task: str
    model: str
    board: str
    rate: float
    quality: str
    source: str


PUBLISHED = (
    Published("image classification", "the same file", ZEDBOARD, 2431, "86.0%", V11),
    Published("image classification", "the same file", ZC706, 6790, "86.0%", V11),
    Published("keyword spotting", "the same file", ZEDBOARD, 3088, "91.1%", V11),
    Published("anomaly detection", "AD08, a smaller network of their own", PYNQ, 53365, "AUC 0.83", V07),
    Published("visual wake words", "the reference file", ZEDBOARD, 105, "84.8%", V11),
    Published("visual wake words", "the reference file", ZC706, 1388, "85.2%", V11),
)
