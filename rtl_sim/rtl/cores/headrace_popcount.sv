// Number of ones in a word of at most 18 bits: threes of bits become numbers of two bits, registered, and sums of three
// of these, a LUT for each bit, add up to the count, registered.
module headrace_popcount #(
  parameter int unsigned BITS = 18  // width of the word
) (
  input  logic            ap_clk,  // clock
  input  logic            en,      // moves the pipeline by one
  input  logic [BITS-1:0] bits,    // the word
  output logic [4:0]      count    // its ones, two enabled cycles later
);

  localparam int unsigned THREES = 6;

  function automatic logic [1:0] ones(input logic [2:0] three);
    return {(three[0] & three[1]) | (three[0] & three[2]) | (three[1] & three[2]), ^three};
  endfunction

  logic [3*THREES-1:0] word;
  logic [1:0]          ones_q [THREES];
  logic [3:0]          halves [2];
  logic [4:0]          count_q;
  assign word = (3*THREES)'(bits);

  for (genvar h = 0; h < 2; h++) begin : gen_half
    logic [1:0] low, high;  // ones among the low and the high bits of three numbers
    assign low       = ones({ones_q[3*h+2][0], ones_q[3*h+1][0], ones_q[3*h][0]});
    assign high      = ones({ones_q[3*h+2][1], ones_q[3*h+1][1], ones_q[3*h][1]});
    assign halves[h] = {high[1] & high[0] & low[1], high[1] ^ (high[0] & low[1]), high[0] ^ low[1], low[0]};
  end

  always_ff @(posedge ap_clk) begin
    if (en) begin
      for (int unsigned k = 0; k < THREES; k++) ones_q[k] <= ones(word[3*k+:3]);
      count_q <= {1'b0, halves[0]} + {1'b0, halves[1]};
    end
  end
  assign count = count_q;

  if (BITS < 1 || BITS > 3 * THREES) begin : gen_check
    $error("popcount: BITS=%0d must lie between 1 and 18", BITS);
  end

endmodule
