// Read-only memory with a registered output and an output register: data is word[address] two enabled cycles later.
module rom #(
  parameter int unsigned DEPTH = 4,  // words
  parameter int unsigned BITS  = 8,  // width of a word
  parameter string       FILE  = ""  // words in hexadecimal, one per line
) (
  input  logic                                          ap_clk,   // clock
  input  logic                                          en,       // moves the pipeline by one
  input  logic [(DEPTH > 1 ? $clog2(DEPTH) : 1) - 1:0]  address,  // word to read
  output logic [BITS-1:0]                               data      // the word
);

  logic [BITS-1:0] words [DEPTH];
  logic [BITS-1:0] word_q, data_q;

  initial $readmemh(FILE, words);

  always_ff @(posedge ap_clk) begin
    if (en) begin
      word_q <= words[address];
      data_q <= word_q;
    end
  end
  assign data = data_q;

  if (DEPTH < 1 || BITS < 1) begin : gen_check
    $error("rom: DEPTH=%0d and BITS=%0d must be at least 1", DEPTH, BITS);
  end

endmodule
