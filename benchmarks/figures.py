"""Where benchmarks find the public networks, and how they show and keep their figures."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

#: The public networks lie beside the repository.
MODELS = Path(__file__).resolve().parents[2] / "shared" / "models"


def print_values(title: str, values: Mapping[str, float], decimals: int) -> None:
    """A table of one value per row."""
    table = Table("what", "value", title=title)
    for key, value in values.items():
        table.add_row(key, f"{value:,.{decimals}f}")
    Console().print(table)


def save(path: Path, figures: Mapping[str, Any]) -> None:
    """Write figures as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(figures, indent=2) + "\n")
