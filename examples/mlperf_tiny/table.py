"""The reference models of MLPerf Tiny, from their .tflite files to verified accelerators, and a page of the results.

    python examples/mlperf_tiny/table.py --image-classification pretrainedResnet_quant.tflite images.npz \\
        --keyword-spotting kws_ref_model.tflite --anomaly-detection ad01_int8.tflite --drawn-visual-wake-words

Every network gets the fastest folding that fits the board and is compared with the golden model bit for bit. A .npz
file beside a model holds `x`, codes as the model takes them or pixels of 0 to 255, and `y`, the labels. The accuracy
is that of the exact integers, which the hardware gives too.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from published import PUBLISHED

import headrace as hr

HERE = Path(__file__).resolve().parent
TASKS = {"image-classification": "image classification", "keyword-spotting": "keyword spotting",
         "anomaly-detection": "anomaly detection", "visual-wake-words": "visual wake words"}
DRAWN = "visual-wake-words"
COLUMNS = ("task", "model", "cycles per frame", "frames per second", "latency", "one frame at a time", "LUT", "BRAM18",
           "DSP", "accuracy")
Row = tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Entry:
    """A task, the network for it, and labelled samples (x, y) where there are any."""

    task: str
    title: str
    model: hr.Model
    samples: tuple[Any, Any] | None = None

    def accuracy(self) -> str:
        """Of the exact integers on all samples."""
        if self.samples is None:
            return "no data given"
        x, y = self.samples
        right = int(np.sum(self.model.predict(x).reshape(len(x), -1).argmax(1) == y))
        return f"{right / len(y):.1%} of {len(y)}"


def labelled(path: Path) -> tuple[Any, Any]:
    """(x, y) of a .npz file; pixels become the codes of a tensor whose zero point is -128."""
    with np.load(path, allow_pickle=False) as file:
        x, y = file["x"], file["y"]
    return (x.astype(np.int16) - 128 if x.dtype == np.uint8 else x).astype(np.int8), y


def entries(options: argparse.Namespace) -> Iterator[Entry]:
    """The tasks that the command names."""
    for name, task in TASKS.items():
        given: list[Path] = getattr(options, name.replace("-", "_"))
        if given:
            samples = labelled(given[1]) if len(given) > 1 else None
            yield Entry(task, given[0].name, hr.load(str(given[0])), samples)
        elif name == DRAWN and options.drawn_visual_wake_words:
            yield Entry(task, "MobileNet-v1 0.25, weights drawn at random: no accuracy", drawn_model())


def drawn_model() -> hr.Model:
    """The topology of the visual wake words, quantized to 8 bits."""
    import mobilenet

    from headrace.quantizing.api import quantize
    from headrace.quantizing.settings import Settings

    module, example = mobilenet.drawn()
    return hr.load(quantize(module, mobilenet.noise(), Settings("affine"), example_input=example).network)


def built(entry: Entry, options: argparse.Namespace) -> hr.Build:
    """The accelerator, verified with the first samples; raises a HeadraceError if it is not bit-exact."""
    x = None if entry.samples is None else entry.samples[0]
    return hr.build(entry.model, options.out / entry.task.replace(" ", "_"),
                    lambda step: print(f"{entry.task}: {step}", flush=True), board=options.board,
                    clock_mhz=options.clock_mhz, fps=options.fps, backend=options.backend, verify=options.verify,
                    verify_input=x)


def row(entry: Entry, build: hr.Build) -> Row:
    """A line of the table."""
    record = build.record
    seconds = record["latency_cycles"] / record["clock_mhz"] / 1e6
    used = (f"{record['resources'][kind]:,}" for kind in ("lut", "bram18", "dsp"))
    return (entry.task, entry.title, f"{record['cycles_per_frame']:,}", f"{record['fps']:,.0f}",
            f"{seconds * 1e3:.3f} ms", f"{1 / seconds:,.0f} per second", *used, entry.accuracy())


def markdown(columns: Row, rows: Sequence[Row]) -> str:
    lines = (columns, tuple("---" for _ in columns), *rows)
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def page(rows: Sequence[Row], options: argparse.Namespace) -> str:
    """The tables with what they mean."""
    ends = "both back ends" if options.backend == "both" else f"the back end {options.backend}"
    published = [(entry.task, entry.model, entry.board, f"{entry.rate:,.0f}", entry.quality, entry.source)
                 for entry in PUBLISHED]
    return f"""# MLPerf Tiny on {options.board} at {options.clock_mhz:g} MHz

Written by `examples/mlperf_tiny/table.py`. {options.verify} frames of every network equal the golden model at every
boundary on {ends}. Cycles are those of the RTL. Resources are estimates of the layers and FIFOs, without the
shell; BRAM18 are halves of a block.

{markdown(COLUMNS, rows)}
## Published for FPGAs

The runner measures a single stream on the board, with the host's part. `one frame at a time` above is the figure to
hold beside it; it has no host in it, and nothing was measured on a board.

{markdown(("task", "model", "board", "inferences per second", "quality", "source"), published)}"""


def arguments(given: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in TASKS:
        parser.add_argument(f"--{name}", type=Path, nargs="+", default=[], metavar="FILE",
                            help="MODEL.tflite, and SAMPLES.npz for its accuracy")
    parser.add_argument(f"--drawn-{DRAWN}", action="store_true", help="without a file: its topology, random weights")
    parser.add_argument("--board", default="pynq-z2", help="default %(default)s, whose chip is ZedBoard's")
    parser.add_argument("--clock-mhz", type=float, default=100.0, help="default %(default)s")
    parser.add_argument("--fps", type=float, help="rate to reach; else the fastest that fits the board")
    parser.add_argument("--backend", choices=("rtl", "hls", "both"), default="both", help="default %(default)s")
    parser.add_argument("--verify", type=int, default=2, help="frames, default %(default)s")
    parser.add_argument("--out", type=Path, default=Path("build/mlperf_tiny"), help="default %(default)s")
    parser.add_argument("--page", type=Path, default=HERE / "results.md", help="default %(default)s")
    return parser.parse_args(given)


def main(given: Sequence[str] | None = None) -> int:
    """Build all, print and write the page; 1 with a sentence where something is wrong."""
    options = arguments(given)
    try:
        rows = [row(entry, built(entry, options)) for entry in entries(options)]
    except (hr.HeadraceError, OSError) as error:
        print(f"table: {error}", file=sys.stderr)
        return 1
    if not rows:
        print("table: no model is given; name one, as in --keyword-spotting kws_ref_model.tflite", file=sys.stderr)
        return 1
    text = page(rows, options)
    options.page.write_text(text)
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
