"""Blocks of pixels and transposed convolutions in ONNX files, against the executor and the exact reading."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import onnx
import pytest

from headrace.errors import UnsupportedError
from headrace.network import integer
from headrace.streamline.streamline import streamline
from tests.assert_exact import assert_exact, outputs
from tests.frontend.onnx_files import grid, model, node, quant, reasons, same_as_executor, sentence
from tests.narrow import the


def transposed(size: tuple[int, ...], kernel: tuple[int, ...], groups: int = 1, channels: tuple[int, int] = (2, 3),
               step: float | np.ndarray = 0.25, zero_point: float = 0.0, /, **attributes: object) -> onnx.ModelProto:
    """A quantizer, a ConvTranspose with scaled 3-bit weights and a bias, a Relu and a quantizer."""
    rng = np.random.default_rng(len(size) + sum(kernel))
    weights = rng.integers(-3, 4, (channels[0], channels[1] // max(groups, 1), *kernel)).astype(np.float32)
    constants: dict[str, np.ndarray] = {"w": weights * np.float32(step), "b": grid(channels[1], seed=1, reach=2)}
    nodes = [quant("x", "q", 0.5, zero_point=zero_point, constants=constants),
             quant("w", "v", step, 3, constants=constants),
             node("ConvTranspose", ["q", "v", "b"], "t", group=groups, **attributes),
             node("Relu", ["t"], "r"), quant("r", "y", 0.75, 4, signed=0, constants=constants)]
    return model(nodes, (2, channels[0], *size), constants)


def require_exact(tmp_path: Path, proto: onnx.ModelProto, size: tuple[int, ...], channels: int = 2
                  ) -> integer.IntegerNetwork:
    """The network of integers, whose codes and outputs are those of the exact reading and of the executor."""
    x = grid(2, channels, *size)
    network = same_as_executor(tmp_path, proto, x)
    net = streamline(network)
    if net.host_inputs[0].order is None:
        assert_exact(network, x)
    np.testing.assert_array_equal(outputs(net, x), network.forward(x).astype(np.float32))
    return net


@pytest.mark.parametrize(("kernel", "attributes"), [
    ((2, 2), {"strides": [2, 2]}), ((3, 3), {"strides": [2, 2], "pads": [1, 1, 1, 1], "output_padding": [1, 1]}),
    ((3, 3), {"strides": [2, 2]}), ((4, 4), {"strides": [2, 2], "pads": [1, 1, 1, 1]}),
    ((5, 5), {"strides": [3, 3], "pads": [1, 1, 1, 1]}), ((2, 3), {"strides": [2, 1], "pads": [0, 1, 0, 1]}),
    ((5, 4), {"strides": [3, 2], "pads": [2, 1, 0, 2], "output_padding": [2, 1]}), ((3, 3), {"pads": [1, 1, 1, 1]}),
    ((1, 2), {"strides": [2, 3], "output_padding": [1, 0]}), ((4, 4), {"strides": [2, 2], "pads": [3, 3, 3, 3]}),
    ((3, 3), {"strides": [2, 2], "auto_pad": "SAME_UPPER"}), ((3, 3), {"strides": [2, 2], "auto_pad": "SAME_LOWER"}),
    ((3, 3), {"strides": [2, 2], "output_shape": [9, 10], "output_padding": [1, 0]}),
    ((2, 2), {"strides": [2, 2], "auto_pad": "VALID", "kernel_shape": [2, 2], "dilations": [1, 1]}),
])
def test_transposed_convolutions(tmp_path: Path, kernel: tuple[int, int], attributes: dict[str, object]) -> None:
    net = require_exact(tmp_path, transposed((4, 5), kernel, **attributes), (4, 5))
    convolutions = [item.op for item in net.nodes if isinstance(item.op, integer.Conv)]
    block = the(list, attributes.get("strides", [1, 1]))
    assert [len(op.weights) for op in convolutions] == [3 * math.prod(block)]


@pytest.mark.parametrize(("groups", "channels"), [(2, (4, 6)), (3, (3, 3)), (3, (3, 6)), (4, (4, 4)), (1, (1, 1))])
def test_groups(tmp_path: Path, groups: int, channels: tuple[int, int]) -> None:
    proto = transposed((3, 4), (3, 3), groups, channels, strides=[2, 2], pads=[1, 1, 1, 1])
    net = require_exact(tmp_path, proto, (3, 4), channels[0])
    depthwise = any(isinstance(item.op, integer.DepthwiseConv) for item in net.nodes)
    assert depthwise == (groups == channels[0] == channels[1] > 1)


@pytest.mark.parametrize(("kernel", "attributes"), [(4, {"strides": [2], "pads": [1, 1]}), (5, {"strides": [3]})])
def test_signals(tmp_path: Path, kernel: int, attributes: dict[str, object]) -> None:
    net = require_exact(tmp_path, transposed((6,), (kernel,), **attributes), (6,))
    assert any(isinstance(item.op, integer.DepthToSpace) for item in net.nodes)


def test_a_zero_point_gives_the_pixels_of_a_block_offsets_of_their_own(tmp_path: Path) -> None:
    proto = transposed((3, 4), (3, 3), 1, (2, 3), 0.25, 3, strides=[2, 2], pads=[1, 1, 1, 1])
    net = require_exact(tmp_path, proto, (3, 4))
    acts = [item.op for item in net.nodes if isinstance(item.op, integer.Threshold)]
    assert [len(op.thresholds) for op in acts] == [12]  # in front of the blocks, 3 channels of 4 pixels


def test_scales_per_output_channel(tmp_path: Path) -> None:
    step = np.array([0.25, 0.5, 1], np.float32).reshape(1, 3, 1, 1)
    require_exact(tmp_path, transposed((3, 4), (3, 3), 1, (2, 3), step, strides=[2, 2]), (3, 4))


@pytest.mark.parametrize("mode", ["DCR", "CRD"])
@pytest.mark.parametrize("last", [True, False])
def test_depth_to_space(tmp_path: Path, mode: str, last: bool) -> None:
    constants: dict[str, np.ndarray] = {"w": grid(12, 2, 1, 1, step=1, reach=3, seed=3),
                                        "s": np.array([0.5], np.float32)}
    scales = np.float32(2.0) ** -np.arange(12).reshape(12, 1, 1, 1)  # the channels of a block differ
    nodes = [quant("x", "q", 0.5, constants=constants),
             quant("w", "v", 1 if last else scales, 4, constants=constants), node("Conv", ["q", "v"], "c"),
             node("DepthToSpace", ["c"], "y" if last else "d", blocksize=2, mode=mode)]
    nodes += [] if last else [node("Relu", ["d"], "r"), quant("r", "y", 0.375, 3, signed=0, constants=constants)]
    net = require_exact(tmp_path, model(nodes, (2, 2, 3, 4), constants), (3, 4))
    assert any(isinstance(item.op, integer.DepthToSpace) for item in net.nodes) != last  # the host does it at the end


def focus(source: str, constants: dict[str, np.ndarray]) -> list[onnx.NodeProto]:
    """The four strided slices of a map, columns before rows, joined as `f`."""
    constants |= {"ends": np.array([99, 99]), "axes": np.array([2, 3]), "steps": np.array([2, 2])}
    nodes = []
    for place, start in enumerate(((0, 0), (1, 0), (0, 1), (1, 1))):
        constants[f"start{place}"] = np.array(start)
        nodes.append(node("Slice", [source, f"start{place}", "ends", "axes", "steps"], f"part{place}"))
    return [*nodes, node("Concat", [f"part{place}" for place in range(4)], "f", axis=1)]


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("slices", [True, False])
def test_space_to_depth(tmp_path: Path, slices: bool, first: bool) -> None:
    constants: dict[str, np.ndarray] = {"w": grid(3, 8, 2, 2, step=1, reach=3, seed=3),
                                        "u": grid(2, 2, 1, 1, step=1, reach=3, seed=4)}
    nodes = [quant("x", "q", 0.5, constants=constants), quant("w", "v", 1, 4, constants=constants),
             quant("u", "z", 1, 4, constants=constants)]
    if not first:
        nodes += [node("Conv", ["q", "z"], "c"), quant("c", "a", 1, 4, constants=constants)]
    source = "q" if first else "a"
    nodes += focus(source, constants) if slices else [node("SpaceToDepth", [source], "f", blocksize=2)]
    net = require_exact(tmp_path, model([*nodes, node("Conv", ["f", "v"])], (2, 2, 4, 6), constants), (4, 6))
    found = [type(item.op).__name__ for item in net.nodes if not isinstance(item.op, integer.ChannelMap)]
    inside = ["Conv", "Threshold", "SpaceToDepth", "Conv"]
    assert found == (["Conv"] if first else inside)  # the host does it in front of the first layer


def test_blocks_by_reshapes_and_transposes(tmp_path: Path) -> None:
    constants: dict[str, np.ndarray] = {"w": grid(8, 2, 1, 1, step=1, reach=3), "u": grid(3, 8, 1, 1, step=1, reach=3),
                                        "p": np.array([0, 2, 2, 2, 3, 4]), "s": np.array([0, 2, 6, 8]),
                                        "d": np.array([0, 2, 3, 2, 4, 2]), "e": np.array([0, 8, 3, 4])}
    nodes = [quant("x", "q", 0.5, constants=constants), quant("w", "v", 1, 4, constants=constants),
             node("Conv", ["q", "v"], "c"), quant("c", "a", 1, 4, constants=constants),
             node("Reshape", ["a", "p"], "1"), node("Transpose", ["1"], "2", perm=[0, 1, 4, 2, 5, 3]),
             node("Reshape", ["2", "s"], "3"), quant("3", "g", 2, 3, constants=constants),
             node("Reshape", ["g", "d"], "4"), node("Transpose", ["4"], "5", perm=[0, 3, 5, 1, 2, 4]),
             node("Reshape", ["5", "e"], "6"), quant("u", "z", 1, 4, constants=constants), node("Conv", ["6", "z"])]
    net = require_exact(tmp_path, model(nodes, (2, 2, 3, 4), constants), (3, 4))
    blocks = [type(item.op).__name__ for item in net.nodes if isinstance(
        item.op, integer.DepthToSpace | integer.SpaceToDepth)]
    assert blocks == ["DepthToSpace", "SpaceToDepth"]


def test_channels_of_other_scales_need_a_quantizer_before_a_sum(tmp_path: Path) -> None:
    constants: dict[str, np.ndarray] = {"w": grid(4, 1, 1, 1, step=1, reach=3, seed=3),
                                        "u": grid(1, 1, 1, 1, step=1, reach=3, seed=3)}
    scales = np.float32(2.0) ** -np.arange(4).reshape(4, 1, 1, 1)
    nodes = [quant("x", "q", 0.5, constants=constants), quant("w", "v", scales, 4, constants=constants),
             node("Conv", ["q", "v"], "c"), node("DepthToSpace", ["c"], "d", blocksize=2),
             quant("u", "z", 1, 4, constants=constants), node("Conv", ["d", "z"])]
    net = same_as_executor(tmp_path, model(nodes, (2, 1, 3, 4), constants), grid(2, 1, 3, 4))
    with pytest.raises(UnsupportedError) as error:
        streamline(net)
    assert str(error.value) == (
        "Conv_y: reads pixels of one channel that are made of channels with different scales or offsets (DepthToSpace, "
        "PixelShuffle, ConvTranspose); put a quantizer between")


@pytest.mark.parametrize(("size", "kernel", "attributes", "wanted"), [
    ((3, 4), (3, 3), {"dilations": [2, 2]},
     "is dilated by (2, 2); use dilations of 1, or a larger kernel with zeros in it"),
])
def test_what_is_not_read(tmp_path: Path, size: tuple[int, int], kernel: tuple[int, int], attributes: dict[str, object],
                          wanted: str) -> None:
    assert reasons(tmp_path, transposed(size, kernel, **attributes)) == [f"ConvTranspose_t (ConvTranspose): {wanted}"]


@pytest.mark.parametrize(("proto", "wanted"), [
    (transposed((3, 4), (3, 3), pads=[9, 9, 9, 9]),
     "its pads [(9, 9), (9, 9)] leave nothing of its output; use smaller ones"),
    (transposed((3, 4), (3, 3), kernel_shape=[2, 2]),
     "its kernel_shape (2, 2) contradicts its weights with a kernel of (3, 3)"),
    (transposed((3, 4), (3, 3), output_padding=[-1, 0]),
     "its output_padding (-1, 0) should be one or two integers from 0 on; export the model again"),
    (transposed((3, 4), (3, 3), 0),
     "weights of shape (2, 3, 3, 3) in 0 groups meet a tensor of 4 axes; they should be (C_in, C_out / groups, "
     "kernel), with groups that divide C_in"),
    (transposed((3,), (3, 3)),
     "weights of shape (2, 3, 3, 3) in 1 groups meet a tensor of 3 axes; they should be (C_in, C_out / groups, "
     "kernel), with groups that divide C_in"),
])
def test_broken_transposed_convolutions(tmp_path: Path, proto: onnx.ModelProto, wanted: str) -> None:
    assert sentence(tmp_path, proto) == f"ConvTranspose_t (ConvTranspose): {wanted}"


@pytest.mark.parametrize(("op_type", "attributes", "wanted"), [
    ("DepthToSpace", {"blocksize": 2}, "its 3 channels do not fill blocks of 2x2 pixels; use a multiple of 4"),
    ("SpaceToDepth", {"blocksize": 2}, "its 5x4 pixels are not made of blocks of 2x2; pad or crop them"),
    ("DepthToSpace", {"blocksize": 0},
     "its blocksize 0 meets a tensor of shape (3, 5, 4); use 1 or more, and (channels, height, width)"),
    ("DepthToSpace", {"blocksize": 1, "mode": "RCD"}, "its mode 'RCD' is unknown; use DCR or CRD"),
])
def test_broken_blocks(tmp_path: Path, op_type: str, attributes: dict[str, object], wanted: str) -> None:
    proto = model([node(op_type, ["x"], "t", **attributes)], (1, 3, 5, 4), outputs=("t",))
    assert sentence(tmp_path, proto) == f"{op_type}_t ({op_type}): {wanted}"
