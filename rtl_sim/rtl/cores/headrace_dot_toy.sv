// Core toy: core plain under another name.
module headrace_dot_toy import headrace_pkg::*; #(
  parameter int unsigned PE       = 2,        // rows
  parameter int unsigned SIMD     = 3,        // columns
  parameter int unsigned W_BITS   = 2,        // width of a weight
  parameter int unsigned W_KIND   = SIGNED,   // kind of the weights
  parameter int unsigned A_BITS   = 2,        // width of an activation
  parameter int unsigned A_KIND   = UNSIGNED, // kind of the activations
  parameter int unsigned SUM_BITS = 8,        // width of a sum, two's complement
  parameter int unsigned TAG_BITS = 1         // width of what travels beside
) (
  input  logic                          ap_clk,    // clock
  input  logic                          ap_rst_n,  // synchronous reset, active low
  input  logic                          en,        // moves the pipeline by one
  input  logic [PE*SIMD*W_BITS-1:0]     weights,   // lanes [PE][SIMD]
  input  logic [SIMD*A_BITS-1:0]        acts,      // lanes [SIMD]
  input  logic [TAG_BITS-1:0]           tag_in,    // belongs to weights and acts
  output logic signed [SUM_BITS-1:0]    sums [PE], // one per row
  output logic signed [SUM_BITS-1:0]    more [PE], // 0
  output logic [TAG_BITS-1:0]           tag_out    // belongs to sums
);

  headrace_dot_plain #(
    .PE(PE), .SIMD(SIMD), .W_BITS(W_BITS), .W_KIND(W_KIND), .A_BITS(A_BITS), .A_KIND(A_KIND), .SUM_BITS(SUM_BITS),
    .TAG_BITS(TAG_BITS)
  ) u_plain (
    .ap_clk, .ap_rst_n, .en, .weights, .acts, .tag_in, .sums, .more, .tag_out
  );

endmodule
