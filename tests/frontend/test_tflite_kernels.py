"""Every operator of a .tflite file against LiteRT's own kernels: the same integers in every element."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import headrace as hr
from headrace.frontend.tflite.kernels import curve
from headrace.frontend.tflite.operators import OPERATIONS, sigmoid
from tests.frontend import tflite_bodies
from tests.frontend.tflite_bodies import Body
from tests.frontend.tflite_files import RELU, RELU6, SAME, VALID, TfliteFile, outputs

RNG = np.random.default_rng(5)


def weights(file: TfliteFile, shape: tuple[int, ...], axis: int = 0, kind: str = "", per_tensor: bool = False) -> int:
    top = 7 if kind == "INT4" else 127
    scales = [0.02] if per_tensor else RNG.uniform(0.005, 0.03, shape[axis]).tolist()
    return file.constant(RNG.integers(-top, top + 1, shape).astype(np.int8), scales, axis, kind)


def bias(file: TfliteFile, W: int, count: int) -> int:
    """A bias in steps of input scale times weight scale, as LiteRT asks for."""
    scales = np.float32(0.1) * np.array(file.tensors[W].scales, np.float32)
    return file.constant(RNG.integers(-3000, 3000, count).astype(np.int32), scales.tolist())


def conv(shape: tuple[int, ...], out: tuple[int, ...], kind: str = "", per_tensor: bool = False,
         **options: int) -> Body:
    def body(file: TfliteFile, x: int) -> int:
        W = weights(file, shape, 0, kind, per_tensor)
        y = file.codes((1, *out), 0.4, -9)
        return file.operator("CONV_2D", [x, W, bias(file, W, shape[0])], y,
                             **({"StrideH": 1, "StrideW": 1, "DilationHFactor": 1, "DilationWFactor": 1} | options))
    return body


def depthwise(multiplier: int, kernel: tuple[int, int], out: tuple[int, ...], kind: str = "",
              **options: int) -> Body:
    def body(file: TfliteFile, x: int) -> int:
        W = weights(file, (1, *kernel, 4 * multiplier), 3, kind)
        y = file.codes((1, *out), 0.2, 5)
        settings = {"StrideH": 1, "StrideW": 1, "DilationHFactor": 1, "DilationWFactor": 1,
                    "DepthMultiplier": multiplier}
        return file.operator("DEPTHWISE_CONV_2D", [x, W, bias(file, W, 4 * multiplier)], y, **(settings | options))
    return body


def dense(per_tensor: bool, kind: str = "", activation: int = 0) -> Body:
    def body(file: TfliteFile, x: int) -> int:
        flat = file.operator("RESHAPE", [x, file.integers([1, 168])], file.codes((1, 168), 0.1, 3))
        W = weights(file, (5, 168), 0, kind, per_tensor)
        y = file.codes((1, 5), 0.5, -20)
        return file.operator("FULLY_CONNECTED", [flat, W, bias(file, W, 5)], y, FusedActivationFunction=activation)
    return body


def pool(name: str, out: tuple[int, ...], kernel: tuple[int, int], stride: tuple[int, int], padding: int,
         activation: int = 0) -> Body:
    def body(file: TfliteFile, x: int) -> int:
        return file.operator(name, [x], file.codes((1, *out), 0.1, 3), Padding=padding, FilterHeight=kernel[0],
                             FilterWidth=kernel[1], StrideH=stride[0], StrideW=stride[1],
                             FusedActivationFunction=activation)
    return body


def mean(axes: list[int], out: tuple[int, ...], keep: bool, scale: float = 0.1, zero: int = 3) -> Body:
    def body(file: TfliteFile, x: int) -> int:
        return file.operator("MEAN", [x, file.integers(axes)], file.codes((1, *out), scale, zero),
                             KeepDims=keep)
    return body


def joined(name: str, scales: tuple[float, float, float], zeros: tuple[int, int, int], activation: int = 0) -> Body:
    """A sum of two branches, each a quantizer of the input."""
    def body(file: TfliteFile, x: int) -> int:
        sides = [file.operator("QUANTIZE", [x], file.codes((1, 6, 7, 4), scale, zero))
                 for scale, zero in zip(scales[:2], zeros[:2], strict=True)]
        return file.operator(name, sides, file.codes((1, 6, 7, 4), scales[2], zeros[2]),
                             FusedActivationFunction=activation)
    return body


def concatenation(file: TfliteFile, x: int) -> int:
    y = file.operator("MAX_POOL_2D", [x], file.codes((1, 6, 7, 4), 0.1, 3), Padding=SAME, FilterHeight=3, FilterWidth=3,
                      StrideH=1, StrideW=1)
    return file.operator("CONCATENATION", [x, y], file.codes((1, 6, 7, 8), 0.1, 3), Axis=3)


def padded(file: TfliteFile, x: int) -> int:
    pad = file.integers([[0, 0], [1, 2], [0, 1], [0, 0]])
    y = file.operator("PAD", [x, pad], file.codes((1, 9, 8, 4), 0.1, 3))
    return conv((3, 3, 3, 4), (4, 3, 3), Padding=VALID, StrideH=2, StrideW=2)(file, y)


def pad_alone(file: TfliteFile, x: int) -> int:
    pad = file.integers([[0, 0], [1, 0], [2, 1], [0, 0]])
    return file.operator("PAD", [x, pad], file.codes((1, 7, 10, 4), 0.1, 3))


def alone(name: str, scale: float, zero: int, kind: str = "INT8", **options: float) -> Body:
    return lambda file, x: file.operator(name, [x], file.codes((1, 6, 7, 4), scale, zero, kind), **options)


def resized(file: TfliteFile, x: int) -> int:
    return file.operator("RESIZE_NEAREST_NEIGHBOR", [x, file.integers([12, 21])],
                         file.codes((1, 12, 21, 4), 0.1, 3))


def rows(file: TfliteFile, x: int) -> int:
    y = file.operator("RESHAPE", [x, file.integers([1, 3, 14, 4])], file.codes((1, 3, 14, 4), 0.1, 3))
    return conv((3, 2, 3, 4), (3, 14, 3), Padding=SAME)(file, y)


def squeezed(name: str) -> Body:
    def body(file: TfliteFile, x: int) -> int:
        y = pool("AVERAGE_POOL_2D", (1, 1, 4), (6, 7), (1, 1), VALID)(file, x)
        shape = (1, 4) if name == "SQUEEZE" else (1, 1, 1, 1, 4)
        inputs = [y] if name == "SQUEEZE" else [y, file.integers([1])]
        return file.operator(name, inputs, file.codes(shape, 0.1, 3))
    return body


BODIES: dict[str, Body] = {
    "CONV_2D": conv((5, 3, 3, 4), (6, 7, 5), Padding=SAME),
    "CONV_2D stride": conv((5, 3, 2, 4), (3, 3, 5), Padding=SAME, StrideH=2, StrideW=3),
    "CONV_2D valid dilated": conv((3, 2, 3, 4), (4, 3, 3), Padding=VALID, DilationHFactor=2, DilationWFactor=2),
    "CONV_2D relu": conv((3, 3, 3, 4), (6, 7, 3), Padding=SAME, FusedActivationFunction=RELU),
    "CONV_2D relu6 per tensor": conv((3, 3, 3, 4), (6, 7, 3), per_tensor=True, Padding=SAME,
                                     FusedActivationFunction=RELU6),
    "CONV_2D groups": conv((6, 3, 3, 2), (6, 7, 6), Padding=SAME),
    "CONV_2D int4": conv((3, 3, 3, 4), (6, 7, 3), "INT4", Padding=SAME),
    "DEPTHWISE_CONV_2D": depthwise(1, (3, 3), (6, 7, 4), Padding=SAME),
    "DEPTHWISE_CONV_2D stride": depthwise(1, (3, 2), (3, 4, 4), Padding=SAME, StrideH=2, StrideW=2),
    "DEPTHWISE_CONV_2D multiplier": depthwise(2, (2, 3), (5, 5, 8), Padding=VALID),
    "DEPTHWISE_CONV_2D int4": depthwise(1, (3, 3), (6, 7, 4), "INT4", Padding=SAME),
    "FULLY_CONNECTED": dense(per_tensor=True),
    "FULLY_CONNECTED per channel": dense(per_tensor=False, activation=RELU),
    "FULLY_CONNECTED int4": dense(per_tensor=True, kind="INT4"),
    "AVERAGE_POOL_2D": pool("AVERAGE_POOL_2D", (3, 3, 4), (2, 3), (2, 2), VALID),
    "AVERAGE_POOL_2D relu": pool("AVERAGE_POOL_2D", (2, 2, 4), (4, 5), (2, 2), VALID, RELU),
    "MAX_POOL_2D": pool("MAX_POOL_2D", (3, 4, 4), (3, 3), (2, 2), SAME),
    "MAX_POOL_2D relu6": pool("MAX_POOL_2D", (3, 3, 4), (2, 2), (2, 2), VALID, RELU6),
    "MEAN": mean([1, 2], (1, 1, 4), True),
    "MEAN rescaled": mean([1, 2], (4,), False, 0.03, -17),
    "MEAN width": mean([2], (6, 4), False, 0.07, 8),
    "MEAN height": mean([1], (1, 7, 4), True, 0.2, 8),
    "ADD": joined("ADD", (0.11, 0.043, 0.13), (4, -128, -20)),
    "ADD relu": joined("ADD", (0.031, 0.2, 0.09), (-3, 7, -128), RELU),
    "ADD halves": joined("ADD", (0.125, 0.125, 0.25), (0, 0, 0)),
    "ADD of a whole ratio": joined("ADD", (0.1, 0.05, 0.12), (4, -9, 3)),
    "SUB": joined("SUB", (0.11, 0.043, 0.13), (4, -128, -20)),
    "CONCATENATION": concatenation,
    "PAD": padded,
    "PAD alone": pad_alone,
    "QUANTIZE": alone("QUANTIZE", 0.17, -11),
    "QUANTIZE uint8": alone("QUANTIZE", 0.1, 131, "UINT8"),
    "RELU": alone("RELU", 0.06, -128),
    "RELU6": alone("RELU6", 0.06, -100),
    "RELU_N1_TO_1": alone("RELU_N1_TO_1", 0.06, 2),
    "LEAKY_RELU": alone("LEAKY_RELU", 0.09, -40, Alpha=0.1),
    "RESIZE_NEAREST_NEIGHBOR": resized,
    "RESHAPE": rows,
    "SQUEEZE": squeezed("SQUEEZE"),
    "EXPAND_DIMS": squeezed("EXPAND_DIMS"),
}


def legacy(name: str) -> Body:
    """Products of uint8 with weights that have a zero point, behind a conversion to uint8."""
    def body(file: TfliteFile, x: int) -> int:
        y = file.operator("QUANTIZE", [x], file.codes((1, 6, 7, 4), 0.1, 131, "UINT8"))
        shape = (5, 168) if name == "FULLY_CONNECTED" else (1, 3, 3, 4) if name.startswith("D") else (5, 3, 3, 4)
        W = file.constant(RNG.integers(0, 256, shape).astype(np.uint8), [0.013], zeros=[117])
        rows = shape[-1] if name.startswith("D") else shape[0]
        settings = {"StrideH": 1, "StrideW": 1, "DilationHFactor": 1, "DilationWFactor": 1, "Padding": SAME}
        if name == "FULLY_CONNECTED":
            flat = file.integers([1, 168])
            y, settings = file.operator("RESHAPE", [y, flat], file.codes((1, 168), 0.1, 131, "UINT8")), {}
        if name.startswith("D"):
            settings["DepthMultiplier"] = 1
        out = (1, 5) if name == "FULLY_CONNECTED" else (1, 6, 7, rows)
        return file.operator(name, [y, W, bias(file, W, rows)], file.codes(out, 0.3, 90, "UINT8"), **settings)
    return body


BODIES |= {f"{name} uint8": legacy(name) for name in ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")}
BODIES |= tflite_bodies.BODIES
#: Operators at the ends of a model, which other tests are about.
ENDS = {"SOFTMAX", "DEQUANTIZE"}


def test_every_operator_is_compared() -> None:
    assert {name.split()[0] for name in BODIES} | ENDS == set(OPERATIONS)


def require_equal(file: TfliteFile, body: Body, kernels: str, tmp_path: Path,
                  code: type[np.int8 | np.uint8] = np.int8) -> None:
    """The codes of LiteRT for 200 samples of a file with this body."""
    x = file.codes((1, 6, 7, 4), 0.1, 3)
    y = body(file, x)
    content = file.content([x], [y])
    (tmp_path / "m.tflite").write_bytes(content)
    ends = np.iinfo(code)
    samples = RNG.integers(ends.min, ends.max + 1, (200, 6, 7, 4)).astype(code)
    samples[0], samples[1] = ends.min, ends.max
    made = hr.load(tmp_path / "m.tflite", kernels=kernels).predict(samples, raw=True).astype(np.int64)
    different = np.flatnonzero(made != (wanted := outputs(content, samples, kernels)))
    assert not different.size, f"{different.size} of {made.size} codes differ, by {np.abs(made - wanted).max()} at most"


@pytest.mark.parametrize("kernels", ["reference", "xnnpack"])
@pytest.mark.parametrize("name", BODIES)
def test_codes_are_those_of_litert(name: str, kernels: str, tmp_path: Path) -> None:
    require_equal(TfliteFile(), BODIES[name], kernels, tmp_path)


#: Products of uint8 have weights with zero points, which the bodies above are about.
PRODUCTS = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "RESHAPE", "QUANTIZE uint8")


@pytest.mark.parametrize("kernels", ["reference", "xnnpack"])
@pytest.mark.parametrize("name", ["CONCATENATION scales", *(
    name for name in BODIES if not name.startswith(PRODUCTS) and name != "PAD")])
def test_codes_of_uint8_are_those_of_litert(name: str, kernels: str, tmp_path: Path) -> None:
    body = tflite_bodies.concatenation if name == "CONCATENATION scales" else BODIES[name]
    require_equal(tflite_bodies.Uint8File(), body, kernels, tmp_path, np.uint8)


@pytest.mark.parametrize("kernels", ["reference", "xnnpack"])
@pytest.mark.parametrize(("name", "out", "zero"), [("LOGISTIC", 1 / 256, -128), ("TANH", 1 / 128, 0)])
def test_curves_are_tables_of_the_nearest_codes(name: str, out: float, zero: int, kernels: str) -> None:
    codes = np.arange(-128, 128).reshape(1, 1, 1, 256)
    function = sigmoid if name == "LOGISTIC" else np.tanh
    for scale, start in zip(RNG.uniform(0.003, 0.5, 60).tolist(), RNG.integers(-128, 128, 60).tolist(), strict=True):
        file = TfliteFile()
        x = file.codes((1, 1, 1, 256), scale, start)
        content = file.content([x], [file.operator(name, [x], file.codes((1, 1, 1, 256), out, zero))])
        table = curve(function, np.float32(scale), np.float32(out))(codes - start) + zero
        assert np.array_equal(np.clip(table, -128, 127).reshape(1, -1),
                              outputs(content, codes.astype(np.int8), kernels)), (scale, start)
