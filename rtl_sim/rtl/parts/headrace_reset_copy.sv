// The reset of one layer: that of the network, a cycle later, so that it has a cycle of time for the way there.
//
// The attributes, for Yosys on the cell of HEADRACE_PRIMITIVES, keep one copy per layer: equal registers become one.
module headrace_reset_copy (
  input  logic ap_clk,     // clock
  input  logic ap_rst_n,   // synchronous reset, active low
  output logic late_rst_n  // the same one cycle later
);

`ifdef HEADRACE_PRIMITIVES
  (* keep = "true", dont_touch = "true" *)
  FDRE #(.INIT(1'b0)) u_copy (.C(ap_clk), .CE(1'b1), .R(1'b0), .D(ap_rst_n), .Q(late_rst_n));
`else
  (* keep = "true", dont_touch = "true" *) logic copy_q;
  always_ff @(posedge ap_clk) copy_q <= ap_rst_n;
  assign late_rst_n = copy_q;
`endif

endmodule
