"""A .tflite file as plain values: tensors, operators and their options, read through the `tflite` schema package.

A flatbuffer is a heap of offsets that nothing has checked. Everything is read here, once, and whatever goes wrong
while it is read is one sentence; behind this module nothing looks at the file any more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import tflite
from numpy.typing import NDArray

from headrace.bounded_reading import read_bytes
from headrace.errors import InputError, UnsupportedError

#: Most bytes of a file, and tensors and operators of a graph: hostile files claim millions.
MAX_FILE_BYTES = 1 << 29
MAX_PARTS = 1 << 12
MAX_RANK = 8

_TYPES = {getattr(tflite.TensorType, name): name.lower() for name in vars(tflite.TensorType) if name.isupper()}
_OPERATORS = {getattr(tflite.BuiltinOperator, name): name for name in vars(tflite.BuiltinOperator) if name.isupper()}
#: Operators whose options are read: the table of the schema, and its fields.
OPTIONS: dict[str, tuple[str, tuple[str, ...]]] = {
    "CONV_2D": ("Conv2DOptions", ("Padding", "StrideH", "StrideW", "DilationHFactor", "DilationWFactor",
                                  "FusedActivationFunction")),
    "DEPTHWISE_CONV_2D": ("DepthwiseConv2DOptions", ("Padding", "StrideH", "StrideW", "DilationHFactor",
                                                     "DilationWFactor", "DepthMultiplier",
                                                     "FusedActivationFunction")),
    "FULLY_CONNECTED": ("FullyConnectedOptions", ("FusedActivationFunction", "WeightsFormat", "KeepNumDims")),
    "AVERAGE_POOL_2D": ("Pool2DOptions", ("Padding", "StrideH", "StrideW", "FilterHeight", "FilterWidth",
                                          "FusedActivationFunction")),
    "MAX_POOL_2D": ("Pool2DOptions", ("Padding", "StrideH", "StrideW", "FilterHeight", "FilterWidth",
                                      "FusedActivationFunction")),
    "ADD": ("AddOptions", ("FusedActivationFunction",)),
    "MUL": ("MulOptions", ("FusedActivationFunction",)),
    "SUB": ("SubOptions", ("FusedActivationFunction",)),
    "CONCATENATION": ("ConcatenationOptions", ("Axis", "FusedActivationFunction")),
    "MEAN": ("ReducerOptions", ("KeepDims",)),
    "SOFTMAX": ("SoftmaxOptions", ("Beta",)),
    "LEAKY_RELU": ("LeakyReluOptions", ("Alpha",)),
    "RESIZE_NEAREST_NEIGHBOR": ("ResizeNearestNeighborOptions", ("AlignCorners", "HalfPixelCenters")),
}


@dataclass(frozen=True, eq=False)
class Tensor:
    """A tensor of the file: `shape` with the batch, its quantization (arrays of 0, 1 or C values), constant data."""

    name: str
    type: str
    shape: tuple[int, ...]
    scales: NDArray[np.float32]
    zero_points: NDArray[np.int64]
    axis: int
    data: NDArray[np.uint8] | None


@dataclass(frozen=True)
class Operator:
    """An operator: name of the schema, places of its tensors (-1: none), and its options as numbers."""

    name: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Graph:
    """The main graph of a file."""

    tensors: tuple[Tensor, ...]
    operators: tuple[Operator, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


def read_graph(path: Path) -> Graph:
    """The graph of a file. Raises InputError or UnsupportedError in one sentence, without the path."""
    try:
        content = read_bytes(path, MAX_FILE_BYTES)
    except FileNotFoundError:
        raise InputError("no such file; check the path") from None
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror}); check the path") from None
    if content[4:8] != b"TFL3":
        raise InputError("is not a TensorFlow Lite file; convert the model with tf.lite.TFLiteConverter")
    try:
        return _graph(tflite.Model.GetRootAs(content, 0))
    except (InputError, UnsupportedError):
        raise
    except Exception as error:  # offsets that lead out of the file fail wherever they are followed
        raise InputError(f"is not a sound TensorFlow Lite file ({type(error).__name__} while it is read); "
                         "convert the model again") from None


def _graph(model: Any) -> Graph:
    if model.SubgraphsLength() < 1:
        raise InputError("holds no graph; convert the model again")
    main = model.Subgraphs(0)
    counts = {"tensors": main.TensorsLength(), "operators": main.OperatorsLength(), "inputs": main.InputsLength(),
              "outputs": main.OutputsLength(), "kinds of operators": model.OperatorCodesLength()}
    for what, count in counts.items():
        if count > MAX_PARTS:
            raise InputError(f"claims {count} {what} and at most {MAX_PARTS} are read; split the model")
    graph = Graph(tuple(_tensor(model, main.Tensors(place)) for place in range(counts["tensors"])),
                  tuple(_operator(model, main.Operators(place)) for place in range(counts["operators"])),
                  _integers(main.InputsAsNumpy()), _integers(main.OutputsAsNumpy()))
    used = [*graph.inputs, *graph.outputs]
    for operator in graph.operators:
        used += [place for place in (*operator.inputs, *operator.outputs) if place != -1]
    if wrong := [place for place in used if not 0 <= place < len(graph.tensors)]:
        raise InputError(f"names tensor {wrong[0]} of {len(graph.tensors)}; convert the model again")
    return graph


def _integers(values: object) -> tuple[int, ...]:
    """A vector of the schema, which is the number 0 where the file has none."""
    return () if isinstance(values, int) else tuple(np.asarray(values).tolist())


def _tensor(model: Any, tensor: Any) -> Tensor:
    name = (tensor.Name() or b"").decode(errors="replace")
    shape = _integers(tensor.ShapeAsNumpy())
    if len(shape) > MAX_RANK or min(shape, default=1) < 1:
        raise InputError(f"tensor {name!r} has the shape {shape}; convert the model with fixed sizes")
    if tensor.Sparsity() is not None:
        raise UnsupportedError(f"tensor {name!r} is stored sparsely; convert the model without sparsity")
    quantization = tensor.Quantization()
    scales = zero_points = None
    if quantization is not None:
        scales, zero_points = quantization.ScaleAsNumpy(), quantization.ZeroPointAsNumpy()
    return Tensor(name, _TYPES.get(tensor.Type(), "of an unknown type"), shape, _array(scales, np.float32),
                  _array(zero_points, np.int64), 0 if quantization is None else int(quantization.QuantizedDimension()),
                  _data(model, name, tensor.Buffer()))


def _array(values: object, kind: type) -> NDArray[Any]:
    missing = values is None or isinstance(values, int)
    return np.zeros(0, kind) if missing else np.asarray(values, kind)


def _data(model: Any, name: str, place: int) -> NDArray[np.uint8] | None:
    """The bytes of a constant; buffer 0 and empty ones belong to tensors that are computed."""
    if place >= model.BuffersLength():
        raise InputError(f"tensor {name!r} names buffer {place} of {model.BuffersLength()}; convert the model again")
    buffer = model.Buffers(place)
    if buffer.Offset() > 1:
        raise UnsupportedError(f"tensor {name!r} is stored behind the flatbuffer; convert the model to less than 2 GB")
    values = buffer.DataAsNumpy()
    return None if isinstance(values, int) or not len(values) else np.asarray(values, np.uint8)


def _operator(model: Any, operator: Any) -> Operator:
    if operator.OpcodeIndex() >= model.OperatorCodesLength():
        raise InputError(f"names kind {operator.OpcodeIndex()} of {model.OperatorCodesLength()} kinds of operators; "
                         "convert the model again")
    kind = model.OperatorCodes(operator.OpcodeIndex())
    name = _OPERATORS.get(max(kind.BuiltinCode(), kind.DeprecatedBuiltinCode()), "an unknown operator")
    if name == "CUSTOM":
        name = f"CUSTOM {(kind.CustomCode() or b'').decode(errors='replace')!r}"
    return Operator(name, _integers(operator.InputsAsNumpy()), _integers(operator.OutputsAsNumpy()),
                    _options(name, operator.BuiltinOptions()))


def _options(name: str, table: Any) -> dict[str, float]:
    """The fields of an operator's options, or the schema's defaults where the file has no table."""
    if name not in OPTIONS:
        return {}
    kind, fields = OPTIONS[name]
    if table is None:
        return {}
    options = getattr(tflite, kind)()
    options.Init(table.Bytes, table.Pos)
    return {field: getattr(options, field)() for field in fields}
