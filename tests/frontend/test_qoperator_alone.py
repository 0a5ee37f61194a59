"""Every operation of the QOperator format alone, with drawn scales and zero points, against onnxruntime."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest

from headrace.model import load
from tests.frontend.onnx_files import node
from tests.frontend.test_qoperator import SHAPE, Code, Graph

ort = pytest.importorskip("onnxruntime", reason="the oracle is onnxruntime; it is part of the extra dev")
MICROSOFT = "com.microsoft"


class Drawn:
    """A graph whose scales and zero points are drawn; the operation's result is y0."""

    def __init__(self, code: Code, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.g = Graph(code)
        self.g.constants.clear()
        self.g.nodes.clear()
        self.x = self.g.quantized("x", *self.step())

    def step(self, factor: float = 1.0) -> tuple[float, int]:
        return float(self.rng.uniform(0.01, 0.08)) * factor, int(self.rng.integers(60, 190))

    def other(self) -> list[str]:
        """A second branch with codes of its own."""
        return self.g.add("QLinearLeakyRelu", "l0", self.x, *self.step(), MICROSOFT, alpha=0.3)

    def flat(self) -> list[str]:
        self.g.nodes.append(node("Flatten", [self.x[0]], "f0", axis=1))
        return ["f0", *self.x[1:]]

    def of_one(self, kind: str, **attributes: object) -> None:
        self.g.add(kind, "y0", self.x, *self.step(), MICROSOFT, **attributes)


def concat(d: Drawn) -> None:
    parts = [*d.g.parameters("y0", *d.step()), *d.x, *d.other()]
    d.g.nodes.append(node("QLinearConcat", parts, "y0", domain=MICROSOFT, axis=1))
    d.g.last = ["y0", "y0_s", "y0_z"]


def gemm(d: Drawn) -> None:
    weight = d.g.weight("w", (5, 144), d.rng.uniform(0.002, 0.006, 5))
    d.g.add("QGemm", "y0", [*d.flat(), *weight, d.g.bias("b", 5)], *d.step(6), MICROSOFT, transB=1)


def conv(d: Drawn) -> None:
    weight = d.g.weight("w", (4, 4, 3, 3), d.rng.uniform(0.001, 0.004, 4))
    d.g.add("QLinearConv", "y0", [*d.x, *weight], *d.step(2), "", (d.g.bias("b", 4),), pads=[1, 1, 1, 1],
            kernel_shape=[3, 3])


ALONE: dict[str, Callable[[Drawn], object]] = {
    "QLinearConv": conv,
    "QLinearMatMul": lambda d: d.g.add("QLinearMatMul", "y0", [*d.flat(), *d.g.weight("w", (144, 5), 0.004)],
                                       *d.step(6)),
    "QGemm": gemm,
    "QLinearAdd": lambda d: d.g.add("QLinearAdd", "y0", [*d.x, *d.other()], *d.step(2), MICROSOFT),
    "QLinearConcat": concat,
    "QLinearAveragePool": lambda d: d.of_one("QLinearAveragePool", kernel_shape=[2, 3], strides=[2, 1],
                                             channels_last=0),
    "QLinearAveragePool with a border": lambda d: d.of_one("QLinearAveragePool", kernel_shape=[3, 3], pads=[1, 1, 1, 1],
                                                           count_include_pad=1, channels_last=0),
    "QLinearGlobalAveragePool": lambda d: d.of_one("QLinearGlobalAveragePool", channels_last=0),
    "QLinearLeakyRelu": lambda d: d.of_one("QLinearLeakyRelu", alpha=float(d.rng.choice([0.1, 0.25, 0.01]))),
    "QLinearSigmoid": lambda d: d.g.add("QLinearSigmoid", "y0", d.x, 1 / 256, 3, MICROSOFT),
}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("code", [np.uint8, np.int8])
@pytest.mark.parametrize("name", ALONE)
def test_codes_are_those_of_onnxruntime(name: str, code: Code, seed: int, tmp_path: Path) -> None:
    drawn, path = Drawn(code, seed), tmp_path / "m.onnx"
    ALONE[name](drawn)
    onnx.save(drawn.g.proto(), path)
    x = drawn.rng.normal(0, 1.5, (12, *SHAPE[1:])).astype(np.float32)
    session = ort.InferenceSession(path, providers=["CPUExecutionProvider"])
    wanted = np.concatenate([session.run(None, {"x": sample[None]})[0] for sample in x])
    scale = drawn.g.constants["y0_s"]
    assert len(np.unique(wanted)) > 10
    made = np.reshape(load(path).predict(x), wanted.shape)
    np.testing.assert_array_equal(np.rint(made / scale), np.rint(wanted / scale))
