"""The networks of ../shared/models: the imported Network computes what their golden files say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from headrace.frontend.onnx.reader import from_file
from headrace.network.graph import Network
from headrace.serialize import digest, load, save
from tests.public_models import MODELS

pytestmark = pytest.mark.skipif(not MODELS.is_dir(), reason="the folder ../shared/models with real networks is missing")

EXACT = ["cnv_w1a1_cifar10_mt", "cnv_w1a1_cifar10_quant", "finn_tfc_mt", "resnet8_w4a4"]
WITH_FLOAT_SCALES = ["jet_mlp_w6a6", "kws_mlp_w3a3", "tfc_w1a1", "tfc_w2a2"]


def golden(name: str) -> tuple[Network, np.ndarray, np.ndarray]:
    """The network, its golden output and its own."""
    network = from_file(MODELS / f"{name}.onnx")
    data = np.load(MODELS.parent / "golden" / f"{name}_golden.npz")
    return network, data["y"], network.forward(data["x"]).reshape(data["y"].shape)


@pytest.mark.parametrize("name", EXACT)
def test_exact_outputs(name: str) -> None:
    _, wanted, found = golden(name)
    np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("name", WITH_FLOAT_SCALES)
def test_outputs_up_to_float32_rounding(name: str) -> None:
    _, wanted, found = golden(name)
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-4)
    np.testing.assert_array_equal(found.argmax(1), wanted.argmax(1))


@pytest.mark.parametrize("name", ["finn_tfc_mt", "resnet8_w4a4"])
def test_saved_and_loaded(name: str, tmp_path: Path) -> None:
    network = from_file(MODELS / f"{name}.onnx")
    save(network, tmp_path / name)
    assert digest(load(tmp_path / name)) == digest(network)
