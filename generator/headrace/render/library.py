"""The SystemVerilog library that comes with headrace: its files, and those of them that a text uses."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from headrace.layers.registry import kernel_folders
from headrace.memory import PRICES, Prices
from headrace.paths import data_folder

#: The file of the package that has the prices.
PRICED = "headrace_pkg.sv"
_UNIT = re.compile(r"^(?:module|package)\s+(\w+)", re.MULTILINE)
_WORD = re.compile(r"\w+")
#: Comments and strings.
_NOT_CODE = re.compile(r'//[^\n]*|/\*.*?\*/|"[^"\n]*"', re.DOTALL)


def library_folders() -> list[Path]:
    """The folders of modules: one file per module, called like it."""
    return sorted(path for path in (data_folder("rtl_sim") / "rtl").iterdir() if path.is_dir())


def library_paths() -> list[Path]:
    """The package and all modules, in the order in which every tool can read them; with those of added layers."""
    added = (path for folder in kernel_folders() for path in folder.glob("*.sv"))
    return compile_order((*(data_folder("rtl_sim") / "rtl").rglob("*.sv"), *added))


def library_path(name: str) -> Path:
    """The file of a module, or a KeyError."""
    return {path.stem: path for path in library_paths()}[name]


def library_texts(prices: Prices = PRICES) -> dict[str, str]:
    """The texts of all files by file name, in their order; prices: those by which the memories choose."""
    texts = {path.name: path.read_text() for path in library_paths()}
    return texts | {PRICED: priced(texts[PRICED], prices)}


def priced(package: str, prices: Prices) -> str:
    """The text of the package with other prices: the constants that a build may change."""
    for name, price in (("ROM_BLOCK_LUTS", prices.block), ("RAM_BLOCK_LUTS", prices.ram_block),
                        ("LATE_BLOCKS", int(prices.late_blocks)), ("LUT_INPUTS", prices.lut_inputs)):
        package, found = re.subn(rf"(localparam int unsigned {name} = )\d+;", rf"\g<1>{price};", package)
        assert found == 1, name
    return package


def used_sources(text: str, sources: Mapping[str, str]) -> dict[str, str]:
    """The sources whose modules or packages are named in the code of a text, or in one of these sources."""
    home = {unit: name for name, source in sources.items() for unit in _UNIT.findall(source)}
    used: set[str] = set()
    waiting = [text]
    while waiting:
        words = _WORD.findall(_NOT_CODE.sub(" ", waiting.pop()))
        found = {home[word] for word in words if word in home} - used
        used |= found
        waiting += [sources[name] for name in sorted(found)]
    return {name: source for name, source in sources.items() if name in used}


def compile_order(paths: Iterable[Path]) -> list[Path]:
    """Files by name, packages before the modules that use them."""
    return sorted(paths, key=lambda path: (not path.stem.endswith("_pkg"), path.name))
