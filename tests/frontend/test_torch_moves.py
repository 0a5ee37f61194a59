"""Slices, gathers and orders of channels as people write them in a forward: torch's own output."""

from __future__ import annotations

import brevitas.nn as qnn
import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

import headrace as hr
from headrace.errors import UnsupportedError
from tests.frontend.test_torch_catalogue import Call, behind, calibrated, conv, plain, require_torchs_output


def quant(bits: int = 6) -> nn.Module:
    return qnn.QuantIdentity(bit_width=bits)


#: Functions of a feature map (4, 4, 6) and how many channels they leave.
MOVES: dict[str, tuple[nn.Module, int]] = {
    "step": (lambda x: x[:, ::2], 2), "open ends": (lambda x: x[:, -3:], 3), "one channel": (lambda x: x[:, 2:3], 1),
    "index and unsqueeze": (lambda x: x[:, 1].unsqueeze(1), 1), "select": (lambda x: x.select(1, -1)[:, None], 1),
    "pixels": (lambda x: x[..., ::2], 4), "rows and columns": (lambda x: x[:, :, 1:-1, 2:5], 4),
    "all axes": (lambda x: x[:, 1:, ::2, 1:4], 3), "narrow": (lambda x: x.narrow(1, 1, 2), 2),
    "narrow columns": (lambda x: torch.narrow(x, 3, 1, 4), 4), "list": (lambda x: x[:, [3, 0, 0]], 3),
    "list and slices": (lambda x: x[:, [3, 1], 1:, ::2], 2),
    "mask": (lambda x: x[:, torch.tensor([True, False, True, True])], 3),
    "split": (lambda x: torch.cat(torch.split(x, [1, 2, 1], 1)[1:], 1), 3),
    "chunk": (lambda x: torch.cat([x.chunk(2, 1)[1], x], 1), 6), "unbind": (lambda x: x.unbind(1)[2][:, None], 1),
    "tensor_split": (lambda x: x.tensor_split(3, dim=1)[0], 2),
    "flip": (lambda x: torch.flip(x, [1]), 4), "roll": (lambda x: torch.roll(x, -1, 1), 4),
    "shuffle by hand": (lambda x: x.view(-1, 2, 2, 4, 6).transpose(1, 2).reshape(-1, 4, 4, 6), 4),
    "half by reshape": (lambda x: x.view(-1, 2, 2, 4, 6)[:, 1], 2),
    "new axis": (lambda x: x[:, None, 2], 1),
    "pad channels": (lambda x: functional.pad(x, (0, 0, 0, 0, 1, 2)), 7),
    "crop by negative pads": (lambda x: functional.pad(x, (-2, 0, -1, -1)), 4),
    "option a": (lambda x: functional.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, 2, 2)), 8),
    "sum of rows": (lambda x: x.sum(2, keepdim=True), 4),
}


@pytest.mark.parametrize("quantizer", ["before", "behind"])
@pytest.mark.parametrize("name", MOVES)
def test_moves_in_a_forward(name: str, quantizer: str) -> None:
    torch.manual_seed(5)
    move, channels = MOVES[name]
    around = [quant(), Call(move)] if quantizer == "before" else [Call(move), quant()]
    require_torchs_output(behind(conv(4, 4), *around, conv(channels, 2, 1)))


def test_the_host_turns_pictures_around() -> None:
    torch.manual_seed(6)
    inner = nn.Sequential(quant(8), conv(3, 4))
    module = Call(lambda s, x: s.inner(x.flip([1, 3])), inner=inner).eval()
    x = calibrated(module)
    got = hr.load(module, x[:1]).predict(x.numpy())
    np.testing.assert_allclose(got, plain(module(x)), rtol=1e-5, atol=2e-6)


@pytest.mark.parametrize(("move", "sentence"), [
    (lambda x: x[:, [1, 2], [0, 1]], "is indexed by several lists, or by one beside numbers or None; use slices"),
    (lambda x: x.roll(1), "rolls a flattened tensor; name the axes in dims"),
    (lambda x: x.flip(3), "a stream carries pixels row by row"),
])
def test_moves_that_no_layer_does(move: nn.Module, sentence: str) -> None:
    module = behind(conv(4, 4), quant(), Call(move), conv(4, 2, 1)).eval()
    with pytest.raises(UnsupportedError) as error:
        hr.load(module, torch.zeros(1, 3, 4, 6))
    assert sentence in str(error.value)
