// Bounds of a binary search out of one table of words [PE] (headrace_thresholds.sv): threshold k of row group nf lies
// at word nf * 2^STAGES + k + 1, so that a stage adds a one behind the bits of the count. Where N+1 is no power of two,
// the words beyond N hold a bound that is never reached.
//
// A stage of few words holds them in the LUTs of its comparator; one of many reads its bound in a cycle of its own.
module headrace_threshold_tables import headrace_pkg::*; #(
  parameter int unsigned PE       = 2,   // rows at a time
  parameter int unsigned NF       = 2,   // row groups
  parameter int unsigned STAGES   = 2,   // bits of a count
  parameter int unsigned ACC_BITS = 8,   // width of a bound, two's complement
  parameter string       FILE     = "",  // NF * 2^STAGES words [PE]
  parameter bit          WRITABLE = 0,   // the processor can write the words
  parameter int unsigned INDEX    = 0    // number of the memory on the bus `load`
) (
  input  logic                      ap_clk,              // clock
  input  logic                      ap_rst_n,            // synchronous reset, active low
  input  load_t                     load,                // new words where WRITABLE (headrace_memory_port.sv)
  input  logic                      en,                  // moves the pipeline by one
  input  logic [index_bits(NF)-1:0] group,               // row group in stage 0 after the next enabled cycle
  input  logic [STAGES-1:0]         known [STAGES][PE],  // decided bits of the counts in every stage
  input  logic [STAGES-1:0]         early [STAGES][PE],  // those after the next enabled cycle
  output logic [ACC_BITS-1:0]       bound [STAGES][PE]   // thresholds that decide it
);

  localparam int unsigned GROUP_BITS = index_bits(NF);
  localparam int unsigned ADDR_BITS  = STAGES + (NF > 1 ? GROUP_BITS : 0);

  if (WRITABLE) begin : gen_writable
    logic                   write;
    logic [ADDR_BITS-1:0]   write_address;
    logic [PE*ACC_BITS-1:0] write_word;
    headrace_memory_port #(.INDEX(INDEX), .DEPTH(NF << STAGES), .BITS(PE * ACC_BITS)) u_port (
      .ap_clk, .ap_rst_n, .load, .write, .address(write_address), .word(write_word)
    );
  end else begin : gen_fixed
    // Logic: Yosys calls it registers, Vivado a distributed ROM.
    (* ram_style = "registers", rom_style = "distributed" *) logic [PE*ACC_BITS-1:0] words [NF << STAGES];
    initial $readmemh(FILE, words);
    logic unused_load;
    assign unused_load = ^load ^ ap_rst_n;
  end

  for (genvar k = 0; k < STAGES; k++) begin : gen_stage
    localparam logic [STAGES-1:0] STEP = STAGES'(1) << (STAGES - 1 - k);
    localparam bit                READ = bound_is_read(NF, STAGES, k, ACC_BITS, WRITABLE);
    localparam bit                FEW  = WRITABLE ? NF << STAGES <= LUT_WORDS : NF << k <= bound_words(ACC_BITS);

    // Row group of the accumulators here, and of those after the next enabled cycle. One bit is inverted, since
    // synthesis would move the registers of an address behind their ROM.
    logic [GROUP_BITS-1:0] other_group_q, group_next;
    always_ff @(posedge ap_clk) if (en) other_group_q <= group_next ^ GROUP_BITS'(1);
    if (k == 0) begin : gen_first
      assign group_next = group;
    end else if (READ) begin : gen_read
      logic [GROUP_BITS-1:0] read_group_q;
      always_ff @(posedge ap_clk) if (en) read_group_q <= gen_stage[k-1].other_group_q ^ GROUP_BITS'(1);
      assign group_next = read_group_q;
    end else begin : gen_next
      assign group_next = gen_stage[k-1].other_group_q ^ GROUP_BITS'(1);
    end

    for (genvar p = 0; p < PE; p++) begin : gen_row
      logic [ADDR_BITS-1:0]   place;
      logic [PE*ACC_BITS-1:0] stored, word;  // lane p of the word is the bound of row p
      logic                   unused_lanes;
      if (WRITABLE) begin : gen_own
        // A memory that is read at dozens of places may become registers; so each has one of its own.
        (* ram_style = "distributed" *) logic [PE*ACC_BITS-1:0] words [NF << STAGES];
        initial $readmemh(FILE, words);
        always_ff @(posedge ap_clk) if (gen_writable.write) words[gen_writable.write_address] <= gen_writable.write_word;
        assign stored = words[place];
      end else begin : gen_shared
        assign stored = gen_fixed.words[place];
      end
      if (FEW) begin : gen_in_luts
        assign place = ADDR_BITS'({other_group_q ^ GROUP_BITS'(1), known[k][p] | STEP});
        assign word  = stored;
      end else begin : gen_ahead
        logic [PE*ACC_BITS-1:0] word_q;
        always_ff @(posedge ap_clk) if (en) word_q <= stored;
        assign place = ADDR_BITS'({group_next, early[k][p] | STEP});
        assign word  = word_q;
      end
      assign unused_lanes = ^word;
      assign bound[k][p]  = word[p*ACC_BITS+:ACC_BITS];
    end
  end

  logic unused_stages;  // not every stage needs all of them
  always_comb begin
    unused_stages = ^gen_stage[STAGES-1].other_group_q;
    for (int unsigned k = 0; k < STAGES; k++) begin
      for (int unsigned p = 0; p < PE; p++) unused_stages ^= ^known[k][p] ^ ^early[k][p];
    end
  end

endmodule
