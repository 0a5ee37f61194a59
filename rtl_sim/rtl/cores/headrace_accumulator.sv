// sum = (clear ? 0 : acc) + a + b + carry_in in two's complement of BITS bits. Combinational.
//
// HEADRACE_PRIMITIVES takes one LUT per bit, as in ternary_adder: the majority of the three bits goes to the next bit,
// and the carry chain adds it to their XOR.
module headrace_accumulator #(
  parameter int unsigned BITS = 8  // width of the operands and of the sum
) (
  input  logic [BITS-1:0] acc,       // sum so far
  input  logic            clear,     // there is none yet
  input  logic [BITS-1:0] a,         // operand
  input  logic [BITS-1:0] b,         // operand
  input  logic            carry_in,  // one more
  output logic [BITS-1:0] sum        // their sum modulo 2^BITS
);

`ifdef HEADRACE_PRIMITIVES
  logic [BITS-1:0] major, parity, unused_carry;
  for (genvar i = 0; i < BITS; i++) begin : gen_bit
    logic below;
    if (i == 0) begin : gen_first
      assign below = 1'b0;
    end else begin : gen_next
      assign below = major[i-1];
    end
    // q = I0 and not I1; O5: majority of q, I2, I3; O6: XOR of q, I2 to I4.
    LUT6_2 #(.INIT(64'hd22d_2dd2_f220_f220)) u_lut (
      .I0(acc[i]), .I1(clear), .I2(a[i]), .I3(b[i]), .I4(below), .I5(1'b1), .O5(major[i]), .O6(parity[i])
    );
  end
  headrace_carry_chain #(.BITS(BITS)) u_chain (
    .carry_in(carry_in), .pass(parity), .make(BITS'({major, 1'b0})), .sum(sum), .carry(unused_carry)
  );
`else
  assign sum = (clear ? '0 : acc) + a + b + BITS'(carry_in);
`endif

  if (BITS < 1) begin : gen_check
    $error("accumulator: BITS=%0d must be at least 1", BITS);
  end

endmodule
