// One of two words whose bits are a LUT each. Combinational.
//
// HEADRACE_PRIMITIVES takes the multiplexer behind two LUTs, so that synthesis leaves the two apart from what follows.
module headrace_lut_pair #(
  parameter int unsigned BITS = 8  // width of the words
) (
  input  logic [BITS-1:0] first, second,  // the words
  input  logic            upper,          // the second one is taken
  output logic [BITS-1:0] word            // the word taken
);

`ifdef HEADRACE_PRIMITIVES
  for (genvar b = 0; b < BITS; b++) begin : gen_bit
    MUXF7 u_mux (.O(word[b]), .I0(first[b]), .I1(second[b]), .S(upper));
  end
`else
  assign word = upper ? second : first;
`endif

endmodule
