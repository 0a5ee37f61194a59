"""The attributes of a node of an ONNX file, by name and type."""

from __future__ import annotations

from collections.abc import Sequence

from onnx import NodeProto


class Attributes:
    """A missing attribute without a default is a KeyError."""

    def __init__(self, node: NodeProto) -> None:
        self._of = {attribute.name: attribute for attribute in node.attribute}

    def whole(self, name: str, default: int | None = None) -> int:
        if default is not None and name not in self._of:
            return default
        return int(self._of[name].i)

    def wholes(self, name: str, default: Sequence[int] | None = None) -> list[int]:
        if default is not None and name not in self._of:
            return list(default)
        return [int(v) for v in self._of[name].ints]

    def number(self, name: str) -> float:
        return float(self._of[name].f)

    def text(self, name: str) -> str:
        return str(self._of[name].s.decode())
