// Output register of one word, at one word per cycle: TVALID and TDATA come from flip-flops, TREADY
// follows the reader's.
//
// For layers whose own TREADY comes from elsewhere. Unlike a skid buffer it has no multiplexer.
module headrace_single_slice #(
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

  logic            valid_q;
  logic [BITS-1:0] data_q;

  assign s_axis_TREADY = m_axis_TREADY || !valid_q;

  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) valid_q <= 1'b0;
    else if (s_axis_TREADY) valid_q <= s_axis_TVALID;
  end
  always_ff @(posedge ap_clk) if (s_axis_TREADY) data_q <= s_axis_TDATA;

  assign m_axis_TVALID = valid_q;
  assign m_axis_TDATA  = data_q;

  if (BITS < 1) begin : gen_check
    $error("single_slice: BITS=%0d must be at least 1", BITS);
  end

endmodule
