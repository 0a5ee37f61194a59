"""What every operator of TensorFlow Lite becomes, and the table of them that the manual shows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import prod

import numpy as np

from headrace.errors import InputError, UnsupportedError
from headrace.frontend.tflite import arithmetic, kernels, pools, products
from headrace.frontend.tflite.build import MAX_POSITIONS, Call, Value, quantization
from headrace.frontend.tflite.kernels import FloatArray, Multiplier
from headrace.network import integer as ints
from headrace.network.integer import Head


@dataclass(frozen=True)
class Operation:
    """How an operator is read, and what the manual says of it."""

    read: Callable[[Call], Value]
    says: str


def _reshape(call: Call) -> Value:
    x = call.value(0)
    shape = call.out.shape[1:] if call.out.shape[:1] == (1,) else call.out.shape
    channels = x.channels
    if prod(shape) != prod(x.frame):
        raise InputError(f"turns a tensor of shape {x.shape} into {shape}; convert the model again")
    if len(shape) < 2 or shape == x.frame or x.head != "none":
        return replace(x, shape=shape)
    if shape[-1] != channels:
        raise UnsupportedError(f"turns a tensor of shape {x.shape} into {shape}, but a stream carries {channels} "
                               "channels per pixel; reshape it only in front of a dense layer or at the input")
    rows = prod(shape[:-2])
    made = call.build.draft.add("reframe", ints.Reframe(rows, shape[-2]), x.tensor)
    return call.build.made(made, x, shape=shape)


def _concatenation(call: Call) -> Value:
    parts = [call.build.row(call.value(place)) for place in range(max(1, len(call.operator.inputs)))]
    rank = len(parts[0].shape) + 1
    if call.option("Axis") % rank != rank - 1 or any(x.shape[-1] != x.channels for x in parts):
        raise UnsupportedError("joins tensors along another axis than the channels, the last; join channels")
    tensors = [_joined_codes(call, x) for x in parts]
    made = call.build.draft.add("concat", ints.Concat(), *tensors) if len(parts) > 1 else tensors[0]
    codes = call.build.clipped(made, call.out, call.option("FusedActivationFunction"))
    return call.build.made(codes, parts[0], call.out, (*parts[0].shape[:-1], sum(x.channels for x in parts)))


def _joined_codes(call: Call, x: Value) -> str:
    """A branch in the scale and zero point of the result, which uint8 branches alone may differ from."""
    out, zero = quantization(call.out)
    if (x.scale, x.zero) == (out, zero):
        return x.tensor
    if call.out.type != "uint8":
        raise UnsupportedError("joins int8 tensors whose scales or zero points differ from the result's, which no "
                               "kernel does; convert the model again, which makes them equal")
    rescale = kernels.joined_uint8(x.scale, x.zero, out)
    return call.build.of_codes(x.tensor, lambda codes: rescale(codes) + zero, call.out)


def _softmax(call: Call) -> Value:
    if call.operator.outputs[0] in call.build.inner:
        raise UnsupportedError("divides by a sum inside of the model, which no streaming layer does; the host computes "
                               "it at the end of a model, so cut the model there")
    return replace(call.value(0), head="softmax", beta=float(call.operator.options.get("Beta", 1.0)))


def sigmoid(values: FloatArray) -> FloatArray:
    """1 / (1 + e^-x)."""
    return np.asarray(1 / (1 + np.exp(-values)), np.float64)


def _curve(head: Head, function: Callable[[FloatArray], FloatArray]) -> Callable[[Call], Value]:
    """A curve: the host's at the end of the model, a table of all codes elsewhere."""
    def read(call: Call) -> Value:
        x = call.value(0)
        if call.operator.outputs[0] not in call.build.inner:
            return replace(x, head=head)
        out, zero = quantization(call.out)
        rescale = kernels.curve(function, x.scale, out)
        codes = call.build.of_codes(x.tensor, lambda codes: rescale(codes - x.zero) + zero, call.out)
        return call.build.made(codes, x, call.out, x.shape)
    return read


def _requantized(call: Call, fused: int = 0) -> Value:
    """Codes of another scale and zero point: QUANTIZE of codes, and activations that stand alone."""
    x = call.value(0)
    if x.head != "none":
        return x
    out, zero = quantization(call.out)
    rescale = kernels.alike(kernels.rounded_twice, float(x.scale) / float(out))
    if call.build.kernels == "xnnpack":
        rescale = kernels.xnnpack_convert(x.scale / out)
    codes = call.build.of_codes(x.tensor, lambda codes: rescale(codes - x.zero) + zero, call.out, fused)
    return call.build.made(codes, x, call.out, x.shape)


