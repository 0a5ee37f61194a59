"""Quantizers in a QONNX file, and the products with quantized weights."""

from __future__ import annotations

import numpy as np

from headrace.datatypes import BIPOLAR, DataType, Interval
from headrace.errors import UnsupportedError
from headrace.export.onnx_arithmetic import write_affine
from headrace.export.onnx_graph import QONNX, GraphWriter, along_channels, single
from headrace.network import ops, rounding, tensor_ops
from headrace.network.graph import Node
from headrace.network.ops import FloatArray

#: QONNX rounds halves and fractions symmetrically about 0; half_up on signed codes is `quantize`'s business.
ROUNDING_MODES: dict[rounding.Rounding, str] = {
    "half_even": "ROUND", "floor": "FLOOR", "ceil": "CEIL", "away": "UP", "inward": "DOWN", "half_away": "HALF_UP",
    "half_inward": "HALF_DOWN",
}


def integer_attributes(dtype: DataType) -> dict[str, int] | None:
    """bits, signed and narrow of a Quant node with exactly these codes, or None where there is none."""
    if not isinstance(dtype, Interval):
        return None
    bits, signed = dtype.bits, int(dtype.signed)
    for narrow in (0, 1):
        lo, hi = (-(1 << (bits - 1)) + narrow, (1 << (bits - 1)) - 1) if signed else (0, (1 << bits) - 1 - narrow)
        if (dtype.lo, dtype.hi) == (lo, hi):
            return {"bits": bits, "signed": signed, "narrow": narrow}
    return None


def _quant(graph: GraphWriter, source: str, name: str, scale: FloatArray, zero_point: int, dtype: DataType,
           mode: str) -> None:
    found = integer_attributes(dtype)
    if found is None:
        raise UnsupportedError(f"{name}: QONNX has no quantizer with the codes {dtype}; use signed or unsigned "
                               "integers of some bits, narrow or not")
    inputs = [source, graph.constant(f"{name}.scale", scale), graph.constant(f"{name}.zero_point", float(zero_point)),
              graph.constant(f"{name}.bits", float(found["bits"]))]
    graph.node("Quant", inputs, name, QONNX, signed=found["signed"], narrow=found["narrow"], rounding_mode=mode)


def quantize(graph: GraphWriter, node: Node) -> None:
    """Quant or BipolarQuant."""
    op, source = node.op, node.inputs[0]
    assert isinstance(op, ops.Quantize)
    shape = graph.network.shapes[node.name]
    if op.dtype == BIPOLAR:
        _bipolar(graph, node, op)
        return
    if op.rounding == "half_odd":
        raise UnsupportedError(f"{node.name}: rounds ties to odd codes, which QONNX cannot say; move its codes by one")
    mode = ROUNDING_MODES.get(op.rounding, "HALF_UP")
    if op.rounding == "half_up" and (op.dtype.lo < 0 or op.zero_point):
        # Half up on signed codes is what QONNX lacks: floor(x / scale + 1/2), exactly, as halves of floats are floats.
        raised = graph.name(f"{node.name}.raised")
        write_affine(graph, source, raised, shape, np.ones(1), op.scale / 2)
        source, mode = raised, "FLOOR"
    _quant(graph, source, node.name, along_channels(op.scale, shape), op.zero_point, op.dtype, mode)


def _bipolar(graph: GraphWriter, node: Node, op: ops.Quantize) -> None:
    """A bipolar quantizer; a scale that float32 does not hold follows it."""
    exact, shape = single(op.scale) is not None, graph.network.shapes[node.name]
    scale = along_channels(op.scale, shape) if exact else np.ones(())
    signs = node.name if exact else graph.name(f"{node.name}.signs")
    graph.node("BipolarQuant", [node.inputs[0], graph.constant(f"{node.name}.scale", scale)], signs, QONNX)
    if not exact:
        write_affine(graph, signs, node.name, shape, op.scale, np.zeros(1))


