"""Several inputs and outputs of torch modules and ONNX files: their names, their values, their comparison."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from brevitas import nn as qnn
from torch import Tensor, nn

from headrace.difference.compare import compare_model
from headrace.difference.difference import difference
from headrace.errors import InputError
from headrace.export.qonnx import save_qonnx
from headrace.frontend.onnx.float_network import from_float_file
from headrace.frontend.onnx.reader import from_file
from headrace.frontend.torch.brevitas import from_module
from headrace.frontend.torch.float_module import from_float_module
from headrace.model import load
from tests.frontend.onnx_files import model, node, quant
from tests.several_ends import NETWORKS, samples


class Fused(nn.Module):
    """An image and a state, two heads in a dict."""

    def __init__(self) -> None:
        super().__init__()
        self.image, self.state = qnn.QuantIdentity(bit_width=8), qnn.QuantIdentity(bit_width=4)
        self.conv = qnn.QuantConv2d(2, 3, 3, weight_bit_width=4, bias=False)
        self.act = qnn.QuantReLU(bit_width=3)
        self.boxes = qnn.QuantConv2d(3, 4, 1, weight_bit_width=4, bias=False)
        self.speed = qnn.QuantLinear(5, 2, weight_bit_width=4, bias=False)

    def forward(self, image: Tensor, state: Tensor) -> dict[str, Tensor]:
        features = self.act(self.conv(self.image(image)))
        return {"boxes": self.boxes(features), "speed": self.speed(self.state(state))}


class Pair(Fused):
    """The same heads as a tuple."""

    def forward(self, image: Tensor, state: Tensor) -> Tensor:
        return tuple(super().forward(image, state).values())


@pytest.fixture
def x() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {"image": rng.normal(size=(6, 2, 5, 5)).astype(np.float32),
            "state": rng.normal(size=(6, 5)).astype(np.float32)}


def made(kind: type[nn.Module]) -> nn.Module:
    torch.manual_seed(0)
    return kind().eval()


@pytest.mark.parametrize(("kind", "names"), [(Fused, ["boxes", "speed"]), (Pair, ["output0", "output1"])])
def test_modules_have_the_names_of_their_forward(kind: type[nn.Module], names: list[str],
                                                 x: dict[str, np.ndarray]) -> None:
    module = made(kind)
    network = from_module(module, {"state": (1, 5), "image": (1, 2, 5, 5)})
    assert [(item.name, item.shape) for item in network.inputs] == [("image", (2, 5, 5)), ("state", (5,))]
    assert list(network.output_names) == names
    y = load(module, (x["image"], x["state"])).predict(x)
    wanted = module(**{name: torch.from_numpy(values) for name, values in x.items()})
    for got, value in zip(y.values(), wanted.values() if isinstance(wanted, dict) else wanted, strict=True):
        np.testing.assert_allclose(got, value.detach().numpy(), rtol=1e-4, atol=1e-5)
    assert difference(module, x).explained


def test_float_modules_of_several_inputs_are_refused() -> None:
    class Two(nn.Module):
        def forward(self, a: Tensor, b: Tensor) -> Tensor:
            return a + b

    with pytest.raises(InputError) as caught:
        from_float_module(Two(), ((1, 3), (1, 3)))
    assert str(caught.value) == ("the model has 2 inputs but a network to quantize has one; quantize it with "
                                 "Brevitas, or wrap it in a module with one input")


def test_float_files_may_have_several_outputs(tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    proto = model([node("Relu", ["x"]), node("Neg", ["x"], "z")], (1, 4), outputs=("y", "z"))
    path.write_bytes(proto.SerializeToString())
    assert len(from_float_file(path).outputs) == 2


@pytest.mark.parametrize("kind", ["two_images", "two_dense"])
def test_exported_files_keep_the_values(kind: str, tmp_path: Path) -> None:
    network = NETWORKS[kind]
    save_qonnx(network, tmp_path / "m.onnx")
    again = from_file(tmp_path / "m.onnx")
    assert [item.name for item in again.inputs] == [item.name for item in network.inputs]
    x = samples(network, 4)
    given = x if len(x) > 1 else x["x"]
    y, wanted = load(again).predict(given), load(network).predict(given)
    for got, values in zip(y.values(), wanted.values(), strict=True):
        np.testing.assert_array_equal(got, values)
    compared = compare_model(str(tmp_path / "m.onnx"), given)
    assert compared.difference.explained and compared.difference.samples == 4


def test_outputs_that_do_not_depend_on_the_input_are_left_out(tmp_path: Path) -> None:
    constants: dict[str, np.ndarray] = {}
    proto = model([quant("x", "y", 0.5, 4, 0, constants), node("Relu", ["s"], "scale")], (1, 4),
                  constants | {"s": np.ones(1, np.float32)}, outputs=("scale", "y"))
    path = tmp_path / "m.onnx"
    path.write_bytes(proto.SerializeToString())
    assert from_file(path).output_names == ("y",)
