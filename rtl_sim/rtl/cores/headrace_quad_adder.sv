// sum = what a bit plane of four weights takes of four columns: bits[0]*x[0] + ... + bits[3]*x[3], with the sums of
// columns 0, 1 and of columns 2, 3 given. Combinational; the sum is one bit wider.
//
// HEADRACE_PRIMITIVES takes two LUTs per bit: one selects 0, x[0], x[1] or their sum, the other selects of x[2] and
// x[3] and makes the XOR of both that the carry chain wants.
module headrace_quad_adder #(
  parameter int unsigned BITS      = 4,  // width of the columns and of their sums
  parameter bit          IS_SIGNED = 0   // they are two's complement
) (
  input  logic [3:0]      bits,      // of the weights
  input  logic [BITS-1:0] x [4],     // columns
  input  logic [BITS-1:0] both [2],  // x[0] + x[1] and x[2] + x[3]
  output logic [BITS:0]   sum        // of the columns whose bits are 1
);

`ifdef HEADRACE_PRIMITIVES
  logic [BITS-1:0] first, s_low;
  logic [BITS:0]   s, di, unused_carry;
  for (genvar i = 0; i < BITS; i++) begin : gen_bit
    LUT5 #(.INIT(32'heca8_6420)) u_first (
      .I0(bits[0]), .I1(bits[1]), .I2(x[0][i]), .I3(x[1][i]), .I4(both[0][i]), .O(first[i])
    );
    LUT6 #(.INIT(64'h1357_9bdf_eca8_6420)) u_second (
      .I0(bits[2]), .I1(bits[3]), .I2(x[2][i]), .I3(x[3][i]), .I4(both[1][i]), .I5(first[i]), .O(s_low[i])
    );
  end
  assign s  = {IS_SIGNED && s_low[BITS-1], s_low};
  assign di = {IS_SIGNED && first[BITS-1], first};
  headrace_carry_chain #(.BITS(BITS + 1)) u_chain (
    .carry_in(1'b0), .pass(s), .make(di), .sum(sum), .carry(unused_carry)
  );
`else
  logic [BITS-1:0] first, second;
  assign first  = bits[1:0] == 2'd3 ? both[0] : bits[1] ? x[1] : bits[0] ? x[0] : '0;
  assign second = bits[3:2] == 2'd3 ? both[1] : bits[3] ? x[3] : bits[2] ? x[2] : '0;
  assign sum    = {IS_SIGNED && first[BITS-1], first} + {IS_SIGNED && second[BITS-1], second};
`endif

  if (BITS < 1) begin : gen_check
    $error("quad_adder: BITS=%0d must be at least 1", BITS);
  end

endmodule
