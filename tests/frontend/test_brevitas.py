
from __future__ import annotations

from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")
qnn = pytest.importorskip("brevitas.nn", reason="brevitas is not installed")

from brevitas.inject.enum import FloatToIntImplType  # noqa: E402
from brevitas.quant import (  # noqa: E402
    Int8WeightPerChannelFloat,
    Int8WeightPerTensorFixedPoint,
    Int8WeightPerTensorFloat,
    Int32Bias,
    ShiftedUint8ActPerTensorFloat,
    ShiftedUint8WeightPerTensorFloat,
    SignedBinaryActPerTensorConst,
    SignedBinaryWeightPerTensorConst,
    SignedTernaryActPerTensorConst,
    SignedTernaryWeightPerTensorConst,
)
from torch import nn  # noqa: E402

from headrace.datatypes import BIPOLAR, TERNARY, Interval, int_type, uint_type  # noqa: E402
from headrace.difference.difference import difference  # noqa: E402
from headrace.errors import InputError, UnsupportedError  # noqa: E402
from headrace.frontend.torch.brevitas import from_module  # noqa: E402
from headrace.frontend.torch.brevitas_quantizers import read_weight  # noqa: E402
from headrace.network import ops  # noqa: E402
from tests.assert_exact import assert_exact  # noqa: E402


class WideInt8PerTensor(Int8WeightPerTensorFloat):
    """Uses the code -128 too."""

    narrow_range = False


WEIGHTS = [
    {"weight_quant": SignedBinaryWeightPerTensorConst},
    {"weight_quant": SignedTernaryWeightPerTensorConst},
    *({"weight_quant": quant, "weight_bit_width": bits}
      for quant in (Int8WeightPerTensorFloat, Int8WeightPerChannelFloat, Int8WeightPerTensorFixedPoint,
                    WideInt8PerTensor) for bits in (2, 3, 4, 8)),
]


@pytest.mark.parametrize("options", WEIGHTS)
@pytest.mark.parametrize("layer", [lambda **o: qnn.QuantConv2d(2, 3, 3, **o), lambda **o: qnn.QuantLinear(7, 3, **o)])
def test_codes_times_scale_are_the_weights_in_float32(options: Any, layer: Any) -> None:
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


def act(kind: Any, **options: Any) -> Any:
    """An activation with a fixed scale."""
    return kind(scaling_impl_type="const", scaling_init=options.pop("scaling_init", 1.0), **options)


def activation(rng: Any) -> nn.Module:
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


def scramble(module: nn.Module, rng: Any) -> None:
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
    pick = lambda options: options[rng.integers(len(options))]  # noqa: E731
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

    def forward(self, image: Any) -> Any:
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


def test_every_unsupported_module_is_named_at_once() -> None:
    model = nn.Sequential(qnn.QuantIdentity(), nn.GLU(2), nn.Sequential(nn.Conv2d(1, 1, 1), nn.LayerNorm(8)),
                          qnn.QuantSigmoid(), nn.MaxPool2d((1, 2)), nn.Flatten(0))
    with pytest.raises(UnsupportedError) as caught:
        from_module(model, (1, 1, 8, 8))
    assert str(caught.value).splitlines() == [
        "4 modules or calls are not supported",
        "1 (GLU): no streaming layer does this; docs/torch.md lists what is read",
        "2.0 (Conv2d): is not quantized; use brevitas.nn.QuantConv2d, or run headrace quantize on the float model",
        "2.1 (LayerNorm): takes statistics of the data at run time; use BatchNorm",
        "5 (Flatten): gives a tensor of shape (2, 1, 4, 4) the shape (32,), which mixes samples; keep the batch as the "
        "first axis"]


class TwoInputs(nn.Module):
    def forward(self, a: Any, b: Any) -> Any:
        return torch.relu(a)


class TwoOutputs(nn.Module):
    def forward(self, a: Any) -> tuple[Any, ...]:
        return torch.relu(a), a


class Branching(nn.Module):
    def forward(self, a: Any) -> Any:
        return a if a.sum() > 0 else -a


def with_nan() -> nn.Module:
    layer = qnn.QuantLinear(3, 2, bias=False)
    layer.weight.data[0, 1] = float("nan")
    return nn.Sequential(qnn.QuantIdentity(), layer)


