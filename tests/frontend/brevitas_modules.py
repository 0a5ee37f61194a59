"""Modules of Brevitas for tests."""

from __future__ import annotations

from torch import nn


def act(kind: type[nn.Module], **options: object) -> nn.Module:
    """An activation with a fixed scale."""
    return kind(scaling_impl_type="const", scaling_init=options.pop("scaling_init", 1.0), **options)
