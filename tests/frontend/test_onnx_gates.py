"""Activations that exporters write as a product of a tensor with its own gate."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from onnx import ModelProto, NodeProto

from headrace.errors import UnsupportedError
from headrace.network.activation import Activation
from headrace.streamline.streamline import streamline
from tests.assert_exact import outputs
from tests.frontend.onnx_files import executed, floats, model, network, node, quant, same_as_executor

ROOT_HALF = 0.70710677
C = {"half": floats(0.5), "one": floats(1.0), "two": floats(2.0), "three": floats(3.0), "six": floats(6.0),
     "root": floats(1.4142135), "root_half": floats(ROOT_HALF), "c": floats(0.044715), "s": floats(0.7978846),
     "q": floats(1.702), "zero": floats(0.0)}
GELU = [node("Div", ["a", "root"], "d"), node("Erf", ["d"], "e"), node("Add", ["e", "one"], "f")]
TANH_GELU = [node("Mul", ["p", "c"], "pc"), node("Add", ["a", "pc"], "sum"), node("Mul", ["sum", "s"], "in"),
             node("Tanh", ["in"], "t"), node("Add", ["one", "t"], "g"), node("Mul", ["a", "half"], "h")]
#: Nodes from a to b, and the activation that they are.
PRODUCTS: dict[str, tuple[list[NodeProto], str]] = {
    "silu": ([node("Sigmoid", ["a"], "s1"), node("Mul", ["a", "s1"], "b")], "silu"),
    "silu reversed": ([node("Sigmoid", ["a"], "s1"), node("Mul", ["s1", "a"], "b")], "silu"),
    "quick gelu": ([node("Mul", ["a", "q"], "m"), node("Sigmoid", ["m"], "s1"), node("Mul", ["a", "s1"], "b")],
                   "swish"),
    "hard swish": ([node("HardSigmoid", ["a"], "s1", alpha=1 / 6, beta=0.5), node("Mul", ["a", "s1"], "b")],
                   "hard_swish"),
    "relu6": ([node("Add", ["a", "three"], "m"), node("Clip", ["m", "zero", "six"], "r"), node("Mul", ["a", "r"], "n"),
               node("Div", ["n", "six"], "b")], "hard_swish"),
    "relu6 first": ([node("Add", ["a", "three"], "m"), node("Clip", ["m", "zero", "six"], "r"),
                     node("Div", ["r", "six"], "n"), node("Mul", ["n", "a"], "b")], "hard_swish"),
    "mish": ([node("Softplus", ["a"], "p"), node("Tanh", ["p"], "t"), node("Mul", ["a", "t"], "b")], "mish"),
    "gelu": ([*GELU, node("Mul", ["a", "f"], "m"), node("Mul", ["m", "half"], "b")], "gelu"),
    "gelu halved first": ([*GELU, node("Mul", ["a", "half"], "h"), node("Mul", ["h", "f"], "b")], "gelu"),
    "gelu by a factor": ([node("Mul", ["a", "root_half"], "d"), *GELU[1:], node("Mul", ["f", "half"], "m"),
                          node("Mul", ["a", "m"], "b")], "gelu"),
    "gelu by tanh": ([node("Pow", ["a", "three"], "p"), *TANH_GELU, node("Mul", ["h", "g"], "b")], "swish"),
    "gelu by tanh of products": ([node("Mul", ["a", "a"], "a2"), node("Mul", ["a2", "a"], "p"), *TANH_GELU,
                                  node("Mul", ["h", "g"], "b")], "swish"),
    "square": ([node("Mul", ["a", "a"], "b")], "power"),
    "cube": ([node("Pow", ["a", "three"], "b")], "power"),
    "magnitude": ([node("Abs", ["a"], "b")], "leaky_relu"),
    "error function": ([node("Erf", ["a"], "b")], "erf"),
}


def between_quantizers(nodes: list[NodeProto], opset: int = 13, scale: float = 0.0137) -> ModelProto:
    constants = dict(C) | {"w": np.random.default_rng(0).integers(-3, 4, (4, 3, 1, 1)).astype(np.float32) * 0.21}
    return model([quant("x", "q0", 0.43, constants=constants), quant("w", "qw", 0.21, constants=constants),
                  node("Conv", ["q0", "qw"], "a"), *nodes, quant("b", "y", scale, bits=8.0, constants=constants)],
                 [6, 3, 4, 4], constants, opset)


@pytest.mark.parametrize("name", PRODUCTS)
def test_products_with_gates_are_activations(name: str, tmp_path: Path) -> None:
    nodes, kind = PRODUCTS[name]
    x = np.random.default_rng(2).uniform(-3, 3, (6, 3, 4, 4)).astype(np.float32)
    proto = between_quantizers(nodes)
    read = same_as_executor(tmp_path, proto, x, tolerance=1e-6)
    assert [op.kind for item in read.nodes if isinstance(op := item.op, Activation)] == [kind]
    np.testing.assert_allclose(outputs(streamline(read), x), executed(proto, x), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("nodes", [*(PRODUCTS[name][0] for name in PRODUCTS if "relu6" in name or "hard" in name),
                                   [node("HardSwish", ["a"], "b")]], ids=lambda nodes: nodes[-1].op_type)
def test_ties_behind_a_division_by_six_are_ties(nodes: list[NodeProto], tmp_path: Path) -> None:
    """x * (x + 3) / 6 at multiples of 1/8 lies in the middle between two codes for some of them."""
    x = (np.arange(-48, 16, dtype=np.float32) / 8).reshape(1, 1, 8, 8)
    constants = dict(C)
    proto = model([quant("x", "a", 1 / 8, bits=8.0, constants=constants), *nodes,
                   quant("b", "y", 1 / 64, bits=8.0, constants=constants)], [1, 1, 8, 8], constants, 14)
    exact = [v * min(max(v + 3, Fraction(0)), Fraction(6)) / 6 for v in map(Fraction, x.reshape(-1).tolist())]
    codes = outputs(streamline(network(tmp_path, proto)), x) * 64
    assert codes.reshape(-1).tolist() == [round(64 * value) for value in exact]
    assert sum(64 * value % 1 == Fraction(1, 2) for value in exact) >= 3


@pytest.mark.parametrize(("op_type", "attributes", "domain"), [
    ("Gelu", {}, ""), ("Gelu", {"approximate": "tanh"}, ""), ("Mish", {}, ""), ("HardSwish", {}, ""),
    ("QuickGelu", {}, "com.microsoft"), ("FastGelu", {}, "com.microsoft"), ("Swish", {"alpha": 1.5}, ""),
])
def test_operations_that_are_one_activation(op_type: str, attributes: dict[str, object], domain: str,
                                            tmp_path: Path) -> None:
    proto = between_quantizers([node(op_type, ["a"], "b", domain=domain, **attributes)], opset=20)
    read = network(tmp_path, proto)
    assert "Lookup" in [type(item.op).__name__ for item in streamline(read).nodes]
    x = np.linspace(-4, 4, 41)
    op = next(op for item in read.nodes if isinstance(op := item.op, Activation))
    assert np.all(np.abs(op.forward(x[None]) - np.maximum(x, 0)) < 0.4)


@pytest.mark.parametrize(("op_type", "attributes"), [
    ("LeakyRelu", {"alpha": 0.13}), ("Elu", {"alpha": 1.3}), ("Selu", {}), ("Celu", {"alpha": 0.7}), ("Softplus", {}),
    ("Softsign", {}), ("Sigmoid", {}), ("Tanh", {}), ("HardSigmoid", {"alpha": 0.3}), ("Relu", {}), ("PRelu", {}),
    ("Neg", {}),
])
def test_activations_that_rise(op_type: str, attributes: dict[str, object], tmp_path: Path) -> None:
    more = ["half"] if op_type == "PRelu" else []
    proto = between_quantizers([node(op_type, ["a", *more], "b", **attributes)])
    x = np.random.default_rng(2).uniform(-3, 3, (6, 3, 4, 4)).astype(np.float32)
    integer = streamline(same_as_executor(tmp_path, proto, x, tolerance=1e-6))
    np.testing.assert_allclose(outputs(integer, x), executed(proto, x), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(("op_type", "domain", "attributes"), [
    ("LeakyRelu", "", {"alpha": 0.01}), ("HardSigmoid", "", {"alpha": 0.2}),
    ("Selu", "", {"alpha": 1.6732632, "gamma": 1.050701}),
    ("QuickGelu", "com.microsoft", {"alpha": 1.702})])
def test_a_default_is_the_float32_that_a_file_would_hold(op_type: str, domain: str, attributes: dict[str, float],
                                                         tmp_path: Path) -> None:
    found = []
    for more in ({}, attributes):
        read = network(tmp_path, between_quantizers([node(op_type, ["a"], "b", domain=domain, **more)]))
        found.append([float(v) for item in read.nodes
                      for v in (*getattr(item.op, "alpha", ()), *getattr(item.op, "scale", ()))])
    assert found[0] == found[1] and len(found[0]) > 2


@pytest.mark.parametrize(("op_type", "attributes"), [
    ("ReduceSum", {}), ("ReduceMax", {"axes": [2, 3]}), ("LogSoftmax", {"axis": 1}), ("Softmax", {"axis": 1}),
])
def test_what_ends_a_model(op_type: str, attributes: dict[str, object], tmp_path: Path) -> None:
    constants = {"axes": np.array([2, 3])}
    nodes = [quant("x", "q", 0.25, constants=constants),
             node(op_type, ["q", *(["axes"] if op_type == "ReduceSum" else [])], **attributes)]
    proto = model(nodes, [6, 3, 4, 4], constants)
    x = np.random.default_rng(2).uniform(-3, 3, (6, 3, 4, 4)).astype(np.float32)
    same_as_executor(tmp_path, proto, x, tolerance=1e-6)


def test_the_bias_of_a_gelu(tmp_path: Path) -> None:
    nodes = [node("BiasGelu", ["a", "half"], "b", domain="com.microsoft")]
    read = network(tmp_path, between_quantizers(nodes, opset=20))
    assert [op.kind for item in read.nodes if isinstance(op := item.op, Activation)] == ["gelu"]


def test_products_with_anything_else_are_refused(tmp_path: Path) -> None:
    for nodes in ([node("Sigmoid", ["q0"], "s1"), node("Conv", ["s1", "qw"], "g"), node("Mul", ["a", "g"], "b")],
                  [node("Add", ["a", "one"], "m"), node("Sigmoid", ["m"], "s1"), node("Mul", ["a", "s1"], "b")],
                  [node("Erf", ["a"], "e"), node("Mul", ["a", "e"], "b")],
                  [node("Pow", ["a", "half"], "b")]):
        with pytest.raises(UnsupportedError, match=r"multiplies two computed tensors, which no streaming layer does|"
                                                   r"raises to a power that is not a whole number above 0; remove it"):
            network(tmp_path, between_quantizers(nodes))

