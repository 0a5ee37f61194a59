"""Slice, Split, Gather and Pad of ONNX files: what the executor computes, and every code exact."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import NodeProto

from headrace.errors import HeadraceError
from headrace.network.moves import Crop, SelectChannels
from headrace.streamline.streamline import streamline
from tests.assert_exact import assert_exact, outputs
from tests.frontend.onnx_files import floats, grid, model, network, node, quant, same_as_executor, sentence

FAR = 2**63 - 1


def ints(*values: int) -> np.ndarray:
    return np.asarray(values, np.int64)


def moved(nodes: list[NodeProto], into: int, constants: dict[str, np.ndarray], signed: int = 1, zero_point: float = 0.0,
          bits: float = 4.0, opset: int = 13, shape: tuple[int, ...] = (1, 4, 5, 6)) -> onnx.ModelProto:
    """A quantized input, nodes from q to m, a convolution, a quantizer."""
    constants |= {"w": grid(3, into, 1, 1)}
    return model([quant("x", "q", 0.5, bits, zero_point, constants, signed=signed), *nodes,
                  quant("w", "wq", 0.5, 3.0, 0, constants), node("Conv", ["m", "wq"], "c", kernel_shape=[1, 1]),
                  quant("c", "y", 1.0, 5.0, 0, constants)], shape, constants, opset=opset)


def sliced(starts: tuple[int, ...], ends: tuple[int, ...], axes: tuple[int, ...], steps: tuple[int, ...] | None = None
           ) -> tuple[list[NodeProto], dict[str, np.ndarray]]:
    names = {"starts": starts, "ends": ends, "axes": axes, "steps": steps}
    given = {name: ints(*values) for name, values in names.items() if values is not None}
    return [node("Slice", ["q", *given], "m")], given


CASES: list[tuple[tuple[list[NodeProto], dict[str, np.ndarray]], int]] = [
    (sliced((1,), (3,), (1,)), 2), (sliced((0,), (FAR,), (1,), (2,)), 2), (sliced((-1,), (-FAR,), (1,), (-1,)), 4),
    (sliced((3,), (0,), (1,), (-2,)), 2), (sliced((-3,), (-1,), (-3,)), 2),
    (sliced((1, 0, -4), (3, 4, FAR), (1, 2, 3), (1, 2, 3)), 2), (sliced((0, 1), (1, 4), (0, 1)), 3),
    (([node("Split", ["q", "s"], ["a", "b", "d"], axis=1), node("Concat", ["d", "a"], "m", axis=1)],
      {"s": ints(1, 2, 1)}), 2),
    (([node("Split", ["q"], ["a", "m"], axis=-3)], {}), 2),
    (([node("Gather", ["q", "i"], "m", axis=1)], {"i": ints(3, 0, -1, 3)}), 4),
    (([node("Gather", ["q", "i"], "g", axis=1), node("Unsqueeze", ["g", "a"], "m")], {"i": np.array(2), "a": ints(1)}),
     1),
    (([node("Gather", ["q", "i"], "m", axis=3)], {"i": ints(1, 3, 5)}), 4),
    (([node("Pad", ["q", "p"], "m")], {"p": ints(0, 2, 0, 0, 0, 1, 0, 0)}), 7),
    (([node("Pad", ["q", "p", "v"], "m")], {"p": ints(0, 1, -1, 2, 0, -2, 0, -3), "v": floats(1.5)}), 3),
    (([node("Reshape", ["q", "s"], "r"), node("Transpose", ["r"], "t", perm=[0, 2, 1, 3, 4]),
       node("Reshape", ["t", "u"], "m")], {"s": ints(0, 2, 2, 5, 6), "u": ints(0, 4, 5, 6)}), 4),
    (([node("Transpose", ["q"], "t", perm=[0, 2, 3, 1]), node("Slice", ["t", "s", "e", "a"], "l"),
       node("Transpose", ["l"], "m", perm=[0, 3, 1, 2])], {"s": ints(1, 2), "e": ints(5, 4), "a": ints(1, 3)}), 2),
]


@pytest.mark.parametrize("case", range(len(CASES)))
def test_moves_are_those_of_the_executor(case: int, tmp_path: Path) -> None:
    (nodes, constants), into = CASES[case]
    imported = same_as_executor(tmp_path, moved(nodes, into, dict(constants)), grid(1, 4, 5, 6))
    x = np.concatenate([grid(1, 4, 5, 6), -grid(1, 4, 5, 6)]).astype(np.float32)
    net = streamline(imported)
    if net.host_inputs[0].order is None:
        assert assert_exact(imported, x) > 100
    else:  # the host reads in another order, so the codes of the input are in that order
        np.testing.assert_array_equal(outputs(net, x, "fast"), imported.forward(x))


@pytest.mark.parametrize(("signed", "zero_point", "bits"), [(0, 3.0, 4.0), (1, -2.0, 4.0), (1, 0.0, 8.0)])
def test_constant_channels_are_zero_in_any_type(signed: int, zero_point: float, bits: float, tmp_path: Path) -> None:
    proto = moved([node("Pad", ["q", "p"], "m")], 7, {"p": ints(0, 2, 0, 0, 0, 1, 0, 0)}, signed, zero_point, bits)
    assert_exact(same_as_executor(tmp_path, proto, grid(1, 4, 5, 6)), grid(1, 4, 5, 6))


def test_attributes_of_old_versions(tmp_path: Path) -> None:
    nodes = [node("Slice", ["q"], "s", starts=[1], ends=[4], axes=[1]),
             node("Split", ["s"], ["a", "m"], axis=1, split=[1, 2])]
    imported = network(tmp_path, moved(nodes, 2, {}, opset=9))
    chosen = [item.op for item in imported.nodes if isinstance(item.op, SelectChannels)]
    assert chosen == [SelectChannels((1, 2, 3)), SelectChannels((1, 2))]


def test_rows_and_columns_are_cropped_without_a_transpose(tmp_path: Path) -> None:
    (nodes, constants), into = CASES[5]
    ops = [item.op for item in network(tmp_path, moved(nodes, into, dict(constants))).nodes]
    assert SelectChannels((1, 2)) in ops and Crop((0, 0), (3, 6), (2, 1)) in ops


@pytest.mark.parametrize(("nodes", "said"), [
    ([node("Slice", ["x", "one", "three", "zero"])],
     "Slice_y (Slice): works along the batch, which a stream of samples cannot; leave axis 0 alone"),
    ([node("Gather", ["x", "square"], axis=1)],
     "Gather_y (Gather): gathers by indices of shape (2, 2), which adds axes; use a list of indices"),
    ([node("Gather", ["x", "x"], axis=1)],
     "Gather_y (Gather): its list of indices is computed at run time; make it a constant"),
    ([node("Split", ["x", "square"], ["y", "z"], axis=1)],
     "Split_y (Split): splits an axis of size 4 into 2 pieces of [0, 1, 2, 3]; their sum should be the size, and none "
     "empty"),
    ([node("Slice", ["x", "one", "three", "axis", "zero"])],
     "Slice_y (Slice): its starts (1,), ends (3,), axes (1,) and steps (0,) should be equally many, and no step 0; "
     "export the model again"),
    ([node("Pad", ["x", "batch"])], "Pad_y (Pad): pads the batch; leave axis 0 alone"),
])
def test_sentences(nodes: list[NodeProto], said: str, tmp_path: Path) -> None:
    constants = {"one": ints(1), "three": ints(3), "zero": ints(0), "axis": ints(1), "square": ints(0, 1, 2, 3).reshape(
        2, 2), "batch": ints(1, 0, 0, 0, 0, 0, 0, 0)}
    assert said in sentence(tmp_path, model(nodes, (1, 4, 3, 3), constants), HeadraceError)
