"""ONNX files of all supported dialects: QONNX, FINN-ONNX and QCDQ, which may be mixed in one graph.

The nodes are read in order; each turns the values that it reads into operations of the Network or into constants.
Whatever is not supported is gathered and reported at once.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from pathlib import Path

import numpy as np

from headrace.errors import HeadraceError, InputError, UnsupportedError
from headrace.frontend.onnx import (
    activations,
    blocks,
    constants,
    elementwise,
    finn,
    moves,
    products,
    qcdq,
    qonnx,
    qoperator,
    shapes,
    windows,
)
from headrace.frontend.onnx.builder import Builder, Call, Handler
from headrace.frontend.onnx.constants import Computation, widened
from headrace.frontend.onnx.graph import OnnxGraph, OnnxNode, read
from headrace.frontend.onnx.refusals import SAID_ONCE, WAYS_OUT
from headrace.frontend.onnx.values import Codes, Constant, Feature, Unknown, Value, Windows
from headrace.network import ops
from headrace.network.graph import Input, Network, needed

HANDLERS: dict[str, Handler] = (
    elementwise.HANDLERS | activations.HANDLERS | shapes.HANDLERS | products.HANDLERS | windows.HANDLERS
    | moves.HANDLERS | blocks.HANDLERS | qonnx.HANDLERS | finn.HANDLERS | qcdq.HANDLERS | qoperator.HANDLERS)
CHANNELS_LAST: dict[str, Handler] = (
    elementwise.CHANNELS_LAST | products.CHANNELS_LAST | windows.CHANNELS_LAST)
COMPUTED: dict[str, Computation] = constants.COMPUTED | qonnx.COMPUTED | qcdq.COMPUTED

#: Domains whose operations go by their names alone: old files have quantizers in the domain of ONNX itself.
DOMAINS = ("", "qonnx.custom_op.general", "onnx.brevitas", "finn.custom_op.general", "com.microsoft")
#: Most elements that folding may make of constants: so many, and so many for each that is in the file.
MAX_FOLDED, FOLDED_SHARE = 1 << 24, 16
CHANNELS_LAST_DOMAIN = "qonnx.custom_op.channels_last"
_QUANTIZERS = frozenset({"Quant", "IntQuant", "BipolarQuant", "QuantizeLinear"})


def from_file(path: Path) -> Network:
    """The Network of an ONNX file.

    Raises InputError for a file that is damaged or not sound, and one UnsupportedError that lists every node without
    support, one line each: name, operation, why, and what would make it work.
    """
    return with_views(path)[0]


def with_views(path: Path) -> tuple[Network, dict[str, Feature]]:
    """The Network of a file, and which view of its tensors every computed tensor of the file is; see from_file."""
    return read_by(path, Constant.weight)


def read_by(path: Path, weight: Callable[[Constant], ops.QuantWeight]) -> tuple[Network, dict[str, Feature]]:
    """As with_views, with weights made of constants by `weight`."""
    graph = read(path)
    try:
        walk = _Walk(graph, weight)
        network = walk.network()
    except HeadraceError as error:
        raise type(error)(f"{path}: {error}") from None
    return network, {name: value for name, value in walk.values.items() if isinstance(value, Feature)}


class _Walk:
    """One pass over the nodes of a graph."""

    def __init__(self, graph: OnnxGraph, weight: Callable[[Constant], ops.QuantWeight]) -> None:
        self.graph = graph
        self.build = Builder(graph, weight)
        self.unsupported: list[str] = []
        self.computed = 0  # elements of constants that were computed
        self.values: dict[str, Value] = {name: self._constant(name) for name in graph.constants}
        self.values |= {name: self._input(name) for name in graph.inputs}

    def _constant(self, name: str) -> Constant:
        stored = self.graph.constants[name]
        dtype = finn.data_type(self.graph.datatypes.get(name, ""))
        if dtype is None or not stored.size:
            return Constant(stored, stored=stored.dtype.name)
        return finn.annotated(widened(stored), name, dtype)

    def _input(self, name: str) -> Feature:
        """An input of the network; the type that a file states for it becomes a quantizer, unless one reads it anyway.
        """
        x = Feature.whole(name, self.graph.inputs[name][1:])
        dtype = finn.data_type(self.graph.datatypes.get(name, ""))
        readers = {node.op_type for node in self.graph.nodes if name in node.inputs}
        if dtype is None or readers <= _QUANTIZERS:
            return x
        self.build.scope = name
        return x.renamed(self.build.emit(ops.Quantize(np.ones(1), dtype), name, suffix=".quant"))

    def network(self) -> Network:
        """Read all nodes. Raises UnsupportedError and InputError."""
        for node in self.graph.nodes:
            self._visit(node)
        if self.unsupported:
            raise UnsupportedError("\n".join(self._report()))
        outputs = {name: self._output(name) for name in self._computed()}
        inputs = tuple(Input(name, shape[1:]) for name, shape in self.graph.inputs.items())
        # Merged borders and reshapes have lost their readers.
        nodes = needed(list(self.build.nodes.values()), outputs.values())
        return Network(inputs, nodes, tuple(outputs.values()), tuple(outputs))

    def _computed(self) -> list[str]:
        """The outputs, without those that do not depend on an input: scales and zero points of an export."""
        computed = [name for name in self.graph.outputs if not isinstance(self.values[name], Constant)]
        return computed or [self.graph.outputs[0]]

    def _output(self, name: str) -> str:
        """The tensor of the network that is an output of the file."""
        self.build.scope = name
        result = self.values[name]
        if isinstance(result, Codes):
            result = qcdq.as_numbers(self.build, result)
        if not isinstance(result, Feature):
            raise InputError(f"the output {name} {_NO_OUTPUT[type(result)]}; export another output")
        return self.build.exact(result)

    def _report(self) -> list[str]:
        count = len(self.unsupported)
        return [f"{count} node{'s are' if count > 1 else ' is'} not supported", *self.unsupported]

    def _visit(self, node: OnnxNode) -> None:
        self.build.scope = node.name
        made = self._read(node, tuple(self.values[name] if name else None for name in node.inputs))
        results = made if isinstance(made, tuple) else (made,)
        for place, name in enumerate(node.outputs):
            self.values[name] = results[place] if place < len(results) else Unknown()

    def _read(self, node: OnnxNode, values: tuple[Value | None, ...]) -> Value | tuple[Value, ...]:
        """What the node makes of its inputs; what is not supported is noted and stood in for."""
        try:
            handler = self._handler(node)
            _require_inputs(node)
            if any(isinstance(value, Unknown) for value in values):
                return self._stand_in(node, values)
            if all(value is None or isinstance(value, Constant) for value in values):
                return self._bounded(_folded(node, values))
            return handler(Call(node, values, self.build))
        except UnsupportedError as error:
            reason = str(error)
            if reason not in SAID_ONCE or not any(line.endswith(f": {reason}") for line in self.unsupported):
                self.unsupported.append(f"{node.label}: {reason}")
            return self._stand_in(node, values)
        except InputError as error:
            if not self.unsupported:
                raise InputError(f"{node.label}: {error}") from None
            return self._stand_in(node, values)  # behind a node without support shapes are guesses

    def _bounded(self, made: Constant) -> Constant:
        """The constant. Raises InputError once folding makes far more of the file's constants than there are."""
        self.computed += prod(made.shape)
        most = MAX_FOLDED + FOLDED_SHARE * sum(stored.size for stored in self.graph.constants.values())
        if self.computed > most:
            raise InputError(f"constants of {self.computed} elements in all were computed, more than {most}; fold them "
                             "in the model")
        return made

    def _handler(self, node: OnnxNode) -> Handler:
        """The reader of a node. Raises UnsupportedError for foreign operations."""
        if node.domain == CHANNELS_LAST_DOMAIN and node.op_type in CHANNELS_LAST:
            return CHANNELS_LAST[node.op_type]
        if node.domain in DOMAINS and node.op_type in HANDLERS:
            return HANDLERS[node.op_type]
        if node.domain in DOMAINS and node.op_type in COMPUTED:
            return _constants_only
        where = f" of the domain {node.domain}" if node.domain else ""
        raise UnsupportedError(f"no streaming layer does this operation{where}; "
                               f"{WAYS_OUT.get(node.op_type, 'replace it by operations that docs/onnx.md lists')}")

    def _stand_in(self, node: OnnxNode, values: tuple[Value | None, ...]) -> Value:
        """A tensor of the shape that the file declares, or of the input's, so that the nodes behind can be judged."""
        features = [value for value in values if isinstance(value, Feature)]
        declared = self.graph.shapes.get(node.outputs[0]) if node.outputs else None
        if declared is None and not features:
            return Unknown()
        shape = declared[1:] if declared else features[0].shape
        self.build.shapes[f"{node.name}.unsupported"] = shape
        return Feature.whole(f"{node.name}.unsupported", shape)


