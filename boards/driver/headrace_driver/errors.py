"""What can go wrong on a board, and waiting for it no longer than makes sense."""

from __future__ import annotations

import time
from collections.abc import Callable


class AcceleratorError(Exception):
    """The board does not hold this accelerator, does not answer, or computes something else than the model."""


def wait_until(done: Callable[[], bool], seconds: float, what: str) -> None:
    """Poll until `done()`. Raises AcceleratorError that says `what` has not happened in so many seconds."""
    end = time.monotonic() + seconds
    while not done():
        if time.monotonic() > end:
            raise AcceleratorError(f"{what} within {seconds:g} seconds; check the clock and the bitstream of the board")
