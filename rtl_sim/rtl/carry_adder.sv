// sum = a + b + carry_in in two's complement of BITS bits. Combinational; one LUT per bit beside what makes b.
//
// HEADRACE_PRIMITIVES puts carry_in on the carry chain, where inference spends a position of its own on it.
module carry_adder #(
  parameter int unsigned BITS = 8  // width of the operands and of the sum
) (
  input  logic [BITS-1:0] a,         // operand
  input  logic [BITS-1:0] b,         // operand
  input  logic            carry_in,  // one more
  output logic [BITS-1:0] sum        // their sum modulo 2^BITS
);

`ifdef HEADRACE_PRIMITIVES
  localparam int unsigned CHAINS = (BITS + 7) / 8;
  logic [8*CHAINS-1:0] s, di, o, co;
  assign s   = (8*CHAINS)'(a ^ b);
  assign di  = (8*CHAINS)'(a);
  assign sum = o[BITS-1:0];
  for (genvar c = 0; c < CHAINS; c++) begin : gen_chain
    logic ci;
    if (c == 0) begin : gen_first
      assign ci = carry_in;
    end else begin : gen_next
      assign ci = co[8*c-1];
    end
    CARRY8 #(.CARRY_TYPE("SINGLE_CY8")) u_carry (
      .CI(ci), .CI_TOP(1'b0), .DI(di[8*c+:8]), .S(s[8*c+:8]), .O(o[8*c+:8]), .CO(co[8*c+:8])
    );
  end
`else
  assign sum = a + b + BITS'(carry_in);
`endif

  if (BITS < 1) begin : gen_check
    $error("carry_adder: BITS=%0d must be at least 1", BITS);
  end

endmodule
