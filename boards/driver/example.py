"""On the board: python3 example.py accelerator.bit [SAMPLES.npy]; for one behind a port: /dev/ttyUSB0 [SAMPLES.npy]"""

from __future__ import annotations

import sys

import numpy as np
from headrace_driver import Accelerator


def main() -> int:
    """Test the accelerator; with samples also predict and measure."""
    board = sys.argv[1]
    accelerator = Accelerator.on_pynq(board) if board.endswith(".bit") else Accelerator.on_serial(board)
    verdict = accelerator.self_test()
    print(f"self-test: {verdict}")
    if len(sys.argv) > 2:
        samples = np.load(sys.argv[2])
        samples = samples if isinstance(samples, np.ndarray) else dict(samples)
        print(accelerator.predict(samples))
        print(accelerator.measure(samples))
        print(accelerator.counters())
    return 0 if verdict == "exact" else 1


if __name__ == "__main__":
    raise SystemExit(main())
