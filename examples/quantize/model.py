"""A small float CNN for handwritten digits or pieces of clothing, its training, calibration and test data.

    headrace quantize examples/quantize/model.py:trained --data examples/quantize/model.py:calibration \\
        --test examples/quantize/model.py:test --method ggd+bft --weight-bits 4 --act-bits 4 --out build/mnist.npz
    headrace build build/mnist.npz --out build/mnist

Nine layers with weights, a residual sum in each of two blocks and a concatenation. MNIST is read from
../shared/datasets; where it is missing, scikit-learn's 8x8 digits take its place. `fashion`, `fashion_calibration` and
`fashion_test` are the same for Fashion-MNIST, of whose 10,000 test images 8,000 train and 2,000 test. The trained state
is kept in build/quantize.
"""

from __future__ import annotations

import gzip
import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

ROOT = Path(__file__).resolve().parents[2]
DATASETS = ROOT.parent / "shared" / "datasets"
MNIST = DATASETS / "mnist"
CACHE = ROOT / "build" / "quantize"
SEED, EPOCHS, FASHION_EPOCHS, BATCH = 1, 4, 8, 64
#: Training images used, and how many of them calibrate.
TRAINING, FASHION_TRAINING, CALIBRATION = 20_000, 8_000, 2_000

Data = tuple[NDArray[np.float32], NDArray[np.int64]]


@dataclass(frozen=True)
class Layers:
    """What the network is made of; `edge_conv` and `linear` are its first and its last layer."""

    conv: Callable[..., nn.Module] = nn.Conv2d
    edge_conv: Callable[..., nn.Module] = nn.Conv2d
    linear: Callable[..., nn.Module] = nn.Linear
    relu: Callable[[], nn.Module] = nn.ReLU


