// Models of the primitive cells that the library instantiates, for simulating it in the forms that synthesis takes.
`define HEADRACE_PRIMITIVES

module LUT5 #(
  parameter logic [31:0] INIT = '0
) (
  output logic O,
  input  logic I0, I1, I2, I3, I4
);
  assign O = INIT[{I4, I3, I2, I1, I0}];
endmodule

module LUT6 #(
  parameter logic [63:0] INIT = '0
) (
  output logic O,
  input  logic I0, I1, I2, I3, I4, I5
);
  assign O = INIT[{I5, I4, I3, I2, I1, I0}];
endmodule

module LUT6_2 #(
  parameter logic [63:0] INIT = '0
) (
  output logic O6, O5,
  input  logic I0, I1, I2, I3, I4, I5
);
  assign O5 = INIT[{1'b0, I4, I3, I2, I1, I0}];
  assign O6 = INIT[{I5, I4, I3, I2, I1, I0}];
endmodule

module CARRY8 #(
  parameter CARRY_TYPE = "SINGLE_CY8"
) (
  output logic [7:0] CO, O,
  input  logic       CI, CI_TOP,
  input  logic [7:0] DI, S
);
  always_comb begin
    logic carry;
    carry = CI;
    for (int i = 0; i < 8; i++) begin
      if (i == 4 && CARRY_TYPE != "SINGLE_CY8") carry = CI_TOP;
      O[i]  = S[i] ^ carry;
      carry = S[i] ? carry : DI[i];
      CO[i] = carry;
    end
  end
endmodule
