"""Rules that show in the text of the sources: directives, and what is defined before it is needed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from headrace.hls_lint.findings import Finding

MAX_WIDTH = 4096
_PRAGMA = re.compile(r"^\s*#\s*pragma\s+HLS\s+(\w+)(.*)$")
_OPTION = re.compile(r"(\w+)\s*=\s*([^\s,]*)")
_INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^">]+)[">]')
_DEFINE = re.compile(r"^\s*#\s*define\s+AP_INT_MAX_W\s+(\w+)")
#: Headers of the compiler that read ap_int.h.
_AP_HEADERS = frozenset({"ap_int.h", "ap_fixed.h", "ap_axi_sdata.h"})


@dataclass(frozen=True, eq=False)
class Pragma:
    """`#pragma HLS DIRECTIVE words options`: options are NAME=VALUE, words stand alone; both in small letters."""

    file: str
    line: int
    directive: str
    words: tuple[str, ...]
    options: dict[str, str]

    def finding(self, rule: str, text: str) -> Finding:
        """A finding at this line."""
        return Finding(self.file, self.line, rule, text)


def read_pragmas(path: Path, name: str) -> list[Pragma]:
    """The HLS pragmas of a file; `name` is what findings call it."""
    found = []
    for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
        if match := _PRAGMA.match(line):
            rest = match[2].split("//")[0]
            words = tuple(_OPTION.sub(" ", rest).lower().split())
            options = {key.lower(): value for key, value in _OPTION.findall(rest)}
            found.append(Pragma(name, number, match[1].upper(), words, options))
    return found


def check_max_width(top: Path, folders: Sequence[Path], relative: dict[Path, str]) -> Iterator[Finding]:
    """AP_INT_MAX_W is defined, and small enough, where the first header of ap_int is included."""
    seen: set[Path] = set()

    def lines(path: Path) -> Iterator[tuple[Path, int, str]]:
        seen.add(path)
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
            yield path, number, line
            match = _INCLUDE.match(line)
            if match and (inner := _found(match[2], [path.parent, *folders])) and inner not in seen:
                yield from lines(inner)

    for path, number, line in lines(top.resolve()):
        place = relative.get(path, path.name), number
        if match := _DEFINE.match(line):
            if not match[1].isdigit() or int(match[1]) > MAX_WIDTH:
                yield Finding(*place, "max-width", f"AP_INT_MAX_W is {match[1]}")
            return
        include = _INCLUDE.match(line)
        if include and include[2] in _AP_HEADERS:
            yield Finding(*place, "max-width", f"{include[2]} is included before AP_INT_MAX_W is defined")
            return


def _found(name: str, folders: Sequence[Path]) -> Path | None:
    return next(((folder / name).resolve() for folder in folders if (folder / name).is_file()), None)
