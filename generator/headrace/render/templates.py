"""Templates of what is generated; an undefined variable in one is an error."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from textwrap import fill
from typing import Any

import jinja2

#: Columns of generated text.
_COLUMNS = 120


def paragraph(text: str, prefix: str = "") -> str:
    """The words of a text in full lines, each behind the prefix; a line ends the text."""
    return fill(" ".join(text.split()), _COLUMNS, initial_indent=prefix, subsequent_indent=prefix,
                break_long_words=False, break_on_hyphens=False) + "\n"


def load_template(folder: Path | tuple[Path, ...], name: str, filters: Mapping[str, Callable[..., Any]] | None = None,
                  html: bool = False) -> jinja2.Template:
    """The template `name` of a folder, or of the first that has it.

    filters: what it may call beside Jinja's own; html: its values are escaped.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=html,
    )
    environment.filters.update({"paragraph": paragraph} | dict(filters or {}))
    return environment.get_template(name)
