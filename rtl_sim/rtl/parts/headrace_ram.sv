// Memory with one write port and one read port: data is word[read_address], or CLEAR, one cycle after `read`.
//
// Block RAM where LUTs would be many for what it holds, else LUTs; a word that is written and read at the same time is
// read as it was. URAM = 1: UltraRAM, which is neither LOADED nor knows CLEAR, which a multiplexer behind it chooses;
// who reads it while the word is written gets neither the old word nor the new one for sure.
module headrace_ram import headrace_pkg::*; #(
  parameter int unsigned     DEPTH  = 64,  // words
  parameter int unsigned     BITS   = 8,   // width of a word
  parameter logic [BITS-1:0] CLEAR  = '0,  // what is read with `clear`
  parameter bit              URAM   = 0,   // in UltraRAM
  parameter bit              LOADED = 0,   // the words of FILE are there from the start
  parameter string           FILE   = ""   // LOADED: words in hexadecimal, one per line
) (
  input  logic                     ap_clk,         // clock
  input  logic                     write,          // the word in is stored
  input  logic [$clog2(DEPTH)-1:0] write_address,  // its place
  input  logic [BITS-1:0]          write_data,     // word in
  input  logic                     read,           // the word out changes
  input  logic [$clog2(DEPTH)-1:0] read_address,   // its place
  input  logic                     clear,          // it is CLEAR instead
  output logic [BITS-1:0]          read_data       // word out
);

  if (!URAM && ram_in_block(DEPTH, BITS)) begin : gen_block
    (* ram_style = "block" *)
    logic [BITS-1:0] words [DEPTH];
    if (LOADED) begin : gen_loaded
      initial $readmemh(FILE, words);
    end
    always_ff @(posedge ap_clk) begin
      if (write) words[write_address] <= write_data;
      if (read) read_data <= clear ? CLEAR : words[read_address];
    end
  end else if (URAM) begin : gen_uram
    (* ram_style = "ultra" *)
    logic [BITS-1:0] words [DEPTH];
    logic [BITS-1:0] word_q;
    logic            clear_q;
    always_ff @(posedge ap_clk) begin
      if (write) words[write_address] <= write_data;
      if (read) word_q <= words[read_address];
`ifndef SYNTHESIS
      if (read && write && read_address == write_address) word_q <= ~write_data;  // nobody may depend on it
`endif
    end
    always_ff @(posedge ap_clk) if (read) clear_q <= clear;
    assign read_data = clear_q ? CLEAR : word_q;
  end else begin : gen_distributed
    (* ram_style = "distributed" *)
    logic [BITS-1:0] words [DEPTH];
    if (LOADED) begin : gen_loaded
      initial $readmemh(FILE, words);
    end
    always_ff @(posedge ap_clk) begin
      if (write) words[write_address] <= write_data;
      if (read) read_data <= clear ? CLEAR : words[read_address];
    end
  end

  if (URAM && LOADED) begin : gen_check_loaded
    $error("ram: UltraRAM has no words from the start; use LOADED=0");
  end
  if (DEPTH < 2 || BITS < 1) begin : gen_check
    $error("ram: DEPTH=%0d must be at least 2 and BITS=%0d at least 1", DEPTH, BITS);
  end

endmodule
