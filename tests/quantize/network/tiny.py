"""A tiny float CNN and its data: a residual sum, a concatenation, max and average pooling, three classes."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

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

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.pool(self.relu(self.first(x)))
        x = self.relu(x + self.second(x))
        x = torch.cat([self.relu(self.left(x)), self.relu(self.right(x))], 1)
        return self.last(torch.flatten(self.mean(x), 1))


def tiny_net(seed: int = 0) -> TinyNet:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return TinyNet().eval()


def tiny_chain(seed: int = 0) -> nn.Sequential:
    """(N, 1, 6, 6) -> three scores, without branches."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(8, 3)).eval()


def tiny_data(module: nn.Module, batches: int = 4, seed: int = 0) -> list[Batch]:
    """Images of sixteen grey levels k/16, and the classes that the float network finds, one in eight of them moved.

    Every method gives such images the 4-bit codes k, so that networks of several methods can read the same input.
    """
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(batches):
        x = (rng.integers(0, 16, (16, 1, 6, 6)) / 16).astype(np.float32)
        with torch.no_grad():
            scores = module(torch.from_numpy(x))
            labels = (scores - scores.mean(0)).argmax(1).numpy()
        made.append((x, np.where(rng.random(16) < 1 / 8, (labels + 1) % 3, labels)))
    return made
