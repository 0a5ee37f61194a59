"""What is known of an array that many values share, found once."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Hashable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from headrace.datatypes import IntArray

P = ParamSpec("P")
R = TypeVar("R")


def of_array(function: Callable[Concatenate[IntArray, P], R]) -> Callable[Concatenate[IntArray, P], R]:
    """Remember what a function says of an array for as long as the array lives; its further arguments are hashable.

    Layers that differ in their folds share their weights, which nobody changes.
    """
    known: dict[tuple[Hashable, ...], Any] = {}

    @wraps(function)
    def found(array: IntArray, /, *more: P.args, **named: P.kwargs) -> R:
        key = (id(array), *more, *named.items())
        if key not in known:
            known[key] = function(array, *more, **named)
            weakref.finalize(array, known.pop, key, None).atexit = False
        result: R = known[key]
        return result

    return found
