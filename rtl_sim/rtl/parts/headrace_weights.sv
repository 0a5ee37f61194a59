// The weights of a matrix unit: a memory that is fixed, or one that the processor can write. data is word[address] two
// enabled cycles later.
module headrace_weights import headrace_pkg::*; #(
  parameter int unsigned DEPTH    = 4,  // words
  parameter int unsigned BITS     = 8,  // width of a word
  parameter string       FILE     = "", // words in hexadecimal, one per line; of a fixed memory rows of a ROM
  parameter bit          WRITABLE = 0,  // the processor can write them
  parameter bit          URAM     = 0,  // WRITABLE: in UltraRAM
  parameter int unsigned INDEX    = 0   // WRITABLE: number of the memory on the bus `load`
) (
  input  logic                         ap_clk,    // clock
  input  logic                         ap_rst_n,  // synchronous reset, active low
  input  load_t                        load,      // new words where WRITABLE (headrace_memory_port.sv)
  input  logic                         en,        // moves the pipeline by one
  input  logic                         step,      // the address moves on, from the last one to 0, with `en` alone
  input  logic [index_bits(DEPTH)-1:0] address,   // word to read
  output logic [BITS-1:0]              data       // the word
);

  if (WRITABLE) begin : gen_writable
    logic unused_step;
    assign unused_step = step;
    headrace_weight_ram #(.INDEX(INDEX), .DEPTH(DEPTH), .BITS(BITS), .URAM(URAM), .FILE(FILE)) u_ram (
      .ap_clk, .ap_rst_n, .load, .en, .address, .data
    );
  end else begin : gen_fixed
    logic unused_load;
    assign unused_load = ^load;
    headrace_weight_rom #(.DEPTH(DEPTH), .BITS(BITS), .FILE(FILE)) u_rom (
      .ap_clk, .ap_rst_n, .en, .step, .address, .data
    );
  end

endmodule
