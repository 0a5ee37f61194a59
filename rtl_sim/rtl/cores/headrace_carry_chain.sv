// Carry chain: position i passes the carry below it on where pass[i] is 1, else gives on make[i]. Combinational.
//
// HEADRACE_PRIMITIVES takes CARRY8, eight positions each.
module headrace_carry_chain #(
  parameter int unsigned BITS = 8  // positions
) (
  input  logic            carry_in,  // below position 0
  input  logic [BITS-1:0] pass,      // the carry goes on
  input  logic [BITS-1:0] make,      // what goes on in its place
  output logic [BITS-1:0] sum,       // pass XOR the carry below
  output logic [BITS-1:0] carry      // what each position gives on
);

`ifdef HEADRACE_PRIMITIVES
  localparam int unsigned CHAINS = (BITS + 7) / 8;
  logic [8*CHAINS-1:0] s, di, o, co;
  assign s     = (8*CHAINS)'(pass);
  assign di    = (8*CHAINS)'(make);
  assign sum   = o[BITS-1:0];
  assign carry = co[BITS-1:0];
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
  always_comb begin
    logic below;
    below = carry_in;
    for (int unsigned i = 0; i < BITS; i++) begin
      sum[i]   = pass[i] ^ below;
      below    = pass[i] ? below : make[i];
      carry[i] = below;
    end
  end
`endif

  if (BITS < 1) begin : gen_check
    $error("carry_chain: BITS=%0d must be at least 1", BITS);
  end

endmodule
