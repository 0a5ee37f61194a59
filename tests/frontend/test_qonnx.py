"""QONNX quantizers against the executor of the qonnx package."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from headrace.datatypes import BIPOLAR, DataType, Interval, int_type
from headrace.errors import UnsupportedError
from headrace.frontend.onnx.qonnx import ROUNDINGS
from headrace.network import rounding
from headrace.network.ops import Linear, Quantize
from headrace.network.tensor_ops import Trunc
from headrace.serialize import digest
from tests.frontend.onnx_files import GENERAL, floats, grid, model, network, node, quant, same_as_executor
from tests.narrow import the

#: Every quarter from -6 to 6: ties, and beyond both ends of 4 bits at scale 0.5.
QUARTERS = np.arange(-24, 25, dtype=np.float32)[None] / 4


@pytest.mark.parametrize("mode", [mode for mode in ROUNDINGS if mode != "ROUND_TO_ZERO"])
@pytest.mark.parametrize(("signed", "narrow", "zero_point"), [(1, 0, 0), (1, 1, 0), (0, 0, 0), (0, 1, 3), (1, 0, -2)])
def test_every_rounding_mode(tmp_path: Path, mode: str, signed: int, narrow: int, zero_point: int) -> None:
    constants: dict[str, np.ndarray] = {}
    quantizer = quant("x", "y", 0.5, 4, zero_point, constants, signed=signed, narrow=narrow, rounding_mode=mode)
    net = same_as_executor(tmp_path, model([quantizer], (1, 49), constants), QUARTERS)
    lo, hi = (-8 + narrow, 7) if signed else (0, 15 - narrow)
    assert the(Quantize, net.nodes[0].op).dtype == Interval(lo, hi)


@pytest.mark.parametrize("mode", list(ROUNDINGS))
def test_every_rounding_mode_of_weights(tmp_path: Path, mode: str) -> None:
    constants = {"W": np.arange(-24, 24, dtype=np.float32).reshape(48, 1) / 4}
    nodes = [quant("W", "w", 0.5, 4, 0, constants, rounding_mode=mode), node("MatMul", ["x", "w"])]
    proto = model(nodes, (1, 48), constants)
    x = np.eye(48, dtype=np.float32)[:1]
    if mode != "ROUND_TO_ZERO":  # a synonym of DOWN that the executor does not know
        same_as_executor(tmp_path, proto, x)
    net = network(tmp_path, proto)
    rounded = rounding.round_to_integer(constants["W"].astype(np.float64).T * 2, ROUNDINGS[mode])
    np.testing.assert_array_equal(the(Linear, net.nodes[0].op).weight.codes, np.clip(rounded, -8, 7))


def test_missing_attributes_take_the_defaults_of_the_standard(tmp_path: Path) -> None:
    constants = {"s": floats(0.5), "z": floats(0), "b": floats(3)}
    net = network(tmp_path, model([node("Quant", ["x", "s", "z", "b"], domain=GENERAL)], (1, 4), constants))
    assert the(Quantize, net.nodes[0].op).dtype == int_type(3)
    assert the(Quantize, net.nodes[0].op).rounding == "half_even"


@pytest.mark.parametrize("domain", ["", "onnx.brevitas", "finn.custom_op.general"])
@pytest.mark.parametrize("op_type", ["Quant", "IntQuant"])
def test_every_domain_and_name(tmp_path: Path, domain: str, op_type: str) -> None:
    def imported(op_type: str, domain: str) -> object:
        constants = {"s": floats(0.5), "z": floats(0), "b": floats(3), "W": grid(4, 2), "t": floats(1)}
        nodes = [node(op_type, ["x", "s", "z", "b"], "a", domain=domain, signed=0, narrow=1),
                 node("BipolarQuant", ["W", "t"], "w", domain=domain), node("MatMul", ["a", "w"])]
        for item in nodes:
            item.name = item.output[0]
        return network(tmp_path, model(nodes, (1, 4), constants))

    assert digest(imported(op_type, domain)) == digest(imported("Quant", GENERAL))


def test_scales_per_channel_and_one_bit(tmp_path: Path) -> None:
    constants = {"sign": floats(0.5)}
    scales = np.asarray([0.25, 0.5, 2], np.float32).reshape(1, 3, 1, 1)
    nodes = [quant("x", "a", scales, 3.0, 0, constants), quant("a", "b", 0.5, 1, 0, constants),
             node("BipolarQuant", ["b", "sign"], domain=GENERAL)]
    net = same_as_executor(tmp_path, model(nodes, (2, 3, 4, 4), constants), grid(2, 3, 4, 4))
    assert [the(Quantize, item.op).dtype for item in net.nodes] == [int_type(3), BIPOLAR, BIPOLAR]
    np.testing.assert_array_equal(the(Quantize, net.nodes[0].op).scale, [0.25, 0.5, 2])


@pytest.mark.parametrize("mode", ["FLOOR", "CEIL", "ROUND", "HALF_UP"])
def test_trunc_by_ratio_of_scales(tmp_path: Path, mode: str) -> None:
    constants = {"s": floats(0.25), "z": floats(4), "i": floats(8), "t": floats(1), "o": floats(3)}
    trunc = node("Trunc", ["x", "s", "z", "i", "t", "o"], domain=GENERAL, rounding_mode=mode, signed=0, narrow=1)
    net = same_as_executor(tmp_path, model([trunc], (1, 49), constants), QUARTERS)
    assert isinstance(net.nodes[0].op, Trunc)
    assert (net.nodes[0].op.shift, net.nodes[0].op.dtype) == (2, Interval(0, 6))


@pytest.mark.parametrize("mode", ["FLOOR", "CEIL", "ROUND"])
def test_trunc_by_count_of_bits(tmp_path: Path, mode: str) -> None:
    constants = {"s": floats(0.25), "z": floats(0), "i": floats(6), "o": floats(4)}
    trunc = node("Trunc", ["x", "s", "z", "i", "o"], domain=GENERAL, rounding_mode=mode)
    same_as_executor(tmp_path, model([trunc], (1, 49), constants, general=1), QUARTERS)


@pytest.mark.parametrize("steps", [["Transpose"], ["Transpose", "Mul"], ["Mul", "Transpose"], ["Reshape", "Transpose"],
                                   ["Identity", "Transpose", "Div"]])
def test_weights_on_their_way(tmp_path: Path, steps: list[str]) -> None:
    """Codes and scales per output channel survive what stands between the quantizer and the product."""
    constants = {"W": grid(3, 5), "two": floats(2), "shape": np.array([3, -1])}
    nodes = [quant("W", "w0", np.array([[0.5], [0.25], [1]]), 3, 0, constants)]
    second = {"Mul": ["two"], "Div": ["two"], "Reshape": ["shape"]}
    for place, op_type in enumerate(steps):
        nodes.append(node(op_type, [f"w{place}", *second.get(op_type, [])], f"w{place + 1}"))
    nodes.append(node("MatMul", ["x", f"w{len(steps)}"]))
    net = same_as_executor(tmp_path, model(nodes, (4, 5), constants), grid(4, 5))
    weight = the(Linear, net.nodes[0].op).weight
    factor = 2.0 if "Mul" in steps else 0.5 if "Div" in steps else 1.0
    assert weight.dtype == int_type(3)
    np.testing.assert_array_equal(weight.scale, np.array([0.5, 0.25, 1]) * factor)


def test_weights_with_a_zero_point_are_shifted_codes(tmp_path: Path) -> None:
    constants = {"W": grid(5, 2)}
    nodes = [quant("W", "w", 0.5, 4, 3, constants), node("MatMul", ["x", "w"])]
    net = same_as_executor(tmp_path, model(nodes, (2, 5), constants), grid(2, 5))
    assert the(Linear, net.nodes[0].op).weight.dtype == Interval(-11, 4)


@pytest.mark.parametrize(("zero_point", "reached", "dtype"), [(128, 255, int_type(8)), (100, 227, int_type(8))])
def test_weights_of_eight_bits_with_a_zero_point(zero_point: int, reached: int, dtype: DataType,
                                                 tmp_path: Path) -> None:
    """The codes that occur count, not those that could."""
    constants = {"W": (np.array([[0], [reached]]) - zero_point).astype(np.float32) / 2}
    nodes = [quant("W", "w", 0.5, 8, zero_point, constants, signed=0), node("MatMul", ["x", "w"])]
    net = same_as_executor(tmp_path, model(nodes, (2, 2), constants), grid(2, 2))
    weight = the(Linear, net.nodes[0].op).weight
    assert weight.codes.tolist() == [[-zero_point, reached - zero_point]] and weight.dtype.bits == dtype.bits


def test_asymmetric_weights_are_refused_with_the_reason(tmp_path: Path) -> None:
    constants = {"W": np.array([[-50], [77.5]], np.float32)}
    nodes = [quant("W", "w", 0.5, 8, 100, constants, signed=0), node("MatMul", ["x", "w"])]
    with pytest.raises(UnsupportedError) as caught:
        network(tmp_path, model(nodes, (2, 2), constants))
    assert ("its weights have the zero point 100, so their codes reach from -100 to 155, more than 8 bits; left in, it "
            "would be multiplied with the sum of the inputs, which depends on the data") in str(caught.value)


def test_weights_are_divided_in_float32(tmp_path: Path) -> None:
    """The float32 values of 0.35 and 0.1 have a quotient below 3.5, which float32 rounds to 3.5: a tie that gives 4."""
    constants = {"W": np.asarray([[0.35]], np.float32)}
    nodes = [quant("W", "w", 0.1, 4, 0, constants), node("MatMul", ["x", "w"])]
    net = same_as_executor(tmp_path, model(nodes, (1, 1), constants), np.ones((1, 1)), tolerance=1e-7)
    assert the(Linear, net.nodes[0].op).weight.codes.tolist() == [[4]]
