// XNOR matches by free parity: sums[p] = #{s : w[p][s] == a[s]} = 2 * (ones among the carries) + parity.
//
// The pairs are r ^ s with r from the complements of the weights and s from the activations, both recoded (see
// parity_encode). Nothing is carried from word to word: the root's own leaf is 0.
module headrace_dot_parity import headrace_pkg::*; #(
  parameter int unsigned PE       = 2,  // rows
  parameter int unsigned SIMD     = 8,  // columns
  parameter int unsigned SUM_BITS = 8,  // width of a sum
  parameter int unsigned TAG_BITS = 1   // width of what travels beside
) (
  input  logic                       ap_clk,    // clock
  input  logic                       ap_rst_n,  // synchronous reset, active low
  input  logic [PE-1:0]              en,        // moves the pipeline by one: each row's copy
  input  logic [PE*SIMD-1:0]         weights,   // recoded complements, lanes [PE][SIMD]
  input  logic [SIMD-1:0]            acts,      // recoded
  input  logic [TAG_BITS-1:0]        tag_in,    // belongs to weights and acts
  output logic signed [SUM_BITS-1:0] sums [PE], // one per row
  output logic signed [SUM_BITS-1:0] more [PE], // 0
  output logic [TAG_BITS-1:0]        tag_out    // belongs to sums
);

  localparam int unsigned M          = (SIMD + 1) / 2;
  localparam int unsigned ROOT       = SIMD > 1 ? SIMD - 2 : 0;  // the root's first input in a word
  localparam int unsigned COUNT_BITS = $clog2(M + 1);
  localparam int unsigned STAGES     = count_stages(M);

  for (genvar p = 0; p < PE; p++) begin : gen_pe
    logic [SIMD-1:0]       r;
    logic [M-1:0]          carries;
    logic [COUNT_BITS-1:0] count;
    logic [STAGES-1:0]     parity_q;
    assign r = weights[p*SIMD+:SIMD];
    headrace_parity_carries #(.SIMD(SIMD)) u_carries (.r, .s(acts), .root_r(1'b1), .root_s(1'b0), .carries);
    headrace_ones_count #(.BITS(M), .SUM_BITS(COUNT_BITS)) u_count (.ap_clk, .en(en[p]), .bits(carries), .count);
    always_ff @(posedge ap_clk) begin
      if (en[p]) parity_q <= STAGES'({parity_q, ^r[SIMD-1:ROOT] ^ ^acts[SIMD-1:ROOT]});
    end
    assign sums[p] = SUM_BITS'({count, parity_q[STAGES-1]});
  end

  assign more = '{default: '0};

  headrace_tags #(.BITS(TAG_BITS), .CYCLES(STAGES)) u_tags (.ap_clk, .ap_rst_n, .en(en[0]), .tag_in, .tag_out);

  if (SUM_BITS < 2) begin : gen_check
    $error("dot_parity: SUM_BITS=%0d must be at least 2", SUM_BITS);
  end

endmodule
