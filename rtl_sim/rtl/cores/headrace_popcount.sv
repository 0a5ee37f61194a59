// Number of ones in a word: count = sum of bits[i]. Combinational.
module headrace_popcount #(
  parameter int unsigned BITS = 32  // width of the word
) (
  input  logic [BITS-1:0]           bits,  // the word
  output logic [$clog2(BITS+1)-1:0] count  // its ones
);

  localparam int unsigned COUNT_BITS = $clog2(BITS + 1);

  assign count = COUNT_BITS'($countones(bits));

  if (BITS < 1) begin : gen_check
    $error("popcount: BITS=%0d must be at least 1", BITS);
  end

endmodule
