"""The front end for float modules: the graph computes what torch computes, and refuses what it cannot."""

from __future__ import annotations

import numpy as np
import pytest
from torch import Tensor

torch = pytest.importorskip("torch", reason="needs torch")
from torch import nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402, N812

from headrace.errors import InputError, UnsupportedError  # noqa: E402
from headrace.frontend.torch.float_module import from_float_module  # noqa: E402
from headrace.network.float_graph import FloatConv  # noqa: E402
from headrace.network.ops import Affine  # noqa: E402
from headrace.quantizing.runner import Runner  # noqa: E402


def randomized(module: nn.Module) -> nn.Module:
    """The module in eval mode with batch norms that have seen data."""
    generator = torch.Generator().manual_seed(0)
    for item in module.modules():
        if isinstance(item, nn.BatchNorm1d | nn.BatchNorm2d):
            for name, low in (("weight", -1.0), ("bias", -1.0), ("running_mean", -1.0), ("running_var", 0.3)):
                tensor = getattr(item, name).data
                tensor.copy_(torch.rand(tensor.shape, generator=generator) + low)
    return module.eval()


class Branches(nn.Module):
    """Residual sum, concatenation, functional forms and a global average."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(2, 6, 3, padding="same", bias=False)
        self.norm = nn.BatchNorm2d(6)
        self.depthwise = nn.Conv2d(6, 6, 3, padding=1, groups=6)
        self.side = nn.Conv2d(6, 4, 1)
        self.tail = nn.Linear(10, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.norm(self.stem(x)))
        y = F.hardtanh(self.depthwise(x) + x, -2.0, 2.0)
        y = torch.cat([y, F.relu6(self.side(x))], dim=1)
        y = F.dropout(F.max_pool2d(y, 2), training=self.training)
        return self.tail(y.mean((2, 3)))


class Overwriting(nn.Module):
    """Sums of a tensor with itself, and activations that overwrite what is read again."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.conv, self.join = nn.Conv2d(2, 3, 3), nn.Conv2d(3, 3, 1), nn.Conv2d(9, 2, 1)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        x = self.conv(self.relu(x)) + x
        y = self.conv(x)
        F.relu(y, inplace=True)
        z = self.conv(y)
        z.relu_()
        return self.join(torch.cat([y + y, z, y], 1))


MODULES = {
    "overwriting": (Overwriting, (2, 5, 6)),
    "branches": (Branches, (2, 8, 6)),
    "pools": (lambda: nn.Sequential(
        nn.Conv2d(1, 3, (3, 2), stride=(2, 1), padding=(1, 0), dilation=(1, 2)), nn.BatchNorm2d(3), nn.ReLU(),
        nn.MaxPool2d(3, 2, padding=1), nn.Conv2d(3, 4, 1), nn.Hardtanh(), nn.AvgPool2d(2, padding=1), nn.Dropout2d(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Identity(), nn.Linear(4, 2)), (1, 13, 11)),
    "signal": (lambda: nn.Sequential(
        nn.Conv1d(3, 5, 4, stride=2, padding=1), nn.BatchNorm1d(5), nn.ReLU(), nn.MaxPool1d(2), nn.Conv1d(5, 4, 2),
        nn.AvgPool1d(2), nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(4, 2)), (3, 26)),
    "vector": (lambda: nn.Sequential(nn.BatchNorm1d(7), nn.Linear(7, 4), nn.BatchNorm1d(4), nn.ReLU(),
                                     nn.Dropout(), nn.Linear(4, 3)), (7,)),
}


@pytest.mark.parametrize("name", MODULES)
def test_the_graph_computes_what_torch_computes(name: str) -> None:
    make, shape = MODULES[name]
    torch.manual_seed(1)
    module = randomized(make())
    x = torch.randn(5, *shape)
    net = from_float_module(module, x)
    np.testing.assert_allclose(Runner(net).scores(x.numpy()), module(x).detach().numpy(), rtol=1e-4, atol=1e-5)


def test_batch_norms_fold_into_the_layer_before_them_and_nowhere_else() -> None:
    module = randomized(nn.Sequential(nn.BatchNorm2d(2), nn.Conv2d(2, 3, 1), nn.BatchNorm2d(3)))
    net = from_float_module(module, (1, 2, 4, 4))
    assert [type(node.op) for node in net.nodes] == [Affine, FloatConv]


def test_training_mode_comes_back() -> None:
    module = Branches().train()
    from_float_module(module, (1, 2, 8, 6))
    assert module.training and module.norm.training


class Odd(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return torch.argmax(x, 1)


class OwnConv(nn.Conv2d):
    def forward(self, x: Tensor) -> Tensor:
        return 2 * super().forward(x)


REFUSED = {
    "several at once": (nn.Sequential(nn.Conv2d(1, 1, 1), nn.GLU(2), nn.LayerNorm(4)),
                        r"^2 modules or calls are not supported\n1 \(GLU\): no streaming layer does this; "
                        r"docs/torch.md lists what is read\n2 \(LayerNorm\): takes statistics of the data at run time; "
                        "use BatchNorm$"),
    "what has no calibration": (Odd(),
                                r"^1 operation is not supported\nargmax: \w+ has no calibration; leave it out, "),
    "a subclass with its own forward": (nn.Sequential(OwnConv(1, 1, 1)), "conv2d .conv2d.: is a function of weights"),
    "reflecting borders": (nn.Sequential(nn.Conv2d(1, 1, 3, padding=1, padding_mode="reflect")), "pad with zeros"),
    "incomplete windows": (nn.Sequential(nn.AvgPool2d(3, ceil_mode=True)), "use ceil_mode=0"),
    "adaptive pooling by unequal windows": (nn.Sequential(nn.AdaptiveAvgPool2d(3)), "use sizes that divide"),
    "a flatten of the batch": (nn.Sequential(nn.Flatten(0)), "keep the batch as the first axis"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_has_no_streaming_form_is_refused(what: str) -> None:
    module, sentence = REFUSED[what]
    with pytest.raises(UnsupportedError, match=sentence):
        from_float_module(module, (1, 1, 8, 8))


def test_inputs_that_do_not_fit_are_refused() -> None:
    with pytest.raises(InputError, match=r"0 .Conv2d.: a convolution of 1 input channels meets .* .2, 8, 8"):
        from_float_module(nn.Sequential(nn.Conv2d(1, 1, 1)), (1, 2, 8, 8))
    with pytest.raises(InputError, match="not a torch module"):
        from_float_module("model", (1, 2, 8, 8))
    with pytest.raises(InputError, match="another input, input2, without an example; give one for each"):
        from_float_module(nn.Bilinear(2, 2, 1), (1, 2))
    bad = nn.Sequential(nn.Linear(2, 1))
    bad[0].weight.data[0, 0] = float("nan")
    with pytest.raises(InputError, match=r"^0 \(Linear\): 1 of 2 values of weights are NaN or infinite; retrain"):
        from_float_module(bad, (1, 2))
