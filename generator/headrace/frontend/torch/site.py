"""Where a module or function of a trace is read: it makes operations under its name by the readers of ONNX nodes.

One reader per operation serves files and modules: a module is taken for the ONNX node that does the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from headrace.errors import UnsupportedError
from headrace.frontend.onnx.builder import Builder, Call
from headrace.frontend.onnx.constants import widened
from headrace.frontend.onnx.graph import OnnxGraph, OnnxNode
from headrace.frontend.onnx.reader import HANDLERS
from headrace.frontend.onnx.values import Constant, Feature, Value
from headrace.network.ops import Shape

#: A quantizer of the model, which of its calls, and which view of a tensor of the network it gave.
Origin = tuple[Any, int, Feature]
#: The version of ONNX whose nodes stand for modules.
OPSET = 18


def graph_of(shapes: Mapping[str, Shape], batch: int) -> OnnxGraph:
    """An ONNX graph without nodes, for a builder whose inputs are (batch, *shape)."""
    return OnnxGraph({name: (batch, *shape) for name, shape in shapes.items()}, ("output",), (), {}, {}, {}, OPSET)


def to_array(tensor: torch.Tensor) -> NDArray[np.float64]:
    """A tensor as float64."""
    return np.asarray(tensor.detach().cpu().numpy(), np.float64)


@dataclass(frozen=True, eq=False)
class Site:
    """One call of the trace: `name` is the path of its module, `value` what it gives on the example.

    `notes` are what hooks noted while it was computed, `origins` where the network's quantized tensors come from.
    """

    build: Builder
    name: str
    value: Any
    notes: dict[Any, Any] = field(default_factory=dict)
    origins: dict[str, Origin] = field(default_factory=dict)

    @property
    def shape(self) -> Shape:
        """Sizes of the result with the batch."""
        return tuple(getattr(self.value, "value", self.value).shape)

    def inner(self, suffix: str) -> Site:
        """The same call; what it makes carries a suffix."""
        return replace(self, name=f"{self.name}.{suffix}")

    def made_by(self, quantizer: object, x: Feature) -> Feature:
        """x, which the network's tensor of that name has from a call of a quantizer of the model."""
        calls = sum(maker is quantizer for maker, *_ in self.origins.values())
        self.origins[x.name] = quantizer, calls, x
        return x

    def node(self, op_type: str, *values: object, **attributes: object) -> Any:
        """What the reader of ONNX makes of such a node.

        Numbers, arrays and tensors are constants. Raises UnsupportedError where no layer does the operation.
        """
        if op_type not in HANDLERS:
            raise UnsupportedError(NO_LAYER)
        inputs = tuple(constant(value) for value in values)
        names = tuple("" if value is None else f"{self.name}.{place}" for place, value in enumerate(inputs))
        node = OnnxNode(self.name, op_type, "", names, (self.name,), {key: _encoded(value) for key, value in
                                                                     attributes.items() if value is not None})
        self.build.scope = self.name
        return HANDLERS[op_type](Call(node, inputs, self.build))


#: Why something is refused of which nothing more is known.
NO_LAYER = "no streaming layer does this; docs/torch.md lists what is read"


def constant(value: object) -> Value | None:
    """A value of the network as it is, anything else as a constant; numbers have the precision of float32 tensors."""
    if value is None or isinstance(value, Value):
        return value
    if isinstance(value, torch.Tensor):
        value = value.detach().cpu().numpy()
    stored = np.asarray(np.float32(value) if isinstance(value, float) else value)
    return Constant(widened(stored), stored=stored.dtype.name)


def _encoded(value: object) -> Any:
    """An attribute as a file holds it."""
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, bool):
        return int(value)
    return [int(item) for item in value] if isinstance(value, list | tuple) else value


def feature(value: object) -> Feature:
    """The argument as a tensor of the network. Raises UnsupportedError for anything else."""
    if not isinstance(value, Feature):
        raise UnsupportedError("reads a constant where a tensor of the network is needed; compute it outside of the "
                               "forward")
    return value


def spatial(x: Feature, value: Any) -> list[int]:
    """One size per axis behind the channels from one number or several."""
    given = [int(item) for item in ([value] if isinstance(value, int) else value)]
    return given * (len(x.shape) - 1) if len(given) == 1 else given
