// Register slice of two words: TREADY, TVALID and TDATA all come from flip-flops, at one word per cycle.
//
// Invariants: ready_q implies that spare_q is free; spare_q is used only while data_q is blocked; order is kept.
module headrace_skid #(
  parameter int unsigned BITS = 8  // width of a word
) (
  input  logic            ap_clk,         // clock
  input  logic            ap_rst_n,       // synchronous reset, active low
  input  logic [BITS-1:0] s_axis_TDATA,   // word in
  input  logic            s_axis_TVALID,  // word in is there
  output logic            s_axis_TREADY,  // word in is taken
  output logic [BITS-1:0] m_axis_TDATA,   // word out
  output logic            m_axis_TVALID,  // word out is there
  input  logic            m_axis_TREADY   // word out is taken
);

  (* max_fanout = 256 *)  // it may move a pipeline in front: Vivado then makes copies of it
  logic            ready_q;
  logic            valid_q;
  logic            spare_full_d, spare_full_q;
  logic            take, move;
  logic [BITS-1:0] data_q, spare_q;

  assign take         = s_axis_TVALID && ready_q;
  assign move         = m_axis_TREADY || !valid_q;
  assign spare_full_d = !move && (spare_full_q || take);

  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) begin
      ready_q      <= 1'b0;
      valid_q      <= 1'b0;
      spare_full_q <= 1'b0;
    end else begin
      ready_q      <= !spare_full_d;
      spare_full_q <= spare_full_d;
      if (move) valid_q <= spare_full_q || take;
    end
  end

  always_ff @(posedge ap_clk) begin
    if (ready_q) spare_q <= s_axis_TDATA;
    if (move) data_q <= spare_full_q ? spare_q : s_axis_TDATA;
  end

  assign s_axis_TREADY = ready_q;
  assign m_axis_TVALID = valid_q;
  assign m_axis_TDATA  = data_q;

  if (BITS < 1) begin : gen_check
    $error("skid: BITS=%0d must be at least 1", BITS);
  end

endmodule
