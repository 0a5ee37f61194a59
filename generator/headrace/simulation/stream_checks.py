"""The checker of streams in a simulation that holds a whole network, whatever is around it."""

from __future__ import annotations

from pathlib import Path

from headrace.dataflow.graph import Dataflow
from headrace.paths import data_folder
from headrace.render.checks import network_checks, render_checks

#: Where the checker is bound to streams.
CHECKS = "checks.sv"


def checker() -> Path:
    """The module that is bound."""
    return data_folder("rtl_sim") / "tb" / "headrace_stream_checker.sv"


def stream_checks(dataflow: Dataflow, work: Path) -> list[Path]:
    """Write the bindings to every stream of a network's top into `work`; returns them with the module, to compile."""
    (work / CHECKS).write_text(render_checks(network_checks(dataflow), "a network"))
    return [checker(), work / CHECKS]
