// What travels beside the words of a pipeline of CYCLES stages; zero after a reset.
module headrace_tags #(
  parameter int unsigned BITS   = 3,  // width of a tag
  parameter int unsigned CYCLES = 2   // at least 1
) (
  input  logic            ap_clk,    // clock
  input  logic            ap_rst_n,  // synchronous reset, active low
  input  logic            en,        // moves the pipeline by one
  input  logic [BITS-1:0] tag_in,    // belongs to the word in
  output logic [BITS-1:0] tag_out    // the same, CYCLES enabled cycles later
);

  logic [CYCLES*BITS-1:0] tags_q;
  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) tags_q <= '0;
    else if (en) tags_q <= (CYCLES*BITS)'({tags_q, tag_in});
  end
  assign tag_out = tags_q[(CYCLES-1)*BITS+:BITS];

  if (BITS < 1 || CYCLES < 1) begin : gen_check
    $error("tags: BITS=%0d and CYCLES=%0d must be at least 1", BITS, CYCLES);
  end

endmodule
