"""Networks with several outputs are quantized as those with one; no accuracy is measured of them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from headrace.errors import InputError
from headrace.model import load
from headrace.quantizing.api import quantize
from headrace.quantizing.settings import Settings


class Heads(nn.Module):
    """A trunk with two heads of different shapes."""

    def __init__(self) -> None:
        super().__init__()
        self.trunk = nn.Conv2d(3, 6, 3, padding=1)
        self.map = nn.Conv2d(6, 2, 1)
        self.classes = nn.Linear(6 * 16, 5)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        h = torch.relu(self.trunk(x))
        return self.map(h), self.classes(torch.flatten(h, 1))


def heads() -> tuple[Heads, np.ndarray]:
    torch.manual_seed(4)
    return Heads().eval(), np.random.default_rng(0).normal(0, 1, (48, 3, 4, 4)).astype(np.float32)


@pytest.mark.parametrize("method", ["ggd", "affine", "ptq", "coarse-to-fine", "auto"])
def test_every_output_is_close(method: str) -> None:
    module, x = heads()
    result = quantize(module, [x], Settings(method))
    made = list(load(result.network).predict(x).values())
    with torch.no_grad():
        wanted = [part.numpy() for part in module(torch.from_numpy(x))]
    assert [part.shape for part in made] == [part.shape for part in wanted]
    for got, value in zip(made, wanted, strict=True):
        assert np.sqrt(np.mean((got - value) ** 2)) < 0.05 * value.std()


def test_labels_belong_to_one_output() -> None:
    module, x = heads()
    with pytest.raises(InputError) as caught:
        quantize(module, [(x, np.zeros(len(x), np.int64))], Settings("affine"))
    assert str(caught.value) == ("the model has 2 outputs, and labels belong to one; give data without labels, or wrap "
                                 "the model in one with one output")
