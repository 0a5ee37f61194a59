"""The ends of a .tflite model: floats on the host, heads, what is refused, and that the codes stay 8 bits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import headrace as hr
from headrace.errors import HeadraceError
from headrace.frontend.tflite import catalogue
from headrace.network.integer import Requant
from tests.frontend.tflite_files import TfliteFile, every_output, outputs

RNG = np.random.default_rng(3)


def dense(file: TfliteFile, x: int, rows: int = 5) -> int:
    """FULLY_CONNECTED of 12 codes, logits of scale 0.25 and zero point 7."""
    scale = file.tensors[x].scales[0]
    W = file.constant(RNG.integers(-127, 128, (rows, 12)).astype(np.int8), [0.02])
    b = file.constant(RNG.integers(-500, 500, rows).astype(np.int32), [scale * 0.02])
    return file.operator("FULLY_CONNECTED", [x, W, b], file.codes((1, rows), 0.25, 7))


def written(tmp_path: Path, file: TfliteFile, x: int, y: int) -> tuple[Path, bytes]:
    content = file.content([x], [y])
    path = tmp_path / "m.tflite"
    path.write_bytes(content)
    return path, content


@pytest.mark.parametrize("name", ["SOFTMAX", "LOGISTIC"])
def test_a_last_head_is_the_hosts(name: str, tmp_path: Path) -> None:
    file = TfliteFile()
    x = file.codes((1, 12), 0.1, -4)
    logits = dense(file, x)
    options = {"Beta": 1.0} if name == "SOFTMAX" else {}
    path, content = written(tmp_path, file, x, file.operator(name, [logits], file.codes((1, 5), 1 / 256, -128),
                                                             **options))
    samples = RNG.integers(-128, 128, (50, 12)).astype(np.int8)
    model = hr.load(path)
    assert np.array_equal(model.predict(samples, raw=True), outputs(file.content([x], [logits]), samples))
    codes = np.clip(np.rint(model.predict(samples) * 256) - 128, -128, 127)
    assert np.abs(codes - outputs(content, samples)).max() <= 1


@pytest.mark.parametrize(("scale", "zero"), [(0.1, -4), (0.5, -128)])
def test_floats_are_quantized_by_the_host(scale: float, zero: int, tmp_path: Path) -> None:
    file = TfliteFile()
    x = file.codes((1, 12), kind="FLOAT32")
    y = dense(file, file.operator("QUANTIZE", [x], file.codes((1, 12), scale, zero)))
    path, content = written(tmp_path, file, x, file.operator("DEQUANTIZE", [y], file.codes((1, 5), kind="FLOAT32")))
    samples = RNG.normal(0, 60 * scale, (100, 12)).astype(np.float32)
    if zero == -128:
        samples = (np.rint(samples * 4) / 4).astype(np.float32)  # ties
    assert np.array_equal(hr.load(path).predict(samples), outputs(content, samples))


def test_codes_are_8_bits_and_no_thresholds_are_left(tmp_path: Path) -> None:
    file = TfliteFile()
    x = file.codes((1, 12), 0.1, 83)
    path, _ = written(tmp_path, file, x, dense(file, x))
    net = hr.load(path).integer
    assert str(net.host_input.tensor.dtype) == "int8"
    assert [type(node.op) for node in net.nodes][1::2] == [Requant]


def test_an_integer_input_holds_codes(tmp_path: Path) -> None:
    file = TfliteFile()
    x = file.codes((1, 12), 0.1, 83)
    model = hr.load(written(tmp_path, file, x, dense(file, x))[0])
    with pytest.raises(HeadraceError) as error:
        model.predict(np.full((1, 12), 200.0))
    assert str(error.value).startswith("input: the value 200 lies outside the range from -128 to 127")


@pytest.mark.parametrize("kernels", ["reference", "xnnpack"])
def test_several_inputs_and_outputs(kernels: str, tmp_path: Path) -> None:
    file = TfliteFile()
    a, b = file.codes((1, 5, 4, 3), 0.1, -4), file.codes((1, 12), 0.05, 9)
    pooled = file.operator("MAX_POOL_2D", [a], file.codes((1, 2, 2, 3), 0.1, -4), Padding=1, FilterHeight=2,
                           FilterWidth=2, StrideH=2, StrideW=2)
    flat = file.operator("RESHAPE", [pooled, file.integers([1, 12])], file.codes((1, 12), 0.1, -4))
    total = file.operator("ADD", [flat, b], file.codes((1, 12), 0.12, 3))
    logits = dense(file, total)
    probabilities = file.operator("SOFTMAX", [logits], file.codes((1, 5), 1 / 256, -128), Beta=1.0)
    gate = file.operator("LOGISTIC", [total], file.codes((1, 12), 1 / 256, -128))
    path = tmp_path / "m.tflite"
    content = file.content([a, b], [probabilities, pooled, gate, logits])
    path.write_bytes(content)
    samples = {f"t{a}": RNG.integers(-128, 128, (30, 5, 4, 3)).astype(np.int8),
               f"t{b}": RNG.integers(-128, 128, (30, 12)).astype(np.int8)}
    made = hr.load(path, kernels=kernels).predict(samples, raw=True)
    wanted = every_output(content, samples, kernels)
    assert list(made) == [f"t{place}" for place in (probabilities, pooled, gate, logits)]
    for name, place in ((f"t{pooled}", pooled), (f"t{logits}", logits), (f"t{probabilities}", logits)):
        assert np.array_equal(np.reshape(made[name], (30, -1)), wanted[f"t{place}"]), name
    # The last curve is the host's: the integers in front of it, and real numbers within a step.
    assert np.array_equal(made[f"t{gate}"], hr.load(path, kernels=kernels).predict(samples, raw=True)[f"t{gate}"])
    real = hr.load(path, kernels=kernels).predict(samples)[f"t{gate}"]
    assert np.array_equal(np.clip(np.rint(real * 256) - 128, -128, 127), wanted[f"t{gate}"])


def floats(file: TfliteFile) -> tuple[int, int]:
    x = file.codes((1, 12), kind="FLOAT32")
    W = file.constant(np.ones((5, 12), np.float32))
    return x, file.operator("FULLY_CONNECTED", [x, W, -1], file.codes((1, 5), kind="FLOAT32"))


def unknown(file: TfliteFile) -> tuple[int, int]:
    x = file.codes((1, 12), 0.1, 0)
    return x, file.operator("COS", [x], file.codes((1, 12), 0.1, 0))


def inner_softmax(file: TfliteFile) -> tuple[int, int]:
    x = file.codes((1, 12), 0.1, 0)
    return x, dense(file, file.operator("SOFTMAX", [x], file.codes((1, 12), 1 / 256, -128), Beta=1.0))


def batch(file: TfliteFile) -> tuple[int, int]:
    x = file.codes((3, 12), 0.1, 0)
    return x, file.operator("RELU", [x], file.codes((3, 12), 0.1, 0))


def bordered_average(file: TfliteFile) -> tuple[int, int]:
    x = file.codes((1, 128, 129, 2), 0.1, 0)
    return x, file.operator("AVERAGE_POOL_2D", [x], file.codes((1, 128, 129, 2), 0.1, 0), Padding=0, StrideH=1,
                            StrideW=1, FilterHeight=3, FilterWidth=3)


def two_scales(file: TfliteFile) -> tuple[int, int]:
    x = file.codes((1, 5, 5, 2), 0.1, 0)
    y = file.operator("QUANTIZE", [x], file.codes((1, 5, 5, 2), 0.2, 0))
    return x, file.operator("CONCATENATION", [x, y], file.codes((1, 5, 5, 4), 0.2, 0), Axis=3)


def product(file: TfliteFile) -> tuple[int, int]:
    x = file.codes((1, 12), 0.1, 0)
    return x, file.operator("MUL", [x, x], file.codes((1, 12), 0.2, 0))


def odd_constant(file: TfliteFile) -> tuple[int, int]:
    x = file.codes((1, 12), 0.1, 0)
    return x, file.operator("ADD", [x, file.constant(np.ones(5, np.int8), [0.1])], file.codes((1, 12), 0.2, 0))


def short_weights(file: TfliteFile) -> tuple[int, int]:
    x = file.codes((1, 12), 0.1, 0)
    y = dense(file, x)
    file.tensors[1].data = b"abc"
    return x, y


@pytest.mark.parametrize(("make", "sentence"), [
    (floats, "computes in floating point; convert the model with full integer quantization, or use headrace quantize "
             "on an ONNX export"),
    (unknown, "COS 't1': has no streaming form; replace it in the model"),
    (inner_softmax, "SOFTMAX 't1': divides by a sum inside of the model, which no streaming layer does; the host "
                    "computes it at the end of a model, so cut the model there"),
    (batch, "has an input of shape (3, 12); convert the model with batch size 1"),
    (bordered_average, "AVERAGE_POOL_2D 't1': averages over windows that reach over the border, where it divides by "
                       "fewer pixels, and has 33024 results where at most 16384 can have divisors of their own; use "
                       "padding VALID, or a PAD in front"),
    (two_scales, "CONCATENATION 't2': joins int8 tensors whose scales or zero points differ from the result's, which "
                 "no kernel does; convert the model again, which makes them equal"),
    (product, "MUL 't1': multiplies two tensors that are both computed, which no streaming layer does; multiply by "
              "constants only, or cut the model in front of it"),
    (odd_constant, "ADD 't2': has a constant of shape (5,) for a tensor of shape (12,); give it the shape of the "
                   "tensor, or one value per channel"),
    (short_weights, "FULLY_CONNECTED 't3': its tensor 't1' of shape (5, 12) needs 60 bytes but has 3; convert the "
                    "model again"),
])
def test_refusals(make: object, sentence: str, tmp_path: Path) -> None:
    file = TfliteFile()
    path, _ = written(tmp_path, file, *make(file))  # type: ignore[operator]
    with pytest.raises(HeadraceError) as error:
        hr.load(path)
    assert str(error.value) == f"{path}: {sentence}"


def test_kernels_belong_to_tflite_files() -> None:
    with pytest.raises(HeadraceError) as error:
        hr.load("m.onnx", kernels="xnnpack")
    assert str(error.value) == ("m.onnx: is not a .tflite file, but kernels='xnnpack' says how one computes; leave it "
                                "out")


def test_the_documentation_lists_what_is_read() -> None:
    text = (Path(__file__).parents[2] / "docs" / "tflite.md").read_text()
    listed = text.split(catalogue.BEGIN)[1].split(catalogue.END)[0]
    assert listed == catalogue.catalogue(), "put what python3 -m headrace.frontend.tflite.catalogue prints there"
