"""Templates of what is generated; an undefined variable in one is an error."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import jinja2


def load_template(folder: Path, name: str, filters: Mapping[str, Callable[..., Any]] | None = None,
                  html: bool = False) -> jinja2.Template:
    """The template `name` of a folder; filters: what it may call beside Jinja's own; html: its values are escaped."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=html,
    )
    environment.filters.update(filters or {})
    return environment.get_template(name)
