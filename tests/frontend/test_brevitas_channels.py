"""Constants, scales, zero points and batch norms of Brevitas modules lie along the axes that torch gives them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from torch import Tensor

torch = pytest.importorskip("torch", reason="torch is not installed")
qnn = pytest.importorskip("brevitas.nn", reason="brevitas is not installed")

from brevitas.quant import ShiftedUint8WeightPerTensorFloat  # noqa: E402
from torch import nn  # noqa: E402

from headrace.difference.difference import difference  # noqa: E402
from headrace.errors import InputError, UnsupportedError  # noqa: E402
from headrace.frontend.torch.brevitas import from_module  # noqa: E402
from headrace.frontend.torch.brevitas_weights import read_weight  # noqa: E402
from tests.frontend.brevitas_modules import act  # noqa: E402


class Scaled(nn.Module):
    """relu(conv(q(x)) * k) on a feature map of 4 channels that is 4 wide."""

    def __init__(self, k: Tensor, flat: bool = False) -> None:
        super().__init__()
        self.quant = act(qnn.QuantIdentity, bit_width=4)
        self.layer = qnn.QuantLinear(4, 4, bias=False) if flat else qnn.QuantConv2d(2, 4, 1, bias=False)
        self.act = act(qnn.QuantReLU, bit_width=4)
        self.register_buffer("k", k)

    def forward(self, x: Tensor) -> Tensor:
        return self.act(self.layer(self.quant(x)) * self.k)


class ScaledInForward(Scaled):
    def forward(self, x: Tensor) -> Tensor:
        return self.act(self.layer(self.quant(x)) * (self.k.reshape(1, -1, 1, 1) / 2))


FACTORS = torch.tensor([1.0, 0.1, 5.0, 0.02])


@pytest.mark.parametrize(("make", "shape"), [
    (lambda: Scaled(FACTORS.reshape(1, 4, 1, 1)), (2, 3, 4)), (lambda: Scaled(FACTORS.reshape(4, 1, 1)), (2, 3, 4)),
    (lambda: Scaled(FACTORS[:1]), (2, 3, 4)), (lambda: Scaled(FACTORS[2]), (2, 3, 4)),
    (lambda: ScaledInForward(FACTORS), (2, 3, 4)),
    (lambda: Scaled(FACTORS, flat=True), (4,)), (lambda: Scaled(FACTORS[None], flat=True), (4,)),
])
def test_constants_along_the_channels_are_what_torch_computes(make: Callable[[], nn.Module],
                                                              shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    model = make().eval()
    x = np.random.default_rng(0).normal(size=(20, *shape)).astype(np.float32)
    assert difference(model, x).explained


@pytest.mark.parametrize(("k", "flat", "shape"), [
    (FACTORS, False, (2, 3, 4)), (FACTORS.reshape(4, 1), False, (2, 4, 4)),
    (FACTORS.reshape(1, 1, 1, 4), False, (2, 3, 4))])
def test_constants_along_other_axes_are_torchs_too(k: Tensor, flat: bool, shape: tuple[int, int, int]) -> None:
    module = Scaled(k, flat).eval()
    x = np.random.default_rng(0).normal(size=(3, *shape)).astype(np.float32)
    network = from_module(module, x)
    wanted = module(torch.from_numpy(x)).detach().numpy()
    np.testing.assert_allclose(network.forward(x.astype(np.float64)), wanted, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("k", "flat", "shape"), [
    (FACTORS.reshape(4, 1, 1, 1), False, (2, 3, 4)), (FACTORS.reshape(4, 1), True, (4,)),
    (FACTORS.reshape(1, 4, 1, 1), True, (4,)), (FACTORS[:1].reshape(1, 1, 1), True, (4,))])
def test_constants_that_lie_along_the_batch_or_add_axes_are_refused(k: Tensor, flat: bool,
                                                                    shape: tuple[int, ...]) -> None:
    with pytest.raises((UnsupportedError, InputError), match=r"mul .mul.: "):
        from_module(Scaled(k, flat), (1, *shape))


def quantized_per_axis(shape: tuple[int, ...]) -> nn.Module:
    return qnn.QuantIdentity(scaling_impl_type="parameter", scaling_init=FACTORS.reshape(shape), bit_width=4,
                             scaling_per_output_channel=True, per_channel_broadcastable_shape=shape)


def test_scales_of_a_quantizer_lie_along_the_channels() -> None:
    x = np.random.default_rng(0).normal(size=(20, 4, 3, 4)).astype(np.float32)
    assert difference(nn.Sequential(quantized_per_axis((1, 4, 1, 1))).eval(), x).explained
    module = nn.Sequential(quantized_per_axis((1, 1, 1, 4))).eval()
    network = from_module(module, x)
    np.testing.assert_allclose(network.forward(x.astype(np.float64)),
                               module(torch.from_numpy(x)).detach().numpy(), rtol=1e-5)


class PerInputChannel(nn.Module):
    """Scales of weights along their second axis."""

    def forward(self, *args: Tensor) -> Tensor:
        return torch.tensor([1.0, 2.0]).reshape(1, 2, 1, 1)


def test_scales_of_weights_lie_along_the_output_channels() -> None:
    layer = qnn.QuantConv2d(2, 2, 1, bias=False)
    layer.weight_quant.tensor_quant.scaling_impl = PerInputChannel()
    with pytest.raises(UnsupportedError) as caught:
        read_weight(layer).weight()
    assert str(caught.value) == ("its weights have scales that differ between the input channels of an output channel; "
                                 "quantize them per tensor, per output channel, or per row or pixel of the kernel "
                                 "window")


@pytest.mark.parametrize(("norm", "shape"), [(nn.BatchNorm1d(4), (4, 3, 4)), (nn.BatchNorm2d(4), (4,))])
def test_batch_norms_of_another_rank_are_refused(norm: nn.Module, shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match=rf"^1 .{type(norm).__name__}.: cannot be run on an input of shape \(2, 4.*\) "
                       r"\(expected .* input .got .D input.\); mend the model or the example input$"):
        from_module(nn.Sequential(act(qnn.QuantIdentity, bit_width=4), norm), (1, *shape))


def shifted(bits: int) -> nn.Module:
    layer = qnn.QuantLinear(4, 2, bias=False, weight_bit_width=bits, weight_quant=ShiftedUint8WeightPerTensorFloat)
    layer.weight.data = torch.linspace(-0.3, 1.0, 8).reshape(2, 4)
    return layer


def test_zero_points_are_subtracted_from_weights_where_that_is_exact() -> None:
    weight = read_weight(shifted(4)).weight()
    assert weight.codes.min() < 0 and weight.codes.max() > 8
    np.testing.assert_allclose(weight.values, shifted(4).quant_weight().value.detach(), rtol=1e-6)


def test_asymmetric_weights_of_more_bits_than_the_hardware_has_are_refused_with_the_reason() -> None:
    layer = shifted(9)
    with pytest.raises(UnsupportedError) as caught:
        read_weight(layer).weight()
    assert "its weights have the zero point " in str(caught.value) and "depends on the data" in str(caught.value)
