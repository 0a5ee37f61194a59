// Number of ones among BITS <= 7 bits. Combinational.
//
// With HEADRACE_PRIMITIVES seven bits take two LUTs and two positions of a carry chain: six of them make S and DI, the
// seventh is the carry in. With parity p and half h = floor(ones/2) of the six, position 0 puts out p ^ cin and passes
// on cin where p = 1, else DI = bit 5 (any bit does that is 0 for h = 0 and 1 for h = 3; where p = 0 the parity of the
// other five is bit 5, so that both come from one LUT). Position 1 then adds what is left of h.
module headrace_counter7 #(
  parameter int unsigned BITS = 7  // width of the word, at most 7
) (
  input  logic [BITS-1:0] bits,  // the word
  output logic [2:0]      count  // its ones
);

`ifdef HEADRACE_PRIMITIVES
  if (BITS == 7) begin : gen_chain
    logic       parity5, parity6, half, high;
    logic [1:0] carries;
    // The parities of bits 0 to 4 and 0 to 5.
    LUT6_2 #(.INIT(64'h6996_9669_9669_6996)) u_parity (
      .I0(bits[0]), .I1(bits[1]), .I2(bits[2]), .I3(bits[3]), .I4(bits[4]), .I5(bits[5]), .O5(parity5), .O6(parity6)
    );
    // half: bit 0 of h, inverted where position 0 passes on a one that it did not count: five bits decide it.
    // high: bit 1 of the sum where position 1 passes nothing on, at least three of bits 0 to 4.
    LUT6_2 #(.INIT(64'h177e_7ee8_fee8_e880)) u_half (
      .I0(bits[0]), .I1(bits[1]), .I2(bits[2]), .I3(bits[3]), .I4(bits[4]), .I5(1'b1), .O5(high), .O6(half)
    );
    headrace_carry_chain #(.BITS(2)) u_carry (
      .carry_in(bits[6]), .pass({half, parity6}), .make({high, parity5}), .sum(count[1:0]), .carry(carries)
    );
    assign count[2] = carries[1];
    logic unused_carry;
    assign unused_carry = carries[0];
  end else begin : gen_sum
    assign count = 3'($countones(bits));
  end
`else
  assign count = 3'($countones(bits));
`endif

  if (BITS < 1 || BITS > 7) begin : gen_check
    $error("counter7: BITS=%0d must lie between 1 and 7", BITS);
  end

endmodule
