// Ports and parameters of the primitive cells that HEADRACE_PRIMITIVES instantiates, for tools that read the library
// without the device's own; synthesis then takes its own models of them.

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
