"""Reading a .tflite file into an IntegerNetwork: the model is integers already, so nothing is streamlined.

Follows the schema and the kernels of TensorFlow Lite; which set of kernels gives the meaning is the caller's choice.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod
from pathlib import Path

import numpy as np

from headrace.datatypes import IntArray
from headrace.errors import HeadraceError, InputError, UnsupportedError
from headrace.frontend.tflite.build import CODES, Build, Call, Frame, Value, quantization
from headrace.frontend.tflite.kernels import KERNEL_SETS, KernelSet
from headrace.frontend.tflite.operators import OPERATIONS
from headrace.frontend.tflite.schema import Graph, Operator, Tensor, read_graph
from headrace.network.frame_ops import Part, Sequence, sequence_type
from headrace.network.integer import (
    INPUT,
    HostInput,
    HostInputs,
    HostOutput,
    HostOutputs,
    IntegerNetwork,
    TensorType,
)
from headrace.network.ops import Shape
from headrace.network.rounding import Rounding
from headrace.streamline.streamline import MAX_INPUT_ELEMENTS

#: Operators behind which numbers mean what they did.
_PASSING = ("RESHAPE", "SQUEEZE", "EXPAND_DIMS", "DEQUANTIZE", "QUANTIZE")
#: Most operators that a refusal lists.
MAX_LISTED = 20


def from_file(path: Path, kernels: str = "reference") -> IntegerNetwork:
    """The integer network of a .tflite file by one set of kernels.

    Raises InputError for a file that is not sound, UnsupportedError for what has no exact integer form; both name it.
    """
    try:
        return _network(read_graph(path), _known(kernels))
    except HeadraceError as error:
        raise type(error)(f"{path}: {error}") from None


def _network(graph: Graph, kernels: KernelSet) -> IntegerNetwork:
    for what, places in (("input", graph.inputs), ("output", graph.outputs)):
        if not places:
            raise InputError(f"has no {what}; convert the model again")
    operators = _needed(graph)
    build = Build(graph, kernels, _inner(operators))
    starts = _inputs(build, operators)
    done = [operator for start in starts for operator in start.done]
    failures = [text for operator in operators if operator not in done and (text := _visit(build, operator))]
    if failures:
        raise UnsupportedError(_report(failures))
    outputs = [_last(build, place) for place in graph.outputs]
    _require_read(build, operators)
    if len(outputs) > 1:
        build.draft.add_named("outputs", Sequence(), *(value.tensor for value in outputs))
    hosts = tuple(start.host for start in starts)
    return IntegerNetwork(hosts[0] if len(hosts) == 1 else HostInputs(hosts), tuple(build.draft.nodes.values()),
                          _host_outputs(graph, outputs))


def _last(build: Build, place: int) -> Value:
    """The codes of an output of the model."""
    value = build.values.get(place)
    if value is None:
        raise InputError(f"has the output {build.graph.tensors[place].name!r}, which no operator makes; convert the "
                         "model again")
    return build.plain(value)


def _require_read(build: Build, operators: list[Operator]) -> None:
    """Raise UnsupportedError for one of several inputs that no operator reads."""
    read = {place for operator in operators for place in operator.inputs}
    for place in build.graph.inputs:
        if len(build.graph.inputs) > 1 and place not in read:
            raise UnsupportedError(f"the input {build.graph.tensors[place].name!r} reaches no output; take it out of "
                                   "the model")


def _host_outputs(graph: Graph, values: list[Value]) -> HostOutput | HostOutputs:
    """What the host makes of the outputs; several are called as the file calls their tensors."""
    if len(values) == 1:
        return _output(values[0])
    names = _names(graph, graph.outputs)
    return HostOutputs(tuple(replace(_output(value), name=name) for value, name in zip(values, names, strict=True)))


def _names(graph: Graph, places: tuple[int, ...]) -> list[str]:
    """Names of several inputs or outputs: those of their tensors, with a number where two are alike or one has none."""
    names = [graph.tensors[place].name for place in places]
    return [name if name and names.count(name) == 1 else f"{name or 'tensor'}_{k}" for k, name in enumerate(names)]


def _known(kernels: str) -> KernelSet:
    for known in KERNEL_SETS:
        if kernels == known:
            return known
    raise InputError(f"kernels {kernels!r} are unknown; choose one of {list(KERNEL_SETS)}")


def _needed(graph: Graph) -> list[Operator]:
    """The operators that the outputs need, in order."""
    needed, kept = set(graph.outputs), []
    for operator in reversed(graph.operators):
        if not needed.isdisjoint(operator.outputs):
            needed.update(operator.inputs)
            kept.append(operator)
    return kept[::-1]


def _inner(operators: list[Operator]) -> set[int]:
    """Tensors that something computes with; of the others the host can make real numbers."""
    inner: set[int] = set()
    for operator in reversed(operators):
        if operator.name not in _PASSING or not inner.isdisjoint(operator.outputs):
            inner.update(operator.inputs)
    return inner


def _visit(build: Build, operator: Operator) -> str:
    """Note the value of an operator's output; what is wrong with it, or nothing. Readers of what failed are silent."""
    name = build.graph.tensors[operator.outputs[0]].name if operator.outputs else ""
    if any(place in build.values and build.values[place] is None for place in operator.inputs):
        build.values.update(dict.fromkeys(operator.outputs))
        return ""
    try:
        if operator.name not in OPERATIONS:
            raise UnsupportedError("has no streaming form; replace it in the model")
        call = Call(build, operator)
        build.values[operator.outputs[0]] = _of_shape(call.out, OPERATIONS[operator.name].read(call))
    except HeadraceError as error:
        build.values.update(dict.fromkeys(operator.outputs))
        return f"{operator.name} {name!r}: {error}"
    return ""


