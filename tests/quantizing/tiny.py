"""A tiny float CNN and its data: a residual sum, a concatenation, max and average pooling, three classes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

Batch = tuple[np.ndarray, np.ndarray]


class TinyNet(nn.Module):
    """(N, 1, 6, 6) -> three scores."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(1, 2, 3, padding=1)
        self.second = nn.Conv2d(2, 2, 3, padding=1)
        self.left, self.right = nn.Conv2d(2, 2, 1), nn.Conv2d(2, 1, 1)
        self.relu, self.pool, self.mean = nn.ReLU(), nn.MaxPool2d(2), nn.AdaptiveAvgPool2d(1)
        self.last = nn.Linear(3, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool(self.relu(self.first(x)))
        x = self.relu(x + self.second(x))
        x = torch.cat([self.relu(self.left(x)), self.relu(self.right(x))], 1)
        return self.last(torch.flatten(self.mean(x), 1))


def _made(make: Callable[[], nn.Module]) -> nn.Module:
    """A module of seed 0 whose scores have the mean 0, so that every class is found about as often."""
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(0)
        module = make().eval()
        last = list(module.modules())[-1]
        last.bias -= module(torch.rand(256, 1, 6, 6)).mean(0)
        return module


def tiny_net() -> nn.Module:
    return _made(TinyNet)


def tiny_chain() -> nn.Module:
    """(N, 1, 6, 6) -> three scores, without branches."""
    return _made(lambda: nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(8, 3)))


def tiny_data(module: nn.Module, batches: int = 4, seed: int = 0) -> list[Batch]:
    """Images of sixteen grey levels k/16, and the classes that the float network finds, one in eight of them moved.

    Every method gives such images the 4-bit codes k, so that networks of several methods can read the same input.
    """
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(batches):
        x = (rng.integers(0, 16, (16, 1, 6, 6)) / 16).astype(np.float32)
        with torch.no_grad():
            labels = module(torch.from_numpy(x)).argmax(1).numpy()
        made.append((x, np.where(rng.random(16) < 1 / 8, (labels + 1) % 3, labels)))
    return made
