"""Several tensors on one stream: whole frames follow one another, and parts of such a frame are tensors again."""

from __future__ import annotations

import math
from collections.abc import Sequence as SequenceOf
from dataclasses import dataclass
from functools import reduce

from headrace.datatypes import DataType, hull
from headrace.errors import InputError
from headrace.network.integer_ops import Shape, TensorType


def sequence_type(tensors: SequenceOf[TensorType]) -> TensorType:
    """Frames of all tensors as one: a row of pixels, in the smallest type that holds the types of all.

    A pixel has as many elements as divide the frames of all, up to the most channels of one.

    >>> from headrace.datatypes import uint_type
    >>> sequence_type([TensorType((2, 2, 6), uint_type(2)), TensorType((1, 1, 4), uint_type(5))]).shape
    (1, 7, 4)
    """
    sizes = [math.prod(tensor.shape) for tensor in tensors]
    common, most = math.gcd(*sizes), max(tensor.shape[2] for tensor in tensors)
    lanes = max(lanes for lanes in range(1, min(common, most) + 1) if common % lanes == 0)
    return TensorType((1, sum(sizes) // lanes, lanes), reduce(hull, (tensor.dtype for tensor in tensors)))


@dataclass(frozen=True)
class Sequence:
    """The whole frame of the first input, then that of the second, and so on; shapes and types may differ."""

    def infer(self, *tensors: TensorType) -> TensorType:
        """Type of the output."""
        return sequence_type(tensors)


@dataclass(frozen=True)
class Part:
    """The elements from `first` on, as many as `shape` has, which are of the type `dtype`."""

    first: int
    shape: Shape
    dtype: DataType

    def infer(self, x: TensorType) -> TensorType:
        """Type of the output."""
        elements, count = math.prod(x.shape), math.prod(self.shape)
        if self.first < 0 or min(self.shape) < 1 or self.first + count > elements:
            raise InputError(f"{count} elements from {self.first} on do not lie in a frame of {elements}; take fewer")
        if hull(x.dtype, self.dtype) != x.dtype:
            raise InputError(f"a tensor of {x.dtype} does not hold elements of {self.dtype}; widen it")
        return TensorType(self.shape, self.dtype)
