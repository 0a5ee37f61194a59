"""Bad ONNX files: one clear sentence each, and all unsupported nodes at once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from onnx import NodeProto

from headrace.errors import UnsupportedError
from tests.frontend.onnx_files import GENERAL, floats, grid, model, node, quant, reasons, sentence

RELU = node("Relu", ["x"])


@pytest.mark.parametrize(("scale", "said"), [
    (0.0, "scale 0.0 must be positive; recalibrate the quantizer"),
    (-1.0, "scale -1.0 must be positive; recalibrate the quantizer"),
    (np.nan, "1 of 1 values of scale are NaN or infinite; retrain or mend the model")])
def test_scales_of_activations(tmp_path: Path, scale: float | np.ndarray, said: str) -> None:
    constants: dict[str, np.ndarray] = {}
    proto = model([quant("x", "y", scale, 4, 0, constants)], (1, 4), constants)
    assert sentence(tmp_path, proto) == f"Quant_y (Quant): {said}"


@pytest.mark.parametrize(("scale", "said"), [
    (0.0, "its scale is 0, which makes every weight 0; recalibrate the quantizer"),
    (np.inf, "1 of 1 values of scale are NaN or infinite; retrain or mend the model")])
def test_scales_of_weights(tmp_path: Path, scale: float | np.ndarray, said: str) -> None:
    constants = {"W": grid(4, 2)}
    proto = model([quant("W", "w", scale, 4, 0, constants), node("MatMul", ["x", "w"])], (1, 4), constants)
    assert sentence(tmp_path, proto) == f"Quant_w (Quant): {said}"


def test_weights_that_are_nan(tmp_path: Path) -> None:
    constants = {"W": np.full((4, 2), np.nan, np.float32)}
    proto = model([quant("W", "w", 1, 4, 0, constants), node("MatMul", ["x", "w"])], (1, 4), constants)
    assert sentence(tmp_path, proto) == (
        "Quant_w (Quant): 8 of 8 values of values are NaN or infinite; retrain or mend the model")


@pytest.mark.parametrize(("nodes", "shape", "constants", "said"), [
    ([node("MatMul", ["x", "W"])], (1, 5), {"W": np.ones((4, 2))},
     "MatMul_y (MatMul): weights for 4 inputs meet a tensor of shape (5,); mend the weights or the layer before"),
    ([node("Conv", ["x", "W"])], (1, 2, 5, 5), {"W": np.ones((4, 3, 3, 3))},
     "Conv_y (Conv): a convolution of 3 input channels meets a tensor of shape (2, 5, 5); "
     "feed it (3, height, width) or mend its input channels"),
    ([node("Conv", ["x", "W"])], (1, 2, 5, 5), {"W": np.ones((4, 2, 3))},
     "Conv_y (Conv): weights of shape (4, 2, 3) meet a tensor of 4 axes; they should have 4"),
    ([node("Conv", ["x", "W"], strides=[0, 1])], (1, 2, 5, 5), {"W": np.ones((4, 2, 3, 3))},
     "Conv_y (Conv): its strides (0, 1) should be one or two positive integers; export the model again"),
    ([node("Conv", ["x", "W"], group=3)], (1, 6, 5, 5), {"W": np.ones((4, 2, 3, 3))},
     "Conv_y (Conv): 4 output channels do not divide into 3 groups; choose one of [1, 2]"),
    ([node("Reshape", ["x", "s"])], (1, 5), {"s": np.array([1, 4])},
     "Reshape_y (Reshape): a tensor of shape (1, 5) cannot take the shape (1, 4); mend the Reshape"),
    ([node("Concat", ["x", "r"], axis=1), node("Flatten", ["x"], "r")], (1, 2, 5), {},
     "Concat_y (Concat): joins tensors of shapes (2, 5), (10,) along axis 1; their other sizes must be equal"),
    ([node("Div", ["x", "z"])], (1, 5), {"z": floats(0)}, "Div_y (Div): divides by 0; mend the model"),
    ([node("Relu", ["z"])], (1, 5), {"z": floats(0)},
     "the output y does not depend on the input; export another output"),
    ([node("TopK", ["x", "k"], ["y", "i"])], (1, 5), {"k": np.array([1])},
     "the output y is a result that is not computed; export another output"),
    ([node("BatchNormalization", ["x", "c", "c", "c", "v"])], (1, 2), {"c": np.ones(2), "v": -np.ones(2)},
     "BatchNormalization_y (BatchNormalization): its variance -1 plus epsilon 1e-05 must be positive; retrain it"),
    ([node("BatchNormalization", ["x", "c", "c", "c", "v"])], (1, 2), {"c": np.ones(2), "v": np.full(2, np.inf)},
     "BatchNormalization_y (BatchNormalization): 2 of 2 values of variance are NaN or infinite; retrain or mend the "
     "model"),
    ([node("MaxPool", ["x"], kernel_shape=[2, 2], pads=[0, 2, 0, 0])], (1, 1, 4, 4), {},
     "MaxPool_y (MaxPool): its pads (0, 2, 0, 0) reach its kernel_shape (2, 2), so some windows hold the border alone; "
     "use smaller pads"),
    ([node("Clip", ["x", "h", "l"])], (1, 2), {"h": floats(2), "l": floats(1)},
     "Clip_y (Clip): clip from 2.0 to 1.0: the lower bound must not exceed the upper; swap them"),
    ([node("MaxPool", ["x"], kernel_shape=[3, 3])], (1, 1, 2, 5), {},
     "MaxPool_y (MaxPool): pooling kernel (3, 3) does not fit into 2x5; use a smaller kernel or larger images"),
    ([node("Add", ["x"])], (1, 2), {}, "Add_y (Add): has 1 inputs where 2 are needed; export the model again"),
    ([node("Softmax", ["x"], axis=7)], (1, 2), {},
     "Softmax_y (Softmax): its axis 7 does not exist in a tensor of 2 axes; export the model again"),
    ([node("Quant", ["x", "s", "z", "b"], domain=GENERAL)], (1, 2), {"s": floats(1), "z": floats(0), "b": floats(0)},
     "Quant_y (Quant): its bit width 0 should be 1 to 32"),
    ([node("Add", ["x", "n"])], (1, 2), {"n": floats(1, np.nan)},
     "Add_y (Add): 1 of 2 values of constant are NaN or infinite; retrain or mend the model"),
    ([node("Log", ["m"], "n"), node("Mul", ["x", "n"])], (1, 2), {"m": floats(-1, -2)},
     "Mul_y (Mul): 2 of 2 values of constant are NaN or infinite; retrain or mend the model"),
    ([node("MultiThreshold", ["x", "t"], domain=GENERAL, out_dtype="UINT999999999999")], (1, 2), {"t": np.ones((1, 1))},
     "MultiThreshold_y (MultiThreshold): its out_dtype 'UINT999999999999' is unknown; write BIPOLAR, BINARY, INT2 to "
     "INT32, UINT1 to UINT32 or FLOAT32"),
    ([node("Softmax", ["x"], axis="one")], (1, 2), {},
     "Softmax_y (Softmax): its attribute axis is b'one' where int is needed; export the model again"),
])
def test_wrong_shapes_and_values(tmp_path: Path, nodes: list[NodeProto], shape: tuple[int, ...],
                                 constants: dict[str, np.ndarray], said: str) -> None:
    values = {name: np.asarray(value, np.float32) if np.asarray(value).dtype == np.float64 else value
              for name, value in constants.items()}
    assert sentence(tmp_path, model(nodes, shape, values)) == said


@pytest.mark.parametrize(("nodes", "shape", "said"), [
    ([node("Add", ["x", "m"])], (1, 4, 4),
     "its constant differs along 2 axes of a tensor of shape (4, 4); use one value or one per channel"),
    ([node("MatMul", ["x", "f"])], (1, 4),
     "its weights are not quantized; put a Quant node behind them, or integers into them"),
    ([node("Relu", ["x"], "r"), node("Mul", ["x", "r"])], (1, 4),
     "multiplies two computed tensors, which no streaming layer does; use a constant factor"),
    ([node("Reshape", ["x", "s"])], (2, 4),
     "gives a tensor of shape (2, 4) the shape (4, 2), which mixes samples; keep the batch as the first axis"),
    ([node("AveragePool", ["x"], kernel_shape=[2, 2], pads=[1, 1, 1, 1])], (1, 1, 4, 4),
     "averages over fewer values at the edge; use count_include_pad=1 or no pads"),
    ([node("Quant", ["x", "one", "one", "one"], domain=GENERAL, rounding_mode="STOCHASTIC", signed=0)], (1, 4),
     "its rounding mode 'STOCHASTIC' is unknown; use one of ROUND, HALF_EVEN, FLOOR, CEIL, UP, DOWN, ROUND_TO_ZERO, "
     "HALF_UP, HALF_DOWN"),
    ([node("Quant", ["x", "one", "row", "one"], domain=GENERAL)], (1, 4),
     "its zero point is not one 32-bit integer for all channels; use one integer"),
    ([node("Conv", ["x", "k"])], (1, 2, 4, 4, 4),
     "meets a tensor of shape (2, 4, 4, 4); use (channels, length) or (channels, height, width)"),
    ([node("Transpose", ["x"], perm=[1, 0])], (1, 4), "moves the batch; leave axis 0 where it is"),
    ([node("Resize", ["x", "", "t"], mode="linear")], (1, 1, 4, 4),
     "interpolates (linear); use mode nearest, or a depthwise ConvTranspose"),
    ([node("Round", ["x"])], (1, 4),
     "is done on constants only, and its input is computed; use a Quant node with that rounding mode"),
    ([node("Exp", ["x"])], (1, 4),
     "is done on constants only, and its input is computed; leave it to the program around the accelerator, or train "
     "with Relu or Clip in its place"),
])
def test_nodes_that_are_understood_but_have_no_layer(tmp_path: Path, nodes: list[NodeProto], shape: tuple[int, ...],
                                                     said: str) -> None:
    constants = {"m": grid(4, 4), "f": grid(4, 3), "s": np.array([4, 2]), "one": floats(1), "row": grid(4),
                 "k": np.ones((1, 2, 1, 1, 1), np.float32), "t": floats(1, 1, 2, 2),
                 "zero": np.array([0]), "two": np.array([2]), "axis": np.array([1])}
    (reason,) = reasons(tmp_path, model(nodes, shape, constants))
    assert reason.partition("): ")[2] == said


def test_all_unsupported_nodes_at_once(tmp_path: Path) -> None:
    nodes = [node("ThresholdedRelu", ["x"], "a"), node("Relu", ["a"], "b"), node("Shrink", ["b"], "c"),
             node("MyOwn", ["c"], "d", domain="example.org"),
             node("AveragePool", ["d"], kernel_shape=[2, 2], pads=[1, 1, 1, 1])]
    assert sentence(tmp_path, model(nodes, (1, 2, 4, 4)), UnsupportedError).split("\n") == [
        "4 nodes are not supported",
        "ThresholdedRelu_a (ThresholdedRelu): no streaming layer does this operation; use Relu, LeakyRelu or Sigmoid "
        "with a quantizer behind it",
        "Shrink_c (Shrink): no streaming layer does this operation; use Relu, LeakyRelu or Sigmoid with a quantizer "
        "behind it",
        "MyOwn_d (MyOwn): no streaming layer does this operation of the domain example.org; replace it by operations "
        "that docs/onnx.md lists",
        "AveragePool_y (AveragePool): averages over fewer values at the edge; use count_include_pad=1 or no pads",
    ]


def test_importing_generator_does_not_import_onnx() -> None:
    code = "import sys, headrace, headrace.sources; sys.exit('onnx' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_attention_is_said_once(tmp_path: Path) -> None:
    constants: dict[str, np.ndarray] = {"axes": np.array([0, 2, 1])}
    nodes = [node("Transpose", ["x"], "t", perm=[0, 2, 1]), node("MatMul", ["x", "t"], "s"),
             node("Softmax", ["s"], "p"), node("MatMul", ["p", "x"], "o"), node("MatMul", ["o", "t"], "s2"),
             node("MatMul", ["s2", "o"])]
    assert reasons(tmp_path, model(nodes, (1, 4, 8), constants)) == [
        "MatMul_s (MatMul): attention multiplies two computed tensors, which no streaming layer does; use "
        "convolutions, or leave this part to the host by splitting the model in front of it"]
