"""The command `headrace doctor`."""

from __future__ import annotations

import argparse

from rich.table import Table

from headrace.cli import tables
from headrace.cli.progress_bar import progress
from headrace.doctor import Diagnosis, diagnose
from headrace.version import headrace_version


def run_doctor(options: argparse.Namespace) -> int:
    """Print what is here and what the self-test found; 0 where all that is needed works."""
    with progress() as tell:
        found = diagnose(tell)
    tables.show(_table(found), options.json, found.json)
    return 0 if found.healthy else 1


def _table(found: Diagnosis) -> Table:
    table = Table("part", "found", "enables", title=f"headrace {headrace_version()}")
    for part in found.parts:
        missing = f"{'MISSING' if part.needed else 'not installed'}: {part.install}"
        table.add_row(part.name, part.found or missing, part.enables)
    verdict = "healthy" if found.healthy else "not healthy: see the lines MISSING and the self-test"
    tests = [f"self-test of {engine}: {text}" for engine, text in found.self_test.items()]
    table.caption = "\n".join([*filter(None, (part.remark for part in found.parts)), *tests, verdict])
    return table
