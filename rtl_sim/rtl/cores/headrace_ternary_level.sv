// One level of trees side by side, three numbers to one: of tree t, sums[t*COUNT+i] + left[t*COUNT+i] is what its
// numbers and single bits 3*i to 3*i+2 add up to, as far as there are so many. COUNT = ceil(LEAVES / 3). Combinational.
//
// HEADRACE_PRIMITIVES takes a headrace_ternary_adder for three numbers and a headrace_carry_adder for two. The plain
// form is a loop, which a simulator keeps as one.
module headrace_ternary_level #(
  parameter int unsigned TREES     = 1,   // trees
  parameter int unsigned LEAVES    = 5,   // numbers of a tree
  parameter int unsigned BITS      = 8,   // width of a number
  parameter bit          IS_SIGNED = 0,   // the numbers are two's complement
  parameter bit [TREES-1:0] FLIPS  = 0,   // by tree: the highest bits of what is added in threes come complemented
  parameter bit          SINGLES   = 1,   // there are single bits; else they are 0
  parameter int unsigned SUM_BITS  = 10   // width of a sum, at most BITS + 2
) (
  input  logic [BITS-1:0]     leaves [TREES*LEAVES],        // numbers
  input  logic                bits [TREES*LEAVES],          // a single bit with each
  output logic [SUM_BITS-1:0] sums [TREES*((LEAVES+2)/3)],  // sums of three
  output logic                left [TREES*((LEAVES+2)/3)]   // the bits that are not in them
);

  localparam int unsigned COUNT = (LEAVES + 2) / 3;

`ifdef HEADRACE_PRIMITIVES
  for (genvar t = 0; t < TREES; t++) begin : gen_tree
    for (genvar i = 0; i < COUNT; i++) begin : gen_sum
      localparam int unsigned FIRST = t * LEAVES + 3 * i;
      logic [BITS+1:0] total, first;
      assign first = {{2{IS_SIGNED && leaves[FIRST][BITS-1]}}, leaves[FIRST]};
      if (3 * i + 2 < LEAVES) begin : gen_three
        headrace_ternary_adder #(.BITS(BITS), .IS_SIGNED(IS_SIGNED), .FLIP(FLIPS[t]), .SINGLES(SINGLES)) u_adder (
          .a(leaves[FIRST]), .b(leaves[FIRST+1]), .c(leaves[FIRST+2]),
          .one(SINGLES && bits[FIRST]), .other(SINGLES && bits[FIRST+1]), .sum(total)
        );
        assign left[t*COUNT+i] = SINGLES && bits[FIRST+2];
        logic unused_first;
        assign unused_first = ^first;
      end else if (3 * i + 1 < LEAVES) begin : gen_two
        headrace_carry_adder #(.BITS(BITS + 2)) u_adder (
          .a(first), .b({{2{IS_SIGNED && leaves[FIRST+1][BITS-1]}}, leaves[FIRST+1]}),
          .carry_in(SINGLES && bits[FIRST]), .sum(total)
        );
        assign left[t*COUNT+i] = SINGLES && bits[FIRST+1];
      end else begin : gen_one
        assign total           = first;
        assign left[t*COUNT+i] = SINGLES && bits[FIRST];
      end
      assign sums[t*COUNT+i] = SUM_BITS'(total);
      logic unused_total;
      assign unused_total = ^total;
    end
  end
`else
  localparam int unsigned     THREES  = LEAVES / 3;
  localparam logic [BITS-1:0] HIGHEST = BITS'(1) << (BITS - 1);
  always_comb begin
    logic [BITS-1:0] a, b, c, flip;
    for (int unsigned t = 0; t < TREES; t++) begin
      flip = FLIPS[t] ? HIGHEST : '0;
      for (int unsigned i = 0; 3 * i + 2 < LEAVES; i++) begin
        a = leaves[t*LEAVES+3*i] ^ flip;
        b = leaves[t*LEAVES+3*i+1] ^ flip;
        c = leaves[t*LEAVES+3*i+2] ^ flip;
        sums[t*COUNT+i] = SUM_BITS'({{2{IS_SIGNED && a[BITS-1]}}, a} + {{2{IS_SIGNED && b[BITS-1]}}, b}
                                    + {{2{IS_SIGNED && c[BITS-1]}}, c});
      end
      if (LEAVES % 3 != 0) begin
        a = leaves[t*LEAVES+3*THREES];
        b = LEAVES % 3 == 2 ? leaves[(t+1)*LEAVES-1] : '0;
        sums[t*COUNT+THREES] = SUM_BITS'({{2{IS_SIGNED && a[BITS-1]}}, a} + {{2{IS_SIGNED && b[BITS-1]}}, b});
      end
    end
    if (SINGLES) begin
      for (int unsigned t = 0; t < TREES; t++) begin
        for (int unsigned i = 0; 3 * i + 2 < LEAVES; i++) begin
          sums[t*COUNT+i] += SUM_BITS'(bits[t*LEAVES+3*i]) + SUM_BITS'(bits[t*LEAVES+3*i+1]);
          left[t*COUNT+i] = bits[t*LEAVES+3*i+2];
        end
        if (LEAVES % 3 == 2) sums[t*COUNT+THREES] += SUM_BITS'(bits[t*LEAVES+3*THREES]);
        if (LEAVES % 3 != 0) left[t*COUNT+THREES] = bits[(t+1)*LEAVES-1];
      end
    end else begin
      left = '{default: 1'b0};
    end
  end
`endif

  if (TREES < 1 || LEAVES < 1 || BITS < 1 || SUM_BITS < 1 || SUM_BITS > BITS + 2) begin : gen_check
    $error("ternary_level: TREES=%0d, LEAVES=%0d and BITS=%0d must be at least 1, SUM_BITS=%0d at most BITS + 2", TREES,
           LEAVES, BITS, SUM_BITS);
  end

endmodule
