"""More operators for the comparison with LiteRT: constants, borders of averages, curves inside of a model, uint8."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from tests.frontend.tflite_files import RELU, RELU6, SAME, VALID, TfliteFile

RNG = np.random.default_rng(11)
#: Adds what is tested behind a tensor of (1, 6, 7, 4) codes of scale 0.1 and zero point 3, returns its output.
Body = Callable[[TfliteFile, int], int]


class Uint8File(TfliteFile):
    """The same file with uint8 in place of int8, zero points moved by 128."""

    def codes(self, shape: Sequence[int], scale: float = 0.1, zero: int = 0, kind: str = "INT8") -> int:
        moved = (zero + 128, "UINT8") if kind == "INT8" else (zero, kind)
        return super().codes(shape, scale, *moved)

    def constant(self, values: np.ndarray, scales: Sequence[float] = (), axis: int = 0, kind: str = "",
                 zeros: Sequence[int] | None = None) -> int:
        if values.dtype == np.int8:
            moved = (values.astype(np.int16) + 128).astype(np.uint8)
            return super().constant(moved, scales, axis, kind, [zero + 128 for zero in zeros or [0]])
        return super().constant(values, scales, axis, kind, zeros)


def constant(name: str, shape: tuple[int, ...], first: bool = False, scale: float = 0.05, activation: int = 0) -> Body:
    """A sum or product with codes of a shape that broadcasts."""
    def body(file: TfliteFile, x: int) -> int:
        values = RNG.integers(-128, 128, shape).astype(np.int8)
        c = file.constant(values, [scale], zeros=[-7])
        out = file.codes((1, 6, 7, 4), 0.23, -9)
        return file.operator(name, [c, x] if first else [x, c], out, FusedActivationFunction=activation)
    return body


def average(out: tuple[int, int], kernel: tuple[int, int], stride: tuple[int, int], activation: int = 0,
            bounded: bool = False) -> Body:
    """An average over the border; bounded: of codes that do not reach 0."""
    def body(file: TfliteFile, x: int) -> int:
        if bounded:
            x = file.operator("RELU6", [x], file.codes((1, 6, 7, 4), 0.1, 40))
        zero = 40 if bounded else 3
        return file.operator("AVERAGE_POOL_2D", [x], file.codes((1, *out, 4), 0.1, zero), Padding=SAME,
                             FilterHeight=kernel[0], FilterWidth=kernel[1], StrideH=stride[0], StrideW=stride[1],
                             FusedActivationFunction=activation)
    return body


def inner(name: str, scale: float, zero: int) -> Body:
    """A curve that a pooling reads."""
    def body(file: TfliteFile, x: int) -> int:
        y = file.operator(name, [x], file.codes((1, 6, 7, 4), scale, zero))
        return file.operator("MAX_POOL_2D", [y], file.codes((1, 3, 3, 4), scale, zero), Padding=VALID, FilterHeight=2,
                             FilterWidth=2, StrideH=2, StrideW=2)
    return body


def requantized_curve(file: TfliteFile, x: int) -> int:
    """A curve in another scale that a pooling reads."""
    y = file.operator("LOGISTIC", [x], file.codes((1, 6, 7, 4), 1 / 256, -128))
    y = file.operator("QUANTIZE", [y], file.codes((1, 6, 7, 4), 0.02, -17))
    return file.operator("MAX_POOL_2D", [y], file.codes((1, 3, 3, 4), 0.02, -17), Padding=VALID, FilterHeight=2,
                         FilterWidth=2, StrideH=2, StrideW=2)


def concatenation(file: TfliteFile, x: int) -> int:
    """Branches of three scales, which kernels join in uint8 only."""
    y = file.operator("QUANTIZE", [x], file.codes((1, 6, 7, 4), 0.071, 20))
    z = file.operator("QUANTIZE", [x], file.codes((1, 6, 7, 4), 0.13, -5))
    return file.operator("CONCATENATION", [x, y, z], file.codes((1, 6, 7, 12), 0.13, -5), Axis=3)


def padded(ends: list[list[int]], code: int | None = None) -> Body:
    def body(file: TfliteFile, x: int) -> int:
        shape = [size + sum(end) for size, end in zip((1, 6, 7, 4), ends, strict=True)]
        inputs = [x, file.integers(ends)]
        if code is not None:
            inputs.append(file.constant(np.array([code], np.int8), [0.1], zeros=[3]))
        return file.operator("PAD" if code is None else "PADV2", inputs, file.codes(shape, 0.1, 3))
    return body


def sequence(name: str) -> Body:
    """An operator of rows of channels, which have one axis less."""
    def body(file: TfliteFile, x: int) -> int:
        y = file.operator("RESHAPE", [x, file.integers([1, 42, 4])], file.codes((1, 42, 4), 0.1, 3))
        if name == "PAD":
            ends = file.integers([[0, 0], [2, 1], [0, 0]])
            return file.operator("PAD", [y, ends], file.codes((1, 45, 4), 0.1, 3))
        return file.operator("MEAN", [y, file.integers([1])], file.codes((1, 1, 4), 0.07, 8), KeepDims=True)
    return body


BODIES: dict[str, Body] = {
    "AVERAGE_POOL_2D border": average((6, 7), (3, 3), (1, 1)),
    "AVERAGE_POOL_2D border stride relu": average((3, 4), (3, 2), (2, 2), RELU),
    "AVERAGE_POOL_2D border of codes above 0": average((3, 4), (4, 5), (2, 2), 0, bounded=True),
    "ADD constant": constant("ADD", (4,)),
    "ADD constant first relu": constant("ADD", (1, 1, 1, 4), first=True, activation=RELU),
    "ADD constant of a pixel": constant("ADD", (1, 6, 7, 1)),
    "ADD scalar": constant("ADD", (1,), scale=0.3),
    "SUB constant": constant("SUB", (4,)),
    "SUB constant first": constant("SUB", (4,), first=True),
    "MUL constant": constant("MUL", (4,)),
    "MUL constant first relu6": constant("MUL", (1, 1, 1, 4), first=True, activation=RELU6),
    "MUL constant of every element": constant("MUL", (1, 6, 7, 4)),
    "MUL scalar": constant("MUL", (), scale=0.02),
    "LOGISTIC inside": inner("LOGISTIC", 1 / 256, -128),
    "LOGISTIC inside requantized": requantized_curve,
    "TANH inside": inner("TANH", 1 / 128, 0),
    "PAD channels": padded([[0, 0], [1, 0], [0, 2], [2, 1]]),
    "PADV2": padded([[0, 0], [1, 0], [0, 2], [0, 0]], -100),
    "PADV2 zero point": padded([[0, 0], [1, 0], [0, 2], [0, 0]], 3),
    "PAD sequence": sequence("PAD"),
    "MEAN sequence": sequence("MEAN"),
}
