"""Networks of the sizes that people have, as QONNX files with random weights: topologies for benchmarks.scale.

Weights are uniform and scaled so that sums keep about the spread of what they are made from, so that activations use
their codes. Nothing is trained: what counts are shapes, types and how often equal layers come.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import ArrayLike
from onnx import TensorProto, helper, numpy_helper

QUANT = "qonnx.custom_op.general"
#: What activations reach; quantizers clip there.
_REACH = 2.0


class Network:
    """A graph that grows from its input (1, channels, height, width); methods take and give names of tensors.

    bits: of weights and activations; the first and the last layer have weights of 8.
    """

    def __init__(self, shape: Sequence[int], bits: tuple[int, int], seed: int = 1) -> None:
        self.shape, (self.weight_bits, self.bits) = tuple(shape), bits
        self.rng = np.random.default_rng(seed)
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self.channels: dict[str, int] = {}
        self.input = self.quantized(self._named("x", self.shape[0]), 8)

    def _named(self, name: str, channels: int) -> str:
        self.channels[name] = channels
        return name

    def _node(self, op: str, inputs: Sequence[str], channels: int, **attributes: Any) -> str:
        name = f"{op.lower()}{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, list(inputs), [name], **attributes))
        return self._named(name, channels)

    def _constant(self, value: ArrayLike) -> str:
        name = f"constant{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(value, np.float32), name))
        return name

    def quantized(self, x: str, bits: int | None = None, signed: bool = False) -> str:
        """Codes of so many bits; all of one width have one scale, so that they can be added and joined."""
        bits = bits or self.bits
        if bits == 1:
            return self._node("BipolarQuant", [x, self._constant(1.0)], self.channels[x], domain=QUANT)
        scale = _REACH / (2 ** (bits - signed) - 1)
        return self._node("Quant", [x, self._constant(scale), self._constant(0), self._constant(bits)],
                          self.channels[x], domain=QUANT, signed=int(signed), narrow=0, rounding_mode="ROUND")

    def _weights(self, shape: tuple[int, ...], bits: int) -> str:
        spread = np.sqrt(3 / np.prod(shape[1:]))
        weights = self._constant(self.rng.uniform(-spread, spread, shape))
        if bits == 1:
            return self._node("BipolarQuant", [weights, self._constant(spread)], 0, domain=QUANT)
        return self._node("Quant", [weights, self._constant(spread / (2 ** (bits - 1) - 1)), self._constant(0),
                                    self._constant(bits)], 0, domain=QUANT, signed=1, narrow=1, rounding_mode="ROUND")

    def conv(self, x: str, channels: int, kernel: tuple[int, int], stride: tuple[int, int] = (1, 1), groups: int = 1,
             bits: int | None = None) -> str:
        """A convolution that keeps rows and columns but for its stride."""
        weights = self._weights((channels, self.channels[x] // groups, *kernel), bits or self.weight_bits)
        pads = [size // 2 for size in kernel]
        return self._node("Conv", [x, weights], channels, kernel_shape=list(kernel), strides=list(stride), group=groups,
                          pads=[*pads, *((size - 1) // 2 for size in kernel)])

    def active(self, x: str) -> str:
        """ReLU and codes."""
        return self.quantized(self._node("Relu", [x], self.channels[x]))

    def block(self, x: str, channels: int, size: int = 3, stride: int = 1, bits: int | None = None) -> str:
        """A square convolution with its activation."""
        return self.active(self.conv(x, channels, (size, size), (stride, stride), bits=bits))

    def separable(self, x: str, channels: int, stride: int = 1) -> str:
        """A convolution per channel and one over channels."""
        own = self.channels[x]
        return self.block(self.active(self.conv(x, own, (3, 3), (stride, stride), own)), channels, 1)

    def residual(self, x: str, y: str, stride: int, bits: int) -> str:
        """y plus x, which a convolution brings to y's shape; both of so many bits."""
        channels = self.channels[y]
        if stride > 1 or self.channels[x] != channels:
            x = self.conv(x, channels, (1, 1), (stride, stride))
        both = [self.quantized(part, bits, signed=True) for part in (y, x)]
        return self.active(self._node("Add", both, channels))

    def pooled(self, x: str, kernel: tuple[int, int] = (2, 2), stride: tuple[int, int] = (2, 2), pad: int = 0) -> str:
        """The largest of each window."""
        return self._node("MaxPool", [x], self.channels[x], kernel_shape=list(kernel), strides=list(stride),
                          pads=[pad] * 4)

    def upsampled(self, x: str) -> str:
        """Rows and columns twice."""
        return self._node("Resize", [x, "", self._constant([1, 1, 2, 2])], self.channels[x], mode="nearest",
                          coordinate_transformation_mode="asymmetric", nearest_mode="floor")

    def joined(self, x: str, y: str) -> str:
        """The channels of both."""
        return self._node("Concat", [x, y], self.channels[x] + self.channels[y], axis=1)

    def classes(self, x: str, count: int) -> str:
        """The mean over pixels, and a dense layer as a convolution of one pixel."""
        mean = self.quantized(self._node("GlobalAveragePool", [x], self.channels[x]), 8)
        return self.conv(mean, count, (1, 1), bits=8)

    def save(self, output: str, path: Path) -> None:
        """Write the file."""
        rows: list[int | str] = [1, self.channels[output], "rows", "columns"]
        graph = helper.make_graph(
            self.nodes, path.stem, [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, *self.shape])],
            [helper.make_tensor_value_info(output, TensorProto.FLOAT, rows)], self.constants)
        opsets = [helper.make_opsetid("", 13), helper.make_opsetid(QUANT, 1)]
        onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), path)


