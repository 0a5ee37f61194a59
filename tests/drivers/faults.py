"""Resets at random moments and transfers that break, on a simulated board: is what comes after them right, or an error?

    python -m tests.drivers.faults     200 resets and 100 broken transfers, in a build of its own
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from headrace.benches.simulated_board import SimulatedBoard, compile_board, simulated_board
from headrace.build_folder import Build
from headrace.errors import ToolError
from headrace.paths import data_folder
from tests.narrow import the
from tests.small_networks import small_network
from tests.unverified_build import write_unverified

if TYPE_CHECKING:
    from headrace_driver import Accelerator

    Trial = Callable[[Accelerator, Build, np.random.Generator], str]

FRAMES = 3


class PausingBoard(SimulatedBoard):
    """Lets a random time pass after every access, as a processor does."""

    rng: np.random.Generator
    most = 300

    def _ask(self, command: bytes, *words: int) -> tuple[int, ...]:
        answer = super()._ask(command, *words)
        if command != b"P":
            self.wait(int(self.rng.integers(self.most) * self.rng.integers(2)))
        return answer


@contextmanager
def pausing_board(program: Path, built: Build, seed: int) -> Iterator[PausingBoard]:
    with simulated_board(program, built.folder / "rtl") as board:
        pausing = PausingBoard(board.process)
        pausing.rng = np.random.default_rng(seed)
        pausing.stalls = bool(seed % 2)
        yield pausing


def judged(accelerator: Accelerator, built: Build, rng: np.random.Generator) -> str:
    """"exact", "wrong" or the error that the next prediction ends with."""
    from headrace_driver import AcceleratorError

    x = rng.integers(-2, 20, (FRAMES, 1, 8, 8)).astype(np.float32)
    try:
        got = accelerator.predict(x, raw=True)
    except (AcceleratorError, ToolError) as error:
        return str(error)
    return "exact" if np.array_equal(got, built.predict(x, engine="fast", raw=True)) else "wrong"


def begin(accelerator: Accelerator, rng: np.random.Generator, in_bytes: int, out_bytes: int, frames: int) -> None:
    """Start transfers of these sizes, whatever the accelerator makes of them."""
    accelerator.device.buffer(0, max(1, in_bytes))[:] = rng.integers(16)
    accelerator.write("frames", frames)
    accelerator.device.start(0, in_bytes, out_bytes)


def after_a_reset(accelerator: Accelerator, built: Build, rng: np.random.Generator) -> str:
    """The verdict after a reset in the middle of a transfer of some frames."""
    frames = int(rng.integers(1, 40))
    begin(accelerator, rng, 64 * frames, 5 * frames, frames)
    the(PausingBoard, accelerator.device).wait(int(rng.integers(1, frames * built.cycles)))
    accelerator.reset()
    return judged(accelerator, built, rng)


def after_a_broken_transfer(accelerator: Accelerator, built: Build, rng: np.random.Generator) -> str:
    """The verdict after a transfer with too few or too many bytes or frames, without a reset by the user.

    Where it is an error, that after a reset.
    """
    given, taken, frames = (int(rng.integers(1, rng.choice([5, 40]))) for _ in range(3))
    accelerator._at_work = bool(rng.integers(2))  # it was the driver's own, or a program's beside it
    begin(accelerator, rng, max(1, 64 * given + int(rng.integers(-9, 9)) * int(rng.integers(2))), 5 * taken, frames)
    with suppress(ToolError):
        accelerator.device.finish(0)
    verdict = judged(accelerator, built, rng)
    if verdict in ("exact", "wrong"):
        return verdict
    accelerator.reset()
    return judged(accelerator, built, rng)


def verdicts(program: Path, built: Build, trial: Trial, count: int, seed: int = 0) -> list[str]:
    """Those of so many trials, one after the other on one board."""
    from headrace_driver import Accelerator

    with pausing_board(program, built, seed) as board:
        accelerator = Accelerator(board, built.folder / "driver" / "headrace_driver")
        return [trial(accelerator, built, board.rng) for _ in range(count)]


def main() -> int:
    sys.path.insert(0, str(data_folder("boards") / "driver"))
    with tempfile.TemporaryDirectory() as work:
        built = write_unverified(Path(work) / "b", small_network(), "rtl")
        (Path(work) / "program").mkdir()
        program = compile_board(built, Path(work) / "program")
        found = {f"{trial.__name__}, seed {seed}": verdicts(program, built, trial, count // 2, seed)
                 for trial, count in ((after_a_reset, 200), (after_a_broken_transfer, 100)) for seed in (0, 1)}
    for name, results in found.items():
        counts = {result: results.count(result) for result in sorted(set(results))}
        print(f"{name}: {counts}")
    return int(any(result != "exact" for results in found.values() for result in results))


if __name__ == "__main__":
    raise SystemExit(main())
