"""Every row of the tables of what is read from modules gives torch's own output, and the documentation lists them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from torch import Tensor

torch = pytest.importorskip("torch", reason="torch is not installed")
qnn = pytest.importorskip("brevitas.nn", reason="brevitas is not installed")

from brevitas.quant import TruncTo8bit  # noqa: E402
from brevitas.quant_tensor import IntQuantTensor, QuantTensor  # noqa: E402
from torch import nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402, N812

import headrace as hr  # noqa: E402
from headrace.errors import UnsupportedError  # noqa: E402
from headrace.frontend.torch import brevitas_layers, catalogue, float_layers, structure  # noqa: E402
from headrace.frontend.torch.float_module import from_float_module  # noqa: E402
from headrace.quantizing.runner import Runner  # noqa: E402
from headrace.training.syq import SyqConv2d  # noqa: E402

ROOT = Path(__file__).parents[2]


class Call(nn.Module):
    """A function of one tensor as a module."""

    def __init__(self, function: Callable[..., Tensor], **parts: nn.Module) -> None:
        super().__init__()
        self.function = function
        for name, part in parts.items():
            setattr(self, name, part)

    def forward(self, x: Tensor) -> Tensor:
        return self.function(self, x) if self._modules else self.function(x)


def quant(bits: int = 6) -> nn.Module:
    return qnn.QuantIdentity(bit_width=bits, return_quant_tensor=True)


def conv(inputs: int = 3, outputs: int = 4, kernel: int = 1) -> nn.Module:
    return qnn.QuantConv2d(inputs, outputs, kernel, weight_bit_width=4, bias=True)


def behind(*layers: nn.Module) -> nn.Module:
    """Layers on a quantized feature map (4, 4, 6)."""
    return nn.Sequential(quant(8), conv(), qnn.QuantReLU(bit_width=4, return_quant_tensor=True), *layers)


LAYERS: dict[str, Callable[[], nn.Module]] = {
    "SYQ layers": lambda: nn.Sequential(quant(8), SyqConv2d(3, 4, 3, padding=1, bias=False)),
    "Quantized convolution": lambda: behind(conv(4, 2, 3)),
    "Quantized transposed convolution": lambda: behind(qnn.QuantConvTranspose2d(4, 2, 2, stride=2, weight_bit_width=4)),
    "Quantized dense layer": lambda: behind(nn.Flatten(), qnn.QuantLinear(96, 3, bias=True, weight_bit_width=4)),
    "Quantized scale and bias": lambda: behind(qnn.QuantScaleBias(4, True, weight_bit_width=8), quant(), conv(4)),
    "Scale and bias": lambda: behind(qnn.ScaleBias(4, False), quant(), conv(4)),
    "Quantized activation": lambda: behind(conv(4), qnn.QuantTanh(bit_width=4), conv(4), qnn.QuantHardTanh(
        bit_width=4, min_val=-1.0, max_val=1.0), conv(4)),
    "Quantized sum": lambda: Call(lambda s, x: s.e(y := s.b(x), s.c(y)), b=behind(), c=conv(4),
                                  e=qnn.QuantEltwiseAdd()),
    "Quantized concatenation": lambda: Call(lambda s, x: s.e([y := s.b(x), s.c(y)]), b=behind(), c=conv(4),
                                            e=qnn.QuantCat(return_quant_tensor=True)),
    "Truncating average pooling": lambda: behind(qnn.TruncAvgPool2d(2, trunc_quant=TruncTo8bit, bit_width=6), conv(4)),
    "Quantized upsampling": lambda: behind(qnn.QuantUpsamplingNearest2d(scale_factor=2), conv(4)),
}
#: Functions of a feature map (4, 4, 6) behind which a quantizer and a convolution may follow.
MIDDLE = {
    "Sum": lambda x: 2 + x + x, "Difference": lambda x: 1.5 - x.sub(0.25), "Product": lambda x: x * 0.3,
    "Quotient": lambda x: x / 3, "Negation": lambda x: -x,
    "Concatenation": lambda x: torch.cat([x, F.dropout(x, training=False)], 1),
    "Maximum pooling": lambda x: F.max_pool2d(x, 2, padding=1), "Average pooling": nn.AvgPool2d((2, 3)),
    "Adaptive average pooling": nn.AdaptiveAvgPool2d((2, None)), "Adaptive maximum pooling": nn.AdaptiveMaxPool2d(2),
    "Mean": lambda x: x.mean((2, 3), keepdim=True), "Another shape": lambda x: x.reshape(x.size(0), 4, 2, 12),
    "Border": lambda x: F.pad(x, (1, 0, 2, 1)), "Upsampling": lambda x: F.interpolate(x, scale_factor=2.0),
    "Pixel shuffle": nn.PixelShuffle(2), "Pixel unshuffle": nn.PixelUnshuffle(2),
    "Pieces": lambda x: torch.cat(x.chunk(2, 1)[::-1], 1),
    "Slices": lambda x: x[:, 1:3], "Chosen channels": lambda x: x.index_select(1, torch.tensor([2, 0, 2, 1])),
    "Reversed channels": lambda x: x.flip(1), "Rolled channels": lambda x: x.roll(1, 1),
    "Shuffled channels": nn.ChannelShuffle(2), "Sum over axes": lambda x: x.sum((2, 3), keepdim=True),
    "Batch normalization": nn.BatchNorm2d(4),
    "What does nothing at inference": lambda x: F.dropout(x, training=False).contiguous(),
    "ReLU": nn.ReLU(inplace=True), "ReLU6": nn.ReLU6(), "Clip": lambda x: x.clamp(-0.5, 0.75),
    "LeakyReLU": nn.LeakyReLU(0.1),
    "PReLU": nn.PReLU(4), "ELU": nn.ELU(), "CELU": nn.CELU(0.5), "SELU": nn.SELU(), "Softsign": nn.Softsign(),
    "Sigmoid": torch.sigmoid, "Tanh": nn.Tanh(), "Hard sigmoid": nn.Hardsigmoid(), "Hard swish": nn.Hardswish(),
    "Mish": nn.Mish(), "SiLU": nn.SiLU(), "GELU": nn.GELU(), "Softplus": nn.Softplus(), "Magnitude": torch.abs,
}
#: The same at the end of a network.
END = {
    "Softmax": nn.Softmax(1), "Log softmax": lambda x: F.log_softmax(x, dim=1),
    "Index of the largest": lambda x: x.argmax(1),
    "Largest": lambda x: x.max(1)[1], "Several largest": lambda x: torch.topk(x, 2, dim=1)[1],
    "Maximum over axes": lambda x: x.amax((2, 3)), "Another order of axes": lambda x: x.permute(0, 2, 3, 1),
    "The value of a quantized tensor": lambda x: x.value if hasattr(x, "scale") else x.data,
}


def as_module(function: Callable[..., Tensor]) -> nn.Module:
    return function if isinstance(function, nn.Module) else Call(function)


def quantized(title: str) -> nn.Module:
    """A quantized network with an operation in the middle or at its end."""
    if title in END:
        tensors = title == "The value of a quantized tensor"
        return behind(conv(4, 3), qnn.QuantIdentity(bit_width=6, return_quant_tensor=tensors), as_module(END[title]))
    channels = {"Pixel shuffle": 1, "Pixel unshuffle": 16, "Slices": 2, "Concatenation": 8}.get(title, 4)
    before = [quant()] if title in ("Border", "Concatenation") else []
    after = qnn.QuantReLU(bit_width=4) if title in ("Hard swish", "Mish", "SiLU", "GELU") else quant()
    return behind(conv(4, 4), *before, as_module(MIDDLE[title]), after, conv(channels, 2))


def calibrated(module: nn.Module) -> Tensor:
    x = torch.randn(6, 3, 4, 6)
    module.train()
    with torch.no_grad():
        module(x), module(x)
    module.eval()
    return x


def plain(value: Tensor) -> np.ndarray:
    return np.asarray(getattr(value, "value", value).detach().numpy())


def require_torchs_output(module: nn.Module) -> None:
    """The exact model gives what torch gives, in all samples that float32 rounds to the codes of float64."""
    x = calibrated(module)
    wanted, exact = plain(module(x)), plain(module.double()(x.double()))
    fair = np.abs(wanted - exact).reshape(len(x), -1).max(1) < 1e-5  # no code is on another side in float32
    assert fair.sum() >= 3
    got = hr.load(module.float(), x[:1]).predict(x.numpy())
    np.testing.assert_allclose(got.reshape(wanted.shape)[fair], wanted[fair], rtol=1e-5, atol=2e-6)


def titles() -> list[str]:
    return [*catalogue.titles(brevitas_layers.ROWS), *catalogue.titles(structure.ROWS)]


@pytest.mark.parametrize("title", titles())
def test_every_row_gives_torchs_output(title: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(QuantTensor, "cat", IntQuantTensor.cat, raising=False)  # this Brevitas calls what it lacks
    torch.manual_seed(3)
    module = LAYERS[title]() if title in LAYERS else quantized(title)
    require_torchs_output(module)


@pytest.mark.parametrize("kernel", [2, 3])
def test_truncating_pools_divide_sums_whatever_float32_makes_of_the_scale(kernel: int) -> None:
    torch.manual_seed(3)
    module = behind(qnn.TruncAvgPool2d(kernel, stride=1, trunc_quant=TruncTo8bit, bit_width=6), conv(4))
    x = calibrated(module)
    got = hr.load(module, x[:1]).predict(x.numpy())
    np.testing.assert_allclose(got, plain(module(x)), rtol=1e-5, atol=2e-6)


@pytest.mark.parametrize("title", catalogue.titles(structure.ROWS))
def test_the_float_route_has_the_same_operations(title: str) -> None:
    torch.manual_seed(3)
    operation = as_module(MIDDLE.get(title) or END[title])
    module = nn.Sequential(nn.Conv2d(3, 4, 1), operation).eval()
    rows = catalogue.titles(structure.ROWS)[title]
    if not all(row.calibrated for row in rows):
        with pytest.raises(UnsupportedError, match="has no calibration; leave it out, or quantize the "):
            from_float_module(module, (1, 3, 4, 6))
        return
    x = torch.randn(3, 3, 4, 6)
    got = Runner(from_float_module(module, x)).scores(x.numpy())
    np.testing.assert_allclose(got.reshape(3, -1), plain(module(x)).reshape(3, -1), rtol=1e-4, atol=1e-5)


def test_the_float_layers_are_read() -> None:
    assert list(catalogue.titles(float_layers.ROWS)) == ["Convolution", "Dense layer"]  # as of test_torch_float.py


def test_the_documentation_lists_what_is_read() -> None:
    text = (ROOT / "docs" / "torch.md").read_text()
    listed = text.split(catalogue.BEGIN)[1].split(catalogue.END)[0]
    assert listed == catalogue.catalogue(), "put what python3 -m headrace.frontend.torch.catalogue prints there"
