"""QuantizeLinear, Clip and DequantizeLinear, against onnxruntime."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import ArrayLike
from onnx import NodeProto, numpy_helper

from headrace.datatypes import BIPOLAR, DataType, Interval, int_type, uint_type
from headrace.errors import UnsupportedError
from headrace.network import ops
from tests.frontend.onnx_files import floats, grid, model, network, node, same_as_executor
from tests.narrow import the

QUARTERS = np.arange(-24, 25, dtype=np.float32)[None] / 4


def parameters(scale: ArrayLike = 0.5, zero_point: ArrayLike = 0,
               kind: type[np.generic] = np.int8) -> dict[str, np.ndarray]:
    return {"s": np.asarray(scale, np.float32), "z": np.asarray(zero_point, kind)}


def pair(source: str, output: str, between: Sequence[tuple[str, list[str]]] = ()) -> list[NodeProto]:
    """QuantizeLinear, nodes between on one tensor each, DequantizeLinear."""
    nodes, last = [node("QuantizeLinear", [source, "s", "z"], f"{output}_q")], f"{output}_q"
    for place, (op_type, inputs) in enumerate(between):
        nodes.append(node(op_type, [last, *inputs], f"{output}_{place}"))
        last = f"{output}_{place}"
    return [*nodes, node("DequantizeLinear", [last, "s", "z"], output)]


@pytest.mark.parametrize(("kind", "zero_point", "dtype"), [
    (np.int8, 0, int_type(8)), (np.uint8, 0, uint_type(8)), (np.uint8, 3, Interval(-3, 252)),
    (np.int8, -5, Interval(-123, 132))])
@pytest.mark.parametrize("scale", [1 / 64, 0.5])
def test_a_pair_is_a_quantizer(tmp_path: Path, kind: type[np.generic], zero_point: int, dtype: DataType,
                               scale: float) -> None:
    """Saturated at both ends, and with ties, which are rounded before an odd zero point is added."""
    net = same_as_executor(tmp_path, model(pair("x", "y"), (1, 49), parameters(scale, zero_point, kind)), QUARTERS)
    op = the(ops.Quantize, net.nodes[0].op)
    assert (len(net.nodes), op.dtype, op.zero_point, op.rounding) == (1, dtype, 0, "half_even")


def test_weights_with_an_odd_zero_point(tmp_path: Path) -> None:
    constants = parameters(0.5, 3) | {"F": QUARTERS.reshape(49, 1)}
    nodes = [*pair("F", "w"), node("MatMul", ["x", "w"])]
    same_as_executor(tmp_path, model(nodes, (49, 49), constants), np.eye(49))


def test_a_clip_between_narrows_the_type(tmp_path: Path) -> None:
    constants = parameters() | {"lo": np.asarray(-3, np.int8), "hi": np.asarray(3, np.int8)}
    net = same_as_executor(tmp_path, model(pair("x", "y", [("Clip", ["lo", "hi"])]), (1, 49), constants), QUARTERS)
    assert the(ops.Quantize, net.nodes[0].op).dtype == Interval(-3, 3)


def test_shapes_may_change_between(tmp_path: Path) -> None:
    constants = parameters() | {"to": np.array([2, -1])}
    nodes = pair("x", "y", [("Reshape", ["to"])])
    net = same_as_executor(tmp_path, model(nodes, (2, 3, 4), constants), grid(2, 3, 4))
    assert [type(item.op).__name__ for item in net.nodes] == ["Reshape", "Quantize"]


def test_another_scale_behind_rescales(tmp_path: Path) -> None:
    constants = parameters(0.5, 2) | {"t": floats(2), "o": np.asarray(-1, np.int8)}
    nodes = [node("QuantizeLinear", ["x", "s", "z"], "q"), node("DequantizeLinear", ["q", "t", "o"])]
    net = same_as_executor(tmp_path, model(nodes, (1, 49), constants), QUARTERS)
    assert [type(item.op).__name__ for item in net.nodes] == ["Quantize", "Affine"]


def test_scales_along_an_axis(tmp_path: Path) -> None:
    constants = parameters([0.25, 0.5, 1], [0, 0, 0])
    nodes = pair("x", "y")
    net = same_as_executor(tmp_path, model(nodes, (2, 3, 4, 4), constants), grid(2, 3, 4, 4))
    np.testing.assert_array_equal(the(ops.Quantize, net.nodes[0].op).scale, [0.25, 0.5, 1])


def weights(codes: np.ndarray, zero_point: int = 0) -> tuple[dict[str, np.ndarray], NodeProto]:
    constants = {"W": codes, "ws": np.asarray([0.5, 0.25, 1], np.float32), "wz": np.full(3, zero_point, codes.dtype)}
    return constants, node("DequantizeLinear", ["W", "ws", "wz"], "w", axis=0)


def test_integer_weights_with_scales_per_channel(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    constants, dequantize = weights(rng.integers(-7, 8, (3, 2, 3, 3)).astype(np.int8))
    constants |= {"B": rng.integers(-99, 100, 3).astype(np.int32), "bs": floats(0.125), "bz": np.asarray(0, np.int32)}
    nodes = [dequantize, node("DequantizeLinear", ["B", "bs", "bz"], "b"), node("Conv", ["x", "w", "b"])]
    net = same_as_executor(tmp_path, model(nodes, (2, 2, 5, 5), constants), grid(2, 2, 5, 5))
    op = the(ops.Conv, net.nodes[0].op)
    assert op.weight.dtype == Interval(-7, 7)
    np.testing.assert_array_equal(op.weight.scale, [0.5, 0.25, 1])
    np.testing.assert_array_equal(op.bias, constants["B"] / 8)


def test_weights_of_two_values_are_bipolar(tmp_path: Path) -> None:
    constants, dequantize = weights(np.where(grid(3, 6) > 0, 1, -1).astype(np.int8))
    nodes = [dequantize, node("Transpose", ["w"], "wt"), node("MatMul", ["x", "wt"])]
    net = same_as_executor(tmp_path, model(nodes, (2, 6), constants), grid(2, 6))
    assert the(ops.Linear, net.nodes[0].op).weight.dtype == BIPOLAR


def test_unsigned_weights_are_shifted_by_their_zero_point(tmp_path: Path) -> None:
    constants, dequantize = weights(np.arange(120, 138).reshape(3, 6).astype(np.uint8), 128)
    nodes = [dequantize, node("Gemm", ["x", "w"], transB=1)]
    net = same_as_executor(tmp_path, model(nodes, (2, 6), constants), grid(2, 6))
    assert the(ops.Linear, net.nodes[0].op).weight.dtype == Interval(-8, 9)


def test_weights_that_the_file_quantizes(tmp_path: Path) -> None:
    constants = parameters(0.25) | {"F": grid(6, 4, step=0.125)}
    constants |= {"lo": np.asarray(-7, np.int8), "hi": np.asarray(7, np.int8)}
    nodes = [*pair("F", "w", [("Clip", ["lo", "hi"])]), node("MatMul", ["x", "w"])]
    net = same_as_executor(tmp_path, model(nodes, (2, 6), constants), grid(2, 6))
    assert the(ops.Linear, net.nodes[0].op).weight.dtype == Interval(-7, 7)


def test_parameters_as_constant_nodes(tmp_path: Path) -> None:
    """As Brevitas writes them: the type of the codes is that of the zero point."""
    nodes = [node("Constant", [], "s", value=numpy_helper.from_array(floats(0.5))),
             node("Constant", [], "z", value=numpy_helper.from_array(np.asarray(0, np.int8))), *pair("x", "y")]
    net = same_as_executor(tmp_path, model(nodes, (1, 49)), QUARTERS)
    assert the(ops.Quantize, net.nodes[0].op).dtype == int_type(8)


def test_clipped_integer_weights_have_the_type_of_the_clip(tmp_path: Path) -> None:
    constants, dequantize = weights(np.full((3, 6), 2, np.int8))
    constants |= {"lo": np.asarray(-7, np.int8), "hi": np.asarray(7, np.int8)}
    dequantize.input[0] = "c"
    nodes = [node("Clip", ["W", "lo", "hi"], "c"), dequantize, node("Gemm", ["x", "w"], transB=1)]
    net = same_as_executor(tmp_path, model(nodes, (2, 6), constants), grid(2, 6))
    assert the(ops.Linear, net.nodes[0].op).weight.dtype == Interval(-7, 7)


def test_codes_may_be_read_by_a_dequantizer_only(tmp_path: Path) -> None:
    nodes = [node("QuantizeLinear", ["x", "s", "z"], "q"), node("AveragePool", ["q"], kernel_shape=[2, 2])]
    with pytest.raises(UnsupportedError, match=r"AveragePool_y \(AveragePool\): reads the integer codes of a Quant"):
        network(tmp_path, model(nodes, (1, 2, 4, 4), parameters()))


def test_a_dequantizer_needs_codes(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedError, match="reads a tensor that no QuantizeLinear made; put"):
        network(tmp_path, model([node("DequantizeLinear", ["x", "s", "z"])], (1, 4), parameters()))
