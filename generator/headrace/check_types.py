"""Whether a value from a file is what a type annotation says: nothing of another type goes on from where it is read."""

from __future__ import annotations

import math
import types
from collections.abc import Callable, Mapping
from typing import (
    Any,
    Literal,
    NotRequired,
    TypeGuard,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
    overload,
)

import numpy as np

T = TypeVar("T")
#: Integers from files are native ones everywhere behind.
MAX_INTEGER = 1 << 62


@overload
def conforms(value: object, hint: type[T]) -> TypeGuard[T]: ...
@overload
def conforms(value: object, hint: object) -> bool: ...


def conforms(value: object, hint: Any) -> bool:
    """True if the value is of the annotated type.

    Understands classes, unions, Literal, Any, arrays with their element type, tuple, list, dict, Mapping, frozenset and
    TypedDict, which may hold more keys. An int is not a bool and fits 62 bits; a float is any number but NaN.

    >>> conforms([1, 2], list[int]), conforms([1, True], list[int]), conforms(None, int | None)
    (True, False, True)
    """
    if hint is Any:
        return True
    if is_typeddict(hint):
        return _is_typed_dict(value, hint)
    origin, args = get_origin(hint), get_args(hint)
    if (named := getattr(origin, "__value__", None)) is not None:  # an alias; NDArray is one from NumPy 2.5 on
        return conforms(value, named[args])
    if origin in _OF_ORIGIN:
        return _OF_ORIGIN[origin](value, args)
    return _PLAIN[hint](value) if hint in _PLAIN else isinstance(value, hint)


def _is_typed_dict(value: Any, hint: Any) -> bool:
    # Python 3.11 does not see NotRequired in annotations that are texts.
    marked = get_type_hints(hint, include_extras=True)
    optional = {key for key, item in marked.items() if get_origin(item) is NotRequired}
    if not isinstance(value, dict) or not hint.__required_keys__ - optional <= value.keys():
        return False
    hints = get_type_hints(hint)
    return all(conforms(item, hints[key]) for key, item in value.items() if key in hints)


def _is_tuple(value: object, args: tuple[Any, ...]) -> bool:
    if not isinstance(value, tuple):
        return False
    if args[-1] is Ellipsis:
        return all(conforms(item, args[0]) for item in value)
    return len(value) == len(args) and all(map(conforms, value, args))


def _is_array(value: object, args: tuple[Any, ...]) -> bool:
    (element,) = get_args(args[1])
    return isinstance(value, np.ndarray) and (element is Any or value.dtype == np.dtype(element))


def _is_mapping(value: object, args: tuple[Any, ...]) -> bool:
    return isinstance(value, dict) and all(conforms(k, args[0]) and conforms(v, args[1]) for k, v in value.items())


def _is_one_of(value: object, args: tuple[Any, ...]) -> bool:
    return any(type(value) is type(choice) and value == choice for choice in args)


def _is_any(value: object, args: tuple[Any, ...]) -> bool:
    return any(conforms(value, choice) for choice in args)


#: The check of each generic type, by its origin.
_OF_ORIGIN: dict[Any, Callable[[Any, tuple[Any, ...]], bool]] = {
    Union: _is_any, types.UnionType: _is_any, Literal: _is_one_of, tuple: _is_tuple, np.ndarray: _is_array,
    dict: _is_mapping, Mapping: _is_mapping,
    list: lambda value, args: isinstance(value, list) and all(conforms(item, args[0]) for item in value),
    frozenset: lambda value, args: isinstance(value, frozenset) and all(conforms(item, args[0]) for item in value),
}
#: The check of each class that is more than an instance of it.
_PLAIN: dict[Any, Callable[[Any], bool]] = {
    int: lambda value: type(value) is int and abs(value) <= MAX_INTEGER,
    float: lambda value: type(value) in (int, float) and not math.isnan(value),
    type(None): lambda value: value is None,
}
