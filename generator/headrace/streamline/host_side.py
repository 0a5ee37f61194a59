"""Streamlining of what happens before the first integers: the host quantizes the model's input.

Affine maps and clips before the first quantizer are the host's. A model that multiplies its floating-point input with
weights has no quantizer there: it is read as fixed point fine enough for float32 inputs of ordinary size.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import numpy as np

from headrace.datatypes import BIPOLAR, DataType, Interval, int_type
from headrace.errors import UnsupportedError
from headrace.network.integer import HostInput, TensorType
from headrace.network.ops import FloatArray, Quantize
from headrace.network.rounding import Rounding
from headrace.network.tensor_ops import MultiThreshold
from headrace.serialize import digest
from headrace.streamline.meaning import Channel, Meaning, codes_above_lowest, decision_point, distinct, each
from headrace.streamline.values import Run, Value, channel_values

#: An input without a quantizer is read in 32 bits with this step: values from -16 to 16.
FIXED_POINT = int_type(32)
FIXED_POINT_STEP = Fraction(1, 1 << 27)


def _floats(values: Sequence[Fraction]) -> FloatArray:
    return np.asarray(each(float, values), np.float64)


def _host_input(run: Run, name: str, x: Value, dtype: DataType, offsets: Sequence[Fraction],
                divisors: Sequence[Fraction], rounding: Rounding, saturates: bool = True) -> str:
    """The host computes (scale * x + offset) / divisor; a second quantizer of an input must be equal to the first.

    Returns the tensor of the integers.
    """
    channels, height, width = x.frame
    source = run.model_inputs[x.origin]
    made = HostInput(source.shape, TensorType((height, width, channels), dtype), _floats(x.meaning.scales),
                     _floats(offsets), rounding, _floats(divisors), saturates, run.orders[x.origin], source.name)
    if digest(run.host_inputs.setdefault(x.origin, made)) != digest(made):
        raise UnsupportedError(f"{name}: the model's input is quantized a second time, in another way; quantize it "
                               "once and let both branches read the result")
    tensor = run.input_tensor(x.origin)
    run.draft.types[tensor] = made.tensor
    return tensor


def as_fixed_point(run: Run, name: str, x: Value) -> Value:
    """Integers as they are, and floats of the host as fixed point that must not saturate."""
    if x.tensor is not None:
        return x
    if any(channel.waits for channel in x.meaning.channels):
        raise UnsupportedError(f"{name}: its input is not quantized; put a quantizer (QuantIdentity) at the start of "
                               "the network")
    raw = replace(x, meaning=Meaning.identity(len(x.meaning)))
    zeros = [Fraction(0)] * len(x.meaning)
    steps = [FIXED_POINT_STEP] * len(zeros)
    tensor = _host_input(run, name, raw, FIXED_POINT, zeros, steps, "half_even", saturates=False)
    fixed = each(lambda channel: channel._replace(scale=channel.scale * FIXED_POINT_STEP), x.meaning.channels)
    return replace(x, tensor=tensor, meaning=Meaning(fixed))


def quantize_on_host(run: Run, name: str, op: Quantize, x: Value, scales: tuple[Fraction, ...]) -> str:
    """The first quantizer, with the affine maps and clips before it. Returns the tensor of its codes."""
    if any(channel.curve for channel in distinct(x.meaning.channels)):
        raise UnsupportedError(f"{name}: an activation stands between the model's input and its first quantizer; "
                               "quantize the input first")
    bounds = set(each(lambda channel, scale: _host_codes(op, channel, scale), x.meaning.channels, scales))
    if len(bounds) != 1 or (op.dtype == BIPOLAR and bounds != {(-1, 1)}):
        raise UnsupportedError(f"{name}: the clips before the first quantizer leave the code ranges {sorted(bounds)} "
                               "where one for all channels is needed; quantize the input before clipping it")
    dtype = op.dtype if op.dtype == BIPOLAR else Interval(*bounds.pop())
    offsets = each(lambda channel, scale: channel.offset + op.zero_point * scale, x.meaning.channels, scales)
    return _host_input(run, name, x, dtype, offsets, scales, op.rounding)


def _host_codes(op: Quantize, channel: Channel, scale: Fraction) -> tuple[int, int]:
    """The lowest and highest code that the clips of a channel let through."""
    codes, clips = codes_above_lowest(op), channel._replace(scale=Fraction(1), offset=Fraction(0))
    # Decision points rise with the codes: the lowest codes are always reached, the highest never.
    always = bisect_left(codes, True, key=lambda code: clips.crossing(*decision_point(op, scale, code)) is not True)
    never = bisect_left(codes, True, key=lambda code: clips.crossing(*decision_point(op, scale, code)) is False)
    lowest = codes[always - 1] if always else op.dtype.lo
    if never == len(codes):
        return lowest, op.dtype.hi
    return lowest, -1 if op.dtype == BIPOLAR else codes[never] - 1


def threshold_on_host(run: Run, name: str, op: MultiThreshold, x: Value, dtype: DataType) -> str:
    """A MultiThreshold of the model's own input, if its thresholds are evenly spaced: the host divides and rounds."""
    rows = threshold_rows(name, op, x)
    steps = [_even_step(row) for row in rows]
    if any(step is None for step in steps) or any(channel.waits for channel in x.meaning.channels):
        raise UnsupportedError(f"{name}: thresholds of the model's own input must be evenly spaced, with no activation "
                               "before them; put a quantizer at the start of the network")
    divisors = [Fraction(1) if step is None else step for step in steps]
    base = 0 if dtype == BIPOLAR else dtype.lo
    shift = 0 if dtype == BIPOLAR else base + 1
    offsets = [channel.offset - row[0] + shift * step
               for channel, row, step in zip(x.meaning.channels, rows, divisors, strict=True)]
    return _host_input(run, name, x, dtype, offsets, divisors, "floor")


def threshold_rows(name: str, op: MultiThreshold, x: Value) -> list[list[Fraction]]:
    """The thresholds of every channel of the frame, ascending."""
    columns = [channel_values(name, x, column) for column in np.sort(op.thresholds, axis=1).T]
    return [list(row) for row in zip(*columns, strict=True)]


def _even_step(row: list[Fraction]) -> Fraction | None:
    """The distance between thresholds, 1 for a single one; None if they differ."""
    steps = {after - before for before, after in pairwise(row)}
    step = steps.pop() if steps else Fraction(1)
    return None if steps or step == 0 else step
