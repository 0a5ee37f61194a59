// Weights that are read in order: data is word[address] two enabled cycles later. A module of its own, so that synthesis can leave it out.
module headrace_weight_rom import headrace_pkg::*; #(
  parameter int unsigned DEPTH = 4,  // words
  parameter int unsigned BITS  = 8,  // width of a word
  parameter string       FILE  = ""  // words in hexadecimal, one per line
) (
  input  logic                         ap_clk,   // clock
  input  logic                         ap_rst_n, // synchronous reset, active low
  input  logic                         en,       // moves the pipeline by one
  input  logic                         step,     // the address moves on, from the last one to 0, with `en` alone
  input  logic [index_bits(DEPTH)-1:0] address,  // word to read
  output logic [BITS-1:0]              data      // the word
);

  headrace_rom #(.DEPTH(DEPTH), .BITS(BITS), .FILE(FILE), .IN_ORDER(1)) u_rom (
    .ap_clk, .ap_rst_n, .en, .step, .address, .data
  );

endmodule
