"""An ONNX file as a plain, checked graph: nodes in topological order, constants as arrays, inputs and outputs.

Nothing in the file is executed, no other file is opened, and sizes are bounded before anything is made of them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from google.protobuf.message import DecodeError
from numpy.typing import NDArray
from onnx import numpy_helper

from headrace.bounded_reading import read_bytes
from headrace.errors import InputError, UnsupportedError
from headrace.network.graph import free_name
from headrace.network.ops import Shape

Array = NDArray[Any]

MAX_FILE_BYTES = 1 << 30
MAX_NODES = 100_000
#: Most elements of a tensor, constant or computed.
MAX_ELEMENTS = 1 << 27

_TYPES = onnx.TensorProto
_FLOATS = (_TYPES.FLOAT, _TYPES.DOUBLE, _TYPES.FLOAT16)
_SMALL_INTEGERS = (_TYPES.INT4, _TYPES.UINT4)
#: What a file may hold as a constant.
_CONSTANT_TYPES = (*_FLOATS, *_SMALL_INTEGERS, _TYPES.INT8, _TYPES.UINT8, _TYPES.INT16, _TYPES.UINT16, _TYPES.INT32,
                   _TYPES.UINT32, _TYPES.INT64, _TYPES.BOOL)
#: Integer inputs, with the FINN name of their type.
_INTEGER_INPUTS = {_TYPES.INT8: "INT8", _TYPES.UINT8: "UINT8", _TYPES.INT16: "INT16", _TYPES.UINT16: "UINT16"}


@dataclass(frozen=True)
class OnnxNode:
    """One node of the file. An input that is left out is named ""."""

    name: str
    op_type: str
    domain: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: dict[str, Any]

    @property
    def label(self) -> str:
        """How messages name the node."""
        return f"{self.name} ({self.op_type})"

    def integer(self, name: str, default: int) -> int:
        """An attribute that is one integer."""
        return int(self._typed(name, int, default))

    def number(self, name: str, default: float) -> float:
        """An attribute that is one number, a float32; so are the standard's defaults."""
        return float(self._typed(name, float, float(np.float32(default))))

    def text(self, name: str, default: str) -> str:
        """An attribute that is a text."""
        return bytes(self._typed(name, bytes, default.encode())).decode("utf-8", "replace")

    def integers(self, name: str) -> tuple[int, ...] | None:
        """An attribute that is a list of integers, or None where it is left out."""
        values = self.attributes.get(name)
        if values is not None and not (isinstance(values, list) and all(isinstance(n, int) for n in values)):
            raise InputError(f"its attribute {name} is not a list of integers; export the model again")
        return None if values is None else tuple(values)

    def _typed(self, name: str, kind: type, default: object) -> Any:
        value = self.attributes.get(name, default)
        if not isinstance(value, kind):
            raise InputError(f"its attribute {name} is {value!r} where {kind.__name__} is needed; "
                             "export the model again")
        return value


@dataclass(frozen=True, eq=False)
class OnnxGraph:
    """A checked graph. `datatypes` are FINN's annotations by tensor, `shapes` those that the file declares.

    `inputs` are the shapes of the inputs by name. Shapes include the batch, which is 1 where the file leaves it open.
    """

    inputs: dict[str, Shape]
    outputs: tuple[str, ...]
    nodes: tuple[OnnxNode, ...]
    constants: dict[str, Array]
    datatypes: dict[str, str]
    shapes: dict[str, Shape]
    opset: int

    @property
    def batch(self) -> int:
        """Samples that the file's shapes are for."""
        return next(iter(self.inputs.values()))[0]


def read(path: Path) -> OnnxGraph:
    """The graph of a file. Raises InputError, one sentence, for whatever is not a sound ONNX graph."""
    graph = _parse(path)
    try:
        return _checked(graph.graph, {item.domain: item.version for item in graph.opset_import})
    except (InputError, UnsupportedError) as error:
        raise type(error)(f"{path}: {error}") from None


def _parse(path: Path) -> Any:
    try:
        content = read_bytes(path, MAX_FILE_BYTES)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); check the path") from None
    try:
        model = onnx.load_model_from_string(content)
    except (DecodeError, ValueError, RecursionError):
        raise InputError(f"{path}: is damaged or no ONNX file; export the model again") from None
    if not model.opset_import or not model.graph.output:
        raise InputError(f"{path}: holds no ONNX graph; export the model again")
    return model


