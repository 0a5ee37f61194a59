// Write port of a memory that the processor loads: 32-bit parts of its words, low parts first, from a bus
// that all share.
//
// `start` chooses the word at address `data`, `push` gives its next part; after the last part the word is written and
// the next address follows. Both concern the memory of that number alone.
module headrace_memory_port import headrace_pkg::*; #(
  parameter int unsigned INDEX = 0,  // number of the memory
  parameter int unsigned DEPTH = 4,  // words
  parameter int unsigned BITS  = 8   // width of a word
) (
  input  logic                         ap_clk,    // clock
  input  logic                         ap_rst_n,  // synchronous reset, active low
  input  load_t                        load,      // new words of all memories
  output logic                         write,     // a word is written
  output logic [index_bits(DEPTH)-1:0] address,   // its address
  output logic [BITS-1:0]              word       // its new value
);

  localparam int unsigned PARTS     = (BITS + 31) / 32;
  localparam int unsigned PART_BITS = index_bits(PARTS);
  localparam int unsigned ADDR_BITS = index_bits(DEPTH);

  load_t                load_q;
  logic                 start, push;
  /* verilator lint_off PROCASSINIT */ // the value at power-up
  logic                 write_q = 1'b0;  // at power-up too, so that no word of a configured memory is overwritten
  /* verilator lint_on PROCASSINIT */
  logic [PART_BITS-1:0] part_q;
  logic [ADDR_BITS-1:0] address_q;
  logic [32*PARTS-1:0]  word_q;

  assign start = load_q.start && load_q.memory == 8'(INDEX);
  assign push  = load_q.push && load_q.memory == 8'(INDEX);

  always_ff @(posedge ap_clk) begin
    if (!ap_rst_n) begin
      load_q    <= '0;
      write_q   <= 1'b0;
      part_q    <= '0;
      address_q <= '0;
    end else begin
      load_q  <= load;
      write_q <= push && part_q == PART_BITS'(PARTS - 1);
      if (start) part_q <= '0;
      else if (push) part_q <= part_q == PART_BITS'(PARTS - 1) ? '0 : part_q + 1'b1;
      if (start) address_q <= load_q.data[ADDR_BITS-1:0];
      else if (write_q) address_q <= address_q + 1'b1;
    end
  end
  always_ff @(posedge ap_clk) if (push) word_q <= (32*PARTS)'({load_q.data, word_q} >> 32);

  assign write   = write_q;
  assign address = address_q;
  assign word    = word_q[BITS-1:0];

  if (BITS % 32 != 0) begin : gen_rest
    logic unused_rest;
    assign unused_rest = ^word_q[32*PARTS-1:BITS];
  end
  if (ADDR_BITS < 32) begin : gen_high
    logic unused_high;
    assign unused_high = ^load_q.data[31:ADDR_BITS];
  end

  if (DEPTH < 1 || BITS < 1 || INDEX > 255) begin : gen_check
    $error("memory_port: DEPTH=%0d and BITS=%0d must be at least 1, INDEX=%0d at most 255", DEPTH, BITS, INDEX);
  end

endmodule