def _leaky_relu(call: Call) -> Value:
    x = call.value(0)
    alpha = np.float32(call.operator.options.get("Alpha", 0.0))
    out, zero = quantization(call.out)
    if alpha < 0:
        raise UnsupportedError(f"has the slope {alpha:g}, so it falls and rises again; use a slope of 0 or more")
    rescale = (kernels.xnnpack_convert(x.scale / out, x.scale / out * alpha) if call.build.kernels == "xnnpack" else
               kernels.bent(Multiplier.of(float(x.scale / out)), Multiplier.of(float(x.scale * alpha / out))))
    codes = call.build.of_codes(x.tensor, lambda codes: rescale(codes - x.zero) + zero, call.out)
    return call.build.made(codes, x, call.out, x.shape)


def _resize(call: Call) -> Value:
    x = call.value(0)
    size = np.asarray(call.constant(1), np.int64).reshape(-1)
    height, width, _ = x.frame
    whole = size.size == 2 and size.min() > 0 and not (size[0] % height or size[1] % width)
    if not whole or x.shape != x.frame or call.option("AlignCorners"):
        raise UnsupportedError(f"resizes {height}x{width} pixels to {size.tolist()}; use whole multiples of both and "
                               "no aligned corners")
    scale = (int(size[0]) // height, int(size[1]) // width)
    return call.build.made(call.build.draft.add("upsample", ints.Upsample(scale), x.tensor), x, call.out)


def _same(call: Call) -> Value:
    return call.value(0)


#: Every operator that is read.
OPERATIONS: dict[str, Operation] = {
    "ADD": Operation(lambda call: arithmetic.add(call, 1), "two tensors of one shape, any scales; a weighted sum that "
                     "decides every pair of codes as the kernel does; or a constant"),
    "AVERAGE_POOL_2D": Operation(pools.average_pool, "codes are divided with ties away from 0; over a border by the "
                                 f"pixels inside, of at most {MAX_POSITIONS} results"),
    "CONCATENATION": Operation(_concatenation, "along the channels; tensors of uint8 may have scales of their own"),
    "CONV_2D": Operation(products.conv, "any kernel, stride, dilation and groups; SAME pads with the zero point"),
    "DEPTHWISE_CONV_2D": Operation(products.depthwise, "as CONV_2D; with a depth multiplier, dense with zeros"),
    "DEQUANTIZE": Operation(_same, "at the end of the model"),
    "FULLY_CONNECTED": Operation(products.fully_connected, "of a whole tensor, or of every pixel"),
    "LEAKY_RELU": Operation(_leaky_relu, "slopes of 0 or more"),
    "LOGISTIC": Operation(_curve("sigmoid", sigmoid), "at the end of the model by the host, else a table "
                          "of all codes"),
    "MAX_POOL_2D": Operation(pools.max_pool, "with any border"),
    "MEAN": Operation(pools.mean, "along height, width or both"),
    "MUL": Operation(arithmetic.multiply, "by a constant"),
    "PAD": Operation(pools.pad, "height, width and channels, with the zero point; part of the convolution "
                     "that reads it"),
    "PADV2": Operation(pools.pad, "as PAD, with any code that its input can hold"),
    "QUANTIZE": Operation(_requantized, "of the model's input, or between two scales"),
    "RELU": Operation(lambda call: _requantized(call, 1), "fused, or alone with scales of its own"),
    "RELU6": Operation(lambda call: _requantized(call, 3), "as RELU"),
    "RELU_N1_TO_1": Operation(lambda call: _requantized(call, 2), "as RELU"),
    "RESHAPE": Operation(_reshape, "of the input, of rows and columns, and to a vector"),
    "RESIZE_NEAREST_NEIGHBOR": Operation(_resize, "by whole factors"),
    "SOFTMAX": Operation(_softmax, "at the end of the model, by the host"),
    "SQUEEZE": Operation(_reshape, "as RESHAPE"),
    "EXPAND_DIMS": Operation(_reshape, "as RESHAPE"),
    "SUB": Operation(lambda call: arithmetic.add(call, -1), "as ADD"),
    "TANH": Operation(_curve("tanh", np.tanh), "as LOGISTIC"),
}
