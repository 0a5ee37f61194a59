"""Verified vectors and samples through the driver of a serial board: python on_serial.py DIR [PORT] [--samples X.npy]

Without a port the board is simulated: the rendered top from pin to pin, Verilated, behind a pseudo terminal.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

import headrace as hr
from headrace.benches.serial_board import compile_serial_board, serial_board

SAMPLES = 50


@contextmanager
def port_of(build: hr.Build, name: str | None) -> Iterator[str]:
    """The port of a board: the given one, or that of a simulated board."""
    if name:
        yield name
        return
    with tempfile.TemporaryDirectory() as work:
        program = compile_serial_board(build, Path(work))
        with serial_board(program, build.folder / "rtl") as (simulated, _):
            yield simulated


def random_samples(shape: Sequence[int]) -> np.ndarray:
    """Some between 0 and 1."""
    return np.random.default_rng(1).uniform(0, 1, (SAMPLES, *shape)).astype(np.float32)


def main() -> int:
    """Self-test, then samples, compared with the model."""
    parser = argparse.ArgumentParser(description="run a build on a board behind a serial port")
    parser.add_argument("build", type=Path)
    parser.add_argument("port", nargs="?", help="default: a simulated board")
    parser.add_argument("--samples", metavar="X.npy", help=f"default: {SAMPLES} at random")
    options = parser.parse_args()
    build = hr.Build.open(options.build)
    sys.path.insert(0, str(build.folder / "driver"))
    from headrace_driver import Accelerator

    with port_of(build, options.port) as port:
        accelerator = Accelerator.on_serial(port)
        verdict = accelerator.self_test()
        x = np.load(options.samples) if options.samples else random_samples(accelerator.source["shape"])
        exact = np.array_equal(accelerator.predict(x, raw=True), build.predict(x, engine="golden", raw=True))
    print(f"self-test: {verdict}; {len(x)} samples: {'exact' if exact else 'different'}")
    return 0 if exact and verdict == "exact" else 1


if __name__ == "__main__":
    raise SystemExit(main())
