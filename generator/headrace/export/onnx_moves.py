"""What only moves elements, as ONNX nodes."""

from __future__ import annotations

import numpy as np

from headrace.export.onnx_graph import GraphWriter
from headrace.network.graph import Node
from headrace.network.moves import Crop, SelectChannels


def crop(graph: GraphWriter, node: Node) -> None:
    """A slice of rows and columns."""
    assert isinstance(node.op, Crop)
    parts = {"starts": node.op.start, "ends": node.op.stop, "axes": (2, 3), "steps": node.op.step}
    constants = [graph.constant(f"{node.name}.{part}", np.asarray(values, np.int64)) for part, values in parts.items()]
    graph.node("Slice", [node.inputs[0], *constants], node.name)


def select_channels(graph: GraphWriter, node: Node) -> None:
    """Channels by their numbers; a constant is one more channel behind the others."""
    assert isinstance(node.op, SelectChannels)
    source, shape = node.inputs[0], graph.network.shapes[node.inputs[0]]
    places = np.asarray(node.op.sources, np.int64)
    if np.any(places < 0):
        pads = graph.constant(f"{node.name}.pads", np.eye(2 * len(shape) + 2, dtype=np.int64)[len(shape) + 2])
        value = graph.constant(f"{node.name}.value", np.float32(node.op.value))
        source = graph.node("Pad", [source, pads, value], graph.name(f"{node.name}.padded"), mode="constant")
        places = np.where(places < 0, shape[0], places)
    graph.node("Gather", [source, graph.constant(f"{node.name}.channels", places)], node.name, axis=1)
