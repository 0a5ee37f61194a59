// Dot products in DSP blocks: LANES rows share one product of a 27 bit and an 18 bit factor, sums[p] + more[p] = sum
// over s of w[p][s] * a[s].
//
// The weights come with an offset that makes them unsigned, v = w + 2^(W_BITS-1), so that v_0 + v_1 * 2^STRIDE + ... is
// the concatenation of LANES weights. A lane's product takes FIELD = W_BITS + A_BITS bits, and its digit of the wide
// product is the product plus the carry, or minus the borrow, of the lane below:
//   activations two's complement: STRIDE = FIELD, and the borrow is the sign of the digit below;
//   unsigned ones: no carry, or, where one more lane then fits, STRIDE = FIELD - 1: the carry k_i out of digit i shows
//   in the lowest bit of digit i + 1, which is else v_(i+1)[0] & a[0].
// `more` takes back the offset and, with overlapping lanes, what ones there are for the complements of the carries.
module headrace_dot_dsp import headrace_pkg::*; #(
  parameter int unsigned PE       = 4,        // rows
  parameter int unsigned SIMD     = 2,        // columns
  parameter int unsigned W_BITS   = 4,        // width of a weight
  parameter int unsigned W_KIND   = SIGNED,   // kind of the weights; the signed ones with the offset added
  parameter int unsigned A_BITS   = 4,        // width of an activation
  parameter int unsigned A_KIND   = UNSIGNED, // kind of the activations
  parameter int unsigned SUM_BITS = 16,       // width of a sum, two's complement
  parameter int unsigned TAG_BITS = 1         // width of what travels beside
) (
  input  logic                       ap_clk,    // clock
  input  logic                       ap_rst_n,  // synchronous reset, active low
  input  logic [PE-1:0]              en,        // moves the pipeline by one: each row's copy
  input  logic [PE*SIMD*W_BITS-1:0]  weights,   // lanes [PE][SIMD], unsigned by their offset
  input  logic [SIMD*A_BITS-1:0]     acts,      // lanes [SIMD]
  input  logic [TAG_BITS-1:0]        tag_in,    // belongs to weights and acts
  output logic signed [SUM_BITS-1:0] sums [PE], // one per row, PRODUCT + LEVELS enabled cycles later
  output logic signed [SUM_BITS-1:0] more [PE], // the other addend
  output logic [TAG_BITS-1:0]        tag_out    // belongs to sums
);

  localparam int unsigned LEVELS   = ternary_levels(SIMD);
  localparam bit          SIGNED_A = A_KIND == SIGNED;
  localparam int unsigned FIELD    = W_BITS + A_BITS;
  localparam int unsigned APART    = 1 + (26 - W_BITS) / FIELD;        // lanes that do not overlap
  localparam int unsigned CLOSE    = 1 + (26 - W_BITS) / (FIELD - 1);  // lanes that overlap by one bit
  localparam bit          OVERLAP  = !SIGNED_A && SIMD % 2 == 0 && (PE + CLOSE - 1) / CLOSE < (PE + APART - 1) / APART;
  localparam int unsigned LANES    = OVERLAP ? CLOSE : APART;
  localparam int unsigned STRIDE   = OVERLAP ? FIELD - 1 : FIELD;
  localparam int unsigned TOGETHER = PE < LANES ? PE : LANES;
  localparam bit          BLOCKS   = A_BITS > 1 && STRIDE * (TOGETHER - 1) + FIELD >= 9;  // LUTs multiply less
  localparam int unsigned PRODUCT  = BLOCKS ? PRODUCT_STAGES : 1;
  localparam int unsigned X_BITS   = A_BITS + $clog2(3 ** LEVELS);      // sum of all activations
  localparam int unsigned TOTAL_BITS = FIELD + X_BITS - A_BITS;         // sum of a row's digits

  // Sum of the activations, in step with the products.
  logic [A_BITS-1:0] acts_d [SIMD], acts_q [SIMD];
  logic [SIMD-1:0]   acts_low, act_odd;  // their lowest bits, now and as late as the products
  logic [X_BITS-1:0] total_x, total_late;
  logic [X_BITS-1:0] totals [1];
  logic              nothing [SIMD], unused_spare [1];
  for (genvar s = 0; s < SIMD; s++) begin : gen_act
    assign acts_d[s]   = acts[s*A_BITS+:A_BITS];
    assign acts_low[s] = acts_q[s][0];
  end
  headrace_delay #(.BITS(SIMD), .CYCLES(PRODUCT - 1)) u_odd (.ap_clk, .en(en[0]), .d(acts_low), .q(act_odd));
  always_ff @(posedge ap_clk) if (en[0]) acts_q <= acts_d;
  headrace_ternary_tree #(
    .LEAVES(SIMD), .LEVELS(LEVELS), .LEAF_BITS(A_BITS), .IS_SIGNED(SIGNED_A), .SUM_BITS(X_BITS)
  ) u_total (
    .ap_clk, .en(en[0]), .leaves(acts_q), .bits(nothing), .sums(totals), .spare(unused_spare)
  );
  assign nothing = '{default: 1'b0};
  assign total_x = totals[0];
  logic signed [SUM_BITS-1:0] offset, back;  // `back` is even: its lowest bit is free
  // Behind the tree its sum and what is taken back have registers, so that they are as late as the products.
  headrace_delay #(.BITS(X_BITS), .CYCLES(BLOCKS ? 1 : 0)) u_total_late (
    .ap_clk, .en(en[0]), .d(total_x), .q(total_late)
  );
  headrace_delay #(.BITS(SUM_BITS), .CYCLES(BLOCKS ? 1 : 0)) u_back (
    .ap_clk, .en(en[0]), .d(-SUM_BITS'(OVERLAP ? SIMD : 0) - offset), .q(back)
  );
  assign offset = W_KIND == SIGNED ? SUM_BITS'(signed'({SIGNED_A && total_late[X_BITS-1], total_late})) << (W_BITS - 1) : '0;

  logic unused_en;  // rows of a group have that of the first
  assign unused_en = ^en;

  for (genvar g = 0; g < (PE + LANES - 1) / LANES; g++) begin : gen_group
    localparam int unsigned ROWS = PE - g * LANES < LANES ? PE - g * LANES : LANES;
    localparam int unsigned P_BITS = STRIDE * (ROWS - 1) + FIELD;
    localparam bit          BLOCK  = BLOCKS && P_BITS >= 9;
    logic signed [26:0]    factors [SIMD];
    logic [P_BITS-1:0]     products [SIMD];
    logic [ROWS*SIMD-1:0]  odd;                 // OVERLAP: lowest bits of the weights of all rows but the first
    logic [FIELD-1:0]      digits [ROWS*SIMD];  // row by row
    logic                  ones [ROWS*SIMD];    // single bits that belong to the digits
    logic [TOTAL_BITS-1:0] row_sums [ROWS];
    logic                  spare [ROWS];

    if (OVERLAP && ROWS > 1) begin : gen_odd
      logic [(ROWS-1)*SIMD-1:0] now, late;
      always_comb begin
        for (int unsigned k = 0; k < (ROWS - 1) * SIMD; k++) now[k] = weights[((g*LANES+1)*SIMD+k)*W_BITS];
      end
      headrace_tags #(.BITS((ROWS - 1) * SIMD), .CYCLES(PRODUCT)) u_late (  // its reset keeps it out of LUTs that shift
        .ap_clk, .ap_rst_n, .en(en[g*LANES]), .tag_in(now), .tag_out(late)
      );
      assign odd = (ROWS*SIMD)'(late);
    end else begin : gen_not_odd
      assign odd = '0;
    end

    always_comb begin
      for (int unsigned s = 0; s < SIMD; s++) begin
        factors[s] = '0;
        for (int unsigned i = 0; i < ROWS; i++) begin
          factors[s] |= 27'(weights[((g*LANES+i)*SIMD+s)*W_BITS+:W_BITS]) << (i * STRIDE);
        end
      end
    end
    for (genvar s = 0; s < SIMD; s++) begin : gen_column
      logic signed [17:0] act;
      assign act = 18'(signed'({SIGNED_A && acts[s*A_BITS+A_BITS-1], acts[s*A_BITS+:A_BITS]}));
      if (BLOCK) begin : gen_block
        headrace_multiplier #(.A_BITS(27), .B_BITS(18), .P_BITS(P_BITS)) u_product (
          .ap_clk, .en(en[g*LANES]), .a(factors[s]), .b(act), .c('0), .product(products[s])
        );
      end else begin : gen_luts
        headrace_delay #(.BITS(P_BITS), .CYCLES(PRODUCT)) u_product (
          .ap_clk, .en(en[g*LANES]), .d(P_BITS'(factors[s] * act)), .q(products[s])
        );
      end
    end

    always_comb begin
      logic high, below;  // of a digit; of that below, where lanes overlap the complement of the carry out of it
      for (int unsigned s = 0; s < SIMD; s++) begin
        below = OVERLAP;
        for (int unsigned i = 0; i < ROWS; i++) begin
          high = products[s][STRIDE*i+FIELD-1];
          if (OVERLAP && i + 1 < ROWS) high = !(high ^ (odd[i*SIMD+s] & act_odd[s]));
          digits[i*SIMD+s] = {high, products[s][STRIDE*i+:FIELD-1]};
          ones[i*SIMD+s]   = below;
          below = OVERLAP ? high : SIGNED_A && products[s][STRIDE*i+STRIDE-1];
        end
      end
    end

    headrace_ternary_tree #(
      .TREES(ROWS), .LEAVES(SIMD), .LEVELS(LEVELS), .LEAF_BITS(FIELD), .IS_SIGNED(SIGNED_A),
      .FLIPS(ROWS'(OVERLAP ? (1 << (ROWS - 1)) - 1 : 0)), .SINGLES(OVERLAP || SIGNED_A), .SUM_BITS(TOTAL_BITS)
    ) u_trees (
      .ap_clk, .en(en[g*LANES]), .leaves(digits), .bits(ones), .sums(row_sums), .spare
    );
    for (genvar i = 0; i < ROWS; i++) begin : gen_sum
      assign sums[g*LANES+i] = SUM_BITS'(signed'({SIGNED_A && row_sums[i][TOTAL_BITS-1], row_sums[i]}));
      assign more[g*LANES+i] = back | SUM_BITS'(spare[i]);
    end
  end

  headrace_tags #(.BITS(TAG_BITS), .CYCLES(PRODUCT + LEVELS)) u_tags (
    .ap_clk, .ap_rst_n, .en(en[0]), .tag_in, .tag_out
  );

  if (W_KIND == BIPOLAR || A_KIND == BIPOLAR || W_BITS < 2 || LANES < 2 || A_BITS > 17) begin : gen_check
    $error("dot_dsp: weights of W_BITS=%0d and activations of A_BITS=%0d do not share a multiplier", W_BITS, A_BITS);
  end

endmodule
