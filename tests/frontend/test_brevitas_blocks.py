"""Transposed convolutions, pixel shuffles and strided slices of modules: exact, and torch's but for explained ties."""

from __future__ import annotations

import numpy as np
import pytest
from torch import Tensor

torch = pytest.importorskip("torch", reason="torch is not installed")
qnn = pytest.importorskip("brevitas.nn", reason="brevitas is not installed")

from brevitas.quant import Int8WeightPerChannelFloat, ShiftedUint8ActPerTensorFloat  # noqa: E402
from torch import nn  # noqa: E402

from headrace.difference.difference import difference  # noqa: E402
from headrace.frontend.torch.brevitas import from_module  # noqa: E402
from headrace.network import integer  # noqa: E402
from headrace.streamline.streamline import streamline  # noqa: E402
from tests.assert_exact import assert_exact  # noqa: E402
from tests.frontend.brevitas_modules import act  # noqa: E402


class Focus(nn.Module):
    """Four strided slices of the input."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([x[..., ::2, ::2], x[..., 1::2, ::2], x[..., ::2, 1::2], x[..., 1::2, 1::2]], 1)


def up2d(kernel: int, **options: object) -> nn.Module:
    return qnn.QuantConvTranspose2d(4, 4, kernel, weight_bit_width=4, bias=True, **options)


def model(*middle: nn.Module, front: int = 4, back: int = 4, one: bool = False, **quantizer: object) -> nn.Module:
    """A convolution and a ReLU, the layers in question, a ReLU and another convolution."""
    conv, kernel = (qnn.QuantConv1d, 3) if one else (qnn.QuantConv2d, (3, 3))
    norm = nn.BatchNorm1d(back) if one else nn.BatchNorm2d(back)
    torch.manual_seed(0)
    for values in (norm.running_mean, norm.weight.data, norm.bias.data):
        values.uniform_(-1, 1)
    front_act = act(qnn.QuantReLU, bit_width=4, **quantizer) if not quantizer else qnn.QuantIdentity(**quantizer)
    return nn.Sequential(act(qnn.QuantIdentity, bit_width=6), conv(2, front, kernel, padding=1, weight_bit_width=3),
                         front_act, *middle, norm, act(qnn.QuantReLU, bit_width=3),
                         conv(back, 3, kernel, weight_bit_width=3)).eval()


CASES: dict[str, tuple[nn.Module, tuple[int, ...]]] = {
    "kernel 2": (lambda: model(up2d(2, stride=2)), (2, 4, 5)),
    "kernel 3": (lambda: model(up2d(3, stride=2, padding=1, output_padding=1)), (2, 4, 5)),
    "crop": (lambda: model(up2d(5, stride=3)), (2, 3, 4)),
    "channels": (lambda: model(up2d(3, stride=(2, 1), weight_quant=Int8WeightPerChannelFloat)), (2, 4, 5)),
    "groups": (lambda: model(up2d(4, stride=2, padding=1, groups=2)), (2, 4, 5)),
    "depthwise": (lambda: model(up2d(2, stride=2, groups=4)), (2, 4, 5)),
    "signal": (lambda: model(qnn.QuantConvTranspose1d(4, 4, 4, stride=2, padding=1, weight_bit_width=4), one=True),
               (2, 7)),
    "zero point": (lambda: model(up2d(3, stride=2), act_quant=ShiftedUint8ActPerTensorFloat, bit_width=4), (2, 4, 5)),
    "shuffle": (lambda: model(nn.PixelShuffle(2), front=8, back=2), (2, 4, 5)),
    "unshuffle": (lambda: model(nn.PixelUnshuffle(2), back=16), (2, 6, 8)),
    "focus": (lambda: model(Focus(), back=16), (2, 6, 8)),
}


@pytest.mark.parametrize("name", CASES)
def test_every_code_is_exact_and_torchs(name: str) -> None:
    make, shape = CASES[name]
    module = make()
    x = np.random.default_rng(1).normal(size=(6, *shape)).astype(np.float32) * 4
    network = from_module(module, x)
    assert assert_exact(network, x[:2]) > 50
    report = difference(module, x)
    assert report.explained, str(report)


def test_thresholds_stand_in_front_of_the_blocks() -> None:
    net = streamline(from_module(CASES["kernel 3"][0](), (1, 2, 4, 5)))
    kinds = [type(node.op).__name__ for node in net.nodes]
    assert kinds == ["Conv", "Threshold", "Conv", "Threshold", "DepthToSpace", "Conv"]


def test_pixels_that_are_left_over_are_cropped() -> None:
    net = streamline(from_module(CASES["crop"][0](), (1, 2, 3, 4)))
    assert [node.op.stop for node in net.nodes if isinstance(node.op, integer.Crop)] == [(11, 14)]
