"""The example of quantization: its network from training to hardware, and the page of its results."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

pytest.importorskip("brevitas", reason="needs torch and Brevitas")

from headrace.__main__ import main

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "quantize"
sys.path.insert(0, str(EXAMPLE))
import compare  # noqa: E402
import model  # noqa: E402

sys.path.remove(str(EXAMPLE))


def test_tables_are_replaced_and_the_text_around_them_stays() -> None:
    page = compare.replaced("", compare.markdown("T", ("a", "b"), [compare.Line(("1", "2"))]))
    assert "### T\n\n| a | b |\n| --- | --- |\n| 1 | 2 |\n" in page
    again = compare.replaced(f"before\n{page}after\n", "new\n")
    assert again == f"before\n{compare.BEGIN}new\n{compare.END}after\n"


def test_the_page_has_a_table_of_every_section() -> None:
    text = compare.DOCS.read_text()
    assert all(f"### {section.title}\n" in text for section in compare.SECTIONS)
    assert "python examples/quantize/compare.py" in text


def test_digits_stand_in_where_mnist_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(model, "MNIST", tmp_path / "none")
    (x, y), (x_test, y_test) = model.data()
    assert x.shape == (1297, 1, 8, 8) and y.shape == (1297,) and len(x_test) == len(y_test) == 500
    assert model.DigitNet().eval()(model.torch.from_numpy(x[:2])).shape == (2, 10)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["ggd", "coarse-to-fine", "affine"])
def test_the_network_is_quantized_built_and_verified(method: str, tmp_path: Path) -> None:
    out, file = tmp_path / "q.npz", str(EXAMPLE / "model.py")
    assert main(["quantize", f"{file}:trained", "--data", f"{file}:calibration", "--test", f"{file}:test", "--method",
                 method, "--weight-bits", "6", "--act-bits", "6", "--out", str(out)]) == 0
    accuracy = json.loads((tmp_path / "q.report.json").read_text())["accuracy"]["test"]
    assert accuracy["float_network"] - accuracy["quantized"] < 0.02
    assert main(["build", str(out), "--out", str(tmp_path / "b"), "--backend", "both", "--verify", "1"]) == 0
