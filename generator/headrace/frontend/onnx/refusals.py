"""What to use instead of operations of ONNX that are not read."""

from __future__ import annotations

_CONVOLUTIONS = "use convolutions, or leave this part to the host by splitting the model in front of it"
ATTENTION = f"attention multiplies two computed tensors, which no streaming layer does; {_CONVOLUTIONS}"
#: Reasons that are said once for a model: no change of one node mends them.
SAID_ONCE = frozenset({ATTENTION})
#: What to use instead of well-known operations that no streaming layer does.
WAYS_OUT = {
    **dict.fromkeys(("ThresholdedRelu", "Shrink"), "use Relu, LeakyRelu or Sigmoid with a quantizer behind it"),
    **dict.fromkeys(("LSTM", "GRU", "RNN"), "use feed-forward layers, for example convolutions along the time"),
    **dict.fromkeys(("Loop", "If", "Scan"), "use layers that always run"),
    **dict.fromkeys(("Attention", "MultiHeadAttention", "GroupQueryAttention", "QAttention"), _CONVOLUTIONS),
    **dict.fromkeys(("LayerNormalization", "InstanceNormalization", "GroupNormalization", "LRN"),
                    "use BatchNormalization"),
    **dict.fromkeys(("ConvInteger", "MatMulInteger", "DynamicQuantizeLinear", "DynamicQuantizeMatMul"),
                    "quantize statically, so that scales are constants: quantize_static of onnxruntime"),
    **dict.fromkeys(("Floor", "Ceil", "Round"), "use a Quant node with that rounding mode"),
    **dict.fromkeys(("Min", "Max"), "use Clip with constant bounds"),
    **dict.fromkeys(("Exp", "Log", "Sqrt", "Reciprocal"), "leave it to the program around the accelerator, or "
                    "train with Relu or Clip in its place"),
    "FloatQuant": "quantize to integers with Quant",
}
