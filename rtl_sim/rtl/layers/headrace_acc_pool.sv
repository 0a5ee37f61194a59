// Sum over KERNEL windows at STRIDE, one input word per cycle; no padding. Average pooling without its division.
//
// Kinds: 0 unsigned, 1 two's complement, 2 bipolar (code 1 is +1, code 0 is -1). O_BITS holds every sum.
module headrace_acc_pool import headrace_pkg::*; #(
  parameter int HEIGHT   = 4,        // rows in
  parameter int WIDTH    = 4,        // columns in
  parameter int CHANNELS = 4,        // channels
  parameter int KERNEL_H = 2,        // rows of a window
  parameter int KERNEL_W = 2,        // columns of a window
  parameter int STRIDE_H = 2,        // rows from window to window
  parameter int STRIDE_W = 2,        // columns from window to window
  parameter int PE       = 2,        // channels per cycle
  parameter int E_BITS   = 4,        // width of an element
  parameter int E_KIND   = UNSIGNED, // kind of the elements
  parameter int O_BITS   = 6         // width of a sum
) (
  input  logic                         ap_clk,         // clock
  input  logic                         ap_rst_n,       // synchronous reset, active low
  input  logic [(PE*E_BITS+7)/8*8-1:0] s_axis_TDATA,   // PE elements
  input  logic                         s_axis_TVALID,  // word in is there
  output logic                         s_axis_TREADY,  // word in is taken
  output logic [(PE*O_BITS+7)/8*8-1:0] m_axis_TDATA,   // PE sums
  output logic                         m_axis_TVALID,  // word out is there
  input  logic                         m_axis_TREADY   // word out is taken
);

  localparam int unsigned S_BITS = PE * E_BITS;
  localparam int unsigned M_BITS = PE * O_BITS;

  logic              en;  // the pipeline moves
  logic [S_BITS-1:0] word;
  logic [M_BITS-1:0] wide_word, result;
  logic              word_valid, result_valid;
  logic              unused_pad;
  assign unused_pad = ^s_axis_TDATA;

  headrace_skid #(.BITS(S_BITS)) u_in (
    .ap_clk, .ap_rst_n,
    .s_axis_TDATA(s_axis_TDATA[S_BITS-1:0]), .s_axis_TVALID, .s_axis_TREADY,
    .m_axis_TDATA(word), .m_axis_TVALID(word_valid), .m_axis_TREADY(en)
  );

  for (genvar p = 0; p < PE; p++) begin : gen_lane
    headrace_widen #(.FROM_BITS(E_BITS), .KIND(E_KIND), .TO_BITS(O_BITS)) u_widen (
      .code(word[p*E_BITS+:E_BITS]), .value(wide_word[p*O_BITS+:O_BITS])
    );
  end

  logic [index_bits(CHANNELS/PE)-1:0] unused_fold;

  headrace_pooling #(
    .HEIGHT(HEIGHT), .WIDTH(WIDTH), .CHANNELS(CHANNELS), .KERNEL_H(KERNEL_H), .KERNEL_W(KERNEL_W),
    .STRIDE_H(STRIDE_H), .STRIDE_W(STRIDE_W), .PE(PE), .E_BITS(O_BITS), .SUM(1)
  ) u_pooling (
    .ap_clk, .ap_rst_n, .en, .word(wide_word), .word_valid, .minimum('0), .fold(unused_fold), .result, .result_valid
  );

  headrace_single_slice #(.BITS(M_BITS)) u_out (
    .ap_clk, .ap_rst_n,
    .s_axis_TDATA(result), .s_axis_TVALID(result_valid), .s_axis_TREADY(en),
    .m_axis_TDATA(m_axis_TDATA[M_BITS-1:0]), .m_axis_TVALID, .m_axis_TREADY
  );
  if (M_BITS % 8 != 0) begin : gen_pad
    assign m_axis_TDATA[(M_BITS+7)/8*8-1:M_BITS] = '0;
  end

endmodule
