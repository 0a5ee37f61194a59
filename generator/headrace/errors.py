"""The exceptions of headrace.

    HeadraceError            every error that a user can cause; the command line prints it as one sentence, exit 1
    ├── InputError           a file, an array or an argument is not what it should be
    ├── UnsupportedError     a model holds something that has no exact hardware form
    ├── FoldingError         PE, SIMD or lanes break a rule of a layer
    ├── QuantizationError    data or parameters that a quantization method is not defined for; also a ValueError
    ├── ToolError            an outside program (g++, Verilator, ...) is missing or failed
    └── MismatchError        a back end computed something else than the golden model

A sentence names the thing, the rule, the numbers and the way out. What is not a HeadraceError is a defect of headrace.
"""

from __future__ import annotations

from collections.abc import Iterable

#: Most characters of a line and lines of a message, whatever a file put into them.
MAX_LINE, MAX_LINES = 1000, 32


class HeadraceError(Exception):
    """Base of all errors that a user can cause and mend."""

    def __str__(self) -> str:
        return _shortened(super().__str__())


def _shortened(text: str) -> str:
    """A message that a terminal can show: long lines lose their middle, and control characters are written out.

    >>> _shortened("model.onnx: " + "x" * 9000 + "; use fewer")[478:518]
    'xx ... (8063 characters left out) ... xx'
    """
    shown = [printable(line) for line in text.split("\n", MAX_LINES)]
    if len(shown) > MAX_LINES:
        shown[MAX_LINES - 1 :] = [f"  ... and {text.count(chr(10)) + 2 - MAX_LINES} more lines"]
    return "\n".join(shown)


def printable(line: str) -> str:
    """A line that a terminal can show: without its middle where it is long, and with control characters written out."""
    half = MAX_LINE // 2 - 20
    if len(line) > MAX_LINE:
        line = f"{line[:half]} ... ({len(line) - 2 * half} characters left out) ... {line[-half:]}"
    return "".join(letter if letter.isprintable() or letter == "\t" else ascii(letter)[1:-1] for letter in line)


class InputError(HeadraceError):
    """A file, an array or an argument is not what it should be."""


class UnsupportedError(HeadraceError):
    """A model holds something that has no exact hardware form."""


class FoldingError(HeadraceError):
    """PE, SIMD or a number of lanes breaks a rule of a layer."""


class QuantizationError(HeadraceError, ValueError):
    """Data or parameters that a quantization method is not defined for."""


class ToolError(HeadraceError):
    """An outside program is missing or failed."""


class MismatchError(HeadraceError):
    """A back end computed something else than the golden model."""


def require_positive(layer: str, **values: int | Iterable[int]) -> None:
    """Raise InputError for the first value that is not a positive integer."""
    for name, value in values.items():
        for item in [value] if isinstance(value, int) else value:
            if item < 1:
                raise InputError(f"{layer}: {name}={value} must be positive; use 1 or more")
