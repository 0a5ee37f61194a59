// PE dot products of SIMD weights with SIMD activations: sums[p] = sum over s of w[p][s] * a[s], or with a[p][s] where
// every row has activations of its own (A_ROWS = PE). Two bipolar operands count XNOR matches instead:
// sums[p] = #{s : w[p][s] == a[s]}.
//
// CORE chooses the arithmetic, each in a module of its own. `tag` travels beside the data.
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
  parameter bit          SPLIT    = 0         // PAIRS, DSP, PLANES: each sum comes as two addends
) (
  input  logic                      ap_clk,    // clock
  input  logic                      ap_rst_n,  // synchronous reset, active low
  input  logic                      en,        // moves the pipeline by one
  input  logic [PE*SIMD*W_BITS-1:0] weights,   // lanes [PE][SIMD]; PLANES: [PE][W_BITS][SIMD]
  input  logic [A_ROWS*SIMD*A_BITS-1:0] acts,  // lanes [A_ROWS][SIMD]; PLANES: [A_BITS][SIMD]
  input  logic [TAG_BITS-1:0]       tag_in,    // belongs to weights and acts
  output logic signed [SUM_BITS-1:0] sums [PE],  // one per row
  output logic signed [SUM_BITS-1:0] more [PE],  // SPLIT: the other addends, else 0
  output logic [TAG_BITS-1:0]       tag_out    // belongs to sums
);

  // Stages of ones_count with half as many carries as columns, of a ternary tree, and of dot_plain.
  localparam int unsigned GROUPS = ((SIMD + 1) / 2 + 8) / 8;
  localparam int unsigned QUADS  = (SIMD + 3) / 4;
  localparam int unsigned THREES = CORE == PAIRS ? QUADS : SIMD;  // leaves of ternary trees
  localparam int unsigned LEVELS = THREES <= 1 ? 0 : THREES <= 3 ? 1 : THREES <= 9 ? 2 : THREES <= 27 ? 3
                                 : THREES <= 81 ? 4 : THREES <= 243 ? 5 : THREES <= 729 ? 6 : 7;
  localparam bit          BINARY = W_KIND == BIPOLAR && A_KIND == BIPOLAR;
  localparam int unsigned LEAVES = BINARY ? (SIMD + 31) / 32
                                 : W_KIND == BIPOLAR || A_KIND == BIPOLAR ? SIMD : SIMD * ((A_BITS + 25) / 26);
  // Planes are counted and added up twice, while the sum of the activations is made.
  localparam int unsigned COUNTING = 1 + ($clog2(GROUPS) + 1) / 2;
  localparam int unsigned ADDING   = COUNTING + (A_BITS > 1 || A_KIND == SIGNED ? 1 : 0)
                                   + (W_BITS > 1 || W_KIND == SIGNED ? 1 : 0);
  localparam int unsigned STAGES = CORE == PARITY ? COUNTING
                                 : CORE == PAIRS ? 1 + LEVELS + (W_BITS > 1 || W_KIND != UNSIGNED ? 1 : 0)
                                 : CORE == DSP ? 1 + LEVELS
                                 : CORE == PLANES ? (W_KIND == BIPOLAR || ADDING > 1 + LEVELS ? ADDING : 1 + LEVELS)
                                 : 1 + ($clog2(LEAVES) + 1) / 2;

  if (CORE == PARITY) begin : gen_parity
    assign more = '{default: '0};
    headrace_dot_parity #(.PE(PE), .SIMD(SIMD), .SUM_BITS(SUM_BITS)) u_parity (
      .ap_clk, .en, .weights, .acts, .sums
    );
  end else if (CORE == PAIRS) begin : gen_pairs
    headrace_dot_pairs #(
      .PE(PE), .SIMD(SIMD), .W_BITS(W_BITS), .W_KIND(W_KIND), .A_BITS(A_BITS), .A_KIND(A_KIND), .SUM_BITS(SUM_BITS),
      .LEVELS(LEVELS), .SPLIT(SPLIT)
    ) u_pairs (
      .ap_clk, .en, .weights, .acts, .sums, .more
    );
  end else if (CORE == DSP) begin : gen_dsp
    headrace_dot_dsp #(
      .PE(PE), .SIMD(SIMD), .W_BITS(W_BITS), .W_KIND(W_KIND), .A_BITS(A_BITS), .A_KIND(A_KIND), .SUM_BITS(SUM_BITS),
      .LEVELS(LEVELS)
    ) u_dsp (
      .ap_clk, .en, .weights, .acts, .sums, .more
    );
  end else if (CORE == PLANES) begin : gen_planes
    headrace_dot_planes #(
      .PE(PE), .SIMD(SIMD), .W_BITS(W_BITS), .W_KIND(W_KIND), .A_BITS(A_BITS), .A_KIND(A_KIND), .SUM_BITS(SUM_BITS),
      .STAGES(STAGES), .LEVELS(LEVELS)
    ) u_planes (
      .ap_clk, .en, .weights, .acts, .sums, .more
    );
  end else begin : gen_plain
    assign more = '{default: '0};
    headrace_dot_plain #(
      .PE(PE), .SIMD(SIMD), .W_BITS(W_BITS), .W_KIND(W_KIND), .A_BITS(A_BITS), .A_KIND(A_KIND), .A_ROWS(A_ROWS),
      .SUM_BITS(SUM_BITS)
    ) u_plain (
      .ap_clk, .en, .weights, .acts, .sums
    );
  end

  logic [STAGES*TAG_BITS-1:0] tags_q;
  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) tags_q <= '0;
    else if (en) tags_q <= (STAGES*TAG_BITS)'({tags_q, tag_in});
  end
  assign tag_out = tags_q[(STAGES-1)*TAG_BITS+:TAG_BITS];

  if (CORE > PLANES || (CORE != PLAIN && (A_ROWS != 1 || (CORE == PARITY) != BINARY))) begin : gen_check_core
    $error("dot_product: CORE=%0d must be 0 to 4, 0 for rows of activations; two bipolar operands take 0 or 1", CORE);
  end
  if ((CORE == DSP || (CORE == PLANES && W_KIND != BIPOLAR)) && !SPLIT) begin : gen_check_split
    $error("dot_product: CORE=%0d gives two addends", CORE);
  end
  if (A_ROWS != 1 && A_ROWS != PE) begin : gen_check_rows
    $error("dot_product: A_ROWS=%0d must be 1 or PE=%0d", A_ROWS, PE);
  end

endmodule
