"""What the host does before and after the accelerator, exactly as the model does it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .packing import code_type
from .quantizer import make_quantizer


class Input:
    """Samples of one input to codes; `source` describes it, `arrays` has its quantizer."""

    def __init__(self, source: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
        self.source = source
        self.quantizer = make_quantizer(self.source, arrays)
        self.input_order = arrays.get("input_order")
        self._table: np.ndarray | None = None

    def samples(self, batch: object) -> np.ndarray:
        """A batch as an array (N, *shape) of real numbers. Raises ValueError for anything else."""
        x = np.asarray(batch)
        if x.dtype.kind not in "biuf":
            raise ValueError(f"the input holds values of type {x.dtype}; give real numbers, best float32")
        self._require_shape(x)
        if not len(x):
            raise ValueError("a batch has no samples")
        return x

    def _require_shape(self, x: np.ndarray) -> None:
        shape = tuple(self.source["shape"])
        if x.ndim == 0 or x.shape[1:] != shape:
            raise ValueError(f"the input has shape {x.shape} but the model takes (N, {', '.join(map(str, shape))})")

    def encode(self, x: np.ndarray) -> np.ndarray:
        """Samples (N, *shape) -> codes (N, elements) in stream order, as `packing.pack` takes them.

        Samples are float32; those of type uint8 are looked up where the model takes any number.
        Raises ValueError for another shape, for values that are not finite and for values outside the input's range.
        """
        self._require_shape(x)
        height, width, channels = self.source["tensor"]
        if self.input_order is not None:
            x = x.reshape(len(x), -1)[:, self.input_order]
        frames = x.reshape(-1, channels, height, width).transpose(0, 2, 3, 1)
        codes: np.ndarray = np.empty(frames.shape, code_type(self.source["bits"]))
        for c in range(channels):
            codes[..., c] = self._codes(frames[..., c], c)
        return codes.reshape(len(x), -1)

    def _codes(self, x: np.ndarray, c: int) -> np.ndarray:
        """Codes of one channel."""
        if x.dtype == np.uint8 and self.source["saturates"]:
            return np.asarray(self._lookup()[c][x])
        values = np.asarray(x, np.float32)
        if not np.isfinite(values).all():
            raise ValueError("the input holds values that are not finite")
        return self.quantizer.codes(values, c)

    def _lookup(self) -> np.ndarray:
        """Codes (C, 256) of the numbers that uint8 holds."""
        if self._table is None:
            numbers = np.arange(256, dtype=np.float32)
            self._table = np.stack([self.quantizer.codes(numbers, c) for c in range(self.source["tensor"][2])])
        return self._table


def integers_of(sink: dict[str, Any], codes: np.ndarray) -> np.ndarray:
    """Codes of the output stream -> their integers (N, elements)."""
    values = codes.astype(np.int64)
    if sink["bipolar"]:
        return 2 * values - 1
    if sink["signed"]:
        values -= (values >> (sink["bits"] - 1)) << sink["bits"]
    return values


class Output:
    """Integers of one output to what the model gives; `sink` describes it, `arrays` has its scales."""

    def __init__(self, sink: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
        self.sink, self.scale, self.offset = sink, arrays["scale"], arrays["offset"]
        self.output_order, self.output_before = arrays.get("output_order"), arrays.get("output_before")

    def decode(self, integers: np.ndarray) -> np.ndarray:
        """Integers (N, elements) -> outputs as the model gives them, float32."""
        y = integers.reshape(len(integers), -1, len(self.scale)) * self.scale + self.offset
        y = y.transpose(0, 2, 1).reshape(len(integers), -1)
        if self.output_before is not None:
            y = y[:, self.output_before]
        y = self._head(y.reshape(len(integers), *self.sink["shape"]))
        if self.output_order is not None:
            y = y.reshape(len(y), -1)[:, self.output_order]
        if self.sink["result"] is not None:
            y = y.reshape(len(integers), *self.sink["result"])
        return y.astype(np.float32)

    def _head(self, y: np.ndarray) -> np.ndarray:
        """The model's last operation on values (N, C, ...)."""
        head = self.sink["head"]
        if head == "topk":
            return np.argsort(-y, axis=1, kind="stable")[:, : self.sink["k"]].astype(np.float64)
        return HEADS[head](y)


class Host(Input):
    """Both sides of a model with one input and one output; `model` is model.json, `arrays` are those of model.npz."""

    def __init__(self, model: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
        super().__init__(model["input"], arrays)
        self.sink = model["output"]
        self.output = Output(self.sink, arrays)

    def integers(self, codes: np.ndarray) -> np.ndarray:
        """Codes of the output -> their integers (N, elements)."""
        return integers_of(self.sink, codes)

    def raw(self, integers: np.ndarray) -> np.ndarray:
        """Integers (N, elements) as they are given to the user."""
        return integers

    def decode(self, integers: np.ndarray) -> np.ndarray:
        """Integers (N, elements) -> outputs as the model gives them, float32."""
        return self.output.decode(integers)

    def joined(self, results: list[np.ndarray]) -> np.ndarray:
        """Results of the pieces of a batch."""
        return np.concatenate(results)

    def place(self, element: int) -> str:
        """Where an element of a frame is."""
        pixel, channel = divmod(element, len(self.output.scale))
        return f"pixel {pixel}, channel {channel}"


def _softmax(y: np.ndarray) -> np.ndarray:
    powers = np.exp(y - y.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def _log_softmax(y: np.ndarray) -> np.ndarray:
    first = np.expand_dims(y.argmax(axis=1), 1)
    shifted = y - np.take_along_axis(y, first, axis=1)
    powers = np.exp(shifted)
    np.put_along_axis(powers, first, 0, axis=1)  # 1, which log1p adds
    return np.asarray(shifted - np.log1p(powers.sum(axis=1, keepdims=True)))


#: Operations at the end of a model, by name; k largest values are found above.
HEADS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "none": lambda y: y,
    "argmax": lambda y: np.argmax(y, axis=1).astype(np.float64),
    "softmax": _softmax,
    "logsoftmax": _log_softmax,
    "max": lambda y: y.max(axis=1, keepdims=True),
    "sigmoid": lambda y: np.exp(-np.logaddexp(0, -y)),
    "tanh": np.tanh,
}
