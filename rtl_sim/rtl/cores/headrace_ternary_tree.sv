// Sum of LEAVES numbers and as many single bits, three numbers to one in each of LEVELS registered levels:
// sum + spare = sum of leaves + sum of bits.
//
// Invariant: level l holds ceil(LEAVES / 3^l) partial sums of LEAF_BITS + ceil(log2(3^l)) bits, and with each of them
// one bit that is still to be added: an adder of three numbers takes two bits for free, one of two numbers takes one.
module headrace_ternary_tree #(
  parameter int unsigned LEAVES    = 5,  // numbers to add
  parameter int unsigned LEVELS    = 2,  // ceil(log3(LEAVES))
  parameter int unsigned LEAF_BITS = 4,  // width of each
  parameter bit          IS_SIGNED = 0,  // they are two's complement
  parameter bit          FLIP      = 0,  // their highest bits come complemented
  parameter int unsigned SUM_BITS  = 7   // width of the sum
) (
  input  logic                 ap_clk,           // clock
  input  logic                 en,               // moves every level by one
  input  logic [LEAF_BITS-1:0] leaves [LEAVES],  // numbers
  input  logic [LEAVES-1:0]    bits,             // single bits
  output logic [SUM_BITS-1:0]  sum,              // their sum but for one bit, LEVELS enabled cycles later
  output logic                 spare             // that bit
);

  for (genvar l = 0; l <= LEVELS; l++) begin : gen_level
    localparam int unsigned COUNT = (LEAVES + 3 ** l - 1) / 3 ** l;
    localparam int unsigned BITS  = LEAF_BITS + $clog2(3 ** l);
    logic [BITS-1:0]  nodes [COUNT];
    logic [COUNT-1:0] left;
    if (l == 0) begin : gen_leaf
      for (genvar i = 0; i < LEAVES; i++) begin : gen_node
        // Adders of three complement for free.
        localparam bit BY_ADDER = 3 * (i / 3) + 2 < LEAVES && LEVELS > 0;
        assign nodes[i] = leaves[i] ^ (LEAF_BITS'(FLIP && !BY_ADDER) << (LEAF_BITS - 1));
      end
      assign left  = bits;
    end else begin : gen_sum
      localparam int unsigned BELOW      = (LEAVES + 3 ** (l - 1) - 1) / 3 ** (l - 1);
      localparam int unsigned BELOW_BITS = LEAF_BITS + $clog2(3 ** (l - 1));
      logic [BITS-1:0]  nodes_d [COUNT];
      logic [COUNT-1:0] left_d;
      for (genvar i = 0; i < COUNT; i++) begin : gen_node
        logic [BELOW_BITS-1:0] first;
        logic [BELOW_BITS+1:0] total;
        assign first = gen_level[l-1].nodes[3*i];
        if (3 * i + 2 < BELOW) begin : gen_three
          headrace_ternary_adder #(.BITS(BELOW_BITS), .IS_SIGNED(IS_SIGNED), .FLIP(FLIP && l == 1)) u_adder (
            .a(first), .b(gen_level[l-1].nodes[3*i+1]), .c(gen_level[l-1].nodes[3*i+2]),
            .one(gen_level[l-1].left[3*i]), .other(gen_level[l-1].left[3*i+1]), .sum(total)
          );
          assign left_d[i] = gen_level[l-1].left[3*i+2];
        end else if (3 * i + 1 < BELOW) begin : gen_two
          logic [BELOW_BITS-1:0] second;
          assign second = gen_level[l-1].nodes[3*i+1];
          headrace_carry_adder #(.BITS(BELOW_BITS + 2)) u_adder (
            .a({{2{IS_SIGNED && first[BELOW_BITS-1]}}, first}), .b({{2{IS_SIGNED && second[BELOW_BITS-1]}}, second}),
            .carry_in(gen_level[l-1].left[3*i]), .sum(total)
          );
          assign left_d[i] = gen_level[l-1].left[3*i+1];
        end else begin : gen_one
          assign total     = {{2{IS_SIGNED && first[BELOW_BITS-1]}}, first};
          assign left_d[i] = gen_level[l-1].left[3*i];
        end
        assign nodes_d[i] = BITS'(total);
        logic unused_high;
        assign unused_high = ^total[BELOW_BITS+1:BELOW_BITS];
      end
      always_ff @(posedge ap_clk) begin
        if (en) begin
          nodes <= nodes_d;
          left  <= left_d;
        end
      end
    end
  end

  if (IS_SIGNED) begin : gen_signed
    assign sum = SUM_BITS'(signed'(gen_level[LEVELS].nodes[0]));
  end else begin : gen_unsigned
    assign sum = SUM_BITS'(gen_level[LEVELS].nodes[0]);
  end
  assign spare = gen_level[LEVELS].left[0];

  if (LEVELS == 0) begin : gen_no_level
    logic unused_clock;
    assign unused_clock = ap_clk ^ en;
  end

  if (LEAVES < 1 || LEAVES > 3 ** LEVELS || LEAF_BITS < 1) begin : gen_check
    $error("ternary_tree: LEAVES=%0d must lie between 1 and 3^LEVELS=%0d, LEAF_BITS=%0d be at least 1",
           LEAVES, 3 ** LEVELS, LEAF_BITS);
  end

endmodule