def _of_shape(tensor: Tensor, value: Value) -> Value:
    """The value. Raises InputError unless it has as many elements as the file says."""
    if prod(value.shape) != prod(tensor.shape):
        raise InputError(f"makes a tensor of shape {value.shape} where the file says {tensor.shape}; convert the model "
                         "with batch size 1")
    return value


def _report(failures: list[str]) -> str:
    """One sentence, or all of them under a heading."""
    if len(failures) == 1:
        return failures[0]
    more = [f"and {len(failures) - MAX_LISTED} more"] if len(failures) > MAX_LISTED else []
    return "\n  ".join([f"{len(failures)} operators have no exact streaming form:", *failures[:MAX_LISTED], *more])


@dataclass(frozen=True)
class Start:
    """The first codes: their place, what the host does for them, and operators that are the host's."""

    codes: int
    value: Value
    host: HostInput
    done: tuple[Operator, ...] = ()


def _inputs(build: Build, operators: list[Operator]) -> list[Start]:
    """Every input of the model; the frames of several follow one another on the stream, and each is a part of it."""
    graph, many = build.graph, len(build.graph.inputs) > 1
    names = _names(graph, graph.inputs) if many else ["input"]
    starts = [_input(graph, place, operators, f"{INPUT}{k}" if many else INPUT, name)
              for k, (place, name) in enumerate(zip(graph.inputs, names, strict=True))]
    hosts = [start.host for start in starts]
    build.draft.types[INPUT] = sequence_type([host.tensor for host in hosts]) if many else hosts[0].tensor
    first = 0
    for start in starts:
        if many:
            frame = start.host.tensor
            build.draft.add_named(start.value.tensor, Part(first, frame.shape, frame.dtype), INPUT)
            first += prod(frame.shape)
        build.values[start.codes] = start.value
    return starts


def _input(graph: Graph, place: int, operators: list[Operator], name: str, called: str) -> Start:
    """The codes of an input: its own integers, or what QUANTIZE makes of floats on the host."""
    tensor = graph.tensors[place]
    readers = [operator for operator in operators if place in operator.inputs]
    codes, done = place, tuple[Operator, ...]()
    if tensor.type == "float32":
        if len(readers) != 1 or readers[0].name != "QUANTIZE" or len(readers[0].outputs) != 1:
            raise UnsupportedError("computes in floating point; convert the model with full integer quantization, or "
                                   "use headrace quantize on an ONNX export")
        codes, done = readers[0].outputs[0], (readers[0],)
    scale, zero = quantization(graph.tensors[codes])
    if tensor.shape[:1] != (1,):
        raise UnsupportedError(f"has an input of shape {tensor.shape}; convert the model with batch size 1")
    shape = tensor.shape[1:]
    if prod(shape) > MAX_INPUT_ELEMENTS:
        raise UnsupportedError(f"has an input of {prod(shape)} elements and at most {MAX_INPUT_ELEMENTS} are possible; "
                               "use smaller images")
    value = Value(name, _frame(graph, codes, shape, operators), shape, scale, zero)
    host = _host_input(value, graph.tensors[codes], tensor.type == "float32")
    return Start(codes, value, replace(host, name=called), done)


def _frame(graph: Graph, place: int, shape: Shape, operators: list[Operator]) -> Frame:
    """(H, W, C) of the input: an image, what it is first reshaped to, rows of channels, or a vector."""
    shapes = [shape, *(graph.tensors[operator.outputs[0]].shape[1:] for operator in operators
                       if place in operator.inputs and operator.name in ("RESHAPE", "EXPAND_DIMS"))]
    for height, width, channels in (one for one in shapes if len(one) == 3 and prod(one) == prod(shape)):
        return height, width, channels
    return (1, shape[0], shape[1]) if len(shape) == 2 else (1, 1, prod(shape))


def _host_input(value: Value, tensor: Tensor, floats: bool) -> HostInput:
    """Integers as they are, which must be codes; floats over the scale, ties away from zero, plus the zero point."""
    height, width, channels = value.frame
    dtype = CODES[tensor.type]
    places = np.arange(height * width * channels).reshape(height, width, channels).transpose(2, 0, 1).reshape(-1)
    order: IntArray | None = None if np.array_equal(places, np.sort(places)) else places
    ones, stream = np.ones(channels), TensorType(value.frame, dtype)
    if not floats:
        return HostInput(value.shape, stream, ones, 0 * ones, saturates=False, order=order)
    # Behind a zero point at the lowest code nothing is negative, and half up is half away.
    rounding: Rounding = "half_up" if value.zero == dtype.lo else "half_away"
    scale = float(value.scale)
    return HostInput(value.shape, stream, ones, value.zero * scale * ones, rounding, scale * ones, order=order)


def _output(value: Value) -> HostOutput:
    """Real numbers of the last codes in the file's order of elements, channels last."""
    height, width, channels = value.frame
    places = np.arange(prod(value.frame)).reshape(channels, height, width).transpose(1, 2, 0).reshape(-1)
    order: IntArray | None = None if np.array_equal(places, np.sort(places)) else places
    scale = np.full(channels, float(value.scale) * (value.beta if value.head == "softmax" else 1.0))
    along = value.shape[-1:] == (channels,) or value.head != "softmax"
    shape = (channels, height, width) if along else (prod(value.frame),)
    return HostOutput(shape, scale, -value.zero * scale, value.head, result=value.shape, order=order)
