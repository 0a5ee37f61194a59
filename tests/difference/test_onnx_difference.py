"""The report on ONNX files: equal files have no difference, and planted ones are told with their place and cause."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("qonnx", reason="qonnx, which runs the files, is not installed")

from headrace.difference.onnx_difference import compare_file, onnx_difference
from headrace.difference.report import Cause
from headrace.errors import ToolError
from headrace.frontend.onnx.reader import with_views
from headrace.streamline.streamline import streamline_traced
from tests.difference.planted import moved
from tests.public_models import SHARED

pytestmark = pytest.mark.skipif(not SHARED.is_dir(), reason="the folder ../shared with real networks is missing")


def samples(name: str, count: int) -> np.ndarray:
    return np.asarray(np.load(SHARED / "golden" / f"{name}_golden.npz")["x"][:count])


def path(name: str) -> Path:
    return SHARED / "models" / f"{name}.onnx"


@pytest.mark.parametrize(("name", "quantizers"), [("tfc_w1a1", 4), ("kws_mlp_w3a3", 4), ("jet_mlp_w6a6", 3),
                                                  ("finn_tfc_mt", 4), ("resnet8_w4a4", 19)])
def test_public_networks_are_explained(name: str, quantizers: int) -> None:
    report = onnx_difference(path(name), samples(name, 2))
    assert report.explained and len(report.quantizers) == quantizers
    assert sum(quantizer.compared for quantizer in report.quantizers) > 100 and report.output_max < 1e-4


def test_what_the_executor_says_of_shapes_is_not_told(recwarn: pytest.WarningsRecorder) -> None:
    onnx_difference(path("tfc_w1a1"), samples("tfc_w1a1", 1))
    assert not [told for told in recwarn if "shapes disagree" in str(told.message)]


def test_samples_that_the_executor_refuses() -> None:
    with pytest.raises(ToolError, match=r"cnv_w1a1_cifar10_quant.onnx: qonnx cannot run the file on these samples "
                                        r"\(Rounding error .*\); give samples as the file takes them, or install "
                                        "another version of qonnx"):
        onnx_difference(path("cnv_w1a1_cifar10_quant"), np.full((1, 3, 32, 32), 0.5, np.float32))


@pytest.mark.parametrize(("name", "by", "cause"), [("tfc_w2a2", 20, Cause.ERROR), ("resnet8_w4a4", 1, Cause.TIE)])
def test_moved_thresholds_are_found_at_their_quantizer(name: str, by: int, cause: Cause) -> None:
    network, views = with_views(path(name))
    streamlined = streamline_traced(network)
    tensor = next(trace.tensor for trace in streamlined.quantizers if trace.tensor.endswith("_act"))
    report = compare_file(path(name), network, views, moved(streamlined, tensor, by), samples(name, 1))
    assert report.first is not None and report.first.tensor == tensor and report.first.causes[cause] > 0
    assert f"({tensor}): {report.first.differing} of {report.first.compared} codes differ" in str(report)
    assert "qonnx" in str(report.first)
