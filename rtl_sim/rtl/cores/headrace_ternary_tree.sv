// TREES trees side by side, each the sum of LEAVES numbers and as many single bits, three numbers to one in each of
// LEVELS registered levels: sums[t] + spare[t] = sum of the leaves + sum of the bits of tree t.
//
// Invariant: level l holds ceil(LEAVES / 3^l) partial sums of LEAF_BITS + ceil(log2(3^l)) bits, and with each of them
// one bit that is still to be added: an adder of three numbers takes two bits for free, one of two numbers takes one.
module headrace_ternary_tree #(
  parameter int unsigned TREES     = 1,  // trees
  parameter int unsigned LEAVES    = 5,  // numbers to add in each
  parameter int unsigned LEVELS    = 2,  // ceil(log3(LEAVES))
  parameter int unsigned LEAF_BITS = 4,  // width of each
  parameter bit          IS_SIGNED = 0,  // they are two's complement
  parameter bit [TREES-1:0] FLIPS  = 0,  // by tree: their highest bits come complemented
  parameter bit          SINGLES   = 0,  // there are single bits; else they are 0
  parameter int unsigned SUM_BITS  = 7   // width of a sum
) (
  input  logic                 ap_clk,                 // clock
  input  logic                 en,                     // moves every level by one
  input  logic [LEAF_BITS-1:0] leaves [TREES*LEAVES],  // numbers, tree by tree
  input  logic                 bits [TREES*LEAVES],    // single bits
  output logic [SUM_BITS-1:0]  sums [TREES],           // their sums but for one bit, LEVELS enabled cycles later
  output logic                 spare [TREES]           // that bit
);

  for (genvar l = 0; l <= LEVELS; l++) begin : gen_level
    localparam int unsigned COUNT = (LEAVES + 3 ** l - 1) / 3 ** l;
    localparam int unsigned BITS  = LEAF_BITS + $clog2(3 ** l);
    logic [BITS-1:0] nodes [TREES*COUNT];
    logic            left  [TREES*COUNT];
    if (l == 0) begin : gen_leaf
      // Adders of three complement for free.
      localparam int unsigned COMPLEMENTED = LEVELS > 0 ? LEAVES / 3 * 3 : 0;
      if (FLIPS != 0 && COMPLEMENTED < LEAVES) begin : gen_flip
        always_comb begin
          nodes = leaves;
          for (int unsigned t = 0; t < TREES; t++) begin
            for (int unsigned i = COMPLEMENTED; i < LEAVES; i++) begin
              nodes[t*LEAVES+i] = leaves[t*LEAVES+i] ^ (LEAF_BITS'(FLIPS[t]) << (LEAF_BITS - 1));
            end
          end
        end
      end else begin : gen_wires
        assign nodes = leaves;
      end
      assign left = bits;
    end else begin : gen_sum
      localparam int unsigned BELOW      = (LEAVES + 3 ** (l - 1) - 1) / 3 ** (l - 1);
      localparam int unsigned BELOW_BITS = LEAF_BITS + $clog2(3 ** (l - 1));
      logic [BITS-1:0] nodes_d [TREES*COUNT];
      logic            left_d [TREES*COUNT];
      headrace_ternary_level #(
        .TREES(TREES), .LEAVES(BELOW), .BITS(BELOW_BITS), .IS_SIGNED(IS_SIGNED), .FLIPS(l == 1 ? FLIPS : '0),
        .SINGLES(SINGLES), .SUM_BITS(BITS)
      ) u_level (
        .leaves(gen_level[l-1].nodes), .bits(gen_level[l-1].left), .sums(nodes_d), .left(left_d)
      );
      always_ff @(posedge ap_clk) if (en) nodes <= nodes_d;
      if (SINGLES) begin : gen_left
        always_ff @(posedge ap_clk) if (en) left <= left_d;
      end else begin : gen_nothing_left
        assign left = left_d;
      end
    end
  end

  for (genvar t = 0; t < TREES; t++) begin : gen_out
    if (IS_SIGNED) begin : gen_signed
      assign sums[t] = SUM_BITS'(signed'(gen_level[LEVELS].nodes[t]));
    end else begin : gen_unsigned
      assign sums[t] = SUM_BITS'(gen_level[LEVELS].nodes[t]);
    end
  end
  assign spare = gen_level[LEVELS].left;

  if (LEVELS == 0) begin : gen_no_level
    logic unused_clock;
    assign unused_clock = ap_clk ^ en;
  end

  if (LEAVES < 1 || LEAVES > 3 ** LEVELS || LEAF_BITS < 1 || TREES < 1) begin : gen_check
    $error("ternary_tree: LEAVES=%0d must lie between 1 and 3^LEVELS=%0d, LEAF_BITS=%0d and TREES=%0d be at least 1",
           LEAVES, 3 ** LEVELS, LEAF_BITS, TREES);
  end

endmodule
