"""The memories of a build as they lie in its files, word by word: no threshold can hide a changed one."""

from __future__ import annotations

import re
from pathlib import Path

from headrace.dataflow.graph import Dataflow
from headrace.errors import MismatchError
from headrace.render.names import identifier
from headrace.render.rtl import memory_file

_HLS_ARRAY = re.compile(r"memory_word<\d+> (\w+)(?:\[\d+\])+ = \{(.*?)\};", re.DOTALL)
#: Characters, of remarks for example, that a file may have more than twice what was written.
_SPARE = 4096
_NUMBER = re.compile(r"\b(?:0x[0-9a-fA-F]+|\d+)\b")


def require_rtl_memories(rtl: Path, dataflow: Dataflow) -> None:
    """Raise MismatchError at the first word of a .mem file in the folder `rtl` that is not the network's."""
    for layer in dataflow.layers:
        for memory in layer.memories():
            for name, wanted in memory.files(memory_file(layer, memory.name)).items():
                where = f"RTL: {layer.name}: {name}"
                found = [_number(word, 16) for word in _text(rtl / name, len(wanted), where).split()]
                _require(where, found, [int(word, 16) for word in wanted.split()])


def require_hls_memories(hls: Path, dataflow: Dataflow) -> None:
    """Raise MismatchError at the first chunk of an array in `hls`/weights.hpp that is not the network's."""
    path = hls / "weights.hpp"
    arrays = dict(_HLS_ARRAY.findall(path.read_text(errors="replace") if path.is_file() else ""))
    for layer in dataflow.layers:
        for memory in layer.memories():
            for name, words in memory.arrays().items():
                stem = f"{identifier(layer.name)}_{name}"
                found = [_number(text, 0) for text in _NUMBER.findall(arrays.get(stem, ""))]
                _require(f"HLS: {layer.name}: {stem} in weights.hpp", found, memory.chunks(words).reshape(-1).tolist())


def _text(path: Path, size: int, where: str) -> str:
    """The text of a file that should have `size` characters; "" where there is no file."""
    if not path.is_file():
        return ""
    with path.open(errors="replace") as file:
        text = file.read(2 * size + _SPARE)
    if len(text) == 2 * size + _SPARE:
        raise MismatchError(f"{where} holds {len(text)} characters and more but the network's memory has {size}")
    return text


def _number(text: str, base: int) -> int | None:
    try:
        return int(text, base)
    except ValueError:
        return None


def _require(where: str, found: list[int | None], wanted: list[int]) -> None:
    if len(found) != len(wanted):
        raise MismatchError(f"{where} holds {len(found)} words but the network has {len(wanted)}")
    for address, (value, word) in enumerate(zip(found, wanted, strict=True)):
        if value != word:
            shown = "no number" if value is None else f"{value:#x}"
            raise MismatchError(f"{where} has {shown} as word {address} but the network has {word:#x}")
