"""The main job on the digits, and on a user's own file."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]

OWN_MODEL = """
import torch
from torch import nn
import brevitas.nn as qnn
from brevitas.quant import SignedBinaryWeightPerTensorConst

def own():
    torch.manual_seed(0)
    model = nn.Sequential(qnn.QuantIdentity(bit_width=4), nn.Flatten(),
                          qnn.QuantLinear(12, 8, bias=False, weight_quant=SignedBinaryWeightPerTensorConst),
                          qnn.QuantReLU(bit_width=2), qnn.QuantLinear(8, 3, bias=True, weight_bit_width=4))
    example = torch.rand(4, 1, 3, 4)
    model(example)
    return model.eval(), example
"""


def simulate(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(ROOT / "examples" / "simulate.py"), *arguments], cwd=ROOT,
                          capture_output=True, text=True, check=False)


def test_the_main_job_on_the_digits(tmp_path):
    done = simulate("--out", str(tmp_path / "b"))
    assert done.returncode == 0, done.stderr
    rows = [line.split("│")[1:3] for line in done.stdout.splitlines() if "│" in line]
    values = {title.strip(): value.strip() for title, value in rows}
    accuracies = {title: float(value.rstrip("%")) for title, value in values.items() if "accuracy" in title}
    assert len(accuracies) == 4 and min(accuracies.values()) >= 95
    assert values["cycles per frame, measured"] == values["cycles per frame, predicted"]
    assert sum(value == "bit-exact" for title, value in values.items() if title.startswith("cocotb")) == 4
    assert json.loads((tmp_path / "b" / "build.json").read_text())["fps"] >= 100_000


def test_the_main_job_on_a_users_file(tmp_path):
    (tmp_path / "own.py").write_text(OWN_MODEL)
    done = simulate(f"{tmp_path / 'own.py'}:own", "--out", str(tmp_path / "b"))
    assert done.returncode == 0, done.stderr
    assert "random images: rtl, bit-exact" in done.stdout


@pytest.mark.parametrize(("model", "sentence"), [
    ("none.py:f", "simulate: none.py: no such file; check the path"),
    (f"{Path(__file__)}:nothing", "has no function 'nothing'; name a function that returns a module and an example"),
])  # fmt: skip
def test_mistakes_are_one_sentence(model, sentence):
    done = simulate(model)
    assert done.returncode == 1 and sentence in done.stderr and len(done.stderr.splitlines()) == 1


def test_the_digits_are_classified_on_images_that_training_has_not_seen():
    sys.path.insert(0, str(ROOT / "examples" / "digits"))
    try:
        import model as digits
    finally:
        sys.path.pop(0)
    import generator as hr

    images, labels = digits.held_out()
    assert len(images) == 360
    scores = hr.load(*digits.trained()).predict(images)
    assert np.mean(scores.argmax(1) == labels) >= 0.95
