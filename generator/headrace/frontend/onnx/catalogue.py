"""The list of what is read from ONNX files, as docs/onnx.md has it.

`python3 -m headrace.frontend.onnx.catalogue` prints it.
"""

from __future__ import annotations

from typing import NamedTuple

from headrace.frontend.onnx.reader import COMPUTED

#: Lines of docs/onnx.md between which the list stands.
BEGIN, END = "<!-- what is read: begin -->\n", "<!-- what is read: end -->\n"


class Row(NamedTuple):
    """Operations of one kind, each with what of it is read where that is not all; `more` are combinations of some."""

    kind: str
    operations: dict[str, str]
    more: str = ""

    def line(self) -> str:
        """The row in Markdown."""
        names = [f"{name} ({note})" if note else name for name, note in self.operations.items()]
        return f"| {self.kind} | {', '.join(names)}{'; ' if self.more else ''}{self.more} |"


def _row(kind: str, names: str, more: str = "", **notes: str) -> Row:
    return Row(kind, {name: notes.get(name, "") for name in names.split()}, more)


#: Every operation that has a reader, once.
ROWS: tuple[Row, ...] = (
    _row("quantizers", "Quant IntQuant BipolarQuant Trunc QuantizeLinear DequantizeLinear MultiThreshold",
         "Clip between QuantizeLinear and DequantizeLinear", IntQuant="as Quant", Trunc="also with a new scale"),
    _row("codes in, codes out", "QLinearConv QLinearMatMul QGemm QLinearAdd QLinearConcat QLinearAveragePool "
         "QLinearGlobalAveragePool QLinearLeakyRelu QLinearSigmoid", "MaxPool of codes"),
    _row("products", "Conv ConvTranspose MatMul Gemm XnorPopcountMatMul Im2Col", "Im2Col only in front of MatMul",
         Conv="1-D and 2-D, groups, strides, dilations, pads, auto_pad",
         ConvTranspose="the same without dilations; output_padding, output_shape", MatMul="by constants",
         Gemm="by constants"),
    _row("normalization, arithmetic", "BatchNormalization Mul Div Neg Pow", "Mul of a tensor with itself",
         Mul="by one constant per tensor or channel", Div="by one constant per tensor or channel",
         Pow="by a whole number"),
    _row("activations", "Relu Clip LeakyRelu PRelu HardSigmoid Sigmoid Tanh Elu Selu Celu Softplus Softsign Erf Abs "
         "HardSwish Mish Swish Gelu BiasGelu FastGelu QuickGelu",
         "a Mul of x with its own gate: Sigmoid(c * x), HardSigmoid(x), Clip(x + 3, 0, 6), Tanh(Softplus(x)), "
         "1 + Erf(c * x), 1 + Tanh(c * x + d * x^3)"),
    _row("choices", "Slice Split Gather", "Pad of channels and with negative numbers; Reshape, Transpose and Reshape "
         "that shuffle channels", Slice="any step along channels, forward along rows and columns",
         Gather="by a list or number"),
    _row("blocks of pixels", "DepthToSpace SpaceToDepth", "strided Slices of one tensor joined again (Focus); "
         "Reshape, Transpose and Reshape that do the same", DepthToSpace="both modes"),
    _row("joins", "Add Sum Mean Sub Concat", Add="of two tensors of one shape and any scales, or a constant",
         Sub="of two tensors of one shape and any scales, or a constant",
         Concat="along channels; at the end of a model along any axis"),
    _row("pooling, sizes", "MaxPool AveragePool GlobalMaxPool GlobalAveragePool ReduceMean ReduceSum ReduceMax "
         "QuantAvgPool2d MaxPoolNHWC Pad Upsample Resize", AveragePool="a border counts or there is none",
         ReduceMean="over height and width", ReduceSum="over height and width",
         ReduceMax="over height and width, at the end over channels", Upsample="nearest, whole factors",
         Resize="nearest, whole factors"),
    _row("shapes", "Reshape Flatten Transpose Squeeze Unsqueeze Identity Dropout Cast Shape",
         Cast="to floating point"),
    _row("heads, at the end", "Softmax LogSoftmax ArgMax TopK", "Sigmoid and Tanh without a quantizer behind them",
         TopK="indices"),
)


def operations() -> list[str]:
    """All operations of the rows."""
    return [name for row in ROWS for name in row.operations]


def catalogue() -> str:
    """The table in Markdown; its last row is what constants are computed with besides."""
    return "\n".join(["| kind | operations |", "|---|---|", *(row.line() for row in ROWS),
                      f"| on constants | the above and {', '.join(sorted(set(COMPUTED) - set(operations())))} |", ""])


if __name__ == "__main__":
    print(catalogue(), end="")