REFUSED = [
    (TwoInputs, (1, 3), InputError, "the model has another input, b, but a streaming network has exactly one; pass a "
                                    "model with one input"),
    (TwoInputs, (np.zeros((1, 3)), np.zeros((1, 3))), InputError,
     "the model has 2 inputs but a streaming network has exactly one; pass a model with one input"),
    (TwoOutputs, (1, 3), InputError, "the model has 2 outputs (relu, input) but a streaming network has exactly one; "
                                     "export a model with one output"),
    (with_nan, (1, 3), InputError, "1 (QuantLinear): 1 of its 6 weights are NaN or infinite; retrain the model"),
    (lambda: nn.Sequential(nn.Linear(3, 3)), (1, 3), UnsupportedError,
     "1 module or call is not supported\n0 (Linear): is not quantized; use brevitas.nn.QuantLinear, or run headrace "
     "quantize on the float model"),
    (lambda: nn.Sequential(qnn.QuantLinear(3, 3, bias=False, weight_quant=None)), (1, 3), UnsupportedError,
     "1 module or call is not supported\n0 (QuantLinear): its weights are not quantized; give it a weight_quant"),
    (lambda: 5, (1, 3), InputError, "the model is of type int, not a torch module; pass a torch.nn.Module"),
    (lambda: nn.Sequential(qnn.QuantIdentity()), 5, InputError,
     "the example input 5 is no array or shape with a batch axis; pass an array (N, ...)"),
    (lambda: nn.Sequential(qnn.QuantLinear(3, 3, bias=False)), (1, 4), InputError,
     "0 (QuantLinear): weights for 3 inputs meet a tensor of shape (4,); mend the weights or the layer before"),
]


@pytest.mark.parametrize(("make", "example", "kind", "sentence"), REFUSED)
def test_bad_models_are_one_sentence(make: Any, example: tuple[int, int] | tuple[np.ndarray, np.ndarray] | int,
                                     kind: Any, sentence: str) -> None:
    with pytest.raises(kind) as caught:
        from_module(make(), example)
    assert str(caught.value) == sentence


def test_a_model_that_cannot_be_run_is_one_sentence() -> None:
    model = nn.Sequential(qnn.QuantIdentity(return_quant_tensor=True), nn.Flatten(),
                          qnn.QuantLinear(4, 2, bias=True, bias_quant=Int32Bias))
    with pytest.raises(InputError, match=r"^2 .QuantLinear.: weights for 4 inputs meet a tensor of shape .5,.; mend "):
        from_module(model, (1, 5))


def test_control_flow_that_depends_on_data_is_one_sentence() -> None:
    with pytest.raises(UnsupportedError, match=r"^Branching: its forward cannot be traced \(.*\); write it without"):
        from_module(Branching(), (1, 3))


class Scaled(nn.Module):
    """relu(conv(q(x)) * k) on a feature map of 4 channels that is 4 wide."""

    def __init__(self, k: torch.Tensor, flat: bool = False) -> None:
        super().__init__()
        self.quant = act(qnn.QuantIdentity, bit_width=4)
        self.layer = qnn.QuantLinear(4, 4, bias=False) if flat else qnn.QuantConv2d(2, 4, 1, bias=False)
        self.act = act(qnn.QuantReLU, bit_width=4)
        self.register_buffer("k", k)

    def forward(self, x: Any) -> Any:
        return self.act(self.layer(self.quant(x)) * self.k)


class ScaledInForward(Scaled):
    def forward(self, x: Any) -> Any:
        return self.act(self.layer(self.quant(x)) * (self.k.reshape(1, -1, 1, 1) / 2))


FACTORS = torch.tensor([1.0, 0.1, 5.0, 0.02])


