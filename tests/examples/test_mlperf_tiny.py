"""The example of MLPerf Tiny: a page of verified accelerators from .tflite files."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.frontend.tflite_files import TfliteFile, outputs

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "mlperf_tiny"
sys.path.insert(0, str(EXAMPLE))
import table  # noqa: E402
from published import PUBLISHED  # noqa: E402

sys.path.remove(str(EXAMPLE))
RNG = np.random.default_rng(4)


@pytest.fixture
def content() -> bytes:
    """Pixels (1, 2, 3) with zero point -128 to four logits."""
    file = TfliteFile()
    x = file.codes((1, 2, 3, 1), 1 / 255, -128)
    flat = file.operator("RESHAPE", [x, file.integers([1, 6])], file.codes((1, 6), 1 / 255, -128))
    W = file.constant(RNG.integers(-127, 128, (4, 6)).astype(np.int8), [0.02])
    b = file.constant(np.zeros(4, np.int32), [0.02 / 255])
    return file.content([x], [file.operator("FULLY_CONNECTED", [flat, W, b], file.codes((1, 4), 0.05, 3))])


def test_a_page_of_verified_accelerators(content: bytes, tmp_path: Path) -> None:
    model, samples, page = tmp_path / "m.tflite", tmp_path / "x.npz", tmp_path / "results.md"
    model.write_bytes(content)
    pixels, labels = RNG.integers(0, 256, (40, 2, 3, 1)).astype(np.uint8), RNG.integers(0, 4, 40)
    np.savez(samples, x=pixels, y=labels)
    assert table.main(["--image-classification", str(model), str(samples), "--anomaly-detection", str(model), "--out",
                       str(tmp_path / "b"), "--page", str(page), "--backend", "rtl", "--verify", "1"]) == 0
    codes = (pixels.astype(np.int16) - 128).astype(np.int8)
    right = np.sum(outputs(content, codes).argmax(1) == labels)
    rows = [line.split(" | ") for line in page.read_text().splitlines() if "m.tflite" in line]
    assert [row[0] for row in rows] == ["| image classification", "| anomaly detection"]
    assert [row[-1] for row in rows] == [f"{right / 40:.1%} of 40 |", "no data given |"]
    cycles, rate = (float(rows[0][place].replace(",", "")) for place in (2, 3))
    assert rate == pytest.approx(100e6 / cycles, abs=1)
    assert (tmp_path / "b" / "anomaly_detection" / "build.json").is_file()


def test_without_a_model_nothing_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "results.md"
    assert table.main(["--page", str(page)]) == 1 and not page.exists()
    assert capsys.readouterr().err == ("table: no model is given; name one, as in --keyword-spotting "
                                       "kws_ref_model.tflite\n")
    assert table.main(["--keyword-spotting", str(tmp_path / "none.tflite"), "--page", str(page)]) == 1
    assert "none.tflite" in capsys.readouterr().err and not page.exists()


def test_the_page_names_every_task_and_publication() -> None:
    text = (EXAMPLE / "results.md").read_text()
    ours, published = text.split("## Published")
    assert all(f"| {task} |" in ours for task in table.TASKS.values())
    assert all(f"| {entry.task} | {entry.model} | {entry.board} | {entry.rate:,.0f} |" in published
               for entry in PUBLISHED)
    assert re.search(r"\d frames of every network equal the golden model", text)


def test_the_stand_in_has_the_topology_of_visual_wake_words() -> None:
    pytest.importorskip("torch", reason="needs torch")
    sys.path.insert(0, str(EXAMPLE))
    import mobilenet

    sys.path.remove(str(EXAMPLE))
    module, example = mobilenet.drawn()
    layers = [tuple(weight.shape) for name, weight in module.named_parameters() if name.endswith("weight")]
    assert module(example).shape == (1, 2) and len(layers) == 28
    assert layers[:3] == [(8, 3, 3, 3), (8, 1, 3, 3), (16, 8, 1, 1)] and layers[-2:] == [(256, 256, 1, 1), (2, 256)]
    assert sum(int(np.prod(shape)) for shape in layers) == 208_112
