"""The pages of builds that are there: of one in its directory, of several side by side."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from headrace.atomic_files import require_writable_file, write_file
from headrace.build_folder import Build
from headrace.errors import InputError
from headrace.reporting.page import PAGE
from headrace.reporting.side_by_side import compare_reports, render_comparison

_OUT = Path("side-by-side.html")


def write_reports(builds: Sequence[Build], out: Path | None, quantized: Path | None = None
                  ) -> tuple[Path, Mapping[str, Any]]:
    """Write the page of one build, or of each and of all side by side; returns the page and what it holds.

    out: the page of several. quantized: what `headrace quantize` said of the only one. Raises InputError for none, and
    for options of the other case.
    """
    if not builds:
        raise InputError("a report needs a build; give one or several")
    if len(builds) > 1 and quantized is not None:
        raise InputError(f"--quantized {quantized}: is of one network; report one build at a time, or leave it out")
    if len(builds) > 1:
        return _side_by_side(builds, out or _OUT)
    if out is not None:
        raise InputError(f"--out {out}: the report of one build is in its directory; leave --out out, or "
                         "name several builds")
    return builds[0].folder / PAGE, builds[0].report(quantized)


def _side_by_side(builds: Sequence[Build], out: Path) -> tuple[Path, Mapping[str, Any]]:
    require_writable_file(out)
    compared = compare_reports([str(build.folder) for build in builds], [build.report() for build in builds])
    links = [Path(os.path.relpath(build.folder / PAGE, out.parent)).as_posix() for build in builds]
    write_file(out, render_comparison(compared, links))
    return out, compared
