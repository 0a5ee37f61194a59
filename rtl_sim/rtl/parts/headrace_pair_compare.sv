// Comparison of two's complement numbers: reached = a >= b. Combinational.
//
// HEADRACE_PRIMITIVES takes one LUT per two bits: with both outputs it says whether the pair of a is equal to that of
// b, which passes the carry on, and whether it is greater, which makes one. b may have one bit more than a: the highest
// pair holds it.
module headrace_pair_compare #(
  parameter int unsigned A_BITS = 8,  // width of the number
  parameter int unsigned B_BITS = 8   // width of the bound: A_BITS, or one more
) (
  input  logic signed [A_BITS-1:0] a,       // number
  input  logic signed [B_BITS-1:0] b,       // bound
  output logic                     reached  // a >= b
);

`ifdef HEADRACE_PRIMITIVES
  localparam int unsigned PAIRS = (A_BITS + 1) / 2;
  // In I0 to I4 bits 0 of a and b, bits 1 of a and b, bit 2 of b: O6 equal, O5 greater; the highest pair is signed.
  localparam logic [63:0] PAIR    = 64'h9009_9009_20f2_20f2;
  localparam logic [63:0] HIGHEST = 64'h9000_0009_2fff_0002;

  logic [2*PAIRS-1:0] a_wide;
  logic [2*PAIRS:0]   b_wide;
  logic [PAIRS-1:0]   same, greater, carries, unused_sum;
  assign a_wide = (2*PAIRS)'(a);
  assign b_wide = (2*PAIRS+1)'(b);
  for (genvar k = 0; k < PAIRS; k++) begin : gen_pair
    LUT6_2 #(.INIT(k == PAIRS - 1 ? HIGHEST : PAIR)) u_pair (
      .I0(a_wide[2*k]), .I1(b_wide[2*k]), .I2(a_wide[2*k+1]), .I3(b_wide[2*k+1]),
      .I4(k == PAIRS - 1 ? b_wide[2*PAIRS] : 1'b0), .I5(1'b1), .O6(same[k]), .O5(greater[k])
    );
  end
  headrace_carry_chain #(.BITS(PAIRS)) u_chain (
    .carry_in(1'b1), .pass(same), .make(greater), .sum(unused_sum), .carry(carries)
  );
  assign reached = carries[PAIRS-1];
`else
  assign reached = B_BITS'(a) >= b;
`endif

  if (A_BITS < 1 || (B_BITS != A_BITS && B_BITS != A_BITS + 1)) begin : gen_check
    $error("pair_compare: A_BITS=%0d must be at least 1 and B_BITS=%0d equal to it or one more", A_BITS, B_BITS);
  end

endmodule
