// Weights that the processor can change: data is word[address] two enabled cycles later, as of a weight_rom.
//
// A word that is read while it is written is neither its old nor its new value for sure. URAM = 1: in UltraRAM, which
// has no contents after power-up, so that every word must be loaded; simulation starts with those of FILE unless
// EMPTY_URAM is defined.
module headrace_weight_ram import headrace_pkg::*; #(
  parameter int unsigned INDEX = 0,  // number of the memory on the bus `load`
  parameter int unsigned DEPTH = 4,  // words
  parameter int unsigned BITS  = 8,  // width of a word
  parameter bit          URAM  = 0,  // in UltraRAM
  parameter string       FILE  = ""  // first words in hexadecimal, one per line
) (
  input  logic                         ap_clk,    // clock
  input  logic                         ap_rst_n,  // synchronous reset, active low
  input  load_t                        load,      // new words (headrace_memory_port.sv)
  input  logic                         en,        // moves the pipeline by one
  input  logic [index_bits(DEPTH)-1:0] address,   // word to read
  output logic [BITS-1:0]              data       // the word
);

  localparam int unsigned ADDR_BITS = index_bits(DEPTH);

  logic                 write;
  logic [ADDR_BITS-1:0] write_address;
  logic [BITS-1:0]      write_word, word_q, data_q;
  headrace_memory_port #(.INDEX(INDEX), .DEPTH(DEPTH), .BITS(BITS)) u_port (
    .ap_clk, .ap_rst_n, .load, .write, .address(write_address), .word(write_word)
  );

  if (URAM) begin : gen_uram
    (* ram_style = "ultra" *) logic [BITS-1:0] words [DEPTH];
`ifndef SYNTHESIS
`ifndef EMPTY_URAM
    initial $readmemh(FILE, words);
`endif
`endif
    always_ff @(posedge ap_clk) begin
      if (write) words[write_address] <= write_word;
      if (en) word_q <= words[address];
    end
  end else begin : gen_ram
    headrace_ram #(.DEPTH(DEPTH > 1 ? DEPTH : 2), .BITS(BITS), .LOADED(1), .FILE(FILE)) u_ram (
      .ap_clk, .write, .write_address, .write_data(write_word),
      .read(en), .read_address(address), .clear(1'b0), .read_data(word_q)
    );
  end

  always_ff @(posedge ap_clk) if (en) data_q <= word_q;
  assign data = data_q;

endmodule
