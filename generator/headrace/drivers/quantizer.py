"""What the drivers quantize samples with: a list of decision points, or for inputs of many codes a formula."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from headrace.drivers.points import decision_points, has_points
from headrace.engines.host import float64_decides
from headrace.network.integer import HostInput


def has_quantizer(host: HostInput) -> bool:
    """True if the drivers can give the codes of the host's rule: all inputs but wide ones that float64 misses."""
    return has_points(host) or float64_decides(host)


def quantizer_arrays(host: HostInput) -> dict[str, NDArray[Any]]:
    """What model.npz holds of the input: signs and decision points, or scale and divisor per channel (C,)."""
    if has_points(host):
        signs, points = decision_points(host)
        return {"signs": signs, "decision_points": points}
    channels = host.tensor.shape[2]
    divisor = np.ones(1) if host.divisor is None else host.divisor
    return {"input_scale": np.broadcast_to(host.scale, channels).astype(np.float64),
            "input_divisor": np.broadcast_to(divisor, channels).astype(np.float64)}
