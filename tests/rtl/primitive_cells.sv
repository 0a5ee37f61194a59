// Models of the primitive cells that the library instantiates, for simulating it in the forms that synthesis takes.
`define HEADRACE_PRIMITIVES

module FDRE #(
  parameter logic [0:0] INIT = 1'b0
) (
  output logic Q = INIT,
  input  logic C, CE, D, R
);
  always_ff @(posedge C) begin
    if (R) Q <= 1'b0;
    else if (CE) Q <= D;
  end
endmodule

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

module MUXF7 (
  output logic O,
  input  logic I0, I1, S
);
  assign O = S ? I1 : I0;
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

// A register each of A, B, C, of their product and of the sum, as it is instantiated; any other use is an error.
module DSP48E2 #(
  parameter int AREG = 1, ACASCREG = 1, BREG = 1, BCASCREG = 1, CREG = 1, MREG = 1, PREG = 1,
  parameter int ALUMODEREG = 1, CARRYINREG = 1, CARRYINSELREG = 1, INMODEREG = 1, OPMODEREG = 1
) (
  input  logic        CLK,
  input  logic [29:0] A, ACIN,
  input  logic [17:0] B, BCIN,
  input  logic [47:0] C, PCIN,
  input  logic [26:0] D,
  input  logic [8:0]  OPMODE,
  input  logic [3:0]  ALUMODE,
  input  logic [4:0]  INMODE,
  input  logic [2:0]  CARRYINSEL,
  input  logic        CARRYIN, CARRYCASCIN, MULTSIGNIN,
  input  logic        CEA1, CEA2, CEB1, CEB2, CEC, CED, CEAD, CEM, CEP, CEALUMODE, CECARRYIN, CECTRL, CEINMODE,
  input  logic        RSTA, RSTB, RSTC, RSTD, RSTM, RSTP, RSTALLCARRYIN, RSTALUMODE, RSTCTRL, RSTINMODE,
  output logic [47:0] P
);
  localparam bit REGISTERED = AREG == 1 && ACASCREG == 1 && BREG == 1 && BCASCREG == 1 && CREG == 1 && MREG == 1
                              && PREG == 1;
  localparam bit STATIC = ALUMODEREG == 0 && CARRYINREG == 0 && CARRYINSELREG == 0 && INMODEREG == 0 && OPMODEREG == 0;
  logic signed [26:0] a_q;
  logic signed [17:0] b_q;
  logic signed [47:0] c_q, m_q;
  always_ff @(posedge CLK) begin
    if (CEA2) a_q <= A[26:0];
    if (CEB2) b_q <= B;
    if (CEC) c_q <= C;
    if (CEM) m_q <= 48'(a_q * b_q);
    if (CEP) P <= m_q + c_q;
  end
  always_comb begin
    assert (REGISTERED && STATIC && OPMODE == 9'b000110101 && {ALUMODE, INMODE, CARRYINSEL, CARRYIN} == '0);
    assert ({CEA1, CEB1, CED, CEAD, CEALUMODE, CECARRYIN, CECTRL, CEINMODE} == '0);
    assert ({RSTA, RSTB, RSTC, RSTD, RSTM, RSTP, RSTALLCARRYIN, RSTALUMODE, RSTCTRL, RSTINMODE} == '0);
    assert ({ACIN, BCIN, PCIN, D, CARRYCASCIN, MULTSIGNIN} == '0);
  end
endmodule
