"""An ONNX graph while it is written: nodes, constants and names, in float32 wherever that is exact."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, ValueInfoProto, helper, numpy_helper

from headrace.network.graph import Network, free_name
from headrace.network.ops import FloatArray, Shape

#: The domain of the QONNX operators, whose version 1 has Trunc with bit widths and version 2 with scales.
QONNX = "qonnx.custom_op.general"
OPSET = 13
IR_VERSION = 8


def single(values: FloatArray) -> NDArray[np.float32] | None:
    """The values in float32, or None where that would round one of them."""
    short = np.asarray(values, np.float32)
    return short if np.array_equal(short.astype(np.float64), values) else None


class GraphWriter:
    """Nodes and constants so far. Every tensor of the Network keeps its name; `name` makes others beside them."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.nodes: list[NodeProto] = []
        self.constants: list[TensorProto] = []
        self._taken = set(network.shapes)

    def name(self, wanted: str) -> str:
        """A name that no tensor has."""
        free = free_name(wanted, self._taken)
        self._taken.add(free)
        return free

    def constant(self, wanted: str, values: object) -> str:
        """Store an array and name it; float64 becomes float32 where that is exact."""
        array = np.asarray(values)
        short = single(array) if array.dtype == np.float64 else None
        return self.exact_constant(wanted, array if short is None else short)

    def exact_constant(self, wanted: str, values: Any) -> str:
        """Store an array in its own type and name it."""
        name = self.name(wanted)
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(values).reshape(np.shape(values)), name))
        return name

    def node(self, op_type: str, inputs: list[str], output: str, domain: str = "", **attributes: object) -> str:
        """Append a node, named after its first output."""
        self.nodes.append(helper.make_node(op_type, inputs, [output], name=output, domain=domain, **attributes))
        return output

    def model(self, integers: frozenset[str], general: int) -> ModelProto:
        """The finished model; the tensors in `integers` are indices, `general` is the version of the QONNX domain."""
        network = self.network

        def described(name: str) -> ValueInfoProto:
            element = TensorProto.INT64 if name in integers else TensorProto.FLOAT
            return helper.make_tensor_value_info(name, element, (1, *network.shapes[name]))

        inner = [described(node.name) for node in network.nodes if node.name not in network.outputs]
        graph = helper.make_graph(self.nodes, "headrace", [described(item.name) for item in network.inputs],
                                  [described(name) for name in network.outputs], self.constants, value_info=inner)
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(QONNX, general)]
        return helper.make_model(graph, ir_version=IR_VERSION, opset_imports=opsets, producer_name="headrace")


def along_channels(values: FloatArray, shape: Shape) -> FloatArray:
    """(1,) as one number, (C,) so that it broadcasts over a batch of samples of this shape."""
    return values.reshape(()) if len(values) == 1 else values.reshape(1, -1, *[1] * (len(shape) - 1))
