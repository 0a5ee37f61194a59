// Dot products by shared pair sums: sums[p] = sum over s of w[p][s] * a[s], weights of at most four bits.
//
// x0 + x1 of two neighbouring columns is computed once for all rows, of wide columns in a cycle of its own. Each bit
// plane of two weights selects 0, x0, x1 or x0 + x1, two such selections make a quad (registered), a ternary tree adds
// the quads of a plane, and the planes add up with their powers of two, the sign's negative. A bipolar weight is
// 2 * bit - 1: twice its plane minus the sum of all x.
module headrace_dot_pairs import headrace_pkg::*; #(
  parameter int unsigned PE       = 2,        // rows
  parameter int unsigned SIMD     = 8,        // columns
  parameter int unsigned W_BITS   = 2,        // width of a weight, at most 4
  parameter int unsigned W_KIND   = SIGNED,   // kind of the weights
  parameter int unsigned A_BITS   = 2,        // width of an activation
  parameter int unsigned A_KIND   = UNSIGNED, // kind of the activations
  parameter int unsigned SUM_BITS = 8,        // width of a sum, two's complement
  parameter int unsigned TAG_BITS = 1,        // width of what travels beside
  parameter bit          SPLIT    = 0         // each sum comes as two addends, see plane_sum
) (
  input  logic                       ap_clk,    // clock
  input  logic                       ap_rst_n,  // synchronous reset, active low
  input  logic [PE-1:0]              en,        // moves the pipeline by one: each row's copy
  input  logic [PE*SIMD*W_BITS-1:0]  weights,   // lanes [PE][SIMD]
  input  logic [SIMD*A_BITS-1:0]     acts,      // lanes [SIMD]
  input  logic [TAG_BITS-1:0]        tag_in,    // belongs to weights and acts
  output logic signed [SUM_BITS-1:0] sums [PE], // one per row
  output logic signed [SUM_BITS-1:0] more [PE], // SPLIT: the other addends, else 0
  output logic [TAG_BITS-1:0]        tag_out    // belongs to sums
);

  localparam int unsigned N_PAIRS   = (SIMD + 1) / 2;
  localparam int unsigned QUADS     = (N_PAIRS + 1) / 2;
  localparam int unsigned LEVELS    = ternary_levels(QUADS);
  localparam bit          SIGNED_X  = A_KIND != UNSIGNED;
  localparam int unsigned X_BITS    = A_KIND == BIPOLAR ? 2 : A_BITS;
  localparam int unsigned PAIR_BITS = X_BITS + 1;
  localparam int unsigned QUAD_BITS = X_BITS + 2;
  localparam int unsigned TREE_BITS = QUAD_BITS + $clog2(QUADS);   // sum of a plane
  localparam int unsigned WIDE_BITS = TREE_BITS + W_BITS + 1;      // sum of all planes, two's complement
  localparam int unsigned DOT_BITS  = WIDE_BITS < SUM_BITS ? WIDE_BITS : SUM_BITS;

  // Carry chains of pairs and of quads behind each other would be too long.
  localparam bit          WIDE      = X_BITS >= 7 && SIMD > 2;

  // Shared by all rows; a missing last column is 0.
  logic [PAIR_BITS-1:0] x_in [4*QUADS], both_in [2*QUADS];
  for (genvar s = 0; s < 4 * QUADS; s++) begin : gen_column
    if (s >= SIMD) begin : gen_missing
      assign x_in[s] = '0;
    end else if (A_KIND == BIPOLAR) begin : gen_bipolar
      assign x_in[s] = acts[s] ? PAIR_BITS'(1) : '1;
    end else begin : gen_number
      assign x_in[s] = {SIGNED_X && acts[s*A_BITS+A_BITS-1], acts[s*A_BITS+:A_BITS]};
    end
  end
  for (genvar k = 0; k < 2 * QUADS; k++) begin : gen_pair
    if (k >= N_PAIRS) begin : gen_missing
      assign both_in[k] = '0;
    end else if (2 * k + 1 >= SIMD) begin : gen_single
      assign both_in[k] = x_in[2*k];
    end else begin : gen_sum
      assign both_in[k] = x_in[2*k] + x_in[2*k+1];
    end
  end

  logic [PAIR_BITS-1:0]      x [4*QUADS], both [2*QUADS];
  logic [PE*SIMD*W_BITS-1:0] weights_here;
  if (WIDE) begin : gen_wide
    logic [PAIR_BITS-1:0]      x_q [4*QUADS], both_q [2*QUADS];
    logic [PE*SIMD*W_BITS-1:0] weights_q;
    always_ff @(posedge ap_clk) begin
      if (en[0]) begin
        x_q    <= x_in;
        both_q <= both_in;
      end
      for (int unsigned p = 0; p < PE; p++) begin
        if (en[p]) weights_q[p*SIMD*W_BITS+:SIMD*W_BITS] <= weights[p*SIMD*W_BITS+:SIMD*W_BITS];
      end
    end
    assign x            = x_q;
    assign both         = both_q;
    assign weights_here = weights_q;
  end else begin : gen_narrow
    assign x            = x_in;
    assign both         = both_in;
    assign weights_here = weights;
  end

  // Bipolar weights: the sum of all x, in step with the planes.
  logic [TREE_BITS-1:0] total_x;
  if (W_KIND == BIPOLAR) begin : gen_total
    logic [QUAD_BITS-1:0] quads [QUADS], quads_q [QUADS];
    logic [TREE_BITS-1:0] total [1];
    logic                 nothing [QUADS], unused_spare [1];
    assign nothing = '{default: 1'b0};
    assign total_x = total[0];
    for (genvar q = 0; q < QUADS; q++) begin : gen_quad
      headrace_carry_adder #(.BITS(QUAD_BITS)) u_quad (
        .a({SIGNED_X && both[2*q][PAIR_BITS-1], both[2*q]}), .b({SIGNED_X && both[2*q+1][PAIR_BITS-1], both[2*q+1]}),
        .carry_in(1'b0), .sum(quads[q])
      );
    end
    always_ff @(posedge ap_clk) if (en[0]) quads_q <= quads;
    headrace_ternary_tree #(
      .LEAVES(QUADS), .LEVELS(LEVELS), .LEAF_BITS(QUAD_BITS), .IS_SIGNED(SIGNED_X), .SUM_BITS(TREE_BITS)
    ) u_tree (
      .ap_clk, .en(en[0]), .leaves(quads_q), .bits(nothing), .sums(total), .spare(unused_spare)
    );
  end else begin : gen_no_total
    assign total_x = '0;
  end

  for (genvar p = 0; p < PE; p++) begin : gen_pe
    logic [QUAD_BITS-1:0] quads [W_BITS*QUADS], quads_q [W_BITS*QUADS];
    logic [TREE_BITS-1:0] planes [W_BITS];
    logic                 nothing [W_BITS*QUADS], unused_spare [W_BITS];
    assign nothing = '{default: 1'b0};
    headrace_quad_adders #(.SIMD(SIMD), .W_BITS(W_BITS), .BITS(PAIR_BITS), .IS_SIGNED(SIGNED_X)) u_quads (
      .weights(weights_here[p*SIMD*W_BITS+:SIMD*W_BITS]), .x, .both, .sums(quads)
    );
    always_ff @(posedge ap_clk) if (en[p]) quads_q <= quads;
    headrace_ternary_tree #(
      .TREES(W_BITS), .LEAVES(QUADS), .LEVELS(LEVELS), .LEAF_BITS(QUAD_BITS), .IS_SIGNED(SIGNED_X), .SUM_BITS(TREE_BITS)
    ) u_trees (
      .ap_clk, .en(en[p]), .leaves(quads_q), .bits(nothing), .sums(planes), .spare(unused_spare)
    );
    headrace_plane_sum #(
      .BIT_PLANES(W_BITS), .BITS(TREE_BITS), .IS_SIGNED(SIGNED_X), .W_KIND(W_KIND), .DOT_BITS(DOT_BITS),
      .SUM_BITS(SUM_BITS), .SPLIT(SPLIT)
    ) u_sum (
      .ap_clk, .en(en[p]), .planes, .total_x, .sum(sums[p]), .more(more[p])
    );
  end

  headrace_tags #(
    .BITS(TAG_BITS), .CYCLES(pair_stages(SIMD, A_BITS, W_BITS, W_KIND, SPLIT))
  ) u_tags (
    .ap_clk, .ap_rst_n, .en(en[0]), .tag_in, .tag_out
  );

  if (W_BITS > PAIR_PLANES) begin : gen_check
    $error("dot_pairs: W_BITS=%0d must be at most 4", W_BITS);
  end

endmodule
