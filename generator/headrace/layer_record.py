"""What build.json, tables and pictures say of a layer."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from headrace.area.estimate import estimate
from headrace.layers.base import Layer


def layer_record(layer: Layer) -> dict[str, Any]:
    """What build.json says of a layer."""
    record: dict[str, Any] = {"name": layer.name, "kind": layer.kind}
    record |= {name: getattr(layer, name) for name in layer.fold_sizes}
    record["cycles"] = layer.cycles
    record |= layer.facts
    record |= {"input_bits": layer.inputs[0].element.bits, "input_type": str(layer.inputs[0].element),
               "output_bits": layer.outputs[0].element.bits, "output_type": str(layer.outputs[0].element)}
    record["resources"] = asdict(estimate(layer))
    return record
