"""The command `headrace report`: one build, or several side by side."""

from __future__ import annotations

import argparse
from pathlib import Path

from headrace.build_folder import Build
from headrace.cli import tables
from headrace.reports import write_reports


def add_report(sub: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    sub.add_argument("directories", nargs="+", type=Path, metavar="DIR", help="a directory that `headrace build` "
                     "wrote; report.html and report.json are written there")
    sub.add_argument("--out", type=Path, metavar="FILE.html",
                     help="of several builds: the page to write or replace (default side-by-side.html)")
    sub.add_argument("--quantized", type=Path, metavar="M.report.json",
                     help="of one build: show what `headrace quantize` said of the network too")
    sub.add_argument("--json", action="store_true", help="print machine-readable results on stdout")


def run_report(options: argparse.Namespace) -> int:
    """Write the reports, and the page of several."""
    page, held = write_reports([Build.open(folder) for folder in options.directories], options.out,
                               options.quantized)
    tables.show(str(page), options.json, lambda: held)
    return 0
