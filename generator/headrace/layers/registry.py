"""The kinds of layers that are known: those that come with headrace, and those of other packages by entry point.

A package adds a layer by an entry point of the group GROUP, whose name is the kind and whose object the class. Its
kernels headrace_KIND.sv and KIND.hpp lie in the folder `kernels` of the class.
"""

from __future__ import annotations

from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import Final

from headrace.errors import InputError
from headrace.layers import LAYERS
from headrace.layers.base import Layer

GROUP: Final = "headrace.layers"


@cache
def known_layers() -> dict[str, type[Layer]]:
    """Every streaming layer by its kind.

    Raises InputError for an entry point that names no layer, or one whose kind is taken.
    """
    found = dict(LAYERS)
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        layer = point.load()
        if not (isinstance(layer, type) and issubclass(layer, Layer) and layer.kind == point.name):
            raise InputError(f"entry point {point.name} of {GROUP}: {point.value} is not a layer of this kind; name a "
                             "subclass of headrace.layers.base.Layer by its kind")
        if point.name in found:
            raise InputError(f"entry point {point.name} of {GROUP}: this kind is taken; rename the layer")
        found[point.name] = layer
    return found


def kernel_folders() -> list[Path]:
    """Where the kernels of added layers lie."""
    return sorted({layer.kernels for layer in known_layers().values() if layer.kernels})
