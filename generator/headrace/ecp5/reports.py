"""nextpnr's report as numbers: the clock that was reached, the path that limits it, what is used."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headrace.errors import ToolError

_DIGITS = 2
#: What a device has, and the sites of nextpnr that count for it with how much.
_SITES = {"lut": {"TRELLIS_COMB": 1, "TRELLIS_RAMW": 2}, "ff": {"TRELLIS_FF": 1}, "bram18": {"DP16KD": 1},
          "dsp": {"MULT18X18D": 1}}


@dataclass(frozen=True)
class CriticalPath:
    """The slowest path between two registers. layers: those that it passes, in its order."""

    ns: float
    logic_ns: float
    begins: str
    ends: str
    layers: tuple[str, ...]

    def record(self) -> dict[str, Any]:
        """As build.json holds it."""
        return {"ns": self.ns, "logic_ns": self.logic_ns, "routing_ns": round(self.ns - self.logic_ns, _DIGITS),
                "from": self.begins, "to": self.ends, "layers": list(self.layers)}


@dataclass(frozen=True)
class Report:
    """fmax_mhz: what the slowest clock reached; asked_mhz: what it was to reach; used: by resource."""

    fmax_mhz: float
    asked_mhz: float
    path: CriticalPath | None
    used: Mapping[str, int]

    @property
    def met(self) -> bool:
        """True if the clock that was asked for is reached."""
        return self.fmax_mhz >= self.asked_mhz

    @property
    def slack_ns(self) -> float:
        """Of the slowest path, negative if it is too slow."""
        return round(1e3 / self.asked_mhz - 1e3 / self.fmax_mhz, _DIGITS + 1)


def read_report(path: Path, instances: Mapping[str, str]) -> Report:
    """The report of a run. instances: names of layers by those of their instances.

    Raises ToolError for a file that has no clock.
    """
    try:
        report: dict[str, Any] = json.loads(path.read_text())
        clock, rates = min(report["fmax"].items(), key=lambda item: item[1]["achieved"] / item[1]["constraint"])
        used = {name: sum(count * report["utilization"][site]["used"] for site, count in sites.items())
                for name, sites in _SITES.items()}
    except (OSError, ValueError, KeyError, TypeError):
        raise ToolError(f"{path}: holds no clock with a frequency; look into nextpnr.log") from None
    edge = f"posedge {clock}"
    paths = [item["path"] for item in report["critical_paths"] if item["from"] == item["to"] == edge]
    return Report(round(rates["achieved"], _DIGITS), round(rates["constraint"], _DIGITS),
                  _critical(paths[0], instances) if paths else None, used)


def _critical(path: Sequence[Mapping[str, Any]], instances: Mapping[str, str]) -> CriticalPath:
    cells = [step["from"]["cell"] for step in path] + [path[-1]["to"]["cell"]]
    layers = [layer for cell in cells if (layer := layer_of(cell, instances))]
    logic = sum(step["delay"] for step in path if step["type"] != "routing")
    return CriticalPath(round(sum(step["delay"] for step in path), _DIGITS), round(logic, _DIGITS), cells[0], cells[-1],
                        tuple(dict.fromkeys(layers)))


def layer_of(cell: str, instances: Mapping[str, str]) -> str | None:
    """The layer that a cell belongs to, by the first instance in its name; None for what stands around the network.

    >>> layer_of("u_shell.u_core.u_fc0.u_rows.sum_q", {"u_fc0": "fc0"})
    'fc0'
    """
    return next((instances[part] for part in cell.split(".") if part in instances), None)
