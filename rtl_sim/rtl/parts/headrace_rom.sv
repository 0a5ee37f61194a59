// Read-only memory with a registered address or read, and an output register: data is word[address] two enabled cycles
// later, or one without the output register.
//
// The memory is chosen here and not by synthesis: LUTs or blocks of 18 Kb, whichever cost less where a block is worth
// ROM_BLOCK_LUTS. Blocks have r rows of c bits, from 512 x 36 to 16384 x 1. Words that are more than the rows stand
// side by side: row a holds the words a, a + r, a + 2r ... in slots, and the upper bits of the address choose the slot
// behind the read register. So words of any number fill rows of any width with a gap in the last block alone. FILE is
// laid out in these rows (generator/headrace/memory.py).
//
// Up to 16 words beyond 128 (TAIL), as 9 taps of 16 words make, take three LUTs of six inputs a bit: two with the
// multiplexer behind them, and one that has the last words and chooses. Synthesis by itself would make one function of
// the 8 bits of the address, of four LUTs.
//
// IN_ORDER: words are read one after the other, the first after the last. Where blocks answer late (LATE_BLOCKS) and
// words stand side by side, a row is then read a word ahead, and has a register between the block and the choice of the
// slot.
module headrace_rom import headrace_pkg::*; #(
  parameter int unsigned DEPTH           = 4,   // words
  parameter int unsigned BITS            = 8,   // width of a word
  parameter string       FILE            = "",  // rows in hexadecimal, one per line
  parameter bit          OUTPUT_REGISTER = 1,   // the word is registered
  parameter bit          IN_ORDER        = 0    // the address only moves on, with `step`, from 0 in reset
) (
  input  logic                         ap_clk,   // clock
  input  logic                         ap_rst_n, // synchronous reset, active low, where IN_ORDER
  input  logic                         en,       // moves the pipeline by one
  input  logic                         step,     // the address moves on, with `en` alone, where IN_ORDER
  input  logic [index_bits(DEPTH)-1:0] address,  // word to read
  output logic [BITS-1:0]              data      // the word
);

  localparam int unsigned LARGEST   = 9 + 5;  // log2 of the most rows
  localparam int unsigned ADDR_BITS = index_bits(DEPTH);

  function automatic int unsigned slots(input int unsigned rows_log2);
    return (DEPTH + (1 << rows_log2) - 1) >> rows_log2;
  endfunction

  function automatic int unsigned cost(input int unsigned rows_log2);
    int unsigned blocks;
    blocks = (slots(rows_log2) * BITS + block_columns(rows_log2) - 1) / block_columns(rows_log2);
    return ROM_BLOCK_LUTS * blocks + BITS * mux_bit_luts(slots(rows_log2));
  endfunction

  function automatic int unsigned best();
    int unsigned found;
    found = 9;
    for (int unsigned candidate = 10; candidate <= LARGEST; candidate++) begin
      if (cost(candidate) < cost(found)) found = candidate;
    end
    return found;
  endfunction

  localparam int unsigned SHAPE     = best();
  localparam bit          BLOCKS    = BITS * rom_bit_luts(DEPTH) > cost(SHAPE);
  localparam int unsigned ROWS      = BLOCKS && DEPTH > 1 << SHAPE ? 1 << SHAPE : DEPTH;
  localparam int unsigned SLOTS     = BLOCKS ? slots(SHAPE) : 1;
  localparam int unsigned ROW_BITS  = SLOTS * BITS;
  localparam int unsigned LINE_BITS = index_bits(ROWS);

  localparam bit          TAIL      = LUT_INPUTS == 6 && !BLOCKS && DEPTH > 128 && DEPTH <= 144;
  localparam bit          AHEAD     = LATE_BLOCKS != 0 && IN_ORDER && SLOTS > 1;

  logic                 unused_order;
  assign unused_order = ^{ap_rst_n, step};
  logic [LINE_BITS-1:0] line;
  logic [ROW_BITS-1:0]  row;
  logic [BITS-1:0]      word;
  assign line = address[LINE_BITS-1:0];

  if (BLOCKS) begin : gen_blocks
    (* rom_style = "block" *)
    logic [ROW_BITS-1:0] words [ROWS];
    initial $readmemh(FILE, words);
    logic [ROW_BITS-1:0] row_q;
    if (AHEAD) begin : gen_ahead
      // In front of every word, the block holds the row of `address` already.
      logic [ADDR_BITS-1:0] ahead_q;
      logic [LINE_BITS-1:0] ahead_line;
      logic [ROW_BITS-1:0]  block_q;
      logic                 unused_line;
      assign ahead_line  = ap_rst_n ? ahead_q[LINE_BITS-1:0] : '0;
      assign unused_line = ^line;
      always_ff @(posedge ap_clk) begin
        if (!ap_rst_n) ahead_q <= ADDR_BITS'(1);
        else if (step) ahead_q <= ahead_q == ADDR_BITS'(DEPTH - 1) ? '0 : ahead_q + 1'b1;
        if (step || !ap_rst_n) block_q <= words[ahead_line];
        if (en) row_q <= block_q;
      end
    end else begin : gen_at_once
      always_ff @(posedge ap_clk) if (en) row_q <= words[line];
    end
    assign row = row_q;
  end else begin : gen_luts
    (* ram_style = "registers", rom_style = "distributed" *)  // Yosys' word for LUTs, then that of Vivado
    logic [ROW_BITS-1:0] words [ROWS];
    initial $readmemh(FILE, words);
    // One bit is inverted, since synthesis would move the registers of the address behind the ROM.
    logic [LINE_BITS-1:0] other_line_q;
    always_ff @(posedge ap_clk) if (en) other_line_q <= line ^ LINE_BITS'(1);
    if (TAIL) begin : gen_tail
      logic [LINE_BITS-1:0] line_q;
      logic [ROW_BITS-1:0]  first, second, both, last;
      assign line_q = other_line_q ^ LINE_BITS'(1);
      assign first  = words[LINE_BITS'(line_q[5:0])];
      assign second = words[LINE_BITS'({1'b1, line_q[5:0]})];
      assign last   = words[LINE_BITS'({4'b1000, line_q[3:0]})];
      headrace_lut_pair #(.BITS(ROW_BITS)) u_both (.first, .second, .upper(line_q[6]), .word(both));
      assign row = line_q[7] ? last : both;
    end else begin : gen_whole
      assign row = words[other_line_q ^ LINE_BITS'(1)];
    end
  end

  if (SLOTS > 1) begin : gen_slots
    localparam int unsigned SLOT_BITS = $clog2(SLOTS);
    logic [SLOT_BITS-1:0]         slot_q;
    logic [(BITS<<SLOT_BITS)-1:0] slots_q;
    always_ff @(posedge ap_clk) if (en) slot_q <= address[ADDR_BITS-1:LINE_BITS];
    assign slots_q = (BITS << SLOT_BITS)'(row);
    assign word    = slots_q[slot_q*BITS+:BITS];
  end else begin : gen_one
    assign word = row;
  end

  if (OUTPUT_REGISTER) begin : gen_output
    logic [BITS-1:0] data_q;
    always_ff @(posedge ap_clk) if (en) data_q <= word;
    assign data = data_q;
  end else begin : gen_direct
    assign data = word;
  end

  if (DEPTH < 1 || BITS < 1) begin : gen_check
    $error("rom: DEPTH=%0d and BITS=%0d must be at least 1", DEPTH, BITS);
  end

endmodule
