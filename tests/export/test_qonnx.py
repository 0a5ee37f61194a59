"""Networks written as QONNX: read again they give the same integers, and the qonnx executor the same outputs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest

from headrace import serialize
from headrace.__main__ import main
from headrace.datatypes import BIPOLAR, TERNARY, DataType, Interval, int_type, uint_type
from headrace.errors import UnsupportedError
from headrace.export.qonnx import qonnx_bytes, save_qonnx
from headrace.frontend.onnx.reader import from_file
from headrace.layers.random_values import random_values
from headrace.model import load
from headrace.network import ops, tensor_ops
from headrace.network.activation import Activation
from headrace.network.graph import Input, Network, Node
from headrace.network.moves import Crop, SelectChannels
from headrace.network.rounding import Rounding
from headrace.streamline.streamline import streamline
from tests.frontend.onnx_files import executed, grid
from tests.streamline.graphs import chain

ODD = np.pi / 30  # float32 does not hold it


def quantizer(dtype: DataType, *scale: float, zero_point: int = 0, rounding: Rounding = "half_even") -> ops.Quantize:
    return ops.Quantize(np.array(scale or (1.0,)), dtype, zero_point, rounding)


def weight(dtype: DataType, shape: tuple[int, ...], *scale: float, groups: object = None) -> ops.QuantWeight:
    codes = random_values(np.random.default_rng(len(shape)), dtype, shape)
    return ops.QuantWeight(codes, np.array(scale or (0.5,)), dtype, None if groups is None else np.array(groups))


def memories(network: Network | Path) -> list[tuple[str, str, str]]:
    model = load(network)
    layers = model.unfolded.layers if model.integer.nodes else ()
    return [(layer.name, memory.name, memory.mem_text()) for layer in layers for memory in layer.memories()]


def assert_same(network: Network, tmp_path: Path, x: np.ndarray, tolerance: float = 0.0) -> Network:
    """The file gives the same memories, the same integers, and in the executor the same outputs."""
    path = tmp_path / "m.onnx"
    save_qonnx(network, path)
    again = from_file(path)
    assert memories(again) == memories(network)
    raw = load(network).predict(x, raw=True)
    np.testing.assert_array_equal(load(again).predict(x, raw=True), raw)
    found = np.concatenate([executed(onnx.load(path), sample[None], network.output) for sample in x])
    np.testing.assert_allclose(found, load(network).predict(x), rtol=0, atol=tolerance)
    return again


PIXELS = [[[[3, 1, 4], [1, 5, 9], [2, 6, 5]]]]
ROWS = [[[[7], [0], [2]]]] * 4
PRODUCTS = {
    "binary": (weight(BIPOLAR, (4, 2, 3, 3)), None),
    "negative scales": (weight(BIPOLAR, (4, 2, 3, 3), 0.5, -0.25, 1.0, 2.0), None),
    "a dead channel": (weight(BIPOLAR, (4, 2, 3, 3), 0.5, 0.0, 1.0, 2.0), None),
    "ternary pixels": (weight(TERNARY, (4, 2, 3, 3), 0.25, groups=PIXELS), np.array([0.5, 1.0, -1.0, 2.0])),
    "binary rows with a zero": (weight(BIPOLAR, (4, 2, 3, 3), 0.125, 0.25, 0.5, 1.0, groups=ROWS), None),
    "a scale beyond float32": (weight(int_type(4), (4, 2, 3, 3), ODD), np.array([ODD])),
    "pixels of steps beyond float32": (weight(TERNARY, (4, 2, 3, 3), ODD, groups=PIXELS), None),
    "codes without a name": (weight(Interval(-3, 5), (4, 2, 3, 3)), None),
}


@pytest.mark.parametrize("case", PRODUCTS)
def test_products(case: str, tmp_path: Path) -> None:
    made, bias = PRODUCTS[case]
    network = chain((2, 6, 5), quantizer(int_type(4), 0.25), ops.Conv(made, bias, (1, 2), (1, 0, 1, 1)),
                    quantizer(uint_type(3), 2.0), ops.Reshape((-1,)), ops.Linear(weight(int_type(3), (3, 48), 0.5)))
    exact = made.scale[0] != ODD
    again = assert_same(network, tmp_path, grid(2, 2, 6, 5), 0.0 if exact else 1e-5)
    weights = next(node.op.weight for node in again.nodes if isinstance(node.op, ops.Conv))
    assert np.array_equal(weights.integers, made.integers)


@pytest.mark.parametrize("rounding", ["half_even", "half_up", "half_away", "half_inward", "floor", "ceil", "away",
                                      "inward"])
@pytest.mark.parametrize(("dtype", "zero_point"), [(int_type(3), 0), (uint_type(3), 0), (uint_type(3), 3),
                                                   (Interval(-3, 3), -1)], ids=str)
def test_every_rounding_and_zero_point(dtype: DataType, zero_point: int, rounding: Rounding, tmp_path: Path) -> None:
    network = chain((8,), quantizer(dtype, 0.5, zero_point=zero_point, rounding=rounding))
    assert_same(network, tmp_path, grid(3, 8, step=0.125, reach=4.0))
    inside = chain((8,), quantizer(int_type(6), 0.125), quantizer(dtype, 0.5, zero_point=zero_point, rounding=rounding))
    assert_same(inside, tmp_path, grid(3, 8, step=0.125, reach=4.0))


@pytest.mark.parametrize("dtype", [int_type(4), uint_type(4), BIPOLAR], ids=str)
@pytest.mark.parametrize("scales", [(ODD,), (ODD, 0.5, 0.3)], ids=["tensor", "channels"])
def test_scales_beyond_float32(dtype: DataType, scales: tuple[float, ...], tmp_path: Path) -> None:
    zero_point = 3 if dtype == uint_type(4) else 0
    network = chain((3, 2, 2), quantizer(int_type(8), 0.125), quantizer(dtype, *scales, zero_point=zero_point,
                                                                        rounding="half_up"))
    assert_same(network, tmp_path, grid(2, 3, 2, 2), 1e-6)


def test_everything_else(tmp_path: Path) -> None:
    """A residual branch, joins, pools, borders, upsampling, activations and arithmetic beyond float32."""
    steps = [
        Node("image", ops.Reshape((2, 4, 7)), ("x",)),
        Node("q", quantizer(uint_type(4), 0.25), ("image",)),
        Node("up", tensor_ops.Upsample((2, 1)), ("q",)),
        Node("pad", tensor_ops.PadFrame((1, 0, 0, 1), 0.25), ("up",)),
        Node("conv", ops.Conv(weight(TERNARY, (2, 2, 3, 3), 0.5), None, pad=(1, 1, 1, 1)), ("pad",)),
        Node("norm", ops.Affine(np.array([ODD, -0.5]), np.array([0.3, ODD])), ("conv",)),
        Node("relu", ops.RELU, ("norm",)),
        Node("a", quantizer(uint_type(3), 0.5), ("relu",)),
        Node("depthwise", ops.Conv(weight(int_type(3), (2, 1, 3, 3), 0.25), groups=2, pad=(1, 1, 1, 1)), ("a",)),
        Node("clip", ops.Clip(-ODD, 3.0), ("depthwise",)),
        Node("b", quantizer(int_type(3), 0.5, rounding="half_up"), ("clip",)),
        Node("sum", tensor_ops.Add(), ("a", "b")),
        Node("c", quantizer(uint_type(3), 0.5), ("sum",)),
        Node("cat", tensor_ops.Concat(), ("a", "c")),
        Node("max", ops.MaxPool((2, 1), (2, 1)), ("cat",)),
        Node("mean", tensor_ops.AvgPool((1, 2), (1, 2)), ("max",)),
        Node("sign", quantizer(BIPOLAR, ODD), ("mean",)),
        Node("flat", ops.Reshape((-1,)), ("sign",)),
        Node("fc", ops.Linear(weight(BIPOLAR, (5, 64), 0.5), np.array([0.5, 0, 0, 1, 2])), ("flat",)),
        Node("top", tensor_ops.TopK(2), ("fc",)),
    ]
    network = Network((Input("x", (56,)),), tuple(steps), ("top",))
    assert_same(network, tmp_path, grid(2, 56))


def test_channels_and_pixels_are_chosen(tmp_path: Path) -> None:
    network = chain((4, 3, 5), quantizer(int_type(4), 0.5), SelectChannels((3, -1, 0, 0, -1)),
                    Crop((0, 1), (3, 5), (2, 1)),
                    SelectChannels((4, 1, 2)), ops.Reshape((-1,)), SelectChannels(tuple(range(8, 24))),
                    ops.Linear(weight(BIPOLAR, (3, 16))), SelectChannels((2, -1, 0), 1.5))
    assert_same(network, tmp_path, grid(2, 4, 3, 5))


def test_axes_of_size_one_move(tmp_path: Path) -> None:
    network = chain((2, 1, 7), quantizer(int_type(4), 0.5), tensor_ops.Transpose((0, 2, 1)), ops.Reshape((-1,)),
                    ops.Linear(weight(BIPOLAR, (3, 14))))
    assert_same(network, tmp_path, grid(2, 2, 1, 7))


def test_moves(tmp_path: Path) -> None:
    """Channels in another order with a constant, pixels left out, and channels as blocks of pixels."""
    network = chain((2, 4, 5), quantizer(int_type(4), 0.5), SelectChannels((1, -1, 0, 1), 0.5),
                    Crop((0, 1), (4, 5), (2, 1)), ops.Conv(weight(TERNARY, (4, 4, 1, 1), 0.5)),
                    ops.Reshape((2, 2, 1, 2, 4)), tensor_ops.Transpose((2, 3, 0, 4, 1)), ops.Reshape((1, 4, 8)),
                    quantizer(int_type(3), 0.5), ops.Conv(weight(TERNARY, (3, 1, 2, 2), 0.5)))
    assert_same(network, tmp_path, grid(2, 2, 4, 5))


@pytest.mark.parametrize("k", [1, 2])
def test_heads(k: int, tmp_path: Path) -> None:
    network = chain((6,), quantizer(int_type(4), 0.5), tensor_ops.Softmax(), tensor_ops.TopK(k))
    assert_same(network, tmp_path, grid(3, 6))
    assert_same(chain((6,), quantizer(int_type(4), 0.5), tensor_ops.Softmax()), tmp_path, grid(3, 6), 1e-6)


def test_thresholds_and_truncation(tmp_path: Path) -> None:
    network = chain((6,), quantizer(int_type(5), 0.5), tensor_ops.MultiThreshold(
        np.sort(grid(6, 3, seed=2), axis=1).astype(float), uint_type(2), 0.5, 0.25))
    assert_same(network, tmp_path, grid(3, 6))
    for trunc in (tensor_ops.Trunc(np.array([0.5]), 2, np.array([0.5])),
                  tensor_ops.Trunc(np.array([0.5]), 2, np.array([2.0]), int_type(3))):
        assert_same(chain((6,), quantizer(int_type(5), 0.5), trunc), tmp_path, grid(3, 6))


@pytest.mark.parametrize("op", [
    *(Activation(kind) for kind in ("sigmoid", "tanh", "softplus", "softsign", "erf", "silu", "mish")),
    Activation("elu", np.array([0.75])), Activation("celu", np.array([1.5])), Activation("power", np.array([2.0])),
    Activation("leaky_relu", np.array([-1.0])), Activation("leaky_relu", np.linspace(-0.5, 0.75, 6)),
    Activation("gelu", np.array([0.7071067811865476])), Activation("hard_swish", np.array([1 / 6])),
    Activation("swish", np.array([1.702])), Activation("swish", np.array([1.5957]), 0.0713),
], ids=lambda op: op.kind)
def test_activations(op: Activation, tmp_path: Path) -> None:
    network = chain((6,), quantizer(int_type(5), 0.23), op, quantizer(int_type(8), 0.0371))
    assert_same(network, tmp_path, grid(3, 6), 1e-6)


def test_what_qonnx_cannot_say(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedError, match=r"^n1: Maximum has no form in QONNX files yet; save the network"):
        qonnx_bytes(chain((3,), quantizer(int_type(4)), tensor_ops.Maximum()))
    with pytest.raises(UnsupportedError, match=r"n1: float32 does not hold the parameter \[0.1\] of leaky_relu"):
        qonnx_bytes(chain((3,), quantizer(int_type(4)), Activation("leaky_relu", np.array([0.1]))))
    with pytest.raises(UnsupportedError, match=r"n0: QONNX has no quantizer with the codes \[0,4\]"):
        qonnx_bytes(chain((3,), quantizer(Interval(0, 4))))


def test_the_folder_of_a_file_is_made(tmp_path: Path) -> None:
    save_qonnx(chain((3,), quantizer(int_type(4))), tmp_path / "none" / "m.onnx")
    assert (tmp_path / "none" / "m.onnx").is_file()


def test_the_command_line_exports_a_saved_network(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    network = chain((2, 6, 5), quantizer(int_type(4)), ops.Conv(weight(BIPOLAR, (4, 2, 3, 3))))
    serialize.save(network, tmp_path / "m")
    serialize.save(streamline(network), tmp_path / "integers")
    assert main(["export", str(tmp_path / "m.json"), "--out", str(tmp_path / "m.onnx")]) == 0
    assert (tmp_path / "m.onnx").read_bytes() == qonnx_bytes(network)
    assert main(["export", str(tmp_path / "integers.json"), "--out", str(tmp_path / "n.onnx")]) == 1
    assert "export the network that it was made from" in capsys.readouterr().err


def test_the_same_network_gives_the_same_bytes() -> None:
    network = chain((2, 6, 5), quantizer(int_type(4)), ops.Conv(weight(BIPOLAR, (4, 2, 3, 3))))
    assert qonnx_bytes(network) == qonnx_bytes(network)