def _weight(graph: GraphWriter, name: str, weight: ops.QuantWeight) -> tuple[str, FloatArray | None]:
    """The quantized weights of the node `name`, and the scale per output channel that must still follow it, if any.

    Scales that float32 does not hold are left to an exact multiplication behind the product.
    """
    rank = weight.codes.ndim
    steps = weight.scale.reshape(-1, *[1] * (rank - 1))
    groups = np.ones((1,) * rank, np.int64) if weight.group_scales is None else weight.group_scales
    left = None if single(steps * groups) is not None else weight.scale
    scale = np.asarray(groups * (steps if left is None else 1), np.float64)
    if weight.dtype != BIPOLAR:
        scale = np.where(scale == 0, 1.0, scale)
    codes = weight.codes if weight.dtype == BIPOLAR else weight.codes * (groups * steps != 0)
    scale = scale.reshape(()) if scale.size == 1 else scale
    output = graph.name(f"{name}.weight_quant")
    stored = graph.constant(f"{name}.weight", (codes * np.where(scale == 0, 1.0, scale)).astype(np.float32))
    if weight.dtype == BIPOLAR:
        # The sign of a weight is its own, that of its scale comes on top.
        signs = graph.constant(f"{name}.signs", codes.astype(np.float32)) if np.any(scale < 0) else stored
        graph.node("BipolarQuant", [signs, graph.constant(f"{output}.scale", scale)], output, QONNX)
    else:
        _quant(graph, stored, output, scale, 0, _stored_type(weight.dtype), "ROUND")
    return output, left


def _stored_type(dtype: DataType) -> DataType:
    """The type itself, or where QONNX has none such the full one of as many bits: memories hold the same bits."""
    if integer_attributes(dtype) is not None or not isinstance(dtype, Interval):
        return dtype
    half = 1 << (dtype.bits - 1)
    return Interval(-half, half - 1) if dtype.signed else Interval(0, 2 * half - 1)


def product(graph: GraphWriter, node: Node) -> None:
    """Conv or Gemm with quantized weights; what float32 does not hold of scale and bias follows it."""
    op = node.op
    assert isinstance(op, ops.Conv | ops.Linear)
    weight, left = _weight(graph, node.name, op.weight)
    bias = np.zeros(1) if op.bias is None else op.bias
    inside = op.bias is not None and left is None and single(bias) is not None
    inputs = [node.inputs[0], weight]
    if inside:
        full = np.broadcast_to(bias, len(op.weight.codes)).copy()
        inputs.append(graph.constant(f"{node.name}.bias", full))
    after = left is not None or (op.bias is not None and not inside)
    output = graph.name(f"{node.name}.product") if after else node.name
    if isinstance(op, ops.Conv):
        graph.node("Conv", inputs, output, kernel_shape=list(op.weight.codes.shape[2:]), strides=list(op.stride),
                   pads=list(op.pad), dilations=list(op.dilation), group=op.groups)
    else:
        graph.node("Gemm", inputs, output, transB=1)
    if after:
        write_affine(graph, output, node.name, graph.network.shapes[node.name],
                   np.ones(1) if left is None else left, np.zeros(1) if inside else bias)


def multi_threshold(graph: GraphWriter, node: Node) -> None:
    """FINN's MultiThreshold."""
    op = node.op
    assert isinstance(op, tensor_ops.MultiThreshold)
    thresholds = graph.constant(f"{node.name}.thresholds", np.sort(op.thresholds, axis=1))
    graph.node("MultiThreshold", [node.inputs[0], thresholds], node.name, QONNX, out_dtype=_finn_name(op.dtype),
               out_scale=op.out_scale, out_bias=op.out_bias)


def _finn_name(dtype: DataType) -> str:
    found = integer_attributes(dtype)
    if dtype == BIPOLAR or found is None:
        return "BIPOLAR" if dtype == BIPOLAR else "FLOAT32"
    return f"{'INT' if found['signed'] else 'UINT'}{found['bits']}"


def trunc(graph: GraphWriter, node: Node) -> None:
    """Trunc of version 1, by bit widths, or with a new scale of version 2."""
    op = node.op
    assert isinstance(op, tensor_ops.Trunc)
    settings = {"rounding_mode": ROUNDING_MODES.get(op.rounding, "HALF_UP")}
    inputs = [node.inputs[0], graph.constant(f"{node.name}.scale", op.scale.reshape(())),
              graph.constant(f"{node.name}.zero_point", float(op.zero_point))]
    if op.dtype is None:
        widths = (32, 32 - op.shift)
        inputs += [graph.constant(f"{node.name}.bits{place}", float(bits)) for place, bits in enumerate(widths)]
        graph.node("Trunc", inputs, node.name, QONNX, **settings)
        return
    found = integer_attributes(op.dtype)
    if found is None:
        raise UnsupportedError(f"{node.name}: QONNX has no truncation to the codes {op.dtype}; use signed or unsigned "
                               "integers of some bits, narrow or not")
    inputs += [graph.constant(f"{node.name}.in_bits", 32.0),
               graph.constant(f"{node.name}.out_scale", op.out_scale.reshape(())),
               graph.constant(f"{node.name}.out_bits", float(found["bits"]))]
    graph.node("Trunc", inputs, node.name, QONNX, signed=found["signed"], narrow=found["narrow"], **settings)
