// Ports and parameters of the primitive cells that HEADRACE_PRIMITIVES instantiates, for tools that read the library
// without the device's own; synthesis then takes its own models of them.

(* blackbox *)
module FDRE #(
  parameter logic [0:0] INIT = 1'b0  // at power-up
) (
  output logic Q,
  input  logic C, CE, D, R
);
endmodule

(* blackbox *)
module LUT5 #(
  parameter logic [31:0] INIT = '0  // output for the inputs {I4, ..., I0}
) (
  output logic O,
  input  logic I0, I1, I2, I3, I4
);
endmodule

(* blackbox *)
module LUT6 #(
  parameter logic [63:0] INIT = '0  // output for the inputs {I5, ..., I0}
) (
  output logic O,
  input  logic I0, I1, I2, I3, I4, I5
);
endmodule

(* blackbox *)
module LUT6_2 #(
  parameter logic [63:0] INIT = '0  // O5 is its low half at {I4, ..., I0}, O6 all of it
) (
  output logic O6, O5,
  input  logic I0, I1, I2, I3, I4, I5
);
endmodule

(* blackbox *)
module CARRY8 #(
  parameter CARRY_TYPE = "SINGLE_CY8"  // one chain of eight, or two of four
) (
  output logic [7:0] CO, O,
  input  logic       CI, CI_TOP,
  input  logic [7:0] DI, S
);
endmodule

(* blackbox *)
module CARRY4 (
  output logic [3:0] CO, O,
  input  logic       CI, CYINIT,
  input  logic [3:0] DI, S
);
endmodule

(* blackbox *)
module DSP48E2 #(
  parameter int AREG = 1, ACASCREG = 1, BREG = 1, BCASCREG = 1, CREG = 1, MREG = 1, PREG = 1,  // registers
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
endmodule

(* blackbox *)
module MUXF7 (
  output logic O,
  input  logic I0, I1, S
);
endmodule
