// Sum of LEAVES signed numbers, four to one in each of ceil(log4(LEAVES)) registered levels.
//
// Invariants: level l holds ceil(LEAVES / 4^l) partial sums of LEAF_BITS + 2*l bits, cut to SUM_BITS: two's complement
// sums stay exact as long as the total fits into SUM_BITS.
module adder_tree #(
  parameter int unsigned LEAVES    = 5,  // numbers to add
  parameter int unsigned LEAF_BITS = 4,  // width of each, two's complement
  parameter int unsigned SUM_BITS  = 8   // width of the sum
) (
  input  logic                               ap_clk,  // clock
  input  logic                               en,      // moves every level by one
  input  logic        [LEAVES*LEAF_BITS-1:0] leaves,  // numbers, the first in the low bits
  output logic signed [SUM_BITS-1:0]         sum      // their sum, ceil(log4(LEAVES)) enabled cycles later
);

  localparam int unsigned LEVELS = ($clog2(LEAVES) + 1) / 2;

  for (genvar l = 0; l <= LEVELS; l++) begin : gen_level
    localparam int unsigned COUNT = (LEAVES + 4 ** l - 1) / 4 ** l;
    localparam int unsigned BITS  = LEAF_BITS + 2 * l < SUM_BITS ? LEAF_BITS + 2 * l : SUM_BITS;
    logic [COUNT*BITS-1:0] nodes;
    if (l == 0) begin : gen_leaf
      for (genvar i = 0; i < COUNT; i++) begin : gen_node
        assign nodes[i*BITS+:BITS] = leaves[i*LEAF_BITS+:BITS];
        if (BITS < LEAF_BITS) begin : gen_cut
          logic unused_high;
          assign unused_high = ^leaves[i*LEAF_BITS+BITS+:LEAF_BITS-BITS];
        end
      end
    end else begin : gen_sum
      localparam int unsigned BELOW      = (LEAVES + 4 ** (l - 1) - 1) / 4 ** (l - 1);
      localparam int unsigned GROWN      = LEAF_BITS + 2 * (l - 1);
      localparam int unsigned BELOW_BITS = GROWN < SUM_BITS ? GROWN : SUM_BITS;
      for (genvar i = 0; i < COUNT; i++) begin : gen_node
        logic signed [BITS-1:0] total;
        always_comb begin
          total = '0;
          for (int unsigned c = 4 * i; c < 4 * i + 4 && c < BELOW; c++) begin
            total = total + BITS'(signed'(gen_level[l-1].nodes[c*BELOW_BITS+:BELOW_BITS]));
          end
        end
        always_ff @(posedge ap_clk) if (en) nodes[i*BITS+:BITS] <= total;
      end
    end
  end

  localparam int unsigned TOP_BITS = LEAF_BITS + 2 * LEVELS < SUM_BITS ? LEAF_BITS + 2 * LEVELS : SUM_BITS;
  assign sum = SUM_BITS'(signed'(gen_level[LEVELS].nodes[TOP_BITS-1:0]));

  if (LEVELS == 0) begin : gen_no_level
    logic unused_clock;
    assign unused_clock = ap_clk ^ en;
  end

  if (LEAVES < 1 || LEAF_BITS < 1 || SUM_BITS < 1) begin : gen_check
    $error("adder_tree: LEAVES=%0d, LEAF_BITS=%0d and SUM_BITS=%0d must be at least 1", LEAVES, LEAF_BITS, SUM_BITS);
  end

endmodule
