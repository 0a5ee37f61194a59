"""A detector with two heads, trained with quantized weights and activations on synthetic boxes in about a minute.

    headrace build examples/detector/model.py:trained --out build/detector_accelerator

32x32 images hold bright boxes on noise. The head `fine` (stride 4) finds small ones, `coarse` (stride 8) large ones.
Every cell gives a score and the box: centre, width and height, in pixels relative to the cell. LeakyReLU, nearest
upsampling and a skip connection lie in front of the fine head.
"""

from __future__ import annotations

from typing import Any

import brevitas.nn as qnn
import torch
from brevitas.quant import Int8ActPerTensorFixedPoint, Int8WeightPerChannelFloat
from torch import nn
from torch.nn import functional

SEED, STEPS, BATCH, SIDE = 1, 150, 32, 32
#: Strides of the heads, and the sides of the boxes that each finds.
HEADS = {"fine": (4, (4, 9)), "coarse": (8, (12, 20))}


def _quantizer(bits: int, largest: float) -> nn.Module:
    """Codes of one constant step, so that branches that meet have the same."""
    return qnn.QuantIdentity(act_quant=Int8ActPerTensorFixedPoint, bit_width=bits, scaling_impl_type="const",
                             scaling_init=largest)


def _block(into: int, out: int, stride: int = 1) -> nn.Sequential:
    conv = qnn.QuantConv2d(into, out, 3, stride=stride, padding=1, bias=False, weight_bit_width=4,
                           weight_quant=Int8WeightPerChannelFloat)
    return nn.Sequential(conv, nn.BatchNorm2d(out), nn.LeakyReLU(0.125), _quantizer(5, 4.0))


def _head(into: int) -> nn.Module:
    return qnn.QuantConv2d(into, 5, 1, bias=True, weight_bit_width=6, weight_quant=Int8WeightPerChannelFloat)


class Detector(nn.Module):
    """1x32x32 images -> {"fine": (5, 8, 8), "coarse": (5, 4, 4)}."""

    def __init__(self) -> None:
        super().__init__()
        self.quantize = _quantizer(6, 2.0)
        self.stem = nn.Sequential(_block(1, 8, 2), _block(8, 16, 2))
        self.down = _block(16, 24, 2)
        self.up, self.merge = nn.Upsample(scale_factor=2), _block(40, 16)
        self.fine, self.coarse = _head(16), _head(24)

    def forward(self, x: torch.Tensor) -> dict[str, Any]:
        """Both heads."""
        fine = self.stem(self.quantize(x))
        coarse = self.down(fine)
        merged = self.merge(torch.cat([self.up(coarse), fine], 1))
        return {"fine": self.fine(merged), "coarse": self.coarse(coarse)}


def boxes(count: int, seed: int) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    """Images with one small and one large box each, and what each cell should give: is there a centre, and its box."""
    draw = torch.Generator().manual_seed(seed)
    images = 0.2 * torch.randn(count, 1, SIDE, SIDE, generator=draw)
    targets = {name: torch.zeros(count, 5, SIDE // stride, SIDE // stride) for name, (stride, _) in HEADS.items()}
    for index in range(count):
        for name, (stride, (least, most)) in HEADS.items():
            width, height = torch.randint(least, most, (2,), generator=draw).tolist()
            left, top = (int(torch.randint(0, SIDE - size, (), generator=draw)) for size in (width, height))
            images[index, 0, top : top + height, left : left + width] += 1.0
            x, y = left + width / 2, top + height / 2
            column, row = int(x // stride), int(y // stride)
            targets[name][index, :, row, column] = torch.tensor(
                [1.0, x / stride - column, y / stride - row, width / stride, height / stride])
    return images, targets


def _loss(made: dict[str, Any], wanted: dict[str, torch.Tensor]) -> torch.Tensor:
    total = torch.zeros(())
    for name, target in wanted.items():
        there = target[:, :1]
        total = total + functional.binary_cross_entropy_with_logits(made[name][:, :1], there,
                                                                    pos_weight=torch.tensor(8.0))
        total = total + (there * (made[name][:, 1:] - target[:, 1:]).abs()).sum() / there.sum() / 4
    return total


def found(made: dict[str, Any], wanted: dict[str, torch.Tensor]) -> float:
    """Share of the boxes whose cell has the highest score of its head."""
    hits = [made[name][:, 0].flatten(1).argmax(1) == target[:, 0].flatten(1).argmax(1)
            for name, target in wanted.items()]
    return float(torch.stack(hits).float().mean())


def train(steps: int = STEPS) -> Detector:
    """A detector after so many steps."""
    torch.manual_seed(SEED)
    model = Detector()
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    for step in range(steps):
        images, wanted = boxes(BATCH, step)
        optimizer.zero_grad()
        _loss(model(images), wanted).backward()
        optimizer.step()
    model.eval()
    return model


def trained() -> tuple[nn.Module, tuple[int, ...]]:
    """The trained detector and the shape of an example."""
    return train(), (1, 1, SIDE, SIDE)


def barely_trained() -> tuple[nn.Module, tuple[int, ...]]:
    """The same after a few steps, for a quick look at the flow."""
    return train(5), (1, 1, SIDE, SIDE)


if __name__ == "__main__":
    detector = train()
    held_out, answers = boxes(200, 10**6)
    with torch.no_grad():
        print(f"{100 * found(detector(held_out), answers):.0f} % of the boxes are found")
