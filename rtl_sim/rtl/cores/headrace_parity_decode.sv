// The inverse of parity_encode: what in each full adder became its sum becomes an input again. One level of XORs.
module headrace_parity_decode #(
  parameter int unsigned SIMD = 8  // bits of a word
) (
  input  logic [SIMD-1:0] code,  // recoded word
  output logic [SIMD-1:0] bits   // the word
);

  localparam int unsigned M      = (SIMD + 1) / 2;
  localparam int unsigned ODD    = SIMD % 2;
  localparam int unsigned LEVELS = $clog2(M + 1) - 1;

  logic [2*M-1:0] word, inputs;
  assign word = (2*M)'(code) << ODD;

  // Every bit but the lowest inputs and the root's second one may be a sum.
  logic [2*M-1:0] others [LEVELS+1];  // sum of the other two inputs, in the place of a sum
  assign others[0] = '0;
  for (genvar l = 0; l < LEVELS; l++) begin : gen_level
    localparam int unsigned COUNT = l == 0 ? M + 1 - 2 ** LEVELS : 2 ** (LEVELS - l);
    localparam int unsigned FIRST = l == 0 ? 0 : 2 * M + 2 - 4 * COUNT;
    logic [COUNT-1:0] pair;
    assign pair        = word[FIRST+:COUNT] ^ word[FIRST+COUNT+:COUNT];
    assign others[l+1] = others[l] | ((2*M)'(pair) << (FIRST + 2 * COUNT));
  end
  assign inputs = word ^ others[LEVELS];
  assign bits   = SIMD'(inputs >> ODD);

  if (SIMD < 1) begin : gen_check
    $error("parity_decode: SIMD=%0d must be at least 1", SIMD);
  end

endmodule
