// Dot products by shared pair sums: sums[p] = sum over s of w[p][s] * a[s], weights of at most four bits.
//
// x0 + x1 of two neighbouring columns is computed once for all rows. Each bit plane of two weights selects 0, x0, x1 or
// x0 + x1, two such selections make a quad (registered), a ternary tree adds the quads of a plane, and the planes add up
// with their powers of two, the sign's negative. A bipolar weight is 2 * bit - 1: twice its plane minus the sum of all x.
// Kinds: 0 unsigned, 1 two's complement, 2 bipolar (code 1 is +1, code 0 is -1).
module dot_pairs #(
  parameter int unsigned PE       = 2,  // rows
  parameter int unsigned SIMD     = 8,  // columns
  parameter int unsigned W_BITS   = 2,  // width of a weight, at most 4
  parameter int unsigned W_KIND   = 1,  // kind of the weights
  parameter int unsigned A_BITS   = 2,  // width of an activation
  parameter int unsigned A_KIND   = 0,  // kind of the activations
  parameter int unsigned SUM_BITS = 8,  // width of a sum, two's complement
  parameter int unsigned LEVELS   = 1   // of the tree: ceil(log3(SIMD/4))
) (
  input  logic                       ap_clk,    // clock
  input  logic                       en,        // moves the pipeline by one
  input  logic [PE*SIMD*W_BITS-1:0]  weights,   // lanes [PE][SIMD]
  input  logic [SIMD*A_BITS-1:0]     acts,      // lanes [SIMD]
  output logic signed [SUM_BITS-1:0] sums [PE]  // one per row
);

  localparam int unsigned PAIRS     = (SIMD + 1) / 2;
  localparam int unsigned QUADS     = (PAIRS + 1) / 2;
  localparam bit          SIGNED_X  = A_KIND != 0;
  localparam int unsigned X_BITS    = A_KIND == 2 ? 2 : A_BITS;
  localparam int unsigned PAIR_BITS = X_BITS + 1;
  localparam int unsigned QUAD_BITS = X_BITS + 2;
  localparam int unsigned TREE_BITS = QUAD_BITS + $clog2(QUADS);   // sum of a plane
  localparam int unsigned WIDE_BITS = TREE_BITS + W_BITS + 1;      // sum of all planes, two's complement
  localparam int unsigned DOT_BITS  = WIDE_BITS < SUM_BITS ? WIDE_BITS : SUM_BITS;

  // Shared by all rows; a missing last column is 0.
  logic [PAIR_BITS-1:0] x [2*PAIRS], both [2*QUADS];
  for (genvar s = 0; s < 2 * PAIRS; s++) begin : gen_column
    if (s >= SIMD) begin : gen_missing
      assign x[s] = '0;
    end else if (A_KIND == 2) begin : gen_bipolar
      assign x[s] = acts[s] ? PAIR_BITS'(1) : '1;
    end else begin : gen_number
      assign x[s] = {SIGNED_X && acts[s*A_BITS+A_BITS-1], acts[s*A_BITS+:A_BITS]};
    end
  end
  for (genvar k = 0; k < 2 * QUADS; k++) begin : gen_pair
    if (k >= PAIRS) begin : gen_missing
      assign both[k] = '0;
    end else if (2 * k + 1 >= SIMD) begin : gen_single
      assign both[k] = x[2*k];
    end else begin : gen_sum
      assign both[k] = x[2*k] + x[2*k+1];
    end
  end

  // Bipolar weights: the sum of all x, in step with the planes.
  logic [TREE_BITS-1:0] total_x;
  if (W_KIND == 2) begin : gen_total
    logic [QUAD_BITS-1:0] quads_q [QUADS];
    for (genvar q = 0; q < QUADS; q++) begin : gen_quad
      logic [QUAD_BITS-1:0] quad;
      carry_adder #(.BITS(QUAD_BITS)) u_quad (
        .a({SIGNED_X && both[2*q][PAIR_BITS-1], both[2*q]}), .b({SIGNED_X && both[2*q+1][PAIR_BITS-1], both[2*q+1]}),
        .carry_in(1'b0), .sum(quad)
      );
      always_ff @(posedge ap_clk) if (en) quads_q[q] <= quad;
    end
    ternary_tree #(
      .LEAVES(QUADS), .LEVELS(LEVELS), .LEAF_BITS(QUAD_BITS), .IS_SIGNED(SIGNED_X), .SUM_BITS(TREE_BITS)
    ) u_tree (
      .ap_clk, .en, .leaves(quads_q), .sum(total_x)
    );
  end else begin : gen_no_total
    assign total_x = '0;
  end

  for (genvar p = 0; p < PE; p++) begin : gen_pe
    logic [TREE_BITS-1:0] planes [W_BITS];
    for (genvar j = 0; j < W_BITS; j++) begin : gen_plane
      logic [QUAD_BITS-1:0] quads_q [QUADS];
      for (genvar q = 0; q < QUADS; q++) begin : gen_quad
        logic [PAIR_BITS-1:0] picked [2];
        logic [QUAD_BITS-1:0] quad;
        for (genvar h = 0; h < 2; h++) begin : gen_pick
          localparam int unsigned FIRST = 4 * q + 2 * h;
          if (FIRST + 1 < SIMD) begin : gen_two
            logic [1:0] bits;
            assign bits = {weights[(p*SIMD+FIRST+1)*W_BITS+j], weights[(p*SIMD+FIRST)*W_BITS+j]};
            assign picked[h] = bits == 2'd3 ? both[2*q+h] : bits == 2'd2 ? x[FIRST+1] : bits == 2'd1 ? x[FIRST] : '0;
          end else if (FIRST < SIMD) begin : gen_one
            assign picked[h] = weights[(p*SIMD+FIRST)*W_BITS+j] ? x[FIRST] : '0;
          end else begin : gen_none
            assign picked[h] = '0;
          end
        end
        carry_adder #(.BITS(QUAD_BITS)) u_quad (
          .a({SIGNED_X && picked[0][PAIR_BITS-1], picked[0]}), .b({SIGNED_X && picked[1][PAIR_BITS-1], picked[1]}),
          .carry_in(1'b0), .sum(quad)
        );
        always_ff @(posedge ap_clk) if (en) quads_q[q] <= quad;
      end
      ternary_tree #(
        .LEAVES(QUADS), .LEVELS(LEVELS), .LEAF_BITS(QUAD_BITS), .IS_SIGNED(SIGNED_X), .SUM_BITS(TREE_BITS)
      ) u_tree (
        .ap_clk, .en, .leaves(quads_q), .sum(planes[j])
      );
    end

    plane_sum #(
      .PLANES(W_BITS), .BITS(TREE_BITS), .IS_SIGNED(SIGNED_X), .W_KIND(W_KIND), .DOT_BITS(DOT_BITS),
      .SUM_BITS(SUM_BITS)
    ) u_sum (
      .ap_clk, .en, .planes, .total_x, .sum(sums[p])
    );
  end

  if (SIMD < 2) begin : gen_no_pair
    logic unused_pair;
    assign unused_pair = ^both[0] ^ ^both[1];
  end

  if (W_BITS > 4) begin : gen_check
    $error("dot_pairs: W_BITS=%0d must be at most 4", W_BITS);
  end

endmodule
