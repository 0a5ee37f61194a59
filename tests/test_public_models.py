"""The networks of ../shared/models as exact integers: golden outputs, equal engines, accuracy on whole test sets."""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from itertools import pairwise

import numpy as np
import pytest

from headrace.engines import fast, golden
from headrace.engines.host import to_stream
from headrace.frontend.onnx.reader import from_file
from headrace.network.integer import IntegerNetwork, Requant, Threshold
from headrace.serialize import digest
from headrace.streamline.requantize import requantize
from headrace.streamline.streamline import streamline
from tests.assert_exact import outputs
from tests.narrow import the
from tests.public_models import SHARED

pytestmark = pytest.mark.skipif(not (SHARED / "models").is_dir(),
                                reason="the folder ../shared with real networks is missing")

EXACT = ["cnv_w1a1_cifar10_mt", "cnv_w1a1_cifar10_quant", "finn_tfc_mt", "resnet8_w4a4"]
WITH_FLOAT_SCALES = ["jet_mlp_w6a6", "kws_mlp_w3a3", "tfc_w1a1", "tfc_w2a2"]
CIFAR_MEAN, CIFAR_STD = (0.4914, 0.4822, 0.4465), (0.2023, 0.1994, 0.2010)


@cache
def network(name: str) -> IntegerNetwork:
    return requantize(streamline(from_file(SHARED / "models" / f"{name}.onnx")))


def golden_file(name: str) -> Mapping[str, np.ndarray]:
    data: Mapping[str, np.ndarray] = np.load(SHARED / "golden" / f"{name}_golden.npz")
    return data


@pytest.mark.parametrize("name", EXACT)
def test_golden_outputs_exactly(name: str) -> None:
    data = golden_file(name)
    assert np.array_equal(outputs(network(name), data["x"], "fast").reshape(data["y"].shape), data["y"])


@pytest.mark.parametrize("name", WITH_FLOAT_SCALES)
def test_golden_outputs_of_float_scales(name: str) -> None:
    data = golden_file(name)
    y = outputs(network(name), data["x"], "fast")
    np.testing.assert_allclose(y, data["y"], rtol=0, atol=1e-4)
    assert np.array_equal(y.argmax(1), data["y"].argmax(1))


@pytest.mark.parametrize("name", EXACT + WITH_FLOAT_SCALES)
def test_fast_equals_golden_at_every_tensor(name: str) -> None:
    net = network(name)
    q = to_stream(net.host_input, golden_file(name)["x"][:3])
    naive, quick = golden.run(net, q), fast.run(net, q)
    assert naive.keys() == quick.keys()
    assert all(np.array_equal(naive[tensor], quick[tensor]) for tensor in naive)


def test_quantizers_and_thresholds_give_one_integer_network() -> None:
    assert digest(network("cnv_w1a1_cifar10_quant")) == digest(network("cnv_w1a1_cifar10_mt"))


def test_a_network_that_differs_has_another_digest() -> None:
    net = network("cnv_w1a1_cifar10_quant")
    first = net.nodes[1]
    op = the(Threshold, first.op)
    moved = replace(first, op=replace(op, thresholds=op.thresholds + 1))
    assert digest(replace(net, nodes=(net.nodes[0], moved, *net.nodes[2:]))) != digest(net)


def test_wide_activations_are_requantized() -> None:
    made = [node.op for node in network("resnet8_w4a4").nodes]
    wide = [op for op in made if isinstance(op, Threshold) and op.output.steps > 15]
    assert any(isinstance(op, Requant) for op in made) and not wide


@cache
def mnist() -> tuple[np.ndarray, np.ndarray]:
    """Test images (10000, 1, 28, 28) of 0 to 255 and labels."""
    folder = SHARED / "datasets" / "mnist"
    pixels = np.frombuffer(gzip.decompress((folder / "t10k-images-idx3-ubyte.gz").read_bytes()), np.uint8, offset=16)
    labels = np.frombuffer(gzip.decompress((folder / "t10k-labels-idx1-ubyte.gz").read_bytes()), np.uint8, offset=8)
    return pixels.reshape(-1, 1, 28, 28), labels


def accuracy(net: IntegerNetwork, x: np.ndarray, labels: np.ndarray) -> float:
    """Percent of the samples whose largest output is their label."""
    y = outputs(net, x.astype(np.float32), "fast").reshape(len(x), -1)
    return 100 * float(np.mean(y.argmax(1) == labels))


@pytest.mark.slow
@pytest.mark.parametrize(("name", "wanted"), [("tfc_w1a1", 92.96), ("tfc_w2a2", 96.60)])
def test_accuracy_on_mnist(name: str, wanted: float) -> None:
    pixels, labels = mnist()
    assert accuracy(network(name), pixels / np.float32(255), labels) == pytest.approx(wanted, abs=0.02)


@cache
def cifar() -> tuple[np.ndarray, np.ndarray]:
    """Test images (10000, 3, 32, 32) of 0 to 255, decoded from JPEG, and labels."""
    image = pytest.importorskip("PIL.Image", reason="pillow, which decodes the JPEG test set, is not installed")
    data = np.load(SHARED / "datasets" / "cifar10" / "cifar10_test_jpeg10k.npz")
    raw, offsets = data["jpeg"].tobytes(), data["offset"].tolist()
    pixels = [np.asarray(image.open(io.BytesIO(raw[start:end])).convert("RGB"))
              for start, end in pairwise(offsets)]
    return np.stack(pixels).transpose(0, 3, 1, 2), data["label"]


def cnv_input(pixels: np.ndarray) -> np.ndarray:
    """Integers from -128 to 127, the grid of the network's 8-bit input."""
    return np.floor((2.0 * pixels / 255 - 1) * 128 + 0.5).clip(-128, 127)


def resnet_input(pixels: np.ndarray) -> np.ndarray:
    mean, std = (np.array(values).reshape(3, 1, 1) for values in (CIFAR_MEAN, CIFAR_STD))
    return np.asarray((pixels / 255 - mean) / std)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "prepare", "wanted"), [("cnv_w1a1_cifar10_quant", cnv_input, 74.47),
                                                         ("resnet8_w4a4", resnet_input, 76.04)])
def test_accuracy_on_jpeg_images(name: str, prepare: Callable[[np.ndarray], np.ndarray], wanted: float) -> None:
    pixels, labels = cifar()
    assert accuracy(network(name), prepare(pixels), labels) == pytest.approx(wanted, abs=0.05)


@pytest.mark.parametrize(("name", "prepare", "wanted"), [("cnv_w1a1_cifar10_quant", cnv_input, 85.6),
                                                         ("resnet8_w4a4", resnet_input, 90.0)])
def test_accuracy_on_lossless_images(name: str, prepare: Callable[[np.ndarray], np.ndarray], wanted: float) -> None:
    data = np.load(SHARED / "datasets" / "cifar10" / "cifar10_test_png250_dev.npz")
    # 250 of the 500 images on which the accuracy was measured: half of the rest may differ.
    assert accuracy(network(name), prepare(data["x"].transpose(0, 3, 1, 2)), data["y"]) == pytest.approx(wanted, abs=3)
