"""A residual CNN for pieces of clothing (Fashion-MNIST), trained with 4-bit weights and activations in two minutes.

    headrace build examples/fashion_residual/model.py:trained --out build/fashion --board pynq-z2 --fps 2000

Two blocks with a shortcut each, stride 2 in front of each, the mean of every channel, one dense layer. Both sides of a
sum go through one quantizer, so they have one scale. The 10,000 test images of Fashion-MNIST are enough: the first
8,000 train, the others are held out. They are read from build/fashion-mnist or ../shared/datasets/fashion-mnist. Where
they are in neither, scikit-learn's digits, enlarged to 28 x 28, take their place. The trained state is kept in build/.
"""

from __future__ import annotations

import gzip
import hashlib
import os
from pathlib import Path
from typing import Any

import brevitas.nn as qnn
import numpy as np
import torch
from brevitas.quant import Int8WeightPerChannelFloat, Uint8ActPerTensorFloat
from numpy.typing import NDArray
from torch import nn

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = (ROOT / "build" / "fashion-mnist", ROOT.parent / "shared" / "datasets" / "fashion-mnist")
FILES = ("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz")
SEED, EPOCHS, BATCH, BITS = 1, 8, 64, 4

Data = tuple[NDArray[np.float32], NDArray[np.int64]]


def _act() -> nn.Module:
    return qnn.QuantReLU(bit_width=BITS)


def _conv(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    conv = qnn.QuantConv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False, weight_bit_width=BITS,
                           weight_quant=Int8WeightPerChannelFloat)
    return nn.Sequential(conv, nn.BatchNorm2d(outputs))


class Block(nn.Module):
    """Half the height and width, then x + conv(conv(x))."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.down = nn.Sequential(_conv(inputs, outputs, 2), nn.ReLU())
        self.branch = nn.Sequential(_conv(outputs, outputs), _act(), _conv(outputs, outputs), nn.ReLU())
        self.join, self.out = _act(), _act()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.join(self.down(x))
        summed: torch.Tensor = self.out(x + self.join(self.branch(x)))
        return summed


class FashionResidual(nn.Module):
    """Images (N, 1, 28, 28) in [0, 1] -> ten scores."""

    def __init__(self) -> None:
        super().__init__()
        # Pixels are 0 to 255 in their files: 8 bits of the scale 1/255 hold them exactly.
        self.pixels = qnn.QuantIdentity(act_quant=Uint8ActPerTensorFloat, bit_width=8, scaling_impl_type="const",
                                        scaling_init=1.0)
        self.blocks = nn.Sequential(Block(1, 16), Block(16, 32))
        self.classify = qnn.QuantLinear(32, 10, bias=True, weight_bit_width=BITS,
                                        weight_quant=Int8WeightPerChannelFloat)

    def forward(self, x: torch.Tensor) -> Any:
        return self.classify(self.blocks(self.pixels(x)).mean((2, 3)))


def _values(path: Path, header: int) -> NDArray[np.uint8]:
    with gzip.open(path) as file:
        return np.frombuffer(file.read(), np.uint8, offset=header)


def _digits() -> Data:
    from sklearn.datasets import load_digits

    digits = load_digits()
    enlarged = np.kron(digits.images / 16, np.ones((3, 3)))
    return np.pad(enlarged, ((0, 0), (2, 2), (2, 2))).astype(np.float32)[:, None], digits.target.astype(np.int64)


def data() -> tuple[Data, Data]:
    """(training images, labels), (held-out images, labels): four fifths and one fifth."""
    folder = next((folder for folder in FOLDERS if all((folder / name).is_file() for name in FILES)), None)
    if folder is None:
        x, y = _digits()
    else:
        x = (_values(folder / FILES[0], 16).reshape(-1, 1, 28, 28) / 255).astype(np.float32)
        y = _values(folder / FILES[1], 8).astype(np.int64)
    first = len(x) * 4 // 5
    return (x[:first], y[:first]), (x[first:], y[first:])


def held_out() -> Data:
    """Images (N, 1, 28, 28) and labels (N,) that training has not seen."""
    return data()[1]


def train(epochs: int, images: NDArray[np.float32], labels: NDArray[np.int64]) -> nn.Module:
    """The network after so many epochs, in eval mode; on one thread, so that sums have one order on every machine."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(SEED)
            model = FashionResidual()
            _train(model, epochs, torch.from_numpy(images), torch.from_numpy(labels))
            return model.eval()
    finally:
        torch.set_num_threads(threads)


def _train(model: nn.Module, epochs: int, x: torch.Tensor, y: torch.Tensor) -> None:
    optimizer = torch.optim.Adam(model.parameters(), lr=0.005)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs)
    loss = nn.CrossEntropyLoss()
    for _ in range(epochs):
        for batch in torch.randperm(len(x)).split(BATCH):
            optimizer.zero_grad()
            loss(model(x[batch]), y[batch]).backward()
            optimizer.step()
        schedule.step()


def _state_file(images: NDArray[np.float32]) -> Path:
    """Where the trained state lies: a new file for a new source, torch or data."""
    parts = Path(__file__).read_bytes() + torch.__version__.encode() + images.tobytes()
    return ROOT / "build" / "fashion_residual" / f"state-{hashlib.sha256(parts).hexdigest()[:16]}.pt"


def trained() -> tuple[nn.Module, torch.Tensor]:
    """The trained network in eval mode and an example input (1, 1, 28, 28)."""
    images, labels = data()[0]
    path = _state_file(images)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_suffix(f".{os.getpid()}.partial")
        torch.save(train(EPOCHS, images, labels).state_dict(), beside)
        beside.replace(path)
    model = FashionResidual()
    model.load_state_dict(torch.load(path, weights_only=True))
    return model.eval(), torch.zeros(1, 1, 28, 28)


def main() -> None:
    """Save images and labels for `headrace predict` and `headrace compare`, and print the accuracy in float32."""
    network, _ = trained()
    x, y = held_out()
    with torch.no_grad():
        right = np.mean(network(torch.from_numpy(x)).argmax(1).numpy() == y)
    print(f"held-out accuracy {right:.2%} of {len(y)} images")
    np.save(ROOT / "build" / "fashion_residual" / "x.npy", x)
    np.save(ROOT / "build" / "fashion_residual" / "labels.npy", y)


if __name__ == "__main__":
    main()
