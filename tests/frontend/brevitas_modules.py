"""Modules of Brevitas for tests."""

from __future__ import annotations

from typing import Any


def act(kind: Any, **options: Any) -> Any:
    """An activation with a fixed scale."""
    return kind(scaling_impl_type="const", scaling_init=options.pop("scaling_init", 1.0), **options)
