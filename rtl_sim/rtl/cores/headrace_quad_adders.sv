// What the bit planes of a row of weights take of its columns, four columns at a time: sums[j*QUADS+q] = sum of x[s]
// over the columns s = 4*q to 4*q+3 whose weights have bit j, QUADS = ceil(SIMD / 4). Sums of two columns
// are given. Combinational; a sum is one bit wider.
//
// HEADRACE_PRIMITIVES takes two LUTs per bit: one selects 0, x[4*q], x[4*q+1] or their sum, the other selects of the
// other two columns and makes the XOR of both that the carry chain wants. One that has one or two columns selects only.
// The plain form is a loop, which a simulator keeps as one.
module headrace_quad_adders #(
  parameter int unsigned SIMD      = 8,  // columns
  parameter int unsigned W_BITS    = 2,  // planes
  parameter int unsigned BITS      = 4,  // width of the columns and of their sums
  parameter bit          IS_SIGNED = 0   // they are two's complement
) (
  input  logic [SIMD*W_BITS-1:0] weights,                    // lanes [SIMD]
  input  logic [BITS-1:0]        x [(SIMD+3)/4*4],           // columns, 0 where there is none
  input  logic [BITS-1:0]        both [(SIMD+3)/4*2],        // x[2*k] + x[2*k+1]
  output logic [BITS:0]          sums [W_BITS*((SIMD+3)/4)]  // of the columns whose bits are 1
);

  localparam int unsigned QUADS = (SIMD + 3) / 4;

  logic [4*QUADS*W_BITS-1:0] row;
  assign row = (4*QUADS*W_BITS)'(weights);

`ifdef HEADRACE_PRIMITIVES
  for (genvar j = 0; j < W_BITS; j++) begin : gen_plane
    for (genvar q = 0; q < QUADS; q++) begin : gen_quad
      logic [3:0]      bits;
      logic [BITS-1:0] first;
      for (genvar h = 0; h < 4; h++) begin : gen_column
        assign bits[h] = row[(4*q+h)*W_BITS+j];
      end
      if (4 * q + 2 < SIMD) begin : gen_sum
        logic [BITS-1:0] s_low;
        logic [BITS:0]   s, di, unused_carry;
        for (genvar i = 0; i < BITS; i++) begin : gen_bit
          LUT5 #(.INIT(32'heca8_6420)) u_first (
            .I0(bits[0]), .I1(bits[1]), .I2(x[4*q][i]), .I3(x[4*q+1][i]), .I4(both[2*q][i]), .O(first[i])
          );
          LUT6 #(.INIT(64'h1357_9bdf_eca8_6420)) u_second (
            .I0(bits[2]), .I1(bits[3]), .I2(x[4*q+2][i]), .I3(x[4*q+3][i]), .I4(both[2*q+1][i]), .I5(first[i]),
            .O(s_low[i])
          );
        end
        assign s  = {IS_SIGNED && s_low[BITS-1], s_low};
        assign di = {IS_SIGNED && first[BITS-1], first};
        headrace_carry_chain #(.BITS(BITS + 1)) u_chain (
          .carry_in(1'b0), .pass(s), .make(di), .sum(sums[j*QUADS+q]), .carry(unused_carry)
        );
      end else begin : gen_pair
        assign first = bits[1:0] == 2'd3 ? both[2*q] : bits[1] ? x[4*q+1] : bits[0] ? x[4*q] : '0;
        assign sums[j*QUADS+q] = {IS_SIGNED && first[BITS-1], first};
        logic unused_bits;
        assign unused_bits = ^bits[3:2];
      end
    end
  end
`else
  always_comb begin
    logic [4*W_BITS-1:0] four;
    logic [3:0]          bits;
    logic [BITS-1:0]     first, second;
    for (int unsigned q = 0; q < QUADS; q++) begin
      four = row[4*q*W_BITS+:4*W_BITS];
      for (int unsigned j = 0; j < W_BITS; j++) begin
        bits   = {four[3*W_BITS+j], four[2*W_BITS+j], four[W_BITS+j], four[j]};
        first  = bits[1:0] == 2'd3 ? both[2*q] : bits[1] ? x[4*q+1] : bits[0] ? x[4*q] : '0;
        second = bits[3:2] == 2'd3 ? both[2*q+1] : bits[3] ? x[4*q+3] : bits[2] ? x[4*q+2] : '0;
        sums[j*QUADS+q] = {IS_SIGNED && first[BITS-1], first} + {IS_SIGNED && second[BITS-1], second};
      end
    end
  end
`endif

  if (BITS < 1 || SIMD < 1 || W_BITS < 1) begin : gen_check
    $error("quad_adders: SIMD=%0d, W_BITS=%0d and BITS=%0d must be at least 1", SIMD, W_BITS, BITS);
  end

endmodule