def _checked(graph: Any, opsets: dict[str, int]) -> OnnxGraph:
    if len(graph.node) > MAX_NODES:
        raise InputError(f"has {len(graph.node)} nodes, more than {MAX_NODES}; export a smaller model")
    if graph.sparse_initializer:
        raise UnsupportedError("holds sparse initializers; export dense ones")
    constants = {_text(item.name): array(item) for item in graph.initializer}
    values = [item for item in graph.input if item.name not in constants]
    names, outputs = _names("input", values), _names("output", list(graph.output))
    given = dict(zip(names, map(_input, values), strict=True))
    inputs = {name: shape for name, (shape, _) in given.items()}
    if len({shape[0] for shape in inputs.values()}) > 1:
        raise InputError(f"the inputs have the batches {', '.join(str(shape[0]) for shape in inputs.values())}; export "
                         "with the same batch")
    nodes = _nodes(graph.node)
    _require_single_makers([*names, *constants], nodes)
    made = {*names, *constants, *(name for node in nodes for name in node.outputs)}
    if missing := [name for name in outputs if name not in made]:
        raise InputError(f"the output {missing[0]} is made by no node; export the model again")
    datatypes = {name: integer_type for name, (_, integer_type) in given.items() if integer_type}
    return OnnxGraph(inputs, outputs, _needed(_sorted(nodes, {"", *names, *constants}), outputs), constants,
                     datatypes | _annotations(graph), _declared_shapes(graph),
                     opsets.get("", opsets.get("ai.onnx", 1)))


def _text(name: object) -> str:
    """A name of the file. Raises InputError for one that is not a text, which the parser hands over as bytes."""
    if not isinstance(name, str):
        raise InputError(f"the name {name!r} is not a text; the file is damaged, export it again")
    return name


def _names(what: str, values: list[Any]) -> tuple[str, ...]:
    """The names of inputs or outputs, of which there is one at least, and none twice."""
    names = tuple(_text(value.name) for value in values)
    if not names:
        raise InputError(f"the model has no {what}; export the model again")
    if twice := [name for name in names if names.count(name) > 1]:
        raise InputError(f"the model has two {what}s of the name {twice[0]!r}; export the model again")
    return names


def _input(value: Any) -> tuple[Shape, str]:
    """Shape of the input with its batch (1 if symbolic), and the FINN name of its type if it holds integers."""
    tensor = value.type.tensor_type
    if tensor.elem_type not in (*_FLOATS, *_INTEGER_INPUTS):
        kind = _TYPES.DataType.Name(tensor.elem_type) if tensor.elem_type in _TYPES.DataType.values() else "unknown"
        raise InputError(f"the input {value.name} is of type {kind}; use float or an integer of up to 16 bits")
    dims = [dim.dim_value for dim in tensor.shape.dim]
    sizes = [size if size > 0 else None for size in dims]
    if len(dims) < 2 or None in sizes[1:]:
        shown = ", ".join(dim.dim_param or str(dim.dim_value or "?") for dim in tensor.shape.dim)
        raise InputError(f"the input {value.name} has the shape ({shown}) but only the batch may be dynamic and one "
                         "more axis is needed; export with fixed sizes")
    shape = tuple(size or 1 for size in sizes)
    require_elements(f"the input {value.name}", shape)
    return shape, _INTEGER_INPUTS.get(tensor.elem_type, "")


def require_elements(what: str, shape: Iterable[int]) -> None:
    """Raise InputError where a tensor would be larger than any that is read."""
    sizes = tuple(shape)
    if any(size < 0 for size in sizes) or math.prod(sizes) > MAX_ELEMENTS:
        raise InputError(f"{what} has the shape {sizes}, which is negative or exceeds {MAX_ELEMENTS} elements; "
                         "mend or shrink the model")


def array(tensor: Any) -> Array:
    """A tensor of the file. Raises InputError for external, oversized, damaged and non-numeric ones."""
    what = f"the constant {_text(tensor.name)}" if tensor.name else "a constant"
    if tensor.data_location == _TYPES.EXTERNAL or tensor.external_data:
        raise InputError(f"{what} lies in another file, which is not opened; save the model as one file")
    if tensor.data_type not in _CONSTANT_TYPES:
        raise InputError(f"{what} has elements of type number {tensor.data_type}; use float or integers")
    require_elements(what, tensor.dims)
    try:
        values = np.asarray(numpy_helper.to_array(tensor))
    except (ValueError, TypeError, OverflowError):
        raise InputError(f"{what} of shape {tuple(tensor.dims)} has another number of values; the file is damaged, "
                         "export it again") from None
    return values.astype(np.int8) if tensor.data_type in _SMALL_INTEGERS else values