def cnv(n: Network) -> str:
    """Six convolutions of the sizes of CNV's (Umuroglu et al., 2017), with padding, and a dense layer."""
    x = n.input
    for channels in (64, 128, 256):
        x = n.block(n.block(x, channels), channels)
        x = n.pooled(x)
    return n.classes(x, 10)


def vgg10(n: Network) -> str:
    """VGG10 of radio signals, two channels of 1024 samples (O'Shea et al., 2018)."""
    x = n.input
    for _ in range(7):
        x = n.pooled(n.active(n.conv(x, 64, (1, 3))), (1, 2), (1, 2))
    x = n.active(n.conv(n.active(n.conv(x, 128, (1, 8), (1, 8))), 128, (1, 1)))
    return n.conv(x, 24, (1, 1))


def ds_cnn(n: Network) -> str:
    """DS-CNN of key words (MLPerf Tiny)."""
    x = n.active(n.conv(n.input, 64, (10, 4), (2, 2), bits=8))
    for _ in range(4):
        x = n.separable(x, 64)
    return n.classes(x, 12)


def mobilenet(n: Network) -> str:
    """MobileNet-v1 (Howard et al., 2017)."""
    x = n.block(n.input, 32, 3, 2, bits=8)
    for channels, stride in ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5, (1024, 2),
                             (1024, 1)):
        x = n.separable(x, channels, stride)
    return n.classes(x, 1000)


def resnet18(n: Network) -> str:
    """ResNet-18 (He et al., 2016)."""
    x = n.pooled(n.block(n.input, 64, 7, 2, bits=8), (3, 3), (2, 2), 1)
    for channels, stride in ((64, 1), (64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), (512, 1)):
        x = n.residual(x, n.conv(n.block(x, channels, 3, stride), channels, (3, 3)), stride, n.bits + 1)
    return n.classes(x, 1000)


def resnet50(n: Network) -> str:
    """ResNet-50 (He et al., 2016)."""
    x = n.pooled(n.block(n.input, 64, 7, 2, bits=8), (3, 3), (2, 2), 1)
    for channels, blocks, first in ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2)):
        for stride in (first, *[1] * (blocks - 1)):
            y = n.block(n.block(x, channels, 1), channels, 3, stride)
            x = n.residual(x, n.conv(y, 4 * channels, (1, 1)), stride, 4)
    return n.classes(x, 1000)


def unet(n: Network) -> str:
    """U-Net of depth 3 (Ronneberger et al., 2015)."""
    x, skips = n.block(n.input, 16, bits=8), []
    for depth in range(3):
        skips.append(n.block(x, 16 << depth))
        x = n.block(n.pooled(skips[-1]), 32 << depth)
    for depth in (2, 1, 0):
        x = n.joined(skips[depth], n.block(n.upsampled(x), 16 << depth))
        x = n.block(n.block(x, 16 << depth), 16 << depth)
    return n.conv(x, 4, (1, 1), bits=8)


def tiny_yolo(n: Network) -> str:
    """Tiny YOLO (Redmon et al., 2016)."""
    x = n.input
    for k, channels in enumerate((16, 32, 64, 128, 256, 512, 512)):
        x = n.block(x, channels, bits=8 if k == 0 else None)
        x = n.pooled(x) if k < 5 else x
    return n.conv(x, 75, (1, 1), bits=8)


#: Topology, shape of the input, bits of weights and activations.
NETWORKS: dict[str, tuple[Callable[[Network], str], tuple[int, int, int], tuple[int, int]]] = {
    "cnv_w2a2": (cnv, (3, 32, 32), (2, 2)), "vgg10_w4a4": (vgg10, (2, 1, 1024), (4, 4)),
    "ds_cnn_w4a4": (ds_cnn, (1, 49, 10), (4, 4)), "mobilenet_v1_w4a4": (mobilenet, (3, 224, 224), (4, 4)),
    "resnet18_w4a4": (resnet18, (3, 224, 224), (4, 4)), "resnet50_w1a2": (resnet50, (3, 224, 224), (1, 2)),
    "unet128_w4a4": (unet, (3, 128, 128), (4, 4)), "tiny_yolo416_w4a4": (tiny_yolo, (3, 416, 416), (4, 4)),
}


def write_network(name: str, folder: Path) -> Path:
    """Write the network of a name into a folder; returns the file."""
    topology, shape, bits = NETWORKS[name]
    network, path = Network(shape, bits), folder / f"{name}.onnx"
    network.save(topology(network), path)
    return path
