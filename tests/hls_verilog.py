"""Verilog as an HLS compiler writes it, made from a build's own SystemVerilog: same module, ports and files."""

from __future__ import annotations

from pathlib import Path

from headrace.dataflow.external import external_layers
from headrace.dataflow.graph import Dataflow
from tests.narrow import there

_TOP = """`timescale 1 ns / 1 ps
(* use_dsp48 = "no" *)
module accelerator (s_axis_TDATA, {weight_names}m_axis_TDATA, m_axis_TKEEP, m_axis_TSTRB, m_axis_TLAST,
        ap_clk, ap_rst_n, s_axis_TVALID, s_axis_TREADY, m_axis_TVALID, m_axis_TREADY);

input  [{in_high}:0] s_axis_TDATA;
output [{out_high}:0] m_axis_TDATA;
output [{keep_high}:0] m_axis_TKEEP;
output [{keep_high}:0] m_axis_TSTRB;
output [0:0] m_axis_TLAST;
input   ap_clk;
input   ap_rst_n;
input   s_axis_TVALID;
output   s_axis_TREADY;
output   m_axis_TVALID;
input   m_axis_TREADY;
{weight_ports}
assign m_axis_TKEEP = ~{out_bytes}'d0;
assign m_axis_TSTRB = ~{out_bytes}'d0;

accelerator_network network_U0(
    .ap_clk(ap_clk),
    .ap_rst_n(ap_rst_n),
    .s_axis_TDATA(s_axis_TDATA),
    .s_axis_TVALID(s_axis_TVALID),
    .s_axis_TREADY(s_axis_TREADY),{weight_connections}
    .m_axis_TDATA(m_axis_TDATA),
    .m_axis_TVALID(m_axis_TVALID),
    .m_axis_TREADY(m_axis_TREADY),
    .m_axis_TLAST(m_axis_TLAST[0]));

endmodule
"""


def _weights(dataflow: Dataflow) -> dict[str, str]:
    """The ports of weights that come from memory: names, declarations, connections."""
    ports = {f"{port}_{signal}": declaration for port, layer in external_layers(dataflow).items()
             for signal, declaration in (("TDATA", f"input  [{8 * there(layer.weight_stream).bytes - 1}:0]"),
                                         ("TVALID", "input  "), ("TREADY", "output  "))}
    return {"weight_names": "".join(f"{name}, " for name in ports),
            "weight_ports": "".join(f"{declaration} {name};\n" for name, declaration in ports.items()),
            "weight_connections": "".join(f"\n    .{name}({name})," for name in ports)}


def write_hls_verilog(rtl: Path, dataflow: Dataflow, folder: Path) -> Path:
    """Write the network of a build's folder `rtl` into `folder`: accelerator.v, its modules, and .dat for .mem."""
    folder.mkdir(parents=True, exist_ok=True)
    source, sink = dataflow.input, dataflow.streams[dataflow.output_port]
    (folder / "accelerator.v").write_text(_TOP.format(
        **_weights(dataflow),
        in_high=8 * source.bytes - 1, out_high=8 * sink.bytes - 1, keep_high=sink.bytes - 1, out_bytes=sink.bytes))
    for path in rtl.glob("*.sv"):
        text = path.read_text().replace("module accelerator ", "module accelerator_network ")
        text = text.replace('.mem")', '.dat")')
        (folder / path.name.replace("top.sv", "accelerator_network.sv")).write_text(text)
    for path in rtl.glob("*.mem"):
        (folder / path.name).with_suffix(".dat").write_text(path.read_text())
    return folder
