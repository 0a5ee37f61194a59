// Bytes of a transfer from words of IN_BYTES to words of OUT_BYTES that they divide, a word in per cycle.
//
// A transfer is a run of words that ends with TLAST; its last word may be shorter, its bytes are the low ones that
// TKEEP marks. The last word out is marked in the same way. Nothing of a transfer is left for the next one.
//
// Invariant: a word out that waits does not change, because nothing is taken before it leaves.
module headrace_shell_widen #(
  parameter int unsigned IN_BYTES  = 4,  // bytes of a word in
  parameter int unsigned OUT_BYTES = 16  // bytes of a word out
) (
  input  logic                   ap_clk,        // clock
  input  logic                   ap_rst_n,      // synchronous reset, active low
  input  logic [8*IN_BYTES-1:0]  s_axis_TDATA,  // bytes in
  input  logic [IN_BYTES-1:0]    s_axis_TKEEP,  // which of them count: ones from bit 0 on
  input  logic                   s_axis_TLAST,  // end of the transfer
  input  logic                   s_axis_TVALID, // word in is there
  output logic                   s_axis_TREADY, // word in is taken
  output logic [8*OUT_BYTES-1:0] m_axis_TDATA,  // bytes out
  output logic [OUT_BYTES-1:0]   m_axis_TKEEP,  // which of them count
  output logic                   m_axis_TLAST,  // end of the transfer
  output logic                   m_axis_TVALID, // word out is there
  input  logic                   m_axis_TREADY  // word out is taken
);

  localparam int unsigned PARTS      = OUT_BYTES / IN_BYTES;
  localparam int unsigned PLACE_BITS = PARTS > 1 ? $clog2(PARTS) : 1;

  logic [PLACE_BITS-1:0]  place_q;  // of the part that comes next
  logic [8*OUT_BYTES-1:0] data_q;
  logic [OUT_BYTES-1:0]   keep_q;
  logic                   valid_q, last_q, take, completes;

  assign s_axis_TREADY = ap_rst_n && (!valid_q || m_axis_TREADY);
  assign take          = s_axis_TVALID && s_axis_TREADY;
  assign completes     = s_axis_TLAST || place_q == PLACE_BITS'(PARTS - 1);

  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) begin
      place_q <= '0;
      valid_q <= 1'b0;
    end else begin
      if (take) place_q <= completes ? '0 : place_q + 1'b1;
      valid_q <= take ? completes : valid_q && !m_axis_TREADY;
    end
  end

  for (genvar i = 0; i < PARTS; i++) begin : gen_parts
    always_ff @(posedge ap_clk) begin
      if (take && place_q == PLACE_BITS'(i)) begin
        data_q[8*IN_BYTES*i +: 8*IN_BYTES] <= s_axis_TDATA;
        keep_q[IN_BYTES*i +: IN_BYTES]     <= s_axis_TKEEP;
      end else if (take && place_q == '0) begin
        keep_q[IN_BYTES*i +: IN_BYTES] <= '0;
      end
    end
  end
  always_ff @(posedge ap_clk) if (take) last_q <= s_axis_TLAST;

  assign m_axis_TVALID = valid_q;
  assign m_axis_TDATA  = data_q;
  assign m_axis_TKEEP  = keep_q;
  assign m_axis_TLAST  = last_q;

  if (IN_BYTES < 1 || OUT_BYTES % IN_BYTES != 0) begin : gen_check
    $error("shell_widen: IN_BYTES=%0d must divide OUT_BYTES=%0d", IN_BYTES, OUT_BYTES);
  end

endmodule
