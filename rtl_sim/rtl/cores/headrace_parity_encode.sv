// Recodes one half of SIMD XOR pairs for counting by free parity: one input of every full adder becomes its sum.
//
// M = ceil(SIMD/2) full adders form a tree of LEVELS + 1 levels, the last one the root. A level of COUNT adders has its
// inputs in three runs from FIRST on; the third run becomes the sums, with which the inputs of the next level begin. So
// the lowest level has COUNT = M + 1 - 2^LEVELS, the others a power of two, and every bit is the input of one adder.
// The root's third input is not in the word: it carries the parity of the words before. Where SIMD is odd, a 0 comes
// first. Linear over GF(2) and invertible.
module headrace_parity_encode #(
  parameter int unsigned SIMD = 8  // bits of a word
) (
  input  logic [SIMD-1:0] bits,  // one half of the pairs
  output logic [SIMD-1:0] code   // the same, recoded
);

  localparam int unsigned M      = (SIMD + 1) / 2;
  localparam int unsigned ODD    = SIMD % 2;
  localparam int unsigned LEVELS = $clog2(M + 1) - 1;

  logic [2*M-1:0] inputs;
  assign inputs = (2*M)'(bits) << ODD;

  for (genvar l = 0; l <= LEVELS; l++) begin : gen_level
    localparam int unsigned COUNT = l == 0 ? M + 1 - 2 ** LEVELS : 2 ** (LEVELS - l);
    localparam int unsigned FIRST = l == 0 ? 0 : 2 * M + 2 - 4 * COUNT;
    logic [2*M-1:0] word;  // with the sums of the levels below
    if (l == 0) begin : gen_lowest
      assign word = inputs;
    end else begin : gen_next
      assign word = gen_level[l-1].next;
    end
    logic [2*M-1:0] next;
    if (l < LEVELS) begin : gen_sums
      logic [COUNT-1:0] sums;
      assign sums = word[FIRST+:COUNT] ^ word[FIRST+COUNT+:COUNT];
      assign next = word ^ ((2*M)'(sums) << (FIRST + 2 * COUNT));
    end else begin : gen_root
      assign next = word;
    end
  end
  assign code = SIMD'(gen_level[LEVELS].next >> ODD);

  if (SIMD < 1) begin : gen_check
    $error("parity_encode: SIMD=%0d must be at least 1", SIMD);
  end

endmodule
