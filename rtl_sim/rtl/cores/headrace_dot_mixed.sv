// Dot products of which some rows are in DSP blocks and the others in LUTs: sums[p] + more[p] = sum over s of
// w[p][s] * a[s], and one more for the latter where core_adds_one() says so.
//
// The first DSP_ROWS rows are those of headrace_dot_dsp, so their weights come unsigned by its offset; the others are
// those of headrace_dot_pairs, or of headrace_dot_halves where weights are wider. Products in DSP blocks take at least
// as many cycles as the sums of the others, which wait for them.
module headrace_dot_mixed import headrace_pkg::*; #(
  parameter int unsigned PE       = 4,        // rows
  parameter int unsigned SIMD     = 2,        // columns
  parameter int unsigned W_BITS   = 4,        // width of a weight, 2 to 8
  parameter int unsigned W_KIND   = SIGNED,   // kind of the weights
  parameter int unsigned A_BITS   = 4,        // width of an activation, at least 2
  parameter int unsigned A_KIND   = UNSIGNED, // kind of the activations
  parameter int unsigned SUM_BITS = 16,       // width of a sum, two's complement
  parameter int unsigned TAG_BITS = 1,        // width of what travels beside
  parameter int unsigned DSP_ROWS = 2         // rows in DSP blocks, fewer than PE
) (
  input  logic                       ap_clk,    // clock
  input  logic                       ap_rst_n,  // synchronous reset, active low
  input  logic [PE-1:0]              en,        // moves the pipeline by one: each row's copy
  input  logic [PE*SIMD*W_BITS-1:0]  weights,   // lanes [PE][SIMD], the first DSP_ROWS rows unsigned by their offset
  input  logic [SIMD*A_BITS-1:0]     acts,      // lanes [SIMD]
  input  logic [TAG_BITS-1:0]        tag_in,    // belongs to weights and acts
  output logic signed [SUM_BITS-1:0] sums [PE], // one per row
  output logic signed [SUM_BITS-1:0] more [PE], // the other addends
  output logic [TAG_BITS-1:0]        tag_out    // belongs to sums
);

  localparam int unsigned ROWS  = PE - DSP_ROWS;  // of the others
  localparam int unsigned FIRST = DSP_ROWS * SIMD * W_BITS;  // bit of their weights
  localparam bit          WIDE  = W_BITS > PAIR_PLANES;
  localparam bit          SPLIT = W_BITS % 2 == 0;
  localparam int unsigned EARLY = WIDE ? pair_stages(SIMD, A_BITS, PAIR_PLANES, UNSIGNED, 1'b0)
                                       : pair_stages(SIMD, A_BITS, W_BITS, W_KIND, SPLIT);
  localparam int unsigned WAIT  = PRODUCT_STAGES + ternary_levels(SIMD) - EARLY;  // at most 3

  logic signed [SUM_BITS-1:0] block_sums [DSP_ROWS], block_more [DSP_ROWS];
  headrace_dot_dsp #(
    .PE(DSP_ROWS), .SIMD(SIMD), .W_BITS(W_BITS), .W_KIND(W_KIND), .A_BITS(A_BITS), .A_KIND(A_KIND),
    .SUM_BITS(SUM_BITS), .TAG_BITS(TAG_BITS)
  ) u_blocks (
    .ap_clk, .ap_rst_n, .en(en[DSP_ROWS-1:0]), .weights(weights[FIRST-1:0]), .acts, .tag_in, .sums(block_sums),
    .more(block_more), .tag_out
  );
  for (genvar p = 0; p < DSP_ROWS; p++) begin : gen_block
    assign sums[p] = block_sums[p];
    assign more[p] = block_more[p];
  end

  logic signed [SUM_BITS-1:0] early_sums [ROWS], early_more [ROWS];
  logic                       unused_tag;
  if (WIDE) begin : gen_halves
    headrace_dot_halves #(
      .PE(ROWS), .SIMD(SIMD), .W_BITS(W_BITS), .W_KIND(W_KIND), .A_BITS(A_BITS), .A_KIND(A_KIND), .SUM_BITS(SUM_BITS)
    ) u_luts (
      .ap_clk, .ap_rst_n, .en(en[PE-1:DSP_ROWS]), .weights(weights[PE*SIMD*W_BITS-1:FIRST]), .acts, .tag_in(1'b0),
      .sums(early_sums), .more(early_more), .tag_out(unused_tag)
    );
  end else begin : gen_pairs
    headrace_dot_pairs #(
      .PE(ROWS), .SIMD(SIMD), .W_BITS(W_BITS), .W_KIND(W_KIND), .A_BITS(A_BITS), .A_KIND(A_KIND), .SUM_BITS(SUM_BITS),
      .SPLIT(SPLIT)
    ) u_luts (
      .ap_clk, .ap_rst_n, .en(en[PE-1:DSP_ROWS]), .weights(weights[PE*SIMD*W_BITS-1:FIRST]), .acts, .tag_in(1'b0),
      .sums(early_sums), .more(early_more), .tag_out(unused_tag)
    );
  end

  // A register with a reset among them keeps all of them, and those in front, out of LUTs that shift.
  for (genvar p = 0; p < ROWS; p++) begin : gen_wait
    logic [2*SUM_BITS-1:0] early, waited, late;
    headrace_delay #(.BITS(2 * SUM_BITS), .CYCLES(WAIT > 2 ? WAIT - 2 : 0)) u_early (
      .ap_clk, .en(en[DSP_ROWS+p]), .d({early_more[p], early_sums[p]}), .q(early)
    );
    if (WAIT > 0) begin : gen_reset
      headrace_tags #(.BITS(2 * SUM_BITS), .CYCLES(1)) u_reset (
        .ap_clk, .ap_rst_n, .en(en[DSP_ROWS+p]), .tag_in(early), .tag_out(waited)
      );
    end else begin : gen_in_time
      assign waited = early;
    end
    headrace_delay #(.BITS(2 * SUM_BITS), .CYCLES(WAIT > 1 ? 1 : 0)) u_late (
      .ap_clk, .en(en[DSP_ROWS+p]), .d(waited), .q(late)
    );
    assign {more[DSP_ROWS+p], sums[DSP_ROWS+p]} = late;
  end

  if (DSP_ROWS >= PE || W_BITS < 2 || W_BITS > 8 || A_BITS < 2 || DSP_ROWS * (W_BITS + A_BITS) < 9) begin : gen_check
    $error("dot_mixed: DSP_ROWS=%0d of PE=%0d rows, of weights of W_BITS=%0d and activations of A_BITS=%0d, must be in DSP blocks",
           DSP_ROWS, PE, W_BITS, A_BITS);
  end

endmodule
