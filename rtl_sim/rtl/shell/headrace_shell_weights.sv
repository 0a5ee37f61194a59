// Weights from a DMA: bytes of whole weight matrices in a transfer become the words of a layer, one matrix
// after the other.
//
// Of a transfer that ends inside a word the rest is dropped; `cut` notes that one ended before the last word of a
// matrix. The words that follow stand in the wrong places then, until a reset.
module headrace_shell_weights import headrace_pkg::*; #(
  parameter int unsigned IN_BYTES  = 16, // bytes of a word of the DMA
  parameter int unsigned OUT_BYTES = 3,  // bytes of a word of the layer
  parameter int unsigned WORDS     = 4   // words of a matrix
) (
  input  logic                   ap_clk,        // clock
  input  logic                   ap_rst_n,      // synchronous reset, active low
  input  logic [8*IN_BYTES-1:0]  s_axis_TDATA,  // bytes in
  input  logic [IN_BYTES-1:0]    s_axis_TKEEP,  // which of them count: ones from bit 0 on
  input  logic                   s_axis_TLAST,  // end of the transfer
  input  logic                   s_axis_TVALID, // word in is there
  output logic                   s_axis_TREADY, // word in is taken
  output logic [8*OUT_BYTES-1:0] m_axis_TDATA,  // word out
  output logic                   m_axis_TVALID, // word out is there
  input  logic                   m_axis_TREADY, // word out is taken
  output logic                   cut            // a transfer ended before the last word of a matrix
);

  localparam int unsigned COUNT_BITS = index_bits(WORDS);

  logic [OUT_BYTES-1:0]  keep;
  logic                  last, valid, ready, cut_word, moves, matrix_end;
  logic [COUNT_BITS-1:0] left_q;

  if (OUT_BYTES % IN_BYTES == 0) begin : gen_widen
    headrace_shell_widen #(.IN_BYTES(IN_BYTES), .OUT_BYTES(OUT_BYTES)) u_words (
      .ap_clk, .ap_rst_n, .s_axis_TDATA, .s_axis_TKEEP, .s_axis_TLAST, .s_axis_TVALID, .s_axis_TREADY,
      .m_axis_TDATA, .m_axis_TKEEP(keep), .m_axis_TLAST(last), .m_axis_TVALID(valid), .m_axis_TREADY(ready)
    );
  end else if (IN_BYTES % OUT_BYTES == 0) begin : gen_narrow
    headrace_shell_narrow #(.IN_BYTES(IN_BYTES), .OUT_BYTES(OUT_BYTES)) u_words (
      .ap_clk, .ap_rst_n, .s_axis_TDATA, .s_axis_TKEEP, .s_axis_TLAST, .s_axis_TVALID, .s_axis_TREADY,
      .m_axis_TDATA, .m_axis_TKEEP(keep), .m_axis_TLAST(last), .m_axis_TVALID(valid), .m_axis_TREADY(ready)
    );
  end else begin : gen_gearbox
    headrace_shell_gearbox #(.IN_BYTES(IN_BYTES), .OUT_BYTES(OUT_BYTES)) u_words (
      .ap_clk, .ap_rst_n, .s_axis_TDATA, .s_axis_TKEEP, .s_axis_TLAST, .s_axis_TVALID, .s_axis_TREADY,
      .m_axis_TDATA, .m_axis_TKEEP(keep), .m_axis_TLAST(last), .m_axis_TVALID(valid), .m_axis_TREADY(ready)
    );
  end

  assign cut_word      = valid && !(&keep);
  assign m_axis_TVALID = valid && !cut_word;
  assign ready         = m_axis_TREADY || cut_word;
  assign moves         = m_axis_TVALID && m_axis_TREADY;
  assign matrix_end    = left_q == '0;
  assign cut           = cut_word || (moves && last && !matrix_end);

  // Words of the matrix that follow the one that is offered.
  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) left_q <= COUNT_BITS'(WORDS - 1);
    else if (moves) left_q <= matrix_end ? COUNT_BITS'(WORDS - 1) : left_q - 1'b1;
  end

  if (WORDS < 1) begin : gen_check
    $error("shell_weights: WORDS=%0d must be at least 1", WORDS);
  end

endmodule