_NO_OUTPUT: dict[type[Value], str] = {
    Constant: "does not depend on the input", Windows: "ends with the windows of an Im2Col",
    Unknown: "is a result that is not computed",
}


def _constants_only(call: Call) -> Value:
    way_out = WAYS_OUT.get(call.node.op_type, "compute it before the model or behind it")
    raise UnsupportedError(f"is done on constants only, and its input is computed; {way_out}")


#: Fewest inputs of the nodes that need more or less than one.
_LEAST_INPUTS = dict.fromkeys(("Add", "Sub", "Mul", "Div", "Pow", "Min", "Max", "Gather", "QuantizeLinear",
                               "DequantizeLinear", "MatMul", "Conv", "Gemm"), 2) | {"Constant": 0}


def _require_inputs(node: OnnxNode) -> None:
    given, least = len([name for name in node.inputs if name]), _LEAST_INPUTS.get(node.op_type, 1)
    if given < least or (least and not node.inputs[0]):
        raise InputError(f"has {given} inputs where {least} are needed; export the model again")


def _folded(node: OnnxNode, values: tuple[Value | None, ...]) -> Constant:
    """What a node makes of constants."""
    if node.op_type not in COMPUTED or node.domain not in DOMAINS:
        raise UnsupportedError("reads constants only and is not folded; fold it in the model")
    inputs = [value for value in values if isinstance(value, Constant)]
    if any(value is None for value in values[: len(inputs)]):
        raise UnsupportedError("reads constants only, one of them left out; fold it in the model")
    return COMPUTED[node.op_type](node, inputs)
