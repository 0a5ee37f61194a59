"""The SystemVerilog library that comes with headrace: its files, and those of them that a text uses."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from headrace.paths import data_folder


def library_folders() -> list[Path]:
    """The folders of rtl_sim/rtl: one file per module, called like it."""
    return sorted(path for path in (data_folder("rtl_sim") / "rtl").iterdir() if path.is_dir())


def library_paths() -> list[Path]:
    """All files of the library, in the order in which every tool can read them."""
    return compile_order(path for folder in library_folders() for path in folder.glob("*.sv"))


def library_path(name: str) -> Path:
    """The file of a module, or a KeyError."""
    return {path.stem: path for path in library_paths()}[name]


def library_texts() -> dict[str, str]:
    """The texts of all files by file name, in their order."""
    return {path.name: path.read_text() for path in library_paths()}


def compile_order(paths: Iterable[Path]) -> list[Path]:
    """Files by name, packages before the modules that use them."""
    return sorted(paths, key=lambda path: (not path.stem.endswith("_pkg"), path.name))
