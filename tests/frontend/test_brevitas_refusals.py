"""What the Brevitas reader refuses, each with one sentence, and what it answers while it follows a module."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from torch import Tensor

torch = pytest.importorskip("torch", reason="torch is not installed")
qnn = pytest.importorskip("brevitas.nn", reason="brevitas is not installed")

from brevitas.quant import Int32Bias  # noqa: E402
from torch import nn  # noqa: E402

from headrace.difference.difference import difference  # noqa: E402
from headrace.errors import InputError, UnsupportedError  # noqa: E402
from headrace.frontend.torch.brevitas import from_module  # noqa: E402
from tests.frontend.brevitas_modules import act  # noqa: E402


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
    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        return torch.relu(a)


class Branching(nn.Module):
    def forward(self, a: Tensor) -> Tensor:
        return a if a.sum() > 0 else -a


def with_nan() -> nn.Module:
    layer = qnn.QuantLinear(3, 2, bias=False)
    layer.weight.data[0, 1] = float("nan")
    return nn.Sequential(qnn.QuantIdentity(), layer)


REFUSED = [
    (TwoInputs, (1, 3), InputError, "the model has another input, b, without an example; give one for each of its "
                                    "inputs, (module, (x, y))"),
    (TwoInputs, (np.zeros((1, 3)),) * 3, InputError,
     "the example has 3 inputs but the model takes a, b; correct it"),
    (TwoInputs, {"a": np.zeros((1, 3)), "c": np.zeros((1, 3))}, InputError,
     "the example has an input c but the model takes a, b; correct it"),
    (with_nan, (1, 3), InputError, "1 (QuantLinear): 1 of its 6 weights are NaN or infinite; retrain the model"),
    (lambda: nn.Sequential(nn.Linear(3, 3)), (1, 3), UnsupportedError,
     "1 module or call is not supported\n0 (Linear): is not quantized; use brevitas.nn.QuantLinear, or run headrace "
     "quantize on the float model"),
    (lambda: nn.Sequential(qnn.QuantLinear(3, 3, bias=False, weight_quant=None)), (1, 3), UnsupportedError,
     "1 module or call is not supported\n0 (QuantLinear): its weights are not quantized; give it a weight_quant"),
    (lambda: 5, (1, 3), InputError, "the model is of type int, not a torch module; pass a torch.nn.Module"),
    (lambda: nn.Sequential(qnn.QuantIdentity()), 5, InputError,
     "the example input 5 is not an array or shape with a batch axis; pass an array (N, ...)"),
    (lambda: nn.Sequential(qnn.QuantLinear(3, 3, bias=False)), (1, 4), InputError,
     "0 (QuantLinear): weights for 3 inputs meet a tensor of shape (4,); mend the weights or the layer before"),
]


@pytest.mark.parametrize(("make", "example", "kind", "sentence"), REFUSED)
def test_bad_models_are_one_sentence(make: Callable[[], nn.Module],
                                     example: tuple[int, int] | tuple[np.ndarray, np.ndarray] | int,
                                     kind: type[Exception], sentence: str) -> None:
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


class Attending(nn.Module):
    """Attention written by hand: two products, a softmax, and more behind them."""

    def __init__(self) -> None:
        super().__init__()
        self.quant, self.q, self.k, self.v = qnn.QuantIdentity(), *(qnn.QuantLinear(4, 4, bias=False) for _ in range(3))

    def forward(self, x: Tensor) -> Tensor:
        x = self.quant(x)
        weights = torch.softmax(self.q(x) @ self.k(x).transpose(1, 2) / 2, dim=-1)
        return self.v((weights @ self.v(x)).sum(1))


class Recurring(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.quant, self.lstm, self.head = qnn.QuantIdentity(), nn.LSTM(4, 4, batch_first=True), nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        y, (h, _) = self.lstm(self.quant(x))
        return self.head(y[:, -1] + h[0])


@pytest.mark.parametrize(("make", "line"), [
    (Attending, "matmul (matmul): attention multiplies two computed tensors, which no streaming layer does; use "
                "convolutions, or leave this part to the host by splitting the model in front of it"),
    (Recurring, "lstm (LSTM): carries a state from step to step, which no streaming layer does; use feed-forward "
                "layers, for example convolutions along the time")])
def test_attention_and_recurrence_are_said_once(make: Callable[[], nn.Module], line: str) -> None:
    with pytest.raises(UnsupportedError) as caught:
        from_module(make().eval(), (1, 5, 4))
    assert str(caught.value) == f"1 module or call is not supported\n{line}"


class Asserting(nn.Module):
    """Asks about shapes in every way, and returns early for shapes that it does not have."""

    def __init__(self) -> None:
        super().__init__()
        self.quant, self.conv = act(qnn.QuantIdentity, bit_width=4, return_quant_tensor=True), qnn.QuantConv2d(2, 3, 1)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
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
    def forward(self, x: Tensor) -> Tensor:
        return x * float(x.max())


def test_numbers_that_depend_on_data_are_refused_with_the_way_out() -> None:
    for module in (Deciding(), Branching()):
        with pytest.raises(UnsupportedError, match=r"export it with brevitas.export.export_qonnx\(module, "):
            from_module(module, (1, 3))