@pytest.mark.parametrize(("make", "shape"), [
    (lambda: Scaled(FACTORS.reshape(1, 4, 1, 1)), (2, 3, 4)), (lambda: Scaled(FACTORS.reshape(4, 1, 1)), (2, 3, 4)),
    (lambda: Scaled(FACTORS[:1]), (2, 3, 4)), (lambda: Scaled(FACTORS[2]), (2, 3, 4)),
    (lambda: ScaledInForward(FACTORS), (2, 3, 4)),
    (lambda: Scaled(FACTORS, flat=True), (4,)), (lambda: Scaled(FACTORS[None], flat=True), (4,)),
])
def test_constants_along_the_channels_are_what_torch_computes(make: Any, shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    model = make().eval()
    x = np.random.default_rng(0).normal(size=(20, *shape)).astype(np.float32)
    assert difference(model, x).explained


@pytest.mark.parametrize(("k", "flat", "shape"), [
    (FACTORS, False, (2, 3, 4)), (FACTORS.reshape(4, 1), False, (2, 4, 4)),
    (FACTORS.reshape(1, 1, 1, 4), False, (2, 3, 4))])
def test_constants_along_other_axes_are_torchs_too(k: Any, flat: bool, shape: tuple[int, int, int]) -> None:
    module = Scaled(k, flat).eval()
    x = np.random.default_rng(0).normal(size=(3, *shape)).astype(np.float32)
    network = from_module(module, x)
    wanted = module(torch.from_numpy(x)).detach().numpy()
    np.testing.assert_allclose(network.forward(x.astype(np.float64)), wanted, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("k", "flat", "shape"), [
    (FACTORS.reshape(4, 1, 1, 1), False, (2, 3, 4)), (FACTORS.reshape(4, 1), True, (4,)),
    (FACTORS.reshape(1, 4, 1, 1), True, (4,)), (FACTORS[:1].reshape(1, 1, 1), True, (4,))])
def test_constants_that_lie_along_the_batch_or_add_axes_are_refused(k: Any, flat: bool, shape: tuple[int, ...]) -> None:
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

    def forward(self, *args: Any) -> Any:
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
def test_batch_norms_of_another_rank_are_refused(norm: Any, shape: tuple[int, ...]) -> None:
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


class Attending(nn.Module):
    """Attention written by hand: two products, a softmax, and more behind them."""

    def __init__(self) -> None:
        super().__init__()
        self.quant, self.q, self.k, self.v = qnn.QuantIdentity(), *(qnn.QuantLinear(4, 4, bias=False) for _ in range(3))

    def forward(self, x: Any) -> Any:
        x = self.quant(x)
        weights = torch.softmax(self.q(x) @ self.k(x).transpose(1, 2) / 2, dim=-1)
        return self.v((weights @ self.v(x)).sum(1))


class Recurring(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.quant, self.lstm, self.head = qnn.QuantIdentity(), nn.LSTM(4, 4, batch_first=True), nn.Linear(4, 2)

    def forward(self, x: Any) -> Any:
        y, (h, _) = self.lstm(self.quant(x))
        return self.head(y[:, -1] + h[0])


@pytest.mark.parametrize(("make", "line"), [
    (Attending, "matmul (matmul): attention multiplies two computed tensors, which no streaming layer does; use "
                "convolutions, or leave this part to the host by splitting the model in front of it"),
    (Recurring, "lstm (LSTM): carries a state from step to step, which no streaming layer does; use feed-forward "
                "layers, for example convolutions along the time")])
def test_attention_and_recurrence_are_said_once(make: Any, line: str) -> None:
    with pytest.raises(UnsupportedError) as caught:
        from_module(make().eval(), (1, 5, 4))
    assert str(caught.value) == f"1 module or call is not supported\n{line}"


class Asserting(nn.Module):
    """Asks about shapes in every way, and returns early for shapes that it does not have."""

    def __init__(self) -> None:
        super().__init__()
        self.quant, self.conv = act(qnn.QuantIdentity, bit_width=4, return_quant_tensor=True), qnn.QuantConv2d(2, 3, 1)

    def forward(self, x: Any, mask: Any = None) -> Any:
        assert x.shape[1] == 2 and x.dim() == 4
        if x.size(2) > 100 or mask is not None:
            return x
        n, _, height, width = x.shape
        x = self.conv(self.quant(x))
        return x.view(n, 3, height * width).flatten(1).reshape(len(x), -1)


def test_questions_about_shapes_are_answered() -> None:
    torch.manual_seed(0)
    x = np.random.default_rng(0).normal(size=(5, 2, 3, 4)).astype(np.float32)
    assert difference(Asserting().eval(), x).explained


class Deciding(nn.Module):
    def forward(self, x: Any) -> Any:
        return x * float(x.max())


def test_numbers_that_depend_on_data_are_refused_with_the_way_out() -> None:
    for module in (Deciding(), Branching()):
        with pytest.raises(UnsupportedError, match=r"export it with brevitas.export.export_qonnx\(module, "):
            from_module(module, (1, 3))
