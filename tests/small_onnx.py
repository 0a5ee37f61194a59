"""A small convolutional network as a QONNX file: python -m tests.small_onnx FILE.onnx SAMPLES.npy"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from tests.frontend.onnx_files import model, node, quant

SHAPE = (1, 2, 6, 6)


def small_onnx(rng: np.random.Generator) -> bytes:
    """The file."""
    constants: dict[str, np.ndarray] = {}
    constants |= {name: rng.integers(-3, 4, shape).astype(np.float32)
                  for name, shape in (("w0", (4, 2, 3, 3)), ("w1", (64, 5)))}
    nodes = [
        quant("x", "a", 0.25, 4, 0, constants), quant("w0", "c0", 0.5, 3, 0, constants),
        node("Conv", ["a", "c0"], "s0"), node("Relu", ["s0"], "r0"),
        quant("r0", "b", 0.5, 2, 0, constants, signed=0), node("Flatten", ["b"], "f"),
        quant("w1", "c1", 0.5, 3, 0, constants), node("MatMul", ["f", "c1"]),
    ]
    return bytes(model(nodes, SHAPE, constants).SerializeToString())


def main() -> None:
    rng = np.random.default_rng(0)
    Path(sys.argv[1]).write_bytes(small_onnx(rng))
    np.save(sys.argv[2], rng.normal(0, 1, (3, *SHAPE[1:])).astype(np.float32))


if __name__ == "__main__":
    main()
