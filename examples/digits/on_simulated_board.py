"""Classify handwritten digits with the driver of a build, on a simulated board: python on_simulated_board.py DIR

The board is the shell around the accelerator, Verilated; the driver is the one that runs on the real board.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np

import headrace as hr
from headrace.benches.simulated_board import compile_board, simulated_board

DIGITS = 50


def main() -> int:
    """Self-test, then the first held-out digits, compared with the model."""
    build = hr.Build.open(Path(sys.argv[1]))
    sys.path[:0] = [str(build.folder / "driver"), str(Path(__file__).parent)]
    from headrace_driver import Accelerator
    from model import held_out

    images, labels = held_out()
    images, labels = images[:DIGITS], labels[:DIGITS]
    with tempfile.TemporaryDirectory() as work:
        program = compile_board(build, Path(work))
        with simulated_board(program, build.folder / "rtl") as board:
            accelerator = Accelerator(board)
            verdict = accelerator.self_test()
            scores = accelerator.predict(images)
    exact = np.array_equal(scores, build.predict(images, engine="golden"))
    print(f"self-test: {verdict}; {DIGITS} digits: {'exact' if exact else 'different'}, "
          f"{np.mean(scores.argmax(1) == labels):.0%} right")
    return 0 if exact and verdict == "exact" else 1


if __name__ == "__main__":
    raise SystemExit(main())
