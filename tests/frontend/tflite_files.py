"""Small .tflite files from the builder of the schema package, and the outputs that LiteRT's kernels give for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import flatbuffers
import numpy as np
import tflite
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from headrace.frontend.tflite.schema import OPTIONS

KINDS = {"reference": OpResolverType.BUILTIN_REF, "xnnpack": OpResolverType.AUTO}
SAME, VALID = 0, 1
RELU, RELU6 = 1, 3
_TYPES = {np.dtype(np.int8): "INT8", np.dtype(np.uint8): "UINT8", np.dtype(np.int32): "INT32",
          np.dtype(np.float32): "FLOAT32"}


#: An offset in the file, or an integer.
Field = int | float


@dataclass
class Tensor:
    """A tensor of a file; `data` is that of a constant."""

    kind: str
    shape: Sequence[int]
    scales: Sequence[float]
    zeros: Sequence[int]
    data: bytes | None = None
    axis: int = 0


@dataclass(frozen=True)
class Operator:
    """An operator of a file with the numbers of the tensors that it reads and of the one that it makes."""

    name: str
    inputs: Sequence[int]
    output: int
    options: Mapping[str, Field]


@dataclass
class TfliteFile:
    """A file that grows: tensors and operators are added, `content` writes them."""

    tensors: list[Tensor] = field(default_factory=list)
    operators: list[Operator] = field(default_factory=list)

    def codes(self, shape: Sequence[int], scale: float = 0.1, zero: int = 0, kind: str = "INT8") -> int:
        """A tensor that is computed."""
        scales, zeros = ([scale], [zero]) if kind != "FLOAT32" else ([], [])
        return self._add(Tensor(kind, shape, scales, zeros))

    def integers(self, values: Sequence[int] | Sequence[Sequence[int]]) -> int:
        """A constant of 32-bit integers: sizes, axes, borders."""
        return self.constant(np.array(values, np.int32))

    def constant(self, values: np.ndarray, scales: Sequence[float] = (), axis: int = 0, kind: str = "",
                 zeros: Sequence[int] | None = None) -> int:
        """A tensor of the file; with kind INT4 the integers are packed, two in a byte."""
        data = values
        if kind == "INT4":
            nibbles = np.append(values.reshape(-1), 0)[: values.size + values.size % 2].astype(np.uint8) & 15
            data = nibbles[::2] | nibbles[1::2] << 4
        found = [0] * len(scales) if zeros is None else list(zeros)
        return self._add(Tensor(kind or _TYPES[values.dtype], values.shape, scales, found, data.tobytes(), axis))

    def _add(self, tensor: Tensor) -> int:
        self.tensors.append(tensor)
        return len(self.tensors) - 1

    def operator(self, name: str, inputs: Sequence[int], output: int, **options: float) -> int:
        """An operator with options as of the schema's table; returns its output."""
        self.operators.append(Operator(name, inputs, output, options))
        return output

    def content(self, inputs: Sequence[int], outputs: Sequence[int]) -> bytes:
        """The file."""
        b = flatbuffers.Builder(1024)
        buffers = [_table(b, "Buffer")]
        tensors = []
        for number, tensor in enumerate(self.tensors):
            place = 0
            if tensor.data is not None:
                data = b.CreateByteVector(tensor.data)
                buffers.append(_table(b, "Buffer", Data=data))
                place = len(buffers) - 1
            tensors.append(_tensor(b, f"t{number}", tensor, place))
        names = sorted({operator.name for operator in self.operators})
        operators = [_operator(b, names, operator) for operator in self.operators]
        graph = _table(b, "SubGraph", Tensors=_offsets(b, tensors), Inputs=_vector(b, inputs),
                       Outputs=_vector(b, outputs), Operators=_offsets(b, operators))
        kinds = [_table(b, "OperatorCode", BuiltinCode=getattr(tflite.BuiltinOperator, name), Version=1,
                        DeprecatedBuiltinCode=min(getattr(tflite.BuiltinOperator, name), 127)) for name in names]
        model = _table(b, "Model", Version=3, OperatorCodes=_offsets(b, kinds), Subgraphs=_offsets(b, [graph]),
                       Buffers=_offsets(b, buffers))
        b.Finish(model, file_identifier=b"TFL3")
        return bytes(b.Output())


