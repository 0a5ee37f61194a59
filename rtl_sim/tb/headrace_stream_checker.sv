// Simulation only: the rules of AXI4-Stream at one boundary, from its first reset on: before, a stream has whatever
// values it powers up with. The module stands beside a stream, or is bound to any module:
//
//   bind MODULE headrace_stream_checker #(.BITS(8), .NAME("m_axis")) check_m_axis (.clk(ap_clk), .rst_n(ap_rst_n),
//     .data(m_axis_TDATA), .valid(m_axis_TVALID), .ready(m_axis_TREADY));
module headrace_stream_checker #(
  parameter int BITS = 8,
  parameter string NAME = "stream"
) (
  input logic            clk,
  input logic            rst_n,
  input logic [BITS-1:0] data,
  input logic            valid,
  input logic            ready
);

  logic was_reset_q;
  initial was_reset_q = 1'b0;
  always_ff @(posedge clk) if (!rst_n) was_reset_q <= 1'b1;

  default clocking cycle @(posedge clk); endclocking
  default disable iff (!rst_n || !was_reset_q);

  valid_stays : assert property (valid && !ready |=> valid)
  else $error("%s: TVALID fell before TREADY came", NAME);

  data_stays : assert property (valid && !ready |=> !valid || $stable(data))
  else $error("%s: TDATA changed before TREADY came", NAME);

  // What cannot be unknown in a simulator with two states powers up with random values there.
  all_known : assert property (!$isunknown({valid, ready}) && (!valid || !$isunknown(data)))
  else $error("%s: unknown bits after the reset", NAME);

endmodule
