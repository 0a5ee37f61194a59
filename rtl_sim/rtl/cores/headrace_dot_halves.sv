// Dot products of weights of five to eight bits without multipliers: sums[p] + more[p] = sum over s of w[p][s] * a[s].
//
// A weight is 16 times its high bits, which have its sign, plus its low four bits. Both halves are weights of
// headrace_dot_pairs, whose sums of pairs synthesis makes once for both; the accumulator adds the two sums.
module headrace_dot_halves import headrace_pkg::*; #(
  parameter int unsigned PE       = 2,        // rows
  parameter int unsigned SIMD     = 8,        // columns
  parameter int unsigned W_BITS   = 8,        // width of a weight, 5 to 8
  parameter int unsigned W_KIND   = SIGNED,   // kind of the weights
  parameter int unsigned A_BITS   = 8,        // width of an activation
  parameter int unsigned A_KIND   = UNSIGNED, // kind of the activations
  parameter int unsigned SUM_BITS = 20,       // width of a sum, two's complement
  parameter int unsigned TAG_BITS = 1         // width of what travels beside
) (
  input  logic                       ap_clk,    // clock
  input  logic                       ap_rst_n,  // synchronous reset, active low
  input  logic [PE-1:0]              en,        // moves the pipeline by one: each row's copy
  input  logic [PE*SIMD*W_BITS-1:0]  weights,   // lanes [PE][SIMD]
  input  logic [SIMD*A_BITS-1:0]     acts,      // lanes [SIMD]
  input  logic [TAG_BITS-1:0]        tag_in,    // belongs to weights and acts
  output logic signed [SUM_BITS-1:0] sums [PE], // of the low halves, one per row
  output logic signed [SUM_BITS-1:0] more [PE], // of the high halves, 16 times
  output logic [TAG_BITS-1:0]        tag_out    // belongs to sums
);

  localparam int unsigned LOW  = 4;
  localparam int unsigned HIGH = W_BITS - LOW;
  localparam int unsigned WAIT = plane_sum_stages(LOW, UNSIGNED, 1'b0) - plane_sum_stages(HIGH, W_KIND, 1'b0);

  logic [PE*SIMD*LOW-1:0]  low_weights;
  logic [PE*SIMD*HIGH-1:0] high_weights;
  for (genvar i = 0; i < PE * SIMD; i++) begin : gen_weight
    assign low_weights[i*LOW+:LOW]    = weights[i*W_BITS+:LOW];
    assign high_weights[i*HIGH+:HIGH] = weights[i*W_BITS+LOW+:HIGH];
  end

  logic signed [SUM_BITS-1:0] high [PE], unused_low [PE], unused_high [PE];
  logic [TAG_BITS-1:0]        unused_tag;
  headrace_dot_pairs #(
    .PE(PE), .SIMD(SIMD), .W_BITS(LOW), .W_KIND(UNSIGNED), .A_BITS(A_BITS), .A_KIND(A_KIND), .SUM_BITS(SUM_BITS),
    .TAG_BITS(TAG_BITS)
  ) u_low (
    .ap_clk, .ap_rst_n, .en, .weights(low_weights), .acts, .tag_in, .sums, .more(unused_low), .tag_out
  );
  headrace_dot_pairs #(
    .PE(PE), .SIMD(SIMD), .W_BITS(HIGH), .W_KIND(W_KIND), .A_BITS(A_BITS), .A_KIND(A_KIND), .SUM_BITS(SUM_BITS),
    .TAG_BITS(TAG_BITS)
  ) u_high (
    .ap_clk, .ap_rst_n, .en, .weights(high_weights), .acts, .tag_in, .sums(high), .more(unused_high),
    .tag_out(unused_tag)
  );

  // Fewer planes are added up earlier.
  for (genvar p = 0; p < PE; p++) begin : gen_row
    logic [SUM_BITS-1:0] waited;
    headrace_delay #(.BITS(SUM_BITS), .CYCLES(WAIT)) u_wait (.ap_clk, .en(en[p]), .d(high[p]), .q(waited));
    assign more[p] = signed'(waited) <<< LOW;
  end

  if (W_BITS < 5 || W_BITS > 8 || W_KIND == BIPOLAR) begin : gen_check
    $error("dot_halves: W_BITS=%0d must lie between 5 and 8", W_BITS);
  end

endmodule
