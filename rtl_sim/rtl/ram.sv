// Memory with one write port and one read port: data is word[read_address], or CLEAR, one cycle after `read`.
//
// Block RAM where LUTs would be many for what it holds, else LUTs; a word that is written and read at the same time is
// read as it was.
module ram #(
  parameter int unsigned     DEPTH = 64,  // words
  parameter int unsigned     BITS  = 8,   // width of a word
  parameter logic [BITS-1:0] CLEAR = '0   // what is read with `clear`
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

  // Eight LUTs hold 32 words of 14 bits or 64 of 7; a block of 18 Kb is worth LUTS_PER_BLOCK.
  localparam int unsigned LUTS_PER_BLOCK = 100;
  localparam int unsigned LUTS           = DEPTH <= 32 ? 8 * ((BITS + 13) / 14) : 8 * ((DEPTH + 63) / 64) * ((BITS + 6) / 7);
  localparam int unsigned COLUMN_BITS    = DEPTH <= 512 ? 36 : DEPTH <= 1024 ? 18 : DEPTH <= 2048 ? 9 : DEPTH <= 4096 ? 4
                                           : DEPTH <= 8192 ? 2 : 1;
  localparam int unsigned BLOCKS         = (BITS + COLUMN_BITS - 1) / COLUMN_BITS * ((DEPTH + 16383) / 16384);

  if (LUTS > LUTS_PER_BLOCK * BLOCKS) begin : gen_block
    (* ram_style = "block" *)
    logic [BITS-1:0] words [DEPTH];
    always_ff @(posedge ap_clk) begin
      if (write) words[write_address] <= write_data;
      if (read) read_data <= clear ? CLEAR : words[read_address];
    end
  end else begin : gen_distributed
    (* ram_style = "distributed" *)
    logic [BITS-1:0] words [DEPTH];
    always_ff @(posedge ap_clk) begin
      if (write) words[write_address] <= write_data;
      if (read) read_data <= clear ? CLEAR : words[read_address];
    end
  end

  if (DEPTH < 2 || BITS < 1) begin : gen_check
    $error("ram: DEPTH=%0d must be at least 2 and BITS=%0d at least 1", DEPTH, BITS);
  end

endmodule
