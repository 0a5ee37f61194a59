"""The residual CNN for Fashion-MNIST, on the digits that stand in for it: trained a little, compared, built, exact."""

from __future__ import annotations

import gzip
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

import headrace as hr
from headrace.difference.difference import difference
from headrace.sources import function_from_file

EXAMPLE = Path(__file__).parents[2] / "examples" / "fashion_residual" / "model.py"


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    """Without the data set."""
    module = sys.modules[function_from_file(EXAMPLE, "train").__module__]
    monkeypatch.setattr(module, "FOLDERS", (tmp_path / "none",))
    return module


def test_the_data_set_is_split_and_digits_stand_in(example: ModuleType, tmp_path: Path) -> None:
    (x, y), (x_held_out, y_held_out) = example.data()
    assert x.shape == (1437, 1, 28, 28) and y.shape == (1437,) and len(x_held_out) == len(y_held_out) == 360
    assert x.min() >= 0 and x.max() == 1
    example.FOLDERS[0].mkdir()
    for name, header, size in zip(example.FILES, (16, 8), (28 * 28, 1), strict=True):
        with gzip.open(example.FOLDERS[0] / name, "w") as file:
            file.write(bytes(header) + bytes(range(10)) * size)
    (x, y), (x_held_out, y_held_out) = example.data()
    assert x.shape == (8, 1, 28, 28) and x[0, 0, 0, 9] == np.float32(9 / 255) and y_held_out.tolist() == [8, 9]


def test_a_little_training_is_exact_hardware(example: ModuleType, tmp_path: Path) -> None:
    (x, y), (x_held_out, y_held_out) = example.data()
    module = example.train(3, x, y)
    assert isinstance(module, torch.nn.Module) and not module.training
    found = difference(module, x_held_out[:8])
    assert found.explained
    build = hr.build(hr.load(module, (1, 1, 28, 28)), tmp_path / "b", verify=1, verify_input=x_held_out[:1])
    assert build.record["verified"] and {"fork", "add"} <= {layer.kind for layer in build.dataflow.layers}
    share = build.accuracy(x_held_out, y_held_out)
    assert share > 0.2 and f"{share:.2%}".replace("%", " %") in hr.report(build).read_text()


@pytest.mark.slow
def test_training_to_the_end_classifies(example: ModuleType) -> None:
    (x, y), (x_held_out, y_held_out) = example.data()
    net = hr.load(example.train(example.EPOCHS, x, y), (1, 1, 28, 28))
    assert np.mean(net.predict(x_held_out).argmax(1) == y_held_out) > 0.9
