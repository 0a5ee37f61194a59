"""A small quantized CNN for scikit-learn's 8x8 handwritten digits, trained in about a minute.

    headrace build examples/digits/model.py:trained --out build/digits_accelerator

Bipolar, ternary and 4-bit weights, 2-bit activations; 3x3 convolutions, the first one padded, one max pool and two
dense layers. The trained state is kept in build/digits and made again when this file changes.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import brevitas.nn as qnn
import numpy as np
import torch
from brevitas.quant import (
    Int8WeightPerChannelFloat,
    SignedBinaryWeightPerTensorConst,
    SignedTernaryWeightPerTensorConst,
    Uint8ActPerTensorFixedPoint,
)
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn

SEED = 3
EPOCHS = 60
BATCH = 64
HELD_OUT = 360
CACHE = Path(__file__).resolve().parents[2] / "build" / "digits"


class DigitsCnn(nn.Sequential):
    """1x8x8 pixels in [0, 1] -> ten scores."""

    def __init__(self) -> None:
        super().__init__(
            # 16 grey levels: 4 bits with the scale 1/16 represent the pixels exactly, but for full black.
            qnn.QuantIdentity(act_quant=Uint8ActPerTensorFixedPoint, bit_width=4, scaling_impl_type="const",
                              scaling_init=15 / 16),
            qnn.QuantConv2d(1, 16, 3, padding=1, bias=False, weight_quant=Int8WeightPerChannelFloat,
                            weight_bit_width=4),
            nn.BatchNorm2d(16),
            qnn.QuantReLU(bit_width=2),
            qnn.QuantConv2d(16, 32, 3, bias=False, weight_quant=SignedBinaryWeightPerTensorConst),
            nn.BatchNorm2d(32),
            nn.MaxPool2d(2),
            qnn.QuantReLU(bit_width=2),
            nn.Flatten(),
            qnn.QuantLinear(32 * 3 * 3, 64, bias=False, weight_quant=SignedTernaryWeightPerTensorConst),
            nn.BatchNorm1d(64),
            qnn.QuantReLU(bit_width=2),
            qnn.QuantLinear(64, 10, bias=True, weight_quant=SignedBinaryWeightPerTensorConst),
        )


def _split() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Training and held-out images (N, 1, 8, 8) in [0, 1] with their labels."""
    digits = load_digits()
    images = (digits.images / 16).astype(np.float32)[:, None]
    x, x_held_out, y, y_held_out = train_test_split(images, digits.target, test_size=HELD_OUT, random_state=SEED,
                                                    stratify=digits.target)
    return x, x_held_out, y, y_held_out


def held_out() -> tuple[np.ndarray, np.ndarray]:
    """Images (360, 1, 8, 8) float32 and labels (360,) that training has not seen."""
    _, images, _, labels = _split()
    return images, labels


def _train(model: nn.Module) -> None:
    images, _, labels, _ = _split()
    x, y = torch.from_numpy(images), torch.from_numpy(labels)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, EPOCHS)
    loss = nn.CrossEntropyLoss()
    model.train()
    for _ in range(EPOCHS):
        for batch in torch.randperm(len(x)).split(BATCH):
            optimizer.zero_grad()
            loss(model(x[batch]), y[batch]).backward()
            optimizer.step()
        schedule.step()


def _deterministic_training(model: nn.Module) -> None:
    """Train on one thread, so that sums are taken in the same order on every machine."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        _train(model)
    finally:
        torch.set_num_threads(threads)


def _state_file() -> Path:
    """Where the trained state lies: a new file for a new source or torch."""
    source = Path(__file__).read_bytes() + torch.__version__.encode()
    return CACHE / f"state-{hashlib.sha256(source).hexdigest()[:16]}.pt"


def trained() -> tuple[nn.Module, Any]:
    """The trained model in eval mode and an example input (1, 1, 8, 8)."""
    path = _state_file()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        model = DigitsCnn()
        if not path.exists():
            _deterministic_training(model)
            CACHE.mkdir(parents=True, exist_ok=True)
            beside = path.with_suffix(f".{os.getpid()}.partial")
            torch.save(model.state_dict(), beside)
            beside.replace(path)
        model.load_state_dict(torch.load(path, weights_only=True))
    return model.eval(), torch.zeros(1, 1, 8, 8)


if __name__ == "__main__":
    network, _ = trained()
    pixels, targets = held_out()
    with torch.no_grad():
        scores = network(torch.from_numpy(pixels))
    print(f"held-out accuracy {np.mean(scores.argmax(1).numpy() == targets):.2%} of {len(targets)} images")
