"""Transfers that a reset ends in the middle."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from headrace_driver import Accelerator


def begin_and_reset(accelerator: Accelerator, x: np.ndarray, accesses: int) -> None:
    """Start a transfer of samples and reset the accelerator in the middle of it, after so many accesses."""
    size = len(x) * accelerator.source["frame_bytes"]
    accelerator._fill(x, accelerator.device.buffer(0, size)[:size])
    accelerator._start(0, len(x))
    done = [accelerator.read("frames_out") for _ in range(accesses)]
    assert done[-1] < len(x)
    accelerator.reset()
