// Carry chain: position i passes the carry below it on where pass[i] is 1, else gives on make[i]. Combinational.
//
// HEADRACE_PRIMITIVES takes CARRY8, eight positions each; with HEADRACE_SERIES7 CARRY4, of four.
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
`ifdef HEADRACE_SERIES7
  localparam int unsigned PLACES = 4;
`else
  localparam int unsigned PLACES = 8;
`endif
  localparam int unsigned CHAINS = (BITS + PLACES - 1) / PLACES;
  logic [PLACES*CHAINS-1:0] s, di, o, co;
  assign s     = (PLACES*CHAINS)'(pass);
  assign di    = (PLACES*CHAINS)'(make);
  assign sum   = o[BITS-1:0];
  assign carry = co[BITS-1:0];
  for (genvar k = 0; k < CHAINS; k++) begin : gen_chain
    logic ci;
    if (k == 0) begin : gen_first
      assign ci = carry_in;
    end else begin : gen_next
      assign ci = co[PLACES*k-1];
    end
`ifdef HEADRACE_SERIES7
    // Its CI takes the carry of another cell alone.
    CARRY4 u_carry (
      .CI(k == 0 ? 1'b0 : ci), .CYINIT(k == 0 ? ci : 1'b0), .DI(di[4*k+:4]), .S(s[4*k+:4]), .O(o[4*k+:4]),
      .CO(co[4*k+:4])
    );
`else
    CARRY8 #(.CARRY_TYPE("SINGLE_CY8")) u_carry (
      .CI(ci), .CI_TOP(1'b0), .DI(di[8*k+:8]), .S(s[8*k+:8]), .O(o[8*k+:8]), .CO(co[8*k+:8])
    );
`endif
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
