// PE dot products of SIMD weights with SIMD activations: sums[p] = sum over s of w[p][s] * a[s], or with a[p][s] where
// every row has activations of its own (A_ROWS = PE). Two bipolar operands count XNOR matches instead:
// sums[p] = #{s : w[p][s] == a[s]}.
//
// CORE chooses the arithmetic, each in a module of its own with these ports. `tag` travels beside the data, through as
// many registers as the core has.
module headrace_dot_product import headrace_pkg::*; #(
  parameter int unsigned PE       = 2,        // rows
  parameter int unsigned SIMD     = 3,        // columns
  parameter int unsigned W_BITS   = 2,        // width of a weight
  parameter int unsigned W_KIND   = SIGNED,   // kind of the weights
  parameter int unsigned A_BITS   = 2,        // width of an activation
  parameter int unsigned A_KIND   = UNSIGNED, // kind of the activations
  parameter int unsigned A_ROWS   = 1,        // rows of activations: one for all, or PE
  parameter int unsigned SUM_BITS = 8,        // width of a sum, two's complement
  parameter int unsigned TAG_BITS = 1,        // width of what travels beside; reset to zero
  parameter int unsigned CORE     = PLAIN,    // arithmetic
  parameter bit          SPLIT    = 0,        // all but PLAIN and PARITY: each sum comes as two addends
  parameter int unsigned WORDS    = 1,        // TABLES: words of weights
  parameter int unsigned W_LARGEST = 1,       // TABLES: largest weight without its sign
  parameter string       WEIGHTS_FILE = "",   // TABLES: the words
  parameter int unsigned DSP_ROWS = 1         // MIXED: rows in DSP blocks
) (
  input  logic                      ap_clk,    // clock
  input  logic                      ap_rst_n,  // synchronous reset, active low
  input  logic [PE-1:0]             en,        // moves the pipeline by one: each row's copy
  input  logic [weight_port_bits(CORE, PE*SIMD*W_BITS, WORDS)-1:0] weights,  // lanes [PE][SIMD]; PLANES:
                                               // [PE][W_BITS][SIMD]; TABLES: the number of the word,
                                               // one enabled cycle ahead
  input  logic [A_ROWS*SIMD*A_BITS-1:0] acts,  // lanes [A_ROWS][SIMD]; PLANES: [A_BITS][SIMD]
  input  logic [TAG_BITS-1:0]       tag_in,    // belongs to weights and acts
  output logic signed [SUM_BITS-1:0] sums [PE],  // one per row
  output logic signed [SUM_BITS-1:0] more [PE],  // SPLIT: the other addends, else 0
  output logic [TAG_BITS-1:0]       tag_out    // belongs to sums
);

  if (CORE == PARITY) begin : gen_parity
    headrace_dot_parity #(.PE(PE), .SIMD(SIMD), .SUM_BITS(SUM_BITS), .TAG_BITS(TAG_BITS)) u_parity (
      .ap_clk, .ap_rst_n, .en, .weights, .acts, .tag_in, .sums, .more, .tag_out
    );
  end else if (CORE == PAIRS) begin : gen_pairs
    headrace_dot_pairs #(
      .PE(PE), .SIMD(SIMD), .W_BITS(W_BITS), .W_KIND(W_KIND), .A_BITS(A_BITS), .A_KIND(A_KIND), .SUM_BITS(SUM_BITS),
      .TAG_BITS(TAG_BITS), .SPLIT(SPLIT)
    ) u_pairs (
      .ap_clk, .ap_rst_n, .en, .weights, .acts, .tag_in, .sums, .more, .tag_out
    );
  end else if (CORE == DSP) begin : gen_dsp
    headrace_dot_dsp #(
      .PE(PE), .SIMD(SIMD), .W_BITS(W_BITS), .W_KIND(W_KIND), .A_BITS(A_BITS), .A_KIND(A_KIND), .SUM_BITS(SUM_BITS),
      .TAG_BITS(TAG_BITS)
    ) u_dsp (
      .ap_clk, .ap_rst_n, .en, .weights, .acts, .tag_in, .sums, .more, .tag_out
    );
  end else if (CORE == PLANES) begin : gen_planes
    headrace_dot_planes #(
      .PE(PE), .SIMD(SIMD), .W_BITS(W_BITS), .W_KIND(W_KIND), .A_BITS(A_BITS), .A_KIND(A_KIND), .SUM_BITS(SUM_BITS),
      .TAG_BITS(TAG_BITS)
    ) u_planes (
      .ap_clk, .ap_rst_n, .en, .weights, .acts, .tag_in, .sums, .more, .tag_out
    );
  end else if (CORE == HALVES) begin : gen_halves
    headrace_dot_halves #(
      .PE(PE), .SIMD(SIMD), .W_BITS(W_BITS), .W_KIND(W_KIND), .A_BITS(A_BITS), .A_KIND(A_KIND), .SUM_BITS(SUM_BITS),
      .TAG_BITS(TAG_BITS)
    ) u_halves (
      .ap_clk, .ap_rst_n, .en, .weights, .acts, .tag_in, .sums, .more, .tag_out
    );
  end else if (CORE == TABLES) begin : gen_tables
    headrace_dot_tables #(
      .PE(PE), .SIMD(SIMD), .WORDS(WORDS), .W_KIND(W_KIND), .W_LARGEST(W_LARGEST), .A_BITS(A_BITS), .A_KIND(A_KIND),
      .SUM_BITS(SUM_BITS), .TAG_BITS(TAG_BITS), .FILE(WEIGHTS_FILE)
    ) u_tables (
      .ap_clk, .ap_rst_n, .en, .word(weights), .acts, .tag_in, .sums, .more, .tag_out
    );
  end else if (CORE == MIXED) begin : gen_mixed
    headrace_dot_mixed #(
      .PE(PE), .SIMD(SIMD), .W_BITS(W_BITS), .W_KIND(W_KIND), .A_BITS(A_BITS), .A_KIND(A_KIND), .SUM_BITS(SUM_BITS),
      .TAG_BITS(TAG_BITS), .DSP_ROWS(DSP_ROWS)
    ) u_mixed (
      .ap_clk, .ap_rst_n, .en, .weights, .acts, .tag_in, .sums, .more, .tag_out
    );
  end else if (CORE == PLAIN) begin : gen_plain
    headrace_dot_plain #(
      .PE(PE), .SIMD(SIMD), .W_BITS(W_BITS), .W_KIND(W_KIND), .A_BITS(A_BITS), .A_KIND(A_KIND), .A_ROWS(A_ROWS),
      .SUM_BITS(SUM_BITS), .TAG_BITS(TAG_BITS)
    ) u_plain (
      .ap_clk, .ap_rst_n, .en, .weights, .acts, .tag_in, .sums, .more, .tag_out
    );
  end else begin : gen_check_core
    $error("dot_product: CORE=%0d is unknown", CORE);
  end

  if (CORE != PLAIN && (A_ROWS != 1
                        || (CORE != TABLES && (CORE == PARITY) != (W_KIND == BIPOLAR && A_KIND == BIPOLAR))))
  begin : gen_check_operands
    $error("dot_product: CORE=%0d must be 0 for rows of activations, and 0, 1 or 6 for two bipolar operands", CORE);
  end
  if (core_adds_two(CORE, W_KIND, W_BITS, 1'b1) && !SPLIT) begin : gen_check_split
    $error("dot_product: CORE=%0d gives two addends", CORE);
  end
  if (A_ROWS != 1 && A_ROWS != PE) begin : gen_check_rows
    $error("dot_product: A_ROWS=%0d must be 1 or PE=%0d", A_ROWS, PE);
  end

endmodule
