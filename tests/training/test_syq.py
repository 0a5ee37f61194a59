"""SYQ layers: the vectors of their equations, their gradients, training, and the exact network that they become."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import ArrayLike
from torch import Tensor

torch = pytest.importorskip("torch", reason="torch is not installed")
qnn = pytest.importorskip("brevitas.nn", reason="brevitas is not installed")

from torch import nn  # noqa: E402

import headrace as hr  # noqa: E402
from headrace.datatypes import BIPOLAR, TERNARY  # noqa: E402
from headrace.difference.difference import difference  # noqa: E402
from headrace.difference.onnx_difference import forward, onnx_difference  # noqa: E402
from headrace.errors import InputError, QuantizationError  # noqa: E402
from headrace.frontend.onnx.graph import read  # noqa: E402
from headrace.frontend.torch.brevitas import from_module  # noqa: E402
from headrace.network import integer, ops  # noqa: E402
from headrace.quantization import syq  # noqa: E402
from headrace.streamline.streamline import streamline  # noqa: E402
from headrace.training.syq import SyqConv2d, SyqLinear  # noqa: E402
from tests.assert_exact import assert_exact  # noqa: E402


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> Iterator[None]:
    """Threads wait for each other longer than such small layers take."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


Trained = tuple[nn.Module, np.ndarray]
GRANULARITIES = ["layer", "channel", "row", "pixel"]


def conv(weights: ArrayLike, granularity: syq.Granularity = "pixel", ternary: bool = False,
         scale_bits: int = 8) -> SyqConv2d:
    W = torch.tensor(weights, dtype=torch.float64)
    layer = SyqConv2d(W.shape[1], W.shape[0], W.shape[2:], bias=False, dtype=torch.float64, granularity=granularity,
                      ternary=ternary, scale_bits=scale_bits)
    with torch.no_grad():
        layer.weight.copy_(W)
    layer.reset_scales()
    return layer


@pytest.mark.parametrize("ternary", [False, True], ids=["binary", "ternary"])
@pytest.mark.parametrize("granularity", GRANULARITIES)
def test_codes_scales_and_gradients_are_those_of_the_equations(granularity: syq.Granularity, ternary: bool) -> None:
    rng = np.random.default_rng(3)
    W, gradient = rng.normal(0, 0.7, (3, 2, 3, 3)), rng.normal(size=(3, 2, 3, 3))
    layer = conv(W, granularity=granularity, ternary=ternary)
    book = syq.codebook(W, ternary)
    alpha = syq.least_squares_scales(W, book.Q, granularity)
    assert np.array_equal(layer.codes().numpy(), book.Q)
    np.testing.assert_allclose(layer.scales.detach().numpy().reshape(-1), alpha, rtol=1e-6)
    (layer.quantized_weight() * torch.from_numpy(gradient)).sum().backward()
    used = layer.quantized_scales().numpy().reshape(-1)
    dW, dalpha = syq.straight_through(W, book.Q, used, granularity, gradient)
    np.testing.assert_allclose(layer.weight.grad.numpy(), dW, rtol=1e-12)
    np.testing.assert_allclose(layer.scales.grad.numpy().reshape(-1), dalpha, rtol=1e-6)


def test_gradients_of_the_vector() -> None:
    layer = conv([[[[0.4, -0.2, 1.5, -0.6]]]], granularity="layer")
    with torch.no_grad():
        layer.scales.fill_(0.5)
    layer.quantized_weight().backward(torch.tensor([[[[1.0, 2, 3, -1]]]], dtype=torch.float64))
    assert layer.weight.grad.tolist() == [[[[0.5, 1.0, 0.0, -0.5]]]] and float(layer.scales.grad) == 3


def test_scales_of_pixels_lie_on_the_grid_of_the_hardware() -> None:
    layer = conv([[[[0.4, -0.2], [0.0, -0.6]]]])
    assert (layer.quantized_scales().reshape(-1) * 2**8).tolist() == [102, 51, 0, 154]
    layer = conv([[[[0.4, -0.2], [0.0, -0.6]]]], scale_bits=4)
    assert (layer.quantized_scales().reshape(-1) * 2**4).tolist() == [6, 3, 0, 10]


def test_negative_scales_become_zero() -> None:
    layer = conv([[[[0.4, -0.2]]]], granularity="pixel")
    with torch.no_grad():
        layer.scales[0, 0, 0, 0] = -0.1
    assert layer.quantized_weight()[0, 0, 0, 0] == 0 and layer.scales[0, 0, 0, 0] == 0


@pytest.mark.parametrize(("make", "words"), [
    (lambda: SyqConv2d(1, 1, 3, granularity="kernel"),  # type: ignore[arg-type]
     "'kernel' is unknown"),
    (lambda: SyqConv2d(1, 1, 3, scale_bits=17), "scale_bits=17"),
    (lambda: SyqLinear(2, 2, granularity="pixel"), "no kernel pixels; choose layer or channel"),
])
def test_options_that_are_not_defined(make: Callable[[], object], words: str) -> None:
    with pytest.raises(QuantizationError, match=words):
        make()


