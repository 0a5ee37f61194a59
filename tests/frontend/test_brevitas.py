"""Modules of Brevitas layers: every code against the exact reading, and against torch up to rounding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
import pytest
from torch import Tensor

torch = pytest.importorskip("torch", reason="torch is not installed")
qnn = pytest.importorskip("brevitas.nn", reason="brevitas is not installed")


from brevitas.inject.enum import FloatToIntImplType  # noqa: E402
from brevitas.quant import (  # noqa: E402
    Int8WeightPerChannelFloat,
    Int8WeightPerTensorFixedPoint,
    Int8WeightPerTensorFloat,
    Int32Bias,
    ShiftedUint8ActPerTensorFloat,
    SignedBinaryActPerTensorConst,
    SignedBinaryWeightPerTensorConst,
    SignedTernaryActPerTensorConst,
    SignedTernaryWeightPerTensorConst,
)
from torch import nn  # noqa: E402

from headrace.datatypes import BIPOLAR, TERNARY, Interval, int_type, uint_type  # noqa: E402
from headrace.difference.difference import difference  # noqa: E402
from headrace.frontend.torch.brevitas import from_module  # noqa: E402
from headrace.frontend.torch.brevitas_weights import read_weight  # noqa: E402
from headrace.network import ops  # noqa: E402
from tests.assert_exact import assert_exact  # noqa: E402
from tests.frontend.brevitas_modules import act  # noqa: E402


class WideInt8PerTensor(Int8WeightPerTensorFloat):
    """Uses the code -128 too."""

    narrow_range = False


T = TypeVar("T")
WEIGHTS = [
    {"weight_quant": SignedBinaryWeightPerTensorConst},
    {"weight_quant": SignedTernaryWeightPerTensorConst},
    *({"weight_quant": quant, "weight_bit_width": bits}
      for quant in (Int8WeightPerTensorFloat, Int8WeightPerChannelFloat, Int8WeightPerTensorFixedPoint,
                    WideInt8PerTensor) for bits in (2, 3, 4, 8)),
]


@pytest.mark.parametrize("options", WEIGHTS)
@pytest.mark.parametrize("layer", [lambda **o: qnn.QuantConv2d(2, 3, 3, **o), lambda **o: qnn.QuantLinear(7, 3, **o)])
def test_codes_times_scale_are_the_weights_in_float32(options: dict[str, object], layer: type[nn.Module]) -> None:
    torch.manual_seed(1)
    module = layer(**options)
    weight = read_weight(module).weight()
    codes = torch.from_numpy(weight.codes.astype(np.float32))
    scale = torch.from_numpy(weight.scale.astype(np.float32)).reshape(-1, *[1] * (codes.ndim - 1))
    assert torch.equal(codes * scale, module.quant_weight().value)
    assert len(weight.scale) == (3 if options["weight_quant"] is Int8WeightPerChannelFloat else 1)


def test_types_of_weights() -> None:
    types = [read_weight(qnn.QuantLinear(4, 2, **options)).dtype for options in WEIGHTS[:6]]
    assert types == [BIPOLAR, TERNARY, TERNARY, Interval(-3, 3), Interval(-7, 7), Interval(-127, 127)]
    assert read_weight(qnn.QuantLinear(4, 2, weight_quant=WideInt8PerTensor)).dtype == int_type(8)


def activation(rng: np.random.Generator) -> nn.Module:
    bits = int(rng.integers(1, 5))
    scale = float(rng.uniform(0.5, 2))
    return [
        lambda: act(qnn.QuantReLU, bit_width=bits, scaling_init=scale),
        lambda: act(qnn.QuantIdentity, bit_width=bits + 1, scaling_init=scale),
        lambda: qnn.QuantHardTanh(bit_width=bits + 1, max_val=scale, min_val=-scale),
        lambda: qnn.QuantIdentity(act_quant=SignedBinaryActPerTensorConst),
        lambda: qnn.QuantIdentity(act_quant=SignedTernaryActPerTensorConst),
    ][rng.integers(5)]()


def is_bipolar(module: nn.Module) -> bool:
    return getattr(module, "act_quant", None) is not None and float(module.act_quant.bit_width()) == 1 and bool(
        module.act_quant.is_signed)


def scramble(module: nn.Module, rng: np.random.Generator) -> None:
    """Random statistics and parameters of a batch norm: some channels negative, some zero."""
    for item in module.modules():
        if isinstance(item, nn.BatchNorm1d | nn.BatchNorm2d):
            size = item.num_features
            item.running_mean.copy_(torch.from_numpy(rng.normal(size=size)))
            item.running_var.copy_(torch.from_numpy(rng.uniform(0.05, 2, size)))
            item.weight.data.copy_(torch.from_numpy(rng.choice([-1.1, -0.3, 0.0, 0.7, 1.9], size)))
            item.bias.data.copy_(torch.from_numpy(rng.normal(size=size)))


def random_model(seed: int) -> tuple[nn.Module, tuple[int, ...]]:
    """A small network without training: non-square images, every kind of weight and activation, any place to pool."""
    rng = np.random.default_rng(seed)
    torch.manual_seed(seed)

    def pick(options: Sequence[T]) -> T:
        return options[int(rng.integers(len(options)))]

    shape = (int(rng.integers(1, 3)), int(rng.integers(7, 9)), int(rng.integers(8, 11)))
    layers: list[nn.Module] = [act(qnn.QuantIdentity, bit_width=int(rng.integers(2, 9)), scaling_init=2.0)]
    channels = shape[0]
    for stage in range(2):
        out = int(rng.integers(2, 4))
        padding = 0 if is_bipolar(layers[-1]) else pick([0, 1, (1, 0)])
        layers.append(qnn.QuantConv2d(channels, out, pick([2, (2, 1), 3]), padding=padding, bias=bool(rng.integers(2)),
                                      **pick(WEIGHTS)))
        block = [nn.BatchNorm2d(out), activation(rng)] if rng.integers(3) else [activation(rng)]
        if stage == 0:
            block.insert(int(rng.integers(len(block) + 1)), nn.MaxPool2d(2))
        layers += block
        # What stands last may be the pool; the quantizer before it says whether the next padding is legal.
        layers += [nn.Dropout(0.5)] if not isinstance(layers[-1], nn.MaxPool2d) and rng.integers(2) else []
        if isinstance(layers[-1], nn.MaxPool2d | nn.Dropout):
            layers.append(activation(rng))
        channels = out
    layers.append(nn.Flatten())
    with torch.no_grad():
        features = nn.Sequential(*layers).eval()(torch.zeros(1, *shape)).shape[1]
    layers += [qnn.QuantLinear(features, 4, bias=True, **pick(WEIGHTS)), nn.BatchNorm1d(4), activation(rng),
               qnn.QuantLinear(4, 3, bias=bool(rng.integers(2)), **pick(WEIGHTS))]
    model = nn.Sequential(*layers)
    scramble(model, rng)
    return model.eval(), shape


@pytest.mark.parametrize("seed", range(30))
def test_random_models_are_exact_and_torch_agrees_up_to_rounding(seed: int) -> None:
    model, shape = random_model(seed)
    x = np.random.default_rng(seed).normal(size=(40, *shape)).astype(np.float32)
    assert assert_exact(from_module(model, x), x[:2]) > 50
    report = difference(model, x)
    assert report.explained, str(report)


class Functional(nn.Module):
    """Functions instead of modules, a view with the batch size, a constant and a shared activation."""

    def __init__(self) -> None:
        super().__init__()
        self.quant = act(qnn.QuantIdentity, bit_width=4)
        self.conv = qnn.QuantConv2d(1, 2, 3, weight_bit_width=3, bias=True)
        self.act = act(qnn.QuantReLU, bit_width=2)
        self.fc1 = qnn.QuantLinear(8, 4, weight_bit_width=3, bias=False)
        self.fc2 = qnn.QuantLinear(4, 3, weight_bit_width=3, bias=False)
        self.register_buffer("shift", torch.tensor([0.25, -0.5]).reshape(2, 1, 1))

    def forward(self, image: Tensor) -> Tensor:
        x = self.quant(2 * image - 1)
        x = torch.nn.functional.max_pool2d(torch.relu(self.conv(x) + self.shift), 2)
        x = self.act(x)
        x = self.act(self.fc1(x.view(x.shape[0], -1)))
        return self.fc2(torch.flatten(x, 1)) / 4


def test_functions_views_constants_and_shared_modules() -> None:
    torch.manual_seed(0)
    model = Functional().eval()
    x = np.random.default_rng(0).uniform(size=(30, 1, 6, 6)).astype(np.float32)
    network = from_module(model, torch.from_numpy(x))
    assert [node.name for node in network.nodes if isinstance(node.op, ops.Quantize)] == ["quant", "act", "act_2"]
    assert_exact(network, x[:3])
    assert difference(model, x).explained


def test_quantizers_of_a_layers_own_input_and_output_and_a_quantized_bias() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(
        qnn.QuantIdentity(bit_width=4, return_quant_tensor=True, scaling_impl_type="const", scaling_init=1.0),
        qnn.QuantConv2d(1, 2, 2, bias=True, bias_quant=Int32Bias, weight_bit_width=3,
                        output_quant=SignedBinaryActPerTensorConst),
        nn.Flatten(), qnn.QuantLinear(18, 2, bias=False, input_quant=SignedTernaryActPerTensorConst)).eval()
    network = from_module(model, (1, 1, 4, 4))
    assert [node.name for node in network.nodes] == ["0", "1", "1.output_quant", "2.reshape", "3.input_quant", "3"]
    x = np.random.default_rng(0).normal(size=(20, 1, 4, 4)).astype(np.float32)
    assert_exact(network, x[:3])
    assert difference(model, x).explained


def test_rounding_and_zero_point_are_read_from_the_module() -> None:
    module = qnn.QuantIdentity(act_quant=ShiftedUint8ActPerTensorFloat, bit_width=4,
                               float_to_int_impl_type=FloatToIntImplType.FLOOR)
    module(torch.tensor([-1.0, 3.0]))
    network = from_module(nn.Sequential(module.eval()), (1, 2))
    op = network.nodes[0].op
    assert isinstance(op, ops.Quantize) and (op.rounding, op.dtype) == ("floor", uint_type(4)) and op.zero_point > 0
    x = torch.linspace(-2, 4, 50)[:, None].repeat(1, 2)
    np.testing.assert_allclose(op.forward(x.numpy().astype(float)), module(x).detach().numpy(), rtol=1e-6, atol=1e-6)


def test_the_model_keeps_its_training_mode() -> None:
    model = nn.Sequential(act(qnn.QuantIdentity, bit_width=4), qnn.QuantLinear(2, 2, bias=False)).train()
    model[0].eval()
    from_module(model, (1, 2))
    assert model.training and model[1].training and not model[0].training
