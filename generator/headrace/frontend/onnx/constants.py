"""What nodes make of constants. Floating point is computed in float64, integers stay integers.

Arrangements carry the codes of quantized constants along, and a product with a constant scales them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from headrace.errors import InputError, UnsupportedError
from headrace.frontend.onnx.graph import Array, OnnxNode, require_elements
from headrace.frontend.onnx.values import Constant
from headrace.network.ops import Shape

Computation = Callable[[OnnxNode, Sequence[Constant]], Constant]


def widened(values: Array) -> Array:
    """float64 or int64, as constants are kept."""
    return values.astype(np.float64 if values.dtype.kind == "f" else np.int64)


def axes_of(node: OnnxNode, inputs: Sequence[Constant | None], place: int = 1) -> tuple[int, ...] | None:
    """The axes of a node: an attribute in older versions of ONNX, an input in newer ones; None where left out."""
    if place < len(inputs) and (given := inputs[place]) is not None:
        return tuple(int(axis) for axis in given.values.reshape(-1))
    return node.integers("axes")


def squeezed(shape: Shape, axes: tuple[int, ...] | None) -> Shape:
    """The shape without `axes`, by default without all axes of size 1."""
    chosen = {axis % len(shape) for axis in axes} if axes is not None else {a for a, n in enumerate(shape) if n == 1}
    if any(shape[axis] != 1 for axis in chosen):
        raise InputError(f"squeezes axes {axes} of a tensor of shape {shape}, which are not of size 1")
    return tuple(size for axis, size in enumerate(shape) if axis not in chosen)


def unsqueezed(shape: Shape, axes: tuple[int, ...] | None) -> Shape:
    """The shape with an axis of size 1 at each of `axes`, which count in the result."""
    if axes is None:
        raise InputError("lacks its axes; export the model again")
    rank = len(shape) + len(axes)
    chosen, sizes = {axis % rank for axis in axes}, iter(shape)
    if len(chosen) != len(axes):
        raise InputError(f"its axes {axes} name one axis twice; export the model again")
    return tuple(1 if axis in chosen else next(sizes) for axis in range(rank))


def resolved(shape: Shape, wanted: Sequence[int], allow_zero: bool = False) -> Shape:
    """The shape that a Reshape to `wanted` gives: 0 keeps a size, -1 takes what is left."""
    if any(n == 0 and place >= len(shape) for place, n in enumerate(wanted)):
        raise InputError(f"keeps sizes of a tensor of shape {shape} that it does not have: {tuple(wanted)}")
    sizes = [shape[place] if n == 0 and not allow_zero else n for place, n in enumerate(wanted)]
    known = math.prod(n for n in sizes if n != -1)
    if sizes.count(-1) == 1 and known > 0:
        sizes[sizes.index(-1)] = math.prod(shape) // known
    if min(sizes, default=1) < 0 or math.prod(sizes) != math.prod(shape):
        raise InputError(f"a tensor of shape {shape} cannot take the shape {tuple(wanted)}; mend the Reshape")
    return tuple(sizes)


def flattened_shape(shape: Shape, axis: int) -> Shape:
    """The two sizes that Flatten gives."""
    place = axis + len(shape) if axis < 0 else axis
    if not 0 <= place <= len(shape):
        raise InputError(f"flattens at axis {axis} of a tensor of {len(shape)} axes; export the model again")
    return (math.prod(shape[:place]), math.prod(shape[place:]))


def permutation(node: OnnxNode, rank: int) -> tuple[int, ...]:
    """The order of a Transpose, by default all axes reversed."""
    order = node.integers("perm") or tuple(reversed(range(rank)))
    if sorted(order) != list(range(rank)):
        raise InputError(f"its perm {order} is not an order of {rank} axes; export the model again")
    return order


def _reshape_to(shape: Callable[[OnnxNode, Sequence[Constant]], Shape]) -> Computation:
    def compute(node: OnnxNode, inputs: Sequence[Constant]) -> Constant:
        target = shape(node, inputs)
        return inputs[0].mapped(lambda values: values.reshape(target))
    return compute


def _wanted(node: OnnxNode, inputs: Sequence[Constant]) -> Sequence[int]:
    """The shape that a Reshape wants: an input, or an attribute in the oldest versions of ONNX."""
    return [int(n) for n in inputs[1].values.reshape(-1)] if len(inputs) > 1 else node.integers("shape") or ()


def _transpose(node: OnnxNode, inputs: Sequence[Constant]) -> Constant:
    order = permutation(node, inputs[0].values.ndim)
    return inputs[0].mapped(lambda values: values.transpose(order))


def _arithmetic(function: Callable[[Any, Any], Any]) -> Computation:
    def compute(node: OnnxNode, inputs: Sequence[Constant]) -> Constant:
        left, right = inputs[0].values, inputs[1].values
        require_broadcast(left, right)
        with np.errstate(all="ignore"):  # what is not finite is reported where it is used
            return Constant(widened(np.asarray(function(left, right))))
    return compute


def require_broadcast(left: Array, right: Array) -> None:
    """Raise InputError where two constants do not broadcast or make too large a third."""
    try:
        require_elements("its result", np.broadcast_shapes(left.shape, right.shape))
    except ValueError:
        raise InputError(f"constants of shapes {left.shape} and {right.shape} do not fit together") from None


def _scaled(node: OnnxNode, inputs: Sequence[Constant]) -> Constant:
    """Mul and Div: a quantized constant keeps its codes, times another scale."""
    divides = node.op_type == "Div"
    product = _arithmetic(_divide if divides else np.multiply)(node, inputs)
    codes, factor = (inputs[0], inputs[1]) if divides or inputs[0].dtype is not None else (inputs[1], inputs[0])
    quantized = codes.as_quantized() if codes.dtype is not None else None
    if quantized is None or quantized.scale is None or factor.dtype is not None:
        return product
    if codes.values.shape != product.values.shape:
        return product
    by = np.broadcast_to(np.asarray(factor.values, np.float64), product.values.shape)
    with np.errstate(all="ignore"):
        scale = quantized.scale / by if divides else quantized.scale * by
    return Constant(product.raw, quantized.codes, scale, quantized.dtype)


def _divide(left: Array, right: Array) -> Array:
    if left.dtype.kind == "f" or right.dtype.kind == "f":
        return np.asarray(left / right)
    if np.any(right == 0):
        raise InputError("divides integers by 0; mend the model")
    return np.asarray(np.trunc(left / right).astype(np.int64))  # ONNX truncates integers towards 0


def _unary(function: Callable[[Array], Array]) -> Computation:
    def compute(node: OnnxNode, inputs: Sequence[Constant]) -> Constant:
        with np.errstate(all="ignore"):
            return Constant(widened(np.asarray(function(inputs[0].values))))
    return compute


def _same(node: OnnxNode, inputs: Sequence[Constant]) -> Constant:
    return inputs[0]


def _cast(node: OnnxNode, inputs: Sequence[Constant]) -> Constant:
    """Numbers 1, 10, 11 and 16 are floating-point types; the others that ONNX casts to are integers."""
    floating = node.integer("to", 1) in (1, 10, 11, 16)
    if floating == (inputs[0].values.dtype.kind == "f"):
        return inputs[0]
    return Constant(inputs[0].values.astype(np.float64 if floating else np.int64))


def _gather(node: OnnxNode, inputs: Sequence[Constant]) -> Constant:
    values, places = inputs[0].values, inputs[1].values
    require_elements("its result", (values.size, places.size))
    try:
        return Constant(np.asarray(np.take(values, places.astype(np.int64), axis=node.integer("axis", 0))))
    except (IndexError, ValueError):
        raise InputError(f"gathers elements {places.tolist()} that a constant of shape {values.shape} does not have"
                         ) from None


def _concat(node: OnnxNode, inputs: Sequence[Constant]) -> Constant:
    require_elements("its result", (sum(item.values.size for item in inputs),))
    try:
        return Constant(np.concatenate([item.values for item in inputs], axis=node.integer("axis", 0)))
    except ValueError:
        shapes = ", ".join(str(item.values.shape) for item in inputs)
        raise InputError(f"constants of shapes {shapes} cannot be concatenated") from None


def _slice(node: OnnxNode, inputs: Sequence[Constant]) -> Constant:
    values = inputs[0].values
    given = [tuple(int(n) for n in item.values.reshape(-1)) for item in inputs[1:]]
    starts, ends = given[:2] if len(given) > 1 else (node.integers("starts") or (), node.integers("ends") or ())
    axes = given[2] if len(given) > 2 else node.integers("axes") or tuple(range(len(starts)))
    steps = given[3] if len(given) > 3 else (1,) * len(starts)
    if any(not -values.ndim <= axis < values.ndim for axis in axes) or 0 in steps:
        raise InputError(f"slices axes {axes} by steps {steps} of a constant of shape {values.shape}")
    chosen = [slice(None)] * values.ndim
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        chosen[axis] = slice(start, None if step < 0 and end < -values.shape[axis] else end, step)
    return Constant(values[tuple(chosen)])


def _constant(node: OnnxNode, inputs: Sequence[Constant]) -> Constant:
    """The value of a Constant node."""
    value = node.attributes.get("value")
    for name in ("value_float", "value_int", "value_floats", "value_ints"):
        value = node.attributes.get(name) if value is None else value
    if value is None or isinstance(value, bytes):
        raise UnsupportedError("holds no array of numbers; use an initializer")
    array = np.asarray(value)
    return Constant(widened(array), stored=array.dtype.name)


def _constant_of_shape(node: OnnxNode, inputs: Sequence[Constant]) -> Constant:
    shape = tuple(int(n) for n in inputs[0].values.reshape(-1))
    require_elements("its result", shape)
    value = np.asarray(node.attributes.get("value", np.zeros(1))).reshape(-1)
    return Constant(np.full(shape, widened(value)[0]))


def clip(node: OnnxNode, inputs: Sequence[Constant]) -> Constant:
    """Constants within bounds, which are attributes in older versions of ONNX and inputs in newer ones."""
    bounds = [item.values for item in inputs[1:3]]
    if any(bound.size != 1 for bound in bounds):
        raise InputError("its bounds should be single numbers; export the model again")
    if not bounds:
        bounds = [np.asarray(node.number("min", -math.inf)), np.asarray(node.number("max", math.inf))]
    return Constant(np.asarray(np.clip(inputs[0].values, bounds[0], bounds[1] if len(bounds) > 1 else None)))


#: What standard nodes make of constants.
COMPUTED: dict[str, Computation] = {
    "Add": _arithmetic(np.add), "Sub": _arithmetic(np.subtract), "Mul": _scaled, "Div": _scaled,
    "Pow": _arithmetic(lambda a, b: np.power(np.asarray(a, np.float64), b)),
    "Min": _arithmetic(np.minimum), "Max": _arithmetic(np.maximum),
    "Sqrt": _unary(np.sqrt), "Reciprocal": _unary(lambda a: 1 / a), "Neg": _unary(np.negative), "Abs": _unary(np.abs),
    "Exp": _unary(np.exp), "Log": _unary(np.log), "Floor": _unary(np.floor), "Ceil": _unary(np.ceil),
    "Round": _unary(np.rint), "Relu": _unary(lambda a: np.maximum(a, 0)), "Clip": clip,
    "Identity": _same, "Dropout": _same, "Cast": _cast, "Transpose": _transpose,
    "Reshape": _reshape_to(lambda node, inputs: resolved(
        inputs[0].values.shape, _wanted(node, inputs), bool(node.integer("allowzero", 0)))),
    "Flatten": _reshape_to(lambda node, inputs: flattened_shape(inputs[0].values.shape, node.integer("axis", 1))),
    "Squeeze": _reshape_to(lambda node, inputs: squeezed(inputs[0].values.shape, axes_of(node, inputs))),
    "Unsqueeze": _reshape_to(lambda node, inputs: unsqueezed(inputs[0].values.shape, axes_of(node, inputs))),
    "Shape": lambda node, inputs: Constant(np.asarray(inputs[0].values.shape, np.int64)),
    "Constant": _constant, "Gather": _gather, "Concat": _concat, "Slice": _slice, "ConstantOfShape": _constant_of_shape,
}