def _attribute(attribute: Any) -> Any:
    """The value of an attribute; None for the kinds that no supported node has."""
    kinds = onnx.AttributeProto
    if attribute.type == kinds.TENSOR:
        return array(attribute.t)
    plain = {kinds.INT: attribute.i, kinds.FLOAT: attribute.f, kinds.STRING: attribute.s,
             kinds.INTS: list(attribute.ints), kinds.FLOATS: list(attribute.floats)}
    return plain.get(attribute.type)


def _nodes(protos: Any) -> list[OnnxNode]:
    """The nodes in the order of the file, each with a name of its own."""
    nodes: list[OnnxNode] = []
    taken: set[str] = set()
    for proto in protos:
        inputs, outputs = tuple(map(_text, proto.input)), tuple(map(_text, proto.output))
        op_type, domain = _text(proto.op_type), _text(proto.domain)
        name = free_name(_text(proto.name) or next(filter(None, outputs), op_type), taken)
        taken.add(name)
        nodes.append(OnnxNode(name, op_type, "" if domain == "ai.onnx" else domain, inputs, outputs,
                              {_text(item.name): _attribute(item) for item in proto.attribute}))
    return nodes


def _require_single_makers(given: list[str], nodes: list[OnnxNode]) -> None:
    made = set(given)
    for node in nodes:
        for output in filter(None, node.outputs):
            if output in made:
                raise InputError(f"{node.label}: makes {output!r}, which exists already; every tensor needs one maker")
            made.add(output)


def _sorted(nodes: list[OnnxNode], known: set[str]) -> list[OnnxNode]:
    """Nodes so that each stands behind those whose outputs it reads."""
    made = known | {output for node in nodes for output in node.outputs}
    for node in nodes:
        if missing := [name for name in node.inputs if name not in made]:
            raise InputError(f"{node.label}: reads {missing[0]!r}, which nothing makes; export the model again")
    makers = {output: node for node in nodes for output in node.outputs}
    readers: dict[str, list[OnnxNode]] = {}
    waiting = {}
    for node in nodes:
        sources = {makers[name].name for name in node.inputs if name in makers and name not in known}
        waiting[node.name] = len(sources)
        for source in sources:
            readers.setdefault(source, []).append(node)
    done = [node for node in nodes if not waiting[node.name]]
    for node in done:  # grows while it is walked
        for reader in readers.get(node.name, ()):
            waiting[reader.name] -= 1
            if not waiting[reader.name]:
                done.append(reader)
    if len(done) < len(nodes):
        stuck = ", ".join(node.label for node in nodes if waiting[node.name])
        raise InputError(f"the graph is cyclic: {stuck} wait for one another; a streaming network has no loops")
    position = {node.name: place for place, node in enumerate(nodes)}
    ordered = all(position[makers[name].name] < position[node.name]
                  for node in nodes for name in node.inputs if name in makers and name not in known)
    return nodes if ordered else done


def _needed(nodes: list[OnnxNode], outputs: tuple[str, ...]) -> tuple[OnnxNode, ...]:
    """The nodes that the outputs depend on."""
    wanted, kept = set(outputs), []
    for node in reversed(nodes):
        if wanted.intersection(node.outputs):
            wanted.update(node.inputs)
            kept.append(node)
    return tuple(reversed(kept))


def _annotations(graph: Any) -> dict[str, str]:
    """FINN data types by tensor."""
    return {_text(item.tensor_name): _text(pair.value) for item in graph.quantization_annotation
            for pair in item.quant_parameter_tensor_names if pair.key == "finn_datatype"}


def _declared_shapes(graph: Any) -> dict[str, Shape]:
    """Shapes that the file states, where they are fixed but for the batch."""
    shapes = {}
    for value in (*graph.value_info, *graph.output):
        dims = [dim.dim_value for dim in value.type.tensor_type.shape.dim]
        if dims and min(dims[1:], default=1) > 0:
            shapes[_text(value.name)] = (max(dims[0], 1), *dims[1:])
    return shapes