class Block(nn.Module):
    """relu(x + norm(conv(relu(norm(conv(x))))))."""

    def __init__(self, channels: int, layers: Layers) -> None:
        super().__init__()
        self.conv1 = layers.conv(channels, channels, 3, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(channels)
        self.conv2 = layers.conv(channels, channels, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(channels)
        self.relu1, self.relu2 = layers.relu(), layers.relu()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.relu1(self.norm1(self.conv1(x)))
        return self.relu2(x + self.norm2(self.conv2(y)))


def _reduce(conv: Callable[..., nn.Module], inputs: int, outputs: int, relu: nn.Module) -> nn.Sequential:
    """Half the height and width."""
    return nn.Sequential(conv(inputs, outputs, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(outputs), relu)


class DigitNet(nn.Module):
    """Images (N, 1, H, W) in [0, 1] -> ten scores."""

    def __init__(self, layers: Layers | None = None) -> None:
        super().__init__()
        made = layers or Layers()
        self.stem, self.block1 = _reduce(made.edge_conv, 1, 8, made.relu()), Block(8, made)
        self.down, self.block2 = _reduce(made.conv, 8, 16, made.relu()), Block(16, made)
        self.narrow = made.conv(16, 8, 1)
        self.wide = made.conv(16, 8, 3, padding=1)
        self.relu, self.pool = made.relu(), nn.AdaptiveAvgPool2d(1)
        self.classify = made.linear(16, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.block2(self.down(self.block1(self.stem(x))))
        x = torch.cat([self.relu(self.narrow(x)), self.relu(self.wide(x))], 1)
        return self.classify(torch.flatten(self.pool(x), 1))


def _idx(path: Path, header: int) -> NDArray[np.uint8]:
    with gzip.open(path) as file:
        return np.frombuffer(file.read(), np.uint8, offset=header)


def _images(folder: Path, prefix: str) -> Data:
    pixels = _idx(folder / f"{prefix}-images-idx3-ubyte.gz", 16).reshape(-1, 1, 28, 28)
    return (pixels / 255).astype(np.float32), _idx(folder / f"{prefix}-labels-idx1-ubyte.gz", 8).astype(np.int64)


def _digits() -> tuple[Data, Data]:
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    digits = load_digits()
    images = (digits.images / 16).astype(np.float32)[:, None]
    x, x_test, y, y_test = train_test_split(images, digits.target, test_size=500, random_state=SEED,
                                            stratify=digits.target)
    return (x, y.astype(np.int64)), (x_test, y_test.astype(np.int64))


def data() -> tuple[Data, Data]:
    """(training images, labels), (test images, labels)."""
    if not MNIST.is_dir():
        return _digits()
    x, y = _images(MNIST, "train")
    return (x[:TRAINING], y[:TRAINING]), _images(MNIST, "t10k")


def fashion_data() -> tuple[Data, Data]:
    """(training images, labels), (test images, labels) of Fashion-MNIST."""
    x, y = _images(DATASETS / "fashion-mnist", "t10k")
    return (x[:FASHION_TRAINING], y[:FASHION_TRAINING]), (x[FASHION_TRAINING:], y[FASHION_TRAINING:])


def _batches(x: NDArray[np.float32], y: NDArray[np.int64], size: int) -> list[Data]:
    return [(x[start : start + size], y[start : start + size]) for start in range(0, len(x), size)]


def calibration() -> list[Data]:
    """Batches of training images with labels."""
    x, y = data()[0]
    return _batches(x[:CALIBRATION], y[:CALIBRATION], BATCH)


def training() -> list[Data]:
    """Batches of all training images with labels."""
    return _batches(*data()[0], BATCH)


def test() -> list[Data]:
    """Batches of test images with labels."""
    return _batches(*data()[1], 500)


def fashion_calibration() -> list[Data]:
    """Batches of training images of Fashion-MNIST with labels."""
    x, y = fashion_data()[0]
    return _batches(x[:CALIBRATION], y[:CALIBRATION], BATCH)


def fashion_test() -> list[Data]:
    """Batches of test images of Fashion-MNIST with labels."""
    return _batches(*fashion_data()[1], 500)


def train(model: nn.Module, epochs: int, learning_rate: float, images: Data | None = None) -> None:
    """Train, on digits if no images are given; on one thread, so that sums have the same order on every machine."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        _train(model, epochs, learning_rate, images or data()[0])
    finally:
        torch.set_num_threads(threads)


def _train(model: nn.Module, epochs: int, learning_rate: float, pairs: Data) -> None:
    images, labels = (torch.from_numpy(array) for array in pairs)
    optimizer = torch.optim.Adam(model.parameters(), lr=learning_rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs)
    loss = nn.CrossEntropyLoss()
    model.train()
    for _ in range(epochs):
        for batch in torch.randperm(len(images)).split(BATCH):
            optimizer.zero_grad()
            loss(model(images[batch]), labels[batch]).backward()
            optimizer.step()
        schedule.step()


def _state_file(task: str) -> Path:
    """Where the trained state lies: a new file for a new source, torch or data set."""
    source = Path(__file__).read_bytes() + torch.__version__.encode() + str(MNIST.is_dir()).encode()
    return CACHE / f"{task}-{hashlib.sha256(source).hexdigest()[:16]}.pt"


def trained() -> tuple[nn.Module, Any]:
    """The model trained on digits, in eval mode, and an example input."""
    return _trained("digits", data, EPOCHS)


def fashion() -> tuple[nn.Module, Any]:
    """The model trained on Fashion-MNIST, in eval mode, and an example input."""
    return _trained("fashion", fashion_data, FASHION_EPOCHS)


def _trained(task: str, load: Callable[[], tuple[Data, Data]], epochs: int) -> tuple[nn.Module, Any]:
    path, (training_data, test_data) = _state_file(task), load()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        model = DigitNet()
        if not path.exists():
            train(model, epochs, 0.005, training_data)
            CACHE.mkdir(parents=True, exist_ok=True)
            beside = path.with_suffix(f".{os.getpid()}.partial")
            torch.save(model.state_dict(), beside)
            beside.replace(path)
        model.load_state_dict(torch.load(path, weights_only=True))
    return model.eval(), test_data[0][:1]
