"""The command `headrace compare`."""

from __future__ import annotations

import argparse
from pathlib import Path

from headrace.accuracy import read_labels
from headrace.cli import tables
from headrace.cli.progress_bar import progress
from headrace.difference.compare import compare_model
from headrace.samples import read_samples


def run_compare(options: argparse.Namespace) -> int:
    """Compare and print the report; 1 where a difference has no explanation."""
    labels = None if options.labels is None else read_labels(options.labels)
    with progress() as tell:
        tell(f"loading {options.model}")
        result = compare_model(options.model, read_samples(options.input), labels, tell)
    tables.show(str(result), options.json, result.json)
    return 0 if result.difference.explained else 1


def add_compare(sub: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    sub.add_argument("model", metavar="MODEL", help="an .onnx file, or file.py:function that returns a module")
    sub.add_argument("--input", required=True, type=Path, metavar="X.npy", help="samples (N, ...)")
    sub.add_argument("--labels", type=Path, metavar="Y.npy", help="classes (N,), for the accuracies of both")
    sub.add_argument("--json", action="store_true", help="print machine-readable results on stdout")
