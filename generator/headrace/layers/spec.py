"""Single layers from plain descriptions, with random weights: the SPEC.json of `headrace layer`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from headrace.datatypes import IntArray
from headrace.errors import InputError, require_positive
from headrace.layers.base import Layer
from headrace.layers.random_values import random_values, require_drawable
from headrace.layers.registry import known_layers
from headrace.layers.spec_fields import Fields

DEFAULT_FRAMES = 3


@dataclass(frozen=True, eq=False)
class LayerCase:
    """A layer to try: random input for `frames` frames is drawn from `seed`."""

    layer: Layer
    frames: int
    seed: int

    def random_input(self) -> tuple[IntArray, ...]:
        """One (frames, elements) array per input stream."""
        rng = np.random.default_rng([self.seed, 1])
        return tuple(random_values(rng, stream.element, (self.frames, stream.elements)) for stream in self.layer.inputs)


def example_layer(kind: str) -> Layer:
    """The example of a kind of layer."""
    return layer_from_spec({"kind": kind, **known_layers()[kind].example}).layer


def layer_from_spec(spec: Mapping[str, Any], index: int = 0) -> LayerCase:
    """The layer that a spec describes, named KIND plus `index`.

    Raises InputError or FoldingError with one sentence for an illegal spec.
    """
    if not isinstance(spec, Mapping):
        raise InputError(f"spec {index} is not a JSON object; write {{\"kind\": \"mvtu\", ...}}")
    kind = spec.get("kind")
    kinds = known_layers()
    if not isinstance(kind, str) or kind not in kinds:
        raise InputError(f"spec {index}: kind {kind!r} is unknown; choose one of {list(kinds)}")
    fields = Fields(f"{kind}{index}", {key: value for key, value in spec.items() if key != "kind"})
    frames, seed = fields.integer("frames", DEFAULT_FRAMES), fields.integer("seed", 0)
    require_positive(fields.name, frames=frames)
    if seed < 0:
        raise InputError(f"{fields.name}: seed={seed} must not be negative; use 0 or more")
    layer = kinds[kind].from_spec(fields, np.random.default_rng(seed))
    fields.finish()
    layer.require_native()
    for stream in layer.streams:
        require_drawable(fields.name, f"values of {frames} frames", frames * stream.elements)
    return LayerCase(layer, frames, seed)
