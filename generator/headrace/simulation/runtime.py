"""What every Verilated model shares: Verilator's runtime and its header, compiled once per installation.

Together they take ten times as long as a model of a few small layers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from headrace.simulation import shelf

#: Level of optimization of what runs once; compiling it takes longer than running it.
COLD = "-O0"
_OBJECTS = ("verilated.o", "verilated_threads.o")
#: Included by all generated code, which then includes the model's own headers.
_HEADER = "runtime.h"
#: What of Verilator's choices decides the compiler's switches.
_SWITCH = re.compile(r"^VM_(?:C11|TIMING|COVERAGE|TRACE\w*) = .*$", re.MULTILINE)


@dataclass(frozen=True)
class _Piece:
    """target: what the makefile calls it; name: under which the model's compilation looks for it; key: of its entry."""

    target: str
    name: str
    key: str


def provide_runtime(objects: Path, prefix: str, optimization: str, tools: object,
                    make: Callable[[Sequence[str]], object]) -> tuple[str, ...]:
    """Put the runtime into the folder of the C++ that Verilator wrote; returns its files, which need no making.

    prefix: of the C++'s files. optimization: of code that runs in every cycle. tools: what tells versions of the tools
    apart. make: makes targets in the folder; called for what is not kept.
    """
    (objects / _HEADER).write_text('#include "verilated.h"\n')
    pieces = _pieces(prefix, optimization, (tools, _SWITCH.findall((objects / f"{prefix}_classes.mk").read_text())))
    missing = [piece for piece in pieces if not _taken(piece, objects)]
    if missing:
        make([piece.target for piece in missing])
    for piece in missing:
        shelf.keep(piece.key, {piece.target: objects / piece.target})
        (objects / piece.target).rename(objects / piece.name)
    return tuple(piece.name for piece in pieces)


def _pieces(prefix: str, optimization: str, decided_by: object) -> list[_Piece]:
    headers = (("fast", optimization), ("slow", COLD))
    return [
        *(_Piece(name, name, shelf.digest(name, decided_by)) for name in _OBJECTS),
        *(_Piece(f"{_HEADER}.{kind}.gch", f"{prefix}__pch.h.{kind}.gch", shelf.digest(_HEADER, kind, level, decided_by))
          for kind, level in headers),
    ]


def _taken(piece: _Piece, objects: Path) -> bool:
    """True if the piece was kept and is in the folder now."""
    entry = shelf.find(piece.key)
    if entry is None or not (entry / piece.target).is_file():
        return False
    (objects / piece.name).unlink(missing_ok=True)
    (objects / piece.name).symlink_to(entry / piece.target)
    return True
