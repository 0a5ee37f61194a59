// sum = (clear ? 0 : acc) + a + b + carry_in in two's complement of BITS bits. Combinational.
//
// HEADRACE_PRIMITIVES takes one LUT per bit, as in ternary_adder: the majority of the three bits goes to the next bit, and
// the carry chain adds it to their XOR.
module accumulator #(
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
  localparam int unsigned CHAINS = (BITS + 7) / 8;
  logic [BITS-1:0]     major, s_low;
  logic [8*CHAINS-1:0] s, di, o, co;
  for (genvar i = 0; i < BITS; i++) begin : gen_bit
    logic below;
    if (i == 0) begin : gen_first
      assign below = 1'b0;
    end else begin : gen_next
      assign below = major[i-1];
    end
    // q = I0 and not I1; O5: majority of q, I2, I3; O6: XOR of q, I2 to I4.
    LUT6_2 #(.INIT(64'hd22d_2dd2_f220_f220)) u_lut (
      .I0(acc[i]), .I1(clear), .I2(a[i]), .I3(b[i]), .I4(below), .I5(1'b1), .O5(major[i]), .O6(s_low[i])
    );
  end
  assign s   = (8*CHAINS)'(s_low);
  assign di  = (8*CHAINS)'({major, 1'b0} & {1'b0, {BITS{1'b1}}});
  assign sum = o[BITS-1:0];
  for (genvar k = 0; k < CHAINS; k++) begin : gen_chain
    logic ci;
    if (k == 0) begin : gen_first
      assign ci = carry_in;
    end else begin : gen_next
      assign ci = co[8*k-1];
    end
    CARRY8 #(.CARRY_TYPE("SINGLE_CY8")) u_carry (
      .CI(ci), .CI_TOP(1'b0), .DI(di[8*k+:8]), .S(s[8*k+:8]), .O(o[8*k+:8]), .CO(co[8*k+:8])
    );
  end
`else
  assign sum = (clear ? '0 : acc) + a + b + BITS'(carry_in);
`endif

  if (BITS < 1) begin : gen_check
    $error("accumulator: BITS=%0d must be at least 1", BITS);
  end

endmodule
