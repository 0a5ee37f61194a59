"""The checkers of AXI4-Stream at every boundary of a module, bound to it from outside: text of checks.sv."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from headrace.dataflow.graph import SOURCE, Dataflow, Port
from headrace.render.rtl import TOP, layer_resets, stream_names, template


@dataclass(frozen=True)
class Check:
    """A stream PREFIX_TDATA, PREFIX_TVALID, PREFIX_TREADY of `bits` bits, and the name by which faults are told."""

    name: str
    prefix: str
    bits: int
    reset: str = "ap_rst_n"


def render_checks(checks: Iterable[Check], header: str, module: str = TOP, clock: str = "ap_clk") -> str:
    """Bindings of headrace_stream_checker to the streams of a module. header: one line, where they come from."""
    return template("checks.sv.j2").render(header=" ".join(header.split()), checks=list(checks), module=module,
                                           clock=clock)


def network_checks(dataflow: Dataflow, ports: Iterable[Port] | None = None) -> list[Check]:
    """Every stream of a network's top, or those of some ports."""
    names, ends = stream_names(dataflow), {(SOURCE, 0): "s_axis", dataflow.output_port: "m_axis"}
    resets = layer_resets(dataflow)
    return [Check(names[port], ends.get(port, names[port]), 8 * dataflow.streams[port].bytes,
                  "ap_rst_n" if port in ends else resets[port[0]])
            for port in (dataflow.streams if ports is None else ports)]