def _table(b: flatbuffers.Builder, kind: str, **fields: Field) -> int:
    getattr(tflite, f"{kind}Start")(b)
    for name, value in fields.items():
        getattr(tflite, f"{kind}Add{name}")(b, value)
    return int(getattr(tflite, f"{kind}End")(b))


def _vector(b: flatbuffers.Builder, values: Sequence[int]) -> int:
    return int(b.CreateNumpyVector(np.array(values, np.int32)))


def _offsets(b: flatbuffers.Builder, values: Sequence[int]) -> int:
    b.StartVector(4, len(values), 4)
    for value in reversed(values):
        b.PrependUOffsetTRelative(value)
    return int(b.EndVector())


def _tensor(b: flatbuffers.Builder, name: str, tensor: Tensor, place: int) -> int:
    fields: dict[str, Field] = {}
    if len(tensor.scales):
        scales = b.CreateNumpyVector(np.array(tensor.scales, np.float32))
        zeros = b.CreateNumpyVector(np.array(tensor.zeros, np.int64))
        fields["Quantization"] = _table(b, "QuantizationParameters", Scale=scales, ZeroPoint=zeros,
                                        QuantizedDimension=tensor.axis)
    text, shape = b.CreateString(name), _vector(b, tensor.shape)
    return _table(b, "Tensor", Shape=shape, Type=getattr(tflite.TensorType, tensor.kind), Buffer=place, Name=text,
                  **fields)


def _operator(b: flatbuffers.Builder, names: Sequence[str], operator: Operator) -> int:
    inputs, outputs = _vector(b, operator.inputs), _vector(b, [operator.output])
    fields: dict[str, Field] = {}
    if operator.name in OPTIONS:
        kind = OPTIONS[operator.name][0]
        fields = {"BuiltinOptions": _table(b, kind, **operator.options),
                  "BuiltinOptionsType": getattr(tflite.BuiltinOptions, kind)}
    return _table(b, "Operator", OpcodeIndex=names.index(operator.name), Inputs=inputs, Outputs=outputs, **fields)


def outputs(content: bytes, x: np.ndarray, kernels: str = "reference") -> np.ndarray:
    """What LiteRT gives for samples (N, ...), (N, elements)."""
    interpreter = Interpreter(model_content=content, experimental_op_resolver_type=KINDS[kernels], num_threads=1)
    interpreter.allocate_tensors()
    take, give = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    rows = []
    for sample in x:
        interpreter.set_tensor(take["index"], sample[None])
        interpreter.invoke()
        rows.append(interpreter.get_tensor(give["index"]).reshape(-1).copy())
    return np.stack(rows)


def every_output(content: bytes, x: dict[str, np.ndarray], kernels: str = "reference") -> dict[str, np.ndarray]:
    """What LiteRT gives for samples of all inputs by name, (N, elements) of all outputs by name."""
    interpreter = Interpreter(model_content=content, experimental_op_resolver_type=KINDS[kernels], num_threads=1)
    interpreter.allocate_tensors()
    rows: dict[str, list[np.ndarray]] = {}
    for place in range(len(next(iter(x.values())))):
        for take in interpreter.get_input_details():
            interpreter.set_tensor(take["index"], x[take["name"]][place : place + 1])
        interpreter.invoke()
        for give in interpreter.get_output_details():
            rows.setdefault(give["name"], []).append(interpreter.get_tensor(give["index"]).reshape(-1).copy())
    return {name: np.stack(parts) for name, parts in rows.items()}
