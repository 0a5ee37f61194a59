"""The way to the precision search, which needs torch."""

from __future__ import annotations

from typing import Any

from headrace.errors import ToolError


def searching_for_precision() -> Any:
    """The module that searches for widths. Raises ToolError where torch is not installed."""
    try:
        from headrace.exploring import precision_run  # torch is imported at its first use
    except ImportError as error:
        raise ToolError(f"a precision search needs {error.name}, which is not installed; "
                        "run pip install 'headrace[torch]'") from None
    return precision_run
