"""What every simulation takes and gives: frames of stream words, stall patterns, measured cycles."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from headrace.packing import Bytes


class Stalls(Enum):
    """Who hesitates in a simulation: nobody, the source, the sink, or both at random."""

    NONE = "none"
    SOURCE = "source"
    SINK = "sink"
    RANDOM = "random"


@dataclass(frozen=True, eq=False)
class Trace:
    """The words that passed a stream, and when. words: (n, bytes); cycles: (n,) of each accepted word."""

    words: Bytes
    cycles: NDArray[np.int64]

    def cycles_per_frame(self, words_per_frame: int) -> int:
        """Steady-state distance between the last words of the last two frames."""
        ends = self.cycles[words_per_frame - 1 :: words_per_frame]
        return int(ends[-1] - ends[-2])
