"""The variables of a call while a process is interpreted."""

from __future__ import annotations

from headrace.hls_lint.code import Function
from headrace.hls_lint.values import Object, Scalar, Struct


class Frame:
    """The variables of a call."""

    def __init__(self, function: Function, this: Struct | None) -> None:
        self.function = function
        self.this = this
        self.variables: dict[int, Object] = {}
        self.result: Scalar = Scalar("the result", 64)
        self.returned: Object | None = None
