// Sum of LEAVES signed numbers, four to one in each of its registered levels, or two to one where sums are wide
// (adder_radix).
//
// Invariants: with R = log2 of the numbers to one, level l holds ceil(LEAVES / 2^(R*l)) partial sums of LEAF_BITS + R*l
// bits, cut to SUM_BITS: two's complement sums stay exact as long as the total fits into SUM_BITS.
module headrace_adder_tree import headrace_pkg::*; #(
  parameter int unsigned LEAVES    = 5,  // numbers to add
  parameter int unsigned LEAF_BITS = 4,  // width of each, two's complement
  parameter int unsigned SUM_BITS  = 8   // width of the sum
) (
  input  logic                        ap_clk,           // clock
  input  logic                        en,               // moves every level by one
  input  logic signed [LEAF_BITS-1:0] leaves [LEAVES],  // numbers
  output logic signed [SUM_BITS-1:0]  sum               // their sum, adder_levels() enabled cycles later
);

  localparam int unsigned RADIX  = adder_radix(LEAVES, LEAF_BITS);
  localparam int unsigned LEVELS = adder_levels(LEAVES, LEAF_BITS);

  for (genvar l = 0; l <= LEVELS; l++) begin : gen_level
    localparam int unsigned COUNT = (LEAVES + (1 << RADIX * l) - 1) >> RADIX * l;
    localparam int unsigned BITS  = LEAF_BITS + RADIX * l < SUM_BITS ? LEAF_BITS + RADIX * l : SUM_BITS;
    logic signed [BITS-1:0] nodes [COUNT];
    if (l == 0) begin : gen_leaf
      for (genvar i = 0; i < COUNT; i++) begin : gen_node
        assign nodes[i] = leaves[i][BITS-1:0];
        if (BITS < LEAF_BITS) begin : gen_cut
          logic unused_high;
          assign unused_high = ^leaves[i][LEAF_BITS-1:BITS];
        end
      end
    end else begin : gen_sum
      localparam int unsigned BELOW = (LEAVES + (1 << RADIX * (l - 1)) - 1) >> RADIX * (l - 1);
      localparam int unsigned SHARE = 1 << RADIX;
      logic signed [BITS-1:0] totals [COUNT];
      for (genvar i = 0; i < COUNT; i++) begin : gen_node
        logic signed [BITS-1:0] total;
        always_comb begin
          total = '0;
          for (int unsigned c = SHARE * i; c < SHARE * i + SHARE && c < BELOW; c++) begin
            total = total + BITS'(gen_level[l-1].nodes[c]);
          end
        end
        assign totals[i] = total;
      end
      always_ff @(posedge ap_clk) if (en) nodes <= totals;
    end
  end

  assign sum = SUM_BITS'(gen_level[LEVELS].nodes[0]);

  if (LEVELS == 0) begin : gen_no_level
    logic unused_clock;
    assign unused_clock = ap_clk ^ en;
  end

  if (LEAVES < 1 || LEAF_BITS < 1 || SUM_BITS < 1) begin : gen_check
    $error("adder_tree: LEAVES=%0d, LEAF_BITS=%0d and SUM_BITS=%0d must be at least 1", LEAVES, LEAF_BITS, SUM_BITS);
  end

endmodule
