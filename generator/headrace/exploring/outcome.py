"""What an exploration found: rows, as JSON, Parquet, a DataFrame and an interactive page."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from headrace.atomic_files import write_file, write_json
from headrace.board.board import Board
from headrace.errors import ToolError
from headrace.exploring.points import Point
from headrace.exploring.variants import Variant
from headrace.render.templates import load_template
from headrace.reporting import page
from headrace.version import headrace_version

#: What pandas makes of values that a point may not have.
_TYPES = {"fps_asked": "Float64", "fps": "Float64", "latency_us": "Float64", "accuracy": "Float64",
          "verified": "boolean", "sim_bit_exact": "boolean", "bitstream": "boolean", "slack_ns": "Float64"}
_COUNTS = ("weight_bits", "act_bits", "cycles_per_frame", "latency_cycles", "lut", "ff", "bram36", "uram", "dsp")


@dataclass(frozen=True, eq=False)
class Exploration:
    """The points of an exploration. rows: as in exploration.json; None for what a point does not have."""

    model: str
    rows: Sequence[Mapping[str, Any]]
    boards: Sequence[Board]
    out: Path

    @cached_property
    def frame(self) -> Any:
        """The rows as a pandas DataFrame."""
        import pandas as pd

        frame = pd.DataFrame(self.rows)
        counts = {name: "Int64" for name in frame.columns if name in _COUNTS or (
            name.startswith(("built_", "synth_", "sim_")) and name not in _TYPES)}
        return frame.astype({name: kind for name, kind in {**_TYPES, **counts}.items() if name in frame.columns})

    def __repr__(self) -> str:
        kept, built = (sum(bool(row[name]) for row in self.rows) for name in ("front", "build"))
        return f"Exploration({self.model}: {len(self.rows)} points, {kept} on the front, {built} built)"


def point_row(variant: Variant, core: str, point: Point) -> dict[str, Any]:
    """A planned point as a flat row."""
    found = point.hardware
    taken = found.resources if found else None
    return {
        "weight_bits": variant.weight_bits, "act_bits": variant.act_bits, "accuracy": variant.accuracy,
        "board": point.board, "clock_mhz": float(point.clock_mhz), "core": core, "fps_asked": point.fps_asked,
        "fps": found.fps if found else None, "cycles_per_frame": found.cycles_per_frame if found else None,
        "latency_cycles": found.latency_cycles if found else None,
        "latency_us": found.latency_cycles / point.clock_mhz if found else None,
        "lut": taken.all_luts if taken else None, "ff": taken.ff if taken else None,
        "bram36": taken.bram36 if taken else None, "uram": taken.uram if taken else None,
        "dsp": taken.dsp if taken else None, "fits": point.fits, "front": False,
        "bottleneck": found.bottleneck if found else None, "stopped_by": point.stopped_by, "stages": "plan",
        "error": "", "build": ""}


def write_exploration(made: Exploration) -> None:
    """Write exploration.json, .parquet and .html. Raises ToolError where the disk does not take them."""
    try:
        _write(made)
    except OSError as error:
        raise ToolError(f"{made.out}: cannot be written ({error.strerror}); make room and go on with --resume"
                        ) from None


def _write(made: Exploration) -> None:
    record = {"headrace": headrace_version(), "model": made.model, "points": list(made.rows),
              "boards": _limits(made.boards)}
    write_json(made.out / "exploration.json", record)
    write_file(made.out / "exploration.html", render_page(record))
    content = io.BytesIO()
    made.frame.to_parquet(content, index=False)
    write_file(made.out / "exploration.parquet", content.getvalue())


def render_page(record: Mapping[str, Any]) -> str:
    """An interactive page in one file. record: what exploration.json holds."""
    data = json.dumps(record, allow_nan=False).replace("<", "\\u003c")  # no text of the user's ends the script
    folders = (Path(__file__).parent, Path(page.__file__).parent)
    return load_template(folders, "explore.html.j2", html=True).render(
        model=record["model"], points=len(record["points"]), data=data)


def _limits(boards: Sequence[Board]) -> dict[str, dict[str, int]]:
    return {board.name: {"lut": board.lut, "ff": board.ff, "bram36": board.bram36, "uram": board.uram,
                         "dsp": board.dsp} for board in boards}
