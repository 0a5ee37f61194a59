// Dot products by bit planes that are compared: with w & a = (w + a - 1 + (w ~^ a)) / 2 for single bits, the dot
// product is made of XNOR matches of weight planes and activation planes, counted by free parity, and of a sum of
// activations that is computed once for all rows. What depends on the weights alone is left out; it belongs to the
// thresholds:
//   sums[p] + more[p] = sum over planes i, j of +-2^(i+j) * matches(w_i, a_j) + LAMBDA * (sum of a)
// is twice the dot product without it, or once where an operand is bipolar, whose +1 and -1 count as bits 1 and 0.
// LAMBDA is -1 for weights in two's complement (`more` is then a complement, and one more is to be added), 2^W_BITS - 1
// for unsigned and 0 for bipolar ones. Planes of signs have negative powers.
module headrace_dot_planes import headrace_pkg::*; #(
  parameter int unsigned PE       = 2,        // rows
  parameter int unsigned SIMD     = 8,        // columns
  parameter int unsigned W_BITS   = 2,        // planes of the weights, at most 4
  parameter int unsigned W_KIND   = SIGNED,   // kind of the weights
  parameter int unsigned A_BITS   = 2,        // planes of the activations, at most 4
  parameter int unsigned A_KIND   = UNSIGNED, // kind of the activations
  parameter int unsigned SUM_BITS = 12,       // width of a sum, two's complement
  parameter int unsigned TAG_BITS = 1         // width of what travels beside
) (
  input  logic                       ap_clk,    // clock
  input  logic                       ap_rst_n,  // synchronous reset, active low
  input  logic [PE-1:0]              en,        // moves the pipeline by one: each row's copy
  input  logic [PE*W_BITS*SIMD-1:0]  weights,   // recoded complements, lanes [PE][W_BITS][SIMD]
  input  logic [A_BITS*SIMD-1:0]     acts,      // recoded, lanes [A_BITS][SIMD]
  input  logic [TAG_BITS-1:0]        tag_in,    // belongs to weights and acts
  output logic signed [SUM_BITS-1:0] sums [PE], // one per row
  output logic signed [SUM_BITS-1:0] more [PE], // the other addends
  output logic [TAG_BITS-1:0]        tag_out    // belongs to sums
);

  localparam int unsigned M          = (SIMD + 1) / 2;
  localparam int unsigned ROOT       = SIMD > 1 ? SIMD - 2 : 0;                // the root's first input in a word
  localparam int unsigned COUNT_BITS = $clog2(M + 1);
  localparam int unsigned D_BITS     = COUNT_BITS + 1;                         // matches of two planes
  localparam int unsigned V_BITS     = D_BITS + A_BITS;                        // of a plane with all activation planes
  localparam int unsigned WIDE_BITS  = V_BITS + W_BITS + 1;
  localparam int unsigned DOT_BITS   = WIDE_BITS < SUM_BITS ? WIDE_BITS : SUM_BITS;
  localparam bit          SIGNED_A   = A_KIND == SIGNED;
  localparam bit          SIGNED_W   = W_KIND == SIGNED;
  localparam int unsigned COUNTING   = count_stages(M);
  localparam int unsigned ADDING     = plane_sum_stages(A_BITS, SIGNED_A ? SIGNED : UNSIGNED, 1'b0)
                                       + plane_sum_stages(W_BITS, SIGNED_W ? SIGNED : UNSIGNED, 1'b0);
  // Planes are counted and added up twice, while the sum of the activations is made.
  localparam int unsigned LEVELS     = ternary_levels(SIMD);
  localparam bit          MANY       = W_KIND == UNSIGNED && W_BITS > 1;  // LAMBDA is more than 1
  localparam int unsigned SUMMING    = LEVELS + (MANY ? 2 : 1);
  localparam int unsigned STAGES     = W_KIND == BIPOLAR ? COUNTING + ADDING : larger(COUNTING + ADDING, SUMMING);
  localparam int unsigned X_BITS     = A_BITS + $clog2(3 ** LEVELS);           // sum of all activations

  logic [A_BITS-1:0] parity_s;  // of the root's inputs
  for (genvar j = 0; j < A_BITS; j++) begin : gen_parity
    assign parity_s[j] = ^acts[(j+1)*SIMD-1:j*SIMD+ROOT];
  end

  for (genvar p = 0; p < PE; p++) begin : gen_pe
    logic [V_BITS-1:0] values [W_BITS];
    for (genvar i = 0; i < W_BITS; i++) begin : gen_weight_plane
      logic [SIMD-1:0]          r;
      logic [D_BITS-1:0]        agree [A_BITS];
      logic signed [V_BITS-1:0] value, unused_more;
      assign r = weights[(p*W_BITS+i)*SIMD+:SIMD];
      for (genvar j = 0; j < A_BITS; j++) begin : gen_act_plane
        logic [M-1:0]          carries;
        logic [COUNT_BITS-1:0] count;
        logic [COUNTING-1:0]   parity_q;
        headrace_parity_carries #(.SIMD(SIMD)) u_carries (
          .r, .s(acts[j*SIMD+:SIMD]), .root_r(1'b1), .root_s(1'b0), .carries
        );
        headrace_ones_count #(.BITS(M), .SUM_BITS(COUNT_BITS)) u_count (.ap_clk, .en(en[p]), .bits(carries), .count);
        always_ff @(posedge ap_clk) if (en[p]) parity_q <= COUNTING'({parity_q, ^r[SIMD-1:ROOT] ^ parity_s[j]});
        assign agree[j] = {count, parity_q[COUNTING-1]};
      end
      headrace_plane_sum #(
        .BIT_PLANES(A_BITS), .BITS(D_BITS), .IS_SIGNED(0), .W_KIND(SIGNED_A ? SIGNED : UNSIGNED), .DOT_BITS(V_BITS),
        .SUM_BITS(V_BITS)
      ) u_value (
        .ap_clk, .en(en[p]), .planes(agree), .total_x('0), .sum(value), .more(unused_more)
      );
      assign values[i] = value;
    end

    logic signed [SUM_BITS-1:0] dot, unused_more;
    headrace_plane_sum #(
      .BIT_PLANES(W_BITS), .BITS(V_BITS), .IS_SIGNED(SIGNED_A), .W_KIND(SIGNED_W ? SIGNED : UNSIGNED),
      .DOT_BITS(DOT_BITS),
      .SUM_BITS(SUM_BITS)
    ) u_dot (
      .ap_clk, .en(en[p]), .planes(values), .total_x('0), .sum(dot), .more(unused_more)
    );
    headrace_delay #(.BITS(SUM_BITS), .CYCLES(STAGES - COUNTING - ADDING)) u_delay (
      .ap_clk, .en(en[p]), .d(dot), .q(sums[p])
    );
  end

  // LAMBDA times the sum of the activations.
  if (W_KIND == BIPOLAR) begin : gen_no_total
    assign more = '{default: '0};
  end else begin : gen_total
    logic [SIMD-1:0]            planes [A_BITS];
    logic [A_BITS-1:0]          acts_d [SIMD], acts_q [SIMD];
    logic [X_BITS-1:0]          total, late;
    logic signed [SUM_BITS-1:0] wide, addend;
    logic                       nothing [SIMD], unused_spare [1];
    logic [X_BITS-1:0]          totals [1];
    for (genvar j = 0; j < A_BITS; j++) begin : gen_decode
      headrace_parity_decode #(.SIMD(SIMD)) u_decode (.code(acts[j*SIMD+:SIMD]), .bits(planes[j]));
    end
    for (genvar s = 0; s < SIMD; s++) begin : gen_act
      for (genvar j = 0; j < A_BITS; j++) begin : gen_bit
        assign acts_d[s][j] = planes[j][s];
      end
    end
    always_ff @(posedge ap_clk) if (en[0]) acts_q <= acts_d;
    headrace_ternary_tree #(
      .LEAVES(SIMD), .LEVELS(LEVELS), .LEAF_BITS(A_BITS), .IS_SIGNED(SIGNED_A), .SUM_BITS(X_BITS)
    ) u_total (
      .ap_clk, .en(en[0]), .leaves(acts_q), .bits(nothing), .sums(totals), .spare(unused_spare)
    );
    assign nothing = '{default: 1'b0};
    assign total   = totals[0];
    headrace_delay #(.BITS(X_BITS), .CYCLES(STAGES - SUMMING)) u_delay (.ap_clk, .en(en[0]), .d(total), .q(late));
    assign wide   = SUM_BITS'(signed'({SIGNED_A && late[X_BITS-1], late}));
    if (MANY) begin : gen_times_lambda
      logic signed [SUM_BITS-1:0] addend_q;
      always_ff @(posedge ap_clk) if (en[0]) addend_q <= (wide << W_BITS) - wide;
      assign addend = addend_q;
    end else begin : gen_once
      assign addend = SIGNED_W ? ~wide : wide;
    end
    for (genvar p = 0; p < PE; p++) begin : gen_pe
      assign more[p] = addend;
    end
  end

  headrace_tags #(.BITS(TAG_BITS), .CYCLES(STAGES)) u_tags (
    .ap_clk, .ap_rst_n, .en(en[0]), .tag_in, .tag_out
  );

  if (W_BITS > 4 || A_BITS > 4 || (W_KIND == BIPOLAR && A_KIND == BIPOLAR)) begin : gen_check
    $error("dot_planes: W_BITS=%0d and A_BITS=%0d must be at most 4, and one operand no bipolar one", W_BITS, A_BITS);
  end

endmodule
