// Core toy: core plain under another name.
module headrace_dot_toy import headrace_pkg::*; #(
  parameter int unsigned PE       = 2,        // rows
  parameter int unsigned SIMD     = 3,        // columns
  parameter int unsigned W_BITS   = 2,        // width of a weight
  parameter int unsigned W_KIND   = SIGNED,   // kind of the weights
  parameter int unsigned A_BITS   = 2,        // width of an activation
  parameter int unsigned A_KIND   = UNSIGNED, // kind of the activations
  parameter int unsigned A_ROWS   = 1,        // rows of activations: one for all, or PE
  parameter int unsigned SUM_BITS = 8         // width of a sum, two's complement
) (
  input  logic                          ap_clk,    // clock
  input  logic                          en,        // moves the pipeline by one
  input  logic [PE*SIMD*W_BITS-1:0]     weights,   // lanes [PE][SIMD]
  input  logic [A_ROWS*SIMD*A_BITS-1:0] acts,      // lanes [A_ROWS][SIMD]
  output logic signed [SUM_BITS-1:0]    sums [PE]  // one per row
);

  headrace_dot_plain #(
    .PE(PE), .SIMD(SIMD), .W_BITS(W_BITS), .W_KIND(W_KIND), .A_BITS(A_BITS), .A_KIND(A_KIND), .A_ROWS(A_ROWS),
    .SUM_BITS(SUM_BITS)
  ) u_plain (
    .ap_clk, .en, .weights, .acts, .sums
  );

endmodule
