"""What methods make is written as QONNX and read again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch")

import headrace as hr  # noqa: E402
from headrace.difference.onnx_difference import onnx_difference  # noqa: E402
from headrace.quantizing.api import quantize  # noqa: E402
from headrace.quantizing.settings import Settings  # noqa: E402
from tests.export.test_qonnx import memories  # noqa: E402
from tests.quantizing.tiny import tiny_data, tiny_net  # noqa: E402


@pytest.mark.parametrize("bits", [4, 8])
@pytest.mark.parametrize("method", ["ggd", "coarse-to-fine", "affine"])
def test_the_file_gives_the_same_integers_and_the_executor_the_same_outputs(method: str, bits: int,
                                                                            tmp_path: Path) -> None:
    data = tiny_data(tiny_net())
    network = quantize(tiny_net(), data, Settings(method, bits, bits)).network
    path = tmp_path / "m.onnx"
    hr.save_qonnx(network, path)
    model, again = hr.load(network), hr.load(path)
    assert [words for _, _, words in memories(path)] == [words for _, _, words in memories(network)]
    x = data[0][0]
    np.testing.assert_array_equal(again.predict(x, raw=True), model.predict(x, raw=True))
    assert onnx_difference(path, x[:3]).explained
