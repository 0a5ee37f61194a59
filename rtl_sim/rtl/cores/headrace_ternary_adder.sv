// sum = a + b + c + one + other of unsigned or two's complement operands, two bits wider. Combinational.
//
// HEADRACE_PRIMITIVES takes one LUT per bit: the LUT of bit i gives the majority of its three bits, which goes to bit
// i+1 by a wire, and the XOR of its bits and of the majority from bit i-1, which the carry chain adds up. Two
// single bits come for free: the carry into the chain, and the place of a majority below bit 0.
module headrace_ternary_adder #(
  parameter int unsigned BITS      = 8,  // width of the operands
  parameter bit          IS_SIGNED = 0,  // the operands are two's complement
  parameter bit          FLIP      = 0,  // their highest bits come complemented
  parameter bit          SINGLES   = 1   // `one` and `other` are signals; else `one` is a constant, and `other` left out
) (
  input  logic [BITS-1:0] a,         // operand
  input  logic [BITS-1:0] b,         // operand
  input  logic [BITS-1:0] c,         // operand
  input  logic            one,       // one more
  input  logic            other,     // and one more
  output logic [BITS+1:0] sum        // their sum
);

  logic second;  // the single bit below the majorities
  assign second = SINGLES && other;

`ifdef HEADRACE_PRIMITIVES
  logic [BITS-1:0] major, s_low;
  logic [BITS+1:0] s, di, unused_carry;
  for (genvar i = 0; i < BITS; i++) begin : gen_bit
    logic below;
    if (i == 0) begin : gen_first
      assign below = second;
    end else begin : gen_next
      assign below = major[i-1];
    end
    // O5: majority of I0 to I2; O6: XOR of I0 to I3; or of the complements of I0 to I2.
    LUT6_2 #(.INIT(FLIP && i == BITS - 1 ? 64'h9669_9669_1717_1717 : 64'h6996_6996_e8e8_e8e8)) u_lut (
      .I0(a[i]), .I1(b[i]), .I2(c[i]), .I3(below), .I4(1'b0), .I5(1'b1), .O5(major[i]), .O6(s_low[i])
    );
  end
  if (IS_SIGNED) begin : gen_signed
    // The bits above repeat the last ones.
    logic high;
    assign high = a[BITS-1] ^ b[BITS-1] ^ c[BITS-1] ^ FLIP ^ major[BITS-1];
    assign s    = {high, high, s_low};
    assign di   = {major[BITS-1], major, second};
  end else begin : gen_unsigned
    assign s  = {1'b0, major[BITS-1], s_low};
    assign di = {2'b0, BITS'({major, second})};
  end
  if (SINGLES) begin : gen_singles
    // A slice has one pin for its carry in and for what position 0 gives on: `one` has a position of its own.
    logic unused_sum, unused_first;
    headrace_carry_chain #(.BITS(BITS + 3)) u_chain (
      .carry_in(1'b0), .pass({s, 1'b0}), .make({di, one}), .sum({sum, unused_sum}), .carry({unused_carry, unused_first})
    );
  end else begin : gen_constant
    headrace_carry_chain #(.BITS(BITS + 2)) u_chain (
      .carry_in(one), .pass(s), .make(di), .sum(sum), .carry(unused_carry)
    );
  end
`else
  localparam logic [BITS-1:0] FLIPPED = BITS'(FLIP) << (BITS - 1);
  logic [BITS-1:0] true_a, true_b, true_c;
  logic [BITS+1:0] wide_a, wide_b, wide_c;
  assign true_a = a ^ FLIPPED;
  assign true_b = b ^ FLIPPED;
  assign true_c = c ^ FLIPPED;
  assign wide_a = {{2{IS_SIGNED && true_a[BITS-1]}}, true_a};
  assign wide_b = {{2{IS_SIGNED && true_b[BITS-1]}}, true_b};
  assign wide_c = {{2{IS_SIGNED && true_c[BITS-1]}}, true_c};
  assign sum    = wide_a + wide_b + wide_c + (BITS+2)'(one) + (BITS+2)'(second);
`endif

  if (BITS < 1) begin : gen_check
    $error("ternary_adder: BITS=%0d must be at least 1", BITS);
  end

endmodule
