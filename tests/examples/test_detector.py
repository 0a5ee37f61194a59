"""The detector with two heads, from a barely trained module to verified hardware."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

import headrace as hr
from headrace.difference.difference import difference
from headrace.sources import function_from_file

EXAMPLE = Path(__file__).parents[2] / "examples" / "detector" / "model.py"


@pytest.fixture(scope="module")
def example() -> ModuleType:
    return sys.modules[function_from_file(EXAMPLE, "train").__module__]


@pytest.fixture(scope="module")
def detector(example: ModuleType) -> torch.nn.Module:
    module: torch.nn.Module = example.train(3)
    return module


def test_both_heads_are_what_torch_computes(example: ModuleType, detector: torch.nn.Module) -> None:
    images, wanted = example.boxes(8, 5)
    report = difference(detector, images.numpy())
    assert report.explained
    y = hr.load(detector, (1, 1, 32, 32)).predict(images.numpy())
    assert {name: values.shape for name, values in y.items()} == {"fine": (8, 5, 8, 8), "coarse": (8, 5, 4, 4)}
    assert {name: tuple(values.shape) for name, values in wanted.items()} == {name: v.shape for name, v in y.items()}


def test_the_detector_is_verified_hardware(detector: torch.nn.Module, example: ModuleType, tmp_path: Path) -> None:
    net = hr.load(detector, (1, 1, 32, 32))
    x = example.boxes(1, 9)[0].numpy()
    build = hr.build(net, out=tmp_path / "detector", verify=1, verify_input=x)
    assert build.record["verified"]
    assert [item["name"] for item in build.record["outputs"]] == ["fine", "coarse"]
    got, wanted = build.predict(x, engine="rtl"), net.predict(x)
    for name, values in wanted.items():
        np.testing.assert_array_equal(got[name], values)
