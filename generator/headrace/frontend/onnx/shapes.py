"""Nodes that only change shapes: Reshape, Flatten, Squeeze, Unsqueeze, Shape."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from headrace.errors import UnsupportedError
from headrace.frontend.onnx.builder import Call, Handler
from headrace.frontend.onnx.constants import axes_of, flattened_shape, resolved, squeezed, unsqueezed
from headrace.frontend.onnx.values import Codes, Constant, Feature, Value
from headrace.network.ops import Shape


def _batch(call: Call) -> int:
    return call.build.graph.batch


def _full(call: Call, x: Feature) -> Shape:
    """Sizes with the batch."""
    return (_batch(call), *x.shape)


def _reshaped(shape: Callable[[Call, Shape], Shape]) -> Handler:
    """A handler for a node that gives a tensor of one shape another, the batch staying in front."""
    def handler(call: Call) -> Value:
        value = call.values[0]
        x = value.source if isinstance(value, Codes) else call.feature()
        wanted = shape(call, _full(call, x))
        if not wanted or wanted[0] != _batch(call):
            raise UnsupportedError(f"gives a tensor of shape {_full(call, x)} the shape {wanted}, which mixes samples; "
                                   "keep the batch as the first axis")
        same = x.with_units(wanted[1:])
        made = same if same is not None else call.build.flattened(x, wanted[1:])
        return value.of(made) if isinstance(value, Codes) else made
    return handler


def _reshape(call: Call, shape: Shape) -> Shape:
    wanted = call.integers(1, "shape") if call.has(1) else call.node.integers("shape") or ()
    return resolved(shape, wanted, bool(call.node.integer("allowzero", 0)))


def _axes(call: Call) -> tuple[int, ...] | None:
    return axes_of(call.node, [value if isinstance(value, Constant) else None for value in call.values])


def _shape(call: Call) -> Constant:
    value = call.values[0]
    x = value.source if isinstance(value, Codes) else call.feature()
    return Constant(np.asarray(_full(call, x), np.int64))


HANDLERS: dict[str, Handler] = {
    "Reshape": _reshaped(_reshape), "Shape": _shape,
    "Flatten": _reshaped(lambda call, shape: flattened_shape(shape, call.node.integer("axis", 1))),
    "Squeeze": _reshaped(lambda call, shape: squeezed(shape, _axes(call))),
    "Unsqueeze": _reshaped(lambda call, shape: unsqueezed(shape, _axes(call))),
}
