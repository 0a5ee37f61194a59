"""ONNX files of float models, for `headrace quantize`: the reader of quantized files with another reader of weights."""

from __future__ import annotations

import math
from pathlib import Path
from typing import cast

import numpy as np

from headrace.datatypes import Interval
from headrace.errors import InputError, UnsupportedError
from headrace.frontend.onnx.reader import read_by
from headrace.frontend.onnx.values import Constant
from headrace.network import graph, ops
from headrace.network.float_graph import (
    FloatConv,
    FloatLinear,
    FloatNetwork,
    FloatNode,
    FloatOp,
    fold_batch_norms,
    require_float_ops,
    require_one_input,
)

#: Bits of the codes that stand for real weights: those of float64, so that every float32 within 2^-29 of the largest is
#: exact.
FINE_BITS = 53


def from_float_file(path: Path) -> FloatNetwork:
    """The FloatNetwork of an ONNX file without quantizers, batch norms folded.

    Raises InputError for a damaged file, and UnsupportedError that lists what no calibration has, and for a file that
    is quantized already.
    """
    network, _ = read_by(path, _real)
    if quantized := [node.name for node in network.nodes if isinstance(node.op, ops.Quantize)]:
        raise UnsupportedError(f"{path}: is quantized already ({quantized[0]} is a quantizer); build it as it is")
    require_one_input(len(network.inputs))
    operations = [_float_op(node.op) for node in network.nodes]
    try:
        require_float_ops((node.name, op) for node, op in zip(network.nodes, operations, strict=True))
    except UnsupportedError as error:
        raise UnsupportedError(f"{path}: {error}") from None
    made = tuple(FloatNode(node.name, cast(FloatOp, op), node.inputs)
                 for node, op in zip(network.nodes, operations, strict=True))
    return fold_batch_norms(FloatNetwork(network.input, made, network.outputs[0], network.outputs[1:]))


def _float_op(op: graph.Op) -> object:
    """The operation with real weights."""
    if isinstance(op, ops.Conv):
        bias = np.zeros(len(op.weight.codes)) if op.bias is None else op.bias
        return FloatConv(op.weight.values, bias, op.stride, op.pad, op.dilation, op.groups)
    if isinstance(op, ops.Linear):
        return FloatLinear(op.weight.values, np.zeros(len(op.weight.codes)) if op.bias is None else op.bias)
    return op


def _real(constant: Constant) -> ops.QuantWeight:
    """Real weights as very fine codes, which the reader can move about as it does those of a quantized model."""
    if constant.codes is not None:
        raise UnsupportedError("its weights are quantized already; build the model as it is")
    values = np.asarray(constant.values, np.float64)
    if not values.size:
        raise InputError(f"its weights of shape {values.shape} are empty; export the model again")
    ops.require_finite(weights=values)
    largest = 1 << FINE_BITS
    exponent = math.frexp(float(np.abs(values).max()))[1] - FINE_BITS
    codes = np.rint(np.ldexp(values, -exponent)).astype(np.int64)
    return ops.QuantWeight(codes, np.full(1, math.ldexp(1.0, exponent)), Interval(-largest, largest))
