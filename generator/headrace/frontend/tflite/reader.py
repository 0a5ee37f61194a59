"""Reading a .tflite file into an IntegerNetwork: the model is integers already, so nothing is streamlined.

Follows the schema and the kernels of TensorFlow Lite; which set of kernels gives the meaning is the caller's choice.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from pathlib import Path

import numpy as np

from headrace.datatypes import IntArray
from headrace.errors import HeadraceError, InputError, UnsupportedError
from headrace.frontend.tflite.build import CODES, Build, Call, Frame, Value, quantization
from headrace.frontend.tflite.kernels import KERNEL_SETS, KernelSet
from headrace.frontend.tflite.operators import OPERATIONS
from headrace.frontend.tflite.schema import Graph, Operator, Tensor, read_graph
from headrace.network.integer import INPUT, HostInput, HostOutput, IntegerNetwork, TensorType
from headrace.network.ops import Shape
from headrace.network.rounding import Rounding
from headrace.streamline.streamline import MAX_INPUT_ELEMENTS

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
    place, last = (_only(what, places) for what, places in (("input", graph.inputs), ("output", graph.outputs)))
    operators = _needed(graph, last)
    build = Build(graph, kernels)
    start = _input(graph, place, operators)
    build.draft.types[INPUT] = start.host.tensor
    build.values[start.codes] = start.value
    failures = [text for operator in operators if operator not in start.done and (text := _visit(build, operator))]
    output = build.values.get(last)
    if failures:
        raise UnsupportedError(_report(failures))
    if output is None:
        raise InputError(f"has the output {graph.tensors[last].name!r}, which no operator makes; convert the model "
                         "again")
    output = build.plain(output)
    return IntegerNetwork(start.host, tuple(build.draft.nodes.values()), _output(output))


def _known(kernels: str) -> KernelSet:
    for known in KERNEL_SETS:
        if kernels == known:
            return known
    raise InputError(f"kernels {kernels!r} are unknown; choose one of {list(KERNEL_SETS)}")


def _only(what: str, places: tuple[int, ...]) -> int:
    if len(places) != 1:
        raise UnsupportedError(f"has {len(places)} {what}s where one is possible; convert a model with one {what}")
    return places[0]


def _needed(graph: Graph, output: int) -> list[Operator]:
    """The operators that the output needs, in order."""
    needed, kept = {output}, []
    for operator in reversed(graph.operators):
        if not needed.isdisjoint(operator.outputs):
            needed.update(operator.inputs)
            kept.append(operator)
    return kept[::-1]


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


def _input(graph: Graph, place: int, operators: list[Operator]) -> Start:
    """The codes of the input: its own integers, or what QUANTIZE makes of floats on the host."""
    tensor = graph.tensors[place]
    codes, done = place, tuple[Operator, ...]()
    if tensor.type == "float32":
        readers = [operator for operator in operators if place in operator.inputs]
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
    frame = _frame(graph, codes, shape, operators)
    value = Value(INPUT, frame, shape, scale, zero)
    return Start(codes, value, _host_input(value, graph.tensors[codes], tensor.type == "float32"), done)


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
