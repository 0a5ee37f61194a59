"""The command `headrace report`: one build, or several side by side."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

from headrace.build_folder import Build
from headrace.cli import tables
from headrace.errors import InputError
from headrace.reporting.page import PAGE
from headrace.reporting.side_by_side import compare_reports, render_comparison
from headrace.staging import require_writable_file, write_file

_OUT = Path("side-by-side.html")


def add_report(sub: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    sub.add_argument("directories", nargs="+", type=Path, metavar="DIR", help="a directory that `headrace build` "
                     "wrote; report.html and report.json are written there")
    sub.add_argument("--out", type=Path, metavar="FILE.html",
                     help=f"of several builds: the page to write or replace (default {_OUT})")
    sub.add_argument("--json", action="store_true", help="print machine-readable results on stdout")


def run_report(options: argparse.Namespace) -> int:
    """Write the reports, and the page of several."""
    builds = [Build.open(folder) for folder in options.directories]
    if len(builds) == 1:
        if options.out is not None:
            raise InputError(f"--out {options.out}: the report of one build is in its directory; leave --out out, or "
                             "name several builds")
        result = builds[0].report()
        tables.show(str(builds[0].folder / PAGE), options.json, lambda: result)
        return 0
    return _side_by_side(builds, options.out or _OUT, options.json)


def _side_by_side(builds: Sequence[Build], out: Path, as_json: bool) -> int:
    require_writable_file(out)
    compared = compare_reports([str(build.folder) for build in builds], [build.report() for build in builds])
    links = [Path(os.path.relpath(build.folder / PAGE, out.parent)).as_posix() for build in builds]
    write_file(out, render_comparison(compared, links))
    tables.show(str(out), as_json, lambda: compared)
    return 0
