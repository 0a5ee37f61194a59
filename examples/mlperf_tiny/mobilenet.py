"""The topology of MLPerf Tiny's visual wake words: MobileNet-v1 of width 0.25 on 96 x 96 images, with random weights.

    headrace quantize examples/mlperf_tiny/mobilenet.py:drawn \\
        --data examples/mlperf_tiny/mobilenet.py:noise --method affine --out build/vww.npz

It stands in where the reference file `vww_96_int8.tflite` is not at hand. Cycles and resources follow from the
topology; the network has learnt nothing, so it has no accuracy.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

SEED, SIDE, SAMPLES = 1, 96, 64
#: Channels and stride of every depthwise-separable pair behind the first convolution of 8 channels.
PAIRS = ((16, 1), (32, 2), (32, 1), (64, 2), (64, 1), (128, 2), *((128, 1),) * 5, (256, 2), (256, 1))


def _conv(into: int, out: int, kernel: int, stride: int = 1, groups: int = 1) -> nn.Sequential:
    conv = nn.Conv2d(into, out, kernel, stride, kernel // 2, groups=groups)
    nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")  # so that no layer's values fade away
    return nn.Sequential(conv, nn.ReLU())


def drawn() -> tuple[nn.Module, torch.Tensor]:
    """The network with weights drawn at random, images (1, 3, 96, 96) to two scores, and an example of its input."""
    torch.manual_seed(SEED)
    layers: list[nn.Module] = [_conv(3, 8, 3, 2)]
    channels = 8
    for out, stride in PAIRS:
        layers += [_conv(channels, channels, 3, stride, channels), _conv(channels, out, 1)]
        channels = out
    network = nn.Sequential(*layers, nn.AvgPool2d(3), nn.Flatten(), nn.Linear(channels, 2))
    return network.eval(), torch.zeros(1, 3, SIDE, SIDE)


def noise() -> list[NDArray[np.float32]]:
    """Images of noise in [0, 1], to calibrate with."""
    return [np.random.default_rng(SEED).random((SAMPLES, 3, SIDE, SIDE), np.float32)]
