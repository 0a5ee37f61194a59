// sum = a + b + carry_in in two's complement of BITS bits. Combinational; one LUT per bit beside what makes b.
//
// HEADRACE_PRIMITIVES puts carry_in on the carry chain, where inference spends a position of its own on it.
module headrace_carry_adder #(
  parameter int unsigned BITS = 8  // width of the operands and of the sum
) (
  input  logic [BITS-1:0] a,         // operand
  input  logic [BITS-1:0] b,         // operand
  input  logic            carry_in,  // one more
  output logic [BITS-1:0] sum        // their sum modulo 2^BITS
);

`ifdef HEADRACE_PRIMITIVES
  logic [BITS-1:0] unused_carry;
  headrace_carry_chain #(.BITS(BITS)) u_chain (
    .carry_in(carry_in), .pass(a ^ b), .make(a), .sum(sum), .carry(unused_carry)
  );
`else
  assign sum = a + b + BITS'(carry_in);
`endif

  if (BITS < 1) begin : gen_check
    $error("carry_adder: BITS=%0d must be at least 1", BITS);
  end

endmodule
