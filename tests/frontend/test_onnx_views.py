"""Views of one tensor are tensors of their own: joins of a tensor with its own permutations, against NumPy.

All sizes are equal, so that no shape gives a wrong view away.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from onnx import NodeProto

from headrace.errors import UnsupportedError
from headrace.model import load
from tests.frontend.onnx_files import grid, model, network, node, quant

SHAPE = (1, 4, 4, 4)
X = grid(3, *SHAPE[1:], seed=1)


def transposed(x: np.ndarray, *order: int) -> np.ndarray:
    return x.transpose(0, *order)


@pytest.mark.parametrize("order", [(1, 3, 2), (2, 1, 3), (3, 2, 1), (2, 3, 1), (3, 1, 2)])
@pytest.mark.parametrize(("op_type", "wanted"), [
    ("Add", lambda a, b: a + b), ("Sub", lambda a, b: a - b), ("Concat", lambda a, b: np.concatenate([a, b], 1)),
])
@pytest.mark.parametrize("swapped", [False, True])
def test_a_tensor_meets_its_own_permutation(tmp_path: Path, order: tuple[int, int, int], op_type: str,
                                            wanted: Callable[..., object], swapped: bool) -> None:
    names, arrays = (["x", "t"], (X, transposed(X, *order)))[:2]
    if swapped:
        names, arrays = names[::-1], arrays[::-1]
    attributes = {"axis": 1} if op_type == "Concat" else {}
    proto = model([node("Transpose", ["x"], "t", perm=[0, *order]), node(op_type, names, **attributes)], SHAPE)
    np.testing.assert_array_equal(network(tmp_path, proto).forward(X), wanted(*arrays))


def test_two_permutations_of_a_tensor_meet(tmp_path: Path) -> None:
    proto = model([node("Transpose", ["x"], "s", perm=[0, 2, 3, 1]), node("Transpose", ["x"], "t", perm=[0, 3, 1, 2]),
                   node("Add", ["s", "t"])], SHAPE)
    np.testing.assert_array_equal(network(tmp_path, proto).forward(X), transposed(X, 2, 3, 1) + transposed(X, 3, 1, 2))


def test_equal_permutations_of_a_tensor_meet_without_moving(tmp_path: Path) -> None:
    """The sum of a view with itself moves nothing before it."""
    proto = model([node("Transpose", ["x"], "t", perm=[0, 2, 3, 1]), node("Add", ["t", "t"], "s"),
                   node("Transpose", ["s"], perm=[0, 3, 1, 2])], SHAPE)
    imported = network(tmp_path, proto)
    assert [type(item.op).__name__ for item in imported.nodes] == ["Add"]
    np.testing.assert_array_equal(imported.forward(X), 2 * X)


class Chain:
    """Random nodes over tensors that are known in NumPy."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.nodes: list[NodeProto] = []
        self.constants: dict[str, np.ndarray] = {}
        self.values = {"x": X}

    def any(self, shape: tuple[int, ...] | None = None) -> str:
        names = [name for name, value in self.values.items() if shape is None or value.shape == shape]
        return str(self.rng.choice(names[-4:]))

    def put(self, value: np.ndarray, op_type: str, sources: list[str], **attributes: object) -> None:
        name = f"n{len(self.nodes)}"
        self.nodes.append(node(op_type, sources, name, **attributes))
        self.values[name] = value

    def step(self) -> None:
        source = self.any()
        x, kind = self.values[source], self.rng.choice(["transpose", "reshape", "add", "sub", "concat", "scale"])
        if kind == "transpose" and x.ndim > 2:
            order = [0, *(1 + self.rng.permutation(x.ndim - 1)).tolist()]
            self.put(x.transpose(order), "Transpose", [source], perm=order)
        elif kind == "reshape":
            shape = [(4, 4, 4), (16, 4), (4, 16), (64,), (1, 8, 8)][self.rng.integers(5)]
            if x[0].size == 64:
                self.constants[f"c{len(self.nodes)}"] = np.asarray([-1, *shape], np.int64)
                self.put(x.reshape(-1, *shape), "Reshape", [source, f"c{len(self.nodes)}"])
        elif kind in ("add", "sub"):
            other = self.any(x.shape)
            y = self.values[other]
            self.put(x + y if kind == "add" else x - y, kind.capitalize(), [source, other])
        elif kind == "concat" and x.ndim > 2 and x[0].size == 64:
            other, axis = self.any(x.shape), int(self.rng.integers(1, x.ndim))
            self.put(np.concatenate([x, self.values[other]], axis), "Concat", [source, other], axis=axis)
        elif kind == "scale":
            axis = int(self.rng.integers(1, x.ndim))
            sizes = [size if place == axis else 1 for place, size in enumerate(x.shape)]
            self.constants[f"c{len(self.nodes)}"] = factor = 2.0 ** self.rng.integers(-1, 2, sizes)
            self.put(x * factor, "Mul", [source, f"c{len(self.nodes)}"])


def read_chain(tmp_path: Path, seed: int) -> bool:
    """Compare a random chain with NumPy; False where it is refused."""
    chain = Chain(seed)
    while len(chain.nodes) < 7:
        chain.step()
    output = f"n{len(chain.nodes) - 1}"
    proto = model(chain.nodes, ("n", 4, 4, 4), chain.constants, outputs=(output,))
    try:
        imported = network(tmp_path, proto)
    except UnsupportedError:
        return False
    np.testing.assert_array_equal(imported.forward(X), chain.values[output])
    return True


def test_random_chains_of_views_and_joins(tmp_path: Path) -> None:
    assert sum(read_chain(tmp_path, seed) for seed in range(150)) >= 100


def quantized_chain(tmp_path: Path, seed: int) -> bool:
    """Views, activations, quantizers and sums of quantized tensors, through to the integers; False if refused."""
    chain = Chain(seed)
    chain.values["x"] = np.clip(X, -4, 4)
    quantized = set()
    for _ in range(6):
        source = chain.any()
        x, kind = chain.values[source], chain.rng.choice(["transpose", "quantize", "add", "relu"])
        name, known = f"n{len(chain.nodes)}", source in quantized
        if kind == "quantize":
            chain.nodes.append(quant(source, name, 0.5, 4.0, 0, chain.constants))
            chain.values[name], known = np.clip(np.rint(x / 0.5), -8, 7) * 0.5, True
        elif kind == "transpose":
            order = [0, *(1 + chain.rng.permutation(3)).tolist()]
            chain.put(x.transpose(order), "Transpose", [source], perm=order)
        elif kind == "relu":
            chain.put(np.maximum(x, 0), "Relu", [source])
        elif known and (other := chain.any()) in quantized:
            chain.put(x + chain.values[other], "Add", [source, other])
        if known and name in chain.values:
            quantized.add(name)
    last = list(chain.values)[-1]
    chain.nodes.append(quant(last, "y", 0.5, 4.0, 0, chain.constants))
    (tmp_path / "m.onnx").write_bytes(model(chain.nodes, ("n", 4, 4, 4), chain.constants).SerializeToString())
    try:
        found = load(str(tmp_path / "m.onnx")).predict(chain.values["x"])
    except UnsupportedError:
        return False
    np.testing.assert_array_equal(found, np.clip(np.rint(chain.values[last] / 0.5), -8, 7) * 0.5)
    return True


def test_random_chains_of_views_quantizers_and_joins_in_integers(tmp_path: Path) -> None:
    assert sum(quantized_chain(tmp_path, seed) for seed in range(120)) >= 90
