"""The attributes of a node of an ONNX file, by name and type."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
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

    def number(self, name: str, default: float | None = None) -> float:
        """The standard's defaults are float32, as all attributes."""
        if default is not None and name not in self._of:
            return float(np.float32(default))
        return float(self._of[name].f)

    def text(self, name: str, default: str | None = None) -> str:
        if default is not None and name not in self._of:
            return default
        return str(self._of[name].s.decode())