def model(granularity: syq.Granularity, ternary: bool) -> nn.Module:
    """Brevitas' quantizers around SYQ weights."""
    torch.manual_seed(2)
    dense: syq.Granularity = "layer" if granularity == "layer" else "channel"
    return nn.Sequential(
        qnn.QuantIdentity(bit_width=4, scaling_impl_type="const", scaling_init=1.0),
        SyqConv2d(2, 4, 3, padding=1, granularity=granularity, ternary=ternary), nn.BatchNorm2d(4),
        qnn.QuantReLU(bit_width=2, scaling_impl_type="const", scaling_init=2.0), nn.MaxPool2d(2),
        SyqConv2d(4, 6, (3, 2), granularity=granularity, ternary=not ternary), nn.BatchNorm2d(6),
        qnn.QuantReLU(bit_width=2, scaling_impl_type="const", scaling_init=2.0, return_quant_tensor=True),
        nn.Flatten(), SyqLinear(6 * 4, 3, granularity=dense, ternary=ternary))


def data(count: int) -> tuple[Tensor, Tensor]:
    """Images whose class is where they are bright."""
    rng = np.random.default_rng(4)
    y = rng.integers(0, 3, count)
    x = rng.normal(0, 0.3, (count, 2, 8, 6)).astype(np.float32)
    x[np.arange(count), :, :, :] += (np.arange(6) // 2 == y[:, None])[:, None, None, :]
    return torch.from_numpy(x), torch.from_numpy(y)


def train(net: nn.Module, steps: int) -> None:
    x, y = data(240)
    optimizer = torch.optim.Adam(net.parameters(), lr=0.02)
    for step in range(steps):
        batch = slice(step % 4 * 60, step % 4 * 60 + 60)
        optimizer.zero_grad()
        nn.functional.cross_entropy(net(x[batch]), y[batch]).backward()
        optimizer.step()


@pytest.mark.parametrize("ternary", [False, True], ids=["binary", "ternary"])
@pytest.mark.parametrize("granularity", GRANULARITIES)
def test_training_learns_and_what_it_learnt_is_exact_in_integers(granularity: syq.Granularity, ternary: bool) -> None:
    net = model(granularity, ternary)
    train(net, 40)
    x, y = data(120)
    net.eval()
    accuracy = float((net(x).argmax(1) == y).float().mean())
    assert accuracy > 0.9, accuracy
    network = from_module(net, x)
    assert assert_exact(network, x[:4].numpy().astype(np.float64)) > 0
    assert difference(net, x[:16].numpy()).explained
    convs = [node.op for node in streamline(network).nodes if isinstance(node.op, integer.Conv)]
    assert [op.scales is not None for op in convs] == [granularity in ("row", "pixel")] * 2 + [False]
    assert convs[0].weight == (TERNARY if ternary else BIPOLAR)


@pytest.fixture(scope="module")
def pixels() -> Trained:
    """A trained network with a scale for every pixel of its kernels, and samples."""
    net = model("pixel", True)
    train(net, 20)
    return net.eval(), data(4)[0].numpy()


def test_pixel_scales_build_and_take_the_cycles_of_a_layer_scale(pixels: Trained, tmp_path: Path) -> None:
    net, x = pixels
    network, plain = from_module(net, x), from_module(model("layer", True), x)
    folding = {"conv0": {"pe": 2, "simd": 2}, "conv2": {"pe": 3, "simd": 4}}
    built = hr.build(hr.load(network), out=tmp_path / "b", backend="both", folding=folding)
    assert built.record["verified"] is True
    units = {layer.name: layer.with_folds(folding[layer.name]) for layer in hr.load(plain).unfolded.layers
             if layer.name in folding}
    for record in (layer for layer in built.record["layers"] if layer["name"] in folding):
        assert record["cycles"] == units[record["name"]].cycles and record["weight_bits"] <= 2


def test_its_qonnx_file_gives_the_same_memories_and_outputs(pixels: Trained, tmp_path: Path) -> None:
    net, x = pixels
    network, path = from_module(net, x), tmp_path / "m.onnx"
    hr.save_qonnx(net, path, x)
    memories = [[(layer.name, memory.name, memory.mem_text()) for layer in hr.load(source).unfolded.layers
                 for memory in layer.memories()] for source in (network, path)]
    assert memories[0] == memories[1] and sum(name == "SCALES" for _, name, _ in memories[0]) == 2
    wanted = hr.load(network).predict(x)
    np.testing.assert_array_equal(hr.load(path).predict(x), wanted)
    assert onnx_difference(path, x).explained
    graph = read(path)
    found = forward(path, graph, dict.fromkeys(graph.inputs, x), [network.output])[1][network.output]
    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-5)


def test_a_dead_channel_has_zeros_and_a_dead_layer_is_an_error() -> None:
    net = nn.Sequential(qnn.QuantIdentity(bit_width=4, scaling_impl_type="const", scaling_init=1.0), SyqLinear(3, 2))
    with torch.no_grad():
        net[1].scales.copy_(torch.tensor([[0.5], [0.0]]))
    weight = next(node.op.weight for node in from_module(net, (1, 3)).nodes if isinstance(node.op, ops.Linear))
    assert weight.dtype == BIPOLAR and weight.scale.tolist() == [0.5, 0.0]
    net[1].ternary = True
    weight = next(node.op.weight for node in from_module(net, (1, 3)).nodes if isinstance(node.op, ops.Linear))
    assert weight.scale.tolist() == [0.5] and not weight.codes[1].any() and weight.codes[0].any()
    with torch.no_grad():
        net[1].scales.zero_()
    with pytest.raises(InputError, match="scale is 0"):
        from_module(net, (1, 3))
