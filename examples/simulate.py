"""The main job, end to end: a trained model becomes an accelerator and is simulated cycle by cycle.

If the file of the model also has a function `held_out()` that returns (images, labels), accuracies on the same images
are printed for the float model and for every engine. An .onnx file and a saved network have neither a torch module nor
labels: random images show that all engines agree.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.table import Table

import headrace as hr
from headrace.atomic_files import require_replaceable
from headrace.benches.network import Simulation, simulate_build
from headrace.build_folder import RECORD
from headrace.cli.progress_bar import progress
from headrace.cli.tables import show
from headrace.simulation.frames import Stalls
from headrace.sources import call, function_from_file, network_of, users_code

HERE = Path(__file__).resolve().parent
DIGITS, DIGITS_FPS = HERE / "digits" / "model.py", 100_000
BENCH_FRAMES, HARNESS_FRAMES, VECTORS = 10, 100, 4
NEXT = """
the accelerator is in {out}: README.md says what is in it, report.html shows it
next, with a network of your own:
  .venv/bin/headrace check model.onnx
  .venv/bin/headrace build model.onnx --out build/mine --backend both
  .venv/bin/headrace sim build/mine --frames 4 --stalls random"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", nargs="?", default=f"{DIGITS}:trained",
                        help="file.py:function, an .onnx file or a saved network (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=HERE.parent / "build" / "sim", help="build directory")
    parser.add_argument("--fps", type=float, help=f"at 200 MHz (default for the digits: {DIGITS_FPS})")
    options = parser.parse_args()
    try:
        require_replaceable(options.out, RECORD)
        with progress() as tell:
            table = main_job(options.model, options.out, options.fps, tell)
    except hr.HeadraceError as error:
        print(f"simulate: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"simulate: {error.filename}: {error.strerror}; choose another --out", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    show(table, False, dict)
    print(NEXT.format(out=options.out))
    return 0


@dataclass(frozen=True, eq=False)
class Subject:
    """What is simulated: a model, and from a Python file also its torch module and its function `held_out`."""

    name: str
    model: hr.Model
    module: Any = None
    held_out: Callable[[], Any] | None = None

    @classmethod
    def load(cls, name: str) -> Subject:
        """The model that a text names; its function may train it. Raises HeadraceError in one sentence."""
        path, _, function_name = name.rpartition(":")
        if not path.endswith(".py"):
            return cls(name, hr.load(name))
        function: Any = function_from_file(Path(path), function_name)
        value = call(name, function)
        model = hr.load(network_of(name, value))
        module = value[0] if isinstance(value, tuple) else None
        return cls(name, model, module, getattr(function, "__globals__", {}).get("held_out"))

    def images(self) -> tuple[NDArray[np.float32], NDArray[np.int64] | None]:
        """The held-out images and labels of the model's file, or random images without labels."""
        if self.held_out is None:
            shape = self.model.integer.host_inputs[0].shape
            return np.random.default_rng(0).random((HARNESS_FRAMES, *shape), np.float32), None
        name = f"{self.name.rpartition(':')[0]}:held_out"
        with users_code(name, "when called"):
            images, labels = self.held_out()
            images, labels = np.asarray(images, np.float32), np.asarray(labels, np.int64)
        if labels.shape != images.shape[:1]:
            raise hr.InputError(f"{name}: returns images of shape {images.shape} with labels of shape {labels.shape}; "
                                "return one label per image")
        return images[:HARNESS_FRAMES], labels[:HARNESS_FRAMES]

    def float_outputs(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """The torch module's own outputs."""
        import torch

        with users_code(self.name, "in its forward"), torch.no_grad():
            y = self.module.eval()(torch.from_numpy(images))
            return np.asarray(getattr(y, "value", y), np.float32)


def main_job(name: str, out: Path, fps: float | None, progress: Callable[[str], None]) -> Table:
    """Load (training if needed), build both back ends, verify, simulate; every step raises unless it is bit-exact."""
    progress(f"loading {name}")
    subject = Subject.load(name)
    if fps is None and Path(name.rpartition(":")[0]).resolve() == DIGITS:
        fps = DIGITS_FPS
    build = hr.build(subject.model, out, progress=progress, backend="both", verify=VECTORS, fps=fps)
    table = Table("what", "result", title=f"{name}: every layer simulated cycle by cycle")
    add_accuracies(table, build, subject, progress)
    add_simulations(table, build, progress)
    record = build.record
    table.add_row("frames per second at 200 MHz", f"{record['fps']:,.0f}")
    table.add_row("vectors verified at every boundary", f"{record['vectors']}, HLS and RTL bit-exact")
    return table


def add_accuracies(table: Table, build: hr.Build, subject: Subject, progress: Callable[[str], None]) -> None:
    """Rows for the float model, where there is one, and every engine on the same images; integers must be equal."""
    images, labels = subject.images()
    golden = build.predict(images, engine="golden", raw=True)
    outputs = {} if subject.module is None else {"torch, float32": subject.float_outputs(images)}
    for engine in ("golden", "hls", "rtl"):
        progress(f"{len(images)} images through the engine {engine}")
        if not np.array_equal(build.predict(images, engine=engine, raw=True), golden):
            raise hr.MismatchError(f"{engine}: {len(images)} images give other integers than the golden model; "
                                   "report the model as a defect of headrace")
        outputs[f"{engine}, bit-exact"] = build.predict(images, engine=engine)
    for title, y in outputs.items():
        if labels is not None:
            accuracy = np.mean(y.reshape(len(y), -1).argmax(1) == labels)
            table.add_row(f"accuracy on {len(images)} images: {title}", f"{accuracy:.2%}")
        else:
            table.add_row(f"{len(images)} random images: {title}", "done")


def add_simulations(table: Table, build: hr.Build, progress: Callable[[str], None]) -> None:
    """Rows for the cocotb bench in every stall mode; it is compiled once."""
    with tempfile.TemporaryDirectory() as work:
        results = {stalls: simulate_build(build, Simulation(BENCH_FRAMES, stalls, seed=1), progress, Path(work))
                   for stalls in Stalls}
    for stalls, result in results.items():
        table.add_row(f"cocotb, {BENCH_FRAMES} frames, stalls: {stalls.value}", "bit-exact")
        if stalls is Stalls.NONE:
            table.add_row("cycles per frame, measured", f"{result['cycles_per_frame']:,}")
            table.add_row("cycles per frame, predicted", f"{build.cycles:,}")
            table.add_row("latency in cycles, measured", f"{result['latency_cycles']:,}")


if __name__ == "__main__":
    sys.exit(main())
