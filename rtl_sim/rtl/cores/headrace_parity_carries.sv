// The full adders of a free-parity popcount: SIMD XOR pairs r ^ s and a leaf of the root's own are counted as
// 2 * (ones among the carries) + parity, the parity being that of all of them. Both halves come recoded, so that the
// sums of the adders are there already: the word holds the runs of inputs and sums that parity_encode describes.
//
// A carry is the first input where the two inputs agree, else the complement of the sum. The root's leaf comes
// complemented, in the place of its sum. HEADRACE_PRIMITIVES makes every carry one LUT6 of three pairs; synthesis would
// share XORs between neighbours, which costs two more LUTs per pair of them.
module headrace_parity_carries #(
  parameter int unsigned SIMD = 8  // XOR pairs
) (
  input  logic [SIMD-1:0]       r,       // first halves, recoded
  input  logic [SIMD-1:0]       s,       // second halves, recoded
  input  logic                  root_r,  // first half of the complement of the root's leaf
  input  logic                  root_s,  // second half
  output logic [(SIMD+1)/2-1:0] carries  // the root's last
);

  localparam int unsigned M      = (SIMD + 1) / 2;
  localparam int unsigned ODD    = SIMD % 2;
  localparam int unsigned LEVELS = $clog2(M + 1) - 1;

  logic [2*M:0] all_r, all_s;
  assign all_r = {root_r, (2*M)'(r) << ODD};
  assign all_s = {root_s, (2*M)'(s) << ODD};

`ifndef HEADRACE_PRIMITIVES
  logic [2*M:0] pairs;
  assign pairs = all_r ^ all_s;
`endif

  for (genvar l = 0; l <= LEVELS; l++) begin : gen_level
    localparam int unsigned COUNT = l == 0 ? M + 1 - 2 ** LEVELS : 2 ** (LEVELS - l);
    localparam int unsigned FIRST = l == 0 ? 0 : 2 * M + 2 - 4 * COUNT;
    localparam int unsigned PLACE = l == 0 ? 0 : M + 1 - 2 * COUNT;  // of the first carry
`ifdef HEADRACE_PRIMITIVES
    for (genvar k = 0; k < COUNT; k++) begin : gen_adder
      // Bit {s2, r2, s1, r1, s0, r0} of INIT.
      LUT6 #(.INIT(64'h6ff6_0660_0660_6ff6)) u_carry (
        .I0(all_r[FIRST+k]), .I1(all_s[FIRST+k]), .I2(all_r[FIRST+COUNT+k]), .I3(all_s[FIRST+COUNT+k]),
        .I4(all_r[FIRST+2*COUNT+k]), .I5(all_s[FIRST+2*COUNT+k]), .O(carries[PLACE+k])
      );
    end
`else
    logic [COUNT-1:0] first, second, sum;
    assign first  = pairs[FIRST+:COUNT];
    assign second = pairs[FIRST+COUNT+:COUNT];
    assign sum    = pairs[FIRST+2*COUNT+:COUNT];
    assign carries[PLACE+:COUNT] = (first & second) | ((first ^ second) & ~sum);
`endif
  end

  if (SIMD < 1) begin : gen_check
    $error("parity_carries: SIMD=%0d must be at least 1", SIMD);
  end

endmodule
