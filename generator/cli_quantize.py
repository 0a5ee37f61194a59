"""The arguments of `headrace quantize`. Torch is needed to run it, not to import this."""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from generator.load import quantize_modules
from generator.quantize.network.settings import METHOD_NAMES, Settings
from generator.report import tables


def run_quantize(options: argparse.Namespace) -> int:
    """Quantize and print the table of layers, or JSON."""
    settings = Settings(method=options.method, weight_bits=options.weight_bits, act_bits=options.act_bits,
                        samples=options.samples, seed=options.seed)
    command, report = quantize_modules()
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("loading", total=None)
        result = command.quantize_to_file(options.model, options.data, options.out, settings, options.test,
                                          partial(bar.track, description="calibrating"),
                                          lambda text: bar.update(task, description=text))
    tables.show(report.quantization_table(result), options.json, lambda: report.quantization_json(result))
    return 0


def add_quantize(sub: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    sub.add_argument("model", metavar="MODEL", help="file.py:function that returns a torch module in float, or a pair "
                     "of module and example input")
    sub.add_argument("--data", required=True, metavar="FILE.py:FUNCTION", help="returns batches: inputs (N, ...), or "
                     "pairs (inputs, labels)")
    sub.add_argument("--out", required=True, type=Path, metavar="M.npz", help="quantized network; M.report.json and "
                     "M.svg are written beside it")
    sub.add_argument("--method", choices=METHOD_NAMES, default=Settings.method, help="default %(default)s")
    sub.add_argument("--weight-bits", type=int, default=Settings.weight_bits, metavar="N", help="default %(default)s")
    sub.add_argument("--act-bits", type=int, default=Settings.act_bits, metavar="N", help="default %(default)s")
    sub.add_argument("--test", metavar="FILE.py:FUNCTION", help="more pairs, on which accuracy is reported only")
    sub.add_argument("--samples", type=int, default=Settings.samples, metavar="N", help="samples kept of the data for "
                     "accuracy and tuning (default %(default)s)")
    sub.add_argument("--seed", type=int, default=Settings.seed, metavar="S", help="of training")
    sub.add_argument("--json", action="store_true", help="print machine-readable results on stdout")
