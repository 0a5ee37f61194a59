// Dot products by tables of constants (distributed arithmetic: Croisier et al., 1973; White, 1989), for weights that
// stay and few words of them: what a handful of bits of the activations add up to is a function of these bits and of
// the number of the word, as wide as one LUT. No memory holds the weights.
//
// Of each bit plane of the activations, GROUP neighbouring columns make a table: the sum of |w| over the columns whose
// bit differs from the sign of w, which is never negative (registered). A ternary tree adds the tables of a plane, and
// the planes add up with their powers of two, four of them at a time; those of a sign count with the signs of the
// weights reversed:
//   sums[p] + more[p] = dot product + sum over the planes of their powers of two times what was left out,
// which depends on the weights alone and belongs to the thresholds. Bipolar activations count twice their bits. Two
// bipolar operands count matches, and nothing is left out.
module headrace_dot_tables import headrace_pkg::*; #(
  parameter int unsigned PE        = 2,        // rows
  parameter int unsigned SIMD      = 8,        // columns
  parameter int unsigned WORDS     = 4,        // words of weights, at most 32
  parameter int unsigned W_KIND    = SIGNED,   // kind of the weights
  parameter int unsigned W_LARGEST = 2,        // largest weight without its sign
  parameter int unsigned A_BITS    = 2,        // width of an activation, at most 8
  parameter int unsigned A_KIND    = UNSIGNED, // kind of the activations
  parameter int unsigned SUM_BITS  = 8,        // width of a sum, two's complement
  parameter int unsigned TAG_BITS  = 1,        // width of what travels beside
  parameter string       FILE      = ""        // words of weights in hexadecimal, lanes [PE][sign, magnitude][SIMD]
) (
  input  logic                         ap_clk,    // clock
  input  logic                         ap_rst_n,  // synchronous reset, active low
  input  logic [PE-1:0]                en,        // moves the pipeline by one: each row's copy
  input  logic [index_bits(WORDS)-1:0] word,      // number of the word, one enabled cycle ahead
  input  logic [SIMD*A_BITS-1:0]       acts,      // lanes [SIMD]
  input  logic [TAG_BITS-1:0]          tag_in,    // belongs to acts
  output logic signed [SUM_BITS-1:0]   sums [PE], // one per row
  output logic signed [SUM_BITS-1:0]   more [PE], // the other addends
  output logic [TAG_BITS-1:0]          tag_out    // belongs to sums
);

  localparam int unsigned GROUP       = table_columns(WORDS);
  localparam int unsigned NUMBER_BITS = index_bits(WORDS);
  localparam int unsigned COUNT       = (SIMD + GROUP - 1) / GROUP;
  localparam int unsigned MAGNITUDE   = $clog2(W_LARGEST + 1);            // bits of a weight without its sign
  localparam int unsigned ROW_BITS    = (1 + MAGNITUDE) * SIMD;
  localparam int unsigned LEAF_BITS   = $clog2(GROUP * W_LARGEST + 1);
  localparam int unsigned LEVELS      = ternary_levels(COUNT);
  localparam int unsigned TREE_BITS   = LEAF_BITS + $clog2(3 ** LEVELS);  // sum of a plane
  localparam int unsigned WIDE_BITS   = TREE_BITS + A_BITS + 1;           // sum of all planes, two's complement
  localparam int unsigned DOT_BITS    = WIDE_BITS < SUM_BITS ? WIDE_BITS : SUM_BITS;
  localparam int unsigned LOW         = A_BITS > 4 ? 4 : A_BITS;          // planes of the first addend
  localparam int unsigned HIGH        = A_BITS - LOW;                     // and of the second one
  localparam bit          SPLIT       = HIGH == 0 && LOW % 2 == 0;
  localparam int unsigned SUMMING     = plane_sum_stages(LOW, UNSIGNED, SPLIT);
  localparam bit          TWICE       = A_KIND == BIPOLAR && W_KIND != BIPOLAR;

  // Constants to synthesis: an array only so that a file can name them. See headrace_rom.sv for the styles.
  (* ram_style = "registers", rom_style = "distributed" *)
  logic [PE*ROW_BITS-1:0] words [WORDS];
  logic [PE*ROW_BITS-1:0] constants [WORDS];
  initial $readmemh(FILE, words);
  for (genvar k = 0; k < WORDS; k++) begin : gen_word
    assign constants[k] = words[k];
  end

  // The bit planes of the activations.
  logic [COUNT*GROUP-1:0] planes [A_BITS];
  for (genvar j = 0; j < A_BITS; j++) begin : gen_plane
    localparam bit NEGATIVE = A_KIND == SIGNED && j == A_BITS - 1;
    for (genvar s = 0; s < COUNT * GROUP; s++) begin : gen_column
      if (s < SIMD) begin : gen_bit
        assign planes[j][s] = acts[s*A_BITS+j] ^ NEGATIVE;
      end else begin : gen_missing
        assign planes[j][s] = 1'b0;
      end
    end
  end

  for (genvar p = 0; p < PE; p++) begin : gen_pe
    logic [NUMBER_BITS-1:0]     number;
    logic [ROW_BITS-1:0]        weights;
    logic [COUNT*GROUP-1:0]     sign, magnitude [MAGNITUDE];
    logic [LEAF_BITS-1:0]       leaves [A_BITS*COUNT], leaves_q [A_BITS*COUNT];
    logic [TREE_BITS-1:0]       counts [A_BITS];
    logic                       nothing [A_BITS*COUNT], unused_spare [A_BITS];
    logic signed [SUM_BITS-1:0] sum, other;
    assign nothing = '{default: 1'b0};
    // Of its own: rows that had it together would share parts of their tables, which then take more than a LUT each.
    headrace_own_register #(.BITS(NUMBER_BITS)) u_number (.ap_clk, .clear(1'b0), .en(en[p]), .d(word), .q(number));
    assign weights = constants[WORDS > 1 ? number : '0][p*ROW_BITS+:ROW_BITS];
    assign sign    = (COUNT*GROUP)'(weights[SIMD-1:0]);
    for (genvar m = 0; m < MAGNITUDE; m++) begin : gen_magnitude
      assign magnitude[m] = (COUNT*GROUP)'(weights[(1+m)*SIMD+:SIMD]);
    end
    headrace_weight_tables #(
      .PLANES(A_BITS), .COUNT(COUNT), .GROUP(GROUP), .MAGNITUDE(MAGNITUDE), .BITS(LEAF_BITS)
    ) u_tables (.planes, .sign, .magnitude, .sums(leaves));
    always_ff @(posedge ap_clk) if (en[p]) leaves_q <= leaves;
    headrace_ternary_tree #(
      .TREES(A_BITS), .LEAVES(COUNT), .LEVELS(LEVELS), .LEAF_BITS(LEAF_BITS), .IS_SIGNED(0), .SUM_BITS(TREE_BITS)
    ) u_trees (
      .ap_clk, .en(en[p]), .leaves(leaves_q), .bits(nothing), .sums(counts), .spare(unused_spare)
    );
    headrace_plane_sum #(
      .BIT_PLANES(LOW), .BITS(TREE_BITS), .IS_SIGNED(0), .W_KIND(UNSIGNED), .DOT_BITS(DOT_BITS), .SUM_BITS(SUM_BITS),
      .SPLIT(SPLIT)
    ) u_sum (
      .ap_clk, .en(en[p]), .planes(counts[0:LOW-1]), .total_x('0), .sum, .more(other)
    );
    if (HIGH > 0) begin : gen_high
      logic signed [SUM_BITS-1:0] high, unused_more;
      logic        [SUM_BITS-1:0] waited;
      logic                       unused_other;
      headrace_plane_sum #(
        .BIT_PLANES(HIGH), .BITS(TREE_BITS), .IS_SIGNED(0), .W_KIND(UNSIGNED), .DOT_BITS(DOT_BITS), .SUM_BITS(SUM_BITS)
      ) u_sum (
        .ap_clk, .en(en[p]), .planes(counts[LOW:A_BITS-1]), .total_x('0), .sum(high), .more(unused_more)
      );
      headrace_delay #(.BITS(SUM_BITS), .CYCLES(SUMMING - plane_sum_stages(HIGH, UNSIGNED, 1'b0))) u_wait (
        .ap_clk, .en(en[p]), .d(high), .q(waited)
      );
      assign more[p]      = signed'(waited) <<< LOW;
      assign unused_other = ^other;
    end else begin : gen_low
      assign more[p] = other;
    end
    assign sums[p] = TWICE ? sum <<< 1 : sum;
  end

  headrace_tags #(.BITS(TAG_BITS), .CYCLES(1 + LEVELS + SUMMING)) u_tags (
    .ap_clk, .ap_rst_n, .en(en[0]), .tag_in, .tag_out
  );

  if (WORDS > 32 || A_BITS > 8) begin : gen_check
    $error("dot_tables: WORDS=%0d must be at most 32 and A_BITS=%0d at most 8", WORDS, A_BITS);
  end

endmodule
