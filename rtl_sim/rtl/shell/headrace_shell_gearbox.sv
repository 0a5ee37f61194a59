// Bytes of a transfer from words of IN_BYTES to words of OUT_BYTES, any ratio, at the rate of the wider side.
//
// A transfer is a run of words that ends with TLAST; its last word may be shorter, its bytes are the low ones that
// TKEEP marks. The last word out is marked in the same way. Nothing of a transfer is left for the next one.
//
// Invariants: the low count_q bytes of buffer_q are valid; a word is taken only while fewer than OUT_BYTES are left
// after what leaves in this cycle, so that IN_BYTES - 1 + OUT_BYTES bytes always hold; last_q says that the transfer's
// last byte is in the buffer, and nothing is taken until it has left.
module headrace_shell_gearbox #(
  parameter int unsigned IN_BYTES  = 16, // bytes of a word in
  parameter int unsigned OUT_BYTES = 3   // bytes of a word out
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

  localparam int unsigned BYTES      = IN_BYTES - 1 + OUT_BYTES;
  localparam int unsigned COUNT_BITS = $clog2(BYTES + 1);

  logic [8*IN_BYTES-1:0] in_data;
  logic [COUNT_BITS-1:0] in_bytes, keep_bytes;
  logic                  in_last, in_valid, in_ready, out_valid, out_ready;
  logic [8*BYTES-1:0]    buffer_q, buffer_left, buffer_d;
  logic [COUNT_BITS-1:0] count_q, count_left;
  logic                  last_q, last_left, final_word, move, take;
  logic [OUT_BYTES-1:0]  out_keep;

  always_comb begin
    keep_bytes = '0;
    for (int unsigned i = 0; i < IN_BYTES; i++) keep_bytes += COUNT_BITS'(s_axis_TKEEP[i]);
  end

  headrace_skid #(.BITS(8 * IN_BYTES + COUNT_BITS + 1)) u_in (
    .ap_clk, .ap_rst_n,
    .s_axis_TDATA({s_axis_TLAST, keep_bytes, s_axis_TDATA}), .s_axis_TVALID, .s_axis_TREADY,
    .m_axis_TDATA({in_last, in_bytes, in_data}), .m_axis_TVALID(in_valid), .m_axis_TREADY(in_ready)
  );

  // What leaves.
  assign out_valid   = last_q || count_q >= COUNT_BITS'(OUT_BYTES);
  assign final_word  = last_q && count_q <= COUNT_BITS'(OUT_BYTES);
  assign move        = out_valid && out_ready;
  assign count_left  = !move ? count_q : final_word ? '0 : count_q - COUNT_BITS'(OUT_BYTES);
  assign last_left   = last_q && !(move && final_word);
  assign buffer_left = move ? buffer_q >> (8 * OUT_BYTES) : buffer_q;
  always_comb begin
    for (int unsigned i = 0; i < OUT_BYTES; i++) out_keep[i] = !final_word || count_q > COUNT_BITS'(i);
  end

  // What comes.
  assign in_ready = !last_left && count_left < COUNT_BITS'(OUT_BYTES);
  assign take     = in_valid && in_ready;
  always_comb begin
    buffer_d = buffer_left;
    if (take) buffer_d[8*count_left +: 8*IN_BYTES] = in_data;
  end

  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) begin
      count_q <= '0;
      last_q  <= 1'b0;
    end else begin
      count_q <= take ? count_left + in_bytes : count_left;
      last_q  <= take ? in_last : last_left;
    end
  end

  always_ff @(posedge ap_clk) buffer_q <= buffer_d;

  headrace_skid #(.BITS(9 * OUT_BYTES + 1)) u_out (
    .ap_clk, .ap_rst_n,
    .s_axis_TDATA({final_word, out_keep, buffer_q[8*OUT_BYTES-1:0]}), .s_axis_TVALID(out_valid),
    .s_axis_TREADY(out_ready),
    .m_axis_TDATA({m_axis_TLAST, m_axis_TKEEP, m_axis_TDATA}), .m_axis_TVALID, .m_axis_TREADY
  );

  if (IN_BYTES < 1 || OUT_BYTES < 1) begin : gen_check
    $error("shell_gearbox: IN_BYTES=%0d and OUT_BYTES=%0d must be at least 1", IN_BYTES, OUT_BYTES);
  end

endmodule
